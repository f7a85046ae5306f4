"""What a look at one feed finds: see ``pipeline.poll.check``."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from pipeline.feed import FeedHints
from pipeline.outcomes import Trouble
from pipeline.poll.decide import NOT_MODIFIED
from pipeline.poll.waits import LONGEST_WAIT_SECONDS
from pipeline.ports import PageNorm

SHORTEST_POLL_SECONDS = 60.0


class Move(Struct, frozen=True, kw_only=True):
    """Where a feed's address leads instead."""

    to: str
    for_good: bool = False
    """By 301 and 308 alone; for now otherwise."""
    since: datetime | None = None
    adopted: datetime | None = None
    """When a poll from this moment on takes the new address; None: never by itself."""


class Conditional(Struct, frozen=True, kw_only=True):
    """What a second request, with the validators of the first answer, was answered with."""

    by: tuple[str, ...] = ()
    """Names of the headers that there are to ask by; without any there was no second request."""
    status: int = 0
    same_body: bool = False
    cause: str = ""
    """Why there was no answer."""

    @property
    def is_kept(self) -> bool:
        """Whether the server answers "not modified" when nothing is."""
        return self.status == NOT_MODIFIED


class Items(Struct, frozen=True, kw_only=True):
    """What the items of a feed are like, and what a poll would do with them."""

    number: int = 0
    newest: datetime | None = None
    oldest: datetime | None = None
    with_date: int = 0
    with_title: int = 0
    with_text: int = 0
    with_guid: int = 0
    with_link: int = 0
    duplicates: int = 0
    """Of other items of the same feed."""
    without_identity: int = 0
    usual_seconds: float = 0.0
    """Median of the time between two items; 0: not to be told."""
    reach_seconds: float = 0.0
    """From the oldest to the newest."""
    flags: dict[str, int] = {}
    new: int = 0
    """Items that a poll now would publish for the first time."""
    changed: int = 0

    @property
    def poll_seconds(self) -> float:
        """How often a poll is worth it, between a minute and a day; 0: not to be told."""
        return min(max(self.usual_seconds, SHORTEST_POLL_SECONDS), LONGEST_WAIT_SECONDS) if self.usual_seconds else 0.0


class Problem(Struct, frozen=True):
    """What is wrong, and what to do about it."""

    what: str
    do: str


class Record(Struct, frozen=True, kw_only=True):
    """What is known of a feed that is polled already."""

    id: str
    health: str
    cause: str = ""
    last_polled: datetime | None = None
    next_due: datetime | None = None
    was_read: bool = False


class FeedCheck(Struct, frozen=True, kw_only=True):
    """What one feed is like now."""

    url: str
    cause: str = ""
    """Why it cannot be used; empty when it can."""
    trouble: Trouble = Trouble.NONE
    known: Record | None = None
    requests: int = 1
    sitemaps: int = 0
    """Of an index, read in its place at each poll."""
    status: int = 0
    """Of the answer; 0: there was none."""
    move: Move | None = None
    content_type: str = ""
    kind: str = ""
    """What the body is, whatever the content type says; empty: not to be told."""
    size_bytes: int = 0
    """Of the body, unpacked."""
    headers: dict[str, str] = {}
    conditional: Conditional = Conditional()
    fresh_seconds: float = 0.0
    """How long the server calls the answer fresh, as far as polls heed it."""
    retry_after_seconds: float | None = None
    wait_seconds: float | None = None
    """From such an answer to the next poll; None: there would be none."""
    title: str = ""
    site: str = ""
    language: str = ""
    hints: FeedHints = FeedHints()
    items: Items = Items()
    cut: bool = False
    """Whether there are more items than are read."""
    pages: PageNorm | None = None
    """What the outlet's last pages gave; None: none was read."""
    problems: tuple[Problem, ...] = ()

    @property
    def is_usable(self) -> bool:
        """Whether a poll could read it."""
        return not self.cause
