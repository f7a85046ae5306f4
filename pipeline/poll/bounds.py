"""What is refused before a parser sees it: things that are no feed, and feeds built to exhaust their reader.

feedparser says nothing of the first and spends minutes on the second. Every limit is one that no feed of feedparser's
own corpus of 2,240 comes near; the times are of feedparser 6.0.14 on one core.
"""

from __future__ import annotations

import re

MAX_BODY_BYTES = 20 * 1024 * 1024
MAX_ITEMS = 5_000
MAX_TAGS_PER_ITEM = 100_000
"""30 µs each, so 3 s."""
MAX_TAGS = 400_000
MAX_ATTRIBUTES = 256
"""Of one element: looking one up costs the number of all, 2 s for 10,000 and 206 s for 100,000."""
MAX_CATEGORIES = 500
"""Of one item: each is compared with all before it, 1 s for 5,000."""
MAX_KEYWORD_CHARS = 100_000
"""Of one list of them; a single keyword may be absurdly long, and is cut later."""
MAX_REFERENCES = 2_000_000
"""1.5 µs each, so 3 s."""

_ROOT = re.compile(r"<([A-Za-z_][\w.:-]*)")
_DOCTYPE = re.compile(r"""<!DOCTYPE(?:[^\[<>"']|"[^"]*"|'[^']*')*+([\[>])""", re.IGNORECASE)
_ATTRIBUTE = re.compile(r"""=(?=\s*+(?:"[^"]*+"|'[^']*+')\s++[^\s=<>"'/]++\s*+(=))""")
"""From the sign of one attribute to that of the next."""
_LANDMARK = re.compile(r"<(/?)(?:[\w.-]+:)?(item|entry|category|subject|keywords|tags)\b", re.IGNORECASE)
_HTML_ROOTS = frozenset(
    ("html", "head", "body", "title", "script", "style", "meta", "link", "div", "span", "p", "a", "table", "form", "h1")
)
"""A feed may stand behind a document type of HTML, and behind the ``<br>`` and ``<b>`` of a warning of PHP's."""
_CLOSING = {"rss": "</channel></rss>", "feed": "</feed>"}


