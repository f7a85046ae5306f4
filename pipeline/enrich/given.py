"""Profiles that were handed over with some records, in a process that has no state to ask."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import msgspec
from msgspec import Struct

from pipeline.ports import Profiles, Record


class Habits(NamedTuple):
    """What is known of one outlet."""

    repeated: frozenset[int]
    broken: str


class Note(NamedTuple):
    """What one page gave: the arguments of ``Profiles.note``."""

    article_id: str
    outlet: str
    keys: tuple[int, ...]
    characters: int
    page_bytes: int


class GivenProfiles:
    """Knows what it was given, and keeps what it is told."""

    def __init__(self, habits: Mapping[str, Habits]) -> None:
        self._habits = habits
        self.notes: list[Note] = []

    def repeated_lines(self, outlet: str) -> frozenset[int]:
        """Return the keys of lines that the outlet's pages repeat."""
        return self._habits[outlet].repeated if outlet in self._habits else frozenset()

    def broken(self, outlet: str) -> str:
        """Return what is wrong with reading this outlet's pages just now; empty: nothing."""
        return self._habits[outlet].broken if outlet in self._habits else ""

    def note(self, article_id: str, outlet: str, keys: tuple[int, ...], characters: int, page_bytes: int) -> None:
        """Keep what one page gave."""
        self.notes.append(Note(article_id, outlet, keys, characters, page_bytes))


class _Outlet(Struct):
    outlet: str = ""
    page: str = ""


_decoder = msgspec.json.Decoder(_Outlet)


def habits_of(records: Iterable[Record], profiles: Profiles) -> dict[str, Habits]:
    """Return what is known of the outlets whose pages these raw records have. Raises ``TryLater`` as profiles do."""
    outlets = set()
    for record in records:
        try:
            found = _decoder.decode(record.value or b"{}")
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            continue  # no article: the stages will say so
        if found.page and found.outlet:
            outlets.add(found.outlet)
    return {outlet: Habits(profiles.repeated_lines(outlet), profiles.broken(outlet)) for outlet in outlets}
