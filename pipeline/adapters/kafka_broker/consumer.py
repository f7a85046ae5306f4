"""The ``Consumer`` port over Kafka: partitions assigned by hand, and those shared in a group."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from typing import Any, Final

import structlog
from kafka import ConsumerRebalanceListener, KafkaConsumer, errors
from kafka.coordinator.assignors.cooperative_sticky import CooperativeStickyAssignor
from kafka.structs import MemberState, OffsetAndMetadata

from pipeline.adapters.kafka_broker.cluster import FETCHING, Cluster
from pipeline.adapters.kafka_broker.judge import judged
from pipeline.adapters.kafka_broker.records import incoming
from pipeline.adapters.kafka_broker.shelf import Shelf
from pipeline.adapters.kafka_broker.watchdog import STALL, Watchdog
from pipeline.errors import PartitionLost, TryLater, WirewatchError
from pipeline.ports import Clock, Record, TopicPartition

CLOSE_MS: Final = 5_000
COMMIT_MS: Final = 10_000
KEEP_SECONDS: Final = 3600.0
ASK_SECONDS: Final = 3.0
"""How long a poll without time may take to be sure; joining alone takes some 0.2 s."""

log = structlog.get_logger(__name__)


class AssignedConsumer:
    """Reads partitions assigned by hand, with the offsets of a group but no membership: nothing fences its commits."""

    def __init__(self, cluster: Cluster, group: str, places: Collection[TopicPartition], *, clock: Clock) -> None:
        self._places = [cluster.location.place(place) for place in places]
        self._prepare(cluster, group, clock)

    def _prepare(self, cluster: Cluster, group: str, clock: Clock) -> None:
        self._cluster = cluster
        self._location = cluster.location
        self._group = group
        self._watchdog = Watchdog(clock)
        self._handed: dict[TopicPartition, int] = {}  # ends of the records that the caller has and has not committed
        self._shelf = Shelf()
        self._floors: dict[TopicPartition, int] = {}  # as last committed
        self._kept_at = time.monotonic()
        self._rebuilt_at: dict[TopicPartition, int] = {}  # positions that stood still until the client was made anew
        self._closed = False
        self._client = self._open()

    def _open(self) -> Any:
        with judged(f"opening a reader of {self._group}"):
            client = KafkaConsumer(
                **self._location.client_settings(), **FETCHING, group_id=self._location.group(self._group)
            )
            client.assign(self._places)
            return client

    # --- reading

    def poll(self, max_records: int, timeout_seconds: float, topics: Collection[str] | None = None) -> Sequence[Record]:
        self._require_open()
        deadline = time.monotonic() + timeout_seconds
        while True:
            with judged(f"reading as {self._group}"):
                waits = not self._shelf.has_any(self._readable(), topics)
                self._drive(max(0.0, deadline - time.monotonic()) if waits else 0)
            records = self._shelf.take(max_records, self._readable(), topics)
            if records or time.monotonic() >= deadline:
                break
        if not records and timeout_seconds == 0:
            records = self._make_sure(max_records, topics)
        for record in records:
            self._handed[record.place] = record.offset + 1
        if not records:
            self._keep_offsets()
        if self._watchdog.is_due():
            try:
                self._look_for_stalls(topics)
            except TryLater:  # the cluster is away, which kafka-python does not say of a fetch
                if not records:
                    raise
        return records

    def _make_sure(self, max_records: int, topics: Collection[str] | None) -> list[Record]:
        """Say "nothing" to a poll without time only when that is so: a join or a fetch may still be under way."""
        deadline = time.monotonic() + ASK_SECONDS
        with judged(f"reading as {self._group}"):
            while not self._is_settled() and time.monotonic() < deadline:
                self._drive(0.1)
            if not self._shelf.has_any(self._readable(), None):
                wanted = [place for place in self._readable() if topics is None or place.topic in topics]
                ends = self._cluster.end_offsets(wanted)
                while time.monotonic() < deadline and any(self._position(place) < ends[place] for place in wanted):
                    if self._shelf.has_any(self._readable(), topics):
                        break
                    self._drive(0.1)
        return self._shelf.take(max_records, self._readable(), topics)

    def _is_settled(self) -> bool:
        """Whether it is known which partitions this consumer reads."""
        return True

    def _readable(self) -> frozenset[TopicPartition]:
        """Return the partitions whose records may be handed out now."""
        return self.assignment()

    def _drive(self, seconds: float, *, fetching: bool = True) -> None:
        """Let the client work once: take part in the group, and fetch for the partitions that the shelf has room for.

        All that was fetched is taken at once, and a partition is paused only by its size on the shelf: kafka-python
        3.0.12 never comes back to a batch that is half read when its partition is paused.
        """
        for place in self._client.assignment():
            wanted = fetching and self._shelf.has_room(self._location.ours(place))
            (self._client.resume if wanted else self._client.pause)(place)
        for batch in self._client.poll(timeout_ms=seconds * 1000, max_records=sys.maxsize).values():
            self._shelf.put([incoming(record, self._location.prefix) for record in batch])

    def seek(self, place: TopicPartition, offset: int) -> None:
        self._require([place])
        self._shelf.clear(place)
        self._client.seek(self._location.place(place), max(0, offset))
        if self._handed.get(place, 0) > offset:
            del self._handed[place]

    def assignment(self) -> frozenset[TopicPartition]:
        return frozenset(self._location.ours(place) for place in self._client.assignment())

    # --- offsets

    def commit(self, next_offsets: Mapping[TopicPartition, int]) -> None:
        self._require_open()
        self._fence(next_offsets.keys())
        offsets = {
            self._location.place(place): OffsetAndMetadata(offset, "", -1) for place, offset in next_offsets.items()
        }
        with judged(f"committing for {self._group}"):
            self._store(offsets)
        self._floors |= next_offsets
        for place, offset in next_offsets.items():
            if self._handed.get(place, 0) <= offset:
                self._handed.pop(place, None)

    def _keep_offsets(self) -> None:
        """Commit again, once an hour, what was committed: without members Kafka lets offsets expire after 7 days."""
        now = time.monotonic()
        if now - self._kept_at < KEEP_SECONDS or not self._floors:
            return
        self._kept_at = now
        with judged(f"committing for {self._group}"):
            self._store({self._location.place(at): OffsetAndMetadata(to, "", -1) for at, to in self._floors.items()})

    def _store(self, offsets: Mapping[Any, Any]) -> None:
        self._client.commit(offsets, timeout_ms=COMMIT_MS)

    def _fence(self, places: Collection[TopicPartition]) -> None:
        """Raise ``PartitionLost`` unless all ``places`` are this consumer's."""
        self._require(places)

    def _require(self, places: Collection[TopicPartition]) -> None:
        if foreign := sorted(set(places) - self.assignment()):
            names = ", ".join(f"{place.topic}/{place.partition}" for place in foreign)
            raise PartitionLost(f"{names}: not read by this member of {self._group}")

    def committed(self, places: Collection[TopicPartition]) -> Mapping[TopicPartition, int]:
        return self._cluster.committed(self._group, places)

    # --- the connection

    def heartbeat(self) -> None:
        """Nothing to say: a partition assigned by hand is not given away."""

    def close(self) -> None:
        """Close the connection; there is no group to leave."""
        if not self._closed:
            self._closed = True
            self._drop_client()

    def _drop_client(self) -> None:
        with suppress(errors.KafkaError):  # the group notices by its own time-out; there is nothing left to keep
            self._client.close(autocommit=False, timeout_ms=CLOSE_MS)

    def _require_open(self) -> None:
        if self._closed:
            raise RuntimeError(f"this consumer of {self._group} is closed")

    def _look_for_stalls(self, topics: Collection[str] | None) -> None:
        """Make the client anew when a partition stands still with records ahead; the second time, stop.

        Raises:
            WirewatchError: it stands still even so.
            TryLater: the cluster does not answer.
        """
        places = [place for place in self.assignment() if topics is None or place.topic in topics]
        try:
            ends = self._cluster.end_offsets(places)
        except TryLater:
            self._watchdog.forget()  # that is no stall of this client
            raise
        positions = {place: self._position(place) for place in places}
        self._rebuilt_at = {place: at for place, at in self._rebuilt_at.items() if positions.get(place, at) == at}
        stalled = self._watchdog.look(positions, ends)
        if again := sorted(stalled & self._rebuilt_at.keys()):
            topic, partition = again[0]
            raise WirewatchError(
                f"{self._group} stopped: {topic}/{partition} stands at offset {positions[again[0]]} of {ends[again[0]]}"
                f" for {STALL.seconds} s, even over a new connection. Nothing was skipped; look at the broker that "
                "leads this partition, then start the step again."
            )
        if stalled:
            log.warning("partitions stand still", group=self._group, places=sorted(stalled), next="a new connection")
            self._rebuilt_at |= {place: positions[place] for place in stalled}
            self._rebuild(positions)

    def _position(self, place: TopicPartition) -> int:
        """Return the offset of the next record that the caller would get, -1 while it is unknown."""
        if (offset := self._shelf.first_offset(place)) is not None:
            return offset
        try:
            position = self._client.position(self._location.place(place), timeout_ms=1_000)
        except errors.KafkaError:
            position = None
        return -1 if position is None else int(position)

    def _rebuild(self, positions: Mapping[TopicPartition, int]) -> None:
        """Open a new client that goes on where the former stood."""
        self._drop_client()
        self._shelf = Shelf()
        self._client = self._open()
        self._watchdog.forget()
        for place, at in positions.items():
            if at >= 0:
                self._client.seek(self._location.place(place), at)


