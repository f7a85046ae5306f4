"""A kill run: a world that publishes, processes that die at chosen lines, and what was left of it in the end."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from faults.kill.parts import EMBEDDED, Parts
from faults.kill.processes import Lives, Process, Zygote
from faults.kill.world import BETWEEN_POLLS_SECONDS, World
from faults.oracle import Ledger, judge
from msgspec import Struct, field
from stub_server import StubServer

ALL_STEPS = ("poll", "fetch", "enrich", "settle", "index", "alert", "deliver")
WORKERS = ("enrich", "settle", "index", "alert")
POINTS = (
    *(f"poll:{at}" for at in ("claimed", "fetched", "published", "saved")),
    *(f"fetch:{at}" for at in ("claimed", "fetched", "published", "finished")),
    *(f"{step}:{at}" for step in WORKERS for at in ("marked", "handled", "published", "booked", "committed")),
    *(f"deliver:{at}" for at in ("claimed", "sent")),
)
"""Every line between read and commit at which a process can be told to die. A run fails when it meets another one."""
FROM_OUTSIDE = "from outside"
KILLS_A_ROUND = 5
KILLS_OF_ONE_STEP_A_ROUND = 2
"""A third death with the same lone record in hand would, rightly, make it a dead letter."""
BROKER_FAILURES = 0.1
REFUSALS = 1 / 7
"""Shares of publishes that the broker takes in part only, and of messages that the webhook's receiver refuses."""


class Report(Struct):
    """What a run did, and what the oracle says of it."""

    seed: int
    hits: Counter[str] = field(default_factory=Counter)
    """Kills by the point at which the process died; of those from outside, by the last point that it had passed."""
    from_outside: int = 0
    several: int = 0
    """Kills while other processes worked on the same folder."""
    with_records_in_flight: int = 0
    missed: int = 0
    """Lives that ended before they came to the point where they were to die."""
    rounds: int = 0
    aims: tuple[str, ...] = POINTS
    """The points at which processes were to die."""
    points: set[str] = field(default_factory=set)
    """All points that a process passed while nobody killed it."""
    ledger: Ledger = field(default_factory=Ledger)
    miscounted: list[str] = field(default_factory=list)

    @property
    def kills(self) -> int:
        return self.hits.total()

    def lines(self) -> list[str]:
        """Return the report for a person."""
        share = 100 * self.with_records_in_flight / max(1, self.kills)
        return [
            f"seed {self.seed}: {self.kills} kills in {self.rounds} rounds, {self.from_outside} of them from outside, "
            f"{self.several} beside other processes; {self.missed} lives ended too early to be killed",
            f"with records in flight: {self.with_records_in_flight} kills ({share:.0f} %)",
            *(
                f"  {point:<18}{self.hits[point]:>5}"
                for point in (*self.aims, *sorted(self.hits.keys() - set(self.aims)))
            ),
            *self.ledger.lines(),
            *(f"WRONG             {problem}" for problem in self.miscounted),
        ]

    def problems(self) -> list[str]:
        """Return why this run proves nothing, or proves the opposite; nothing when all is well."""
        never_hit = [point for point in self.aims if not self.hits[point]]
        found = [*self.ledger.problems, *self.miscounted, *(f"no kill at {point}" for point in never_hit)]
        if self.with_records_in_flight < 0.8 * self.kills:
            found.append(f"only {self.with_records_in_flight} of {self.kills} kills met records in flight")
        if unknown := self.points - set(POINTS):
            found.append(f"fail-points that no run kills at: {sorted(unknown)}")
        if self.ledger.killed_their_worker:
            found.append(f"{self.ledger.killed_their_worker} records were taken for killers of their workers")
        return found


def kill_run(
    folder: Path,
    zygote: Zygote,
    *,
    kills: int,
    seed: int,
    several: bool = False,
    points: Sequence[str] = POINTS,
    outside: float = 0.15,
    broker_failures: float = BROKER_FAILURES,
    parts: Parts = EMBEDDED,
) -> Report:
    """Let a world on ``parts`` publish and kill processes over it, ``kills`` in all, each point as often as the others.

    With ``several``, other processes run on the same folder, and one of them all is killed. ``outside`` is the share of
    kills that come from outside, at whatever line a busy process is.
    """
    with StubServer() as server:
        world = World(folder, server, seed, refusals=REFUSALS, parts=parts)
        lives = Lives(zygote, folder, world.given, world.clock)
        return _Run(world, lives, seed, several=several, broker_failures=broker_failures).go(kills, points, outside)


def plan(kills: int, points: Sequence[str], outside: float, rng: random.Random) -> list[list[str]]:
    """Return rounds of kills; no step dies more often in one than a lone record survives."""
    from_outside = round(kills * outside)
    deck = [points[n % len(points)] for n in range(kills - from_outside)] + [FROM_OUTSIDE] * from_outside
    rng.shuffle(deck)
    rounds: list[list[str]] = []
    for point in deck:
        room = next((some for some in rounds if _has_room(some, point)), None)
        if room is None:
            rounds.append([point])
        else:
            room.append(point)
    return rounds


def _has_room(some: Sequence[str], point: str) -> bool:
    """A kill from outside may meet any step, so it counts against each."""
    steps = [other.partition(":")[0] for other in (*some, point)]
    most = max(steps.count(step) for step in steps if step != FROM_OUTSIDE) if set(steps) != {FROM_OUTSIDE} else 0
    return len(some) < KILLS_A_ROUND and most + steps.count(FROM_OUTSIDE) <= KILLS_OF_ONE_STEP_A_ROUND


