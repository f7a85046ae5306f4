"""The ``Consumer`` port over one SQLite file: partitions assigned by hand, and those shared in a group."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping, Sequence
from typing import Final

from msgspec import Struct

from pipeline.adapters.sqlite_broker.group import Membership
from pipeline.adapters.sqlite_broker.log_file import FETCH_BYTES, LogFile, end_offsets, read_records, stored_offsets
from pipeline.adapters.sqlite_broker.roster import Roster
from pipeline.errors import MemberReplaced, PartitionLost
from pipeline.ports import Record, TopicPartition

FIRST_PAUSE_SECONDS: Final = 0.001
LONGEST_PAUSE_SECONDS: Final = 0.05
"""Other processes' commits are seen within this time; asking costs some 20 µs."""
ATTEND_SECONDS: Final = 1.0


class _Position(Struct):
    """Where one partition is read."""

    next: int
    committed: int
    handed_out: int = 0
    """End of the records given to the caller."""
    turn: int = 0
    """When it last gave records, counted in polls."""

    @property
    def is_in_hand(self) -> bool:
        """Whether the caller has records whose offset is not committed yet."""
        return self.handed_out > self.committed


class AssignedConsumer:
    """Reads partitions assigned by hand, with the offsets of a group but no membership: nothing fences its commits."""

    def __init__(self, file: LogFile, group: str, places: Collection[TopicPartition]) -> None:
        with file.writing() as sql:
            roster = Roster(sql, group)
            for place in places:
                if topic := file.topic_row(sql, place.topic):
                    roster.keep_unread(topic.id, place.partition)
        self._prepare(file, group, roster)
        self._start(places)

    def _prepare(self, file: LogFile, group: str, roster: Roster) -> None:
        self._file = file
        self._group = group
        self._roster = roster
        self._turn = 0
        self._positions: dict[TopicPartition, _Position] = {}

    def _start(self, places: Collection[TopicPartition]) -> None:
        """Begin reading ``places`` where the group left off."""
        with self._file.reading() as sql:
            stored = stored_offsets(sql, self._group)
        self._positions |= {place: _Position(stored.get(place, 0), stored.get(place, 0)) for place in places}

    def poll(self, max_records: int, timeout_seconds: float, topics: Collection[str] | None = None) -> Sequence[Record]:
        deadline = time.monotonic() + timeout_seconds
        while True:
            self._attend()
            version = self._file.data_version()  # asked before reading, so that no commit falls between
            records = self._fetch(max_records, topics)
            if records or time.monotonic() >= deadline:
                return records
            self._pause(version, min(deadline, time.monotonic() + ATTEND_SECONDS))

    def _attend(self) -> None:
        """See to the group before reading; there is none here."""

    def _pause(self, version: int, until: float) -> None:
        """Wait until another connection has committed, or ``until``. This one commits nothing meanwhile."""
        pause = FIRST_PAUSE_SECONDS
        while (left := until - time.monotonic()) > 0 and self._file.data_version() == version:
            time.sleep(min(pause, left))
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)

    def _fetch(self, max_records: int, topics: Collection[str] | None) -> list[Record]:
        """Read on, beginning with the partition that waited longest, so that a long one never holds up the others."""
        wanted = [place for place in self._positions if topics is None or place.topic in topics]
        wanted.sort(key=lambda place: (self._positions[place].turn, place))
        records: list[Record] = []
        reached: dict[TopicPartition, int] = {}
        room = FETCH_BYTES
        with self._file.reading() as sql:
            ends = end_offsets(sql)
            for place in wanted:
                if len(records) >= max_records or room <= 0:
                    break
                start, topic = self._positions[place].next, self._file.topic_row(sql, place.topic)
                if topic is None or start >= ends.get(place, 0):
                    continue
                got = read_records(sql, place, topic.id, start, limit=max_records - len(records), max_bytes=room)
                reached[place] = got[-1].offset + 1 if got else ends[place]  # nothing: all that was left is pruned
                records += got
                room -= sum(len(record.value or b"") for record in got)
        self._advance(reached, records)
        return records

    def _advance(self, reached: Mapping[TopicPartition, int], records: Sequence[Record]) -> None:
        """Move the positions, only now that nothing can fail: a record passed over here would never be handled."""
        self._turn += 1
        for place, offset in reached.items():
            self._positions[place].next = offset
            self._positions[place].turn = self._turn
        for record in records:
            self._positions[record.place].handed_out = record.offset + 1

    def commit(self, next_offsets: Mapping[TopicPartition, int]) -> None:
        with self._file.writing() as sql:
            self._fence(next_offsets.keys())
            for place, offset in next_offsets.items():
                topic = self._file.topic_row(sql, place.topic)
                if topic is None:
                    raise PartitionLost(f"{place.topic} does not exist")
                self._roster.store_offset(topic.id, place.partition, offset)
        for place, offset in next_offsets.items():
            self._positions[place].committed = offset

    def _fence(self, places: Collection[TopicPartition]) -> None:
        """Raise ``PartitionLost`` unless all ``places`` are this consumer's."""
        self._require(places)

    def _require(self, places: Collection[TopicPartition]) -> None:
        if foreign := sorted(set(places) - self._positions.keys()):
            names = ", ".join(f"{place.topic}/{place.partition}" for place in foreign)
            raise PartitionLost(f"{names}: not read by this member of {self._group}")

    def committed(self, places: Collection[TopicPartition]) -> Mapping[TopicPartition, int]:
        with self._file.reading() as sql:
            stored = stored_offsets(sql, self._group)
        return {place: stored.get(place, 0) for place in places}

    def assignment(self) -> frozenset[TopicPartition]:
        return frozenset(self._positions)

    def seek(self, place: TopicPartition, offset: int) -> None:
        self._require([place])
        position = self._positions[place]
        position.next = max(0, offset)
        position.handed_out = min(position.handed_out, position.next)

    def heartbeat(self) -> None:
        """Nothing to say: a partition assigned by hand is not given away."""

    def close(self) -> None:
        """Nothing to leave."""


