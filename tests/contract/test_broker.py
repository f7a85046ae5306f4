"""What every broker promises. One suite for all adapters; run as a script, this file is a second process for them."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
import uuid
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pipeline.adapters.sqlite_broker import SqliteBroker
from pipeline.errors import PartitionLost
from pipeline.ports import Broker, Consumer, Message, Record, TopicPartition, batched_records
from pipeline.topics import MAX_RECORD_BYTES, Topic, dead

PATIENCE_SECONDS = 60.0
"""How long to wait for what must happen; passing tests wait for milliseconds."""


def now() -> datetime:
    return datetime.now(UTC)


def open_sqlite(where: str, session_seconds: float) -> Broker:
    return SqliteBroker(Path(where) / "broker.db", clock=now, lease_seconds=session_seconds)


def open_kafka(where: str, session_seconds: float) -> Broker:
    from pipeline.adapters.kafka_broker import KafkaBroker, parse_location

    location = parse_location(f"kafka://{where}")
    return KafkaBroker(location, clock=now, lease_seconds=session_seconds, heartbeat_seconds=0.1)


OPEN: dict[str, Callable[[str, float], Broker]] = {"sqlite": open_sqlite, "kafka": open_kafka}


class Log:
    """One broker's log, opened as often as a test likes, here and in other processes."""

    def __init__(self, name: str, where: str) -> None:
        self.name = name
        self.where = where
        self._open: list[Broker] = []
        self._children: list[subprocess.Popen[str]] = []

    def open(self, session_seconds: float = 30.0) -> Broker:
        self._open.append(OPEN[self.name](self.where, session_seconds))
        return self._open[-1]

    def start(self, *task: str) -> subprocess.Popen[str]:
        """Start another process on ``task``, one of the functions at the end of this file."""
        child = subprocess.Popen(
            [sys.executable, __file__, self.name, self.where, *task],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2],
            env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        )  # fmt: skip
        self._children.append(child)
        return child

    def close(self) -> None:
        for child in self._children:
            child.kill()
            child.communicate()
        for broker in self._open:
            broker.close()


@pytest.fixture(params=["sqlite", "kafka"])
def log(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Log]:
    log = Log(request.param, request.getfixturevalue("kafka") if request.param == "kafka" else str(tmp_path))
    yield log
    log.close()


@pytest.fixture
def broker(log: Log) -> Broker:
    return log.open()


@pytest.fixture
def topic(broker: Broker) -> str:
    """A topic of four partitions that no other test uses."""
    return new_topic(broker, partitions=4)


@pytest.fixture
def group() -> str:
    return f"group-{uuid.uuid4()}"


def new_topic(broker: Broker, partitions: int) -> str:
    name = f"topic-{uuid.uuid4()}"
    broker.create_topics([Topic(name, partitions)])
    return name


def publish(broker: Broker, topic: str, keys: Sequence[str]) -> None:
    assert set(broker.publish([Message(topic=topic, key=key, value=key.encode()) for key in keys])) == {None}


def read(consumer: Consumer, count: int) -> list[Record]:
    """Poll until there are ``count`` records."""
    records: list[Record] = []
    deadline = time.monotonic() + PATIENCE_SECONDS
    while len(records) < count:
        assert time.monotonic() < deadline, f"{len(records)} of {count} records came"
        records += consumer.poll(count - len(records), 0.1)
    return records


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline


def commit(consumer: Consumer, records: Sequence[Record]) -> None:
    consumer.commit({record.place: record.offset + 1 for record in sorted(records, key=lambda r: r.offset)})


def keys(records: Sequence[Record]) -> list[str | None]:
    return sorted(record.key or "" for record in records)


# --- topics and messages


def test_topics_are_created_once_and_keep_their_partitions(broker: Broker, topic: str) -> None:
    # When an existing topic is created again with other partitions
    broker.create_topics([Topic(topic, 9, timedelta(days=1))])
    # Then it keeps those it has
    assert broker.topics()[topic] == 4


def test_the_cluster_id_stays_when_the_log_is_opened_again(log: Log, broker: Broker) -> None:
    assert broker.cluster_id
    assert log.open().cluster_id == broker.cluster_id


