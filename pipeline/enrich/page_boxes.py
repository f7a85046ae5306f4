"""The boxes that hold a page's prose: sites cut an article into several, with advertising between them.

trafilatura takes one of them for the whole article then; this finds the others by their being built alike.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from lxml import etree
from lxml.html import HtmlElement

from pipeline.enrich.markup import MarkupReader
from pipeline.enrich.paragraphs import Paragraph

MIN_PROSE_CHARACTERS: Final = 80
"""Of a paragraph that is prose; shorter ones are captions and labels as often."""
MAX_PARAGRAPHS: Final = 5_000
MAX_LINKED_SHARE: Final = 0.5
_OUTSIDE: Final = frozenset(
    {"footer", "nav", "aside", "header", "li", "figure", "form", "td", "figcaption", "a", "body"}
)


def prose_of_boxes(page: HtmlElement) -> list[Paragraph]:
    """Return the text of the box with most prose and of all boxes of its name (tag and class) in its ``article``.

    Empty where that box stands alone.
    """
    boxes: dict[HtmlElement, int] = {}
    for paragraph in _some(page.iter("p")):
        box = paragraph.getparent()
        if box is None or box.tag in _OUTSIDE or not isinstance(box.tag, str):
            continue
        length = _length(paragraph)
        if length >= MIN_PROSE_CHARACTERS and sum(map(_length, paragraph.iter("a"))) <= MAX_LINKED_SHARE * length:
            boxes[box] = boxes.get(box, 0) + length
    if not boxes:
        return []
    largest = max(boxes, key=lambda box: boxes[box])
    around = _article(largest)
    alike = [box for box in boxes if _name(box) == _name(largest) and around is not None and _article(box) is around]
    reader = MarkupReader()
    apart = [box for box in alike if not any(outer in boxes for outer in box.iterancestors())]
    for box in apart if len(apart) > 1 and largest.get("class") else ():
        _read(box, reader)
    return reader.close()


def _article(box: HtmlElement) -> HtmlElement | None:
    """Return the innermost element around a box that says it holds one article, or the page's content."""
    return next(box.iterancestors("article", "main"), None)


def _some(paragraphs: Iterator[HtmlElement]) -> Iterator[HtmlElement]:
    for _, paragraph in zip(range(MAX_PARAGRAPHS), paragraphs, strict=False):
        yield paragraph


def _name(box: HtmlElement) -> tuple[str, str]:
    return str(box.tag), box.get("class") or ""


def _length(element: HtmlElement) -> int:
    return len(" ".join("".join(element.itertext()).split()))


def _read(box: HtmlElement, reader: MarkupReader) -> None:
    for event, element in etree.iterwalk(box, events=("start", "end")):
        tag = str(element.tag)
        if event == "start":
            reader.start(tag, {})
            reader.data(element.text or "")
        else:
            reader.end(tag)
            reader.data((element.tail or "") if element is not box else "")
