"""A stored page to the article's paragraphs: trafilatura behind a parse that hostile pages cannot make slow."""

from __future__ import annotations

from urllib.parse import urljoin

from lxml import etree
from lxml.html import HtmlElement, HTMLParser
from trafilatura import bare_extraction
from trafilatura.settings import Document

from pipeline.enrich.markup import MarkupReader, parse_into
from pipeline.enrich.page_boxes import prose_of_boxes
from pipeline.enrich.page_parts import without_asides
from pipeline.enrich.paragraphs import Paragraph
from pipeline.identity import clean_link
from pipeline.text.charset import decode_page

MAX_PAGE_BYTES = 4 * 1024 * 1024
"""Of a page we read no more: trafilatura takes up to 4 s a MB of bare tags. The largest of 80 real pages has 1.3 MB."""
MAX_ATTRIBUTES = 500
"""An element with more is an attack: libxml2's tree is quadratic in them (100,000: 14 s). Real pages have up to 12."""

MAX_ELEMENTS = 50_000
"""trafilatura is quadratic in some of them (50,000: 9 s). The largest of 80 real pages has 2,600."""
MIN_BOXES_SHARE = 1.3
"""All boxes of one name with this much more than was extracted: some of them were missed."""
MISTAKEN_SHARE = 3.0
"""With so many times what was extracted, in prose within one article: a caption or an aside was taken for the text."""
MIN_CHARACTERS = 80
"""Less than this is a caption or a notice; the shortest text of 80 real article pages has some 300."""

# trafilatura's own element names (its XML output), as the HTML that MarkupReader knows.
_AS_HTML = {"lb": "br", "list": "ul", "item": "li", "quote": "blockquote", "row": "tr", "cell": "td", "code": "pre"}


class ExtractionFailed(ValueError):
    """The page cannot be read: it is no HTML, or the library gave up on it."""


def parse_page(body: bytes) -> HtmlElement:
    """Return the tree of a page.

    Raises:
        ExtractionFailed: nothing in it is HTML, or an element has more than ``MAX_ATTRIBUTES``.
    """
    # Given as UTF-8 whatever it was: the parser would believe the page's own claim, and stop at the first NUL.
    markup = decode_page(body[:MAX_PAGE_BYTES])[0].replace("\x00", "").encode("utf-8", "replace")
    parse_into(_AttributeCheck(), markup)
    try:
        tree = etree.fromstring(markup, HTMLParser(remove_comments=True, remove_pis=True, encoding="utf-8"))
    except etree.XMLSyntaxError as error:
        raise ExtractionFailed(f"not HTML: {error}") from error
    if tree is None:
        raise ExtractionFailed("not HTML: no element in it")
    return tree


def extract_paragraphs(tree: HtmlElement) -> list[Paragraph]:
    """Return the article's text in a page, without navigation, comments, teasers of other articles and its own title;
    empty when none is found. ``tree`` is kept.

    trafilatura's ``fast`` mode does it, on the page without what ``page_parts`` knows to be no part of an article; on
    the whole page, where nothing is left then. Where it stops after the first of several boxes, they are all read.

    Raises:
        ExtractionFailed: the library broke on this page, or it has more than ``MAX_ELEMENTS``.
    """
    if tree.xpath("count(.//*)") > MAX_ELEMENTS:
        raise ExtractionFailed(f"more than {MAX_ELEMENTS} elements")
    page = without_asides(tree)
    found = _extracted(page)
    in_boxes = prose_of_boxes(page)
    times = _characters(in_boxes) / max(_characters(found), 1)
    if times > MISTAKEN_SHARE or (times > MIN_BOXES_SHARE and _has_most(in_boxes, found)):
        found = in_boxes
    if _characters(found) >= MIN_CHARACTERS:
        return found
    return _extracted(tree) or found


def _has_most(whole: list[Paragraph], part: list[Paragraph]) -> bool:
    """Whether most of the paragraphs of ``part`` stand in ``whole``."""
    return len({paragraph.text for paragraph in whole} & {paragraph.text for paragraph in part}) > 0.5 * len(part)


def _characters(paragraphs: list[Paragraph]) -> int:
    return sum(len(paragraph.text) for paragraph in paragraphs)


def _extracted(tree: HtmlElement) -> list[Paragraph]:
    try:
        # Measured on 40 pages: include_tables=False gains .013 of F1 there and loses .003 on another 181, favor_recall
        # and not fast change nothing, favor_precision loses .04, deduplicate loses whole articles.
        document = bare_extraction(tree, fast=True, include_comments=False)
    except Exception as error:  # the library promises ValueError only, but walks trees that strangers made
        raise ExtractionFailed(f"trafilatura: {type(error).__name__}: {error}") from error
    if not isinstance(document, Document) or document.body is None:
        return []
    reader = MarkupReader()
    for event, element in etree.iterwalk(_without_title(document.body), events=("start", "end")):
        tag = _html_tag(element)
        if event == "start":
            reader.start(tag, {})
            reader.data(element.text or "")
        else:
            reader.end(tag)
            reader.data(element.tail or "")
    return reader.close()


def _without_title(body: etree._Element) -> etree._Element:
    """Take away the first heading where it is one of the first rank: the page's title, whatever the feed calls it."""
    first = next(iter(body), None)
    if first is not None and first.tag == "head" and first.get("rend") == "h1" and not (body.text or "").strip():
        body.text = first.tail
        body.remove(first)
    return body


def canonical_address(tree: HtmlElement, page_url: str) -> str:
    """Return what the page's ``rel=canonical`` claims, when that is an http(s) link; else empty."""
    for link in tree.iter("link"):
        if "canonical" in (link.get("rel") or "").lower().split():
            return _joined(page_url, link.get("href") or "")
    return ""


def _joined(page_url: str, href: str) -> str:
    try:
        return clean_link(urljoin(page_url, href.strip()))
    except ValueError:  # brackets that do not match
        return ""


def _html_tag(element: etree._Element) -> str:
    if element.tag == "head":
        return element.get("rend") or "h2"
    return _AS_HTML.get(str(element.tag), str(element.tag))


class _AttributeCheck:
    """A parser target that looks at the number of attributes only."""

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        if len(attributes) > MAX_ATTRIBUTES:
            raise ExtractionFailed(f"an element <{tag[:20]}> has {len(attributes)} attributes")

    def close(self) -> None:
        """The target's interface wants it; there is nothing to give back."""