class GroupConsumer(AssignedConsumer):
    """Reads the share of one member of a group, with the cooperative sticky assignment.

    ``poll`` is where partitions change hands. While records are in hand ``heartbeat`` does not take part in that, so a
    partition is given up after their commit or after one lease; a commit of what was lost meanwhile is refused.
    """

    def __init__(
        self,
        cluster: Cluster,
        group: str,
        topics: Collection[str],
        *,
        member: str,
        clock: Clock,
        lease_seconds: float,
        heartbeat_seconds: float,
    ) -> None:
        self._topics = sorted(topics)
        self._member = member
        self._lease_ms = int(lease_seconds * 1000)
        self._heartbeat_ms = int(min(heartbeat_seconds, lease_seconds / 5) * 1000)
        self._lost: set[TopicPartition] = set()  # taken away with records in hand, and the caller does not know yet
        self._replaced = False
        self._prepare(cluster, group, clock)

    def _open(self) -> Any:
        with judged(f"joining {self._group}"):
            client = KafkaConsumer(
                **self._location.client_settings(),
                **FETCHING,
                group_id=self._location.group(self._group),
                group_instance_id=_instance(self._member) if self._member else None,
                partition_assignment_strategy=[CooperativeStickyAssignor],
                session_timeout_ms=self._lease_ms,
                max_poll_interval_ms=self._lease_ms,
                heartbeat_interval_ms=self._heartbeat_ms,
            )
            names = [self._location.topic(topic) for topic in self._topics]
            client.subscribe(topics=names, listener=_Revocations(self._revoked))
            for topic in names:
                # A leader that does not know a topic yet assigns none of it, and kafka-python may not look again.
                client.partitions_for_topic(topic)
            return client

    def _keep_offsets(self) -> None:
        """Nothing: the offsets of a group with members do not expire."""

    def _revoked(self, places: Collection[Any]) -> None:
        """Note what goes while its records are in hand. Called within ``poll``, by the client's own thread."""
        for place in (self._location.ours(place) for place in places):
            self._shelf.clear(place)
            if self._handed.pop(place, None) is not None:
                self._lost.add(place)

    def poll(self, max_records: int, timeout_seconds: float, topics: Collection[str] | None = None) -> Sequence[Record]:
        if self._replaced:
            raise WirewatchError(
                f"{self._group} stopped: another worker joined under the name “{self._member}”. Give each worker a "
                "name of its own (WIREWATCH_MEMBER), or none; its records were left to the other."
            )
        return super().poll(max_records, timeout_seconds, topics)

    def assignment(self) -> frozenset[TopicPartition]:
        return frozenset() if self._is_out() else super().assignment()

    def _readable(self) -> frozenset[TopicPartition]:
        """Return nothing while this member is joining: what it read could not be committed, and may be another's."""
        return super().assignment() if self._is_settled() else frozenset()

    def _is_settled(self) -> bool:
        return bool(self._client.group_metadata().state == MemberState.STABLE)

    def _is_out(self) -> bool:
        """Whether the group went on without this member, which will join again with its next poll."""
        return bool(self._client.group_metadata().state == MemberState.UNJOINED)

    def _fence(self, places: Collection[TopicPartition]) -> None:
        if lost := self._lost.intersection(places):
            self._lost = set()
            raise PartitionLost(f"{self._group} gave partitions away while their records were in hand: {sorted(lost)}")
        self._require(places)

    def _store(self, offsets: Mapping[Any, Any]) -> None:
        deadline = time.monotonic() + self._lease_ms / 1000
        while True:
            try:
                return super()._store(offsets)
            except errors.FencedInstanceIdError:
                self._replaced = True
                raise
            except errors.RebalanceInProgressError as error:
                # A poll returned while this member was joining. See that through, then look what is still ours.
                if time.monotonic() > deadline:
                    raise PartitionLost(f"{self._group} is still sharing its partitions out") from error
                self._drive(0.1, fetching=False)
                self._fence([self._location.ours(place) for place in offsets])

    def heartbeat(self) -> None:
        self._require_open()
        if self._handed and self._is_out():
            self._handed = {}
            raise PartitionLost(f"{self._group} went on without this member")
        with suppress(TryLater, PartitionLost), judged(f"staying in {self._group}"):
            # An unreachable cluster is reported by the call that follows, which can wait for it.
            if self._handed:
                self._client._coordinator.poll_heartbeat()  # alive, without taking part in a rebalance
            else:
                self._drive(0, fetching=False)

    def _rebuild(self, positions: Mapping[TopicPartition, int]) -> None:  # noqa: ARG002
        """Join again; reading goes on at the group's offsets, and what is in hand is another's or comes again."""
        self._drop_client()
        self._lost |= self._handed.keys()
        self._handed = {}
        self._shelf = Shelf()
        self._client = self._open()
        self._watchdog.forget()

    def _drop_client(self) -> None:
        member_id = self._client.group_metadata().member_id
        super()._drop_client()
        if self._member and member_id and not self._replaced:
            # kafka-python lets named members time out. Removing this one tells the others at once that it is gone.
            with suppress(TryLater, PartitionLost):
                self._cluster.remove_member(self._group, member_id, _instance(self._member))


class _Revocations(ConsumerRebalanceListener):  # type: ignore[misc]
    """Passes on what a rebalance takes away."""

    def __init__(self, revoked: Any) -> None:
        self._revoked = revoked

    def on_partitions_revoked(self, revoked: Collection[Any]) -> None:
        self._revoked(revoked)

    def on_partitions_lost(self, lost: Collection[Any]) -> None:
        self._revoked(lost)

    def on_partitions_assigned(self, assigned: Collection[Any]) -> None:
        """Nothing to do: positions come from the group's offsets."""


def _instance(member: str) -> str:
    """Return a name as Kafka allows it: ASCII letters, digits, dot, underscore and hyphen, at most 249."""
    return re.sub(r"[^A-Za-z0-9.-]", lambda found: f"_{ord(found[0]):x}", member)[:249]
