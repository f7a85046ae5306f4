"""Leases: one holder at a time, known by an epoch."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from pipeline.adapters.processes import holder_name
from pipeline.errors import LeaseLost
from pipeline.ports import State

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
LATER = NOW + timedelta(seconds=31)


def test_a_free_lease_is_given(state: State) -> None:
    lease = state.acquire_lease("settle", "ann", 30, NOW)

    assert lease is not None
    assert (lease.name, lease.holder, lease.expires) == ("settle", "ann", NOW + timedelta(seconds=30))
    assert state.lease_holder("settle", NOW) == lease


def test_a_lease_in_force_is_refused_to_others(state: State) -> None:
    state.acquire_lease("settle", "ann", 30, NOW)

    assert state.acquire_lease("settle", "bob", 30, NOW + timedelta(seconds=29)) is None


def test_leases_of_other_names_do_not_meet(state: State) -> None:
    state.acquire_lease("settle", "ann", 30, NOW)

    assert state.acquire_lease("index", "bob", 30, NOW) is not None


def test_an_expired_lease_changes_hands_and_its_epoch_grows(state: State) -> None:
    ann = state.acquire_lease("settle", "ann", 30, NOW)
    bob = state.acquire_lease("settle", "bob", 30, NOW + timedelta(seconds=30))

    assert ann is not None
    assert bob is not None
    assert bob.epoch > ann.epoch
    assert state.lease_holder("settle", LATER) == bob


def test_acquiring_ones_own_lease_extends_it_in_the_same_epoch(state: State) -> None:
    first = state.acquire_lease("settle", "ann", 30, NOW)
    again = state.acquire_lease("settle", "ann", 30, NOW + timedelta(seconds=20))

    assert first is not None
    assert again is not None
    assert again.epoch == first.epoch
    assert again.expires == NOW + timedelta(seconds=50)


def test_a_lease_is_renewed_in_its_epoch(state: State) -> None:
    lease = state.acquire_lease("settle", "ann", 30, NOW)
    assert lease is not None

    renewed = state.renew_lease(lease, 30, NOW + timedelta(seconds=20))

    assert renewed.epoch == lease.epoch
    assert state.acquire_lease("settle", "bob", 30, NOW + timedelta(seconds=49)) is None


def test_a_lease_that_expired_can_be_renewed_while_nobody_took_it(state: State) -> None:
    lease = state.acquire_lease("settle", "ann", 30, NOW)
    assert lease is not None

    assert state.renew_lease(lease, 30, LATER).expires == LATER + timedelta(seconds=30)


def test_a_lease_that_another_took_cannot_be_renewed(state: State) -> None:
    lease = state.acquire_lease("settle", "ann", 30, NOW)
    bob = state.acquire_lease("settle", "bob", 30, LATER)
    assert lease is not None

    with pytest.raises(LeaseLost, match="bob"):
        state.renew_lease(lease, 30, LATER)
    assert state.lease_holder("settle", LATER) == bob


def test_a_lease_that_came_back_to_its_holder_is_not_the_former_one(state: State) -> None:
    former = state.acquire_lease("settle", "ann", 30, NOW)
    state.acquire_lease("settle", "bob", 30, LATER)
    state.acquire_lease("settle", "ann", 30, LATER + timedelta(seconds=31))
    assert former is not None

    with pytest.raises(LeaseLost):
        state.renew_lease(former, 30, LATER + timedelta(seconds=32))


def test_a_released_lease_cannot_be_renewed(state: State) -> None:
    lease = state.acquire_lease("settle", "ann", 30, NOW)
    assert lease is not None
    state.release_lease(lease)

    with pytest.raises(LeaseLost):
        state.renew_lease(lease, 30, NOW)


def test_a_released_lease_is_free_at_once(state: State) -> None:
    ann = state.acquire_lease("settle", "ann", 30, NOW)
    assert ann is not None

    state.release_lease(ann)

    assert state.lease_holder("settle", NOW) is None
    bob = state.acquire_lease("settle", "bob", 30, NOW)
    assert bob is not None
    assert bob.epoch > ann.epoch


def test_releasing_a_lost_lease_does_not_take_it_from_its_new_holder(state: State) -> None:
    ann = state.acquire_lease("settle", "ann", 30, NOW)
    bob = state.acquire_lease("settle", "bob", 30, LATER)
    assert ann is not None

    state.release_lease(ann)

    assert state.lease_holder("settle", LATER) == bob


def test_nobody_holds_an_expired_lease(state: State) -> None:
    state.acquire_lease("settle", "ann", 30, NOW)

    assert state.lease_holder("settle", LATER) is None


def test_nobody_holds_an_unknown_lease(state: State) -> None:
    assert state.lease_holder("settle", NOW) is None


def test_a_lease_taken_before_the_clock_went_back_an_hour_is_void(state: State) -> None:
    state.acquire_lease("settle", "ann", 30, NOW)

    assert state.acquire_lease("settle", "bob", 30, NOW - timedelta(hours=1)) is not None


def test_a_clock_that_is_a_little_behind_takes_no_lease_away(state: State) -> None:
    state.acquire_lease("settle", "ann", 30, NOW)

    assert state.acquire_lease("settle", "bob", 30, NOW - timedelta(seconds=45)) is None


def test_a_holder_renews_through_a_clock_that_goes_back(state: State) -> None:
    lease = state.acquire_lease("settle", "ann", 30, NOW)
    assert lease is not None
    back = NOW - timedelta(hours=1)

    renewed = state.renew_lease(lease, 30, back)

    assert state.lease_holder("settle", back) == renewed
    assert state.acquire_lease("settle", "bob", 30, back) is None


def test_a_living_process_keeps_its_lease(state: State) -> None:
    me = holder_name("settle")
    state.acquire_lease("settle", me, 30, NOW)

    assert state.acquire_lease("settle", "bob", 30, NOW) is None


def test_times_without_a_zone_are_refused(state: State) -> None:
    with pytest.raises(ValueError, match="time zone"):
        state.acquire_lease("settle", "ann", 30, NOW.replace(tzinfo=None))
    assert state.lease_holder("settle", NOW) is None
