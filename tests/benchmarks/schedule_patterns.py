"""How feeds publish: seeded arrival patterns by which schedules of polls are compared.

Each pattern is drawn for eight feeds over five weeks; a schedule learns in the first two, and the other three count.
Half of the patterns, chosen by the hash of their names, are held out: no schedule may be tuned on them.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from hashlib import sha256
from typing import NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
from numpy.random import Generator, default_rng
from numpy.typing import NDArray

START = datetime(2026, 3, 9, tzinfo=UTC)
"""A Monday, so chosen that Europe's clocks change (29 March) within the weeks that count."""
WEEKS, WARM_UP_WEEKS, FEEDS = 5, 2, 8
HOUR, DAY, WEEK = 3_600.0, 86_400.0, 604_800.0
SPAN = WEEKS * WEEK
SEED = 20_260_309

Times = NDArray[np.float64]
"""Seconds after START, ascending."""


class Arrivals(NamedTuple):
    """When one feed publishes, and how many items it shows."""

    pattern: str
    number: int
    times: Times
    window: int

    @property
    def name(self) -> str:
        """Return what the feed is called in tables and for jitter."""
        return f"{self.pattern}-{self.number}"


def _thinned(dice: Generator, rates: Times) -> Times:
    """Return a Poisson process whose rate, in items an hour, is given for each quarter of an hour."""
    counts = dice.poisson(rates / 4)
    starts = np.repeat(np.arange(len(rates)) * 900.0, counts)
    return np.sort(starts + dice.uniform(0, 900, len(starts)))


