"""What is asked of the cluster outside of groups: topics, offsets, single records."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

from kafka import KafkaAdminClient, KafkaConsumer, errors
from kafka.admin import MemberToRemove, OffsetSpec
from msgspec.structs import replace

from pipeline.adapters.kafka_broker import topic_list
from pipeline.adapters.kafka_broker.judge import judged
from pipeline.adapters.kafka_broker.location import KafkaLocation
from pipeline.adapters.kafka_broker.records import incoming
from pipeline.errors import TryLater, WirewatchError
from pipeline.ports import Record, TopicPartition
from pipeline.topics import Topic

ANSWER_SECONDS: Final = 20.0

NO_COORDINATOR: Final = (
    errors.CoordinatorNotAvailableError,
    errors.CoordinatorLoadInProgressError,
    errors.NotCoordinatorError,
)

FETCHING: Final[Mapping[str, Any]] = {
    "enable_auto_commit": False,
    "auto_offset_reset": "earliest",
    "allow_auto_create_topics": False,
    "fetch_max_wait_ms": 100,  # one fetch a broker is under way at a time: a partition just resumed waits this long
    "fetch_max_bytes": 4 * 1024 * 1024,  # with the next line and the shelf, the memory of a reader whose sink is slow
    "max_partition_fetch_bytes": 256 * 1024,  # compressed; a batch that is larger comes alone
    "reconnect_backoff_max_ms": 1_000,
    "metadata_max_age_ms": 30_000,
    "request_timeout_ms": 15_000,
    "bootstrap_timeout_ms": 10_000,
    "metrics_enabled": False,
}
"""What every consumer has in common."""


class Cluster:
    """One connection for questions, and one for reading outside of groups; the second opens on first use."""

    def __init__(self, location: KafkaLocation) -> None:
        """Connect. Raises ``WirewatchError``: the cluster cannot be reached, or refuses us."""
        self.location = location
        self._reader: Any = None
        self._read_next: tuple[TopicPartition, int] | None = None
        where = ",".join(location.servers)
        try:
            with judged(f"connecting to {where}"):
                self._admin = KafkaAdminClient(
                    **location.client_settings(), request_timeout_ms=15_000, bootstrap_timeout_ms=5_000,
                    reconnect_backoff_max_ms=1_000,
                )  # fmt: skip
        except TryLater as later:
            raise WirewatchError(
                f"Kafka at {where} does not answer ({later.cause}). Check that it runs, that the host and port are "
                "those it advertises, and that user and TLS options of the broker's URL match."
            ) from later

    def id(self) -> str:
        """Return the cluster's identity."""
        with judged("asking for the cluster's id"):
            return str(self._admin.describe_cluster()["cluster_id"])

    def create_topics(self, topics: Sequence[Topic]) -> None:
        """Create what is missing and set retention."""
        with judged("creating topics"):
            topic_list.create(self._admin, self._named(topics), self.location.replication)

    def topic_problems(self, topics: Sequence[Topic]) -> list[str]:
        """Return what is wrong with these topics, a phrase each."""
        with judged("looking at topics"):
            return topic_list.problems(self._admin, self._named(topics))

    def partitions(self, names: Collection[str] | None = None) -> dict[str, int]:
        """Return the number of partitions of these topics, where they exist; of all when none is named."""
        with judged("listing topics"):
            wanted = None if names is None else sorted(map(self.location.topic, names))
            found = topic_list.partitions_of(self._admin, wanted)
        prefix = self.location.prefix
        return {name.removeprefix(prefix): number for name, number in found.items() if name.startswith(prefix)}

    def _named(self, topics: Sequence[Topic]) -> list[Topic]:
        return [replace(topic, name=self.location.topic(topic.name)) for topic in topics]

    def places(self, topics: Collection[str]) -> list[TopicPartition]:
        """Return every partition of these topics."""
        return [TopicPartition(name, at) for name, count in self.partitions(topics).items() for at in range(count)]

    def committed(self, group: str, places: Collection[TopicPartition]) -> dict[TopicPartition, int]:
        """Return a group's committed offsets, 0 where there is none."""
        if not places:
            return {}
        with judged(f"asking for the offsets of {group}"):
            found = self._group_offsets({self.location.group(group): [self.location.place(place) for place in places]})
        stored = {self.location.ours(place): max(0, at.offset) for place, at in found.items()}
        return {place: stored.get(place, 0) for place in places}

    def _group_offsets(self, wanted: Mapping[str, Any]) -> Mapping[Any, Any]:
        """Ask until the group's coordinator is there: it is made at the first question, and moves with a restart."""
        deadline = time.monotonic() + ANSWER_SECONDS
        while True:
            try:
                [found] = self._admin.list_group_offsets(wanted).values()
            except errors.GroupIdNotFoundError:
                return {}
            except NO_COORDINATOR:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)
            else:
                offsets: Mapping[Any, Any] = found
                return offsets

    def end_offsets(self, places: Collection[TopicPartition]) -> dict[TopicPartition, int]:
        """Return the offset that the next record of each partition will get."""
        if not places:
            return {}
        return self._offsets(places, OffsetSpec.LATEST)

    def start_offsets(self, places: Collection[TopicPartition]) -> dict[TopicPartition, int]:
        """Return the offset of the oldest record that each partition keeps."""
        return self._offsets(places, OffsetSpec.EARLIEST) if places else {}

    def _offsets(self, places: Collection[TopicPartition], spec: OffsetSpec) -> dict[TopicPartition, int]:
        """Ask as administrator: the consumer's own call leaves out partitions whose leader it has yet to learn."""
        with judged("asking for the ends of partitions"):
            found = self._admin.list_partition_offsets({self.location.place(place): spec for place in places})
        return {self.location.ours(place): int(at.offset) for place, at in found.items()}

    def read(self, place: TopicPartition, offset: int, limit: int) -> list[Record]:
        """Return up to ``limit`` records from ``offset`` on; none at the end, or where there is no such partition."""
        if place.partition >= self.partitions([place.topic]).get(place.topic, 0):
            return []
        end = self.end_offsets([place])[place]
        records: list[Record] = []
        with judged(f"reading {place.topic}/{place.partition}"):
            reader = self._open_reader()
            if self._read_next != (place, offset):
                reader.assign([self.location.place(place)])
                reader.seek(self.location.place(place), offset)
            self._read_next = None
            deadline = time.monotonic() + ANSWER_SECONDS
            while len(records) < limit and offset < end:
                if time.monotonic() > deadline:
                    raise errors.KafkaTimeoutError(f"no record at offset {offset} of {end}")
                for batch in reader.poll(timeout_ms=500, max_records=limit - len(records)).values():
                    records += [incoming(record, self.location.prefix) for record in batch]
                offset = reader.position(self.location.place(place)) if records else self._kept_from(place, offset)
            self._read_next = (place, offset)
        return records

    def _kept_from(self, place: TopicPartition, offset: int) -> int:
        """Return where reading goes on when nothing came: retention may have passed ``offset``, or all that is left."""
        return max(offset, self._offsets([place], OffsetSpec.EARLIEST)[place])

    def remove_member(self, group: str, member_id: str, name: str) -> None:
        """Take a named member out of its group; its successor of the same name is another and stays."""
        with judged(f"leaving {group}"):
            self._admin.remove_group_members(
                self.location.group(group), [MemberToRemove(member_id=member_id, group_instance_id=name)]
            )

    def _open_reader(self) -> Any:
        if self._reader is None:
            self._reader = KafkaConsumer(**self.location.client_settings(), **FETCHING, group_id=None)
        return self._reader

    def close(self) -> None:
        """Close both connections."""
        if self._reader is not None:
            self._reader.close(autocommit=False, timeout_ms=1_000)
        self._admin.close()
