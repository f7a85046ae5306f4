"""Requests: work left for the holder of the index lease."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from pipeline.ports import Request, State

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
KINDS = ["delete", "prune"]


def claim(state: State, now: datetime = NOW, holder: str = "ann", limit: int = 10) -> list[int]:
    return [request.id for request in state.claim_requests(KINDS, now, limit, holder, 60)]


def test_a_request_is_claimed_as_it_was_added(state: State) -> None:
    payload = {"ids": ["a1", "x\x00\udcff"], "n": 2**40, "deep": {"no": None, "yes": True}}
    number = state.add_request("delete", payload, NOW)

    assert state.request(number) == Request(id=number, kind="delete", payload=payload)
    assert state.claim_requests(KINDS, NOW, 1, "ann", 60) == [Request(id=number, kind="delete", payload=payload)]


def test_an_unknown_request_is_none(state: State) -> None:
    assert state.request(77) is None


def test_requests_are_claimed_oldest_first(state: State) -> None:
    numbers = [state.add_request("prune", {}, NOW) for _ in range(3)]

    assert claim(state, limit=2) == numbers[:2]
    assert claim(state, holder="bob") == numbers[2:]


def test_only_requests_of_the_kinds_named_are_claimed(state: State) -> None:
    number = state.add_request("replay", {}, NOW)

    assert claim(state) == []
    assert state.claim_requests([], NOW, 10, "ann", 60) == []
    assert [request.id for request in state.claim_requests(["replay"], NOW, 10, "ann", 60)] == [number]


def test_a_claim_ends_with_its_time(state: State) -> None:
    number = state.add_request("prune", {}, NOW)
    claim(state)

    assert claim(state, NOW + 59 * SECOND, "bob") == []
    assert claim(state, NOW + 60 * SECOND, "bob") == [number]
    assert state.finish_request(number, "ann", {}) is False
    assert state.request(number) == Request(id=number, kind="prune", payload={})


def test_a_claim_made_before_the_clock_went_back_an_hour_is_void(state: State) -> None:
    number = state.add_request("prune", {}, NOW)
    claim(state)

    assert claim(state, NOW - timedelta(hours=1), "bob") == [number]


def test_a_finished_request_has_its_result_and_is_not_claimed_again(state: State) -> None:
    number = state.add_request("prune", {}, NOW)
    claim(state)

    assert state.finish_request(number, "ann", {"removed": 3}) is True

    assert state.request(number) == Request(id=number, kind="prune", payload={}, result={"removed": 3})
    assert claim(state, NOW + timedelta(hours=1)) == []
    assert state.finish_request(number, "ann", {}) is False


def test_an_empty_result_is_a_result(state: State) -> None:
    number = state.add_request("prune", {}, NOW)
    claim(state)
    state.finish_request(number, "ann", {})

    finished = state.request(number)
    assert finished is not None
    assert finished.result == {}
    assert claim(state, NOW + timedelta(hours=1)) == []
