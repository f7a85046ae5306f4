"""One database connection of one thread, its transactions, and all that differs between databases."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import Any

from sqlalchemy import URL, ColumnElement, Connection, Row, Select, Table, create_engine, event, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.pool import NullPool

from pipeline.adapters.sql_state.location import shown
from pipeline.errors import TryLater

SLICE = 500
"""Values in one IN list. SQLite takes 32,766 parameters, PostgreSQL 65,535; longer lists are no faster."""

BUSY_TIMEOUT_SECONDS = 30

PASSING = {
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_NOMEM,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_CANTOPEN,
}
"""SQLite's result codes for what may be over later: a lock held for long, a full or failing disk."""

MIGRATION_LOCK = 0x57495245
"""Key of PostgreSQL's advisory lock: "WIRE" in ASCII."""

Values = dict[str, Any]


class Database:
    """A connection, held from opening to closing. Not for another thread, and never across a fork.

    Raises, when opened or used, what SQLAlchemy raises, but ``TryLater`` for what may be over later.
    """

    def __init__(self, url: URL) -> None:
        self._owner = (os.getpid(), threading.get_ident())
        self._begin = "BEGIN"
        self._engine = create_engine(url, poolclass=NullPool)
        self.is_sqlite = self._engine.dialect.name == "sqlite"
        if self.is_sqlite:
            event.listen(self._engine, "connect", _set_up_sqlite)
            # sqlite3 is kept from beginning transactions by itself, so that the kind of BEGIN is ours to say.
            event.listen(self._engine, "begin", lambda connection: connection.exec_driver_sql(self._begin))
        self._upserts: dict[tuple[Table, tuple[str, ...]], Any] = {}
        self.insert: Any = sqlite.insert if self.is_sqlite else postgresql.insert
        self.where = shown(url)
        """What to call this database in a message."""
        self._connection = self._engine.connect()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """One transaction that writes nothing."""
        with self._transaction("BEGIN") as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """One transaction that commits at the end, or leaves no trace when anything is raised.

        On SQLite it holds the write lock from its first moment: one that reads first and then wants to write is refused
        without any waiting when another wrote in between.
        """
        with self._transaction("BEGIN IMMEDIATE") as connection:
            yield connection

    @contextmanager
    def _transaction(self, begin: str) -> Iterator[Connection]:
        self._check_owner()
        self._begin = begin
        try:
            with self._connection.begin():
                yield self._connection
        except DBAPIError as error:
            if may_pass(error):
                raise TryLater(f"the state at {self.where} cannot take this now: {error.orig}") from error
            raise

    def _check_owner(self) -> None:
        pid, thread = self._owner
        if os.getpid() != pid:
            raise RuntimeError(f"the state was opened by process {pid}, not by this one: after a fork, open it again")
        if threading.get_ident() != thread:
            raise RuntimeError("the state was opened by another thread: open one for each thread")

    def insert_new(self, connection: Connection, table: Table, rows: Sequence[Values]) -> None:
        """Insert the rows whose primary key is not there yet; leave the others as they are."""
        if rows:
            connection.execute(self.insert(table).on_conflict_do_nothing(), rows)

    def upsert(
        self, connection: Connection, table: Table, rows: Sequence[Values], changing: Collection[str] = ()
    ) -> None:
        """Insert the rows; where the primary key is there, replace the columns ``changing``, or else all others."""
        if rows:
            names = tuple(changing) or tuple(name for name in rows[0] if not table.c[name].primary_key)
            if (table, names) not in self._upserts:  # made once: to build it costs as much as ten rows
                insert = self.insert(table)
                changed = {name: insert.excluded[name] for name in names}
                upsert = insert.on_conflict_do_update(index_elements=table.primary_key, set_=changed)
                self._upserts[table, names] = upsert
            connection.execute(self._upserts[table, names], rows)

    def lock_for_migration(self, connection: Connection) -> None:
        """Let one process at a time migrate; on SQLite, ``writing`` has seen to that."""
        if not self.is_sqlite:
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": MIGRATION_LOCK})

    def copy_to(self, path: str) -> None:
        """Write a copy of one moment to a new SQLite file, in one step, so that writers cannot make it start again."""
        self._check_owner()
        source = self._connection.connection.driver_connection
        assert isinstance(source, sqlite3.Connection)
        target = sqlite3.connect(path)
        try:
            source.backup(target)
        finally:
            target.close()

    def close(self) -> None:
        """Close the connection; in a forked child do nothing, since the handle is the parent's."""
        if os.getpid() == self._owner[0]:
            self._connection.close()
            self._engine.dispose()


def _set_up_sqlite(connection: sqlite3.Connection, _: object) -> None:
    connection.isolation_level = None
    connection.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_SECONDS * 1000}")
    _use_wal(connection)
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")


def _use_wal(connection: sqlite3.Connection) -> None:
    """Turn the write-ahead log on, once in the life of a file.

    For this change alone SQLite does not wait for other connections, so that several processes that open a fresh file
    at the same time would be refused but for one.
    """
    give_up_at = time.monotonic() + BUSY_TIMEOUT_SECONDS
    while connection.execute("PRAGMA journal_mode").fetchone() != ("wal",):
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > give_up_at:
                raise
            time.sleep(0.01)


def may_pass(error: DBAPIError) -> bool:
    """Whether the same may work later: locks, disks, lost connections, deadlocks; not what is wrong with the call."""
    if isinstance(error.orig, sqlite3.Error):
        # The low byte is the primary code (sqlite.org/rescode.html); errors of the sqlite3 module itself have none.
        return (getattr(error.orig, "sqlite_errorcode", 0) & 0xFF) in PASSING
    return isinstance(error, OperationalError)


def slices(values: Collection[Any], size: int = SLICE) -> Iterator[list[Any]]:
    """Yield the values, ``size`` at a time."""
    rest = iter(values)
    while some := list(islice(rest, size)):
        yield some


def rows_where(
    connection: Connection, statement: Select[Any], column: ColumnElement[Any], values: Collection[Any]
) -> Iterator[Row[Any]]:
    """Yield the rows of ``statement`` whose ``column`` is one of ``values``, however many these are."""
    for some in slices(values):
        yield from connection.execute(statement.where(column.in_(some)))
