"""Habits of outlets are learned over the state, by one worker for all, and looked up seldom."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from worker_parts import SettableClock

from pipeline.adapters.sql_state import SqlState
from pipeline.enrich.outlets import FRESH_FOR, OutletProfiles


@pytest.fixture
def state(tmp_path: Path) -> Iterator[SqlState]:
    state = SqlState.open(f"sqlite:///{tmp_path}/state.db", migrate=True)
    yield state
    state.close()


@pytest.fixture
def clock() -> SettableClock:
    return SettableClock()


@pytest.fixture
def profiles(state: SqlState, clock: SettableClock) -> OutletProfiles:
    return OutletProfiles(state, clock)


def read_pages(profiles: OutletProfiles, clock: SettableClock, start: int, number: int, characters: int) -> None:
    for n in range(start, start + number):
        clock.forward(43_200)
        profiles.note(f"a{n}", "Mirror", (7, 1_000 + n), characters, 100_000)
        profiles.flush()


def test_what_one_worker_learns_the_next_one_knows(
    profiles: OutletProfiles, state: SqlState, clock: SettableClock
) -> None:
    assert profiles.repeated_lines("Mirror") == frozenset()
    read_pages(profiles, clock, 0, 6, 2_000)
    other = OutletProfiles(state, clock)
    assert other.repeated_lines("Mirror") == {7}
    assert other.repeated_lines("Harbour Times") == frozenset()


def test_nothing_is_written_before_the_batch_is_done(profiles: OutletProfiles, state: SqlState) -> None:
    profiles.note("a1", "Mirror", (7,), 10, 100)
    assert state.outlet_pages("Mirror") == []
    profiles.flush()
    profiles.flush()
    assert len(state.outlet_pages("Mirror")) == 1


def test_what_was_looked_up_serves_for_a_while(
    profiles: OutletProfiles, state: SqlState, clock: SettableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked_up = []
    monkeypatch.setattr(state, "outlet_pages", lambda outlet: looked_up.append(outlet) or ())
    for _ in range(5):
        profiles.repeated_lines("Mirror")
        profiles.broken("Mirror")
    assert looked_up == ["Mirror"]
    clock.forward(FRESH_FOR.total_seconds())
    profiles.repeated_lines("Mirror")
    assert looked_up == ["Mirror", "Mirror"]


def test_a_break_is_told_to_all_workers_and_ends_for_all(
    profiles: OutletProfiles, state: SqlState, clock: SettableClock
) -> None:
    other = OutletProfiles(state, clock)
    read_pages(profiles, clock, 0, 20, 2_000)
    assert profiles.broken("Mirror") == other.broken("Mirror") == ""
    read_pages(profiles, clock, 20, 8, 0)
    cause = "62% of the last 8 pages gave no text; 0% of those before"
    assert profiles.broken("Mirror") == other.broken("Mirror") == cause
    assert set(state.outlet_breaks()) == {"Mirror"}
    read_pages(other, clock, 28, 8, 2_000)
    assert profiles.broken("Mirror") == other.broken("Mirror") == ""
    assert state.outlet_breaks() == {}