def test_a_record_comes_back_as_it_was_published(broker: Broker, topic: str, group: str) -> None:
    # Given a message with headers, any bytes and a key in several scripts
    message = Message(
        topic=topic, key="ключ-鍵-🗝", value=bytes(range(256)), headers={"Content-Type": "x", "título": "é"}
    )
    before = now() - timedelta(seconds=1)
    # When it is published and read
    assert broker.publish([message]) == [None]
    [record] = read(broker.consumer(group, [topic]), 1)
    # Then nothing has changed, and it has a place and a time
    assert (record.topic, record.key, record.value, record.headers) == (
        topic,
        message.key,
        message.value,
        message.headers,
    )
    assert record.offset == 0
    assert before <= record.timestamp <= now() + timedelta(seconds=1)
    assert record.timestamp.tzinfo is UTC


def test_a_message_may_have_no_value(broker: Broker, topic: str, group: str) -> None:
    assert (
        broker.publish([Message(topic=topic, key="a", value=None), Message(topic=topic, key="a", value=b"")])
        == [None] * 2
    )
    assert [record.value for record in read(broker.consumer(group, [topic]), 2)] == [None, b""]


@pytest.mark.parametrize("key", ["", "\x00", "half a pair \ud83d", "\u202e", "k" * 10_000])
def test_a_hostile_key_is_only_a_key(broker: Broker, topic: str, group: str, key: str) -> None:
    assert broker.publish([Message(topic=topic, key=key, value=b"v", headers={"h": key[:99]})]) == [None]
    [record] = read(broker.consumer(group, [topic]), 1)
    assert (record.key, record.headers) == (key, {"h": key[:99]})


def test_the_partition_is_the_crc32_of_the_key(broker: Broker, topic: str, group: str) -> None:
    names = [f"key-{n}-é" for n in range(40)]
    publish(broker, topic, names)
    records = read(broker.consumer(group, [topic]), 40)
    assert {record.key: record.partition for record in records} == {key: zlib.crc32(key.encode()) % 4 for key in names}


def test_records_of_one_key_keep_their_order_across_batches(broker: Broker, topic: str, group: str) -> None:
    # Given 300 records of 7 keys in 3 batches
    for batch in range(3):
        messages = [Message(topic=topic, key=f"k{n % 7}", value=b"%d" % (batch * 100 + n)) for n in range(100)]
        assert set(broker.publish(messages)) == {None}
    # When they are read in small polls
    consumer = broker.consumer(group, [topic])
    seen: dict[str | None, list[int]] = {}
    offsets: dict[TopicPartition, list[int]] = {}
    for _ in range(30):
        for record in read(consumer, 10):
            seen.setdefault(record.key, []).append(int(record.value or b""))
            offsets.setdefault(record.place, []).append(record.offset)
    # Then each key is in order, and each partition has every offset once
    assert all(numbers == sorted(numbers) for numbers in seen.values())
    assert all(numbers == list(range(len(numbers))) for numbers in offsets.values())
    assert sum(len(numbers) for numbers in seen.values()) == 300


def test_a_batch_reports_each_failure_in_order_and_stores_the_rest(broker: Broker, topic: str, group: str) -> None:
    # Given a batch with one message too large and one for an unknown topic
    messages = [
        Message(topic=topic, key="a", value=b"1"),
        Message(topic=topic, key="a", value=b"x" * (MAX_RECORD_BYTES + 1)),
        Message(topic=topic, key="a", value=b"2"),
        Message(topic=f"unknown-{uuid.uuid4()}", key="a", value=b"3"),
        Message(topic=topic, key="a", value=b"4"),
    ]
    # When it is published
    outcomes = broker.publish(messages)
    # Then these two can never be, and say so; the others are stored in order
    assert [outcome is None for outcome in outcomes] == [True, False, True, False, True]
    assert [outcome.fatal for outcome in outcomes if outcome] == [True, True]
    assert "too large" in str(outcomes[1])
    assert "unknown-" in str(outcomes[3])
    assert [record.value for record in read(broker.consumer(group, [topic]), 3)] == [b"1", b"2", b"4"]


def test_a_record_of_the_greatest_size_is_stored(broker: Broker, topic: str, group: str) -> None:
    value = b"x" * (MAX_RECORD_BYTES - 100)
    assert broker.publish([Message(topic=topic, key="a", value=value)]) == [None]
    assert read(broker.consumer(group, [topic]), 1)[0].value == value


def test_an_empty_batch_is_no_work(broker: Broker) -> None:
    assert list(broker.publish([])) == []


