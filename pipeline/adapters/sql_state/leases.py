"""Named rights with an end, and the epoch by which a former holder is known."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection, select, update

from pipeline.adapters.sql_state.claims import is_in_force
from pipeline.adapters.sql_state.columns import EPOCH
from pipeline.adapters.sql_state.database import Database
from pipeline.adapters.sql_state.schema import leases
from pipeline.errors import LeaseLost
from pipeline.ports import Lease


class SqlLeases:
    """The ``Leases`` part of the state."""

    _db: Database

    def acquire_lease(self, name: str, holder: str, seconds: float, now: datetime) -> Lease | None:
        """Take a free or expired lease, or extend one's own; None while another holds it."""
        with self._db.writing() as connection:
            # The row comes first, so that there is one to lock.
            free = {"name": name, "holder": None, "epoch": 0, "taken": EPOCH, "expires": EPOCH}
            self._db.insert_new(connection, leases, [free])
            row = connection.execute(select(leases).where(leases.c.name == name).with_for_update()).one()
            if row.holder != holder and is_in_force(row.holder, row.taken, row.expires, now):
                return None
            epoch = row.epoch if row.holder == holder else row.epoch + 1
            lease = Lease(name, holder, epoch, now + timedelta(seconds=seconds))
            changes = {"holder": holder, "epoch": epoch, "taken": now, "expires": lease.expires}
            connection.execute(update(leases).where(leases.c.name == name).values(changes))
            return lease

    def renew_lease(self, lease: Lease, seconds: float, now: datetime) -> Lease:
        """Extend a lease. Raises ``LeaseLost`` when its epoch moved on."""
        expires = now + timedelta(seconds=seconds)
        with self._db.writing() as connection:
            check_lease(connection, lease)
            changes = {"taken": now, "expires": expires}
            connection.execute(update(leases).where(leases.c.name == lease.name).values(changes))
        return Lease(lease.name, lease.holder, lease.epoch, expires)

    def release_lease(self, lease: Lease) -> None:
        """Give it up at once; nothing happens when it was lost already."""
        is_ours = (leases.c.name == lease.name) & (leases.c.holder == lease.holder) & (leases.c.epoch == lease.epoch)
        with self._db.writing() as connection:
            connection.execute(update(leases).where(is_ours).values(holder=None))

    def lease_holder(self, name: str, now: datetime) -> Lease | None:
        """Return the lease in force, if any."""
        with self._db.reading() as connection:
            row = connection.execute(select(leases).where(leases.c.name == name)).one_or_none()
        if row is None or not is_in_force(row.holder, row.taken, row.expires, now):
            return None
        return Lease(row.name, row.holder, row.epoch, row.expires)


def check_lease(connection: Connection, lease: Lease) -> None:
    """Hold the lease's row until the transaction ends. Raises ``LeaseLost`` when it is another's by now.

    A lease whose time is over still counts while nobody has taken it: nobody else can have written under it.
    """
    row = connection.execute(select(leases).where(leases.c.name == lease.name).with_for_update()).one_or_none()
    if row is None or (row.holder, row.epoch) != (lease.holder, lease.epoch):
        now_with = f"{row.holder or 'nobody'}, epoch {row.epoch}" if row else "nobody"
        raise LeaseLost(f"lease {lease.name} of {lease.holder}, epoch {lease.epoch}, is with {now_with} now")
