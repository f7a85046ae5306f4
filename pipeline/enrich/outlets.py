"""What enrichment knows of outlets, kept in the state: asked for at every page, written once a batch."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

import structlog
from msgspec import Struct

from pipeline.enrich.habits import look_for_break, repeated_lines
from pipeline.ports import Clock, OutletPage, OutletPages

log = structlog.get_logger("wirewatch")

FRESH_FOR: Final = timedelta(minutes=10)
"""What was looked up of an outlet serves so long: habits change by the day, and pages come by the second."""
OUTLETS_HELD: Final = 2_000
"""Outlets whose habits are in memory; of each, some dozens of numbers."""


class _Habits(Struct, frozen=True):
    repeated: frozenset[int]
    broken: str
    looked_up: datetime


class OutletProfiles:
    """The ``Profiles`` of the stages, over the state; for one thread."""

    def __init__(self, state: OutletPages, clock: Clock) -> None:
        self._state, self._clock = state, clock
        self._held: OrderedDict[str, _Habits] = OrderedDict()
        self._noted: dict[str, OutletPage] = {}
        self._looked_at: dict[str, datetime] = {}
        """When a break was last looked for, by outlet."""

    def repeated_lines(self, outlet: str) -> frozenset[int]:
        """Return the keys of lines that the outlet's pages repeat. Raises ``TryLater`` as the state does."""
        return self._habits(outlet).repeated

    def broken(self, outlet: str) -> str:
        """Return what is wrong with reading this outlet's pages just now; empty: nothing. Raises ``TryLater``."""
        return self._habits(outlet).broken

    def note(self, article_id: str, outlet: str, keys: tuple[int, ...], characters: int, page_bytes: int) -> None:
        """Take in what one page gave; it is kept with the next ``flush``."""
        self._noted[article_id] = OutletPage(
            outlet=outlet, article=article_id, read_at=self._clock(), characters=characters, page_bytes=page_bytes,
            lines=keys,
        )  # fmt: skip

    def flush(self) -> None:
        """Keep what was noted, and look whether the outlets of these pages can be read as usual.

        Raises:
            TryLater: the state cannot be written now; all that was noted is still noted.
        """
        if not self._noted:
            return
        self._state.note_outlet_pages(list(self._noted.values()))
        outlets = sorted({page.outlet for page in self._noted.values()})
        self._noted.clear()
        now = self._clock()
        self._look([outlet for outlet in outlets if not _is_fresh(self._looked_at.get(outlet), now)], now)

    def _look(self, outlets: Sequence[str], now: datetime) -> None:
        going_on = self._state.outlet_breaks(outlets) if outlets else {}
        for outlet in outlets:
            pages = self._state.outlet_pages(outlet)
            broken = look_for_break(pages, going_on.get(outlet), now)
            if broken and outlet not in going_on and self._state.begin_outlet_break(broken):
                log.warning("pages read badly", step="enrich", outlet=outlet, cause=broken.cause,
                            next="the next best text is taken; see `wirewatch feeds check`")  # fmt: skip
            elif not broken and outlet in going_on and self._state.end_outlet_break(outlet):
                log.warning("pages read well again", step="enrich", outlet=outlet)
            self._hold(outlet, _Habits(repeated_lines(pages), broken.cause if broken else "", now))
            self._looked_at[outlet] = now
        if len(self._looked_at) > OUTLETS_HELD:
            self._looked_at = {name: at for name, at in self._looked_at.items() if _is_fresh(at, now)}

    def _habits(self, outlet: str) -> _Habits:
        held, now = self._held.get(outlet), self._clock()
        if held is None or not _is_fresh(held.looked_up, now):
            pages, breaks = self._state.outlet_pages(outlet), self._state.outlet_breaks([outlet])
            cause = breaks[outlet].cause if outlet in breaks else ""
            self._hold(outlet, _Habits(repeated_lines(pages), cause, now))
        self._held.move_to_end(outlet)
        return self._held[outlet]

    def _hold(self, outlet: str, habits: _Habits) -> None:
        self._held[outlet] = habits
        self._held.move_to_end(outlet)
        while len(self._held) > OUTLETS_HELD:
            self._held.popitem(last=False)


def _is_fresh(looked_up: datetime | None, now: datetime) -> bool:
    return looked_up is not None and abs(now - looked_up) < FRESH_FOR