def test_dead_letters_are_an_ordinary_topic(broker: Broker, topic: str, group: str) -> None:
    broker.create_topics([Topic(dead(topic), 1)])
    publish(broker, dead(topic), ["bad"])
    assert [record.key for record in batched_records(broker, TopicPartition(dead(topic), 0))] == ["bad"]
    assert keys(read(broker.consumer(group, [dead(topic)]), 1)) == ["bad"]


# --- reading


def test_an_empty_poll_returns_after_its_time(broker: Broker, topic: str, group: str) -> None:
    assert not broker.consumer(group, [topic]).poll(10, 0.05)


def test_a_waiting_poll_sees_what_another_process_publishes(log: Log, broker: Broker, topic: str, group: str) -> None:
    consumer = broker.consumer(group, [topic])
    assert not consumer.poll(10, 0)
    child = log.start("produce", topic, "other", "1")
    assert [record.key for record in read(consumer, 1)] == ["other-0"]
    assert child.wait(PATIENCE_SECONDS) == 0


def test_a_poll_may_be_narrowed_to_some_topics(broker: Broker, topic: str, group: str) -> None:
    # Given records in two topics
    second = new_topic(broker, partitions=2)
    publish(broker, topic, ["first"])
    publish(broker, second, ["second"])
    consumer = broker.consumer(group, [topic, second])
    # When one topic is asked for, only its records come, however often
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (records := consumer.poll(10, 0.05, [second])):
        assert time.monotonic() < deadline
    assert keys(records) == ["second"]
    assert not consumer.poll(10, 0.05, [second])
    # Then the other is still there to read
    assert keys(read(consumer, 1)) == ["first"]


def test_a_long_partition_does_not_hold_up_the_others(broker: Broker, group: str) -> None:
    # Given one topic with a long backlog and one with a single record
    busy, quiet = new_topic(broker, partitions=1), new_topic(broker, partitions=1)
    publish(broker, busy, [f"k{n}" for n in range(200)])
    publish(broker, quiet, ["quiet"])
    consumer = broker.consumer(group, [busy, quiet])
    # When a few small polls are made
    records = [record for _ in range(4) for record in read(consumer, 10)]
    # Then the single record was among them
    assert any(record.topic == quiet for record in records)


def test_seek_goes_back_and_forth_without_committing(broker: Broker, group: str) -> None:
    topic = new_topic(broker, partitions=1)
    place = TopicPartition(topic, 0)
    publish(broker, topic, ["a", "b", "c"])
    consumer = broker.consumer(group, [topic])
    assert len(read(consumer, 3)) == 3
    consumer.seek(place, 1)
    assert [record.key for record in read(consumer, 2)] == ["b", "c"]
    consumer.seek(place, 2)
    assert [record.key for record in read(consumer, 1)] == ["c"]
    assert consumer.committed([place]) == {place: 0}


def test_what_is_committed_is_not_delivered_again(log: Log, broker: Broker, group: str) -> None:
    # Given five records of which three were committed
    topic = new_topic(broker, partitions=1)
    publish(broker, topic, list("abcde"))
    consumer = broker.consumer(group, [topic])
    commit(consumer, read(consumer, 3))
    consumer.close()
    # When the log is opened anew and the group joined again
    reopened = log.open()
    # Then it goes on at the fourth
    assert reopened.committed(group, [topic]) == {TopicPartition(topic, 0): 3}
    assert [record.key for record in read(reopened.consumer(group, [topic]), 2)] == ["d", "e"]


def test_what_is_not_committed_is_delivered_again(broker: Broker, topic: str, group: str) -> None:
    publish(broker, topic, list("abcde"))
    first = broker.consumer(group, [topic])
    read(first, 5)
    first.close()
    assert keys(read(broker.consumer(group, [topic]), 5)) == list("abcde")


def test_groups_do_not_know_each_other(broker: Broker, topic: str, group: str) -> None:
    publish(broker, topic, list("abc"))
    one, two = broker.consumer(group, [topic]), broker.consumer(group + "-other", [topic])
    commit(one, read(one, 3))
    assert keys(read(two, 3)) == list("abc")
    assert set(broker.committed(group + "-other", [topic]).values()) == {0}


def test_committed_is_zero_where_nothing_is(broker: Broker, topic: str, group: str) -> None:
    places = {TopicPartition(topic, partition): 0 for partition in range(4)}
    assert broker.committed(group, [topic]) == places
    assert broker.consumer(group, [topic]).committed(places) == places


