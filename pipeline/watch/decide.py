"""Is something not well, and is anybody to be told now? A function of what was seen, the limits and the time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from pipeline.notice import Change, Notice, Problem

PARTS: Final = {"broker": ("step stopped", "step behind"), "state": ("polling stopped", "delivery stopped")}
"""What cannot be judged while a part cannot be looked at: then it is as it was."""


class StepSeen(Struct, frozen=True, kw_only=True):
    """How far one step is, over all that read its topics."""

    step: str
    lag: int
    """Records published and not committed, of both lanes."""
    committed: int
    """Sum of its committed offsets: it moves when the step does."""
    oldest: datetime | None = None
    """When the oldest live record that is not committed was published. A backfill may wait as long as it likes."""


class PollingSeen(Struct, frozen=True, kw_only=True):
    """How polling goes."""

    due: int
    """Feeds that wait to be polled, paused ones aside."""
    due_since: datetime | None = None
    """When the first of them was due; None when none is, or when those were never polled."""
    last: datetime | None = None
    """When a poll of any feed ended last."""


class DeliveriesSeen(Struct, frozen=True, kw_only=True):
    """How the outbox goes."""

    waiting: int
    done: int
    """Sent and given up, since the beginning."""


class Seen(Struct, frozen=True, kw_only=True):
    """What one look saw. A part that could not be looked at is None, and named in ``unseen`` with the cause."""

    steps: Sequence[StepSeen] | None = ()
    polling: PollingSeen | None = None
    deliveries: DeliveriesSeen | None = None
    held: Mapping[str, str] = {}
    """Step of this process → why it holds its work."""
    silent: Mapping[str, float] = {}
    """Step of this process → seconds without a sign of life, when these are too many."""
    disk: str = ""
    """The folder whose disk was measured."""
    disk_used: float = 0.0
    """From 0 to 1."""
    unseen: Mapping[str, str] = {}


class Thresholds(Struct, frozen=True, kw_only=True):
    """From when on something is not well; see the settings of these names."""

    stopped: timedelta = timedelta(minutes=10)
    oldest: timedelta = timedelta(minutes=30)
    held: timedelta = timedelta(minutes=2)
    disk_used: float = 0.9
    repeat: timedelta = timedelta(hours=6)


class Told(Struct, frozen=True):
    """A problem that people were told of, and that goes on."""

    problem: Problem
    began: datetime
    told: datetime
    """When they were last told."""


class Remembered(Struct, frozen=True, kw_only=True):
    """What the looks so far leave behind."""

    since: Mapping[tuple[str, str], tuple[int, datetime]] = {}
    """What must last before it is a problem → a number that shows whether it moved, and since when it stands."""
    told: Mapping[tuple[str, str], Told] = {}

    @property
    def problems(self) -> Sequence[Problem]:
        """What is not well, as far as people were told."""
        return [told.problem for told in self.told.values()]


class _Watched(Struct, frozen=True):
    """Something that is a problem once it has stood still for ``patience``."""

    problem: Problem
    patience: timedelta = timedelta(0)
    number: int = 0
    """Another number than at the last look: it moved."""
    since: datetime | None = None
    """When it began, where that can be seen and need not be remembered."""


def decide(
    seen: Seen, limits: Thresholds, now: datetime, remembered: Remembered, *, at_once: bool = False
) -> tuple[Sequence[Notice], Remembered]:
    """Return whom to tell what now, and what to remember for the next look.

    Each problem is told once when it begins, again every ``limits.repeat`` while it goes on, and once when it ends.
    What has to last is timed by our own looks, so that a machine that slept is given time to catch up. With ``at_once``
    there will be no other look: only what a single one can show is judged.
    """
    since: dict[tuple[str, str], tuple[int, datetime]] = {}
    problems: dict[tuple[str, str], Problem] = {}
    for watched in _watched(seen, limits, now):
        key = watched.problem.key
        number, first = remembered.since.get(key, (watched.number, now))
        goes_on = key in remembered.told and number == watched.number  # whatever the clock was set to meanwhile
        if number != watched.number or first > now:
            first = now
        since[key] = watched.number, first
        if at_once and watched.since is not None:
            first = watched.since
        if goes_on or now - first >= watched.patience:
            problems[key] = watched.problem
    unjudged = {kind for part in seen.unseen for kind in PARTS.get(part, ())}
    for key, told in remembered.told.items():
        if key not in problems and key[0] in unjudged:
            problems[key] = told.problem
    since |= {key: kept for key, kept in remembered.since.items() if key[0] in unjudged and key not in since}
    return _changes(problems, limits, now, remembered, since)


def _changes(
    problems: Mapping[tuple[str, str], Problem],
    limits: Thresholds,
    now: datetime,
    remembered: Remembered,
    since: Mapping[tuple[str, str], tuple[int, datetime]],
) -> tuple[Sequence[Notice], Remembered]:
    notices: list[Notice] = []
    told: dict[tuple[str, str], Told] = {}
    for key, problem in problems.items():
        before = remembered.told.get(key)
        if before is None:
            began = min(now, since[key][1]) if key in since else now
            told[key] = Told(problem, began, now)
            notices.append(notice(problem, "began", began, now))
        elif now - before.told >= limits.repeat:
            told[key] = Told(problem, before.began, now)
            notices.append(notice(problem, "continues", before.began, now))
        else:
            told[key] = replace(before, problem=problem, told=min(before.told, now))
    notices += [
        notice(before.problem, "ended", before.began, now)
        for key, before in remembered.told.items()
        if key not in problems
    ]
    return notices, Remembered(since=since, told=told)


def notice(problem: Problem, change: Change, began: datetime, now: datetime) -> Notice:
    """Return the notice of a change; its id says which change of which problem, and when."""
    named = "\n".join((*problem.key, change, began.isoformat(), now.isoformat()))
    ident = f"notice-{blake2b(named.encode(), digest_size=12).hexdigest()}"
    return Notice(id=ident, change=change, problem=problem, began=began, at=now)


def _watched(seen: Seen, limits: Thresholds, now: datetime) -> Iterator[_Watched]:
    for step in seen.steps or ():
        yield from _of_step(step, limits, now)
    if seen.polling is not None and seen.polling.due:
        yield _of_polling(seen.polling, limits)
    if seen.deliveries is not None and seen.deliveries.waiting:
        detail = f"{seen.deliveries.waiting:,} alerts wait and none was sent; the log says what the channels answer"
        yield _Watched(Problem("delivery stopped", "deliver", detail), limits.stopped, number=seen.deliveries.done)
    for step_name, cause in seen.held.items():
        yield _Watched(Problem("step held", step_name, cause), limits.held)
    for step_name, seconds in seen.silent.items():
        detail = f"no sign of life for {seconds:.0f} s: it hangs or has died; start the process again"
        yield _Watched(Problem("step silent", step_name, detail))
    if seen.disk and seen.disk_used >= limits.disk_used:
        detail = f"{seen.disk_used:.0%} of its disk is used; a full one stops every step (nothing is lost). Make room"
        yield _Watched(Problem("disk filling", seen.disk, detail))
    for part, cause in seen.unseen.items():
        yield _Watched(Problem("cannot look", part, cause), limits.held)


def _of_step(step: StepSeen, limits: Thresholds, now: datetime) -> Iterator[_Watched]:
    if step.lag:
        detail = f"{step.lag:,} records wait and none was done for {_words(limits.stopped)}"
        yield _Watched(Problem("step stopped", step.step, detail), limits.stopped, number=step.committed)
    if step.oldest is not None and (age := now - step.oldest) >= limits.oldest:
        detail = f"the oldest of {step.lag:,} waiting records is {_words(age)} old"
        yield _Watched(Problem("step behind", step.step, detail))


def _of_polling(polling: PollingSeen, limits: Thresholds) -> _Watched:
    known = [moment for moment in (polling.due_since, polling.last) if moment is not None]
    detail = f"{polling.due:,} feeds are due and no poll has ended for {_words(limits.stopped)}"
    return _Watched(
        Problem("polling stopped", "poll", detail),
        limits.stopped,
        number=int(polling.last.timestamp()) if polling.last else 0,
        # Before that nothing was due, and the last poll being long ago says nothing.
        since=max(known) if polling.due_since is not None else None,
    )


def _words(span: timedelta) -> str:
    minutes = span.total_seconds() / 60
    return f"{minutes:.0f} min" if minutes < 120 else f"{minutes / 60:.0f} h"
