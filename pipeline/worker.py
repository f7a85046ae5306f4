"""The shared loop of every step that reads a topic: poll, mark, handle, publish, bury, commit - in that order.

    records = consumer.poll()          marker written: "these are in my hands"
      handle(records)                  TryLater: hold them, say why, stay a member, try again
      publish outputs                  every outcome checked; what failed, and all behind it, is sent again
      write dead letters               before the offset moves; if they cannot be written the worker stops
      commit                           only now, and never past a dead letter that is still held back

A batch ends in a commit or is redelivered; every effect of a step is idempotent, so redelivery is harmless. After an
unclean end the marker says which range was in flight; that range is replayed one record at a time, so that a record
that kills its worker is found, and after ``max_tries`` such deaths becomes a dead letter.
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from itertools import groupby
from typing import TypeVar

import structlog
from msgspec import Struct
from msgspec.structs import replace

from pipeline import telemetry, topics
from pipeline.dead import dead_letter
from pipeline.errors import (
    BreakerTripped,
    DeadLettersUnavailable,
    LeaseLost,
    PartitionLost,
    TryLater,
    WirewatchError,
)
from pipeline.outcomes import Counts, Status
from pipeline.ports import Broker, Clock, Consumer, Marker, Message, Progress, Record, TopicPartition

log = structlog.get_logger("wirewatch")
T = TypeVar("T")


class Handled(Struct, frozen=True):
    """What a step made of one record: its outcome, and the messages to publish before its offset may move."""

    record: Record
    status: Status
    messages: Sequence[Message] = ()
    reason: str = ""
    """For ``dropped`` a ``DropReason``; for ``dead`` a short fixed phrase."""
    detail: str = ""


class Limits(Struct, frozen=True, kw_only=True):
    """How much a worker takes at once, and how patient it is."""

    max_records: int = 200
    max_bytes: int = 16_000_000
    """Of values in one batch; past this size it is not filled up. 500 records of the largest kind would be 450 MB."""
    poll_seconds: float = 0.5
    linger_seconds: float = 0.0
    """How long a batch that is not full waits for more records; for sinks whose commit is dear."""
    backfill_every: int = 20
    """Backfill is read first once in so many turns, and otherwise only when live is empty: at least 5 % of the time."""
    breaker: int = 20
    max_tries: int = 3
    first_wait_seconds: float = 0.2
    longest_wait_seconds: float = 30.0
    heartbeat_seconds: float = 3.0
    dead_letter_attempts: int = 5


class Stopped(Exception):
    """The stop event was set while a batch was held; it is given back unhandled."""


CLEAN_ENDS = (Stopped, WirewatchError, LeaseLost)
"""Ends that leave no suspicion on the records in hand: asked for, or with a named cause outside of them."""

Wait = Callable[[float], bool]
"""Waits up to so many seconds; returns True at once when the worker is to stop."""


class Worker:
    """Runs one step over its topics. One instance a thread; ``handle`` gets a batch and returns an outcome for each."""

    def __init__(
        self,
        group: str,
        *,
        broker: Broker,
        consumer: Consumer,
        progress: Progress,
        handle: Callable[[Sequence[Record]], Sequence[Handled]],
        clock: Clock,
        wait: Wait,
        limits: Limits | None = None,
        guard: Callable[[], None] = lambda: None,
        pass_over: Callable[[Record], None] = lambda _: None,
        reach: Callable[[str], None] = lambda _: None,
    ) -> None:
        """Make a worker that has read nothing yet.

        ``guard`` is called before anything is published or committed, and raises when that is no longer allowed.
        ``pass_over`` is told of a record that killed its worker, since ``handle`` will never see it again.
        """
        self.group = group
        self.counts = Counts()
        self.held_because = ""
        """Why a batch is held right now; empty when work goes on."""
        self._broker = broker
        self._consumer = consumer
        self._progress = progress
        self._handle = handle
        self._clock = clock
        self._wait = wait
        self._limits = limits or Limits()
        self._guard = guard
        self._pass_over = pass_over
        self._reach = reach
        self._turns = 0
        self._next: dict[TopicPartition, int] = {}  # offset after the last record handled, per partition
        self._floors: dict[TopicPartition, int] = {}  # offsets as last committed
        self._marks: dict[TopicPartition, Marker] = {}  # markers as this worker left them last
        self._suspects: dict[TopicPartition, Marker] = {}  # ranges to replay singly after an unclean end
        self._is_adrift = False  # a partition was lost: read on from what is committed
        self._pending: list[Handled] = []  # dead letters held back until the breaker is known not to trip
        self._streaks: dict[str, int] = {}  # dead letters in a row, by reason

    # --- the loop

    def run(self, *, once: bool = False) -> None:
        """Handle batches until told to stop or, with ``once``, until there is nothing left to read.

        Raises:
            BreakerTripped, DeadLettersUnavailable: for a person to look into; offsets are kept. Other errors with a
                name (``WirewatchError``) pass through in the same way.
            LeaseLost: from ``guard`` or ``handle``; another process goes on with this work.
        """
        try:
            while not self._wait(0) and (self.turn() or not once):
                pass
            self._finish()
        except (Stopped, PartitionLost):
            self._leave()
        except CLEAN_ENDS:
            self._leave()
            raise
        else:
            self._leave()

    def turn(self) -> bool:
        """Handle the next batch; return whether there may be more to do, False when all was read and finished."""
        try:
            self._go_back_if_adrift()
            records = self._next_records()
            if not records:
                self._finish()
            for batch in self._batches(records):
                self._handle_batch(batch)
        except PartitionLost as lost:
            self._let_go(lost)
            return True
        telemetry.SIGNS.go_on(self.group)
        return bool(records)

    def _handle_batch(self, batch: Sequence[Record]) -> None:
        marked = self._mark(batch)
        self._reach(f"{self.group}:marked")
        killer = self._killed_before(batch, marked)
        if killer:
            self._held(lambda: self._pass_over(killer.record))
        with telemetry.BATCH_SECONDS.labels(self.group).time():
            handled = [killer] if killer else self._held(lambda: self._handle(batch))
        if len(handled) != len(batch):
            raise AssertionError(f"{self.group} returned {len(handled)} outcomes for {len(batch)} records")
        self._reach(f"{self.group}:handled")
        self._guard()
        handled = self._publish(handled)
        self._reach(f"{self.group}:published")
        self._book(handled)
        if killer:  # at once: held back, it would be tried again after the next record's death
            self._bury_pending()
        self._reach(f"{self.group}:booked")
        self._guard()
        self._commit()
        self._observe_ages(batch)
        self._say(handled)
        self._reach(f"{self.group}:committed")

    def _observe_ages(self, batch: Sequence[Record]) -> None:
        now = self._clock()
        ages = telemetry.AGE_SECONDS.labels(self.group)
        for record in batch:
            ages.observe(max(0.0, (now - record.timestamp).total_seconds()))

    def _say(self, handled: Sequence[Handled]) -> None:
        """One line a record, by which its way can be followed; asked first, as most runs show none of them."""
        if not log.is_enabled_for(logging.INFO):
            return
        for result in handled:
            record = result.record
            log.info(
                "handled", step=self.group, id=record.key, status=result.status.value, reason=result.reason,
                trace=telemetry.trace_id(record.headers),
            )  # fmt: skip

    # --- reading

    def _next_records(self) -> Sequence[Record]:
        """Live before backfill, but backfill first once in ``backfill_every`` turns."""
        self._turns += 1
        size = self._limits.max_records
        places = self._consumer.assignment()
        self._keep_only(places)
        names = {place.topic for place in places}
        backfill = {name for name in names if topics.is_backfill(name)}
        records: Sequence[Record] = ()
        if backfill and backfill != names:
            first = backfill if self._turns % self._limits.backfill_every == 0 else names - backfill
            records = self._poll(size, 0, first)
        records = list(records or self._poll(size, self._limits.poll_seconds))
        deadline = time.monotonic() + self._limits.linger_seconds
        while records and len(records) < size and (left := deadline - time.monotonic()) > 0:
            if sum(len(record.value or b"") for record in records) >= self._limits.max_bytes:
                break
            records += self._poll(size - len(records), left)
        return records

    def _keep_only(self, places: Collection[TopicPartition]) -> None:
        """Forget partitions that went: one may come back at the same offset after another worker died on its record."""
        self._next = {place: offset for place, offset in self._next.items() if place in places}
        self._pending = [result for result in self._pending if result.record.place in places]

    def _poll(self, size: int, seconds: float, topics: Collection[str] | None = None) -> Sequence[Record]:
        return self._held(lambda: self._consumer.poll(size, seconds, topics))

    def _batches(self, records: Sequence[Record]) -> Iterator[Sequence[Record]]:
        """Yield the records of suspect ranges one at a time, then all others as one batch."""
        together: list[Record] = []
        for place, group in groupby(sorted(records, key=lambda r: (r.place, r.offset)), key=lambda r: r.place):
            run = list(group)
            if run[0].offset != self._next.get(place):
                self._look_for_unclean_end(place)
            suspect = self._suspects.get(place)
            for record in run:
                if suspect and record.offset <= suspect.replay_until:
                    yield (record,)
                else:
                    together.append(record)
            if suspect and run[-1].offset >= suspect.replay_until:
                del self._suspects[place]
        if together:
            yield together

    def _look_for_unclean_end(self, place: TopicPartition) -> None:
        """A partition is new to this worker: was its last owner killed with records of it in hand?"""
        marker = self._held(lambda: self._progress.markers(self.group, [place])).get(place)
        if marker is None or marker.last < self._held(lambda: self._consumer.committed([place])).get(place, 0):
            self._suspects.pop(place, None)
            return
        until = max(marker.last, marker.replay_until)
        self._suspects[place] = replace(marker, replay_until=until)
        log.warning(
            "unclean end found", step=self.group, topic=place.topic, partition=place.partition,
            offsets=f"{marker.first}-{until}", next="replayed one record at a time",
        )  # fmt: skip

    def _mark(self, batch: Sequence[Record]) -> Sequence[Marker]:
        """Leave word of what is in hand. The same commit carries the counts of the batch before."""
        markers = []
        for place, group in groupby(sorted(batch, key=lambda r: (r.place, r.offset)), key=lambda r: r.place):
            run = list(group)
            first, last = run[0].offset, run[-1].offset
            suspect = self._suspects.get(place)
            again = suspect is not None and (suspect.first, suspect.last) == (first, last)
            tries = suspect.tries if suspect and again else 0
            until = suspect.replay_until if suspect else -1
            alone = len(batch) == 1
            markers.append(
                Marker(place=place, first=first, last=last, replay_until=until, tries=tries + 1 if alone else 0)
            )
        self._save_progress(markers)
        self._marks |= {marker.place: marker for marker in markers}
        return markers

    def _save_progress(self, markers: Sequence[Marker]) -> None:
        counts = self.counts.by_outcome
        self._held(lambda: self._progress.mark_batch(self.group, markers, counts, self._clock()))
        self.counts.take()

    def _killed_before(self, batch: Sequence[Record], markers: Sequence[Marker]) -> Handled | None:
        """Return the dead letter of a lone record that was in hand at ``max_tries`` unclean ends, else None."""
        tries = markers[0].tries - 1
        if len(batch) > 1 or tries < self._limits.max_tries:
            return None
        detail = f"the worker died {tries} times with only this record in hand"
        return Handled(batch[0], Status.DEAD, reason="killed its worker", detail=detail)

    # --- writing

    def _publish(self, handled: Sequence[Handled]) -> Sequence[Handled]:
        """Publish all outputs in order; one that can never be published makes its record a dead letter."""
        waiting = [
            (at, _traced(message, result.record)) for at, result in enumerate(handled) for message in result.messages
        ]
        refused: dict[int, str] = {}

        def send() -> None:
            outcomes = self._broker.publish([message for _, message in waiting])
            soft = next((n for n, outcome in enumerate(outcomes) if outcome and not outcome.fatal), len(outcomes))
            refused.update({waiting[n][0]: str(outcome) for n, outcome in enumerate(outcomes[:soft]) if outcome})
            # All behind the first that may still be stored goes again, stored or not: order within a key is kept.
            del waiting[:soft]
            if waiting:
                raise TryLater(f"broker: {outcomes[soft]}")

        self._held(send)
        return [
            Handled(result.record, Status.DEAD, reason="cannot be published", detail=refused[at])
            if at in refused
            else result
            for at, result in enumerate(handled)
        ]

    def _book(self, handled: Iterable[Handled]) -> None:
        """Count outcomes and bury the dead, but hold a run of equal deaths back until the breaker is out of reach."""
        for result in handled:
            self._next[result.record.place] = result.record.offset + 1
            if result.status is not Status.DEAD:
                self._count(result.status, result.reason)
                self._streaks.clear()
                self._bury_pending()
                continue
            self._pending.append(result)
            self._streaks[result.reason] = streak = self._streaks.get(result.reason, 0) + 1
            if streak >= self._limits.breaker:
                self._trip(result, streak)
            if len(self._pending) >= 5 * self._limits.breaker:
                self._bury_pending()

    def _count(self, status: Status, reason: str) -> None:
        self.counts.add(status, reason)
        telemetry.RECORDS.labels(self.group, status.value, reason).inc()

    def _trip(self, result: Handled, streak: int) -> None:
        """Stop before the first dead letter that is still held back; none of them was written."""
        self._commit()
        first = self._pending[0].record
        raise BreakerTripped(
            f"{self.group} stopped: {streak} records in a row failed for one reason, “{result.reason}” "
            f"({result.detail[:200]}). Nothing was skipped: the offset stays before {first.topic}/{first.partition}/"
            f"{first.offset}. Find the cause, then start the step again."
        )

    def _bury_pending(self) -> None:
        """Write the held dead letters; stop the worker when that is not possible."""
        if not self._pending:
            return
        now = self._clock()
        letters = [
            dead_letter(r.record, step=self.group, reason=r.reason, detail=r.detail, at=now) for r in self._pending
        ]
        wait = self._limits.first_wait_seconds
        for attempt in range(1, self._limits.dead_letter_attempts + 1):
            outcomes = self._broker.publish(letters)
            failures = [failure for failure in outcomes if failure is not None]
            if not failures:
                break
            letters = [letter for letter, failure in zip(letters, outcomes, strict=True) if failure is not None]
            if attempt == self._limits.dead_letter_attempts or any(failure.fatal for failure in failures):
                raise DeadLettersUnavailable(
                    f"{self.group} stopped: a dead letter could not be written to {letters[0].topic} "
                    f"({failures[0].cause}). No record was skipped; mend the topic, then start the step again."
                )
            self._hold(f"dead letters: {failures[0].cause}", wait)
            wait *= 2
        for result in self._pending:
            self._count(Status.DEAD, result.reason)
            place = result.record.place
            log.warning(
                "dead letter", step=self.group, key=result.record.key, reason=result.reason, detail=result.detail[:300],
                topic=place.topic, partition=place.partition, offset=result.record.offset,
                trace=telemetry.trace_id(result.record.headers),
            )  # fmt: skip
        self._pending = []

    def _commit(self) -> None:
        """Move each partition's offset to its floor: behind all that is done, before any dead letter still held."""
        floors = dict(self._next)
        for result in self._pending:
            place = result.record.place
            floors[place] = min(floors[place], result.record.offset)
        if moved := {place: offset for place, offset in floors.items() if self._floors.get(place) != offset}:
            self._held(lambda: self._consumer.commit(moved))
            self._floors.update(moved)

    def _finish(self) -> None:
        """Nothing more to read for now: bury what was held back, save offsets and counts."""
        self._bury_pending()
        self._commit()
        if self.counts.by_outcome:
            self._save_progress([])

    def _leave(self) -> None:
        """A clean end: what is uncommitted will be redelivered, and is under no suspicion."""
        try:
            self._progress.mark_batch(self.group, [], self.counts.take(), self._clock())
            self._clear_marks()
        except TryLater as later:
            log.warning("mark left behind", step=self.group, cause=later.cause, next="its range is replayed singly")

    def _clear_marks(self) -> None:
        """Forget this worker's own markers, and leave alone what a new owner of a partition has put in their place."""
        found = self._progress.markers(self.group, self._marks)
        self._progress.clear_markers(self.group, [place for place, mark in found.items() if mark == self._marks[place]])
        self._marks = {}

    def _let_go(self, lost: PartitionLost) -> None:
        """Some partitions are another member's now: forget what was in hand."""
        log.warning("partition lost", step=self.group, cause=str(lost), next="redelivered to its new owner")
        self._next, self._floors, self._suspects, self._pending = {}, {}, {}, []
        self._is_adrift = True

    def _go_back_if_adrift(self) -> None:
        """After a loss: read on from what is committed in the partitions that are still ours."""
        if self._is_adrift:
            self._held(self._clear_marks)
            ours = self._consumer.assignment()
            for place, offset in self._held(lambda: self._consumer.committed(ours)).items():
                self._consumer.seek(place, offset)
            self._is_adrift = False

    # --- holding on

    def _held(self, attempt: Callable[[], T]) -> T:
        """Call ``attempt`` until it no longer says ``TryLater``, waiting longer each time, jittered, without end."""
        wait = self._limits.first_wait_seconds
        while True:
            try:
                result = attempt()
            except TryLater as later:
                self._hold(later.cause, later.retry_seconds or wait * random.uniform(0.5, 1.0))
                wait = min(wait * 2, self._limits.longest_wait_seconds)
            else:
                if self.held_because:
                    self.held_because = ""
                    telemetry.SIGNS.hold(self.group, "")
                return result

    def _hold(self, cause: str, seconds: float) -> None:
        """Wait, and stay a member of the group meanwhile."""
        if cause != self.held_because:
            log.warning("holding", step=self.group, cause=cause, next=f"tried again in {seconds:.1f} s, and so on")
        self.held_because = cause
        telemetry.SIGNS.hold(self.group, cause)
        while seconds > 0:
            self._consumer.heartbeat()
            portion = min(seconds, self._limits.heartbeat_seconds)
            if self._wait(portion):
                raise Stopped
            seconds -= portion


def _traced(message: Message, record: Record) -> Message:
    """What is made of a record belongs to its trace."""
    if telemetry.TRACE_HEADER in message.headers:
        return message
    return replace(message, headers=message.headers | telemetry.passed_on(record.headers))
