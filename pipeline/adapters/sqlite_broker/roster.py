"""The rows of one group: members, owners and version. Every call belongs inside a transaction of its ``LogFile``."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterable
from typing import NamedTuple

from pipeline.ports import TopicPartition


class Member(NamedTuple):
    """One member; ``id`` is never used again, so it is also the fence of what the member does."""

    id: int
    name: str
    holder: str
    topics: frozenset[str]
    expires_ms: int


class Roster:
    """A group as the file knows it."""

    def __init__(self, sql: sqlite3.Connection, group: str) -> None:
        self._sql = sql
        sql.execute("INSERT OR IGNORE INTO groups (name, version) VALUES (?, 0)", (group,))
        self._group_id = sql.execute("SELECT id FROM groups WHERE name = ?", (group,)).fetchone()[0]

    def version(self) -> int:
        return int(self._sql.execute("SELECT version FROM groups WHERE id = ?", (self._group_id,)).fetchone()[0])

    def raise_version(self) -> None:
        """Tell all members that something changed."""
        self._sql.execute("UPDATE groups SET version = version + 1 WHERE id = ?", (self._group_id,))

    def members(self) -> list[Member]:
        rows = self._sql.execute(
            "SELECT id, name, holder, topics, expires_ms FROM members WHERE group_id = ?", (self._group_id,)
        )
        return [
            Member(at, name, holder, frozenset(json.loads(topics)), ends) for at, name, holder, topics, ends in rows
        ]

    def enter(self, name: str, holder: str, topics: Collection[str], expires_ms: int) -> int:
        """Add a member and return its id. What a former one of this name had is its own; the former is fenced."""
        subscription = json.dumps(sorted(topics))
        former = self._sql.execute(
            "SELECT id FROM members WHERE group_id = ? AND name = ?", (self._group_id, name)
        ).fetchone()
        if former:
            self._sql.execute("DELETE FROM members WHERE id = ?", former)
        new_id = self._sql.execute(
            "INSERT INTO members (group_id, name, holder, topics, expires_ms) VALUES (?, ?, ?, ?, ?)",
            (self._group_id, name, holder, subscription, expires_ms),
        ).lastrowid
        assert new_id is not None
        if former:
            self._sql.execute("UPDATE owners SET member_id = ? WHERE member_id = ?", (new_id, *former))
            self._sql.execute(
                "DELETE FROM owners WHERE member_id = ? AND topic_id NOT IN "
                "(SELECT id FROM topics WHERE name IN (SELECT value FROM json_each(?)))",
                (new_id, subscription),
            )
        return new_id

    def extend(self, member_id: int, expires_ms: int) -> None:
        self._sql.execute("UPDATE members SET expires_ms = ? WHERE id = ?", (expires_ms, member_id))

    def remove(self, member_id: int) -> None:
        self._sql.execute("DELETE FROM owners WHERE group_id = ? AND member_id = ?", (self._group_id, member_id))
        self._sql.execute("DELETE FROM members WHERE id = ?", (member_id,))

    def owned(self, member_id: int) -> frozenset[TopicPartition]:
        rows = self._sql.execute(
            "SELECT t.name, o.partition FROM owners o JOIN topics t ON t.id = o.topic_id "
            "WHERE o.group_id = ? AND o.member_id = ?",
            (self._group_id, member_id),
        )
        return frozenset(TopicPartition(name, partition) for name, partition in rows)

    def owners(self, topic_id: int) -> dict[int, int]:
        """Return the owner of each partition of a topic that has one."""
        rows = self._sql.execute(
            "SELECT partition, member_id FROM owners WHERE group_id = ? AND topic_id = ?", (self._group_id, topic_id)
        )
        return dict(rows.fetchall())

    def claim(self, topic_id: int, partitions: Iterable[int], member_id: int) -> None:
        """Give free partitions to a member."""
        for partition in partitions:
            self._sql.execute(
                "INSERT INTO owners VALUES (?, ?, ?, ?)", (self._group_id, topic_id, partition, member_id)
            )
            self.keep_unread(topic_id, partition)

    def release(self, topic_id: int, partitions: Iterable[int]) -> None:
        self._sql.executemany(
            "DELETE FROM owners WHERE group_id = ? AND topic_id = ? AND partition = ?",
            [(self._group_id, topic_id, partition) for partition in partitions],
        )

    def keep_unread(self, topic_id: int, partition: int) -> None:
        """From now on nothing is pruned there that this group has not committed."""
        self._sql.execute("INSERT OR IGNORE INTO offsets VALUES (?, ?, ?, 0)", (self._group_id, topic_id, partition))

    def store_offset(self, topic_id: int, partition: int, next_offset: int) -> None:
        self._sql.execute(
            "INSERT INTO offsets VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET next_offset = excluded.next_offset",
            (self._group_id, topic_id, partition, next_offset),
        )
