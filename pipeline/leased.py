"""Work that one process does at a time: it holds a lease of the state, and others stand by."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

import structlog

from pipeline import telemetry
from pipeline.errors import IndexInUse, LeaseLost, TryLater, WirewatchError
from pipeline.ports import Lease
from pipeline.wiring import Ports
from pipeline.worker import Wait

log = structlog.get_logger("wirewatch")

HOLD_SECONDS: Final = 5.0
IDLE_SECONDS: Final = 1.0
"""How long whoever asks the state for work rests when there is none."""


class LeaseHeld(WirewatchError):
    """Another process does this work now; there is nothing to do here but wait for it."""


class LeaseKeeper:
    """Keeps a lease alive from within a worker's own loop, and notices when it was lost."""

    def __init__(self, ports: Ports, lease: Lease) -> None:
        self._ports = ports
        self._seconds = ports.settings.writer_lease_seconds
        self._lease = lease
        self._renewed = ports.clock()

    def lease(self) -> Lease:
        """Return the lease in force. Raises ``LeaseLost`` when it went to another while this process was paused."""
        now = self._ports.clock()
        # Also when the clock was set back: others take a lease from the future for one that has ended.
        if not self._renewed <= now < self._renewed + timedelta(seconds=self._seconds / 3):
            self._renew(now)
        return self._lease

    def _renew(self, now: datetime) -> None:
        """Extend the lease; a state that is busy or full may be asked again until the lease has run out."""
        try:
            self._lease = self._ports.state.renew_lease(self._lease, self._seconds, now)
        except TryLater as later:
            if now >= self._lease.expires:
                raise LeaseLost(f"{self._lease.name}: not renewed in time ({later.cause})") from later
        else:
            self._renewed = now

    def check(self) -> None:
        """Raise ``LeaseLost`` unless the lease is still ours; asks the state when the lease is due for renewal."""
        self.lease()


def run_leased(ports: Ports, name: str, wait: Wait, work: Callable[[LeaseKeeper, Wait], None], *, once: bool) -> None:
    """Do ``work`` while holding the lease; stand by while another holds it. With ``once``: ``LeaseHeld`` instead."""
    seconds = ports.settings.writer_lease_seconds
    stands_by = False
    while not wait(0):
        try:
            lease = ports.state.acquire_lease(name, ports.holder, seconds, ports.clock())
        except TryLater as later:
            put_off(name, later, wait)
            continue
        if lease is None:
            other = ports.state.lease_holder(name, ports.clock())
            who = other.holder if other else "another process"
            if once:
                raise LeaseHeld(f"{name} is being done by {who}")
            if not stands_by:
                log.warning("standing by", step=name, writer=who)
            stands_by = True
            telemetry.SIGNS.stand_by(name)
            wait(min(IDLE_SECONDS, seconds / 3))
            continue
        stands_by = False
        try:
            _work_under(ports, lease, wait, work)
        except LeaseLost as lost:
            log.warning("lease lost", step=name, cause=str(lost), next="standing by")
            continue
        except IndexInUse as busy:  # by a holder that was paused for so long that its lease ended, but not its lock
            if once:
                raise LeaseHeld(str(busy)) from busy
            log.warning("standing by", step=name, cause=str(busy))
            telemetry.SIGNS.stand_by(name)
            wait(min(IDLE_SECONDS, seconds / 3))
            continue
        except TryLater as later:
            put_off(name, later, wait)
            continue
        if once:
            return


def _work_under(ports: Ports, lease: Lease, wait: Wait, work: Callable[[LeaseKeeper, Wait], None]) -> None:
    keeper = LeaseKeeper(ports, lease)

    def waiting(seconds: float) -> bool:
        keeper.check()
        return wait(seconds)

    try:
        work(keeper, waiting)
    finally:
        try:
            ports.state.release_lease(lease)
        except TryLater as later:
            log.warning("lease left to run out", step=lease.name, cause=later.cause)


def put_off(step: str, later: TryLater, wait: Wait) -> None:
    """The state or broker is busy, full or away: say so, rest, and let the step ask again."""
    seconds = later.retry_seconds or HOLD_SECONDS
    log.warning("holding", step=step, cause=later.cause, next=f"tried again in {seconds:.0f} s")
    telemetry.SIGNS.hold(step, later.cause)
    wait(seconds)
