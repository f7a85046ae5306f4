"""A process that has imported everything and opened nothing, and forks one child for each life that a test takes.

A fresh interpreter needs 2 s to import Wirewatch and load the language model; a fork has both at once. It is told what
to do on standard input, one JSON object a line, and answers each with one line::

    {"do": "start", …}                       -> {"pid": 123}           see ``Life``
    {"do": "wait", "pid": 123}               -> {"exit": 0} or {"signal": 9}
    {"do": "wait", "pid": 123, "stopped": true}   -> {"stopped": true}, or how it ended

It ends with its standard input, and so do the children that are left. With the argument ``cluster`` its children can
stand on Kafka, Elasticsearch and PostgreSQL too.
"""

from __future__ import annotations

import _thread
import dataclasses
import faulthandler
import gc
import importlib
import os
import random
import signal
import sys
import threading
import traceback
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
import structlog
from msgspec import Struct
from msgspec.structs import replace

# Everything that a life needs is imported here, before the first fork: wiring imports adapters when it opens them.
from pipeline import failpoint, steps, wiring
from pipeline.adapters import channels, http, pages, processes, sql_state, sqlite_broker, tantivy_index
from pipeline.enrich.tools import Tools
from pipeline.errors import PublishError
from pipeline.ingest.memory_pages import NoPages
from pipeline.ports import Broker, Message
from pipeline.settings import load_settings
from pipeline.wiring import Ports

IMPORTED = (channels, http, pages, processes, sql_state, sqlite_broker, tantivy_index)
LONGEST_WAIT_SECONDS = 0.02
"""Steps rest this long at most, however long they mean to: the clock of these tests is moved by hand."""

LONGEST_LIFE_SECONDS = 180
"""Then the kernel ends it, so that a test in which two wait for each other fails, and says so."""


class Life(Struct, frozen=True, kw_only=True):
    """What one child does: it opens its ports and runs its steps, until they are dry, it is told to stop, or killed."""

    settings: dict[str, Any]
    clock: str
    """A file with the time; the child reads it each time it asks."""
    log: str
    """Where its standard output and error go."""
    steps: tuple[str, ...]
    once: bool = True
    """Each step until it is dry; without it the one step given goes on until SIGTERM."""
    stays: bool = False
    """Go round again until SIGTERM, then round once more."""
    trace: str = ""
    """A named pipe that gets each fail-point passed, one a line."""
    fail_point: str = ""
    pauses_at: str = ""
    """The fail-point at which it stops itself with SIGSTOP, once."""
    broker_failures: float = 0.0
    """Share of publishes in which the broker does not take some messages."""
    seed: int = 0


class FlakyBroker:
    """The real broker, but now and then it does not take some of the messages and says so."""

    def __init__(self, broker: Broker, share: float, rng: random.Random) -> None:
        self._broker = broker
        self._share = share
        self._rng = rng
        self.quiet = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._broker, name)

    def publish(self, messages: Sequence[Message]) -> Sequence[PublishError | None]:
        if self.quiet or self._rng.random() >= self._share:
            return self._broker.publish(messages)
        refused = []
        keys: set[str] = set()  # in order within a key: behind one that was not taken none is
        for message in messages:
            if self._rng.random() < 0.5:
                keys.add(message.key)
            refused.append(message.key in keys)
        outcomes = iter(self._broker.publish([m for m, no in zip(messages, refused, strict=True) if not no]))
        return [PublishError("not now") if no else next(outcomes) for no in refused]


