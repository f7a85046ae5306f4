"""How many feeds may be claimed, and how many polls there are to spend."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from msgspec.structs import replace

from pipeline.feed import KnownFeed
from pipeline.poll.decide import Budget
from pipeline.ports import Clock, Feeds

CONCURRENT = 128
"""Feeds under way at once, each of another host."""
REFILL = 32
"""Feeds are claimed when so many may be, so that a claim, which is a transaction, is worth its while."""
PACE_LOOK = timedelta(minutes=1)


class Spending:
    """The budget of polls, by what all feeds ask for now."""

    def __init__(self, state: Feeds, clock: Clock, polls_per_feed_hour: float) -> None:
        self._state, self._clock = state, clock
        self._looked_at: datetime | None = None
        self._budget = Budget(polls_per_feed_hour=polls_per_feed_hour)

    def budget(self) -> Budget:
        """Return it; the mean is over all feeds, and a minute old at most."""
        now = self._clock()
        if self._looked_at is None or abs(now - self._looked_at) >= PACE_LOOK:
            self._looked_at = now
            if mean := self._state.feed_numbers(now).mean_pace:
                self._budget = replace(self._budget, mean_pace=mean)
        return self._budget


class Quota:
    """How many feeds may still be claimed, and which; ``None`` for no limit and for all."""

    def __init__(self, limit: int | None, only: Collection[str] | None) -> None:
        self._left = limit
        self.only = None if only is None else set(only)

    @property
    def is_open(self) -> bool:
        return (self._left is None or self._left > 0) and (self.only is None or bool(self.only))

    def room(self, under_way: int) -> int:
        """Return how many are to be claimed now, with so many under way."""
        room = CONCURRENT - under_way if self._left is None else min(CONCURRENT - under_way, self._left)
        return room if self.is_open and (room >= REFILL or not under_way) else 0

    def take(self, claimed: Sequence[KnownFeed]) -> None:
        """Note what was claimed: nothing is polled twice for having been named once."""
        if self._left is not None:
            self._left -= len(claimed)
        if self.only is not None:
            self.only -= {known.feed.id for known in claimed}


class Renewal:
    """Keeps the claims of what is under way: a feed that is slow, or waits to be read, is not lost."""

    def __init__(self, state: Feeds, clock: Clock, holder: str, lease_seconds: float) -> None:
        self._state, self._clock = state, clock
        self._holder, self._lease_seconds = holder, lease_seconds
        self._renewed_at = clock()

    def go_on(self, feed_ids: Collection[str]) -> None:
        """Renew them when a third of the lease is over."""
        now = self._clock()
        if feed_ids and abs((now - self._renewed_at).total_seconds()) >= self._lease_seconds / 3:
            self._state.renew_claims(feed_ids, now, self._holder, self._lease_seconds)
            self._renewed_at = now
