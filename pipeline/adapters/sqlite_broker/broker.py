"""The ``Broker`` port over one SQLite file."""

from __future__ import annotations

import json
import sqlite3
import zlib
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, NamedTuple

from pipeline.adapters.sqlite_broker.consumer import AssignedConsumer, GroupConsumer
from pipeline.adapters.sqlite_broker.group import Membership
from pipeline.adapters.sqlite_broker.log_file import LogFile, end_offsets, log, read_records, stored_offsets
from pipeline.errors import PublishError, TryLater
from pipeline.ports import Clock, Message, Record, TopicPartition
from pipeline.topics import MAX_RECORD_BYTES, Topic

PRUNE_SLICE: Final = 500
"""Records deleted in one transaction; 500 of 4 kB hold the write lock for some 25 ms."""

OLDEST_READ: Final = """
SELECT offset, written_ms FROM records WHERE topic_id = :topic AND partition = :partition AND offset < coalesce((
    SELECT min(coalesce(here.next_offset, 0))
    FROM (SELECT DISTINCT group_id FROM offsets WHERE topic_id = :topic) AS readers
    LEFT JOIN offsets AS here
        ON here.group_id = readers.group_id AND here.topic_id = :topic AND here.partition = :partition
), 9223372036854775807) ORDER BY offset LIMIT :limit
"""
"""The oldest records of a partition that all readers of the topic have committed; one new to the partition has none."""


