"""Work on a table for whichever process holds the index lease."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, insert, select, update

from pipeline.adapters.sql_state.claims import GIVEN_BACK, Claimant, claim_rows, is_held
from pipeline.adapters.sql_state.database import Database
from pipeline.adapters.sql_state.schema import requests
from pipeline.ports import Request


class SqlRequests:
    """The ``Requests`` part of the state."""

    _db: Database

    def add_request(self, kind: str, payload: Mapping[str, Any], now: datetime) -> int:
        """Add a request; return its id. ``payload`` is of JSON values."""
        row = {"kind": kind, "payload": dict(payload), "added_at": now}
        with self._db.writing() as connection:
            request_id: int = connection.execute(insert(requests).values(row).returning(requests.c.id)).scalar_one()
        return request_id

    def claim_requests(
        self, kinds: Collection[str], now: datetime, limit: int, holder: str, lease_seconds: float
    ) -> Sequence[Request]:
        """Claim requests of these kinds that are not done, oldest first."""
        wanted = (
            select(requests)
            .where(requests.c.kind.in_(list(kinds)), requests.c.result.is_(None))
            .order_by(requests.c.id)
            .limit(limit)
        )
        with self._db.writing() as connection:
            rows = claim_rows(connection, requests, wanted, Claimant(holder, now, lease_seconds))
        return [_request(row) for row in rows]

    def finish_request(self, request_id: int, holder: str, result: Mapping[str, Any]) -> bool:
        """End a claim with a result. False when the claim was lost."""
        with self._db.writing() as connection:
            held = update(requests).where(is_held(requests, request_id, holder))
            return connection.execute(held.values(GIVEN_BACK | {"result": dict(result)})).rowcount > 0

    def request(self, request_id: int) -> Request | None:
        """Return one request, with its result when it is done."""
        with self._db.reading() as connection:
            row = connection.execute(select(requests).where(requests.c.id == request_id)).one_or_none()
        return None if row is None else _request(row)


def _request(row: Row[Any]) -> Request:
    return Request(id=row.id, kind=row.kind, payload=row.payload, result=row.result)