def _quarters() -> Times:
    return np.arange(int(SPAN // 900)) * 900.0


def _by_clock(by_hour: list[float], by_day: list[float], offset_hours: float = 0.0, zone: str = "") -> Times:
    """Return the rate of each quarter of an hour, from weights of the local hour and day."""
    at = _quarters()
    if zone:
        shifts = [ZoneInfo(zone).utcoffset(datetime.fromtimestamp(START.timestamp() + s, UTC)) for s in at]
        local = at + np.array([shift.total_seconds() if shift else 0.0 for shift in shifts])
    else:
        local = at + offset_hours * HOUR
    hours = (local // HOUR).astype(int) % 24
    days = (local // DAY).astype(int) % 7
    return np.array(by_hour)[hours] * np.array(by_day)[days]


MORNING = [0.1, 0, 0, 0, 0.3, 2, 6, 8, 6, 4, 3, 3, 3, 3, 3, 3, 4, 5, 4, 2, 1.5, 1, 0.5, 0.3]
EVERY_DAY, WEEKDAYS = [1.0] * 7, [1.0] * 5 + [0.0] * 2
CALM_WEEKENDS = [1.0] * 5 + [0.5, 0.4]


def wire(dice: Generator) -> Times:
    """Draw a news agency: round the clock, a little less at night."""
    by_hour = [0.6] * 6 + [1.0] * 14 + [0.8] * 4
    return _thinned(dice, dice.uniform(4, 14) * _by_clock(by_hour, EVERY_DAY))


def _newspaper(dice: Generator, offset_hours: float) -> Times:
    return _thinned(dice, dice.uniform(0.3, 1.2) * _by_clock(MORNING, CALM_WEEKENDS, offset_hours))


def newspaper_europe(dice: Generator) -> Times:
    """Draw a newspaper at UTC+1: a morning peak and quiet nights."""
    return _newspaper(dice, 1)


def newspaper_america(dice: Generator) -> Times:
    """Draw a newspaper at UTC-6."""
    return _newspaper(dice, -6)


def newspaper_asia(dice: Generator) -> Times:
    """Draw a newspaper at UTC+9."""
    return _newspaper(dice, 9)


def weekly(dice: Generator) -> Times:
    """Draw a magazine: one issue of 10 to 25 items a week within half an hour, and little else."""
    issue = dice.uniform(6, 18) * HOUR + dice.integers(0, 5) * DAY
    items = [week * WEEK + issue + dice.uniform(0, 1_800, dice.integers(10, 26)) for week in range(WEEKS)]
    return np.sort(np.concatenate([*items, dice.uniform(0, SPAN, dice.poisson(5))]))


def press_on_the_hour(dice: Generator) -> Times:
    """Draw press releases: by day, most within two minutes after the full or half hour."""
    by_hour = [0.0] * 6 + [1, 3, 4, 3, 2, 2, 3, 3, 3, 2, 1, 0.5] + [0.0] * 6
    drawn = _thinned(dice, dice.uniform(0.5, 3) * _by_clock(by_hour, WEEKDAYS))
    is_sharp = dice.random(len(drawn)) < 0.8
    slot = np.where(dice.random(len(drawn)) < 0.7, HOUR, HOUR / 2)
    return np.sort(np.where(is_sharp, drawn // slot * slot + dice.uniform(0, 120, len(drawn)), drawn))


def bursts(dice: Generator) -> Times:
    """Draw a self-exciting feed (Hawkes): each item begets 0.7 more on average, within hours."""
    return _excited(dice, dice.uniform(0.1, 0.8), 0.7, dice.uniform(0.5, 2) * HOUR)


def _excited(dice: Generator, per_hour: float, branching: float, memory_seconds: float) -> Times:
    generation = dice.uniform(0, SPAN, dice.poisson(per_hour * SPAN / HOUR))
    found = [generation]
    while len(generation):
        born = np.repeat(generation, dice.poisson(branching, len(generation)))
        generation = born + dice.exponential(memory_seconds, len(born))
        generation = generation[generation < SPAN]
        found.append(generation)
    return np.sort(np.concatenate(found))


def small_blog(dice: Generator) -> Times:
    """Draw a blog with about two items a month."""
    return np.sort(dice.uniform(0, SPAN, dice.poisson(2.3)))


def dies(dice: Generator) -> Times:
    """Draw a newspaper that ends some day in the weeks that count."""
    times = _newspaper(dice, dice.integers(-8, 9))
    return times[times < (WARM_UP_WEEKS + dice.uniform(0, 2)) * WEEK]


def comes_alive(dice: Generator) -> Times:
    """Draw a feed with an item in ten days that becomes a newspaper some day in the weeks that count."""
    begins = (WARM_UP_WEEKS + dice.uniform(0, 2)) * WEEK
    times = _newspaper(dice, dice.integers(-8, 9))
    before = dice.uniform(0, begins, dice.poisson(begins / (10 * DAY)))
    return np.sort(np.concatenate([before, times[times >= begins]]))


def batches(dice: Generator) -> Times:
    """Draw a feed written by a timer: every hour or two, by day, at the same minute, 1 to 6 items at once."""
    every, minute = dice.integers(1, 3), dice.uniform(0, 60)
    first, last = dice.integers(0, 8), dice.integers(16, 24)
    hours = [h for h in range(int(SPAN // HOUR)) if first <= h % 24 <= last and h % every == 0]
    runs = np.array(hours) * HOUR + minute * 60 + dice.uniform(0, 20, len(hours))
    return np.sort(np.repeat(runs, dice.poisson(dice.uniform(0.5, 3), len(runs))))


def ministry(dice: Generator) -> Times:
    """Draw an office: weekdays, office hours, a handful a day."""
    by_hour = [0.0] * 7 + [0.3, 0.6, 1, 1, 1, 0.5, 0.8, 1, 1, 0.6, 0.2] + [0.0] * 6
    return _thinned(dice, dice.uniform(0.3, 1) * _by_clock(by_hour, WEEKDAYS))


def clock_change(dice: Generator) -> Times:
    """Draw a broadcaster in Berlin with sharp editions by local time; the clocks change before the last week."""
    by_hour = [0.2] * 5 + [6, 8, 1, 1, 1, 1, 1, 8, 4, 1, 1, 1, 1, 6, 6, 1, 1, 0.2, 0.2]
    return _thinned(
        dice, dice.uniform(0.4, 1) * _by_clock([float(x) for x in by_hour], EVERY_DAY, zone="Europe/Berlin")
    )


def _shown(dice: Generator) -> Times:
    return _newspaper(dice, dice.integers(-8, 9)) if dice.random() < 0.5 else _excited(dice, 1.5, 0.6, HOUR)


def window_10(dice: Generator) -> Times:
    """Draw a busy feed that shows 10 items."""
    return _shown(dice)


def window_20(dice: Generator) -> Times:
    """Draw a busy feed that shows 20 items."""
    return _shown(dice)


def window_50(dice: Generator) -> Times:
    """Draw a busy feed that shows 50 items."""
    return _shown(dice)


PATTERNS: dict[str, Callable[[Generator], Times]] = {
    pattern.__name__: pattern
    for pattern in (
        wire, newspaper_europe, newspaper_america, newspaper_asia, weekly, press_on_the_hour, bursts, small_blog, dies,
        comes_alive, batches, ministry, clock_change, window_10, window_20, window_50,
    )
}  # fmt: skip
WINDOWS = {"window_10": 10, "window_20": 20, "window_50": 50}
USUAL_WINDOW = 30


def _digest(name: str) -> bytes:
    return sha256(name.encode()).digest()


HELD_OUT = frozenset(sorted(PATTERNS, key=_digest)[: len(PATTERNS) // 2])
TUNING = frozenset(PATTERNS) - HELD_OUT


def drawn(names: frozenset[str]) -> list[Arrivals]:
    """Return the feeds of these patterns, the same at every call."""
    feeds = []
    for name in sorted(names):
        for number in range(FEEDS):
            dice = default_rng([SEED, int.from_bytes(_digest(name)[:4], "big"), number])
            times = PATTERNS[name](dice)
            feeds.append(Arrivals(name, number, times, WINDOWS.get(name, USUAL_WINDOW)))
    return feeds
