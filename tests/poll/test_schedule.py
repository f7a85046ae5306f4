"""When a feed is polled next, whatever its polls have taught and whatever it says of itself."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from pipeline.feed import FeedHints, Rhythm
from pipeline.poll.rhythm import expected_items, learned, pace_of
from pipeline.poll.schedule import next_poll

MONDAY = datetime(2026, 3, 2, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)

any_number = st.floats(allow_nan=True, allow_infinity=True) | st.sampled_from([0.0, -1.0, 1e300, 1e-300])
any_time = st.integers(0, 80_000).map(lambda days: datetime(1971, 1, 2, 3, 4, tzinfo=UTC) + timedelta(days=days))
any_hints = st.builds(
    FeedHints,
    ttl_seconds=st.integers(-10, 10**9),
    skip_hours=st.lists(st.integers(0, 23), max_size=24).map(tuple),
    skip_days=st.lists(st.integers(0, 6), max_size=7).map(tuple),
)
polls = st.tuples(
    st.floats(-7_200, 200_000),  # seconds since the poll before; the clock may be set back
    st.integers(0, 200),
    st.sampled_from([None, 0.0, 0.3, 0.9, 1.0]),
)
histories = st.lists(polls, max_size=60)


def rhythm_after(history: list[tuple[float, int, float | None]], start: datetime = MONDAY) -> tuple[Rhythm, datetime]:
    rhythm, previous, now = Rhythm(), None, start
    for seconds, new, overlap in history:
        now += timedelta(seconds=seconds)
        rhythm = learned(rhythm, previous=previous, now=now, new=new, shown=max(new, 30), overlap=overlap)
        previous = now
    return rhythm, now


def taught(items: dict[int, int] | None = None, *, days: int = 28, per_day: int = 24) -> tuple[Rhythm, datetime]:
    """Polled evenly; ``items`` says how many come in each hour of the day (one in each, when not given)."""
    items = dict.fromkeys(range(24), 1) if items is None else items
    rhythm, previous, step = Rhythm(), None, DAY / per_day
    for number in range(days * per_day + 1):
        now = MONDAY + number * step
        hour = (now - MINUTE).hour
        new = items.get(hour, 0) if now.minute == 0 else 0
        rhythm = learned(rhythm, previous=previous, now=now, new=new, shown=30, overlap=0.9 if new else None)
        previous = now
    return rhythm, MONDAY + days * DAY


def due_after(rhythm: Rhythm, now: datetime, **given: object) -> timedelta:
    usual: dict[str, object] = {
        "mean_pace": 1.0, "polls_per_feed_hour": 4.0, "shown": 30, "hints": FeedHints(), "fresh_seconds": 0.0,
        "feed_id": "a",
    }  # fmt: skip
    return next_poll(rhythm, now, **(usual | given)) - now  # type: ignore[arg-type]


what_is_asked = st.fixed_dictionaries({
    "mean_pace": any_number, "polls_per_feed_hour": any_number, "shown": st.integers(-5, 10**9), "hints": any_hints,
    "fresh_seconds": any_number, "feed_id": st.text(max_size=9),
})  # fmt: skip


@given(histories, what_is_asked)
def test_a_feed_is_polled_from_a_minute_to_a_day_from_now_whatever_it_did(
    history: list[tuple[float, int, float | None]], asked: dict[str, object]
) -> None:
    rhythm, now = rhythm_after(history)

    assert MINUTE <= due_after(rhythm, now, **asked) <= DAY


numbers = st.lists(any_number, max_size=30).map(tuple)
broken_rhythms = st.builds(
    Rhythm, hour=st.integers(-(10**12), 10**12), hours_seen=st.integers(-(10**12), 10**12), this_hour=any_number,
    today=any_number, by_hour=numbers | st.tuples(*[any_number] * 24), by_day=numbers | st.tuples(*[any_number] * 7),
    by_minute=numbers | st.tuples(*[any_number] * 12), quick_new=any_number, quick_expected=any_number,
    slow_new=any_number, slow_expected=any_number, squeeze=any_number,
)  # fmt: skip


@given(broken_rhythms, any_time, polls)
def test_numbers_that_make_no_sense_are_forgotten(
    rhythm: Rhythm, now: datetime, poll: tuple[float, int, float | None]
) -> None:
    seconds, new, overlap = poll
    before = now - timedelta(seconds=seconds)

    assert MINUTE <= due_after(rhythm, now) <= DAY
    assert expected_items(rhythm, before, now) >= 0
    assert 0 < pace_of(rhythm) < 1_000
    after = learned(rhythm, previous=before, now=now, new=new, shown=30, overlap=overlap)
    assert MINUTE <= due_after(after, now) <= DAY


@given(histories, any_time)
def test_a_rhythm_stays_small_and_can_be_reckoned_with_whatever_came(
    history: list[tuple[float, int, float | None]], start: datetime
) -> None:
    rhythm, _now = rhythm_after(history, start)

    stored = msgspec.json.encode(rhythm)
    assert len(stored) < 600
    assert msgspec.json.decode(stored, type=Rhythm) == rhythm
    assert 0 < pace_of(rhythm) < 1_000


def test_a_rhythm_stays_small_after_a_year_of_a_feed_that_knows_no_measure() -> None:
    dice = Random(1)
    history = [(dice.uniform(60, 9_000), dice.choice([0, 3, 10**6]), None) for _ in range(3_000)]
    rhythm, previous, now = Rhythm(), None, MONDAY
    for seconds, new, _ in history:
        now += timedelta(seconds=seconds)
        rhythm = learned(rhythm, previous=previous, now=now, new=new, shown=10**6, overlap=0.5)
        previous = now
        assert len(msgspec.json.encode(rhythm)) < 600
        assert sum(rhythm.by_minute) < 401  # else the minutes of old would be kept for ever


def test_a_rhythm_of_the_longest_numbers_is_small() -> None:
    """None is longer than the rounding and the limits let it be."""
    longest = Rhythm(
        hour=9_999_999, hours_seen=9_999, this_hour=14_999.999, today=239_999.999, by_hour=(9_999.999,) * 24,
        by_day=(0.123,) * 7, by_minute=(400.12,) * 12, quick_new=9_999_999.99, quick_expected=9_999_999.99,
        slow_new=9_999_999.99, slow_expected=9_999_999.99, squeeze=0.125,
    )  # fmt: skip

    assert len(msgspec.json.encode(longest)) < 600


def test_a_new_feed_is_not_silent_for_being_quiet() -> None:
    for days in range(1, 60, 3):
        rhythm, now = taught({}, days=days)
        assert expected_items(rhythm, MONDAY, now) < 6


@given(histories)
def test_the_same_polls_teach_the_same(history: list[tuple[float, int, float | None]]) -> None:
    rhythm, now = rhythm_after(history)

    assert rhythm_after(history) == (rhythm, now)
    assert due_after(rhythm, now) == due_after(rhythm, now)


@given(st.floats(1.0, 50.0), st.integers(0, 23))
def test_a_feed_with_more_arrivals_is_never_polled_later(factor: float, hour: int) -> None:
    rhythm, now = taught({7: 8, 8: 4, 12: 2, 18: 1}, days=9)
    busier = replace(rhythm, by_hour=tuple(rate * factor for rate in rhythm.by_hour))
    now += hour * HOUR

    assert due_after(busier, now) <= due_after(rhythm, now) + timedelta(seconds=1)


@given(st.lists(st.integers(0, 6), min_size=30, max_size=90), st.integers(1, 20))
def test_a_poll_that_brings_more_is_never_followed_by_a_later_one_whatever_the_minutes(
    history: list[int], more: int
) -> None:
    rhythm, now = rhythm_after([(900.0, new, 0.9) for new in history])
    then = now + 15 * MINUTE

    few, many = (
        replace(
            learned(rhythm, previous=now, now=then, new=new, shown=40, overlap=0.9),
            by_minute=(0.0,) * 12,  # more at one minute is less at the others
        )
        for new in (history[-1], history[-1] + more)
    )
    assert due_after(many, then) <= due_after(few, then) + timedelta(seconds=1)


def test_a_feed_is_polled_by_the_hours_in_which_it_publishes() -> None:
    rhythm, midnight = taught({7: 12, 8: 12, 9: 6})

    by_day, by_night = due_after(rhythm, midnight + 8 * HOUR), due_after(rhythm, midnight + 14 * HOUR)
    assert by_night > 4 * by_day


def test_a_day_without_news_is_known_after_some_weeks() -> None:
    rhythm, previous, now = Rhythm(), None, MONDAY
    while now <= MONDAY + 28 * DAY:
        new = 3 if now.weekday() < 5 and 8 <= now.hour < 18 else 0
        rhythm = learned(rhythm, previous=previous, now=now, new=new, shown=30, overlap=0.9 if new else None)
        previous, now = now, now + HOUR

    friday, sunday = MONDAY + 25 * DAY, MONDAY + 27 * DAY
    assert expected_items(rhythm, sunday, sunday + DAY) < 0.3 * expected_items(rhythm, friday, friday + DAY)
    assert expected_items(rhythm, friday, friday + DAY) == pytest.approx(30, rel=0.3)


def test_items_that_come_at_one_minute_are_polled_just_after_it() -> None:
    rhythm, previous, now = Rhythm(), None, MONDAY
    dice = Random(3)
    while now < MONDAY + 14 * DAY:
        new = 4 if previous is not None and (now - 31 * MINUTE).hour != (previous - 31 * MINUTE).hour else 0
        rhythm = learned(rhythm, previous=previous, now=now, new=new, shown=30, overlap=0.9 if new else None)
        previous, now = now, now + timedelta(minutes=dice.uniform(10, 30))

    ten_past = MONDAY + 14 * DAY + 10 * MINUTE
    due = ten_past + due_after(rhythm, ten_past, polls_per_feed_hour=1.0)
    assert 31 <= due.minute <= 40


def test_a_feed_that_comes_alive_is_polled_more_often_within_a_day() -> None:
    quiet, now = taught({}, days=20)
    history = [(3_600.0, 4, 0.9)] * 12
    alive, then, previous = quiet, now, now
    for seconds, new, overlap in history:
        then += timedelta(seconds=seconds)
        alive = learned(alive, previous=previous, now=then, new=new, shown=30, overlap=overlap)
        previous = then

    assert due_after(alive, then) < due_after(quiet, now) / 4
    assert due_after(quiet, now) > 1.5 * HOUR


def test_a_poll_that_shows_nothing_known_halves_the_interval() -> None:
    rhythm, now = taught()
    steady = learned(rhythm, previous=now, now=now + HOUR, new=1, shown=30, overlap=0.9)
    torn = replace(steady, squeeze=learned(rhythm, previous=now, now=now + HOUR, new=1, shown=30, overlap=0.0).squeeze)

    assert due_after(torn, now + HOUR) / due_after(steady, now + HOUR) == pytest.approx(0.5, rel=0.06)
    for number in range(2, 5):
        torn = learned(torn, previous=now + HOUR, now=now + number * HOUR, new=1, shown=30, overlap=0.9)
    assert torn.squeeze == 1.0


def test_half_of_what_a_feed_shows_is_never_left_to_be_new() -> None:
    rhythm, now = taught(dict.fromkeys(range(24), 10))

    wait = due_after(rhythm, now, polls_per_feed_hour=0.01, shown=10)
    assert expected_items(rhythm, now, now + wait) <= 5 * 1.1  # 5 % of jitter, and the levels of late


@given(any_hints, st.integers(0, 24 * 7), st.floats(0.01, 60))
def test_hours_and_days_of_rest_are_honoured_as_far_as_a_day_goes(hints: FeedHints, hour: int, budget: float) -> None:
    now = MONDAY + hour * HOUR
    due = next_poll(
        Rhythm(), now, mean_pace=1.0, polls_per_feed_hour=budget, shown=30, hints=hints, fresh_seconds=0, feed_id="a"
    )
    is_rest = due.hour in hints.skip_hours or due.weekday() in hints.skip_days
    never = set(hints.skip_hours) == set(range(24)) or set(hints.skip_days) == set(range(7))
    assert not is_rest or never or due == now + DAY


def test_what_server_and_feed_ask_for_is_granted_within_limits() -> None:
    rhythm, now = taught(dict.fromkeys(range(24), 20))

    assert due_after(rhythm, now) < 15 * MINUTE
    assert due_after(rhythm, now, hints=FeedHints(ttl_seconds=1_800)) >= 30 * MINUTE
    assert due_after(rhythm, now, hints=FeedHints(ttl_seconds=604_800)) == HOUR
    assert due_after(rhythm, now, fresh_seconds=14_400.0) == 4 * HOUR
    for absurd in (float("nan"), float("inf"), -1e300):
        assert due_after(rhythm, now, fresh_seconds=absurd) < 15 * MINUTE


def test_feeds_of_one_rhythm_are_spread() -> None:
    rhythm, now = taught()

    waits = {due_after(rhythm, now, feed_id=str(number)) for number in range(50)}
    assert len(waits) > 40
    assert max(waits) <= min(waits) * 1.05


def test_a_clock_set_back_teaches_nothing_and_breaks_nothing() -> None:
    rhythm, now = taught(days=3)

    after = learned(rhythm, previous=now, now=now - 5 * HOUR, new=20, shown=30, overlap=0.3)
    assert after.by_hour == rhythm.by_hour
    assert MINUTE <= due_after(after, now - 5 * HOUR) <= DAY


@pytest.mark.parametrize("budget", [1.0, 4.0])
def test_a_fleet_keeps_to_its_budget(budget: float) -> None:
    dice = Random(7)
    rates = [dice.choice([0.01, 0.1, 0.5, 1, 2, 5, 10]) * dice.uniform(0.5, 1.5) for _ in range(20)]
    fleet = [(Rhythm(), MONDAY, MONDAY + dice.uniform(0, 1) * HOUR) for _ in rates]
    mean, spent = 1.0, 0
    for hour in range(7 * 24):
        close = MONDAY + (hour + 1) * HOUR
        for number, rate in enumerate(rates):
            rhythm, previous, now = fleet[number]
            while now < close:
                new = _poisson(dice, rate * ((now - previous) / HOUR))
                rhythm = learned(rhythm, previous=previous, now=now, new=new, shown=30, overlap=0.5)
                wait = due_after(rhythm, now, mean_pace=mean, polls_per_feed_hour=budget, feed_id=str(number))
                spent += hour >= 5 * 24
                previous, now = now, now + wait
            fleet[number] = rhythm, previous, now
        mean = sum(pace_of(rhythm) for rhythm, _, _ in fleet) / len(fleet)

    assert spent / (20 * 48) == pytest.approx(budget, rel=0.1)


def _poisson(dice: Random, mean: float) -> int:
    count, passed = 0, dice.expovariate(1.0)
    while passed < mean:
        count, passed = count + 1, passed + dice.expovariate(1.0)
    return count
