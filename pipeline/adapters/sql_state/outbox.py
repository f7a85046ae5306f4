"""The outbox: alerts, and their deliveries to channels."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from msgspec.structs import asdict
from sqlalchemy import Row, func, select, update

from pipeline.adapters.sql_state import schema
from pipeline.adapters.sql_state.claims import GIVEN_BACK, Claimant, claim_rows, is_held
from pipeline.adapters.sql_state.database import Database, rows_where, slices
from pipeline.rule import Alert, Delivery, DeliveryState

WAITING, SENT, FAILED = "waiting", "sent", "failed"

deliveries = schema.deliveries


class SqlOutbox:
    """The ``Outbox`` part of the state. A claim counts as an attempt, so one that kills its sender runs out."""

    _db: Database

    def save_alerts(self, alerts: Sequence[tuple[Alert, Sequence[str]]], now: datetime) -> Collection[str]:
        """Add alerts not there yet, each with a delivery for every channel named; return the ids of the new ones.

        An alert that is there gets no further deliveries: a channel added to a rule later is for later alerts.
        """
        given = {alert.id: (asdict(alert), dict.fromkeys(channels)) for alert, channels in reversed(alerts)}
        table = schema.alerts
        with self._db.writing() as connection:
            new: list[str] = []
            for some in slices(sorted(given), 100):
                rows = [given[alert_id][0] for alert_id in some]
                insert = self._db.insert(table).values(rows).on_conflict_do_nothing().returning(table.c.id)
                new.extend(connection.scalars(insert))
            rows = [
                {"alert_id": i, "channel": name, "attempts": 0, "status": WAITING, "cause": "", "due": now}
                for i in new
                for name in given[i][1]
            ]
            self._db.insert_new(connection, deliveries, rows)
        return new

    def alerts(self, limit: int = 50, rule: str | None = None) -> Sequence[Alert]:
        """Return alerts, newest first."""
        table = schema.alerts
        newest = select(table).order_by(table.c.raised_at.desc(), table.c.id).limit(limit)
        with self._db.reading() as connection:
            rows = connection.execute(newest if rule is None else newest.where(table.c.rule == rule))
            return [_alert(row) for row in rows]

    def claim_deliveries(self, now: datetime, limit: int, holder: str, lease_seconds: float) -> Sequence[Delivery]:
        """Claim deliveries that are due, longest due first."""
        wanted = (
            select(deliveries)
            .where(deliveries.c.status == WAITING, deliveries.c.due <= now)
            .order_by(deliveries.c.due, deliveries.c.id)
            .limit(limit)
        )
        claimant = Claimant(holder, now, lease_seconds)
        with self._db.writing() as connection:
            rows = claim_rows(connection, deliveries, wanted, claimant, attempts=deliveries.c.attempts + 1)
            ids = {row.alert_id for row in rows}
            found = rows_where(connection, select(schema.alerts), schema.alerts.c.id, ids)
            alerts = {row.id: _alert(row) for row in found}
        return [
            Delivery(id=row.id, alert=alerts[row.alert_id], channel=row.channel, attempts=row.attempts) for row in rows
        ]

    def finish_delivery(
        self,
        delivery_id: int,
        holder: str,
        *,
        cause: str = "",
        retry_at: datetime | None = None,
        is_attempt: bool = True,
    ) -> bool:
        """End a claim: sent (no cause), to be tried at ``retry_at``, or given up. False when the claim was lost.

        One that is no attempt does not count as one.
        """
        changes: dict[str, Any] = GIVEN_BACK | {"status": FAILED if cause else SENT, "cause": cause}
        if retry_at is not None:
            changes |= {"status": WAITING, "due": retry_at}
        if not is_attempt:
            changes |= {"attempts": deliveries.c.attempts - 1}
        with self._db.writing() as connection:
            held = update(deliveries).where(is_held(deliveries, delivery_id, holder))
            return connection.execute(held.values(changes)).rowcount > 0

    def deliveries(self, alert_ids: Collection[str]) -> Sequence[DeliveryState]:
        """Return how far the deliveries of these alerts have come, by alert, then channel."""
        wanted = select(*(deliveries.c[name] for name in DeliveryState.__struct_fields__))
        with self._db.reading() as connection:
            rows = list(rows_where(connection, wanted, deliveries.c.alert_id, alert_ids))
        return sorted((DeliveryState(**row._mapping) for row in rows), key=lambda each: (each.alert_id, each.channel))

    def send_again(self, now: datetime, alert_ids: Collection[str] | None = None) -> int:
        """Make what was not sent of these alerts due now, or, without ids, all that failed; return how many."""
        again = update(deliveries).values({"status": WAITING, "attempts": 0, "due": now})
        with self._db.writing() as connection:
            if alert_ids is None:
                return connection.execute(again.where(deliveries.c.status == FAILED)).rowcount
            unsent = again.where(deliveries.c.status != SENT, deliveries.c.claimed_by.is_(None))
            return sum(
                connection.execute(unsent.where(deliveries.c.alert_id.in_(some))).rowcount for some in slices(alert_ids)
            )

    def queued_deliveries(self) -> Mapping[str, int]:
        """Return the number of rows by status: waiting, sent, failed."""
        by_status = select(deliveries.c.status, func.count().label("rows")).group_by(deliveries.c.status)
        with self._db.reading() as connection:
            found = connection.execute(by_status)
            return {WAITING: 0, SENT: 0, FAILED: 0} | {row.status: row.rows for row in found}


def _alert(row: Row[Any]) -> Alert:
    return Alert(**row._mapping)
