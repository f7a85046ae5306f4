"""A feed's rhythm: how many items an hour are to be expected, learned from polls that each say how many were new.

The rate at a moment is the product of an hour of the day, a day of the week, a part of the hour, and two levels: what
came in the last days and in the last hours, each against what should have come. The moments of the items are not known,
only the polls between which they came: each poll's items are shared out over that time in proportion to the rates
known so far (one step of expectation maximisation), so that parts of the hour become sharp that no single poll shows.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from math import exp, isfinite, sqrt
from typing import TypeAlias

from msgspec.structs import replace

from pipeline.feed import Rhythm

BINS = 12
"""Parts of the hour: of five minutes, for publishers' timers run at such minutes."""
PRIOR = 0.5
"""Items an hour expected of a feed of which nothing is known."""
FLOOR = 0.01
"""Items an hour expected of the quietest feed, one in four days: one that comes alive must be noticed, and the two
items a month of a small blog count for more than their number."""
MOST = 9_999.0
LONGEST_HOURS = 48.0
"""Of the time since a poll longer ago than that (a laptop asleep), only so much is learned from."""
QUICK_HOURS, SLOW_HOURS = 3.0, 36.0
QUICK_ITEMS, SLOW_ITEMS = 1.5, 3.0
"""So many items must have been expected before the levels of the last hours and days are believed by half."""
DAYS_KEPT, WEEKS_KEPT = 14, 5
MINUTES_KEPT = 400.0
"""Items after which older ones are forgotten, in the parts of the hour."""
MINUTES_DOUBT = 8.0
"""Items a part by which its share is drawn towards the mean."""
MINUTES_GUESS = 1.0
"""The same, where items are shared out: little, or sharp minutes never become sharp."""
SHARP = 1.7
"""A part of the hour that gets so many times the mean shows a timer; less is chance, in so few items."""
MINUTES_FROM = 30.0
"""Items before anything is said about parts of the hour."""
DAY_DOUBT = 5.0
"""Items by which a day of the week is drawn towards the mean."""
MOST_HOURS = 9_999
FINE_HOURS = 6.0
"""Polls further apart than this say nothing about parts of the hour."""
GAP_FACTOR = 1.5
"""A poll that shows only new items has missed some; half as many as it shows, for want of better knowledge."""
SMALLEST_SQUEEZE = 0.125


Cell: TypeAlias = tuple[float, float, float, int, int]
"""A piece of time of one rate: its length, its rate, the mean rate of the whole hour, the hour, the part of it."""


def hours_of(moment: datetime) -> float:
    """Return the hours from 1970 to a moment."""
    return moment.timestamp() / 3_600


