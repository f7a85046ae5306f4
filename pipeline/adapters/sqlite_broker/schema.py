"""How the file of the embedded broker is made, and how it is told from anything else."""

from __future__ import annotations

import sqlite3
import time
import uuid
from pathlib import Path
from typing import Final

from pipeline.errors import DataFolderError

APPLICATION_ID: Final = 0x57574252  # "WWBR"; tells our file from another program's
SCHEMA_VERSION: Final = 1
BUSY_SECONDS: Final = 30.0

# Records keep a rowid: values of 4 kB written in hundreds went in at 29,000/s, WITHOUT ROWID at 18,000/s (they overflow
# the index pages), at equal reading speed. The value comes last so that pruning reads no overflow page.
SCHEMA: Final = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE topics (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, partitions INTEGER NOT NULL, retention_ms INTEGER NOT NULL);
CREATE TABLE partitions (
    topic_id INTEGER, partition INTEGER, next_offset INTEGER NOT NULL,
    PRIMARY KEY (topic_id, partition)) WITHOUT ROWID;
CREATE TABLE records (
    topic_id INTEGER, partition INTEGER, offset INTEGER, written_ms INTEGER NOT NULL,
    key BLOB, headers TEXT, value BLOB,
    PRIMARY KEY (topic_id, partition, offset));
CREATE TABLE groups (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, version INTEGER NOT NULL);
CREATE TABLE offsets (
    group_id INTEGER, topic_id INTEGER, partition INTEGER, next_offset INTEGER NOT NULL,
    PRIMARY KEY (group_id, topic_id, partition)) WITHOUT ROWID;
CREATE TABLE members (
    id INTEGER PRIMARY KEY AUTOINCREMENT, group_id INTEGER NOT NULL, name TEXT NOT NULL, holder TEXT NOT NULL,
    topics TEXT NOT NULL, expires_ms INTEGER NOT NULL, UNIQUE (group_id, name));
CREATE TABLE owners (
    group_id INTEGER, topic_id INTEGER, partition INTEGER, member_id INTEGER NOT NULL,
    PRIMARY KEY (group_id, topic_id, partition)) WITHOUT ROWID
"""


def open_database(path: Path) -> sqlite3.Connection:
    """Open or create the file. Raises ``DataFolderError``: not openable, not ours, newer, or damaged."""
    try:
        connection = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None)
    except sqlite3.Error as error:
        raise DataFolderError(
            f"The broker's file {path} cannot be opened: {error}. Check that its folder exists and may be written."
        ) from error
    try:
        _check_and_prepare(connection, path)
    except sqlite3.DatabaseError as error:
        connection.close()
        raise DataFolderError(
            f"The broker's file {path} cannot be used: {error}. Check the folder's permissions and free space; if the "
            "file is damaged, restore it from a backup or move it away, and a new one is made."
        ) from error
    except BaseException:
        connection.close()
        raise
    return connection


def _check_and_prepare(sql: sqlite3.Connection, path: Path) -> None:
    sql.execute("PRAGMA trusted_schema = OFF")
    _check(sql, path)  # before anything of a stranger's file is changed
    _use_write_ahead_log(sql)
    sql.execute("PRAGMA synchronous = FULL")  # a commit is on the disk when it returns
    sql.execute("PRAGMA journal_size_limit = 16777216")
    sql.execute("BEGIN IMMEDIATE")
    try:
        if _check(sql, path) == 0:
            for statement in SCHEMA.split(";"):
                sql.execute(statement)
            sql.execute("INSERT INTO meta VALUES ('cluster_id', ?)", (str(uuid.uuid4()),))
            sql.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            sql.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
        sql.execute("COMMIT")
    except BaseException:
        if sql.in_transaction:
            sql.execute("ROLLBACK")
        raise
    if cluster_id(sql) is None:
        raise sqlite3.DatabaseError("its first table is empty")


def cluster_id(sql: sqlite3.Connection) -> str | None:
    """Return the identity the file got when it was made."""
    row = sql.execute("SELECT value FROM meta WHERE name = 'cluster_id'").fetchone()
    return None if row is None else str(row[0])


def _check(sql: sqlite3.Connection, path: Path) -> int:
    """Return the schema version of the file, 0 when it is new."""
    owner = sql.execute("PRAGMA application_id").fetchone()[0]
    version = int(sql.execute("PRAGMA user_version").fetchone()[0])
    tables = sql.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    if owner != APPLICATION_ID and (owner or version or tables):
        raise DataFolderError(f"{path} is a database, but not a broker's: name another file for the broker.")
    if version > SCHEMA_VERSION:
        raise DataFolderError(
            f"The broker's file {path} was written by a newer Wirewatch (schema {version}, this one knows "
            f"{SCHEMA_VERSION}): install that version again. Nothing was changed."
        )
    return version


def _use_write_ahead_log(sql: sqlite3.Connection) -> None:
    """Switch the journal. SQLite does not wait here by itself when another process opens the new file as well."""
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            sql.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.01)
        else:
            return
