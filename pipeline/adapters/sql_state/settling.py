"""The one transaction in which the settle step looks things up, decides and saves. The path of every article."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, Table, exists, func, select, update

from pipeline.adapters.sql_state import schema
from pipeline.adapters.sql_state.database import Database, Values, rows_where, slices
from pipeline.adapters.sql_state.packing import Packer
from pipeline.adapters.sql_state.tombstones import buried_among
from pipeline.ports import ArticleRecord, Revision, TopicPartition

records, revisions, input_offsets = schema.records, schema.revisions, schema.input_offsets


class SqlSettling:
    """One open transaction of the settle step; everything in it commits together or not at all."""

    def __init__(self, db: Database, connection: Connection, packer: Packer, now: datetime) -> None:
        self._db = db
        self._connection = connection
        self._packer = packer
        self._now = now

    def records(self, ids: Collection[str]) -> Mapping[str, ArticleRecord]:
        """Return the records there are for these ids."""
        found = rows_where(self._connection, select_records(), records.c.article_id, ids)
        return {row.article_id: record_of(row, self._packer) for row in found}

    def revisions_at(
        self, inputs: Collection[tuple[TopicPartition, int]]
    ) -> Mapping[tuple[TopicPartition, int], Revision]:
        """Return the revisions that these input records made when they were first handled."""
        offsets: dict[TopicPartition, list[int]] = {}
        for place, offset in inputs:
            offsets.setdefault(place, []).append(offset)
        made = {}
        for place, some in offsets.items():
            here = select(revisions).where(revisions.c.topic == place.topic, revisions.c.partition == place.partition)
            for row in rows_where(self._connection, here, revisions.c.input_offset, some):
                made[place, row.input_offset] = revision_of(row, self._packer)
        return made

    def families(self, text_hashes: Collection[str]) -> Mapping[str, str]:
        """Return the family of each text hash that has one."""
        families = schema.families
        found = rows_where(self._connection, select(families), families.c.text_hash, text_hashes)
        return {row.text_hash: row.family for row in found}

    def aliases(self, ids: Collection[str]) -> Mapping[str, str]:
        """Return the id that each of these is another name of."""
        aliases = schema.aliases
        found = rows_where(self._connection, select(aliases), aliases.c.alias, ids)
        return {row.alias: row.article_id for row in found}

    def tombstoned(self, ids: Collection[str]) -> Collection[str]:
        """Return those of the ids that were deleted."""
        return buried_among(self._connection, ids)

    def input_offsets(self, cluster_id: str) -> Mapping[TopicPartition, int]:
        """Return the next input offset per partition, as of the last commit of such a transaction."""
        rows = self._connection.execute(select(input_offsets).where(input_offsets.c.cluster_id == cluster_id))
        return {TopicPartition(row.topic, row.partition): row.next_offset for row in rows}

    def save(
        self,
        *,
        records: Sequence[ArticleRecord],
        revisions: Sequence[Revision],
        families: Mapping[str, str],
        aliases: Mapping[str, str],
        cluster_id: str,
        input_offsets: Mapping[TopicPartition, int],
    ) -> None:
        """Add or replace all of these, each by its key."""
        self._save_revisions(revisions)
        self._save_records(records, {(r.article.id, r.article.version): r.article for r in revisions})
        self._upsert(schema.families, [{"text_hash": key, "family": value} for key, value in families.items()])
        self._upsert(schema.aliases, [{"alias": key, "article_id": value} for key, value in aliases.items()])
        settled = {"cluster_id": cluster_id, "settled_at": self._now}
        self._upsert(
            schema.input_offsets,
            [
                settled | {"topic": place.topic, "partition": place.partition, "next_offset": offset}
                for place, offset in input_offsets.items()
            ],
        )

    def _save_revisions(self, given: Sequence[Revision]) -> None:
        self._upsert(
            revisions,
            [
                {
                    "article_id": revision.article.id,
                    "version": revision.article.version,
                    "topic": revision.place.topic,
                    "partition": revision.place.partition,
                    "input_offset": revision.offset,
                    "at": revision.at,
                    "article": self._packer.pack(revision.article),
                }
                for revision in given
            ],
        )

    def _save_records(self, given: Sequence[ArticleRecord], new_forms: Mapping[tuple[str, int], object]) -> None:
        """Save the records, without their articles where a revision holds the same: half of all bytes."""
        own: list[str] = []
        rows: list[Values] = []
        for record in given:
            article = record.article
            packed = None
            if new_forms.get((article.id, article.version)) != article:
                packed = self._packer.pack(article)
                own.append(article.id)
            rows.append(
                {
                    "article_id": article.id,
                    "version": article.version,
                    "went_live": record.went_live,
                    "seen_in": record.seen_in,
                    "sources": record.sources,
                    "article": packed,
                }
            )
        self._upsert(records, rows)
        self._drop_copies(own)

    def _drop_copies(self, ids: Collection[str]) -> None:
        """Empty the articles of these records where the revision of that version has the very same."""
        has_same = exists().where(
            revisions.c.article_id == records.c.article_id,
            revisions.c.version == records.c.version,
            revisions.c.article == records.c.article,
        )
        for some in slices(ids):
            self._connection.execute(
                update(records).where(records.c.article_id.in_(some), has_same).values(article=None)
            )

    def _upsert(self, table: Table, rows: Sequence[Values]) -> None:
        self._db.upsert(self._connection, table, rows)


def select_records() -> Select[Any]:
    """Select records with the article that each holds itself or by its revision."""
    newest = (revisions.c.article_id == records.c.article_id) & (revisions.c.version == records.c.version)
    article = func.coalesce(records.c.article, revisions.c.article).label("packed")
    columns = (records.c.article_id, records.c.went_live, records.c.seen_in, records.c.sources, article)
    return select(*columns).select_from(records.outerjoin(revisions, newest))


def record_of(row: Row[Any], packer: Packer) -> ArticleRecord:
    """Return the record of a row of ``select_records``."""
    return ArticleRecord(
        article=packer.unpack(row.packed), went_live=row.went_live, seen_in=tuple(row.seen_in), sources=row.sources
    )


def revision_of(row: Row[Any], packer: Packer) -> Revision:
    """Return the revision of a row of the table."""
    place = TopicPartition(row.topic, row.partition)
    return Revision(article=packer.unpack(row.article), place=place, offset=row.input_offset, at=row.at)
