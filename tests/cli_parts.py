"""The command line in this process, for what it says and how it ends; and in one of its own, for signals and pipes."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any, Self
from unittest.mock import patch

import structlog
from msgspec import Struct

import pipeline
from pipeline import cli

DEADLINE_SECONDS = 60.0


class Said(Struct, frozen=True):
    """How a command ended and what it printed."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[Any]:
        """The JSON lines on stdout."""
        return [json.loads(line) for line in self.out.splitlines()]


class Cli:
    """``wirewatch`` on one data folder, in this process: ``cli("search", "ferry")``."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.environment: dict[str, str] = {"WIREWATCH_HOST_DELAY_SECONDS": "0"}
        """One server answers for all hosts here."""

    def __call__(self, *words: str | Path, typed: str = "", data: Path | None = None) -> Said:
        return said("--data", str(data or self.data), *words, environment=self.environment, typed=typed)

    def start(self, *words: str | Path) -> Program:
        """Start a command in a process of its own."""
        return Program("--data", str(self.data), *words, folder=self.folder, environment=self.environment)


def said(*words: str | Path, environment: Mapping[str, str] | None = None, typed: str = "") -> Said:
    """Run one command line in this process. An exception that a person would see as a traceback is raised."""
    out, err = io.StringIO(), io.StringIO()
    clean = {name: value for name, value in os.environ.items() if not name.startswith("WIREWATCH_")}
    with (
        patch.dict(os.environ, {**clean, **(environment or {})}, clear=True),
        patch.object(sys, "stdin", io.StringIO(typed)),
        redirect_stdout(out),
        redirect_stderr(err),
    ):
        try:
            cli.main([str(word) for word in words])
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else 0
        finally:
            structlog.reset_defaults()
    return Said(code, out.getvalue(), err.getvalue())


class Program:
    """A command in a process of its own; its stderr is read as it comes."""

    def __init__(self, *words: str | Path, folder: Path, environment: Mapping[str, str] | None = None) -> None:
        source = str(Path(pipeline.__file__).resolve().parent.parent)
        clean = {name: value for name, value in os.environ.items() if not name.startswith("WIREWATCH_")}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "pipeline.cli", *map(str, words)],
            cwd=folder, env={**clean, "PYTHONPATH": source, **(environment or {})}, text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        self._lines: list[str] = []
        self._changed = threading.Condition()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def err(self) -> str:
        with self._changed:
            return "".join(self._lines)

    def wait_for(self, text: str) -> None:
        """Return once stderr holds ``text``."""
        end = time.monotonic() + DEADLINE_SECONDS
        with self._changed:
            while text not in "".join(self._lines):
                if not self._changed.wait(min(1.0, end - time.monotonic())) and (
                    time.monotonic() > end or self.process.poll() is not None
                ):
                    raise AssertionError(f"“{text}” did not come; stderr was:\n{''.join(self._lines)}")

    def interrupt(self, number: int = signal.SIGINT) -> int:
        """Send a signal and return the exit code; it must come within the ten seconds that are promised."""
        self.process.send_signal(number)
        code = self.process.wait(timeout=10)
        self._reader.join()
        return code

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            with self._changed:
                self._lines.append(line)
                self._changed.notify_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self._reader.join()
        for stream in (self.process.stdout, self.process.stderr):
            assert stream is not None
            stream.close()