class SqliteBroker:
    """A log of topics in one file, for several processes on one machine; open one a thread.

    Where Kafka forgets records by age alone, ``prune`` here keeps what a group that reads the topic has yet to commit.

    Raises:
        DataFolderError: the file cannot be opened, is of a newer version, another program's, or damaged.
        TryLater: from any call but ``publish`` (where it is an outcome): the file is busy, or its disk full or failing.
    """

    def __init__(self, path: Path, *, clock: Clock, lease_seconds: float = 30.0) -> None:
        self._file = LogFile(path)
        self._clock = clock
        self._lease_seconds = lease_seconds
        self._consumers: list[AssignedConsumer] = []
        self._closed = False

    @property
    def cluster_id(self) -> str:
        return self._file.cluster_id

    def create_topics(self, topics: Sequence[Topic]) -> None:
        with self._file.writing() as sql:
            for topic in topics:
                sql.execute(
                    "INSERT INTO topics (name, partitions, retention_ms) VALUES (?, ?, ?) "
                    "ON CONFLICT (name) DO UPDATE SET retention_ms = excluded.retention_ms",
                    (topic.name, topic.partitions, topic.retention // timedelta(milliseconds=1)),
                )
                topic_id, partitions = sql.execute(
                    "SELECT id, partitions FROM topics WHERE name = ?", (topic.name,)
                ).fetchone()
                sql.executemany(
                    "INSERT OR IGNORE INTO partitions VALUES (?, ?, 0)", [(topic_id, at) for at in range(partitions)]
                )
            sql.execute("UPDATE groups SET version = version + 1")  # members may have waited for these topics

    def topic_problems(self, topics: Sequence[Topic]) -> Sequence[str]:
        there = self.topics()
        missing = [topic.name for topic in topics if topic.name not in there]
        fewer = [topic for topic in topics if there.get(topic.name, topic.partitions) < topic.partitions]
        return [
            *([f"there is no topic {', '.join(missing)}"] if missing else []),
            *(
                f"{topic.name} has {there[topic.name]} partitions, at least {topic.partitions} are wanted"
                for topic in fewer
            ),
        ]

    def topics(self) -> Mapping[str, int]:
        return {name: row.partitions for name, row in self._file.topics().items()}

    def publish(self, messages: Sequence[Message]) -> Sequence[PublishError | None]:
        try:
            encoded = [self._encode(message) for message in messages]
            if rows := [row for row in encoded if isinstance(row, _Row)]:
                with self._file.writing() as sql:
                    self._append(sql, rows)
        except TryLater as later:
            return [PublishError(later.cause) for _ in messages]
        except sqlite3.Error as error:  # whatever it is: nothing was stored, and that is an outcome here
            return [PublishError(f"broker's file {self._file.path}: {error}") for _ in messages]
        return [row if isinstance(row, PublishError) else None for row in encoded]

    def _encode(self, message: Message) -> _Row | PublishError:
        """Return what is stored of a message, or why it can never be."""
        topic = self._file.topic(message.topic)
        if topic is None:
            return PublishError(f"there is no topic {message.topic!r}; `wirewatch setup` makes the topics", fatal=True)
        key = message.key.encode("utf-8", "surrogatepass")  # text from outside may hold half a surrogate pair
        headers = json.dumps(message.headers) if message.headers else ""
        size = len(key) + len(headers) + len(message.value or b"")
        if size > MAX_RECORD_BYTES:
            return PublishError(f"the message is too large: {size} bytes, at most {MAX_RECORD_BYTES}", fatal=True)
        return _Row(topic.id, zlib.crc32(key) % topic.partitions, key, headers, message.value)

    def _append(self, sql: sqlite3.Connection, rows: Sequence[_Row]) -> None:
        now = int(self._clock().timestamp() * 1000)
        ends: dict[tuple[int, int], int] = {}
        values = []
        for row in rows:
            place = (row.topic_id, row.partition)
            if place not in ends:
                ends[place] = sql.execute(
                    "SELECT next_offset FROM partitions WHERE topic_id = ? AND partition = ?", place
                ).fetchone()[0]
            values.append((*place, ends[place], now, row.key, row.headers, row.value))
            ends[place] += 1
        sql.executemany("INSERT INTO records VALUES (?, ?, ?, ?, ?, ?, ?)", values)
        sql.executemany(
            "UPDATE partitions SET next_offset = ? WHERE topic_id = ? AND partition = ?",
            [(end, *place) for place, end in ends.items()],
        )

    def consumer(self, group: str, topics: Collection[str], member: str = "") -> GroupConsumer:
        membership = Membership(
            self._file, group, topics, member=member, clock=self._clock, lease_seconds=self._lease_seconds
        )
        consumer = GroupConsumer(self._file, membership)
        self._consumers.append(consumer)
        return consumer

    def assigned_consumer(self, group: str, places: Collection[TopicPartition]) -> AssignedConsumer:
        consumer = AssignedConsumer(self._file, group, places)
        self._consumers.append(consumer)
        return consumer

    def end_offsets(self, topics: Collection[str]) -> Mapping[TopicPartition, int]:
        with self._file.reading() as sql:
            return {place: end for place, end in end_offsets(sql).items() if place.topic in topics}

    def committed(self, group: str, topics: Collection[str]) -> Mapping[TopicPartition, int]:
        with self._file.reading() as sql:
            stored = stored_offsets(sql, group)
            return {place: stored.get(place, 0) for place in end_offsets(sql) if place.topic in topics}

    def read(self, place: TopicPartition, offset: int, limit: int) -> Sequence[Record]:
        topic = self._file.topic(place.topic)
        if topic is None:
            return ()
        with self._file.reading() as sql:
            return read_records(sql, place, topic.id, offset, limit=limit)

    def prune(self, now: datetime) -> int:
        """Delete records past their retention that every group reading the topic has committed; return how many.

        A group reads a topic once it has had one of its partitions. Unread records past their time are kept and named
        in the log: a step that was off for a fortnight must find its work when it is started again.
        """
        with self._file.reading() as sql:
            topics = sql.execute("SELECT id, name, partitions, retention_ms FROM topics").fetchall()
        deleted = 0
        for topic_id, name, partitions, retention_ms in topics:
            before_ms = int(now.timestamp() * 1000) - retention_ms
            for partition in range(partitions):
                while count := self._prune_slice(topic_id, partition, before_ms):
                    deleted += count
            self._report_unread(topic_id, name, before_ms)
        return deleted

    def _prune_slice(self, topic_id: int, partition: int, before_ms: int) -> int:
        """Delete the oldest records that may go, at most one slice of them, so that writers never wait for long."""
        with self._file.writing() as sql:
            rows = sql.execute(
                OLDEST_READ, {"topic": topic_id, "partition": partition, "limit": PRUNE_SLICE}
            ).fetchall()
            end = next((offset for offset, written_ms in rows if written_ms >= before_ms), None)
            last = end - 1 if end is not None else rows[-1][0] if rows else -1
            return sql.execute(
                "DELETE FROM records WHERE topic_id = ? AND partition = ? AND offset <= ?", (topic_id, partition, last)
            ).rowcount

    def _report_unread(self, topic_id: int, name: str, before_ms: int) -> None:
        with self._file.reading() as sql:
            oldest = sql.execute(
                "SELECT min(written_ms) FROM (SELECT (SELECT written_ms FROM records r WHERE r.topic_id = p.topic_id"
                " AND r.partition = p.partition ORDER BY offset LIMIT 1) AS written_ms"
                " FROM partitions p WHERE topic_id = ?)",
                (topic_id,),
            ).fetchone()[0]
        if oldest is not None and oldest < before_ms:
            log.warning(
                "unread records kept past their retention", topic=name, next="deleted once all groups read them"
            )

    def close(self) -> None:
        """Leave every group joined through this broker, then close the file."""
        if self._closed:
            return
        self._closed = True
        try:
            for consumer in self._consumers:
                consumer.close()
        finally:
            self._file.close()


class _Row(NamedTuple):
    """A message as it is stored."""

    topic_id: int
    partition: int
    key: bytes
    headers: str
    value: bytes | None
