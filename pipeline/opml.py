"""Lists of feeds as OPML 2.0 (http://opml.org/spec2.opml), in and out.

Beside the attributes of the specification: ``outlet``, ``fullPage`` ("true"), ``intervalSeconds`` and ``access`` (the
name of an entry in access.toml, which says itself to what hosts it may be sent: a list from a stranger gains nothing).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from xml.parsers import expat

from lxml import etree
from msgspec import Struct, field

from pipeline import access
from pipeline.feed import Feed
from pipeline.identity import clean_link, feed_id
from pipeline.text.characters import well_formed

MAX_BYTES = 20 * 1024 * 1024
MAX_FEEDS = 20_000
MAX_PROBLEMS = 1_000
MAX_TEXT_CHARS = 200
MAX_TAGS = 50
INTERVALS = range(10, 7 * 24 * 3600 + 1)

# Lists written by hand hold bare ampersands in addresses, and names of HTML's entities, which XML does not know.
_BARE_AMPERSAND = re.compile(rb"&(?!(?:amp|lt|gt|quot|apos|#[0-9]+|#x[0-9A-Fa-f]+);)")
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufffe\uffff]+")


class OpmlResult(Struct, kw_only=True):
    """The feeds of a list, each once, and what was wrong with it, line by line."""

    feeds: list[Feed] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def read_opml(data: bytes) -> OpmlResult:
    """Return the feeds of an OPML file; what cannot be used is left out and reported. Never raises.

    The names of enclosing outlines and the ``category`` attribute become tags. Read with expat, as a stream: libxml2
    refuses documents nested more deeply than 256 unless all of its limits are lifted. Nothing is opened or fetched,
    and a file that declares entities is refused.
    """
    reader = _Reader()
    if len(data) > MAX_BYTES:
        reader.problem(0, f"the file is larger than {MAX_BYTES // 1024**2} MiB; nothing was read")
        return reader.result
    if not data.strip():
        reader.problem(0, "the file is empty")
        return reader.result
    if not data.startswith((b"\xff\xfe", b"\xfe\xff", b"<\0", b"\0<")):  # in UTF-16 a byte is no character
        data = _BARE_AMPERSAND.sub(b"&amp;", data)
    parser = expat.ParserCreate()
    parser.StartElementHandler = lambda name, attributes: reader.start(name, attributes, parser.CurrentLineNumber)
    parser.EndElementHandler = reader.end
    parser.EntityDeclHandler = reader.refuse_entities
    try:
        parser.Parse(data, True)
    except _Refused as refused:
        reader.result.feeds.clear()
        reader.problem(parser.CurrentLineNumber, str(refused))
    except (expat.ExpatError, LookupError, ValueError) as error:
        # LookupError and ValueError: an encoding that Python does not know or that expat cannot use.
        line = parser.ErrorLineNumber if isinstance(error, expat.ExpatError) else 1
        reader.problem(line, f"not well-formed XML ({_cause(error)}); what came before was read")
    reader.finish()
    return reader.result


def write_opml(feeds: Iterable[Feed]) -> bytes:
    """Return an OPML file of these feeds, in UTF-8; ``read_opml`` gives them back."""
    root = etree.Element("opml", version="2.0")
    etree.SubElement(etree.SubElement(root, "head"), "title").text = "Wirewatch"
    body = etree.SubElement(root, "body")
    for feed in feeds:
        attributes = {
            "type": "rss",
            "text": feed.title or feed.url,
            "title": feed.title,
            "xmlUrl": feed.url,
            "language": feed.language,
            "category": ",".join(tag.replace(",", " ") for tag in feed.tags),
            "outlet": feed.outlet,
            "fullPage": "true" if feed.full_page else "",
            "intervalSeconds": str(feed.interval_seconds) if feed.interval_seconds else "",
            "access": feed.access,
        }
        etree.SubElement(body, "outline", {name: _text(value) for name, value in attributes.items() if value})
    written: bytes = etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)
    return written


class _Refused(Exception):
    """This file is not to be read at all."""


class _Reader:
    """Takes a stream of elements; keeps the names of the open outlines instead of a tree."""

    def __init__(self) -> None:
        self.result = OpmlResult()
        self._folders: list[str] = []
        self._seen: dict[str, int] = {}
        self._left_out = 0
        self._unreported = 0
        self._has_root = False

    def problem(self, line: int, text: str) -> None:
        """Note a problem; past the thousandth they are only counted."""
        if len(self.result.problems) < MAX_PROBLEMS:
            self.result.problems.append(f"line {line}: {text}" if line else text)
        else:
            self._unreported += 1

    def refuse_entities(self, *_: object) -> None:
        raise _Refused("the file declares entities, which no list of feeds needs; nothing was read")

    def start(self, name: str, attributes: dict[str, str], line: int) -> None:
        if not self._has_root:
            self._has_root = True
            if name.lower() != "opml":
                raise _Refused(f"not OPML: its root element is <{_text(name)}>; nothing was read")
        if name.lower() != "outline":
            return
        values = {key.lower(): value for key, value in attributes.items()}
        url = values.get("xmlurl", "").strip()
        # A feed may hold others too, in bad lists; it is no folder then, but its end must find its start.
        self._folders.append("" if url else _text(values.get("text") or values.get("title") or ""))
        if url:
            self._add(url, values, line)

    def end(self, name: str) -> None:
        if name.lower() == "outline":
            self._folders.pop()

    def finish(self) -> None:
        """Report what was only counted."""
        if self._left_out:
            self.result.problems.append(f"more than {MAX_FEEDS} feeds: the last {self._left_out} were left out")
        if self._unreported:
            self.result.problems.append(f"and {self._unreported} more problems")

    def _add(self, written: str, values: Mapping[str, str], line: int) -> None:
        if len(self.result.feeds) >= MAX_FEEDS:
            self._left_out += 1
            return
        url = clean_link(written)
        if not url:
            self.problem(line, f"“{_text(written)[:100]}” is not an http(s) address; left out")
            return
        feed = feed_id(url)
        if feed in self._seen:
            self.problem(line, f"this feed is already on line {self._seen[feed]}; taken once")
            return
        if "@" in written.split("/", 3)[2]:
            self.problem(line, "user name and password were removed from the address")
        self._seen[feed] = line
        title = _text(values.get("title") or values.get("text") or "")
        self.result.feeds.append(
            Feed(
                id=feed,
                url=url,
                title="" if title == url else title,
                outlet=_text(values.get("outlet", "")),
                language=self._language(values.get("language", ""), line),
                tags=self._tags(values.get("category", "")),
                full_page=(values.get("fullpage") or values.get("full_page", "")).strip().lower()
                in {"true", "1", "yes"},
                interval_seconds=self._interval(values.get("intervalseconds", ""), line),
                access=self._access(values.get("access", ""), line),
            )
        )

    def _tags(self, category: str) -> tuple[str, ...]:
        """Return the tags of a feed: its categories (comma-separated, with slashes as OPML 2.0 allows) and folders."""
        categories = (_text(part.strip().strip("/")) for part in category.split(","))
        # As they will be written: a comma parts categories.
        folders = (_text(folder.replace(",", " ")) for folder in self._folders[:MAX_TAGS])
        return tuple(dict.fromkeys(tag for tag in (*categories, *folders) if tag))[:MAX_TAGS]

    def _language(self, written: str, line: int) -> str:
        tag = written.strip()
        if not tag or re.fullmatch(r"[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{1,8}){0,3}", tag):
            return tag
        self.problem(line, f"“{_text(tag)[:30]}” is not a language; left open")
        return ""

    def _interval(self, written: str, line: int) -> int:
        text = written.strip()
        if not text:
            return 0
        if text.isascii() and text.isdigit() and len(text) < 9 and int(text) in INTERVALS:
            return int(text)
        self.problem(
            line,
            f"intervalSeconds “{_text(text)[:30]}” is not {INTERVALS[0]} to {INTERVALS[-1]}; it is learned",
        )
        return 0

    def _access(self, written: str, line: int) -> str:
        name = written.strip()
        if not name or access.NAME.fullmatch(name):
            return name
        self.problem(line, f"access “{_text(name)[:30]}” is not the name of an entry in access.toml; left out")
        return ""


def _text(written: str) -> str:
    """Return a name on one line, without controls, capped."""
    return " ".join(_UNPRINTABLE.sub(" ", well_formed(written)).split())[:MAX_TEXT_CHARS]


def _cause(error: Exception) -> str:
    return expat.ErrorString(error.code) if isinstance(error, expat.ExpatError) else str(error)
