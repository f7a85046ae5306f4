"""Look at the steps from outside: how far each is, how polling and the outbox go, how full the disk is."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from pathlib import Path
from typing import Final, TypeVar

import structlog

from pipeline import telemetry, wiring
from pipeline.errors import TryLater, WirewatchError
from pipeline.ports import Broker, Clock, State, TopicPartition
from pipeline.redaction import Redactor
from pipeline.settings import Settings
from pipeline.telemetry import SIGNS, Signs
from pipeline.topics import STEP_INPUTS, is_backfill
from pipeline.watch.decide import DeliveriesSeen, PollingSeen, Seen, StepSeen

log = structlog.get_logger("wirewatch")
T = TypeVar("T")

OF_STATE: Final = frozenset({"poll", "fetch", "deliver"})
"""Steps whose work waits in the state and not in a topic."""


class Lookout:
    """Looks, and sets the gauges to what it saw. Broker and state are opened by itself, each without the other."""

    def __init__(self, settings: Settings, clock: Clock, steps: Collection[str], *, signs: Signs = SIGNS) -> None:
        """Prepare for the calling thread. ``steps`` says which are looked at; a cluster's others have their own."""
        self._settings = settings
        self._clock = clock
        self._inputs = {step: STEP_INPUTS[step] for step in STEP_INPUTS if step in steps}
        self._sees_state = bool(OF_STATE & set(steps))
        self._signs = signs
        self._redacted = Redactor(settings.secrets())
        self._broker: Broker | None = None
        self._state: State | None = None

    def look(self) -> Seen:
        """Return what is to be seen now. Never raises for a part that is away; that is something seen, too."""
        unseen: dict[str, str] = {}
        now = self._clock()
        steps = self._tried("broker", unseen, lambda: self._steps(now)) if self._inputs else []
        polling = deliveries = None
        if self._sees_state:
            polling = self._tried("state", unseen, lambda: self._polling(now))
            deliveries = self._tried("state", unseen, self._deliveries) if "state" not in unseen else None
        folder, used = self._disk()
        if not unseen:
            telemetry.LAST_LOOK.set(now.timestamp())
        self._show_signs()
        return Seen(
            steps=steps,
            polling=polling,
            deliveries=deliveries,
            held={step: self._redacted(cause) for step, cause in self._signs.held().items()},
            silent=self._signs.silent(self._settings.health_seconds),
            disk=folder,
            disk_used=used,
            unseen={part: self._redacted(cause) for part, cause in unseen.items()},
        )

    def close(self) -> None:
        """Let go of what was opened."""
        opened, self._broker, self._state = (self._broker, self._state), None, None
        for part in opened:
            if part is not None:
                try:
                    part.close()
                except Exception as error:  # whatever it is, the next look opens the part anew
                    log.info("not closed", cause=repr(error))

    def _tried(self, part: str, unseen: dict[str, str], attempt: Callable[[], T]) -> T | None:
        try:
            return attempt()
        except (TryLater, WirewatchError) as error:
            unseen[part] = str(error)
        except Exception as error:  # a driver's own: a look must survive whatever befalls a part
            log.exception("look failed", part=part)
            unseen[part] = f"{type(error).__name__}: {error}"
        self.close()
        return None

    def _steps(self, now: datetime) -> list[StepSeen]:
        if self._broker is None:
            self._broker = wiring.open_broker(self._settings, self._clock)
        return [self._step(self._broker, step, now) for step in self._inputs]

    def _step(self, broker: Broker, step: str, now: datetime) -> StepSeen:
        inputs = self._inputs[step]
        done, ends = broker.committed(step, inputs), broker.end_offsets(inputs)
        lags = {place: max(0, end - done.get(place, 0)) for place, end in ends.items()}
        oldest = {name: _oldest(broker, done, lags, name) for name in inputs}
        for name in inputs:
            telemetry.LAG.labels(step, name).set(sum(lag for place, lag in lags.items() if place.topic == name))
            moment = oldest[name]
            age = max(0.0, (now - moment).total_seconds()) if moment else 0.0
            telemetry.OLDEST_SECONDS.labels(step, name).set(age)
        live = [moment for name, moment in oldest.items() if moment is not None and not is_backfill(name)]
        return StepSeen(
            step=step, lag=sum(lags.values()), committed=sum(done.values()), oldest=min(live, default=None)
        )  # fmt: skip

    def _opened_state(self) -> State:
        if self._state is None:
            self._state = wiring.open_state(self._settings)
        return self._state

    def _polling(self, now: datetime) -> PollingSeen:
        found = self._opened_state().feed_numbers(now)
        numbers = dict.fromkeys(("new", "ok", "empty", "failed", "gone", "paused"), 0) | dict(found.by_status)
        for status, number in (numbers | {"due": found.due}).items():
            telemetry.FEEDS.labels(status).set(number)
        return PollingSeen(due=found.due, due_since=found.due_since, last=found.last_polled)

    def _deliveries(self) -> DeliveriesSeen:
        state = self._opened_state()
        deliveries = state.queued_deliveries()
        for queue, rows in (("pages", state.queued_pages()), ("deliveries", deliveries)):
            for status in dict.fromkeys(("waiting", "failed", *rows)):
                telemetry.QUEUED.labels(queue, status).set(rows.get(status, 0))
        done = sum(number for status, number in deliveries.items() if status != "waiting")
        return DeliveriesSeen(waiting=deliveries.get("waiting", 0), done=done)

    def _disk(self) -> tuple[str, float]:
        """Return the data folder and how full its disk is, as ``df`` counts it: what only root may use is not free."""
        folder: Path = self._settings.data_folder
        try:
            usage = shutil.disk_usage(folder)
        except OSError:  # a cluster may need none
            return "", 0.0
        used = usage.used / (usage.used + usage.free) if usage.used + usage.free else 0.0
        telemetry.DISK_USED.set(used)
        return str(folder), used

    def _show_signs(self) -> None:
        silent = self._signs.silent(0)
        for step in self._signs.steps():
            telemetry.SILENT_SECONDS.labels(step).set(silent.get(step, 0.0))


def _oldest(
    broker: Broker, done: Mapping[TopicPartition, int], lags: Mapping[TopicPartition, int], topic: str
) -> datetime | None:
    """Return when the oldest record of a topic that the group has not committed was published."""
    waiting = [place for place, lag in lags.items() if lag and place.topic == topic]
    found = (broker.read(place, done.get(place, 0), 1) for place in waiting)
    return min((records[0].timestamp for records in found if records), default=None)
