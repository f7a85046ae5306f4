"""How a feed is, in one word and the reason for it: from its state alone, so that anybody can say it at any time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum

from msgspec import Struct

from pipeline.feed import FeedState, FeedStatus, KnownFeed, Oddity
from pipeline.identity import link_host
from pipeline.poll.decide import MOVED_FOR
from pipeline.ports import Gap, PollDay

STALE_AFTER = timedelta(days=90)
"""A feed whose rhythm is not known yet is stale when it has brought nothing for so long."""
SILENT_FROM = 12.0
"""Items that should have come and did not. At a steady rate that happens once in 160,000 such spans (Poisson); news
come in bursts, so it happens more often, and still seldom enough to be worth a look."""
ODD: Mapping[Oddity, str] = {
    "guids_change": "its guids change at every fetch; items are known by their links",
    "links_change": "its links change at every fetch; items are known by their guids",
    "guids_reused": "it uses one guid for several links; each link is an article",
    "no_link_no_guid": "it has items without link and guid; an edit makes each a new article",
}
SILENT_AT_LEAST = timedelta(hours=6)


class Health(StrEnum):
    """How a feed is. The first that is true, in this order."""

    PAUSED = "paused"  # by a person
    GONE = "gone"  # 410; no more polls until a person resumes it
    FAILING = "failing"  # the last poll brought nothing usable
    NEW = "new"  # never polled
    MOVED = "moved"  # answers, and says for good that it is elsewhere; adopted after 7 days
    EMPTY = "empty"  # a feed without items
    STALE = "stale"  # answers, and has brought nothing new for longer than it ever should
    OK = "ok"


class FeedHealth(Struct, frozen=True):
    """How one feed is, and why."""

    health: Health
    cause: str = ""
    """In words, with what follows; empty when there is nothing to say."""

    @property
    def is_well(self) -> bool:
        """Whether nobody need look at it."""
        return self.health in {Health.OK, Health.NEW, Health.PAUSED}


def health_of(state: FeedState, now: datetime, *, expected: float = 0.0, keeps_host: bool = False) -> FeedHealth:
    """Return how a feed is. ``expected`` is how many items were to be expected since it last brought one.

    ``keeps_host``: it is asked with credentials, which are not taken to another host.
    """
    if state.paused:
        return FeedHealth(Health.PAUSED)
    match state.status:
        case FeedStatus.NEW:
            found = FeedHealth(Health.NEW)
        case FeedStatus.GONE:
            cause = f"{state.cause}; not polled any more, `feeds pause --resume` does it again"
            found = FeedHealth(Health.GONE, cause)
        case FeedStatus.FAILED:
            found = FeedHealth(Health.FAILING, _failing(state))
        case FeedStatus.EMPTY:
            found = _moved(state, keeps_host) or FeedHealth(Health.EMPTY, "a feed without items")
        case FeedStatus.OK:
            odd = "; ".join(ODD[oddity] for oddity in state.hints.oddities)
            found = _moved(state, keeps_host) or _stale(state, now, expected) or FeedHealth(Health.OK, odd)
    return found


def _moved(state: FeedState, keeps_host: bool) -> FeedHealth | None:
    if state.moved_since is None:
        return None
    # Not the address, which may hold a key: this goes into logs.
    where = f"leads for good to another address, of {link_host(state.moved_to)}"
    if keeps_host:
        return FeedHealth(Health.MOVED, f"{where}; credentials are not taken along, so add it there yourself")
    return FeedHealth(Health.MOVED, f"{where}; polled there from {state.moved_since + MOVED_FOR:%Y-%m-%d} on")


def _failing(state: FeedState) -> str:
    times = f"{state.failures} times in a row" if state.failures > 1 else "once"
    since = f", last well {state.last_ok:%Y-%m-%d %H:%M}" if state.last_ok else ", never well"
    return f"{state.cause} ({times}{since})"


def _stale(state: FeedState, now: datetime, expected: float) -> FeedHealth | None:
    if state.last_new is None:
        return None
    quiet = now - state.last_new
    if expected >= SILENT_FROM and quiet >= SILENT_AT_LEAST:
        cause = f"nothing new since {state.last_new:%Y-%m-%d %H:%M}, where about {expected:.0f} items were expected"
        return FeedHealth(Health.STALE, cause)
    if quiet >= STALE_AFTER:
        return FeedHealth(Health.STALE, f"nothing new since {state.last_new:%Y-%m-%d}")
    return None


class UnwellFeed(Struct, frozen=True, kw_only=True):
    """One feed that somebody should look at. By title and id: its address may hold a key."""

    id: str
    title: str
    health: Health
    cause: str


class FeedsReport(Struct, frozen=True, kw_only=True):
    """How all feeds are, and what the polls since a day brought and missed."""

    by_health: Mapping[str, int]
    polls: int
    failed: int
    seen: int
    new: int
    updated: int
    known: int
    dropped: Mapping[str, int]
    """By reason."""
    gaps: int
    missed: int
    """Items that the gaps are reckoned to have cost."""
    filled: int
    """Of those, found elsewhere since."""
    unwell: Sequence[UnwellFeed]
    unwell_left_out: int = 0
    """How many more there are than are listed."""


def report_of(
    feeds: Iterable[tuple[KnownFeed, FeedHealth]], days: Iterable[PollDay], gaps: Sequence[Gap], *, most: int = 1_000
) -> FeedsReport:
    """Return the report of these feeds; at most ``most`` of those unwell are named, the worst health first."""
    by_health: Counter[str] = Counter()
    unwell: list[UnwellFeed] = []
    for known, found in feeds:
        by_health[found.health.value] += 1
        if not found.is_well:
            title = known.feed.title or known.feed.outlet or link_host(known.feed.url)
            unwell.append(UnwellFeed(id=known.feed.id, title=title, health=found.health, cause=found.cause))
    order = list(Health)
    unwell.sort(key=lambda one: (order.index(one.health), one.title))
    sums: Counter[str] = Counter()
    dropped: Counter[str] = Counter()
    for day in days:
        sums.update({name: getattr(day, name) for name in ("polls", "failed", "seen", "new", "updated", "known")})
        dropped.update(day.dropped_by)
    return FeedsReport(
        by_health=dict(by_health), polls=sums["polls"], failed=sums["failed"], seen=sums["seen"], new=sums["new"],
        updated=sums["updated"], known=sums["known"], dropped=dict(dropped), gaps=len(gaps),
        missed=sum(gap.missed for gap in gaps), filled=sum(min(gap.filled, gap.missed) for gap in gaps),
        unwell=unwell[:most], unwell_left_out=max(0, len(unwell) - most),
    )  # fmt: skip
