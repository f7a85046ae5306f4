"""Notices a partition that has records to read and does not move, though it is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from msgspec import Struct

from pipeline.ports import Clock, TopicPartition

STALL: Final = timedelta(seconds=120)
LOOKS: Final = 4
"""Looks in the time of a stall; a longer silence means that nobody polled, which is no stall."""


class _Watch(Struct):
    position: int
    since: datetime


class Watchdog:
    """Compares positions with ends from time to time; the clock is the caller's."""

    def __init__(self, clock: Clock, stall: timedelta = STALL) -> None:
        self._clock = clock
        self._stall = stall
        self._looked: datetime | None = None
        self._watches: dict[TopicPartition, _Watch] = {}

    def is_due(self) -> bool:
        """Whether it is time for another look."""
        now = self._clock()
        if self._looked is None:
            self._looked = now
        return abs(now - self._looked) >= self._stall / LOOKS

    def look(self, positions: Mapping[TopicPartition, int], ends: Mapping[TopicPartition, int]) -> set[TopicPartition]:
        """Return the partitions that stood still with records ahead for the whole time of a stall."""
        now = self._clock()
        if self._looked is None or abs(now - self._looked) > self._stall / 2:
            self._watches = {}
        self._looked = now
        behind = {place: at for place, at in positions.items() if at < ends.get(place, 0)}
        former, self._watches = self._watches, {}
        for place, at in behind.items():
            watch = former.get(place)
            self._watches[place] = watch if watch and watch.position == at else _Watch(at, now)
        return {place for place, watch in self._watches.items() if now - watch.since >= self._stall}

    def forget(self) -> None:
        """Begin anew, as after a rebuilt connection."""
        self._watches = {}
        self._looked = None
