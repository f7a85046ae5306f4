"""How a feed is, and why."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from pipeline.feed import Feed, FeedState, FeedStatus, KnownFeed
from pipeline.poll.health import FeedHealth, Health, health_of, report_of
from pipeline.ports import Gap, PollDay

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
WELL = FeedState(status=FeedStatus.OK, items=30, last_polled=NOW, last_ok=NOW, last_new=NOW - HOUR)


def test_a_feed_that_brings_news_is_well_and_there_is_nothing_to_say() -> None:
    assert health_of(WELL, NOW) == FeedHealth(Health.OK)
    assert health_of(FeedState(), NOW) == FeedHealth(Health.NEW)


def test_a_failing_feed_says_why_how_often_and_since_when() -> None:
    failing = replace(WELL, status=FeedStatus.FAILED, cause="DNS: no such name a.example", failures=4)

    assert health_of(failing, NOW).health is Health.FAILING
    assert health_of(failing, NOW).cause == (
        "DNS: no such name a.example (4 times in a row, last well 2026-03-01 12:00)"
    )
    never = FeedState(status=FeedStatus.FAILED, cause="HTTP 403", failures=1)
    assert health_of(never, NOW).cause == "HTTP 403 (once, never well)"


@pytest.mark.parametrize(
    ("state", "health", "words"),
    [
        (replace(WELL, paused=True, status=FeedStatus.FAILED), Health.PAUSED, ""),
        (replace(WELL, status=FeedStatus.GONE, cause="HTTP 410 Gone"), Health.GONE, "HTTP 410 Gone; not polled"),
        (replace(WELL, moved_to="https://b.example/", moved_since=NOW - 24 * HOUR), Health.MOVED, "from 2026-03-07 on"),
        (replace(WELL, moved_to="https://b.example/"), Health.OK, ""),
        (replace(WELL, status=FeedStatus.EMPTY, items=0), Health.EMPTY, "without items"),
        (replace(WELL, last_new=NOW - timedelta(days=91)), Health.STALE, "nothing new since 2025-11-30"),
        (replace(WELL, last_new=NOW - timedelta(days=89)), Health.OK, ""),
    ],
)
def test_each_health_has_its_words(state: FeedState, health: Health, words: str) -> None:
    found = health_of(state, NOW)

    assert found.health is health
    assert words in found.cause


def test_a_feed_with_credentials_that_moves_to_another_host_is_for_a_person_to_follow() -> None:
    moved = replace(WELL, moved_to="https://b.example/", moved_since=NOW)

    assert "credentials are not taken along" in health_of(moved, NOW, keeps_host=True).cause


def test_a_source_is_silent_by_its_own_rhythm() -> None:
    quiet = replace(WELL, last_new=NOW - 8 * HOUR)

    assert health_of(quiet, NOW, expected=11.9).health is Health.OK
    silent = health_of(quiet, NOW, expected=40.2)
    assert silent == FeedHealth(Health.STALE, "nothing new since 2026-03-01 04:00, where about 40 items were expected")
    assert health_of(replace(WELL, last_new=NOW - 5 * HOUR), NOW, expected=400).health is Health.OK


def why(health: Health) -> FeedHealth:
    return FeedHealth(health, "why")


def test_the_report_names_who_is_unwell_the_worst_first_and_adds_the_ledger_up() -> None:
    feeds = [
        (KnownFeed(feed=Feed(id=ident, url=f"https://{ident}.example/k", title=title), state=FeedState()), why(health))
        for ident, title, health in [
            ("a", "A", Health.STALE), ("b", "B", Health.OK), ("c", "", Health.FAILING), ("d", "D", Health.GONE)
        ]
    ]  # fmt: skip
    day = PollDay(
        feed_id="a", day="2026-03-01", polls=5, unchanged=3, failed=1, seen=10, new=4, known=4, updated=1, dropped=1,
        gaps=1, missed=7, dropped_by={"no_identity": 1},
    )  # fmt: skip
    gap = Gap(began=NOW - HOUR, ended=NOW, missed=7, filled=9)

    report = report_of(feeds, [day, replace(day, feed_id="b")], [gap], most=2)

    assert [(one.id, one.title, one.health) for one in report.unwell] == [
        ("d", "D", Health.GONE), ("c", "c.example", Health.FAILING)
    ]  # fmt: skip
    assert (report.unwell_left_out, report.by_health) == (1, {"stale": 1, "ok": 1, "failing": 1, "gone": 1})
    assert (report.polls, report.seen, report.new, report.dropped) == (10, 20, 8, {"no_identity": 2})
    assert (report.gaps, report.missed, report.filled) == (1, 7, 7)