class _Run:
    def __init__(
        self, world: World, lives: Lives, seed: int, *, several: bool, broker_failures: float = BROKER_FAILURES
    ) -> None:
        self._world = world
        self._lives = lives
        self._rng = random.Random(seed)
        self._several = several
        self._broker_failures = broker_failures
        self._report = Report(seed=seed)

    def go(self, kills: int, points: Sequence[str], outside: float) -> Report:
        report, world = self._report, self._world
        report.aims = tuple(points)
        for deaths in plan(kills, points, outside, self._rng):
            report.rounds += 1
            for death in deaths:
                self._kill(death)
            world.publish_news()
            self._drain(f"round {report.rounds}")
            world.revise()
            if self._rng.random() < 0.3:
                world.write_poison()
        self._drain("the last edits")
        while world.holdings.awaits_its_receiver():
            world.clock.forward(3600)
            self._drain("what the receiver had refused")
        report.ledger = judge(world)
        return report

    # --- one death

    def _kill(self, death: str) -> None:
        """Publish something and have a process die over it. Where it comes not so far, try again, sooner.

        Another process may have done the work first, or the broker's refusals have a feed wait longer and longer: the
        later attempts are alone, with a broker that takes everything, and ever further apart.
        """
        for attempt in range(8):
            self._world.publish_news()
            count = self._count_for(death) if attempt == 0 else 1
            if self._several and attempt < 2:
                died = self._live_among_others(death, count)
            else:
                died = self._live_alone(death, count, 0.0 if attempt > 2 else self._broker_failures)
            self._world.clock.forward(BETWEEN_POLLS_SECONDS * (attempt + 1))
            if died:
                return
            self._report.missed += 1
        raise AssertionError(f"no process ever came to {death}")

    def _count_for(self, death: str) -> int:
        """The how manieth time; most points are passed once a batch, and often only in a replay record by record."""
        if death == FROM_OUTSIDE:
            return self._rng.randint(1, 40)
        if death in {"poll:fetched", "poll:saved"}:
            return self._rng.randint(1, 5)
        return self._rng.choice((1, 1, 1, 2, 3))

    def _live_alone(self, death: str, count: int, broker_failures: float) -> bool:
        return self._follow(self._start_victim(ALL_STEPS, death, count, broker_failures), death, count)

    def _live_among_others(self, death: str, count: int) -> bool:
        """The victim and one or two others, which go on until it is dead and their steps are dry."""
        names = list(ALL_STEPS)
        self._rng.shuffle(names)
        cut = self._rng.randint(1, len(names) - 1)
        others = [ALL_STEPS] if self._rng.random() < 0.5 else [tuple(names[:cut]), tuple(names[cut:])]
        victim = self._start_victim(ALL_STEPS, death, count, self._broker_failures)
        running = [
            self._lives.start(*steps, stays=True, broker_failures=self._broker_failures, seed=self._seed())
            for steps in others
        ]
        died = self._follow(victim, death, count)
        for process in running:
            process.stop()
        for process in running:
            if process.wait():
                raise AssertionError("a process died that nobody killed")
        self._report.several += died
        return died

    def _start_victim(self, steps: Sequence[str], death: str, count: int, broker_failures: float) -> Process:
        fail_point = "" if death == FROM_OUTSIDE else f"{death}:{count}"
        return self._lives.start(
            *steps, traced=True, fail_point=fail_point, broker_failures=broker_failures, seed=self._seed()
        )

    def _follow(self, victim: Process, death: str, count: int) -> bool:
        """Watch a process to its end; kill it when it has passed ``count`` points and is to die from outside."""
        for number, _ in enumerate(victim.points(), 1):
            if death == FROM_OUTSIDE and number == count:
                victim.kill()
        flying = self._world.holdings.in_flight()
        if not victim.wait():
            return False
        if death != FROM_OUTSIDE and victim.passed[-1] != death:
            raise AssertionError(f"a process was to die at {death} and died at {victim.passed[-1]}")
        self._report.hits[victim.passed[-1]] += death != FROM_OUTSIDE
        self._report.hits[FROM_OUTSIDE] += death == FROM_OUTSIDE
        self._report.from_outside += death == FROM_OUTSIDE
        self._report.with_records_in_flight += flying
        return True

    # --- what lies between

    def _drain(self, when: str) -> None:
        """Run everything once undisturbed. Of that alone the counters are exact, so here they are compared."""
        holdings = self._world.holdings
        holdings.forget_the_dead()
        offsets_before, counted_before = holdings.offsets(), holdings.outcomes()
        process = self._lives.start(*ALL_STEPS, traced=True)
        self._report.points.update(process.points())
        if process.wait():
            raise AssertionError("a process died that nobody killed")
        self._world.clock.forward(BETWEEN_POLLS_SECONDS)
        counted = holdings.outcomes()
        for group, (end, done) in holdings.offsets().items():
            handled = done - offsets_before[group][1]
            said = counted.get(group, 0) - counted_before.get(group, 0)
            if end != done:
                self._report.miscounted.append(f"{when}: {group} left {end - done} records")
            if handled != said:
                self._report.miscounted.append(f"{when}: {group} handled {handled} records and counted {said} outcomes")

    def _seed(self) -> int:
        return self._rng.randrange(2**32)