class NotAFeed(Exception):
    """This body is not a feed that can be read; ``reason`` says in words what it is instead."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def refuse_bytes(body: bytes) -> None:
    """Raise ``NotAFeed`` for what can be told from the first bytes: nothing, or a format that is no text."""
    if len(body) > MAX_BODY_BYTES:
        raise NotAFeed(f"larger than {MAX_BODY_BYTES // 1024**2} MiB")
    if not body.strip(b" \t\r\n\0"):
        raise NotAFeed("an empty body")
    if body.startswith(b"%PDF-"):
        raise NotAFeed("a PDF document")
    if body.startswith((b"\x1f\x8b", b"PK\x03\x04", b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"BZh", b"\x28\xb5\x2f\xfd")):
        raise NotAFeed("a compressed file or an image")


def root_of(text: str) -> str:
    """Return the name of the root element, or "" when the text does not begin like XML.

    Raises:
        NotAFeed: it is HTML, JSON or plain text; or its prolog declares entities, which feeds have no use for and
            attackers have (XML 1.0 section 4: expansion, inclusion of files and addresses).
    """
    start = text.lstrip("\ufeff \t\r\n\0")[:1]
    if start in {"{", "["}:
        raise NotAFeed("JSON")
    if "<" not in text:
        raise NotAFeed("plain text")
    at = text.find("<")
    for _ in range(1_000):
        if text.startswith("<!--", at):
            at = text.find("-->", at + 4)
        elif text.startswith("<?", at):
            at = text.find("?>", at + 2)
        elif text[at : at + 9].upper() == "<!DOCTYPE":
            at = _end_of_doctype(text, at)
        elif found := _ROOT.match(text, at):
            return _checked_root(found[1])
        else:
            at += 1
        at = text.find("<", at) if at >= 0 else at
        if at < 0:
            raise NotAFeed("text without any element")
    raise NotAFeed("more than 1,000 comments and instructions before the first element")


def refuse_references(text: str) -> None:
    """Raise ``NotAFeed`` for more references, or ampersands that might begin one, than are read."""
    if text.count("&") > MAX_REFERENCES:
        raise NotAFeed(f"more than {MAX_REFERENCES:,} references")


def bounded(text: str, root: str) -> tuple[str, bool]:
    """Return the text, cut behind its last item within the limits and closed again, and whether it was cut.

    Raises:
        NotAFeed: one item or element alone is beyond the limits.
    """
    refuse_attributes(text)
    items = tags = categories = done = listed = 0
    for found in _LANDMARK.finditer(text):
        closing, name = found[1], found[2].lower()
        if name in {"item", "entry"}:
            within = text.count("<", done, found.start())
            _refuse_large_item(within, categories)
            items, tags = items + bool(closing), tags + within
            categories, done = 0, found.start()
            if closing and (items >= MAX_ITEMS or tags > MAX_TAGS):
                return _cut(text, found.end(), root)
        elif not closing:
            categories += 1
            if name in {"keywords", "tags"} and found.end() >= listed:  # each character is counted once, however nested
                listed = _end_of_list(text, found.end())
                categories += text.count(",", found.end(), listed)
    _refuse_large_item(text.count("<", done), categories)
    return text, False


def refuse_attributes(text: str) -> None:
    """Raise ``NotAFeed`` for an element with more than ``MAX_ATTRIBUTES`` attributes."""
    if _has_too_many_attributes(text):
        raise NotAFeed(f"an element with more than {MAX_ATTRIBUTES} attributes")


def _has_too_many_attributes(text: str) -> bool:
    """Whether more than ``MAX_ATTRIBUTES`` follow each other, wherever: what is an element is the parser's to say.

    From sign to sign, so that text costs nothing, and each pair is looked at once, so that nothing costs much.
    """
    numbers: dict[int, int] = {}  # the attributes up to the sign at a place
    for found in _ATTRIBUTE.finditer(text):
        number = numbers.pop(found.start(), 1) + 1
        if number > MAX_ATTRIBUTES:
            return True
        following = found.start(1)
        numbers[following] = max(number, numbers.get(following, 0))
    return False


def _checked_root(name: str) -> str:
    if name.lower() in _HTML_ROOTS:
        raise NotAFeed("an HTML page")
    return name


def _end_of_doctype(text: str, at: int) -> int:
    """Return the place behind a document type declaration that is harmless (RSS 0.91 has one)."""
    found = _DOCTYPE.match(text, at)
    if found is None:
        raise NotAFeed("a document type declaration without an end")
    if found[1] == ">":
        return found.end()
    # What an internal subset declares cannot be told without parsing it (comments and quotes hide brackets), and no
    # feed needs one, so only an empty one passes.
    empty = re.compile(r"\s*\]\s*>").match(text, found.end())
    if empty is None:
        raise NotAFeed("XML that declares entities or a document type of its own")
    return empty.end()


def _refuse_large_item(tags: int, categories: int) -> None:
    if tags > MAX_TAGS_PER_ITEM:
        raise NotAFeed(f"more than {MAX_TAGS_PER_ITEM:,} tags in one item")
    if categories > MAX_CATEGORIES:
        raise NotAFeed(f"more than {MAX_CATEGORIES} categories in one item")


def _end_of_list(text: str, at: int) -> int:
    """Return where an element ends that lists terms with commas."""
    end = text.find("</", at, at + MAX_KEYWORD_CHARS)
    if end < 0:
        raise NotAFeed(f"a list of keywords longer than {MAX_KEYWORD_CHARS:,} characters")
    return end


def _cut(text: str, after_name: int, root: str) -> tuple[str, bool]:
    end = text.find(">", after_name)
    if end < 0 or not text[end + 1 :].strip():
        return text, False
    rest = text[end + 1 : end + 1_000].lower()
    only_closed = re.fullmatch(r"(?:\s|</[\w:.-]+\s*>|<!--[^>]*-->)*", rest) is not None
    return (text, False) if only_closed else (text[: end + 1] + _CLOSING.get(root.lower(), f"</{root}>"), True)
