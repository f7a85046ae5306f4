"""The ``Broker`` port over a Kafka cluster."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from importlib.metadata import version
from typing import Final

import kafka

from pipeline.adapters.kafka_broker.cluster import Cluster
from pipeline.adapters.kafka_broker.consumer import AssignedConsumer, GroupConsumer
from pipeline.adapters.kafka_broker.location import KafkaLocation
from pipeline.adapters.kafka_broker.producer import Producer
from pipeline.errors import MissingExtra, PublishError, TryLater, WirewatchError
from pipeline.ports import Clock, Message, Record, TopicPartition
from pipeline.topics import Topic

OLDEST_CLIENT: Final = (3, 0, 12)
"""Of kafka-python; earlier ones of the 3.0 series lose fetches on a reconnect."""


class KafkaBroker:
    """Topics, groups and offsets of a Kafka cluster; open one a thread.

    ``lease_seconds`` is the silence after which a member's partitions go to others: both Kafka's session time-out and
    its longest time between polls. ``heartbeat_seconds`` is how soon a member learns that another joins or leaves.

    Raises:
        WirewatchError: from any call: the cluster refuses us, and a person has to change that.
        TryLater: from any call but ``publish`` (where it is an outcome): the cluster does not answer.
    """

    def __init__(
        self, location: KafkaLocation, *, clock: Clock, lease_seconds: float = 30.0, heartbeat_seconds: float = 3.0
    ) -> None:
        check_packages()
        self._clock = clock
        self._lease_seconds = lease_seconds
        self._heartbeat_seconds = heartbeat_seconds
        self._cluster = Cluster(location)
        self._producer = Producer(location, self._known_partitions)
        self._partitions: dict[str, int] = {}
        self._consumers: list[AssignedConsumer] = []
        self._cluster_id = ""

    @property
    def cluster_id(self) -> str:
        self._cluster_id = self._cluster_id or self._cluster.id()
        prefix = self._cluster.location.prefix  # other topics are another log
        return f"{self._cluster_id}/{prefix}" if prefix else self._cluster_id

    def create_topics(self, topics: Sequence[Topic]) -> None:
        self._cluster.create_topics(topics)

    def topic_problems(self, topics: Sequence[Topic]) -> list[str]:
        """Return what keeps these topics from being used, a phrase each: missing, too few partitions, small records."""
        return self._cluster.topic_problems(topics)

    def topics(self) -> Mapping[str, int]:
        return self._cluster.partitions()

    def publish(self, messages: Sequence[Message]) -> Sequence[PublishError | None]:
        if not messages:
            return []
        try:
            return self._producer.publish(messages)
        except TryLater as later:
            return [PublishError(later.cause) for _ in messages]
        except WirewatchError as refused:  # tried again, and said, until a person has mended it; never a dead letter
            return [PublishError(str(refused)) for _ in messages]

    def _known_partitions(self, topics: set[str]) -> Mapping[str, int]:
        """Return the partitions of topics, asking only about those not seen yet: they never change (see ``topics``)."""
        if unknown := topics - self._partitions.keys():
            self._partitions |= self._cluster.partitions(unknown)
        return self._partitions

    def consumer(self, group: str, topics: Collection[str], member: str = "") -> GroupConsumer:
        consumer = GroupConsumer(
            self._cluster,
            group,
            topics,
            member=member,
            clock=self._clock,
            lease_seconds=self._lease_seconds,
            heartbeat_seconds=self._heartbeat_seconds,
        )
        self._consumers.append(consumer)
        return consumer

    def assigned_consumer(self, group: str, places: Collection[TopicPartition]) -> AssignedConsumer:
        consumer = AssignedConsumer(self._cluster, group, places, clock=self._clock)
        self._consumers.append(consumer)
        return consumer

    def end_offsets(self, topics: Collection[str]) -> Mapping[TopicPartition, int]:
        return self._cluster.end_offsets(self._cluster.places(topics))

    def committed(self, group: str, topics: Collection[str]) -> Mapping[TopicPartition, int]:
        done = self._cluster.committed(group, self._cluster.places(topics))
        # What retention has deleted, or a group whose offsets have expired, is nothing to wait for.
        return {**done, **self._cluster.start_offsets([place for place, offset in done.items() if not offset])}

    def read(self, place: TopicPartition, offset: int, limit: int) -> Sequence[Record]:
        return self._cluster.read(place, offset, limit)

    def prune(self, now: datetime) -> int:  # noqa: ARG002
        """Return 0: Kafka itself deletes what is past its topic's retention, read or not."""
        return 0

    def close(self) -> None:
        """Leave every group joined through this broker, then close all connections."""
        consumers, self._consumers = self._consumers, []
        try:
            for consumer in consumers:
                consumer.close()
        finally:
            self._producer.close()
            self._cluster.close()


def check_packages() -> None:
    """Raise ``MissingExtra`` unless checksums and compression are native and the client is new enough.

    Without crc32c kafka-python computes checksums in Python: 2,900 records/s instead of 66,000.
    """
    if tuple(int(part) for part in kafka.__version__.split(".")[:3] if part.isdigit()) < OLDEST_CLIENT:
        wanted = ".".join(map(str, OLDEST_CLIENT))
        raise MissingExtra(f"kafka-python {kafka.__version__} is too old: install “wirewatch[kafka]” for {wanted}.")
    try:
        import crc32c  # noqa: PLC0415
        import lz4.frame  # noqa: F401, PLC0415
    except ImportError as error:
        raise MissingExtra(f"Kafka needs the package {error.name}: pip install 'wirewatch[kafka]'.") from None
    if crc32c.crc32c(b"123456789") != 0xE3069283:  # the check value of RFC 3720, appendix B.4
        raise MissingExtra(f"crc32c {version('crc32c')} computes wrong checksums: install 'wirewatch[kafka]' anew.")
