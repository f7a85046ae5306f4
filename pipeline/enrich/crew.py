"""Several processes that enrich one worker's batches, and what becomes of a record that kills one of them.

    batch ─cut into pieces─▶ whoever is idle ─▶ outcomes, in the order of the batch

The processes are fresh interpreters (a fork would take along what is open here), each with tools of its own. They have
no broker and no state: what the stages want to know of outlets goes along with a piece, what they learned comes back
with its outcomes. One that dies costs the piece in hand: its records are tried again one by one, and the one that kills
a process twice is a dead letter. They end when this process does, however that ends.
"""

from __future__ import annotations

import dataclasses
import multiprocessing
import signal
import traceback
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from pickle import UnpicklingError
from typing import Final

import structlog
from msgspec import Struct

from pipeline.enrich.given import GivenProfiles, Habits, Note, habits_of
from pipeline.enrich.meter import Event, Meter, NotedMeter, replay
from pipeline.enrich.run import enrich_records
from pipeline.enrich.tools import Tools
from pipeline.errors import TryLater
from pipeline.outcomes import Status
from pipeline.ports import Profiles, Record
from pipeline.worker import Handled

log = structlog.get_logger("wirewatch")

PIECE: Final = 16
"""Records given out at once: enough that handing them over costs little, few enough that nobody waits for the last."""
DEATHS: Final = 2
"""Processes that one record may take along before it is given up: the first may have died of something else."""
END_SECONDS: Final = 5.0
LOST: Final = (EOFError, OSError, UnpicklingError)
"""What a line says whose other end is gone: between two messages, while one is sent, or in the middle of one."""


class Piece(Struct):
    """Some records of a batch, where they stand in it, and what is known of their outlets."""

    start: int
    records: Sequence[Record]
    habits: Mapping[str, Habits] = {}
    deaths: int = 0


class Done(Struct):
    """What came back: outcomes and all that was noted on the way, or what went wrong."""

    start: int
    """Of the piece."""
    handled: Sequence[Handled] = ()
    notes: Sequence[Note] = ()
    events: Sequence[Event] = ()
    later: str = ""
    """Cause of a ``TryLater``."""
    bug: str = ""
    """A fault of ours, with its traceback."""


class CrewFailed(Exception):
    """A stage raised what no stage may: our bug, and the end of this worker, as it is without a crew."""


