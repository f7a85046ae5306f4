"""Pages to fetch: one at a time for each host, in any number of processes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from msgspec.structs import replace
from sqlalchemy import ColumnElement, Connection, FromClause, ScalarSelect, Select, delete, func, select, update

from pipeline.adapters.sql_state.claims import GIVEN_BACK, Claimant, claim_rows, gone_holders, is_free, is_held
from pipeline.adapters.sql_state.columns import EPOCH
from pipeline.adapters.sql_state.database import Database, rows_where
from pipeline.adapters.sql_state.hosts import add_hosts, close_hosts, is_open, open_hosts
from pipeline.adapters.sql_state.schema import fetch_queue, hosts
from pipeline.adapters.sql_state.tombstones import buried_among
from pipeline.ports import PageRequest, PageTrouble

WAITING, FAILED, AGAIN = "waiting", "failed", "again"

BEHIND = timedelta(days=5_000 * 365)
"""A backfilled page stands in the queue with its time moved by so much: due like any other, and behind all others."""
_LAST = EPOCH + BEHIND


class SqlFetchQueue:
    """The ``FetchQueue`` part of the state. A claim counts as an attempt, so a page that kills its fetcher runs out."""

    _db: Database

    def claim_pages(
        self, now: datetime, limit: int, holder: str, lease_seconds: float, host_delay_seconds: float
    ) -> Sequence[PageRequest]:
        """Claim due pages, at most one a host, which nobody asks until this one is finished.

        From the claim on it stays closed for ``host_delay_seconds`` at least. Pages that were never fetched go before
        those that are visited again.
        """
        delay = timedelta(seconds=host_delay_seconds)
        claimant = Claimant(holder, now, lease_seconds)
        with self._db.writing() as connection:
            wanted = _first_due_by_host(connection, now).limit(limit)
            claimed = {"attempts": fetch_queue.c.attempts + 1, "added_again": False}
            rows = claim_rows(connection, fetch_queue, wanted, claimant, **claimed)
            close_hosts(connection, [row.host for row in rows], claimant, open_at=now + delay)
            key, form = fetch_queue.c.article_id, fetch_queue.c.article
            found = rows_where(connection, select(key, form), key, [row.article_id for row in rows])
            articles = {row.article_id: row.article for row in found}
        return [PageRequest(**row._mapping, article=articles[row.article_id]) for row in rows]

    def finish_page(
        self,
        article_id: str,
        holder: str,
        *,
        cause: str = "",
        retry_at: datetime | None = None,
        again_at: datetime | None = None,
        article: bytes = b"",
        host_open_at: datetime | None = None,
    ) -> bool:
        """End a claim: done (no cause), to be tried at ``retry_at``, or failed for good. False when claim was lost.

        With ``again_at`` the visit is over, well or (with a cause) not, and the page is due once more then; ``article``
        is the form that waits for that, unless poll has brought a newer one meanwhile, which is due at once. Its host
        may be asked again at ``host_open_at``; None: at once.
        """
        is_ours = is_held(fetch_queue, article_id, holder)
        columns = [fetch_queue.c[name] for name in ("added_again", "status", "visits", "host", "due")]
        with self._db.writing() as connection:
            row = connection.execute(select(*columns).where(is_ours).with_for_update()).one_or_none()
            if row is None:
                return False
            open_hosts(connection, {row.host: host_open_at}, holder)
            if again_at is not None:
                changes = _after_visit(row, cause, again_at, article)
            elif row.added_again or cause or retry_at:
                changes = _after_fetch(row, cause, retry_at + BEHIND if retry_at and row.due >= _LAST else retry_at)
            else:
                connection.execute(delete(fetch_queue).where(is_ours))
                return True
            connection.execute(update(fetch_queue).where(is_ours).values(changes | GIVEN_BACK))
        return True

    def page_troubles(self, limit: int = 1_000, article_id: str | None = None) -> Sequence[PageTrouble]:
        """Return the pages whose last attempt failed, those given up first, then by host; or that of one article."""
        found = (
            select(*(fetch_queue.c[name] for name in PageTrouble.__struct_fields__))
            .where(fetch_queue.c.cause != "")
            .order_by(fetch_queue.c.status, fetch_queue.c.host, fetch_queue.c.article_id)
            .limit(limit)
        )
        if article_id is not None:
            found = found.where(fetch_queue.c.article_id == article_id)
        with self._db.reading() as connection:
            troubles = [PageTrouble(**row._mapping) for row in connection.execute(found)]
        return [replace(each, due=each.due - BEHIND) if each.due >= _LAST else each for each in troubles]

    def queued_pages(self) -> Mapping[str, int]:
        """Return the number of rows by status: waiting (those being fetched among them), failed, again."""
        by_status = select(fetch_queue.c.status, func.count().label("rows")).group_by(fetch_queue.c.status)
        with self._db.reading() as connection:
            found = connection.execute(by_status)
            return {WAITING: 0, FAILED: 0, AGAIN: 0} | {row.status: row.rows for row in found}

    def add_backfill_pages(self, pages: Sequence[PageRequest], now: datetime) -> int:
        """Add pages that wait until no other page of their host is due; return how many.

        Deleted articles are left out, and a row that is there stays as it is, unless it had failed.
        """
        with self._db.writing() as connection:
            key = fetch_queue.c.article_id
            ids = {page.article_id for page in pages}
            waiting = rows_where(connection, select(key).where(fetch_queue.c.status == WAITING), key, ids)
            left_out = {row.article_id for row in waiting} | buried_among(connection, ids)
            wanted = [page for page in pages if page.article_id not in left_out]
            add_pages(self._db, connection, wanted, now + BEHIND, replacing=fetch_queue.c.status == FAILED)
        return len(wanted)


def add_pages(
    db: Database, connection: Connection, pages: Sequence[PageRequest], now: datetime | None,
    *, replacing: ColumnElement[bool] | None = None,
) -> None:  # fmt: skip
    """Add pages to fetch, but for deleted articles; a row that is there takes the new form and is due again.

    With ``replacing`` only such rows do.

    One that is being fetched stays claimed, and is due again when that fetch ends, since that fetches the former form.
    """
    buried = buried_among(connection, {page.article_id for page in pages})
    # In one order for everybody: two transactions that add the same pages would else wait for each other.
    wanted = sorted((page for page in pages if page.article_id not in buried), key=lambda page: page.article_id)
    rows = [
        {
            "article_id": page.article_id,
            "url": page.url,
            "host": page.host,
            "article": page.article,
            "attempts": page.attempts,
            "status": WAITING,
            "cause": "",
            "due": now or EPOCH,
            "added_again": False,
        }
        for page in wanted
    ]
    if not rows:
        return
    insert = db.insert(fetch_queue)
    changes = {name: insert.excluded[name] for name in rows[0] if name != "article_id"}
    changes["added_again"] = fetch_queue.c.claimed_by.is_not(None)
    connection.execute(
        insert.on_conflict_do_update(index_elements=[fetch_queue.c.article_id], set_=changes, where=replacing), rows
    )
    add_hosts(db, connection, [page.host for page in wanted])


def _first_due_by_host(connection: Connection, now: datetime) -> Select[Any]:
    """Select, for each open host, its longest due page. Both rows are locked, so that a host is claimed once.

    Without the articles, which are long and would be sorted along.
    """
    gone = gone_holders(connection, fetch_queue)
    other = fetch_queue.alias("other")

    def longest_due(sort: ColumnElement[bool]) -> ScalarSelect[Any]:
        first = select(other.c.article_id).where(other.c.host == hosts.c.host, sort, is_free(other, now, gone))
        return first.order_by(other.c.due, other.c.article_id).limit(1).scalar_subquery()

    # Each by itself: "or" would read past all that is due later.
    sorts = (_is_due(other, now), _is_due_again(other, now), _is_due_behind(other, now))
    first = func.coalesce(*(longest_due(sort) for sort in sorts))
    is_due = _is_due(fetch_queue, now) | _is_due_again(fetch_queue, now) | _is_due_behind(fetch_queue, now)
    return (
        select(*(fetch_queue.c[name] for name in PageRequest.__struct_fields__ if name != "article"))
        .select_from(hosts.join(fetch_queue, fetch_queue.c.article_id == first))
        .where(is_open(connection, now), is_due)
        .order_by(fetch_queue.c.status == AGAIN, fetch_queue.c.due, fetch_queue.c.article_id)
    )


def _is_due(queue: FromClause, now: datetime) -> ColumnElement[bool]:
    return (queue.c.status == WAITING) & (queue.c.due <= now)


def _is_due_again(queue: FromClause, now: datetime) -> ColumnElement[bool]:
    return (queue.c.status == AGAIN) & (queue.c.due <= now)


def _is_due_behind(queue: FromClause, now: datetime) -> ColumnElement[bool]:
    return (queue.c.status == WAITING) & queue.c.due.between(_LAST, now + BEHIND)


def _after_visit(row: Any, cause: str, again_at: datetime, article: bytes) -> dict[str, Any]:
    """Return what a row becomes whose page is visited once more."""
    visits = {"visits": row.visits + (not cause), "added_again": False}
    if row.added_again:
        return visits | {"status": WAITING, "cause": ""}
    form = {"article": article} if article else {}
    return visits | form | {"status": AGAIN, "cause": cause, "due": again_at, "attempts": 0}


def _after_fetch(row: Any, cause: str, retry_at: datetime | None) -> dict[str, Any]:
    """Return what a row becomes that is not done: to be tried later, due with its new form, or failed for good."""
    if retry_at is not None:
        return {"status": AGAIN if row.status == AGAIN else WAITING, "cause": cause, "due": retry_at,
                "added_again": False}  # fmt: skip
    if row.added_again:
        return {"status": WAITING, "cause": "", "added_again": False}
    return {"status": FAILED, "cause": cause}
