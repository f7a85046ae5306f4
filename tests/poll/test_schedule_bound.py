"""The bound that schedules are compared with is the best plan there is."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from benchmarks.schedule import BEGIN, clairvoyant, planned, scored
from benchmarks.schedule_patterns import HELD_OUT, PATTERNS, TUNING, Arrivals, drawn
from hypothesis import given
from hypothesis import strategies as st

moments = st.lists(st.integers(0, 500), min_size=1, max_size=8).map(lambda found: sorted(float(at) for at in found))


def cost_of(times: list[float], polls: list[float], price: float) -> float:
    return sum(min(poll for poll in polls if poll >= at) - at for at in times) + price * len(polls)


@given(moments, st.integers(1, 400))
def test_no_choice_of_polls_costs_less_than_the_plan(times: list[float], price: int) -> None:
    others = (
        [*some, times[-1]] for number in range(len(times)) for some in combinations(sorted(set(times[:-1])), number)
    )
    best = min(cost_of(times, polls, price) for polls in others)

    assert cost_of(times, planned(times, price), price) == pytest.approx(best)


def test_the_bound_of_the_mean_is_below_any_plan_of_as_many_polls() -> None:
    dice = np.random.default_rng(1)
    feeds = [Arrivals("a", n, np.sort(BEGIN + dice.uniform(0, 20 * 86_400.0, 40 * (n + 1))), 30) for n in range(3)]

    plan, bound = clairvoyant(feeds, 2)
    evenly = [scored(feed, list(np.arange(0, BEGIN + 23 * 86_400.0, 43_200.0))) for feed in feeds]
    mean = np.concatenate([score.delays for score in evenly]).mean()
    assert 0 < bound < mean
    assert bound == pytest.approx(np.concatenate([score.delays for score in plan]).mean(), rel=0.2)


def test_patterns_are_the_same_at_every_call_and_half_of_them_are_held_out() -> None:
    assert len(HELD_OUT) == len(TUNING) == len(PATTERNS) // 2
    for first, second in zip(drawn(TUNING), drawn(TUNING), strict=True):
        assert first.name == second.name
        assert np.array_equal(first.times, second.times)
