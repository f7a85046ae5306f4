"""`make bench`, third part: how long news wait for a poll, at equal numbers of polls, under different schedules.

The patterns of ``schedule_patterns`` are polled in simulation. The delay of an item is the time from its arrival to the
next poll; an item is missed when it came and was pushed out of the feed's window between two polls (it counts among the
delays all the same). Every policy is scaled until all spend the same number of polls over the weeks that count:

- fixed: the same interval for every feed;
- overlap-only, as Media Cloud's rss-fetcher does it: a feed's interval is halved when two polls in a row share less
  than 33 % of their items with the poll before, doubled when more than 67 %, between 10 minutes and 24 hours (both
  bounds are scaled with the interval); both are the baselines;
- rates known: is told, for each feed and hour of the week, how many items came on average in all five weeks, and polls
  as densely as the square root of that: about what can be had without knowing the arrivals themselves;
- clairvoyant: knows every arrival and divides the polls among feeds and moments at will. It bounds the *mean* delay
  from below: no plan of so many polls, causal or not, has a smaller one. Polls are best placed at arrivals; with a
  price on each poll the best plan of a feed is found by dynamic programming over its arrivals (a convex hull of lines,
  O(n)), and one price for all feeds spends the budget (Lagrange). The median beside it is that of the same plan.

The share of the gap closed is (best baseline - policy) / (best baseline - bound), of the mean delay.
"""

from __future__ import annotations

import argparse
import sys
import time
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
from schedule_patterns import DAY, HELD_OUT, HOUR, SPAN, START, TUNING, WARM_UP_WEEKS, WEEK, WEEKS, Arrivals, drawn

from pipeline.feed import FeedHints, Rhythm
from pipeline.poll.rhythm import learned
from pipeline.poll.schedule import next_poll

BEGIN = WARM_UP_WEEKS * WEEK
SCORED_DAYS = (SPAN - BEGIN) / DAY
BUDGETS = (24, 48, 96)
"""Polls a feed and day, on average over all feeds."""


class Poll(NamedTuple):
    """What a policy is told after each poll; times are seconds after the start of the patterns."""

    at: float
    previous: float
    new: int
    shown: int
    feed: Arrivals


class Score(NamedTuple):
    """What a policy did to one feed in the weeks that count; delays in seconds."""

    feed: Arrivals
    polls: int
    delays: np.ndarray
    missed: int


Pacer = Callable[[Poll], float]
"""Returns the seconds until the next poll of one feed."""
Policy = Callable[[float], Callable[[Arrivals], Pacer]]
"""Returns, for a scale in seconds, what makes a pacer for a feed; polls fall as the scale grows."""


def simulated(feed: Arrivals, pacer: Pacer) -> Score:
    """Poll a feed until all of its items are seen. Before its first arrival it shows a window of old items."""
    times = feed.times.tolist()
    at, previous, known, polled = 0.0, -HOUR, 0, []
    while at < SPAN + DAY:
        polled.append(at)
        there = bisect_right(times, at)
        wait = pacer(Poll(at, previous, min(there - known, feed.window), feed.window, feed))
        previous, known, at = at, there, at + wait
    return scored(feed, polled)


def scored(feed: Arrivals, polled: list[float]) -> Score:
    """Return the delays under given moments of polls."""
    polls = np.array(polled)
    items = feed.times[feed.times >= BEGIN]
    if not len(items):
        return Score(feed, bisect_left(polled, SPAN) - bisect_left(polled, BEGIN), items, 0)
    found = np.searchsorted(polls, items, side="left")
    delays = polls[np.minimum(found, len(polls) - 1)] - items
    there = np.searchsorted(feed.times, polls[polls >= BEGIN], side="right")
    missed = int(np.maximum(np.diff(there) - feed.window, 0).sum())
    count = bisect_left(polled, SPAN) - bisect_left(polled, BEGIN)
    return Score(feed, count, delays, missed)


def fixed(scale: float) -> Callable[[Arrivals], Pacer]:
    """Return the policy of one interval for all."""
    return lambda _feed: lambda _poll: scale


def overlap_only(scale: float) -> Callable[[Arrivals], Pacer]:
    """Return the policy of the overlap of two polls in a row; the interval starts at ``scale``."""
    shortest, longest = scale / 6, scale * 24  # of an hour: 10 minutes and a day

    def pacer_of(_feed: Arrivals) -> Pacer:
        interval, low, high = scale, 0, 0

        def pacer(poll: Poll) -> float:
            nonlocal interval, low, high
            overlap = 1 - poll.new / poll.shown
            low, high = (low + 1 if overlap < 0.33 else 0), (high + 1 if overlap > 0.67 else 0)
            if low >= 2:
                interval, low = max(interval / 2, shortest), 0
            if high >= 2:
                interval, high = min(interval * 2, longest), 0
            return min(max(interval, 60.0), DAY)

        return pacer

    return pacer_of


