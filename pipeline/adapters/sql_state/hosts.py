"""Hosts: one request at a time to each, and a pause after it, whoever of any number of processes makes it.

A host is claimed together with the feed or page that is to be asked for, and opened again, for after the pause, when
that is done. So the pause runs from the end of one request to the start of the next, however long either waited.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, and_, bindparam, func, or_, update

from pipeline.adapters.sql_state.claims import CLOCK_SLACK, Claimant, gone_holders, is_free
from pipeline.adapters.sql_state.columns import EPOCH
from pipeline.adapters.sql_state.database import Database
from pipeline.adapters.sql_state.schema import hosts


def is_open(connection: Connection, now: datetime, *, rested: bool = True) -> ColumnElement[bool]:
    """Return the condition that nobody asks a host now, and, with ``rested``, that its pause is over."""
    # One that was closed in the future was closed before the clock was set back.
    has_rested = or_(hosts.c.open_at <= now, hosts.c.claimed_at > now + CLOCK_SLACK)
    is_unasked = is_free(hosts, now, gone_holders(connection, hosts))
    return and_(has_rested, is_unasked) if rested else is_unasked


def close_hosts(
    connection: Connection, names: Collection[str], claimant: Claimant, *, open_at: datetime | None = None
) -> None:
    """Claim these hosts; once given back they stay closed until ``open_at``, when that is said."""
    if names:
        values = claimant.columns() | ({} if open_at is None else {"open_at": open_at})
        claim = update(hosts).where(hosts.c.host == bindparam("claimed_host")).values(**values)
        connection.execute(claim, [{"claimed_host": name} for name in names])


def open_hosts(connection: Connection, open_at: Mapping[str, datetime | None], holder: str) -> None:
    """Give these hosts back if they are still this holder's, each to be asked from its time on.

    None: as it was. What holds a host for longer meanwhile (its Crawl-delay) counts.
    """
    if open_at:
        mine = and_(hosts.c.host == bindparam("opened_host"), hosts.c.claimed_by == holder)
        later = func.max if connection.dialect.name == "sqlite" else func.greatest
        opens = later(func.coalesce(bindparam("opens", type_=hosts.c.open_at.type), hosts.c.open_at), hosts.c.open_at)
        given_back = update(hosts).where(mine).values(open_at=opens, claimed_by=None, claim_until=None)
        connection.execute(given_back, [{"opened_host": name, "opens": at} for name, at in open_at.items()])


def add_hosts(db: Database, connection: Connection, names: Sequence[str]) -> None:
    """Note hosts that are not known yet, open."""
    db.insert_new(connection, hosts, [{"host": name, "open_at": EPOCH} for name in sorted(set(names))])
