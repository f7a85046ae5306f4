"""One line of a gazetteer file: an entity, its names, and where they were read."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable
from dataclasses import astuple, dataclass, fields, replace
from pathlib import Path

from pipeline.query.analysis import joined

KINDS = ("person", "organisation", "place")
BETWEEN = "|"
_INVISIBLE = re.compile("[\u00ad\u061c\u200b\u200d-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
"""Format characters, but for the non-joiner that Persian writes inside words."""


@dataclass(frozen=True, slots=True)
class Row:
    """An entity; `id` is `source:key`, and no key was made up: `docs/gazetteer.md` says how each source has its own."""

    id: str
    kind: str
    type: str
    name: str
    aliases: tuple[str, ...] = ()
    country: str = ""
    latitude: float | None = None
    longitude: float | None = None
    weight: int = 0
    context: tuple[str, ...] = ()
    source: str = ""


HEADER = tuple(field.name for field in fields(Row))


def distinct(names: Iterable[str], *, besides: Iterable[str] = ()) -> tuple[str, ...]:
    """Return `names` without those that fold to an earlier one, to one of `besides`, or to nothing; order is kept."""
    seen = {joined(name) for name in besides} | {""}
    kept = []
    for name in names:
        plain = " ".join(_INVISIBLE.sub("", name).replace(BETWEEN, " ").split())
        folded = joined(plain)
        if folded not in seen:
            seen.add(folded)
            kept.append(plain)
    return tuple(kept)


def with_aliases(row: Row, names: Iterable[str], *, source: str = "") -> Row:
    """Return `row` with the names it did not have yet; `source` is named too where it gave any."""
    added = distinct(names, besides=(row.name, *row.aliases))
    if not added:
        return row
    sources = row.source.split(BETWEEN)
    sources += [source] if source and source not in sources else []
    return replace(row, aliases=row.aliases + added, source=BETWEEN.join(sources))


def _cell(value: object) -> str:
    if isinstance(value, tuple):
        return BETWEEN.join(value)
    if isinstance(value, float):
        return f"{value:.3f}"  # a hundred metres: a place, not an address
    return "" if value is None else str(value)


def write_rows(path: Path, rows: Iterable[Row]) -> None:
    """Write a gazetteer file: UTF-8, a header, sorted by id so that a change is seen line by line."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(HEADER)
        for row in sorted(rows, key=lambda row: row.id):
            writer.writerow([_cell(value) for value in astuple(row)])


def read_table(path: Path) -> list[dict[str, str]]:
    """Return the lines of a CSV file with a header."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
