"""Who may work on a row: claims that end by themselves.

A claim ends when it is given back, when its time is over, when its holder's process is gone, or when it was taken in
the future, that is, when the clock was set back since; without the last, a clock put right by an hour would leave
everything claimed before to nobody for that hour. Who finishes a row whose claim went to another is told so.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from msgspec import Struct
from sqlalchemy import ColumnElement, Connection, FromClause, Row, Select, Table, and_, bindparam, or_, select, update

from pipeline.adapters.processes import is_gone

CLOCK_SLACK = timedelta(minutes=1)
"""A claim from the future by less than this is not suspect: its taker's clock may be ahead a little, and we may have
read ours before waiting for the write lock (half a minute at most)."""

GIVEN_BACK: dict[str, Any] = {"claimed_by": None, "claimed_at": None, "claim_until": None}


class Claimant(Struct, frozen=True):
    """Who wants rows, when, and for how long."""

    holder: str
    now: datetime
    lease_seconds: float

    def columns(self) -> dict[str, Any]:
        """Return what a claimed row holds."""
        until = self.now + timedelta(seconds=self.lease_seconds)
        return {"claimed_by": self.holder, "claimed_at": self.now, "claim_until": until}


def is_in_force(holder: str | None, taken: datetime, until: datetime, now: datetime) -> bool:
    """Whether a claim or lease still keeps others out."""
    return holder is not None and taken <= now + CLOCK_SLACK and now < until and not is_gone(holder)


def gone_holders(connection: Connection, table: Table) -> Sequence[str]:
    """Return the claimants of rows of ``table`` whose processes are gone."""
    holders = connection.scalars(select(table.c.claimed_by).where(table.c.claimed_by.is_not(None)).distinct())
    return [holder for holder in holders if is_gone(holder)]


def is_free(table: FromClause, now: datetime, gone: Sequence[str]) -> ColumnElement[bool]:
    """Return "not ``is_in_force``" as a condition on the rows of ``table``."""
    return or_(
        table.c.claimed_by.is_(None),
        table.c.claim_until <= now,
        table.c.claimed_at > now + CLOCK_SLACK,
        table.c.claimed_by.in_(gone),
    )


def claim_rows(
    connection: Connection, table: Table, wanted: Select[Any], claimant: Claimant, **changes: Any
) -> Sequence[Row[Any]]:
    """Claim the free rows of ``wanted`` (a select with its order and limit); return them as they were before.

    Rows that another process is claiming at this moment are left to it.
    """
    free = is_free(table, claimant.now, gone_holders(connection, table))
    rows = connection.execute(wanted.where(free).with_for_update(skip_locked=True)).all()
    if rows:
        key = table.primary_key.columns[0]
        claim = update(table).where(key == bindparam("claimed_key")).values(**claimant.columns(), **changes)
        connection.execute(claim, [{"claimed_key": row._mapping[key.name]} for row in rows])
    return rows


def is_held(table: Table, key: Any, holder: str) -> ColumnElement[bool]:
    """Return the condition that the row is still this holder's. One whose time is over is, until another takes it."""
    return and_(table.primary_key.columns[0] == key, table.c.claimed_by == holder)
