"""Letting go of what is past its retention, and making next month's index ahead.

Any process may do this, as often as it likes. Months of an embedded index are dropped by whoever holds its lease: here
when nobody does, else by request.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import closing
from datetime import datetime, timedelta
from typing import Final

import structlog
from msgspec import Struct

from pipeline import wiring
from pipeline.errors import TryLater
from pipeline.index import run as index
from pipeline.index.retention import past_months
from pipeline.leased import LeaseHeld, run_leased
from pipeline.ports import SearchIndex
from pipeline.replay import keep_replayed
from pipeline.wiring import Ports
from pipeline.worker import Wait

log = structlog.get_logger("wirewatch")

SEEN_KEPT: Final = timedelta(days=90)
"""How long an item is known after it has left its feed."""
LEDGER_KEPT: Final = timedelta(days=400)
"""Of a ledger line of some 150 bytes a feed and day: a year can be compared with the one before."""
DROP: Final = "drop months"
LOOK: Final = timedelta(seconds=10)


class Pruned(Struct, frozen=True, kw_only=True):
    """What one round let go of."""

    records: int
    """Of the embedded broker; Kafka does this by itself."""
    pages: int
    seen: int
    polls: int
    """Days and gaps of the ledger of polls."""
    months: Sequence[str]
    """Of the index."""
    asked: Sequence[str] = ()
    """Months that the holder of the index lease was asked to drop."""


def _pause(seconds: float) -> bool:
    time.sleep(seconds)
    return False


def prune(ports: Ports, wait: Wait = _pause) -> Pruned:
    """Let go of broker records, pages, seen entries and months of the index that are past their retention.

    Raises:
        TryLater: a part is busy or away; what was done stays done.
        WirewatchError: Elasticsearch is not set up, or refuses.
    """
    settings, now = ports.settings, ports.clock()
    wiring.make_months(settings, ports.clock)
    if wiring.is_kafka(settings):
        keep_replayed(ports.broker)
    records = ports.broker.prune(now)
    pages = ports.pages.prune(now.date(), settings.pages_keep_days, int(settings.pages_keep_gb * 1e9))
    seen = ports.state.forget_seen(now - SEEN_KEPT)
    polls = ports.state.forget_polls(now - LEDGER_KEPT)
    with closing(wiring.open_index(settings, writer=False)) as target:
        past = past_months(target.months(), now, settings.index_keep_days)
        if past and wiring.is_elasticsearch(settings):
            drop(target, past)
    if not past or wiring.is_elasticsearch(settings):
        return Pruned(records=records, pages=pages, seen=seen, polls=polls, months=past)
    try:
        run_leased(ports, index.LEASE, wait, lambda *_: _drop_embedded(ports, past), once=True)
    except LeaseHeld:
        ports.state.add_request(DROP, {"months": list(past)}, now)
        return Pruned(records=records, pages=pages, seen=seen, polls=polls, months=(), asked=past)
    return Pruned(records=records, pages=pages, seen=seen, polls=polls, months=past)


def _drop_embedded(ports: Ports, months: Sequence[str]) -> None:
    with closing(wiring.open_index(ports.settings, writer=True)) as target:
        drop(target, months)


def drop(target: SearchIndex, months: Sequence[str]) -> int:
    """Drop these months; return how many articles they held."""
    number = sum(target.drop_month(month) for month in months)
    log.info("months dropped", months=",".join(months), articles=number)
    return number


class AskedDrops:
    """The holder of the index lease looks here from time to time for months it was asked to drop."""

    def __init__(self, ports: Ports, target: SearchIndex) -> None:
        self._ports = ports
        self._target = target
        self._looked: datetime | None = None

    def look(self) -> None:
        """Do what was asked, when it is time to look again."""
        now = self._ports.clock()
        if self._looked is not None and abs(now - self._looked) < LOOK:
            return
        self._looked = now
        try:
            self._drop_asked(now)
        except TryLater as later:  # a request waits; the articles behind this look do not
            log.warning("months not dropped", cause=later.cause, next=f"tried again in {LOOK.seconds} s")

    def _drop_asked(self, now: datetime) -> None:
        state, holder = self._ports.state, self._ports.holder
        seconds = self._ports.settings.writer_lease_seconds
        for request in state.claim_requests([DROP], now, 100, holder, seconds):
            number = drop(self._target, request.payload["months"])
            state.finish_request(request.id, holder, {"articles": number})
