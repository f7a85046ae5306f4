"""Articles that a person deleted, and that must stay away."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import Connection, delete, select

from pipeline.adapters.sql_state.database import Database, rows_where, slices
from pipeline.adapters.sql_state.packing import Packer
from pipeline.adapters.sql_state.schema import aliases, fetch_queue, leases, records, revisions, tombstones


class SqlTombstones:
    """The part of ``Records`` that forgets."""

    _db: Database
    _packer: Packer

    def bury(self, ids: Collection[str], reason: str, now: datetime) -> Sequence[str]:
        """Put up tombstones; remove records and revisions; return the keys of pages to delete.

        Alerts stay: they are what was told to people. Families stay: a copy elsewhere may belong to one. An id that is
        not known yet is kept out as well, and one that is another name of an article takes that with it. The first
        reason given for an id is the one that is kept.
        """
        pages: set[str] = set()
        with self._db.writing() as connection:
            # Whoever settles holds a lease's row: wait for it, since it may have decided without these tombstones.
            connection.execute(select(leases.c.name).order_by(leases.c.name).with_for_update()).all()
            first_names = rows_where(connection, select(aliases.c.article_id), aliases.c.alias, ids)
            ids = sorted({*ids, *(row.article_id for row in first_names)})
            stones = [{"article_id": each, "reason": reason, "buried_at": now} for each in ids]
            self._db.insert_new(connection, tombstones, stones)
            for some in slices(ids):
                for table in (records, revisions):
                    forms = connection.scalars(
                        select(table.c.article).where(table.c.article_id.in_(some), table.c.article.is_not(None))
                    )
                    pages.update(self._packer.unpack(form).page for form in forms)
                for table in (records, revisions, fetch_queue):
                    connection.execute(delete(table).where(table.c.article_id.in_(some)))
        return sorted(pages - {""})

    def tombstoned(self, ids: Collection[str]) -> Collection[str]:
        """Return those of the ids that were deleted."""
        with self._db.reading() as connection:
            return buried_among(connection, ids)


def buried_among(connection: Connection, ids: Collection[str]) -> set[str]:
    """Return those of the ids that were deleted."""
    found = rows_where(connection, select(tombstones.c.article_id), tombstones.c.article_id, ids)
    return {row.article_id for row in found}
