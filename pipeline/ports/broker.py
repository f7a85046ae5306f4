"""Broker: logs of records, and the groups that read them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple, Protocol

from msgspec import Struct

from pipeline.errors import PublishError
from pipeline.topics import Topic


class TopicPartition(NamedTuple):
    """One ordered log."""

    topic: str
    partition: int


class Message(Struct, frozen=True, kw_only=True):
    """What is handed to the broker. Messages of one key share a partition (``crc32`` of the key, as UTF-8, modulo)."""

    topic: str
    key: str
    value: bytes | None
    headers: dict[str, str] = {}


class Record(Struct, frozen=True, kw_only=True):
    """What the broker hands out; ``key`` or ``value`` may be missing when a stranger wrote it."""

    topic: str
    partition: int
    offset: int
    key: str | None
    value: bytes | None
    headers: dict[str, str] = {}
    timestamp: datetime

    @property
    def place(self) -> TopicPartition:
        """The log this record stands in."""
        return TopicPartition(self.topic, self.partition)


class Consumer(Protocol):
    """Reads topics as one member of a group, or partitions assigned by hand."""

    def poll(self, max_records: int, timeout_seconds: float, topics: Collection[str] | None = None) -> Sequence[Record]:
        """Return up to ``max_records`` next records, in order within a partition; none after ``timeout_seconds``.

        ``topics`` narrows this one call to some of the subscribed topics. A partition newly given to this member starts
        at the group's committed offset, or at the oldest record kept. Also a sign of life to the group.

        Raises:
            MemberReplaced: another process has joined under this member's name; this one is out for good.
        """
        ...

    def commit(self, next_offsets: Mapping[TopicPartition, int]) -> None:
        """Store, durably, the offset of the next record to read per partition.

        Raises:
            PartitionLost: one of the partitions is no longer this member's; nothing was committed.
        """
        ...

    def committed(self, places: Collection[TopicPartition]) -> Mapping[TopicPartition, int]:
        """Return the group's committed offsets (0 where there is none)."""
        ...

    def assignment(self) -> frozenset[TopicPartition]:
        """Return the partitions this member reads now."""
        ...

    def seek(self, place: TopicPartition, offset: int) -> None:
        """Make ``offset`` the next record that ``poll`` returns for ``place``; nothing is committed."""
        ...

    def heartbeat(self) -> None:
        """Say "still alive" while a slow sink keeps the worker from polling; no record is fetched.

        Raises:
            PartitionLost: the group has given this member's partitions away.
        """
        ...

    def close(self) -> None:
        """Leave the group at once, so that others need not wait for a time-out. Uncommitted records are redelivered."""
        ...


class Broker(Protocol):
    """A log of topics. At least once: what ``publish`` confirmed is durable and is delivered until committed."""

    @property
    def cluster_id(self) -> str:
        """Identity of this log; another value means that offsets of the former one mean nothing here."""
        ...

    def create_topics(self, topics: Sequence[Topic]) -> None:
        """Create what does not exist yet; an existing topic keeps its partitions and takes the new retention."""
        ...

    def topic_problems(self, topics: Sequence[Topic]) -> Sequence[str]:
        """Return what keeps these topics from being used, a phrase each: missing, too few partitions, too small."""
        ...

    def topics(self) -> Mapping[str, int]:
        """Return the number of partitions of every topic."""
        ...

    def publish(self, messages: Sequence[Message]) -> Sequence[PublishError | None]:
        """Store the messages durably, in order within a partition; return one outcome each, None for stored.

        Never raises for a message: too large, unknown topic and a broker out of reach are outcomes.
        """
        ...

    def consumer(self, group: str, topics: Collection[str], member: str = "") -> Consumer:
        """Join ``group``; partitions are shared among its members. ``member`` is a name that a restart keeps."""
        ...

    def assigned_consumer(self, group: str, places: Collection[TopicPartition]) -> Consumer:
        """Read ``places`` by hand, with the group's committed offsets but no membership."""
        ...

    def end_offsets(self, topics: Collection[str]) -> Mapping[TopicPartition, int]:
        """Return, per partition, the offset that the next published record will get."""
        ...

    def committed(self, group: str, topics: Collection[str]) -> Mapping[TopicPartition, int]:
        """Return a group's committed offsets without joining it; where there is none, where the log begins or 0."""
        ...

    def read(self, place: TopicPartition, offset: int, limit: int) -> Sequence[Record]:
        """Return up to ``limit`` kept records from ``offset`` on, outside any group; none when at the end."""
        ...

    def prune(self, now: datetime) -> int:
        """Delete records past their topic's retention, where the broker does not do that itself; return how many."""
        ...

    def close(self) -> None: ...


def batched_records(broker: Broker, place: TopicPartition, size: int = 200) -> Iterator[Record]:
    """Yield every kept record of one partition, oldest first, reading ``size`` at a time."""
    offset = 0
    while records := broker.read(place, offset, size):
        yield from records
        offset = records[-1].offset + 1
