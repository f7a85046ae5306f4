"""The test's side of the zygote: start a life, follow what it passes, kill it, stop it, see how it ended."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any, Self

import msgspec


class Clock:
    """The time of all children, in a file; it stands still until moved."""

    def __init__(self, path: Path, now: datetime) -> None:
        self.path = path
        self.set(now)

    def set(self, now: datetime) -> None:
        new = self.path.with_suffix(".new")
        new.write_text(now.isoformat(), "ascii")
        new.replace(self.path)
        self.now = now

    def forward(self, seconds: float) -> None:
        self.set(self.now + timedelta(seconds=seconds))

    def __call__(self) -> datetime:
        return self.now


class Process:
    """One child of the zygote."""

    def __init__(self, zygote: Zygote, pid: int, log: Path, trace: int) -> None:
        self._zygote = zygote
        self._trace = trace
        self.pid = pid
        self.log = log
        self.ending: dict[str, Any] = {}
        self.passed: list[str] = []
        """The fail-points it has passed, as far as ``points`` was read."""

    def points(self) -> Iterator[str]:
        """Yield each fail-point as the child passes it, until the child has ended."""
        with os.fdopen(self._trace, "r", encoding="ascii") as lines:
            for line in lines:
                self.passed.append(line.strip())
                yield line.strip()

    def kill(self) -> None:
        os.kill(self.pid, signal.SIGKILL)

    def go_on(self) -> None:
        os.kill(self.pid, signal.SIGCONT)

    def stop(self) -> None:
        """Ask it to end when its work is done."""
        os.kill(self.pid, signal.SIGTERM)

    def wait(self) -> bool:
        """Wait for its end; return whether it was killed. A child that failed fails the test, with its log."""
        if not self.ending:
            self.ending = self._zygote.ask(do="wait", pid=self.pid)
        if self.ending == {"signal": signal.SIGKILL}:
            return True
        if self.ending == {"exit": 0}:
            return False
        raise AssertionError(f"a process ended with {self.ending}:\n{self.said()}")

    def wait_until_paused(self) -> None:
        """Return once it has stopped itself."""
        answer = self._zygote.ask(do="wait", pid=self.pid, stopped=True)
        if answer != {"stopped": True}:
            self.ending = answer
            raise AssertionError(f"a process that was to pause ended with {answer}:\n{self.said()}")

    def wait_until_it_says(self, words: str, deadline_seconds: float = 120.0) -> None:
        """Return once its log has these words."""
        deadline = time.monotonic() + deadline_seconds
        while words not in self.said():
            if time.monotonic() > deadline:
                raise AssertionError(f"a process did not say “{words}”:\n{self.said()}")
            os.sched_yield()

    def said(self) -> str:
        return self.log.read_text("utf-8", "replace") if self.log.exists() else ""


class Zygote:
    """The process that forks; use it with ``with``. One serves any number of folders, one after the other.

    With ``cluster`` its children can stand on a cluster.
    """

    def __init__(self, *, cluster: bool = False) -> None:
        # Number crunching libraries start threads when imported, and a fork would take only one of them along.
        environment = os.environ | {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("zygote.py")), *(["cluster"] if cluster else [])],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment,
        )  # fmt: skip

    def __enter__(self) -> Self:
        self._answer()
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()

    def ask(self, **command: Any) -> dict[str, Any]:
        assert self._process.stdin is not None
        self._process.stdin.write(msgspec.json.encode(command).decode() + "\n")
        self._process.stdin.flush()
        return self._answer()

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise AssertionError("the zygote is gone; its standard error says why")
        answer: dict[str, Any] = msgspec.json.decode(line)
        return answer


class Lives:
    """Starts processes of the Wirewatch in ``folder``."""

    def __init__(self, zygote: Zygote, folder: Path, settings: dict[str, Any], clock: Clock) -> None:
        self._zygote = zygote
        self._logs = folder / "logs"
        self._settings = settings
        self._clock = clock
        self._numbers = count(1)
        self._logs.mkdir()

    def start(self, *names: str, traced: bool = False, clock: Clock | None = None, **life: Any) -> Process:
        """Fork a child that runs these steps; the other arguments are ``Life``'s."""
        number = next(self._numbers)
        log, trace = self._logs / f"{number}.log", self._logs / f"{number}.trace"
        reader = -1
        if traced:
            os.mkfifo(trace)
            reader = os.open(trace, os.O_RDONLY | os.O_NONBLOCK)  # does not wait for a writer, as the reads shall
            os.set_blocking(reader, True)
        answer = self._zygote.ask(
            do="start", settings=self._settings, clock=str((clock or self._clock).path), log=str(log), steps=names,
            trace=str(trace) if traced else "", **life,
        )  # fmt: skip
        return Process(self._zygote, answer["pid"], log, reader)

    def run(self, *names: str, **life: Any) -> Process:
        """Start a child and wait for its end."""
        process = self.start(*names, **life)
        process.wait()
        return process