def by_rhythm(scale: float) -> Callable[[Arrivals], Pacer]:
    """Return Wirewatch's schedule; ``scale`` is the inverse of the budget."""

    def pacer_of(feed: Arrivals) -> Pacer:
        rhythm = Rhythm()

        def pacer(poll: Poll) -> float:
            nonlocal rhythm
            now = START + timedelta(seconds=poll.at)
            previous = START + timedelta(seconds=poll.previous) if poll.at else None
            overlap = (poll.shown - poll.new) / poll.shown if poll.new else None
            rhythm = learned(rhythm, previous=previous, now=now, new=poll.new, shown=poll.shown, overlap=overlap)
            due = next_poll(
                rhythm, now, mean_pace=scale / HOUR, polls_per_feed_hour=1.0, shown=poll.shown, hints=FeedHints(),
                fresh_seconds=0.0, feed_id=feed.name,
            )  # fmt: skip
            return (due - now).total_seconds()

        return pacer

    return pacer_of


def rates_known(scale: float) -> Callable[[Arrivals], Pacer]:
    """Return the policy that knows each feed's hours of the week, those to come as well."""

    def pacer_of(feed: Arrivals) -> Pacer:
        counts = np.bincount((feed.times % WEEK // HOUR).astype(int), minlength=168) / WEEKS
        mean_of_hour = np.tile(counts.reshape(7, 24).mean(axis=0), 7)
        density = np.sqrt((counts * WEEKS + mean_of_hour) / (WEEKS + 1) + 0.01).tolist()

        def pacer(poll: Poll) -> float:
            at, left = poll.at, scale / HOUR
            while at < poll.at + DAY:
                piece = HOUR - at % HOUR
                dense = density[int(at // HOUR) % 168]
                if dense * piece / HOUR >= left:
                    return max(at + left / dense * HOUR - poll.at, 60.0)
                left -= dense * piece / HOUR
                at += piece
            return DAY

        return pacer

    return pacer_of


def at_budget(
    policy: Policy, feeds: list[Arrivals], polls_a_day: float, guess: float = 0.0
) -> tuple[list[Score], float]:
    """Scale a policy until it spends the budget, within 0.5 %; return the scores and the scale."""
    target = polls_a_day * SCORED_DAYS * len(feeds)
    scale = guess or DAY / polls_a_day
    low, high = 0.0, 0.0
    scores: list[Score] = []
    for _ in range(12):
        scores = [simulated(feed, policy(scale)(feed)) for feed in feeds]
        spent = sum(score.polls for score in scores)
        if abs(spent / target - 1) < 0.005:
            break
        low, high = (scale, high) if spent > target else (low, scale)
        scale *= spent / target
        if low and high and not low < scale < high:
            scale = (low * high) ** 0.5
    return scores, scale


def planned(times: list[float], price: float) -> list[float]:
    """Return the moments of polls, each at an arrival, that cost least: the sum of the delays, and a price a poll.

    ``cost[j] = min over i < j of cost[i] + sum(times[j] - times[m] for i <= m < j) + price``, with ``times[j]`` meaning
    the j-th arrival: for each i a line in the moment of the poll, of slope -i, asked at ascending moments.
    """
    sums = np.concatenate([[0.0], np.cumsum(times)]).tolist()
    lines: list[tuple[float, float, int]] = [(0.0, 0.0, 0)]  # slope, height, i
    before, front = [0] * (len(times) + 1), 0
    for j in range(1, len(times) + 1):
        moment = times[j - 1]
        while front + 1 < len(lines) and _height(lines[front + 1], moment) <= _height(lines[front], moment):
            front += 1
        cost = _height(lines[front], moment) + moment * j - sums[j] + price
        before[j] = lines[front][2]
        line = (-float(j), cost + sums[j], j)
        while len(lines) - front >= 2 and _is_hidden(lines[-2], lines[-1], line):
            lines.pop()
        lines.append(line)
    polls, j = [], len(times)
    while j:
        polls.append(times[j - 1])
        j = before[j]
    return polls[::-1]


def _height(line: tuple[float, float, int], moment: float) -> float:
    return line[0] * moment + line[1]


def _is_hidden(
    first: tuple[float, float, int], second: tuple[float, float, int], third: tuple[float, float, int]
) -> bool:
    """Whether the second of three lines of falling slope is nowhere the lowest."""
    return (third[1] - first[1]) * (first[0] - second[0]) <= (second[1] - first[1]) * (first[0] - third[0])


def clairvoyant(feeds: list[Arrivals], polls_a_day: float) -> tuple[list[Score], float]:
    """Return the plan that knows all, and a lower bound of the mean delay, in seconds.

    By Lagrange's dual every price gives a bound: (delays + price x polls) - price x budget; the best found is returned.
    Each feed gets one poll more than the budget, for the last one of a policy falls after the weeks that count.
    """
    budget = (polls_a_day * SCORED_DAYS + 1) * len(feeds)
    items = sum(int((feed.times >= BEGIN).sum()) for feed in feeds)
    low, high, best, plan = 1.0, 1e8, 0.0, []
    for _ in range(12):
        price = (low * high) ** 0.5
        plan = [scored(feed, planned(feed.times[feed.times >= BEGIN].tolist(), price)) for feed in feeds]
        polls, delay = sum(score.polls for score in plan), sum(float(score.delays.sum()) for score in plan)
        best = max(best, (delay + price * (polls - budget)) / items)
        low, high = (price, high) if polls > budget else (low, price)
        if polls <= budget and price <= 1.5:
            break
    return plan, best


class Row(NamedTuple):
    """One line of the table; delays in seconds."""

    policy: str
    mean: float
    median: float
    polls_a_day: float
    missed: int


def row_of(policy: str, scores: Iterable[Score], *, mean: float | None = None) -> Row:
    """Sum up the scores of all feeds, every item with the same weight."""
    scores = list(scores)
    delays = np.concatenate([score.delays for score in scores])
    polls = sum(score.polls for score in scores) / len(scores) / SCORED_DAYS
    average = float(delays.mean()) if mean is None else mean
    return Row(policy, average, float(np.median(delays)), polls, sum(score.missed for score in scores))


POLICIES: dict[str, Policy] = {
    "fixed": fixed,
    "overlap-only": overlap_only,
    "by rhythm": by_rhythm,
    "rates known": rates_known,
}
BASELINES = ("fixed", "overlap-only")


def compared(feeds: list[Arrivals], polls_a_day: float, guesses: dict[str, float]) -> dict[str, list[Score]]:
    """Return the scores of every policy at one budget; scales found are left in ``guesses`` as first guesses."""
    found = {}
    for name, policy in POLICIES.items():
        guess = guesses.get(name, 0.0)
        found[name], guesses[name] = at_budget(policy, feeds, polls_a_day, guess)
    return found


def print_table(polls_a_day: float, found: dict[str, list[Score]], feeds: list[Arrivals]) -> None:
    """Print a line a policy, and the share of the gap closed."""
    plan, bound = clairvoyant(feeds, polls_a_day)
    rows = [row_of(name, scores) for name, scores in found.items()]
    best = min(row.mean for row in rows if row.policy in BASELINES)
    print(f"{polls_a_day:>4} polls a feed and day   mean min  median min  polls/feed-day  missed  gap closed")
    for row in [*rows, row_of("clairvoyant", plan, mean=bound)]:
        share = "" if row.policy in BASELINES else f"{(best - row.mean) / (best - bound):10.1%}"
        numbers = f"{row.mean / 60:10.2f}{row.median / 60:12.2f}{row.polls_a_day:16.1f}{row.missed:8}"
        print(f"  {row.policy:<22}{numbers}  {share}")


def print_patterns(found: dict[str, list[Score]]) -> None:
    """Print the mean delay of each pattern under each policy, in minutes, and its polls a feed and day."""
    print("    by pattern            " + "".join(f"{name:>22}" for name in found))
    for pattern in sorted({score.feed.pattern for score in next(iter(found.values()))}):
        cells = []
        for scores in found.values():
            row = row_of("", [score for score in scores if score.feed.pattern == pattern])
            cells.append(f"{row.mean / 60:9.1f} min {row.polls_a_day:5.0f}/d")
        print(f"    {pattern:<22}" + "".join(f"{cell:>22}" for cell in cells))


def main() -> int:
    """Print the tables of the patterns asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--half", choices=["tuning", "held-out", "both"], default="both")
    parser.add_argument("--budgets", type=int, nargs="+", default=BUDGETS, help="polls a feed and day")
    parser.add_argument("--patterns", action="store_true", help="also show each pattern by itself")
    given = parser.parse_args()
    halves = {"tuning": TUNING, "held-out": HELD_OUT}
    for half, names in halves.items():
        if given.half not in {half, "both"}:
            continue
        began, feeds = time.perf_counter(), drawn(names)
        print(f"\n{half}: {', '.join(sorted(names))}")
        guesses: dict[str, float] = {}
        for before, budget in pairwise([given.budgets[0], *given.budgets]):
            guesses = {name: scale * before / budget for name, scale in guesses.items()}
            found = compared(feeds, budget, guesses)
            print_table(budget, found, feeds)
            if given.patterns:
                print_patterns(found)
        print(f"  ({time.perf_counter() - began:.0f} s)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
