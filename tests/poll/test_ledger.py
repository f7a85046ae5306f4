"""Whether something was missed between two polls, and how much."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from pipeline.feed import FeedState
from pipeline.poll.entry import Entry
from pipeline.poll.ledger import MOST_MISSED, gap_before

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
BEFORE = FeedState(last_ok=NOW - 24 * HOUR, last_polled=NOW - 24 * HOUR, items=10)


def shown(*hours_ago: float) -> list[Entry]:
    return [Entry(title="T", published=NOW - hours * HOUR) for hours in hours_ago]


def test_what_came_between_is_reckoned_by_the_density_of_what_is_shown() -> None:
    gap = gap_before(shown(0, 1, 2, 3, 4), BEFORE, NOW)

    assert gap is not None
    assert (gap.began, gap.ended, gap.missed) == (BEFORE.last_ok, NOW, 20)


def test_a_list_that_reaches_back_beyond_the_last_poll_has_missed_nothing() -> None:
    assert gap_before(shown(1, 25), BEFORE, NOW) is None
    assert gap_before(shown(1, 24), BEFORE, NOW) is None


def test_without_dates_or_with_one_at_least_one_was_missed() -> None:
    for entries in ([Entry(title="T")], shown(1), shown(1, 1)):
        gap = gap_before(entries, BEFORE, NOW)
        assert gap is not None
        assert gap.missed == 1


def test_a_guess_has_an_end_and_dates_of_the_future_count_for_nothing() -> None:
    gap = gap_before([*shown(0, 0.0001, 0.0002), *shown(-1e5)], BEFORE, NOW)

    assert gap is not None
    assert gap.missed == MOST_MISSED


def test_a_feed_that_was_never_read_has_no_gap() -> None:
    assert gap_before(shown(1), FeedState(), NOW) is None
