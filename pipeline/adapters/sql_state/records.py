"""Identity records and revisions of articles."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime

from sqlalchemy import func, select

from pipeline.adapters.sql_state import schema
from pipeline.adapters.sql_state.database import SLICE, Database
from pipeline.adapters.sql_state.leases import check_lease
from pipeline.adapters.sql_state.packing import Packer
from pipeline.adapters.sql_state.settling import SqlSettling, record_of, revision_of, select_records
from pipeline.adapters.sql_state.tombstones import SqlTombstones
from pipeline.article import Article
from pipeline.ports import ArticleRecord, Lease, Revision, Settling

aliases, records, revisions = schema.aliases, schema.records, schema.revisions


class SqlRecords(SqlTombstones):
    """The ``Records`` part of the state."""

    _db: Database
    _packer: Packer

    def settle(self, lease: Lease, now: datetime, decide: Callable[[Settling], None]) -> None:
        """Run ``decide`` in one transaction. Raises ``LeaseLost``, with nothing saved, when the epoch moved on."""
        with self._db.writing() as connection:
            check_lease(connection, lease)
            decide(SqlSettling(self._db, connection, self._packer, now))

    def record(self, article_id: str) -> ArticleRecord | None:
        """Return the identity record of an id."""
        with self._db.reading() as connection:
            row = connection.execute(select_records().where(records.c.article_id == article_id)).one_or_none()
        return None if row is None else record_of(row, self._packer)

    def first_name(self, article_id: str) -> str:
        """Return the id that this one is another name of, or itself."""
        names = select(aliases.c.article_id).where(aliases.c.alias == article_id)
        with self._db.reading() as connection:
            found: str | None = connection.execute(names).scalar_one_or_none()
        return found or article_id

    def count_articles(self) -> int:
        """Return how many articles are known, deleted ones not among them."""
        with self._db.reading() as connection:
            return connection.scalars(select(func.count()).select_from(records)).one()

    def all_articles(self) -> Iterator[Article]:
        """Yield the newest form of every article, by id; others may write meanwhile, deleted ones are not there."""
        last = ""
        while True:
            page = select_records().where(records.c.article_id > last).order_by(records.c.article_id).limit(SLICE)
            with self._db.reading() as connection:  # one transaction for all would hold up the write-ahead log
                rows = connection.execute(page).all()
            if not rows:
                return
            yield from (self._packer.unpack(row.packed) for row in rows)
            last = rows[-1].article_id

    def revisions(self, article_id: str) -> Sequence[Revision]:
        """Return every published form of an article, oldest first."""
        forms = select(revisions).where(revisions.c.article_id == article_id).order_by(revisions.c.version)
        with self._db.reading() as connection:
            return [revision_of(row, self._packer) for row in connection.execute(forms)]
