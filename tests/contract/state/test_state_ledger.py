"""The ledger: what polls brought, by feed and day, and the gaps between them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from msgspec.structs import replace

from pipeline.feed import Feed, FeedState
from pipeline.ports import Gap, PollResult, PollTally, State

NOW = datetime(2026, 3, 1, 23, 50, tzinfo=UTC)
DAY = timedelta(days=1)
FIRST = date(2026, 3, 1)


def save(state: State, *tallies: PollTally, at: datetime = NOW, feed_id: str = "f1") -> None:
    state.save_feeds([Feed(id=feed_id, url=f"https://{feed_id}.example/")])
    for tally in tallies:
        state.claim_due_feeds(at, 1, "ann", 60, only=[feed_id])
        polled = FeedState(last_polled=at, next_due=at + DAY)
        assert state.save_poll(PollResult(feed_id=feed_id, state=polled, tally=tally), "ann")


def test_the_polls_of_a_day_are_added_up(state: State) -> None:
    save(
        state,
        PollTally(seen=10, new=7, known=1, updated=1, dropped={"no_identity": 1}),
        PollTally(unchanged=True),
        PollTally(failed=True),
        PollTally(seen=12, new=2, known=8, dropped={"no_identity": 1, "other": 1}),
    )

    (day,) = state.poll_days(FIRST)

    assert (day.feed_id, day.day, day.polls, day.unchanged, day.failed) == ("f1", "2026-03-01", 4, 1, 1)
    assert (day.seen, day.new, day.known, day.updated, day.dropped) == (22, 9, 9, 1, 3)
    assert day.dropped_by == {"no_identity": 2, "other": 1}
    assert day.seen == day.new + day.known + day.updated + day.dropped


def test_a_poll_without_a_tally_leaves_no_line(state: State) -> None:
    state.save_feeds([Feed(id="f1", url="https://f1.example/")])
    state.claim_due_feeds(NOW, 1, "ann", 60)
    state.save_poll(PollResult(feed_id="f1", state=FeedState(last_polled=NOW)), "ann")

    assert state.poll_days(FIRST) == []


def test_days_are_those_of_utc_and_of_each_feed(state: State) -> None:
    save(state, PollTally(seen=1, new=1))
    save(state, PollTally(seen=2, new=2), at=NOW + timedelta(minutes=20))
    save(state, PollTally(seen=3, new=3), feed_id="f2")

    assert [(day.feed_id, day.day, day.new) for day in state.poll_days(FIRST)] == [
        ("f1", "2026-03-01", 1), ("f1", "2026-03-02", 2), ("f2", "2026-03-01", 3)
    ]  # fmt: skip
    assert [day.new for day in state.poll_days(date(2026, 3, 2), "f1")] == [2]


def test_several_feeds_saved_together_keep_their_own_lines(state: State) -> None:
    state.save_feeds([Feed(id=f"f{i}", url=f"https://f{i}.example/") for i in range(1, 4)])
    state.claim_due_feeds(NOW, 3, "ann", 60)
    reasons: list[dict[str, int]] = [{"a": 1}, {}, {"b": 2}]
    state.save_polls(
        [
            PollResult(feed_id=f"f{i + 1}", state=FeedState(last_polled=NOW), tally=PollTally(dropped=dropped))
            for i, dropped in enumerate(reasons)
        ],
        "ann",
    )

    assert [day.dropped_by for day in state.poll_days(FIRST)] == reasons


def test_a_gap_is_kept_with_what_filled_it(state: State) -> None:
    gap = Gap(began=NOW - DAY, ended=NOW, missed=30)
    save(state, PollTally(seen=5, new=5, overlap=0.0, gap=gap))

    (found,) = state.gaps(NOW - DAY, "f1")
    assert replace(found, id=0, feed_id="") == gap
    assert [(day.gaps, day.missed) for day in state.poll_days(FIRST)] == [(1, 30)]

    state.fill_gap(found.id, 12, "https://f1.example/news-sitemap.xml")

    (filled,) = state.gaps(NOW - DAY)
    assert (filled.filled, filled.filled_from) == (12, "https://f1.example/news-sitemap.xml")
    assert state.gaps(NOW + DAY) == []


def test_a_removed_feed_takes_its_lines_along(state: State) -> None:
    save(state, PollTally(gap=Gap(began=NOW - DAY, ended=NOW, missed=1)))

    state.remove_feed("f1")

    assert state.poll_days(FIRST) == []
    assert state.gaps(NOW - DAY) == []


def test_old_lines_are_forgotten(state: State) -> None:
    save(state, PollTally(gap=Gap(began=NOW - DAY, ended=NOW, missed=1)))
    save(state, PollTally(new=1, seen=1), at=NOW + DAY)

    assert state.forget_polls(NOW + DAY) == 2

    assert [day.day for day in state.poll_days(FIRST)] == ["2026-03-02"]
