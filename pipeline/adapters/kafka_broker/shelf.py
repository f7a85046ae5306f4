"""Records that were fetched and not yet asked for: bounded, and given out so that no partition waits for another."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Sequence
from typing import Final

from pipeline.ports import Record, TopicPartition

PLACE_BYTES: Final = 1024 * 1024
"""Of one partition, above which no more is fetched for it. One fetch of 256 KiB, unpacked, may come on top."""
TOTAL_BYTES: Final = 16 * 1024 * 1024
"""Of all partitions, above which nothing more is fetched."""
RECORD_BYTES: Final = 500
"""What a record takes besides its value, about."""


class Shelf:
    """Fetched records by partition, in order within each."""

    def __init__(self) -> None:
        self._records: dict[TopicPartition, deque[Record]] = {}
        self._bytes: dict[TopicPartition, int] = {}
        self._turns: dict[TopicPartition, int] = {}  # when a partition last gave records, counted in takes
        self._turn = 0

    def put(self, records: Sequence[Record]) -> None:
        """Add records of one partition behind those that are there."""
        place = records[0].place
        self._records.setdefault(place, deque()).extend(records)
        self._bytes[place] = self._bytes.get(place, 0) + sum(_size(record) for record in records)

    def has_room(self, place: TopicPartition) -> bool:
        """Whether more of this partition may be fetched."""
        return self._bytes.get(place, 0) < PLACE_BYTES and sum(self._bytes.values()) < TOTAL_BYTES

    def has_any(self, places: Collection[TopicPartition], topics: Collection[str] | None) -> bool:
        """Whether ``take`` would return anything."""
        return any(place in places and (topics is None or place.topic in topics) for place in self._records)

    def take(self, limit: int, places: Collection[TopicPartition], topics: Collection[str] | None) -> list[Record]:
        """Remove and return up to ``limit`` records of these places, the partition that waited longest first."""
        ready = [place for place in self._records if place in places and (topics is None or place.topic in topics)]
        taken: list[Record] = []
        self._turn += 1
        for place in sorted(ready, key=lambda place: (self._turns.get(place, 0), place)):
            if len(taken) == limit:
                break
            waiting = self._records[place]
            some = [waiting.popleft() for _ in range(min(limit - len(taken), len(waiting)))]
            self._turns[place] = self._turn
            self._bytes[place] -= sum(_size(record) for record in some)
            if not waiting:
                self.clear(place)
            taken += some
        return taken

    def first_offset(self, place: TopicPartition) -> int | None:
        """Return the offset of the next record of this partition, None when there is none here."""
        waiting = self._records.get(place)
        return waiting[0].offset if waiting else None

    def clear(self, place: TopicPartition) -> None:
        """Drop what is here of a partition; it is fetched again when it is wanted."""
        self._records.pop(place, None)
        self._bytes.pop(place, None)


def _size(record: Record) -> int:
    return len(record.value or b"") + len(record.key or "") + RECORD_BYTES
