"""feedparser, started on text whose encoding is known already: the one file that knows how it works inside.

``feedparser.parse`` finds the encoding of bytes once more and maps each character of a text through a dictionary; its
parsers are the same here, and so is what they read (tested against each other), in half of the time.
"""

from __future__ import annotations

import io
import re
from typing import Any
from xml.sax import SAXException, handler, xmlreader
from xml.sax.expatreader import ExpatParser

from feedparser.api import LooseFeedParser, StrictFeedParser
from feedparser.sanitizer import replace_doctype
from msgspec import Struct

_DECLARATION = re.compile(r"<\?xml[^>]*?>")
_PLAIN_DECLARATION = "<?xml version='1.0' encoding='utf-8'?>"
_C1 = re.compile("[\x80-\x9f]")


class RawFeed(Struct, frozen=True):
    """A feed as feedparser's own dictionaries: everything in it is as hostile as it came."""

    version: str
    """Such as ``rss20``; empty when it is no feed."""
    feed: Any
    entries: list[Any]


def read_raw_feed(text: str) -> RawFeed:
    """Return what the XML says; what is not well-formed is read again as far as it makes sense.

    Markup is not sanitised (enrich makes text of it by lists of its own; twice would cost half of the time) and
    relative links in it are not resolved. Whatever feedparser's handlers raise is passed on: it documents no errors.
    """
    found = _DECLARATION.match(text)
    text = _PLAIN_DECLARATION + (text[found.end() :] if found else f"\n{text}")
    version, data, entities = replace_doctype(text.encode("utf-8", "replace"))
    parser: Any = _started(_StrictParser("", None, "utf-8"))
    try:
        _sax(data, parser)
    except SAXException:
        parser = _started(LooseFeedParser("", None, "utf-8", entities))
        parser.feed(data.decode("utf-8", "replace"))
    return RawFeed(version or parser.version, parser.feeddata, parser.entries)


def _started(parser: Any) -> Any:
    parser.resolve_relative_uris = parser.sanitize_html = False
    return parser


def _sax(data: bytes, content_handler: Any) -> None:
    reader = _Reader()
    reader.setFeature(handler.feature_namespaces, True)
    reader.setFeature(handler.feature_external_ges, False)  # what a feed names is never opened
    reader.setContentHandler(content_handler)
    reader.setErrorHandler(content_handler)
    source = xmlreader.InputSource()
    source.setByteStream(io.BytesIO(data))
    reader.parse(source)


class _Reader(ExpatParser):
    """Hands a text over whole, not in a piece for each reference in it (an article's escaped markup has fifty)."""

    def reset(self) -> None:
        super().reset()
        self._parser.buffer_text = True  # type: ignore[attr-defined]


class _StrictParser(StrictFeedParser):  # type: ignore[misc]
    """feedparser's, which last of all maps the C1 controls of a text to what Windows-1252 has in their places.

    With a dictionary: 0.27 ms for 3,000 characters that are not ASCII, a third of all its time. Most texts have none.
    """

    @staticmethod
    def decode_entities(_element: str, data: str) -> str:
        return data if data.isascii() or _C1.search(data) else _WithoutC1(data)


class _WithoutC1(str):
    __slots__ = ()

    def translate(self, _table: object) -> str:
        return str(self)
