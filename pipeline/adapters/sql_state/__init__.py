"""The state in SQL: SQLite in a folder, PostgreSQL for a cluster, through the same SQLAlchemy Core.

One module for each part of the port; what differs between the databases is in ``database.py`` alone. Every call is
one transaction.
"""

from __future__ import annotations

import sqlite3
from contextlib import suppress
from pathlib import Path
from typing import Self

from sqlalchemy.exc import DatabaseError

from pipeline.adapters.sql_state.database import Database
from pipeline.adapters.sql_state.feeds import SqlFeeds
from pipeline.adapters.sql_state.fetch_queue import SqlFetchQueue
from pipeline.adapters.sql_state.leases import SqlLeases
from pipeline.adapters.sql_state.ledger import SqlLedger
from pipeline.adapters.sql_state.location import check_file, file_of, shown, url_of
from pipeline.adapters.sql_state.migrate import bring_up_to_date, revision_in
from pipeline.adapters.sql_state.outbox import SqlOutbox
from pipeline.adapters.sql_state.outlets import SqlOutlets
from pipeline.adapters.sql_state.packing import Packer
from pipeline.adapters.sql_state.polls import SqlPolls
from pipeline.adapters.sql_state.progress import SqlProgress
from pipeline.adapters.sql_state.records import SqlRecords
from pipeline.adapters.sql_state.requests import SqlRequests
from pipeline.adapters.sql_state.robots import SqlRobots
from pipeline.errors import DataFolderError, TryLater, UsageError


class SqlState(
    SqlLeases,
    SqlFeeds,
    SqlPolls,
    SqlLedger,
    SqlFetchQueue,
    SqlRecords,
    SqlOutbox,
    SqlRequests,
    SqlProgress,
    SqlRobots,
    SqlOutlets,
):
    """The ``State`` port over one database connection, for one thread of one process.

    Every call may raise ``TryLater``: the database is locked, full or out of reach, and nothing of the call was saved.
    """

    def __init__(self, db: Database) -> None:
        self._db = db
        self._packer = Packer()

    @classmethod
    def open(cls, url: str, *, migrate: bool) -> Self:
        """Open the state at ``url``: ``sqlite:///absolute/path/state.db`` or ``postgresql://user@host/database``.

        With ``migrate``, folder, file and tables are made where they are missing, and the data of an older release are
        brought to this one's schema; without, nothing is made or changed.

        Raises:
            DataFolderError: damaged, locked, out of reach or of a newer release.
            NotSetUp: missing, or of an older release, and not to be migrated.
            UsageError: the URL names nothing that can hold a state.
        """
        address = url_of(url)
        path = file_of(address)
        if path:
            check_file(path, create=migrate)
        try:
            db = Database(address)
            try:
                bring_up_to_date(db, migrate=migrate)
            except BaseException:
                db.close()
                raise
        except (DatabaseError, TryLater) as error:
            cause = " ".join(str(error.orig if isinstance(error, DatabaseError) else error).split())
            where = shown(address)
            raise DataFolderError(f"the state at {where} cannot be used: {cause}") from error
        return cls(db)

    def schema_version(self) -> str:
        """Return the revision of the schema."""
        with self._db.reading() as connection:
            return revision_in(connection, self._db.where)

    def backup(self, path: str) -> None:
        """Write a consistent copy to the new file ``path``, while others go on writing.

        Raises:
            UsageError: there is such a file already, it cannot be written, or this is no SQLite.
        """
        if not self._db.is_sqlite:
            raise UsageError(f"the state at {self._db.where} is backed up with PostgreSQL's own pg_dump")
        if Path(path).exists():
            raise UsageError(f"{path} exists already: name a new file for the backup")
        part = Path(f"{path}.part")
        try:
            part.unlink(missing_ok=True)
            self._db.copy_to(str(part))
            part.rename(path)
        except (sqlite3.Error, OSError) as error:
            with suppress(OSError):
                part.unlink(missing_ok=True)
            raise UsageError(f"the backup cannot be written to {path}: {error}") from error

    def close(self) -> None:
        """Close the connection; without effect in a forked child, where it is the parent's."""
        self._db.close()