class Crew:
    """Enriches batches in ``processes`` processes; belongs to one thread."""

    def __init__(
        self,
        processes: int,
        *,
        open_tools: Callable[[], Tools],
        stages: Sequence[str],
        profiles: Profiles,
        meter: Meter,
    ) -> None:
        """``open_tools`` is called in each process; ``profiles`` and ``meter`` are asked and told in this one."""
        self._open_tools, self._stages = open_tools, stages
        self._profiles, self._meter = profiles, meter
        self._members = [self._started() for _ in range(processes)]

    def enrich(self, records: Sequence[Record]) -> list[Handled]:
        """Return the outcome of each record, in order.

        Raises:
            TryLater: what a stage needs is out of reach now; no outcome of this batch counts.
            CrewFailed: a stage raised what it may not.
        """
        handled: list[Handled | None] = [None] * len(records)
        # All that may fail for want of a neighbour is asked before anything is given out.
        pieces = [(start, records[start : start + PIECE]) for start in range(0, len(records), PIECE)]
        waiting = deque(Piece(start, some, habits_of(some, self._profiles)) for start, some in pieces)
        busy: dict[Connection, Piece] = {}
        failure: Exception | None = None
        while busy or (waiting and failure is None):
            for member in self._members:
                if waiting and failure is None and member.connection not in busy:
                    piece = waiting.popleft()
                    if self._given(member, piece):
                        busy[member.connection] = piece
                    else:
                        waiting.extendleft(reversed(self._after_death(member, piece, handled)))
            for ready in wait(list(busy)):
                member = next(each for each in self._members if each.connection is ready)
                piece = busy.pop(member.connection)
                try:
                    done: Done = member.connection.recv()
                except LOST:
                    waiting.extendleft(reversed(self._after_death(member, piece, handled)))
                    continue
                if done.start != piece.start:
                    raise AssertionError(f"asked for the piece at {piece.start}, told of the one at {done.start}")
                failure = failure or _failure(done)
                for at, outcome in enumerate(done.handled):
                    handled[piece.start + at] = outcome
                self._take_in(done)
        if failure is not None:
            raise failure
        return [each for each in handled if each is not None]

    def close(self) -> None:
        """End the processes."""
        for member in self._members:
            member.end()
        self._members = []

    def _given(self, member: _Member, piece: Piece) -> bool:
        member.get_ready()
        try:
            member.connection.send((piece.start, piece.records, piece.habits))
        except LOST:
            return False
        return True

    def _after_death(self, member: _Member, piece: Piece, handled: list[Handled | None]) -> list[Piece]:
        """Put a new process into the dead one's place, and return what of its piece is to be tried again."""
        member.end()
        self._members[self._members.index(member)] = self._started()
        log.warning("enriching process died", step="enrich", records=len(piece.records), next="tried one by one")
        if len(piece.records) > 1:
            return [Piece(piece.start + at, [record], piece.habits) for at, record in enumerate(piece.records)]
        if piece.deaths + 1 < DEATHS:
            return [Piece(piece.start, piece.records, piece.habits, piece.deaths + 1)]
        detail = f"enriching it ended {DEATHS} processes"
        handled[piece.start] = Handled(piece.records[0], Status.DEAD, reason="killed its worker", detail=detail)
        return []

    def _take_in(self, done: Done) -> None:
        for note in done.notes:
            self._profiles.note(*note)
        replay(done.events, self._meter)

    def _started(self) -> _Member:
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        process = context.Process(target=_serve, args=(theirs, self._open_tools, self._stages), daemon=True)
        process.start()
        theirs.close()
        return _Member(ours, process)


class _Member:
    """One process and our end of the line to it."""

    def __init__(self, connection: Connection, process: SpawnProcess) -> None:
        self.connection, self.process = connection, process
        self._is_ready = False

    def get_ready(self) -> None:
        """Wait until it has opened its tools. Raises ``CrewFailed``: one that dies before that dies of no record."""
        if self._is_ready:
            return
        try:
            self._is_ready = self.connection.recv()
        except LOST:
            self.end()
            raise CrewFailed("a process to enrich in did not start; it says why on stderr") from None

    def end(self) -> None:
        """Hang up, which ends it; where that does not, end it. A second time does nothing."""
        if self.connection.closed:
            return
        self.connection.close()
        self.process.join(END_SECONDS)
        if self.process.is_alive():
            self.process.kill()
            self.process.join()
        self.process.close()


def _serve(line: Connection, open_tools: Callable[[], Tools], stages: Sequence[str]) -> None:
    """Enrich what comes down the line until nobody is at its other end: the whole life of a process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal's Ctrl-C goes to all; the worker ends us when it is ready
    tools = open_tools()
    with suppress(*LOST):
        line.send(True)
        while True:
            start, records, habits = line.recv()
            line.send(_done(start, records, habits, tools, stages))


def _done(
    start: int, records: Sequence[Record], habits: Mapping[str, Habits], tools: Tools, stages: Sequence[str]
) -> Done:
    profiles, meter = GivenProfiles(habits), NotedMeter()
    try:
        handled = enrich_records(records, dataclasses.replace(tools, profiles=profiles, meter=meter), stages)
    except TryLater as later:
        return Done(start, later=later.cause)
    except Exception:  # a boundary: it stops the worker, there instead of here
        return Done(start, bug=traceback.format_exc())
    return Done(start, handled, profiles.notes, meter.events)


def _failure(done: Done) -> Exception | None:
    if done.bug:
        return CrewFailed(done.bug)
    return TryLater(done.later) if done.later else None
