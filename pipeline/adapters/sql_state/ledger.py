"""The ledger of polls: per feed and day what polls brought, and the gaps in which items may have been missed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, delete, select, update

from pipeline.adapters.sql_state.database import Database, rows_where
from pipeline.adapters.sql_state.schema import gaps, poll_days
from pipeline.ports import Gap, PollDay, PollResult

_NUMBERS = ("polls", "unchanged", "failed", "seen", "new", "known", "updated", "dropped", "gaps", "missed")


class SqlLedger:
    """The ``Ledger`` part of the state."""

    _db: Database

    def poll_days(self, since: date, feed_id: str | None = None) -> Sequence[PollDay]:
        """Return the days from ``since`` on (UTC), of one feed or of all, by feed, then day."""
        wanted = select(poll_days).where(poll_days.c.day >= since.isoformat())
        if feed_id is not None:
            wanted = wanted.where(poll_days.c.feed_id == feed_id)
        with self._db.reading() as connection:
            rows = connection.execute(wanted.order_by(poll_days.c.feed_id, poll_days.c.day))
            return [PollDay(**row._mapping) for row in rows]

    def gaps(self, since: datetime, feed_id: str | None = None) -> Sequence[Gap]:
        """Return the gaps that ended since then, oldest first."""
        wanted = select(gaps).where(gaps.c.ended >= since)
        if feed_id is not None:
            wanted = wanted.where(gaps.c.feed_id == feed_id)
        with self._db.reading() as connection:
            return [Gap(**row._mapping) for row in connection.execute(wanted.order_by(gaps.c.ended, gaps.c.id))]

    def fill_gap(self, gap_id: int, filled: int, filled_from: str) -> None:
        """Note how many of a gap's items were found elsewhere, and where."""
        with self._db.writing() as connection:
            change = update(gaps).where(gaps.c.id == gap_id).values(filled=filled, filled_from=filled_from)
            connection.execute(change)

    def forget_polls(self, before: datetime) -> int:
        """Drop days and gaps that ended before then; return how many."""
        with self._db.writing() as connection:
            days = connection.execute(delete(poll_days).where(poll_days.c.day < before.date().isoformat())).rowcount
            return days + connection.execute(delete(gaps).where(gaps.c.ended < before)).rowcount


def add_to_ledger(db: Database, connection: Connection, saved: Sequence[PollResult]) -> None:
    """Add these polls to their feeds' days, and note their gaps."""
    rows = [_row(result) for result in saved if result.tally]
    if not rows:
        return
    reasons = [row for row in rows if row["dropped_by"]]
    if reasons:
        _add_reasons(connection, reasons)
    insert = db.insert(poll_days)
    changes: dict[str, Any] = {name: poll_days.c[name] + insert.excluded[name] for name in _NUMBERS}
    keys = [poll_days.c.feed_id, poll_days.c.day]
    plain = [row for row in rows if not row["dropped_by"]]
    if plain:
        connection.execute(insert.on_conflict_do_update(index_elements=keys, set_=changes), plain)
    if reasons:
        changes["dropped_by"] = insert.excluded.dropped_by
        connection.execute(insert.on_conflict_do_update(index_elements=keys, set_=changes), reasons)
    found = [{"feed_id": r.feed_id} | _gap(r.tally.gap) for r in saved if r.tally and r.tally.gap]
    if found:
        connection.execute(gaps.insert(), found)


def _row(result: PollResult) -> dict[str, Any]:
    tally = result.tally
    assert tally is not None
    return {
        "feed_id": result.feed_id, "day": result.polled_at.date().isoformat(), "polls": 1,
        "unchanged": int(tally.unchanged), "failed": int(tally.failed), "seen": tally.seen, "new": tally.new,
        "known": tally.known, "updated": tally.updated, "dropped": sum(tally.dropped.values()),
        "gaps": int(tally.gap is not None), "missed": tally.gap.missed if tally.gap else 0,
        "dropped_by": dict(tally.dropped),
    }  # fmt: skip


def _gap(gap: Gap) -> dict[str, Any]:
    return {
        "began": gap.began, "ended": gap.ended, "missed": gap.missed, "filled": gap.filled,
        "filled_from": gap.filled_from,
    }  # fmt: skip


def _add_reasons(connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
    """Add to the reasons of these rows what their days have already."""
    known = select(poll_days.c.feed_id, poll_days.c.day, poll_days.c.dropped_by)
    found = rows_where(connection, known, poll_days.c.feed_id, {row["feed_id"] for row in rows})
    before = {(row.feed_id, row.day): row.dropped_by for row in found}
    for row in rows:
        total = dict(before.get((row["feed_id"], row["day"]), {}))
        for reason, number in row["dropped_by"].items():
            total[reason] = total.get(reason, 0) + number
        row["dropped_by"] = before[row["feed_id"], row["day"]] = total
