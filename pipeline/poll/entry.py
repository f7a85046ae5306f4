"""What a feed says, whatever format it says it in."""

from __future__ import annotations

import re
from datetime import datetime

from msgspec import Struct

from pipeline.feed import FeedHints
from pipeline.outcomes import FlagName


class Entry(Struct, frozen=True, kw_only=True):
    """One item of a feed: clean, capped text, but for ``html``, which is capped and as hostile as it came."""

    guid: str = ""
    link: str = ""
    """Absolute and http(s), else empty."""
    identifying_link: str = ""
    """The link, unless it is merely that of the feed's site: such a one cannot tell two items apart."""
    title: str = ""
    summary: str = ""
    html: str = ""
    authors: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    language: str = "und"
    published: datetime | None = None
    updated: datetime | None = None
    flags: tuple[FlagName, ...] = ()
    place: int = 0
    """Its place among all items of the feed, from 0."""
    raw_hash: int = 0
    """Of the item as it stood in the feed (64 bits, signed): whoever gives it as known is spared the item. 0: none."""


class KnownItem(Struct, frozen=True):
    """An item by its place among all of its feed, from 0, and the hash of its bytes; 0: it cannot be known again."""

    place: int
    raw_hash: int


class ParsedFeed(Struct, frozen=True, kw_only=True):
    """A feed that could be read; ``entries`` may be empty."""

    title: str = ""
    link: str = ""
    """Of the site that the feed belongs to."""
    language: str = "und"
    entries: tuple[Entry, ...] = ()
    """In the order of the feed, without those known."""
    known: tuple[KnownItem, ...] = ()
    total: int = 0
    """How many items the feed has: those of ``entries`` and of ``known``."""
    children: tuple[str, ...] = ()
    """Of a sitemap index: the sitemaps to read in its place (``poll.children``)."""
    hints: FeedHints = FeedHints()
    cut: bool = False
    """Whether the feed had more items than are read (``bounds.MAX_ITEMS``, ``bounds.MAX_TAGS``)."""


def primary_language(written: str) -> str:
    """Return the primary language of a tag such as ``en-GB`` (BCP 47), or ``und``."""
    found = re.fullmatch(r"([A-Za-z]{2,3})(?:[-_].*)?", written.strip())
    return found[1].lower() if found else "und"
