"""feedparser, started on text whose encoding is known already: the one file that knows how it works inside.

``feedparser.parse`` finds the encoding of bytes once more and maps each character of a text through a dictionary; its
parsers are the same here, and so is what they read (tested against each other), in half of the time.
"""

from __future__ import annotations

import io
import re
from operator import attrgetter
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
    starts: tuple[int, ...] = ()
    """Of each item, how many bytes of UTF-8 are from where it starts to the end of the document.

    Empty unless every item left the parser as it had found it, so that no item is read otherwise for want of another.
    """


def read_raw_feed(text: str) -> RawFeed:
    """Return what the XML says; what is not well-formed is read again as far as it makes sense.

    Markup is not sanitised (enrich makes text of it by lists of its own; twice would cost half of the time) and
    relative links in it are not resolved. Whatever feedparser's handlers raise is passed on: it documents no errors.
    """
    found = _DECLARATION.match(text)
    text = _PLAIN_DECLARATION + (text[found.end() :] if found else f"\n{text}")
    version, data, entities = replace_doctype(text.encode("utf-8", "replace"))
    reader = _Reader()
    parser: Any = _started(_StrictParser("", None, "utf-8"))
    parser.watch = _Watch(parser, reader)
    try:
        _sax(data, parser, reader)
    except SAXException:
        parser = _started(LooseFeedParser("", None, "utf-8", entities))
        parser.feed(data.decode("utf-8", "replace"))
        return RawFeed(version or parser.version, parser.feeddata, parser.entries)
    return RawFeed(version or parser.version, parser.feeddata, parser.entries, parser.watch.starts(len(data)))


def _started(parser: Any) -> Any:
    parser.resolve_relative_uris = parser.sanitize_html = False
    return parser


def _sax(data: bytes, content_handler: Any, reader: _Reader) -> None:
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

    @property
    def place(self) -> int:
        """The byte at which the element starts that is being handled."""
        place: int = self._parser.CurrentByteIndex  # type: ignore[attr-defined]
        return place


class _Watch:
    """Notes where items start, and whether each leaves the state of feedparser's parser as it was before."""

    # All of the state but what the start of an item sets anew: guidislink, title_depth, inentry.
    _STATE = attrgetter(
        "version", "infeed", "incontent", "intextinput", "inimage", "inauthor", "incontributor", "inpublisher",
        "insource", "sourcedata", "_summaryKey", "svgOK", "hasContent", "depth", "baseuri", "lang", "ingeometry",
        "psc_chapters_flag",
    )  # fmt: skip

    def __init__(self, parser: Any, reader: _Reader) -> None:
        self._parser = parser
        self._reader = reader
        self._places: list[int] = []
        self._before: Any = None
        self._feed = ""
        self._names: tuple[int, dict[Any, str], dict[str, str]] = (-1, {}, {})
        self._even = True

    def name_is_declared(self) -> None:
        """Keep the names as they were before those that the element at this place declares."""
        if not self._places and self._names[0] != self._reader.place:
            parser = self._parser
            self._names = (self._reader.place, parser.namespacemap.copy(), parser.namespaces_in_use.copy())

    def item_starts(self) -> None:
        if not self._places:
            self.name_is_declared()
            self._feed = repr(self._parser.feeddata)
        self._places.append(self._reader.place)
        self._even = self._even and self._before is None
        self._before = (self._state(), self._open())

    def item_ends(self) -> None:
        before, opened = self._before or (None, [])
        # Atom's content is opened twice and closed once, so names pile up. The next item puts its own on top of them,
        # and nothing in it reaches below that.
        self._even = (
            self._even and before == self._state() and self._open()[: len(opened)] == opened and self._has_same_names()
        )
        self._before = None

    def starts(self, length: int) -> tuple[int, ...]:
        """Return the places, counted from the end, or none if what is read of one item depends on others."""
        if not self._places or not self._even or self._before is not None or repr(self._parser.feeddata) != self._feed:
            return ()
        return tuple(length - place for place in self._places)

    def _has_same_names(self) -> bool:
        """Whether the prefixes of before the items still mean what they did, and new ones nothing but themselves."""
        _, prefixes, names = self._names
        parser = self._parser
        added = {key: name for key, name in parser.namespacemap.items() if prefixes.get(key) != name}
        return all(key is None or (key == name and key not in prefixes) for key, name in added.items()) and all(
            parser.namespaces_in_use.get(key) == name for key, name in names.items()
        )

    def _state(self) -> tuple[Any, ...]:
        parser = self._parser
        return (
            *self._STATE(parser), dict(parser.contentparams), tuple(parser.basestack), tuple(parser.langstack),
        )  # fmt: skip

    def _open(self) -> list[str]:
        return [name for name, *_ in self._parser.elementstack]


class _StrictParser(StrictFeedParser):  # type: ignore[misc]
    """feedparser's, which last of all maps the C1 controls of a text to what Windows-1252 has in their places.

    With a dictionary: 0.27 ms for 3,000 characters that are not ASCII, a third of all its time. Most texts have none.
    """

    watch: _Watch

    def startPrefixMapping(self, prefix: str | None, uri: str | None) -> None:  # noqa: N802 (SAX's)
        self.watch.name_is_declared()
        super().startPrefixMapping(prefix, uri)

    def _start_item(self, attributes: Any) -> None:
        self.watch.item_starts()
        super()._start_item(attributes)

    def _end_item(self) -> None:
        super()._end_item()
        self.watch.item_ends()

    _start_entry, _end_entry = _start_item, _end_item

    @staticmethod
    def decode_entities(_element: str, data: str) -> str:
        return data if data.isascii() or _C1.search(data) else _WithoutC1(data)


class _WithoutC1(str):
    __slots__ = ()

    def translate(self, _table: object) -> str:
        return str(self)
