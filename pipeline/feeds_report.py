"""Look at all feeds: the reading half of ``poll.health``, for commands and schedules."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from pipeline.feed import KnownFeed
from pipeline.identity import link_host
from pipeline.poll.health import FeedHealth, FeedsReport, health_of, report_of
from pipeline.poll.rhythm import expected_items
from pipeline.ports import State


def with_health(feeds: Iterable[KnownFeed], now: datetime) -> Iterator[tuple[KnownFeed, FeedHealth]]:
    """Yield each feed with how it is."""
    for known in feeds:
        since = known.state.last_new
        expected = expected_items(known.state.rhythm, since, now) if since is not None else 0.0
        keeps_host = bool(known.feed.access) and link_host(known.state.moved_to) != link_host(known.feed.url)
        yield known, health_of(known.state, now, expected=expected, keeps_host=keeps_host)


def look_at_feeds(state: State, now: datetime, *, days: int, most: int = 1_000) -> FeedsReport:
    """Return how all feeds are, and what the polls of the last ``days`` days, today among them, brought.

    Raises:
        TryLater: the state cannot be reached.
    """
    since = now - timedelta(days=days - 1)
    found = with_health(state.feeds(), now)
    return report_of(found, state.poll_days(since.date()), state.gaps(now - timedelta(days=days)), most=most)
