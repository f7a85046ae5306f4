"""What the poller needs of whoever reads feeds for it, and the words in which both speak."""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol

from msgspec import Struct

from pipeline.poll.entry import ParsedFeed
from pipeline.poll.formats import read_feed


class Parse(Protocol):
    """Reads one feed, as ``pipeline.poll.formats.read_feed`` does, while others are being fetched."""

    async def __call__(
        self, body: bytes, *, content_type: str = "", url: str = "", known: Collection[int] = ()
    ) -> ParsedFeed:
        """Return what the feed says. Raises ``NotAFeed`` when it cannot be read or not within the limits."""
        ...


async def parse_inline(
    body: bytes, *, content_type: str = "", url: str = "", known: Collection[int] = ()
) -> ParsedFeed:
    """Read a feed in this process, for tests and single feeds: nothing else goes on meanwhile."""
    return read_feed(body, content_type=content_type, url=url, known=known)


class Request(Struct, frozen=True, array_like=True):
    """One feed to be read."""

    body: bytes
    content_type: str
    url: str
    known: list[int]


class Reply(Struct, frozen=True, array_like=True):
    """What became of it: ``feed``, or the reason why there is none."""

    feed: ParsedFeed | None = None
    reason: str = ""
    spent: bool = False
    """Whether the process that read it ends with it, out of memory."""


LENGTH_BYTES = 4
"""Each message goes behind its length, unsigned, the highest byte first. The worker's first is empty: it is ready."""