class Child:
    """One life, after the fork."""

    def __init__(self, life: Life, trace: int) -> None:
        self._life = life
        self._stop = threading.Event()
        self._trace = trace
        self._has_paused = False
        faulthandler.register(signal.SIGALRM, chain=True)  # its log says where it hung
        signal.alarm(LONGEST_LIFE_SECONDS)
        # From a thread of its own: the handler's thread may hold the event's lock.
        signal.signal(signal.SIGTERM, lambda *_: _thread.start_new_thread(self._stop.set, ()) and None)

    def live(self) -> None:
        life = self._life
        settings = load_settings(folder=Path(life.clock).parent, environment={}, **life.settings)
        with wiring.open_ports(settings, clock=self._now) as ports:
            kills = ports.reach

            def reach(point: str) -> None:
                self._passes(point)
                kills(point)

            flaky = FlakyBroker(ports.broker, life.broker_failures, random.Random(life.seed))
            self._run(replace(ports, reach=reach, broker=flaky), flaky)

    def _run(self, ports: Ports, flaky: FlakyBroker) -> None:
        while True:
            last_round = self._stop.is_set() or not self._life.stays
            for name in self._life.steps:
                flaky.quiet = name == "fetch"  # `fetch --once` waits a whole minute before it tries again
                with suppress(steps.LeaseHeld):
                    steps.STEPS[name](ports, self._wait, once=self._life.once)
            if last_round:
                return
            self._stop.wait(LONGEST_WAIT_SECONDS)

    def _wait(self, seconds: float) -> bool:
        if seconds:
            self._stop.wait(min(seconds, LONGEST_WAIT_SECONDS))
        return self._stop.is_set() and not self._life.once

    def _now(self) -> datetime:
        return datetime.fromisoformat(Path(self._life.clock).read_text("ascii"))

    def _passes(self, point: str) -> None:
        if self._trace >= 0:
            with suppress(BrokenPipeError):  # the test has seen enough
                os.write(self._trace, f"{point}\n".encode())
        if point == self._life.pauses_at and not self._has_paused:
            self._has_paused = True
            os.kill(os.getpid(), signal.SIGSTOP)


def run_child(life: Life, trace: int) -> None:
    """Live one life in this process and end it; whatever goes wrong stands in its log."""
    code = 1
    try:
        log = os.open(life.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        nothing = os.open(os.devnull, os.O_RDONLY)
        for target, source in ((0, nothing), (1, log), (2, log)):
            os.dup2(source, target)
        structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr), cache_logger_on_first_use=False)
        if life.fail_point:
            os.environ[failpoint.VARIABLE] = life.fail_point
        Child(life, trace).live()
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


def ended(pid: int, flags: int = 0) -> dict[str, object]:
    """Wait for a child and say how it ended."""
    _, status = os.waitpid(pid, flags)
    if os.WIFSTOPPED(status):
        return {"stopped": True}
    return {"signal": os.WTERMSIG(status)} if os.WIFSIGNALED(status) else {"exit": os.WEXITSTATUS(status)}


def import_cluster() -> None:
    """Import the adapters of a cluster with their clients, which are extras of Wirewatch."""
    importlib.import_module("pipeline.adapters.kafka_broker")
    importlib.import_module("pipeline.adapters.elasticsearch_index")
    importlib.import_module("psycopg")


def main() -> None:
    """Serve until standard input ends."""
    os.environ.pop(failpoint.VARIABLE, None)
    if "cluster" in sys.argv[1:]:
        import_cluster()
    loaded = Tools(pages=NoPages())
    loaded.prepare(("entities",))
    wiring.open_tools = lambda settings, profiles: dataclasses.replace(  # type: ignore[assignment]
        loaded, pages=wiring.open_pages(settings), profiles=profiles, _opened={}, _sizes={}
    )
    gc.freeze()  # so that no collection in a child copies what it shares with this process
    children: set[int] = set()
    answer: dict[str, object] = {"ready": True}
    while True:
        sys.stdout.write(msgspec.json.encode(answer).decode() + "\n")
        sys.stdout.flush()
        line = sys.stdin.readline()
        if not line:
            break
        command = msgspec.json.decode(line)
        if command.pop("do") == "start":
            life = msgspec.convert(command, Life)
            # Opened here, so that the test can tell a child that has ended from one that has not begun.
            trace = os.open(life.trace, os.O_WRONLY) if life.trace else -1
            if (pid := os.fork()) == 0:
                run_child(life, trace)
            children.add(pid)
            if trace >= 0:
                os.close(trace)
            answer = {"pid": pid}
        else:
            answer = ended(command["pid"], os.WUNTRACED if command.get("stopped") else 0)
            if "stopped" not in answer:
                children.discard(command["pid"])
    for pid in children:
        os.kill(pid, signal.SIGKILL)


if __name__ == "__main__":
    main()
