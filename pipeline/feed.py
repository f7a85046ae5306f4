"""A feed: what we were told about it, and what its polls have taught us."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Literal

from msgspec import Struct

from pipeline.outcomes import Trouble


class FeedStatus(StrEnum):
    """How the last poll of a feed ended."""

    NEW = "new"  # never polled
    OK = "ok"  # parsed, has items
    EMPTY = "empty"  # parsed, no items
    FAILED = "failed"  # no answer, an error status, or not a feed; the cause says which
    GONE = "gone"  # 410: the publisher wants no more polls, and gets none until a person resumes the feed


Oddity = Literal["guids_change", "links_change", "guids_reused", "no_link_no_guid"]


class FeedHints(Struct, frozen=True, kw_only=True):
    """What a feed says about polling it (RSS 2.0: ttl, skipHours, skipDays; sy:updatePeriod), and what is odd in it."""

    ttl_seconds: int = 0
    """It may be cached for so long; 0: not said."""
    skip_hours: tuple[int, ...] = ()
    """Hours of the day, UTC, 0 to 23, in which nothing comes."""
    skip_days: tuple[int, ...] = ()
    """Days of the week, UTC, 0 = Monday, on which nothing comes."""
    oddities: tuple[Oddity, ...] = ()
    """What its entries are like, as the last poll that read it found them (see ``pipeline.poll.churn``)."""


class Rhythm(Struct, frozen=True, kw_only=True):
    """What polls have taught about when a feed brings something new (see ``pipeline.poll.rhythm``).

    Hours are counted from 1970, in UTC. As JSON it stays under 600 bytes, for there may be 100,000 of it.
    """

    hour: int = 0
    """The hour in which the last poll was; 0: nothing is known yet."""
    hours_seen: int = 0
    """Whole hours that were watched, up to some months."""
    this_hour: float = 0.0
    """Items of that hour so far."""
    today: float = -1.0
    """Items of that day before that hour; -1 when the day was not watched from its beginning."""
    by_hour: tuple[float, ...] = ()
    """Items an hour in each hour of the day."""
    by_day: tuple[float, ...] = ()
    """Factor of each day of the week, Monday first; 1 on average."""
    by_minute: tuple[float, ...] = ()
    """Items by the part of the hour in which they came, older ones counting less."""
    quick_new: float = 0.0
    """Items of the last hours, older ones counting less."""
    quick_expected: float = 0.0
    """How many there should have been."""
    slow_new: float = 0.0
    """The same of the last days."""
    slow_expected: float = 0.0
    squeeze: float = 1.0
    """Share of the interval that is used, after polls that may have missed something."""


class Feed(Struct, frozen=True, kw_only=True):
    """Settings of one feed, as a person or a list gave them."""

    id: str
    """Short hash of the address (``pipeline.identity.feed_id``)."""
    url: str
    title: str = ""
    outlet: str = ""
    """Who publishes it; several feeds may share one. Empty: the host of the feed's own site."""
    language: str = ""
    tags: tuple[str, ...] = ()
    full_page: bool = False
    """Whether each article's page is fetched for its whole text."""
    interval_seconds: int = 0
    """Seconds between polls, as a person wants it; 0: learned from what the polls bring."""
    access: str = ""
    """Name of an entry in the access file with credentials, headers or a proxy for this feed; never a secret itself."""


class FeedState(Struct, frozen=True, kw_only=True):
    """What a feed's polls left behind."""

    etag: str = ""
    last_modified: str = ""
    body_hash: str = ""
    """Of the last body that parsed; an equal body costs no parse."""
    status: FeedStatus = FeedStatus.NEW
    cause: str = ""
    """Why the last poll failed, in words for a person."""
    trouble: Trouble = Trouble.NONE
    failures: int = 0
    """Polls failed in a row."""
    last_polled: datetime | None = None
    last_ok: datetime | None = None
    next_due: datetime | None = None
    """None: due now."""
    paused: bool = False
    items: int = 0
    """Items in the last good parse."""
    last_new: datetime | None = None
    """When a poll last brought an item not seen before."""
    moved_to: str = ""
    """Where 301 or 308 has been leading since ``moved_since``; adopted after 7 days."""
    moved_since: datetime | None = None
    hints: FeedHints = FeedHints()
    rhythm: Rhythm = Rhythm()
    pace: float = 0.0
    """Square root of the items an hour that are to be expected: a feed's claim to a share of the polls."""


class KnownFeed(Struct, frozen=True, kw_only=True):
    """A feed in the state: its settings and its poll state."""

    feed: Feed
    state: FeedState


class SeenEntry(Struct, frozen=True, kw_only=True):
    """An entry that a feed has shown: kept while the feed shows it and for 90 days after."""

    key: str
    """The entry's identity within its feed (``pipeline.identity.entry_key``)."""
    article_id: str
    content_hash: str
    """Of what the feed said; a new hash is published again."""
    raw_hash: int = 0
    """64-bit hash, signed, of the item as it stood in the feed: an equal one costs no parse. 0: not known."""
