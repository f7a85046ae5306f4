"""How fast an archive may be sent: as fast as it is worked off while the news is on time, and one slot in 20 otherwise.

Two limits, looked at before each batch. The backfill lane never holds more than ``backfill_limit`` records, whatever
happens. While more than ``live_limit`` live records wait, a batch goes out only once in 20 slots, so that news that
never ends cannot starve an archive. On the other side the steps read live records first (``pipeline.worker``), and
backfill first in one turn of 20: what is sent slowly is worked off, and a live record waits for one batch at most.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from msgspec import Struct

from pipeline import topics
from pipeline.ports import Broker

LOOK_SECONDS = 0.5
"""How often the lag is looked at while nothing may be sent."""
PATIENCE_SECONDS = 3.0
"""How long nobody may have committed anything before it is taken that nobody works, and the work is done here."""


class Lag(Struct, frozen=True):
    """Records that some step has still to take, summed over the steps of each lane; and those taken since ever."""

    live: int = 0
    backfill: int = 0
    done: int = 0


class Pace(Struct, frozen=True, kw_only=True):
    """How much backfill is sent, and when."""

    batch: int = 200
    """Records sent at once."""
    live_limit: int = 200
    """Live records under way that are no lag: one batch of a step."""
    backfill_limit: int = 2_000
    """Records of the backfill lane under way at which nothing more is sent."""
    slot_seconds: float = 1.0
    """What a batch is given while the news lags: that many seconds of every twenty times as many."""
    least_share: float = 0.05


def records_now(lag: Lag, seconds_since_last: float, pace: Pace) -> int:
    """Return how many backfill records may be sent now; 0: none yet."""
    room = pace.backfill_limit - lag.backfill
    is_turn = seconds_since_last * pace.least_share >= pace.slot_seconds
    if room <= 0 or (lag.live > pace.live_limit and not is_turn):
        return 0
    return min(pace.batch, room)


def look_at_lag(broker: Broker) -> Lag:
    """Ask the broker how far the steps are behind in each lane."""
    live = backfill = done = 0
    for group, names in topics.STEP_INPUTS.items():
        committed = broker.committed(group, names)
        for place, end in broker.end_offsets(names).items():
            at = committed.get(place, 0)
            done += at
            waiting = max(0, end - at)
            if topics.is_backfill(place.topic):
                backfill += waiting
            else:
                live += waiting
    return Lag(live, backfill, done)


class Throttle:
    """Says when the next batch may go, and has the work done here when no other process does it."""

    def __init__(
        self,
        *,
        look: Callable[[], Lag],
        work: Callable[[], bool],
        clock: Callable[[], float],
        wait: Callable[[float], bool],
        pace: Pace | None = None,
        on_wait: Callable[[Lag], None] = lambda _: None,
    ) -> None:
        """Make a throttle under which nothing was sent yet.

        ``look`` returns the lag; ``work`` brings all that was sent to the end of the path and returns whether other
        processes had a part in it; ``clock`` gives seconds that never run back; ``wait`` is True once to stop.
        """
        self._look, self._work, self._clock, self._wait = look, work, clock, wait
        self._pace = pace or Pace()
        self._on_wait = on_wait
        self._sent_at = -math.inf
        self._done, self._moved_at = -1, -math.inf
        self._is_alone = False

    def next_batch(self) -> int:
        """Wait until records may be sent and return how many at most; 0 when told to stop."""
        while not self._wait(0):
            lag, now = self._look(), self._clock()
            if number := records_now(lag, now - self._sent_at, self._pace):
                self._sent_at = now
                return number
            self._on_wait(lag)
            if self._nobody_works(lag, now):
                self._is_alone = not self._work()
                self._moved_at = self._clock()
            else:
                self._wait(LOOK_SECONDS)
        return 0

    def _nobody_works(self, lag: Lag, now: float) -> bool:
        if lag.done != self._done:
            self._done, self._moved_at = lag.done, now
        return self._is_alone or now - self._moved_at >= PATIENCE_SECONDS
