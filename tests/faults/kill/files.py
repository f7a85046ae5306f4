"""What stands in the files of the embedded broker and state."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from faults.kill.holdings import Holdings, Place


class Files(Holdings):
    """The files in one data folder, opened for each question."""

    def __init__(self, data: Path) -> None:
        self._broker = data / "broker.db"
        self._state = data / "state.db"

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        return rows(self._state, query)

    def ends(self) -> dict[str, int]:
        query = "SELECT t.name, sum(next_offset) FROM partitions p JOIN topics t ON t.id = p.topic_id GROUP BY 1"
        return dict(rows(self._broker, query))

    def committed(self) -> dict[Place, int]:
        query = (
            "SELECT g.name, t.name, partition, next_offset "
            "FROM offsets o JOIN groups g ON g.id = o.group_id JOIN topics t ON t.id = o.topic_id"
        )
        return {(group, topic, partition): offset for group, topic, partition, offset in rows(self._broker, query)}

    def members(self) -> list[str]:
        return [str(row) for row in rows(self._broker, "SELECT name, holder FROM members")]


def rows(path: Path, query: str) -> list[tuple[Any, ...]]:
    """Ask a SQLite file, without writing to it."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=30)) as sql:
        return sql.execute(query).fetchall()


def offsets(data: Path) -> dict[str, tuple[int, int]]:
    """Return for each group how many records its topics got, and how many it has committed."""
    return Files(data).offsets()


def left_open(data: Path) -> list[str]:
    """Return what is not finished: leases, claims, markers, members, and records not committed."""
    return Files(data).left_open()
