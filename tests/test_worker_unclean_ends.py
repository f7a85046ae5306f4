"""Unclean ends and lost partitions: a killer is found, an innocent record never, and others' markers are left alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from worker_parts import BACK, IN, OUT, Bench, failing_on, passed_on

from pipeline.dead import read_dead_letter
from pipeline.errors import DataFolderError, LeaseLost, PartitionLost, PublishError, TryLater, WirewatchError
from pipeline.outcomes import Status
from pipeline.ports import Marker, Record, TopicPartition
from pipeline.worker import Handled

DEAD = IN + ".dead"
Handle = Callable[[Sequence[Record]], Sequence[Handled]]


class Killed(BaseException):
    """Stands for SIGKILL: no handler of the worker may act on it."""


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(tmp_path)
    yield bench
    bench.close()


def deadly(*poisons: bytes, otherwise: Handle = passed_on) -> Handle:
    def handle(records: Sequence[Record]) -> Sequence[Handled]:
        if any(record.value in poisons for record in records):
            raise Killed
        return otherwise(records)

    return handle


def deaths_of(bench: Bench, handle: Handle, limit: int = 20) -> int:
    """Start the worker again and again, as a supervisor does, until it ends well; return how often it was killed."""
    for deaths in range(limit):
        try:
            bench.worker(handle).run(once=True)
        except Killed:
            bench.crash()
        else:
            return deaths
    raise AssertionError(f"killed {limit} times, and no end")


def letters(bench: Bench) -> dict[bytes | None, str]:
    return {letter.value: letter.reason for letter in map(read_dead_letter, bench.values(DEAD))}


def the_place(bench: Bench) -> TopicPartition:
    (place,) = bench.state.markers("step", [TopicPartition(IN, 0), TopicPartition(IN, 1)])
    return place


def test_two_killers_side_by_side_are_both_found(bench: Bench) -> None:
    bench.send(b"1", b"poison", b"poison too", b"4")
    assert deaths_of(bench, deadly(b"poison", b"poison too")) == 7  # once in their batch, three times alone each
    assert bench.values(OUT) == [b"1", b"4"]
    assert letters(bench) == {b"poison": "killed its worker", b"poison too": "killed its worker"}


def test_a_killer_behind_dead_letters_that_are_held_back_is_found(bench: Bench) -> None:
    bench.send(b"bad", b"poison", b"bad", b"poison too")
    assert deaths_of(bench, deadly(b"poison", b"poison too", otherwise=failing_on(b"bad"))) == 7
    assert letters(bench)[b"poison"] == letters(bench)[b"poison too"] == "killed its worker"
    assert bench.committed() == 4


def test_a_step_is_told_of_a_record_that_it_will_never_see_again(bench: Bench) -> None:
    told: list[bytes | None] = []
    bench.pass_over = lambda record: told.append(record.value)
    bench.send(b"1", b"poison")
    deaths_of(bench, deadly(b"poison"))
    assert told == [b"poison"]


def test_a_named_error_of_a_neighbour_never_counts_against_the_record(bench: Bench) -> None:
    bench.send(b"1")

    def handle(records: Sequence[Record]) -> Sequence[Handled]:
        raise DataFolderError("the disk is full")

    for _ in range(5):
        with pytest.raises(WirewatchError, match="disk is full"):
            bench.worker(handle).run(once=True)
        bench.crash()
    bench.worker().run(once=True)
    assert bench.values(OUT) == [b"1"]
    assert bench.values(DEAD) == []


def test_a_partition_that_comes_back_with_the_marker_of_a_dead_worker_is_replayed_singly(bench: Bench) -> None:
    # Given a worker that gave its partitions away, and another that died with records of them in hand
    bench.send(b"0")
    sizes: list[int] = []
    worker = bench.worker(lambda records: sizes.append(len(records)) or passed_on(records))
    worker.turn()
    place = the_place(bench)
    mine = bench.consumer
    mine.assignment = frozenset  # type: ignore[method-assign]
    worker.turn()
    bench.state.mark_batch("step", [Marker(place=place, first=1, last=2)], {}, bench.clock())
    # When they come back where they were
    del mine.assignment
    bench.send(b"1", b"2", b"3")
    sizes.clear()
    worker.run(once=True)
    # Then what the other had in hand is handled one at a time
    assert sizes == [1, 1, 1]


def test_who_lost_the_lease_leaves_the_marker_of_the_new_writer(bench: Bench) -> None:
    bench.send(b"1", b"2")
    theirs: list[Marker] = []

    def handle(records: Sequence[Record]) -> Sequence[Handled]:
        theirs.append(Marker(place=records[0].place, first=0, last=0, replay_until=1, tries=1))
        bench.state.mark_batch("step", theirs, {}, bench.clock())
        raise LeaseLost("epoch 2")

    with pytest.raises(LeaseLost):
        bench.worker(handle).run(once=True)
    assert list(bench.state.markers("step", [theirs[0].place]).values()) == theirs


def test_a_clean_stop_leaves_the_trace_of_a_killer_that_was_not_reached_yet(bench: Bench) -> None:
    bench.send(b"1", b"poison")
    with pytest.raises(Killed):
        bench.worker(deadly(b"poison")).run(once=True)
    bench.crash()
    trace = bench.state.markers("step", [the_place(bench)])
    bench.stop_after = -1
    bench.worker(deadly(b"poison")).run()
    assert bench.state.markers("step", trace) == trace


@pytest.mark.parametrize("call", ["poll", "heartbeat"])
def test_a_partition_lost_while_reading_is_no_fault(bench: Bench, call: str) -> None:
    bench.send(b"1")
    worker = bench.worker()
    real, lost = getattr(bench.consumer, call), [PartitionLost("the lease ran out")]
    busy = [TryLater("broker busy")] if call == "heartbeat" else []
    poll = bench.consumer.poll

    def or_lose(*given: object) -> object:
        if lost:
            raise lost.pop()
        return real(*given)

    def or_wait(*given: object) -> object:
        if busy:
            raise busy.pop()
        return poll(*given)

    if call == "heartbeat":
        bench.consumer.poll = or_wait
    setattr(bench.consumer, call, or_lose)
    worker.run(once=True)
    assert bench.values(OUT) == [b"1"]
    assert bench.committed() == 1


@pytest.mark.parametrize(
    ("part", "call"), [("state", "markers"), ("consumer", "committed"), ("state", "clear_markers")]
)
def test_a_busy_neighbour_is_waited_for_when_an_unclean_end_or_a_loss_is_looked_into(
    bench: Bench, part: str, call: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.send(b"1", b"2")
    with pytest.raises(Killed):
        bench.worker(deadly(b"1")).run(once=True)
    bench.crash()
    worker = bench.worker(max_records=1)
    commit, lost, busy = bench.consumer.commit, [PartitionLost("given away")], [TryLater("locked")] * 3
    target = bench.state if part == "state" else bench.consumer
    real = getattr(target, call)

    def or_wait(*given: object) -> object:
        if busy:
            raise busy.pop()
        return real(*given)

    def or_lose(offsets: dict[TopicPartition, int]) -> None:
        if lost:
            raise lost.pop()
        commit(offsets)

    monkeypatch.setattr(target, call, or_wait)
    monkeypatch.setattr(bench.consumer, "commit", or_lose)
    worker.run(once=True)
    assert busy == []
    assert bench.committed() == 2
    assert set(bench.values(OUT)) == {b"1", b"2"}


def test_dead_letters_of_a_partition_that_went_are_left_to_its_new_owner(bench: Bench) -> None:
    bench.send(b"bad")
    worker = bench.worker(failing_on(b"bad"))
    worker.turn()
    bench.consumer.assignment = frozenset  # type: ignore[method-assign]
    worker.turn()
    assert bench.values(DEAD) == []
    assert bench.committed() == 0


def test_counts_are_not_lost_when_told_to_stop_while_the_state_is_away(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.send(b"1", b"2")
    worker = bench.worker(max_records=1)
    worker.turn()
    mark, away = bench.state.mark_batch, [TryLater("state away")]

    def or_wait(*given: object) -> None:
        if away:
            raise away.pop()
        mark(*given)

    monkeypatch.setattr(bench.state, "mark_batch", or_wait)
    bench.stop_after = 0
    worker.run()
    assert bench.counts() == {("published", ""): 1}


def test_dead_letters_that_were_written_are_not_written_again_with_those_that_were_not(bench: Bench) -> None:
    bench.send(b"bad", b"worse", b"good")
    bench.broker.failures[DEAD] = [None, PublishError("away")]
    bench.worker(failing_on(b"bad", b"worse")).run(once=True)
    assert sorted(letter.value for letter in map(read_dead_letter, bench.values(DEAD))) == [b"bad", b"worse"]


def test_a_batch_is_not_filled_up_past_its_size_in_bytes(bench: Bench) -> None:
    bench.send(*[b"x" * 1000] * 6)
    sizes: list[int] = []
    worker = bench.worker(
        lambda records: sizes.append(len(records)) or passed_on(records), linger_seconds=60.0, max_bytes=2500,
        max_records=6,
    )  # fmt: skip
    poll = bench.consumer.poll
    bench.consumer.poll = lambda size, *rest: poll(min(size, 1), *rest)  # type: ignore[method-assign]
    for _ in range(2):
        worker.turn()
    assert sizes == [3, 3]


def test_backfill_fills_what_live_leaves_of_a_batch(bench: Bench) -> None:
    bench.send(b"old", b"older", topic=BACK)
    bench.send(b"new")
    batches: list[set[bytes | None]] = []

    def noted(records: Sequence[Record]) -> Sequence[Handled]:
        batches.append({record.value for record in records})
        return [Handled(record, Status.DUPLICATE) for record in records]

    bench.worker(noted, inputs=(IN, BACK), max_records=2, linger_seconds=60.0).turn()
    assert batches == [{b"new", b"old"}]
