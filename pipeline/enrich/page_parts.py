"""What stands inside a page's article but belongs to something else: teasers of other articles, authors' lives, forms.

Each rule looks at how a part is built (a link for a heading, a name such as ``newsletter``) and at how little text it
holds; none knows a site. Posts that an article embeds stay: to a reader they are quotations.
"""

from __future__ import annotations

import re
from copy import copy
from typing import Final

from lxml.html import HtmlElement

MAX_TEASER_CHARACTERS: Final = 600
"""Of a teaser, with its list when it stands in one; 95 of 100 paragraphs in news are shorter."""
MAX_ASIDE_CHARACTERS: Final = 1_000
"""Of a part that its name says is an aside; more than that is the article in a badly named box."""
MIN_HEADLINE_CHARACTERS: Final = 20
MAX_HEADLINE_CHARACTERS: Final = 200
MAX_MEASURED: Final = 20_000
"""Characters of a part of which we know how many stand in links."""
MAX_STEPS: Final = 60_000
"""Pieces of text that are looked at in a page; 40 real pages take up to 1,400."""

_UNREAD: Final = ("script", "style", "svg", "noscript", "template")
_BOXES: Final = ("div", "section", "aside", "ul", "ol", "p", "figure", "form", "blockquote", "article", "header", "a")
_HEADINGS: Final = ("h2", "h3", "h4", "h5", "h6")
_SENTENCE_ENDS: Final = (".", "!", "…", "。", ".”", '."', "؟", "।")
_PAGE: Final = frozenset({"main", "body", "html"})
MAX_NAME_CHARACTERS: Final = 500
"""Of class and id together; real ones have up to some 300."""

_NAMED_ASIDE = re.compile(
    r"(?:^|[\s_-])(?:promo|promos|related|recirc|recirculation|popular|trending|newsletter|newsletters|readmore|signup"
    r"|subscribe|subscription|authorbio|bio|comments|outbrain|taboola|sponsored|most-?(?:read|viewed|popular|recent)"
    r"|read-?(?:more|next|also)|more-?(?:from|on|stories|news)|also-?(?:like|read)|sign-?up|author-?bio|link-?embed"
    r"|see-?also)(?:$|[\s_-])"
)
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")


class _Ruler:
    """Measures texts up to a limit, ``MAX_STEPS`` pieces of a page in all: nesting would make it quadratic."""

    def __init__(self) -> None:
        self._steps = MAX_STEPS

    def length(self, element: HtmlElement, limit: int) -> int:
        """Return the characters in an element, white space at the ends of its pieces aside; or more than ``limit``."""
        total = 0
        for piece in element.itertext():
            total += len(piece.strip())
            self._steps -= 1
            if total > limit or self._steps < 0:
                return limit + 1
        return total

    def linked(self, element: HtmlElement, limit: int) -> int:
        """Return the characters that stand in links."""
        total = 0
        for link in element.iter("a"):
            if link.get("href"):
                total += self.length(link, limit)
            self._steps -= 1
            if self._steps < 0:
                break
        return total


def without_asides(tree: HtmlElement) -> HtmlElement:
    """Return a copy of a page's tree without the parts that are no text of its article, and without scripts."""
    page = copy(tree)
    for element in list(page.iter(*_UNREAD)):
        _drop(element)
    ruler = _Ruler()
    _drop_named(page, ruler)
    _drop_teasers(page, ruler)
    _drop_linked_lines(page)
    return page


def _drop_named(page: HtmlElement, ruler: _Ruler) -> None:
    known: dict[str, bool] = {}
    for element in list(page.iter(*_BOXES)):
        name = f"{element.get('class') or ''} {element.get('id') or ''} {element.get('data-testid') or ''}"
        is_aside = known.get(name)
        if is_aside is None:
            is_aside = known[name] = _is_named_aside(name)
        if is_aside and _is_small(element, ruler):
            _drop(element)


def _is_named_aside(name: str) -> bool:
    return _NAMED_ASIDE.search(_CAMEL.sub("-", name[:MAX_NAME_CHARACTERS]).lower()) is not None


def _is_small(element: HtmlElement, ruler: _Ruler) -> bool:
    if ruler.length(element, MAX_ASIDE_CHARACTERS) <= MAX_ASIDE_CHARACTERS:
        return True
    length = ruler.length(element, MAX_MEASURED)
    return length <= MAX_MEASURED and ruler.linked(element, MAX_MEASURED) > length / 2


def _drop_teasers(page: HtmlElement, ruler: _Ruler) -> None:
    for heading in list(page.iter(*_HEADINGS)):
        if not _is_link(heading, ruler):
            continue
        part, parent = heading, heading.getparent()
        while parent is not None and parent.tag not in _PAGE and _is_short(parent, ruler):
            part, parent = parent, parent.getparent()
        if part is not heading:  # a heading among long paragraphs is one of theirs, whatever it links to
            _drop(part)


def _drop_linked_lines(page: HtmlElement) -> None:
    """Drop paragraphs that are one link and no sentence: the headline of another article, among those of this one."""
    for paragraph in list(page.iter("p")):
        inner = paragraph
        while len(inner) == 1 and not _has_text(inner.text) and not _has_text(inner[0].tail):
            inner = inner[0]
            if inner.tag == "a":
                break
        if inner.tag != "a" or not (inner.get("href") or "").startswith(("http", "/")):
            continue
        text = "".join(inner.itertext()).strip()
        if MIN_HEADLINE_CHARACTERS <= len(text) <= MAX_HEADLINE_CHARACTERS and not text.endswith(_SENTENCE_ENDS):
            _drop(paragraph)


def _has_text(text: str | None) -> bool:
    return text is not None and text != "" and not text.isspace()


def _is_short(element: HtmlElement, ruler: _Ruler) -> bool:
    return ruler.length(element, MAX_TEASER_CHARACTERS) <= MAX_TEASER_CHARACTERS


def _is_link(heading: HtmlElement, ruler: _Ruler) -> bool:
    """Whether a heading is a link, inside or around it; half of it may be repeated for readers of screens."""
    parent = heading.getparent()
    if parent is not None and parent.tag == "a" and parent.get("href"):
        return True
    if heading.find(".//a") is None:
        return False
    length = ruler.length(heading, MAX_TEASER_CHARACTERS)
    return 0 < length <= MAX_TEASER_CHARACTERS and ruler.linked(heading, MAX_TEASER_CHARACTERS) >= 0.45 * length


def _drop(element: HtmlElement) -> None:
    """Take an element out and leave the text behind it."""
    parent = element.getparent()
    if parent is None:
        return
    if element.tail:
        before = element.getprevious()
        if before is None:
            parent.text = (parent.text or "") + element.tail
        else:
            before.tail = (before.tail or "") + element.tail
    parent.remove(element)
