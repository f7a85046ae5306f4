"""The file behind the embedded broker: its transactions, what is read from it, and what an error of SQLite means."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, NamedTuple

import structlog

from pipeline.adapters.sqlite_broker.schema import BUSY_SECONDS, cluster_id, open_database
from pipeline.errors import DataFolderError, TryLater
from pipeline.ports import Record, TopicPartition

log = structlog.get_logger("wirewatch")

WAL_LIMIT_BYTES: Final = 64 * 1024 * 1024
"""SQLite's own checkpoints stop short while others write, so past this size writers wait for a whole one."""
FETCH_BYTES: Final = 16 * 1024 * 1024
"""A read ends early past this size: 500 records of the largest kind would be 450 MB."""
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

DAMAGED: Final = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
PASSING: Final = (
    sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_NOMEM, sqlite3.SQLITE_PROTOCOL,
)  # fmt: skip


class TopicRow(NamedTuple):
    """What never changes of a topic."""

    id: int
    partitions: int


class LogFile:
    """One connection to the file, for the thread and the process that opened it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._pid = os.getpid()
        self._connection = open_database(path)
        self.cluster_id = str(cluster_id(self._connection))
        self._wal = path.with_name(path.name + "-wal")
        self._wal_limit = WAL_LIMIT_BYTES
        self._wal_allowed = WAL_LIMIT_BYTES
        self._topics: dict[str, TopicRow] = {}

    @property
    def sql(self) -> sqlite3.Connection:
        """The connection, in autocommit mode. Raises ``RuntimeError`` across a fork."""
        if os.getpid() != self._pid:
            raise RuntimeError(
                f"The broker's file {self.path} was opened by process {self._pid} and is used in {os.getpid()}. "
                "A SQLite handle must not cross a fork: open the broker anew in each process."
            )
        return self._connection

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """One durable transaction that holds the write lock from its start.

        Raises:
            TryLater: busy, full or failing disk; nothing was written.
            DataFolderError: the file is damaged.
        """
        with self._transaction("BEGIN IMMEDIATE") as sql:
            yield sql
        self._bound_wal()

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """One snapshot. Raises as ``writing`` does."""
        with self._transaction("BEGIN") as sql:
            yield sql

    @contextmanager
    def _transaction(self, begin: str) -> Iterator[sqlite3.Connection]:
        sql = self.sql
        try:
            sql.execute(begin)
            try:
                yield sql
                sql.execute("COMMIT")
            except BaseException:
                if sql.in_transaction:  # a full disk makes SQLite roll back by itself
                    sql.execute("ROLLBACK")
                raise
        except sqlite3.Error as error:
            verdict = judged(error, self.path)
            if verdict is error:
                raise
            raise verdict from error

    def _bound_wal(self) -> None:
        """Move a log that has grown too far into the file, at the price of one wait for all readers and writers."""
        size = self._wal.stat().st_size if self._wal.exists() else 0
        if size < self._wal_allowed:
            return
        try:
            self.sql.execute("PRAGMA busy_timeout = 1000")
            blocked = self.sql.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
        except sqlite3.OperationalError as error:
            blocked = str(error)
        finally:
            self.sql.execute(f"PRAGMA busy_timeout = {BUSY_SECONDS * 1000:.0f}")
        self._wal_allowed = self._wal_limit + (size if blocked else 0)
        if blocked:
            log.warning("broker's write-ahead log grows", file=str(self._wal), bytes=size, cause=blocked)

    def data_version(self) -> int:
        """Return a number that changes when another connection has committed."""
        with self.reading() as sql:
            return int(sql.execute("PRAGMA data_version").fetchone()[0])

    def topics(self) -> dict[str, TopicRow]:
        """Return every topic, from the file."""
        with self.reading() as sql:
            rows = sql.execute("SELECT name, id, partitions FROM topics ORDER BY id").fetchall()
        return {name: TopicRow(topic_id, partitions) for name, topic_id, partitions in rows}

    def topic(self, name: str) -> TopicRow | None:
        """Return one topic, or None."""
        if name in self._topics:
            return self._topics[name]
        with self.reading() as sql:
            return self.topic_row(sql, name)

    def topic_row(self, sql: sqlite3.Connection, name: str) -> TopicRow | None:
        """Return one topic inside the caller's transaction. Ids and partitions never change, so they are remembered."""
        if name not in self._topics:
            row = sql.execute("SELECT id, partitions FROM topics WHERE name = ?", (name,)).fetchone()
            if row is None:
                return None
            self._topics[name] = TopicRow(*row)
        return self._topics[name]

    def close(self) -> None:
        self.sql.close()


def judged(error: sqlite3.Error, path: Path) -> Exception:
    """Return what an error of SQLite means: wait (``TryLater``), a damaged file (``DataFolderError``), or our bug."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # the low byte is the primary result code
    if code in DAMAGED:
        return DataFolderError(
            f"The broker's file {path} is damaged: {error}. Stop Wirewatch and restore the file from a backup; moved "
            "away, a new one is made, but what was not yet handled is lost."
        )
    return TryLater(f"broker's file {path}: {error}") if code in PASSING else error


def stored_offsets(sql: sqlite3.Connection, group: str) -> dict[TopicPartition, int]:
    """Return what a group has committed so far."""
    rows = sql.execute(
        "SELECT t.name, o.partition, o.next_offset FROM offsets o JOIN groups g ON g.id = o.group_id "
        "JOIN topics t ON t.id = o.topic_id WHERE g.name = ?",
        (group,),
    )
    return {TopicPartition(name, partition): offset for name, partition, offset in rows}


def end_offsets(sql: sqlite3.Connection) -> dict[TopicPartition, int]:
    """Return the next offset of every partition."""
    rows = sql.execute("SELECT t.name, p.partition, p.next_offset FROM partitions p JOIN topics t ON t.id = p.topic_id")
    return {TopicPartition(name, partition): offset for name, partition, offset in rows}


def read_records(
    sql: sqlite3.Connection,
    place: TopicPartition,
    topic_id: int,
    offset: int,
    *,
    limit: int,
    max_bytes: int = FETCH_BYTES,
) -> list[Record]:
    """Return the next kept records of one partition; the one that passes ``max_bytes`` is the last."""
    rows = sql.execute(
        "SELECT offset, written_ms, key, headers, value FROM records "
        "WHERE topic_id = ? AND partition = ? AND offset >= ? ORDER BY offset LIMIT ?",
        (topic_id, place.partition, offset, max(0, limit)),
    )
    records = []
    for at, written_ms, key, headers, value in rows:
        records.append(
            Record(
                topic=place.topic,
                partition=place.partition,
                offset=at,
                key=None if key is None else key.decode("utf-8", "surrogatepass"),
                value=value,
                headers=json.loads(headers) if headers else {},
                timestamp=EPOCH + timedelta(milliseconds=written_ms),
            )
        )
        max_bytes -= len(value or b"")
        if max_bytes <= 0:
            rows.close()
            break
    return records
