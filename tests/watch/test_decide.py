"""What is a problem, and whom is told when: values in, notices out, no clock but the one given."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from pipeline.notice import Notice
from pipeline.watch.decide import DeliveriesSeen, PollingSeen, Remembered, Seen, StepSeen, Thresholds, decide

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
LIMITS = Thresholds()
WELL = Seen()


class Watching:
    """Looks one after the other; ``after(minutes, seen)`` returns what people are told then."""

    def __init__(self) -> None:
        self.now = START
        self.remembered = Remembered()

    def after(self, minutes: float, seen: Seen) -> list[Notice]:
        self.now += timedelta(minutes=minutes)
        notices, self.remembered = decide(seen, LIMITS, self.now, self.remembered)
        return list(notices)

    def changes(self, minutes: float, seen: Seen) -> list[tuple[str, str, str]]:
        return [(told.problem.kind, told.problem.subject, told.change) for told in self.after(minutes, seen)]


def waiting(step: str = "index", *, committed: int = 5, lag: int = 3, oldest_minutes: float | None = None) -> Seen:
    oldest = START - timedelta(minutes=oldest_minutes) if oldest_minutes is not None else None
    return Seen(steps=[StepSeen(step=step, lag=lag, committed=committed, oldest=oldest)])


@pytest.fixture
def watching() -> Watching:
    return Watching()


def test_nothing_is_said_while_all_is_well(watching: Watching) -> None:
    assert not any(watching.after(60, WELL) for _ in range(10))


@pytest.mark.parametrize("step", ["enrich", "settle", "index", "alert"])
def test_a_step_that_has_work_and_does_none_is_told_once_and_its_end_once(watching: Watching, step: str) -> None:
    assert watching.after(0, waiting(step)) == []
    assert watching.after(9, waiting(step)) == []
    assert watching.changes(1, waiting(step, lag=90)) == [("step stopped", step, "began")]
    assert watching.after(1, waiting(step)) == []
    assert watching.changes(1, waiting(step, committed=6)) == [("step stopped", step, "ended")]
    assert watching.after(1, waiting(step, committed=6)) == []


def test_a_step_that_moves_however_slowly_has_not_stopped(watching: Watching) -> None:
    assert not any(watching.after(9, waiting(committed=n)) for n in range(20))


def test_a_step_without_work_has_not_stopped(watching: Watching) -> None:
    assert not any(watching.after(60, waiting(lag=0)) for _ in range(5))


def test_work_that_comes_after_an_idle_night_does_not_count_the_night(watching: Watching) -> None:
    watching.after(0, waiting(lag=0))
    watching.after(600, waiting(lag=0))
    assert watching.after(1, waiting(lag=3)) == []


def test_a_problem_that_goes_on_is_repeated_every_six_hours(watching: Watching) -> None:
    watching.after(0, waiting())
    told = [notice.change for _ in range(13 * 6) for notice in watching.after(10, waiting())]
    assert told == ["began", "continues", "continues"]


def test_every_change_has_an_id_of_its_own_and_says_since_when(watching: Watching) -> None:
    watching.after(0, waiting())
    notices = [*watching.after(10, waiting()), *watching.after(360, waiting()), *watching.after(1, WELL)]
    assert [notice.change for notice in notices] == ["began", "continues", "ended"]
    assert len({notice.id for notice in notices}) == 3
    assert {notice.began for notice in notices} == {START}


def test_a_record_too_old_is_a_problem_though_the_step_moves(watching: Watching) -> None:
    assert watching.after(0, waiting(oldest_minutes=29)) == []
    assert watching.changes(0, waiting(committed=6, oldest_minutes=30)) == [("step behind", "index", "began")]
    assert watching.changes(0, waiting(committed=7)) == [("step behind", "index", "ended")]


def test_polling_has_stopped_when_feeds_are_due_and_no_poll_ends(watching: Watching) -> None:
    due = Seen(polling=PollingSeen(due=2, due_since=START, last=START))
    assert watching.after(0, due) == []
    assert watching.changes(10, due) == [("polling stopped", "poll", "began")]
    polled = PollingSeen(due=1, due_since=START, last=START + timedelta(minutes=10))
    assert watching.changes(1, Seen(polling=polled)) == [("polling stopped", "poll", "ended")]


def test_feeds_that_were_never_polled_are_due_as_well(watching: Watching) -> None:
    watching.after(0, Seen(polling=PollingSeen(due=1)))
    assert watching.changes(10, Seen(polling=PollingSeen(due=1))) == [("polling stopped", "poll", "began")]


def test_polling_that_has_nothing_due_has_not_stopped(watching: Watching) -> None:
    assert not any(watching.after(60, Seen(polling=PollingSeen(due=0, last=START))) for _ in range(5))


def test_a_machine_that_slept_is_given_time_to_catch_up(watching: Watching) -> None:
    watching.after(0, Seen(polling=PollingSeen(due=0, last=START)))
    assert watching.after(8 * 60, Seen(polling=PollingSeen(due=9, due_since=START, last=START))) == []


def test_alerts_that_no_channel_takes_are_a_problem(watching: Watching) -> None:
    stuck = Seen(deliveries=DeliveriesSeen(waiting=4, done=7))
    watching.after(0, stuck)
    assert watching.changes(10, stuck) == [("delivery stopped", "deliver", "began")]
    assert watching.changes(1, Seen(deliveries=DeliveriesSeen(waiting=3, done=8)))[0][2] == "ended"


def test_a_step_may_hold_its_work_for_a_moment_and_not_for_long(watching: Watching) -> None:
    held = Seen(held={"index": "disk full"})
    assert watching.after(0, held) == []
    assert watching.after(1, WELL) == []
    assert watching.after(1, held) == []
    (notice,) = watching.after(2, held)
    assert str(notice) == "step held began: index: disk full"


def test_a_silent_step_and_a_full_disk_are_told_at_once(watching: Watching) -> None:
    seen = Seen(silent={"settle": 130.0}, disk="/data", disk_used=0.9)
    assert watching.changes(0, seen) == [("step silent", "settle", "began"), ("disk filling", "/data", "began")]
    assert watching.after(0, replace(WELL, disk="/data", disk_used=0.899))[1].change == "ended"


def test_what_cannot_be_looked_at_is_a_problem_and_ends_none(watching: Watching) -> None:
    watching.after(0, waiting())
    watching.after(10, waiting())
    away = Seen(steps=None, unseen={"broker": "no connection"})
    assert watching.after(1, away) == []
    assert watching.changes(2, away) == [("cannot look", "broker", "began")]
    assert watching.changes(1, waiting()) == [("cannot look", "broker", "ended")]
    assert watching.changes(1, waiting(committed=9)) == [("step stopped", "index", "ended")]


def test_a_part_that_is_away_for_a_moment_does_not_start_the_count_anew(watching: Watching) -> None:
    watching.after(0, waiting())
    watching.after(5, Seen(steps=None, unseen={"broker": "busy"}))
    assert watching.changes(5, waiting()) == [("step stopped", "index", "began")]


def test_a_clock_that_is_set_back_neither_tells_nor_forgets(watching: Watching) -> None:
    watching.after(0, waiting())
    watching.after(10, waiting())
    assert watching.after(-600, waiting()) == []
    assert watching.changes(11, waiting(committed=6)) == [("step stopped", "index", "ended")]


def test_one_look_judges_what_one_look_can_show() -> None:
    polling = PollingSeen(due=1, due_since=START - timedelta(minutes=11), last=START - timedelta(minutes=60))
    seen = replace(waiting(oldest_minutes=31), polling=polling)
    _, found = decide(seen, LIMITS, START, Remembered(), at_once=True)
    assert [problem.kind for problem in found.problems] == ["step behind", "polling stopped"]
    recent = replace(polling, last=START - timedelta(minutes=9))
    _, found = decide(Seen(polling=recent), LIMITS, START, Remembered(), at_once=True)
    assert found.problems == []


@given(st.lists(st.tuples(st.integers(-5, 30), st.integers(0, 2), st.booleans(), st.booleans()), max_size=30))
def test_notices_of_a_problem_alternate_between_its_beginning_and_its_end(
    looks: list[tuple[int, int, bool, bool]],
) -> None:
    watching, going_on = Watching(), set[tuple[str, str]]()
    for minutes, committed, is_held, is_away in looks:
        seen = waiting(committed=committed) if not is_away else Seen(steps=None, unseen={"broker": "away"})
        for notice in watching.after(minutes, replace(seen, held={"index": "why"} if is_held else {})):
            assert (notice.problem.key in going_on) is (notice.change != "began")
            (going_on.discard if notice.change == "ended" else going_on.add)(notice.problem.key)
        assert {problem.key for problem in watching.remembered.problems} == going_on