def test_end_offsets_are_those_of_the_next_records(broker: Broker, group: str) -> None:
    topic = new_topic(broker, partitions=1)
    assert broker.end_offsets([topic]) == {TopicPartition(topic, 0): 0}
    publish(broker, topic, ["a", "b"])
    assert broker.end_offsets([topic]) == {TopicPartition(topic, 0): 2}


def test_read_stands_outside_of_groups(broker: Broker) -> None:
    topic = new_topic(broker, partitions=1)
    place = TopicPartition(topic, 0)
    publish(broker, topic, list("abcde"))
    assert [record.key for record in broker.read(place, 1, 2)] == ["b", "c"]
    assert not broker.read(place, 5, 2)
    assert [record.key for record in batched_records(broker, place, size=2)] == list("abcde")


def test_partitions_assigned_by_hand_use_the_groups_offsets(broker: Broker, topic: str, group: str) -> None:
    # Given a reader of one partition by hand that has committed one record of it
    place = TopicPartition(topic, zlib.crc32(b"a") % 4)
    publish(broker, topic, ["a", "a"])
    consumer = broker.assigned_consumer(group, [place])
    assert consumer.assignment() == {place}
    commit(consumer, read(consumer, 1))
    consumer.heartbeat()
    consumer.close()
    # When another takes its place
    # Then it goes on there
    [record] = read(broker.assigned_consumer(group, [place]), 1)
    assert (record.place, record.offset) == (place, 1)


# --- groups


def test_members_share_the_partitions_and_take_over_what_a_leaver_had(log: Log, topic: str, group: str) -> None:
    # Given two members
    first, second = log.open().consumer(group, [topic]), log.open().consumer(group, [topic])

    def shared() -> bool:
        first.poll(1, 0.01)
        second.poll(1, 0.01)
        return len(first.assignment()) == len(second.assignment()) == 2

    # Then each comes to read half of the partitions
    until(shared)
    assert not first.assignment() & second.assignment()
    # When one leaves
    second.close()
    # Then the other reads all, at once
    until(lambda: not first.poll(1, 0.01) and len(first.assignment()) == 4)


def test_a_partition_changes_hands_without_a_record_twice_or_lost(
    log: Log, broker: Broker, topic: str, group: str
) -> None:
    # Given a member that reads and commits while another joins
    names = [f"k{n}" for n in range(400)]
    publish(broker, topic, names)
    members = [log.open().consumer(group, [topic])]
    got: list[Record] = []
    deadline = time.monotonic() + PATIENCE_SECONDS
    while len(got) < len(names):
        assert time.monotonic() < deadline
        if len(got) > 40 and len(members) == 1:
            members.append(log.open().consumer(group, [topic]))
        for member in members:
            if records := member.poll(10, 0.01):
                got += records
                commit(member, records)
    # Then every record came once, and both worked
    assert Counter(record.key for record in got) == Counter(names)
    assert all(member.assignment() for member in members)


def test_a_heartbeat_keeps_the_partitions(log: Log, broker: Broker, topic: str, group: str) -> None:
    publish(broker, topic, ["a"])
    slow = log.open(session_seconds=6).consumer(group, [topic])
    records = read(slow, 1)
    log.open(session_seconds=6).consumer(group, [topic]).poll(1, 0)
    slow.heartbeat()
    commit(slow, records)


def test_a_member_that_was_silent_too_long_cannot_commit(log: Log, broker: Broker, topic: str, group: str) -> None:
    # Given a member that reads a record and falls silent, while another waits
    publish(broker, topic, ["a"])
    silent = log.open(session_seconds=1).consumer(group, [topic])
    records = read(silent, 1)
    other = log.open(session_seconds=1).consumer(group, [topic])
    # When the other has been given everything
    got: list[Record] = []
    until(lambda: bool(got.extend(other.poll(10, 0.05)) or (len(other.assignment()) == 4 and got)))
    # Then the silent one's commit is refused and the record is the other's
    with pytest.raises(PartitionLost):
        commit(silent, records)
    assert keys(got) == ["a"]
    commit(other, got)
    # And the silent one may come back for new work
    until(lambda: not other.poll(1, 0.01) and not silent.poll(1, 0.01) and bool(silent.assignment()))


