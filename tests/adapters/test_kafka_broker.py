"""What is special to the Kafka broker; what it shares with the others is in tests/contract/test_broker.py."""

from __future__ import annotations

import gc
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from kafka.admin import ConfigResource, ConfigResourceType, KafkaAdminClient
from services.servers import free_ports

from pipeline.adapters.kafka_broker import KafkaBroker, parse_location
from pipeline.adapters.kafka_broker.shelf import PLACE_BYTES, TOTAL_BYTES, Shelf
from pipeline.adapters.kafka_broker.watchdog import Watchdog
from pipeline.errors import UsageError, WirewatchError
from pipeline.ports import Message, Record, TopicPartition
from pipeline.topics import Topic

PATIENCE_SECONDS = 60.0
START = datetime(2026, 1, 1, tzinfo=UTC)


class Clock:
    """A clock to set."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now

    def forward(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


# --- the URL


def test_a_url_may_name_several_servers() -> None:
    location = parse_location("kafka://a:9092,b,[::1]:9094")
    assert location.servers == ("a:9092", "b:9092", "[::1]:9094")
    assert location.client_settings()["security_protocol"] == "PLAINTEXT"


def test_user_password_and_tls_come_from_the_url() -> None:
    location = parse_location("kafka://ann:p%40ss@a:9093?ca=/etc/ca.pem&mechanism=scram-sha-256&replication=3")
    assert location.client_settings() == {
        "bootstrap_servers": ["a:9093"],
        "proxy_url": "direct://",
        "security_protocol": "SASL_SSL",
        "sasl_mechanism": "SCRAM-SHA-256",
        "sasl_plain_username": "ann",
        "sasl_plain_password": "p@ss",
        "ssl_cafile": "/etc/ca.pem",
    }
    assert location.replication == 3
    assert "p@ss" not in repr(location)


@pytest.mark.parametrize(
    "url",
    [
        "kafka://", "kafka://a:port", "kafka://a:0", "kafka://a,", "kafka://a/topic", "kafka://a?tls=maybe",
        "kafka://a?colour=red", "kafka://ann@a", "kafka://ann:canary@a?mechanism=MD5", "kafka://a?replication=0",
        "kafka://ann:canary@a?mechanism=PLAIN", "kafka://ann:canary@a?tls", "kafka://ann:canary@[a",
    ],
)  # fmt: skip
def test_a_url_that_cannot_be_meant_is_refused_without_showing_the_password(url: str) -> None:
    with pytest.raises(UsageError) as refused:
        parse_location(url)
    assert "canary" not in str(refused.value)


# --- memory


def record(partition: int, offset: int, value: bytes = b"v") -> Record:
    return Record(topic="t", partition=partition, offset=offset, key="k", value=value, timestamp=START)


def test_partitions_take_turns() -> None:
    shelf, places = Shelf(), [TopicPartition("t", n) for n in range(3)]
    for place in places:
        shelf.put([record(place.partition, n) for n in range(4)])
    taken = [shelf.take(2, places, None) for _ in range(6)]
    assert [[(r.partition, r.offset) for r in some] for some in taken[:4]] == [
        [(0, 0), (0, 1)], [(1, 0), (1, 1)], [(2, 0), (2, 1)], [(0, 2), (0, 3)],
    ]  # fmt: skip
    assert not shelf.has_any(places, None)


def test_a_partition_whose_records_are_not_asked_for_is_not_fetched_for_ever() -> None:
    shelf, place = Shelf(), TopicPartition("t", 0)
    shelf.put([record(0, 0, b"x" * PLACE_BYTES)])
    assert not shelf.has_room(place)
    assert shelf.has_room(TopicPartition("t", 1))
    for n in range(1, 1 + TOTAL_BYTES // PLACE_BYTES):
        shelf.put([record(n, 0, b"x" * PLACE_BYTES)])
    assert not shelf.has_room(TopicPartition("t", 99))
    # Once it is asked for, there is room again
    shelf.take(99, [place], None)
    shelf.take(1, [TopicPartition("t", 1)], None)
    assert shelf.has_room(place)


# --- the watchdog


PLACE = TopicPartition("t", 0)


def test_a_partition_that_stands_still_with_records_ahead_is_noticed() -> None:
    clock = Clock()
    dog = Watchdog(clock)
    found = []
    for _ in range(5):
        found.append(dog.look({PLACE: 3}, {PLACE: 9}))
        clock.forward(30)
    assert found == [set(), set(), set(), set(), {PLACE}]


@pytest.mark.parametrize("ends", [{PLACE: 3}, {}])
def test_a_partition_that_was_read_to_its_end_may_stand_still(ends: dict[TopicPartition, int]) -> None:
    clock = Clock()
    dog = Watchdog(clock)
    for _ in range(9):
        assert not dog.look({PLACE: 3}, ends)
        clock.forward(30)


def test_a_worker_that_did_not_poll_for_an_hour_has_not_stalled() -> None:
    clock = Clock()
    dog = Watchdog(clock)
    dog.look({PLACE: 3}, {PLACE: 9})
    clock.forward(3600)
    assert not dog.look({PLACE: 3}, {PLACE: 9})


# --- the server


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def broker(kafka: str, clock: Clock) -> Iterator[KafkaBroker]:
    broker = KafkaBroker(parse_location(f"kafka://{kafka}"), clock=clock, heartbeat_seconds=0.1)
    yield broker
    broker.close()


@pytest.fixture
def topic(broker: KafkaBroker) -> str:
    name = f"topic-{uuid.uuid4()}"
    broker.create_topics([Topic(name, 1)])
    assert broker.publish([Message(topic=name, key="a", value=b"%d" % n) for n in range(5)]) == [None] * 5
    return name


def values(records: object) -> list[bytes | None]:
    return [record.value for record in records]  # type: ignore[attr-defined]


def read(consumer: object, count: int) -> list[Record]:
    records: list[Record] = []
    deadline = time.monotonic() + PATIENCE_SECONDS
    while len(records) < count:
        assert time.monotonic() < deadline
        records += consumer.poll(count - len(records), 0.1)  # type: ignore[attr-defined]
    return records


def until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not is_so():
        assert time.monotonic() < deadline


def test_topics_keep_their_records_as_long_as_was_asked(broker: KafkaBroker, kafka: str, topic: str) -> None:
    admin = KafkaAdminClient(bootstrap_servers=kafka)

    def retention() -> str:
        asked = [ConfigResource(ConfigResourceType.TOPIC, topic, ["retention.ms"])]
        return str(admin.describe_configs(asked, config_filter="all")["topic"][topic]["retention.ms"]["value"])

    assert retention() == str(7 * 24 * 3600 * 1000)
    broker.create_topics([Topic(topic, 1, timedelta(days=1))])
    until(lambda: retention() == str(24 * 3600 * 1000))  # a node of the cluster learns of it a moment later
    admin.close()


def test_a_stalled_partition_is_read_on_over_a_new_connection_and_then_given_up(
    broker: KafkaBroker, clock: Clock, topic: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a reader that brings nothing any more
    consumer = broker.assigned_consumer("g", [TopicPartition(topic, 0)])
    assert values(read(consumer, 2)) == [b"0", b"1"]
    first = consumer._client

    def poll_for_minutes(minutes: float) -> None:
        with monkeypatch.context() as patch:
            patch.setattr(Shelf, "take", lambda *_: [])
            for _ in range(int(minutes * 2)):
                clock.forward(30)
                consumer.poll(1, 0.01)

    # When two minutes of polls pass
    poll_for_minutes(2.5)
    # Then it has a new client, which goes on where the old one stood
    assert consumer._client is not first
    assert values(read(consumer, 1)) == [b"2"]
    # When that one stands still as well, and so does its successor, then the worker stops and says where
    with pytest.raises(WirewatchError, match="offset 3 of 5"):
        poll_for_minutes(6)


def test_a_server_that_is_not_there_is_said_plainly() -> None:
    # In a process of its own: kafka-python leaves the sockets of connections that never were to the garbage collector.
    program = (
        "from datetime import UTC, datetime\n"
        "from pipeline.adapters.kafka_broker import KafkaBroker, parse_location\n"
        "KafkaBroker(parse_location('kafka://127.0.0.1:1'), clock=lambda: datetime.now(UTC))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert "WirewatchError: Kafka at 127.0.0.1:1 does not answer" in done.stderr


def test_embedded_mode_does_not_import_the_client() -> None:
    program = "import sys, pipeline.wiring, pipeline.steps; sys.exit('kafka' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_two_prefixes_are_two_logs_on_one_cluster(kafka: str, clock: Clock) -> None:
    name = f"topic-{uuid.uuid4()}"
    place = TopicPartition(name, 0)
    with (
        closing(KafkaBroker(parse_location(f"kafka://{kafka}?prefix=left."), clock=clock)) as left,
        closing(KafkaBroker(parse_location(f"kafka://{kafka}?prefix=right."), clock=clock)) as right,
    ):
        for broker, text in ((left, b"left"), (right, b"right")):
            broker.create_topics([Topic(name, 1)])
            assert broker.publish([Message(topic=name, key="k", value=text)]) == [None]
        for broker, text in ((left, b"left"), (right, b"right")):
            assert broker.topics()[name] == 1
            with closing(broker.consumer("group", [name])) as consumer:
                records = consumer.poll(10, PATIENCE_SECONDS)
                assert [(record.value, record.place) for record in records] == [(text, place)]
                consumer.commit({place: 1})
            assert broker.committed("group", [name]) == {place: 1}
            assert [record.value for record in broker.read(place, 0, 10)] == [text]
        assert left.cluster_id != right.cluster_id


def test_what_keeps_topics_from_being_used_is_said(broker: KafkaBroker, kafka: str, topic: str) -> None:
    assert broker.topic_problems([Topic(topic, 1)]) == []
    missing, fewer = broker.topic_problems([Topic("no-such-topic", 1), Topic(topic, 8)])
    assert missing == "there is no topic no-such-topic"
    assert fewer == f"{topic} has 1 partitions, at least 8 are wanted"
    with closing(KafkaAdminClient(bootstrap_servers=kafka)) as admin:
        admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic, {"max.message.bytes": "1000"})])
    until(lambda: bool(broker.topic_problems([Topic(topic, 1)])))  # a node of the cluster learns of it a moment later
    [small] = broker.topic_problems([Topic(topic, 1)])
    assert "1000 bytes" in small
    assert "max.message.bytes" in small


def test_a_broker_that_is_away_leaves_no_sockets_open() -> None:
    [port] = free_ports(1)
    gc.collect()
    gc.disable()  # as good as: it may not come for a long time
    try:
        before = len(list(Path("/proc/self/fd").iterdir()))
        for _ in range(3):
            with pytest.raises(WirewatchError, match="does not answer"):
                KafkaBroker(parse_location(f"kafka://127.0.0.1:{port}"), clock=Clock())
        left = len(list(Path("/proc/self/fd").iterdir())) - before
    finally:
        gc.enable()
    assert left <= 12  # the pipes of the clients themselves
