"""A feed: what we were told about it, and what its polls have taught us."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from msgspec import Struct


class FeedStatus(StrEnum):
    """How the last poll of a feed ended."""

    NEW = "new"  # never polled
    OK = "ok"  # parsed, has items
    EMPTY = "empty"  # parsed, no items
    FAILED = "failed"  # no answer, an error status, or not a feed; the cause says which


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
    interval_seconds: int = 900


class FeedState(Struct, frozen=True, kw_only=True):
    """What a feed's polls left behind."""

    etag: str = ""
    last_modified: str = ""
    body_hash: str = ""
    """Of the last body that parsed; an equal body costs no parse."""
    status: FeedStatus = FeedStatus.NEW
    cause: str = ""
    """Why the last poll failed, in words for a person."""
    failures: int = 0
    """Polls failed in a row."""
    last_polled: datetime | None = None
    last_ok: datetime | None = None
    next_due: datetime | None = None
    """None: due now."""
    paused: bool = False
    items: int = 0
    """Items in the last good parse."""


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
