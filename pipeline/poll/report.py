"""How polls went, for the person who watches."""

from __future__ import annotations

from msgspec import Struct, field

from pipeline.feed import Feed, FeedState, FeedStatus
from pipeline.identity import link_host
from pipeline.outcomes import Status
from pipeline.ports import PollTally


class FeedReport(Struct, frozen=True, kw_only=True):
    """How the poll of one feed went."""

    feed: Feed
    state: FeedState
    """As it was to be saved."""
    saved: bool = True
    """False: the claim had gone to another process meanwhile, which polls the feed itself."""
    unchanged: bool = False
    unpublished: bool = False
    """The feed is well; the broker did not take what it brought, so all of it will be polled again soon."""
    counts: dict[tuple[str, str], int] = {}
    """Entries by outcome and reason."""
    tally: PollTally | None = None
    new_url: str = ""
    """Where it is polled from now on, when it has moved for good."""

    @property
    def cause(self) -> str:
        """Why the poll failed; empty when it did not."""
        return self.state.cause

    def number(self, status: Status) -> int:
        """Return how many entries ended in ``status``."""
        return sum(number for (name, _), number in self.counts.items() if name == status.value)

    def __str__(self) -> str:
        name = self.feed.title or link_host(self.feed.url)
        if self.state.status is FeedStatus.GONE:
            return f"{name}: gone: {self.cause}; not polled any more, `wirewatch feeds pause --resume` does it again"
        if self.cause:
            due = self.state.next_due
            return f"{name}: failed: {self.cause}" + (f"; next try {due:%Y-%m-%d %H:%M:%S} UTC" if due else "")
        if self.unchanged:
            return f"{name}: unchanged"
        return (
            f"{name}: {self.number(Status.PUBLISHED)} new, {self.number(Status.UPDATED)} changed of {self.state.items}"
        )


class PollReport(Struct, kw_only=True):
    """How one batch of polls went."""

    results: list[FeedReport] = field(default_factory=list)

    @property
    def polled(self) -> int:
        """Feeds that were claimed and asked."""
        return len(self.results)

    @property
    def unchanged(self) -> int:
        return sum(result.unchanged for result in self.results)

    @property
    def failed(self) -> int:
        return sum(bool(result.cause) for result in self.results)

    @property
    def unpublished(self) -> int:
        return sum(result.unpublished for result in self.results)

    @property
    def lost_claims(self) -> int:
        return sum(not result.saved for result in self.results)

    def gaps(self) -> list[str]:
        """Return the ids of the feeds of which something may have been missed."""
        return [one.feed.id for one in self.results if one.saved and one.tally and one.tally.gap]

    def number(self, status: Status) -> int:
        """Return how many entries of all feeds ended in ``status``."""
        return sum(result.number(status) for result in self.results)
