"""What outlets' pages gave, and breaks in it."""

from __future__ import annotations

from array import array
from collections.abc import Collection, Mapping, Sequence
from itertools import groupby

import msgspec
from sqlalchemy import Row, delete, select

from pipeline.adapters.sql_state.database import Database, rows_where
from pipeline.adapters.sql_state.schema import outlet_breaks, outlet_pages
from pipeline.ports import PAGES_KEPT, OutletBreak, OutletPage, PageNorm


class SqlOutlets:
    """The ``OutletPages`` part of the state."""

    _db: Database

    def note_outlet_pages(self, pages: Sequence[OutletPage]) -> None:
        """Remember these readings, one for each article; of each outlet the newest ``PAGES_KEPT`` stay."""
        newest = {(page.outlet, page.article): page for page in sorted(pages, key=lambda page: page.read_at)}
        if not newest:
            return
        with self._db.writing() as connection:
            # In one order everywhere: two workers that lock the same rows in different orders wait for each other.
            self._db.upsert(connection, outlet_pages, [_row(newest[key]) for key in sorted(newest)])
            for outlet, _ in groupby(sorted(outlet for outlet, _ in newest)):
                of_outlet = outlet_pages.c.outlet == outlet
                past = (
                    select(outlet_pages.c.article)
                    .where(of_outlet)
                    .order_by(outlet_pages.c.read_at.desc(), outlet_pages.c.article)
                    .offset(PAGES_KEPT)
                )
                ids = [row.article for row in connection.execute(past)]
                if ids:
                    connection.execute(delete(outlet_pages).where(of_outlet, outlet_pages.c.article.in_(ids)))

    def outlet_pages(self, outlet: str) -> Sequence[OutletPage]:
        """Return what is remembered of an outlet, newest first."""
        wanted = select(outlet_pages).where(outlet_pages.c.outlet == outlet)
        with self._db.reading() as connection:
            rows = connection.execute(wanted.order_by(outlet_pages.c.read_at.desc(), outlet_pages.c.article)).all()
        return [OutletPage(**{**row._mapping, "lines": _unpacked(row.lines)}) for row in rows]

    def outlet_breaks(self, outlets: Collection[str] | None = None) -> Mapping[str, OutletBreak]:
        """Return the breaks that go on, of these outlets or of all."""
        with self._db.reading() as connection:
            if outlets is None:
                rows = connection.execute(select(outlet_breaks)).all()
            else:
                rows = list(rows_where(connection, select(outlet_breaks), outlet_breaks.c.outlet, outlets))
        return {row.outlet: _break(row) for row in sorted(rows, key=lambda row: row.outlet)}

    def begin_outlet_break(self, broken: OutletBreak) -> bool:
        """Note a break; False when one of that outlet was noted before, which stays."""
        row = {
            "outlet": broken.outlet, "since": broken.since, "cause": broken.cause,
            "norm": msgspec.to_builtins(broken.norm),
        }  # fmt: skip
        with self._db.writing() as connection:
            insert = self._db.insert(outlet_breaks).on_conflict_do_nothing(index_elements=[outlet_breaks.c.outlet])
            return connection.execute(insert.values(row).returning(outlet_breaks.c.outlet)).one_or_none() is not None

    def end_outlet_break(self, outlet: str) -> bool:
        """Forget a break; return whether there was one."""
        with self._db.writing() as connection:
            return connection.execute(delete(outlet_breaks).where(outlet_breaks.c.outlet == outlet)).rowcount > 0


def _row(page: OutletPage) -> dict[str, object]:
    return msgspec.structs.asdict(page) | {"lines": array("q", page.lines).tobytes()}


def _unpacked(lines: bytes) -> tuple[int, ...]:
    keys = array("q")
    keys.frombytes(lines)
    return tuple(keys)


def _break(row: Row[tuple[object, ...]]) -> OutletBreak:
    return OutletBreak(
        outlet=row.outlet, since=row.since, cause=row.cause, norm=msgspec.convert(row.norm, PageNorm)
    )  # fmt: skip