def test_a_member_that_restarts_under_its_name_gets_its_partitions_at_once(log: Log, topic: str, group: str) -> None:
    # Given a named member with a record in hand
    publish(log.open(), topic, ["a"])
    former = log.open().consumer(group, [topic], member="one")
    records = read(former, 1)
    # When it is started again under that name while the former still seems alive
    again = log.open().consumer(group, [topic], member="one")
    # Then it gets the record at once, and the former can commit nothing
    assert keys(read(again, 1)) == ["a"]
    with pytest.raises(PartitionLost):
        commit(former, records)


def test_a_refused_commit_stores_nothing(broker: Broker, topic: str, group: str) -> None:
    consumer = broker.consumer(group, [topic])
    publish(broker, topic, ["a"])
    [record] = read(consumer, 1)
    with pytest.raises(PartitionLost):
        consumer.commit({record.place: 1, TopicPartition(new_topic(broker, 1), 0): 1})
    assert set(broker.committed(group, [topic]).values()) == {0}


# --- processes


def test_what_a_killed_process_had_in_hand_is_delivered_again(log: Log, broker: Broker, topic: str, group: str) -> None:
    # Given a process that has polled ten records and is killed before it commits
    names = [f"k{n}" for n in range(10)]
    publish(broker, topic, names)
    child = log.start("hold", topic, group, "10")
    assert child.stdout is not None
    assert child.stdout.readline() == "holding 10\n"
    child.send_signal(signal.SIGKILL)
    child.wait(PATIENCE_SECONDS)
    # Then another member gets all ten
    assert keys(read(broker.consumer(group, [topic]), 10)) == sorted(names)


def test_several_processes_produce_and_consume_and_nothing_is_lost(
    log: Log, broker: Broker, topic: str, group: str
) -> None:
    # Given three producers and two consumers, and a third consumer that is killed with records in hand
    producers = [log.start("produce", topic, f"p{n}", "200") for n in range(3)]
    victim = log.start("hold", topic, group, "1")
    assert victim.stdout is not None
    assert victim.stdout.readline().startswith("holding")
    consumers = [log.start("consume", topic, group, "600") for _ in range(2)]
    victim.kill()
    # When all have finished
    for producer in producers:
        assert producer.wait(PATIENCE_SECONDS) == 0
    lines = [line for child in consumers for line in child.communicate(timeout=PATIENCE_SECONDS)[0].splitlines()]
    # Then the group stands at the end of every partition, and every record was handled
    assert broker.committed(group, [topic]) == broker.end_offsets([topic])
    assert set(lines) == {f"p{producer}-{n}" for producer in range(3) for n in range(200)}
    assert [child.returncode for child in consumers] == [0, 0]


# --- retention


def test_prune_keeps_what_is_young(broker: Broker, topic: str, group: str) -> None:
    publish(broker, topic, ["a", "b"])
    consumer = broker.consumer(group, [topic])
    commit(consumer, read(consumer, 2))
    broker.prune(now())
    assert sum(1 for n in range(4) for _ in batched_records(broker, TopicPartition(topic, n))) == 2


# --- this file as another process


def produce(broker: Broker, topic: str, prefix: str, count: str) -> None:
    for start in range(0, int(count), 10):
        batch = [
            Message(topic=topic, key=f"{prefix}-{n}", value=b"v") for n in range(start, min(start + 10, int(count)))
        ]
        assert set(broker.publish(batch)) == {None}


def hold(broker: Broker, topic: str, group: str, count: str) -> None:
    """Have ``count`` records in hand until killed."""
    records = read(broker.consumer(group, [topic]), int(count))
    sys.stdout.write(f"holding {len(records)}\n")
    sys.stdout.flush()
    sys.stdin.read()


def consume(broker: Broker, topic: str, group: str, total: str) -> None:
    """Handle records until the group has committed ``total``; name each key once it is committed."""
    consumer = broker.consumer(group, [topic])
    deadline = time.monotonic() + PATIENCE_SECONDS
    while sum(broker.committed(group, [topic]).values()) < int(total):
        assert time.monotonic() < deadline
        with contextlib.suppress(PartitionLost):
            if records := consumer.poll(20, 0.1):
                commit(consumer, records)
                sys.stdout.write("".join(f"{record.key}\n" for record in records))
                sys.stdout.flush()


if __name__ == "__main__":
    name, where, task, *arguments = sys.argv[1:]
    opened = OPEN[name](where, 30.0)
    {"produce": produce, "hold": hold, "consume": consume}[task](opened, *arguments)
    opened.close()
