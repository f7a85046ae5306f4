"""The worker loop: nothing is committed before its effects are durable, and nothing is skipped."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from worker_parts import BACK, IN, OUT, Bench, failing_on, passed_on

from pipeline.dead import read_dead_letter
from pipeline.errors import (
    BreakerTripped,
    DeadLettersUnavailable,
    LeaseLost,
    PartitionLost,
    PublishError,
    TryLater,
)
from pipeline.outcomes import DropReason, Status
from pipeline.ports import Marker, Message, Record, TopicPartition
from pipeline.worker import Handled

DEAD = IN + ".dead"


class Killed(BaseException):
    """Stands for SIGKILL: no handler of the worker may act on it."""


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(tmp_path)
    yield bench
    bench.close()


def killing_at(point: str, times: int = 1):
    left = times

    def reach(name: str) -> None:
        nonlocal left
        if name == point:
            left -= 1
            if left == 0:
                raise Killed(name)

    return reach


def test_passes_records_on_in_order_and_commits(bench: Bench) -> None:
    bench.send(b"1", b"2", b"3")
    bench.worker().run(once=True)
    assert bench.values(OUT) == [b"1", b"2", b"3"]
    assert bench.committed() == 3
    assert bench.counts() == {("published", ""): 3}


def test_does_nothing_on_an_empty_topic(bench: Bench) -> None:
    assert bench.worker().turn() is False


@pytest.mark.parametrize("point", ["step:marked", "step:handled", "step:published", "step:booked"])
def test_a_kill_before_the_commit_means_redelivery(bench: Bench, point: str) -> None:
    bench.send(b"1", b"2")
    with pytest.raises(Killed):
        bench.worker(reach=killing_at(point)).run(once=True)
    assert bench.committed() == 0
    bench.crash()
    bench.worker().run(once=True)
    assert set(bench.values(OUT)) == {b"1", b"2"}
    assert bench.committed() == 2


def test_a_kill_after_the_commit_repeats_nothing(bench: Bench) -> None:
    bench.send(b"1")
    with pytest.raises(Killed):
        bench.worker(reach=killing_at("step:committed")).run(once=True)
    bench.crash()
    bench.worker().run(once=True)
    assert bench.values(OUT) == [b"1"]


def test_publishes_before_it_commits(bench: Bench) -> None:
    bench.send(b"1")
    seen: list[tuple[str, int, int]] = []
    bench.worker(reach=lambda p: seen.append((p, len(bench.values(OUT)), bench.committed()))).run(once=True)
    assert seen == [
        ("step:marked", 0, 0), ("step:handled", 0, 0), ("step:published", 1, 0), ("step:booked", 1, 0),
        ("step:committed", 1, 1),
    ]  # fmt: skip


def test_a_publish_that_fails_for_now_is_sent_again_and_order_is_kept(bench: Bench) -> None:
    bench.send(b"1", b"2", b"3")
    bench.broker.failures[OUT] = [None, PublishError("broker away"), None]
    bench.worker().run(once=True)
    assert bench.values(OUT) == [b"1", b"3", b"2", b"3"]  # "3" again: never behind a "2" that came late
    assert bench.committed() == 3


def test_nothing_is_committed_while_the_broker_refuses(bench: Bench) -> None:
    bench.send(b"1")
    bench.broker.failures[OUT] = [PublishError("broker away")] * 100
    bench.stop_after = 5
    bench.worker().run()
    assert bench.committed() == 0
    assert bench.values(OUT) == []


def test_a_message_that_can_never_be_published_makes_its_record_a_dead_letter(bench: Bench) -> None:
    bench.send(b"1", b"2", b"3")
    bench.broker.failures[OUT] = [None, PublishError("too large", fatal=True), None]
    bench.worker().run(once=True)
    assert bench.values(OUT) == [b"1", b"3"]
    (letter,) = [read_dead_letter(value) for value in bench.values(DEAD)]
    assert (letter.reason, letter.detail, letter.value) == ("cannot be published", "too large", b"2")
    assert bench.committed() == 3


def test_dead_letters_carry_reason_origin_and_value(bench: Bench) -> None:
    bench.send(b"good", b"bad")
    bench.worker(failing_on(b"bad", reason="not an article")).run(once=True)
    (letter,) = [read_dead_letter(value) for value in bench.values(DEAD)]
    assert (letter.step, letter.reason, letter.detail, letter.topic, letter.offset, letter.value) == (
        "step", "not an article", "why", IN, 1, b"bad",
    )  # fmt: skip
    assert bench.counts() == {("published", ""): 1, ("dead", "not an article"): 1}


def test_a_dead_letter_of_a_large_record_stays_small(bench: Bench) -> None:
    bench.send(b"x" * 800_000)
    bench.worker(failing_on(b"x" * 800_000)).run(once=True)
    (value,) = bench.values(DEAD)
    assert value is not None
    assert len(value) < 64 * 1024
    letter = read_dead_letter(value)
    assert (letter.value, letter.value_bytes) == (None, 800_000)


def test_stops_with_its_offset_kept_when_dead_letters_cannot_be_written(bench: Bench) -> None:
    bench.send(b"good", b"bad", b"good too")
    bench.broker.failures[DEAD] = [PublishError("dead-letter topic away")] * 100
    with pytest.raises(DeadLettersUnavailable, match="No record was skipped") as stopped:
        bench.worker(failing_on(b"bad")).run(once=True)
    assert stopped.value.exit_code == 4
    assert bench.committed() == 0
    bench.crash()
    bench.broker.failures.clear()
    bench.worker(failing_on(b"bad")).run(once=True)
    assert len(bench.values(DEAD)) == 1
    assert bench.committed() == 3


def test_a_dead_letter_topic_that_comes_back_in_time_is_waited_for(bench: Bench) -> None:
    bench.send(b"bad", b"good")
    bench.broker.failures[DEAD] = [PublishError("away")] * 2
    bench.worker(failing_on(b"bad")).run(once=True)
    assert len(bench.values(DEAD)) == 1
    assert bench.committed() == 2


def test_a_dead_letter_that_is_refused_for_good_stops_the_worker_at_once(bench: Bench) -> None:
    bench.send(b"bad", b"good")
    bench.broker.failures[DEAD] = [PublishError("no such topic", fatal=True)]
    with pytest.raises(DeadLettersUnavailable, match="no such topic"):
        bench.worker(failing_on(b"bad")).run(once=True)
    assert bench.waited == []


def test_the_breaker_stops_before_the_first_of_many_equal_deaths(bench: Bench) -> None:
    bench.send(b"good", *[b"bad"] * 20, b"good")
    with pytest.raises(BreakerTripped, match="20 records in a row failed for one reason, “bad”") as tripped:
        bench.worker(failing_on(b"bad")).run(once=True)
    assert tripped.value.exit_code == 5
    assert bench.values(DEAD) == []
    assert bench.committed() == 1


def test_the_breaker_counts_across_batches(bench: Bench) -> None:
    bench.send(b"good", *[b"bad"] * 20)
    with pytest.raises(BreakerTripped):
        bench.worker(failing_on(b"bad"), max_records=3).run(once=True)
    assert bench.committed() == 1
    assert bench.values(DEAD) == []


def test_one_success_between_resets_the_breaker(bench: Bench) -> None:
    bench.send(*[b"bad"] * 19, b"good", *[b"bad"] * 19)
    bench.worker(failing_on(b"bad")).run(once=True)
    assert len(bench.values(DEAD)) == 38
    assert bench.committed() == 39


def test_deaths_for_many_reasons_are_not_held_back_for_ever(bench: Bench) -> None:
    def handle(records: Sequence[Record]) -> Sequence[Handled]:
        return [Handled(r, Status.DEAD, reason=f"reason {r.offset}") for r in records]

    bench.send(*[b"x"] * 30)
    worker = bench.worker(handle, breaker=2)
    assert worker.turn()
    assert len(bench.values(DEAD)) == 30
    assert bench.committed() == 30


def test_a_commit_never_passes_a_dead_letter_that_is_held_back(bench: Bench) -> None:
    bench.send(b"good", b"bad", b"bad")
    worker = bench.worker(failing_on(b"bad"))
    worker.turn()
    assert bench.committed() == 1
    worker.turn()  # nothing more to read: the two are buried
    assert bench.committed() == 3
    assert len(bench.values(DEAD)) == 2


def test_dropped_records_are_counted_by_reason(bench: Bench) -> None:
    bench.send(b"1", b"2")
    bench.worker(lambda rs: [Handled(r, Status.DROPPED, reason=DropReason.NO_TEXT) for r in rs]).run(once=True)
    assert bench.counts() == {("dropped", "no_text"): 2}
    assert bench.committed() == 2


def test_holds_the_batch_while_the_sink_says_later(bench: Bench) -> None:
    bench.send(b"1")
    answers = [TryLater("index away"), TryLater("index away", retry_seconds=7.0)]
    held: list[str] = []

    def handle(records: Sequence[Record]) -> Sequence[Handled]:
        held.append(worker.held_because)
        if answers:
            raise answers.pop(0)
        return passed_on(records)

    worker = bench.worker(handle)
    worker.run(once=True)
    assert held == ["", "index away", "index away"]
    assert worker.held_because == ""
    assert sum(bench.waited[1:]) == pytest.approx(7.0)
    assert max(bench.waited) <= 3.0  # in portions, so that the group hears of it
    assert bench.values(OUT) == [b"1"]


def test_waits_longer_each_time_up_to_a_limit(bench: Bench) -> None:
    bench.send(b"1")
    bench.stop_after = 60

    def handle(records: Sequence[Record]) -> Sequence[Handled]:
        raise TryLater("index away")

    bench.worker(handle, first_wait_seconds=0.5, longest_wait_seconds=2.0).run()
    assert 0.25 <= bench.waited[0] <= 0.5
    assert all(1.0 <= seconds <= 2.0 for seconds in bench.waited[3:])
    assert bench.committed() == 0


def test_told_to_stop_while_holding_it_gives_the_batch_back_without_suspicion(bench: Bench) -> None:
    bench.send(b"1", b"2")
    bench.stop_after = 3

    def handle(records: Sequence[Record]) -> Sequence[Handled]:
        raise TryLater("index away")

    bench.worker(handle).run()
    bench.crash()
    bench.stop_after = None
    sizes: list[int] = []

    def sized(records: Sequence[Record]) -> Sequence[Handled]:
        sizes.append(len(records))
        return passed_on(records)

    bench.worker(sized).run(once=True)
    assert sizes == [2]


def test_after_an_unclean_end_the_range_is_replayed_one_at_a_time(bench: Bench) -> None:
    bench.send(b"1", b"2", b"3")
    with pytest.raises(Killed):
        bench.worker(reach=killing_at("step:handled")).run(once=True)
    bench.crash()
    bench.send(b"4", b"5")
    batches: list[list[bytes | None]] = []

    def noted(records: Sequence[Record]) -> Sequence[Handled]:
        batches.append([r.value for r in records])
        return passed_on(records)

    bench.worker(noted).run(once=True)
    assert batches == [[b"1"], [b"2"], [b"3"], [b"4", b"5"]]


def test_a_record_that_kills_its_worker_becomes_a_dead_letter(bench: Bench) -> None:
    bench.send(b"1", b"2", b"poison", b"4")

    def handle(records: Sequence[Record]) -> Sequence[Handled]:
        if any(r.value == b"poison" for r in records):
            raise Killed
        return passed_on(records)

    deaths = 0
    while True:
        try:
            bench.worker(handle).run(once=True)
            break
        except Killed:
            deaths += 1
            bench.crash()
    assert deaths == 4  # once in its batch, three times alone
    assert bench.values(OUT) == [b"1", b"2", b"4"]
    (letter,) = [read_dead_letter(value) for value in bench.values(DEAD)]
    assert (letter.reason, letter.value) == ("killed its worker", b"poison")


def test_a_fault_of_ours_leaves_the_mark_and_is_not_swallowed(bench: Bench) -> None:
    bench.send(b"1")

    def handle(records: Sequence[Record]) -> Sequence[Handled]:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        bench.worker(handle).run(once=True)
    (place,) = [TopicPartition(IN, n) for n in (0, 1) if bench.state.markers("step", [TopicPartition(IN, n)])]
    assert bench.state.markers("step", [place])[place].tries == 1


def test_an_outcome_for_every_record_or_it_is_our_bug(bench: Bench) -> None:
    bench.send(b"1", b"2")
    with pytest.raises(AssertionError, match="1 outcomes for 2 records"):
        bench.worker(lambda records: passed_on(records)[:1]).run(once=True)
    assert bench.committed() == 0


def test_a_stale_mark_below_the_committed_offset_means_nothing(bench: Bench) -> None:
    bench.send(b"1", b"2", b"3")
    bench.worker(max_records=2).turn()
    bench.crash()
    sizes: list[int] = []
    bench.worker(lambda rs: sizes.append(len(rs)) or passed_on(rs)).run(once=True)
    assert sizes == [1]
    assert len(bench.values(OUT)) == 3


def test_live_comes_before_backfill_but_never_starves_it(bench: Bench) -> None:
    bench.send(*[b"old"] * 3, topic=BACK)
    bench.send(*[b"new"] * 40)
    order: list[bytes | None] = []

    def noted(records: Sequence[Record]) -> Sequence[Handled]:
        order.extend(r.value for r in records)
        return passed_on(records)

    bench.worker(noted, inputs=(IN, BACK), max_records=1, backfill_every=10).run(once=True)
    assert order[:9] == [b"new"] * 9
    assert order[9] == b"old"
    assert order.count(b"new") == 40
    assert order.count(b"old") == 3
    assert order.index(b"old", 10) == 19


def test_a_full_batch_does_not_linger_and_a_small_one_takes_what_comes(bench: Bench) -> None:
    bench.send(b"1", b"2", b"3", b"4")
    sizes: list[int] = []
    bench.worker(lambda rs: sizes.append(len(rs)) or passed_on(rs), max_records=3, linger_seconds=0.01).run(once=True)
    assert sizes == [3, 1]


def test_a_lost_partition_is_left_to_its_new_owner_and_the_rest_goes_on(bench: Bench) -> None:
    bench.send(b"1")
    worker = bench.worker(max_records=1)
    commit = bench.consumer.commit
    lost = [PartitionLost("given to another")]

    def commit_or_lose(offsets: dict[TopicPartition, int]) -> None:
        if lost:
            raise lost.pop()
        commit(offsets)

    bench.consumer.commit = commit_or_lose  # type: ignore[method-assign]
    worker.run(once=True)
    assert bench.values(OUT) == [b"1", b"1"]  # redelivered, here to itself
    assert bench.committed() == 1


def test_losing_a_partition_while_finishing_is_survived_too(bench: Bench) -> None:
    bench.send(b"good", b"bad")
    worker = bench.worker(failing_on(b"bad"))
    worker.turn()
    commit, lost = bench.consumer.commit, [PartitionLost("given to another")]

    def commit_or_lose(offsets: dict[TopicPartition, int]) -> None:
        if lost:
            raise lost.pop()
        commit(offsets)

    bench.consumer.commit = commit_or_lose  # type: ignore[method-assign]
    worker.run(once=True)
    assert bench.committed() == 2
    assert len(bench.values(DEAD)) == 2  # at least once


def test_a_lost_lease_stops_before_publish_and_before_commit(bench: Bench) -> None:
    bench.send(b"1")
    calls = 0

    def guard() -> None:
        nonlocal calls
        calls += 1
        if calls == 1:
            raise LeaseLost("epoch 2")

    with pytest.raises(LeaseLost):
        bench.worker(guard=guard).run(once=True)
    assert bench.values(OUT) == []
    bench.crash()
    calls = -1
    with pytest.raises(LeaseLost):
        bench.worker(guard=guard).run(once=True)
    assert bench.committed() == 0


def test_counts_survive_a_restart(bench: Bench) -> None:
    bench.send(b"1")
    bench.worker().run(once=True)
    bench.crash()
    bench.send(b"2")
    bench.worker().run(once=True)
    assert bench.counts() == {("published", ""): 2}


def test_null_key_and_value_are_handled_like_any_other(bench: Bench) -> None:
    bench.send(None)
    bench.worker(lambda rs: [Handled(r, Status.DEAD, reason="null value") for r in rs]).run(once=True)
    (letter,) = [read_dead_letter(value) for value in bench.values(DEAD)]
    assert (letter.value, letter.value_bytes, letter.key) == (None, 0, "k")


def test_markers_name_the_range_in_hand(bench: Bench) -> None:
    bench.send(b"1", b"2", b"3")
    seen: list[Marker] = []

    def handle(records: Sequence[Record]) -> Sequence[Handled]:
        place = records[0].place
        seen.append(bench.state.markers("step", [place])[place])
        return passed_on(records)

    bench.worker(handle).run(once=True)
    (marker,) = seen
    assert (marker.first, marker.last, marker.replay_until, marker.tries) == (0, 2, -1, 0)


def test_messages_of_one_record_that_is_refused_do_not_hold_up_the_others(bench: Bench) -> None:
    def two_each(records: Sequence[Record]) -> Sequence[Handled]:
        return [
            Handled(
                r,
                Status.PUBLISHED,
                [Message(topic=OUT, key="k", value=r.value), Message(topic=OUT, key="k", value=b"x")],
            )
            for r in records
        ]

    bench.send(b"1", b"2")
    bench.broker.failures[OUT] = [PublishError("too large", fatal=True), None, None, None]
    bench.worker(two_each).run(once=True)
    assert bench.values(OUT) == [b"x", b"2", b"x"]
    assert len(bench.values(DEAD)) == 1
