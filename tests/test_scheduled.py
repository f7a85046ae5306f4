"""What the DAGs do, without Airflow: batches are counted first, and claimed where they are polled."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from fakes import Killed
from journey_parts import Item, World
from msgspec.structs import replace
from stub_server import Answer, StubServer
from worker_parts import FaultyBroker

from pipeline import scheduled, topics, wiring
from pipeline.adapters.sql_state import SqlState
from pipeline.dead import dead_letter
from pipeline.errors import DataFolderError, PublishError, TryLater, UsageError, WirewatchError
from pipeline.ports import Record
from pipeline.wiring import Ports

RAW = topics.raw("live")
BATCH = 2


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with StubServer() as server:
        yield World(tmp_path, server, poll_batch=BATCH)


@pytest.fixture
def ports(world: World) -> Iterator[Ports]:
    with wiring.open_ports(world.settings, clock=world.clock) as ports:
        yield ports


@pytest.fixture
def other_ports(world: World) -> Iterator[Ports]:
    """Those of another process: another name in claims."""
    with wiring.open_ports(world.settings, clock=world.clock) as ports:
        yield ports


def show(world: World, count: int) -> list[str]:
    """Serve so many feeds of one item each, watch them, and return their ids."""
    return [
        world.feed(f"/{n}", Item(link=f"http://harbour.example/{n}", title=f"Ferry {n}", text="It sails.")).id
        for n in range(count)
    ]


def times_asked(world: World) -> list[int]:
    paths = [request.path for request in world.server.requests if request.path != "/hook"]
    return [paths.count(path) for path in sorted(set(paths))]


def run(ports: Ports) -> dict[str, int]:
    """One run of the DAG."""
    return scheduled.report(scheduled.poll_batch(ports, feeds) for feeds in scheduled.due_batches(ports))


# --- counting


def test_what_is_due_is_counted_into_batches_and_nothing_due_is_no_batch(world: World, ports: Ports) -> None:
    assert scheduled.due_batches(ports) == []
    ids = show(world, 5)
    assert scheduled.due_batches(ports) == [2, 2, 1]
    ports.state.pause_feed(ids[0], True)
    assert scheduled.due_batches(ports) == [2, 2]


def test_counting_claims_nothing_so_a_run_that_ends_there_keeps_no_feed_from_anybody(
    world: World, ports: Ports, other_ports: Ports
) -> None:
    show(world, 2)
    scheduled.due_batches(other_ports)
    assert scheduled.poll_batch(ports, BATCH)["polled"] == 2


def test_a_run_has_no_more_batches_than_airflow_can_map(
    world: World, ports: Ports, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scheduled, "MOST_BATCHES", 2)
    show(world, 5)
    assert scheduled.due_batches(ports) == [2, 2]
    run(ports)
    assert scheduled.due_batches(ports) == [1]


# --- polling


def test_a_run_polls_every_due_feed_once_and_adds_up_its_batches(world: World, ports: Ports) -> None:
    show(world, 5)
    assert run(ports) == {"polled": 5, "unchanged": 0, "failed": 0, "new": 5, "changed": 0}
    assert times_asked(world) == [1] * 5
    assert scheduled.due_batches(ports) == []
    world.clock.forward(61)
    assert run(ports) == {"polled": 5, "unchanged": 5, "failed": 0, "new": 0, "changed": 0}


def test_row_28_overlapping_runs_share_what_is_due_and_the_later_finds_nothing(
    world: World, ports: Ports, other_ports: Ports
) -> None:
    show(world, 3)
    both = [scheduled.due_batches(ports), scheduled.due_batches(other_ports)]
    assert both == [[2, 1], [2, 1]]
    polled = [scheduled.poll_batch(who, feeds)["polled"]
              for feeds in both[0] for who in (ports, other_ports)]  # fmt: skip
    assert (polled, times_asked(world)) == ([2, 1, 0, 0], [1, 1, 1])


def test_a_task_killed_in_its_batch_leaves_the_feeds_due_for_the_next_run_when_its_claim_has_ended(
    world: World, ports: Ports, other_ports: Ports
) -> None:
    show(world, 2)

    def die(point: str) -> None:
        if point == "poll:claimed":
            raise Killed(point)

    with pytest.raises(Killed):
        scheduled.poll_batch(replace(other_ports, reach=die), BATCH)
    assert scheduled.poll_batch(ports, BATCH)["polled"] == 0  # its claim holds: this process is still there
    world.clock.forward(ports.settings.poll_lease_seconds)
    assert run(ports)["new"] == 2


# --- what fails a task, and what does not


def test_a_feed_that_fails_fails_no_task_and_its_retry_after_moves_its_due_time(world: World, ports: Ports) -> None:
    (slow, _) = show(world, 2)
    world.server.on("/0", Answer(status=429, headers={"Retry-After": "7200"}))
    total = run(ports)
    if total["polled"] == 1:  # whichever comes first: a host that says too many is asked for nothing else now
        assert total["failed"] == 1
        world.clock.forward(7200)
        total = run(ports)
    assert total["new"] == 1 or total["failed"] == 1
    known = ports.state.feed(slow)
    assert known is not None
    assert known.state.next_due is not None
    assert known.state.last_polled is not None
    assert known.state.next_due - known.state.last_polled == timedelta(hours=2)


def test_a_broker_that_does_not_take_what_a_feed_brought_fails_the_task_and_the_feed_is_due_again_in_a_minute(
    world: World, ports: Ports
) -> None:
    show(world, 2)
    broker = FaultyBroker(ports.broker)
    broker.failures[RAW] = [PublishError("disk full")]
    with pytest.raises(WirewatchError, match=r"1 of 2 feeds brought was not published: broker: disk full"):
        scheduled.poll_batch(replace(ports, broker=broker), BATCH)
    assert scheduled.due_batches(ports) == []
    world.clock.forward(60)
    assert run(ports)["new"] == 1


@pytest.mark.parametrize(("method", "work"), [
    ("feed_numbers", scheduled.due_batches),
    ("claim_due_feeds", lambda ports: scheduled.poll_batch(ports, 1)),
    ("save_polls", lambda ports: scheduled.poll_batch(ports, 1)),
])  # fmt: skip
def test_a_state_that_is_away_fails_the_task(
    world: World, ports: Ports, monkeypatch: pytest.MonkeyPatch, method: str, work: object
) -> None:
    show(world, 1)

    def away(*_: object) -> None:
        raise TryLater("the state is away")

    monkeypatch.setattr(SqlState, method, away)
    with pytest.raises(TryLater):
        work(ports)


def test_without_a_data_folder_a_task_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WIREWATCH_DATA", str(tmp_path / "nowhere"))
    with pytest.raises(DataFolderError, match="There is no data folder"), scheduled.open_ports():
        pass


# --- pruning and replaying


def test_pruning_returns_what_went_in_a_form_that_airflow_can_keep(ports: Ports) -> None:
    assert scheduled.prune(ports) == {"records": 0, "pages": 0, "seen": 0, "polls": 0, "months": [], "asked": []}


def bury(ports: Ports, value: bytes | None, size: int | None = None) -> str:
    """Bury a record and return the place of its letter."""
    record = Record(
        topic=RAW, partition=0, offset=7, key="k", value=b"x" * size if size else value, timestamp=ports.clock()
    )  # fmt: skip
    place = dict(ports.broker.end_offsets([topics.dead(RAW)]))
    assert ports.broker.publish([dead_letter(record, step="enrich", reason="bad", detail="d", at=ports.clock())]) == [
        None
    ]
    (grown,) = [it for it, end in ports.broker.end_offsets([topics.dead(RAW)]).items() if end > place[it]]
    return topics.place_name(grown.topic, grown.partition, place[grown])


def test_all_dead_letters_are_replayed_once_or_one_that_is_named_as_often_as_asked(ports: Ports) -> None:
    first, _ = bury(ports, b"{}"), bury(ports, b"{}")
    assert [scheduled.replay(ports, None), scheduled.replay(ports, None)] == [2, 0]
    assert [scheduled.replay(ports, first), scheduled.replay(ports, first)] == [1, 1]


def test_a_letter_that_can_never_be_sent_again_fails_the_task_and_the_others_are_sent(ports: Ports) -> None:
    bury(ports, b"{}")
    gone = bury(ports, None, size=100_000)  # too large for its letter, and past retention where it stood
    with pytest.raises(WirewatchError, match=rf"replayed 1; 1 not replayed, its record is past retention: {gone}"):
        scheduled.replay(ports, None)
    assert scheduled.replay(ports, None) == 0


def test_a_place_that_is_none_is_said_to_be(ports: Ports) -> None:
    with pytest.raises(UsageError, match="is no dead letter's place"):
        scheduled.replay(ports, "elsewhere")