class GroupConsumer(AssignedConsumer):
    """Reads the share of one member of a group.

    ``poll`` is where partitions change hands. A partition whose records are in hand is given up only after their
    commit, or after the time of one lease; a commit of what was lost meanwhile is refused as a whole.
    """

    def __init__(self, file: LogFile, membership: Membership) -> None:
        self._prepare(file, membership.group, membership.roster)
        self._membership = membership
        self._member_id = membership.standing.id
        self._lost: set[TopicPartition] = set()  # taken away with records in hand, and the caller does not know yet
        self._closed = False
        self._follow()

    def _attend(self) -> None:
        if self._closed:
            raise RuntimeError(f"this consumer of {self._group} is closed")
        try:
            self._membership.keep({place for place, position in self._positions.items() if position.is_in_hand})
        except MemberReplaced:
            self._positions = {}
            raise
        self._follow()

    def _follow(self) -> None:
        """Drop the positions of partitions that went, and start those that came where the group left off."""
        standing = self._membership.standing
        if standing.id == self._member_id and standing.owned == self._positions.keys():
            return
        stays = standing.owned if standing.id == self._member_id else frozenset()
        self._lost |= {place for place, at in self._positions.items() if at.is_in_hand and place not in stays}
        self._positions = {place: at for place, at in self._positions.items() if place in stays}
        self._member_id = standing.id
        self._start(standing.owned - self._positions.keys())

    def _fence(self, places: Collection[TopicPartition]) -> None:
        owned = self._roster.owned(self._member_id)
        self._positions = {place: at for place, at in self._positions.items() if place in owned}
        if lost := self._lost.intersection(places):
            self._lost = set()
            raise PartitionLost(f"{self._group} gave partitions away while their records were in hand: {sorted(lost)}")
        self._require(places)

    def heartbeat(self) -> None:
        try:
            self._membership.renew()
        except PartitionLost:
            self._positions = {}
            raise

    def close(self) -> None:
        if not self._closed:
            self._closed = True
            self._positions = {}
            self._membership.leave()