def hourly(rhythm: Rhythm, hour: int) -> float:
    """Return the items expected in an hour, without the levels of late."""
    if not rhythm.by_hour:
        return PRIOR
    return rhythm.by_hour[hour % 24] * rhythm.by_day[(hour // 24 + 3) % 7] + FLOOR


def level(rhythm: Rhythm) -> float:
    """Return how much more than expected came in the last days, as a factor."""
    return (SLOW_ITEMS + rhythm.slow_new) / (SLOW_ITEMS + rhythm.slow_expected)


def burst(rhythm: Rhythm) -> float:
    """Return how much more than expected came in the last hours, as a factor on top of the level."""
    return (QUICK_ITEMS + rhythm.quick_new) / (QUICK_ITEMS + rhythm.quick_expected)


def shares(rhythm: Rhythm, doubt: float = MINUTES_DOUBT, sharp: float = SHARP) -> tuple[float, ...]:
    """Return the factor of each part of the hour, 1 on average; nothing when all are alike or too little is known.

    ``doubt`` is the number of items a part by which its share is drawn towards the mean.
    """
    total = sum(rhythm.by_minute)
    if total < MINUTES_FROM or max(rhythm.by_minute) < sharp * total / BINS:
        return ()
    scale = 1 / (total / BINS + doubt)
    return tuple([(items + doubt) * scale for items in rhythm.by_minute])


def cells(rhythm: Rhythm, begin: float, end: float, parts: tuple[float, ...]) -> Iterator[Cell]:
    """Yield the time between two moments, in hours since 1970, by hours, or by parts of hours where they are given."""
    hour = int(begin // 1)
    while begin < end:
        rate = hourly(rhythm, hour)
        close = min(hour + 1.0, end)
        if not parts:
            yield close - begin, rate, rate, hour, 0
        else:
            part = int((begin - hour) * BINS)
            while begin < close:
                edge = min(hour + (part + 1) / BINS, close)
                yield edge - begin, rate * parts[part], rate, hour, part
                begin, part = edge, part + 1
        begin, hour = close, hour + 1


def learned(
    rhythm: Rhythm, *, previous: datetime | None, now: datetime, new: int, shown: int, overlap: float | None
) -> Rhythm:
    """Return the rhythm after a good poll that brought ``new`` items since the last good one, at ``previous``.

    ``shown`` is how many items the feed shows, ``overlap`` the share of them known before, None when unknown. The first
    poll of a feed teaches nothing, for its items are of any age; nor does one before the previous (a clock set back).
    """
    at = hours_of(now)
    rhythm = _squeezed(sound(rhythm), overlap)
    since = at if previous is None or not rhythm.by_hour else hours_of(previous)
    if not rhythm.by_hour:
        rhythm = replace(rhythm, by_hour=(PRIOR,) * 24, by_day=(1.0,) * 7, by_minute=(0.0,) * BINS)
    if since >= at:
        return replace(rhythm, hour=int(at), this_hour=0.0, today=-1.0) if int(at) != rhythm.hour else rhythm
    items = min(max(new, 0), shown, MOST) * (GAP_FACTOR if overlap == 0.0 else 1.0)
    if int(since) != rhythm.hour or at - since > LONGEST_HOURS:
        since = max(since, at - LONGEST_HOURS)
        rhythm = replace(rhythm, hour=int(since), this_hour=0.0, today=-1.0)
    is_fine = at - since <= FINE_HOURS
    parts = shares(rhythm, MINUTES_GUESS, 0.0) if is_fine else ()
    pieces = list(cells(rhythm, since, at, parts or ((1.0,) * BINS if is_fine and items else ())))
    expected = sum([length * rate for length, rate, *_ in pieces])
    by_hour = _shared_out(pieces, items / expected)
    after = _in_hours(rhythm, by_hour, int(at))
    if is_fine and items:
        after = replace(after, by_minute=_in_minutes(rhythm, pieces, items / expected))
    return _levelled(after, hours=at - since, items=items, expected=expected)


def _shared_out(pieces: list[Cell], scale: float) -> dict[int, float]:
    by_hour: dict[int, float] = {}
    for length, rate, _mean, hour, _part in pieces:
        by_hour[hour] = by_hour.get(hour, 0.0) + length * rate * scale
    return by_hour


def _in_minutes(rhythm: Rhythm, pieces: list[Cell], scale: float) -> tuple[float, ...]:
    parts = list(rhythm.by_minute)
    for length, rate, _mean, _hour, part in pieces:
        parts[part] += length * rate * scale
    kept = min(1.0, MINUTES_KEPT / max(sum(parts), 1.0))
    return tuple([round(items * kept, 2) for items in parts])


def _in_hours(rhythm: Rhythm, by_hour: dict[int, float], current: int) -> Rhythm:
    """Add the items to their hours; of those that are over, learn."""
    open_items = rhythm.this_hour
    for hour in range(rhythm.hour, current):
        rhythm = _after_hour(rhythm, hour, open_items + by_hour.get(hour, 0.0))
        open_items = 0.0
    return replace(rhythm, hour=current, this_hour=round(open_items + by_hour.get(current, 0.0), 3))


def _after_hour(rhythm: Rhythm, hour: int, items: float) -> Rhythm:
    days, factor = rhythm.hours_seen // 24, rhythm.by_day[(hour // 24 + 3) % 7]
    weight = min(1 / min(days + 2, DAYS_KEPT), 1 / factor)
    rates = list(rhythm.by_hour)
    rate = rates[hour % 24]
    rates[hour % 24] = _rounded(rate + weight * (items - rate * factor))
    today = -1.0 if rhythm.today < 0 else rhythm.today + items
    seen = min(rhythm.hours_seen + 1, MOST_HOURS)
    if hour % 24 != 23:
        return replace(rhythm, by_hour=tuple(rates), today=round(today, 3), hours_seen=seen)
    factors = _after_day(rhythm.by_day, (hour // 24 + 3) % 7, today, sum(rates), days // 7)
    return replace(rhythm, by_hour=tuple(rates), by_day=factors, today=0.0, hours_seen=seen)


def _after_day(factors: tuple[float, ...], day: int, items: float, expected: float, weeks: int) -> tuple[float, ...]:
    """Learn from a whole day: the more items it should have had, the more is believed at once."""
    if items < 0 or expected <= 0:
        return factors
    found = list(factors)
    weight = 1 / (min(weeks, WEEKS_KEPT) + 1.3 + DAY_DOUBT / expected)
    found[day] += weight * (min(items / expected, 7.0) - found[day])
    mean = sum(found) / 7
    return tuple([round(min(max(one / mean, 0.02), 7.0), 3) for one in found])


def _levelled(rhythm: Rhythm, *, hours: float, items: float, expected: float) -> Rhythm:
    quick, slow = exp(-hours / QUICK_HOURS), exp(-hours / SLOW_HOURS)
    return replace(
        rhythm,
        quick_new=round(rhythm.quick_new * quick + items, 2),
        quick_expected=round(rhythm.quick_expected * quick + expected * level(rhythm), 2),
        slow_new=round(rhythm.slow_new * slow + items, 2),
        slow_expected=round(rhythm.slow_expected * slow + expected, 2),
    )


def _squeezed(rhythm: Rhythm, overlap: float | None) -> Rhythm:
    """Halve the interval after a poll that shares nothing with the one before; let it grow when most is shared."""
    if overlap == 0.0:
        squeeze = max(rhythm.squeeze / 2, SMALLEST_SQUEEZE)
    elif rhythm.squeeze < 1 and (overlap is None or overlap > 0.5):
        squeeze = min(rhythm.squeeze * 1.5, 1.0)
    else:
        return rhythm
    return replace(rhythm, squeeze=round(squeeze, 3))


def _rounded(rate: float) -> float:
    rate = min(max(rate, 0.0), MOST)
    return round(rate, 4) if rate < 1 else round(rate, 3)


def sound(rhythm: Rhythm) -> Rhythm:
    """Return the rhythm if every number in it is one that can be reckoned with, else what is known at the start."""
    lengths = (len(rhythm.by_hour), len(rhythm.by_day), len(rhythm.by_minute))
    total = sum(rhythm.by_hour) + sum(rhythm.by_minute) + rhythm.this_hour + rhythm.squeeze
    levels = rhythm.quick_new + rhythm.quick_expected + rhythm.slow_new + rhythm.slow_expected
    is_sound = (
        lengths in {(24, 7, BINS), (0, 0, 0)}
        and isfinite(total + levels + rhythm.today)
        and min(rhythm.by_hour + rhythm.by_minute, default=0.0) >= 0
        and all(0.01 <= factor <= 7.01 for factor in rhythm.by_day)
        and min(rhythm.quick_new, rhythm.quick_expected, rhythm.slow_new, rhythm.slow_expected) >= 0
        and 0 < rhythm.squeeze <= 1
        and total + levels < 1e7
    )
    return rhythm if is_sound else Rhythm()


def expected_items(rhythm: Rhythm, since: datetime, until: datetime) -> float:
    """Return how many items the hours of day and week let expect between two moments; 0 while nothing is known.

    What remains of the first guess is not counted: a new feed is not silent because it is quieter than most.
    """
    rhythm = sound(rhythm)
    begin, end = hours_of(since), hours_of(until)
    if not rhythm.by_hour or end <= begin:
        return 0.0
    weeks = int((end - begin) // 168)
    whole = weeks * (sum(rhythm.by_hour) * sum(rhythm.by_day) + 168 * FLOOR)
    items = whole + sum([length * rate for length, rate, *_ in cells(rhythm, begin + 168 * weeks, end, ())])
    guessed = PRIOR / (max(rhythm.hours_seen, 0) // 24 + 1)
    return max(0.0, items - (end - begin) * (guessed + FLOOR))


def pace_of(rhythm: Rhythm) -> float:
    """Return the feed's claim to polls: the square root of the items expected an hour, averaged over a week.

    For arrivals at random at a rate r(t) and a given number of polls, delays are least, on average, when polls are as
    dense as the square root of r(t); so a feed's share of the polls is its pace divided by the sum of all.
    """
    rhythm = sound(rhythm)
    if not rhythm.by_hour:
        return sqrt(PRIOR)
    by_hour = sum([sqrt(rate) for rate in rhythm.by_hour]) / 24
    by_day = sum([sqrt(factor) for factor in rhythm.by_day]) / 7
    return round(sqrt(((by_hour * by_day) ** 2 + FLOOR) * level(rhythm)), 4)
