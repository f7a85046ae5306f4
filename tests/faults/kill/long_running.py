"""Workers that go on, in threads of this process, and servers of one test alone that can be killed and started."""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from elastic_transport import TransportError
from fault_parts import FaultyWorld
from services.servers import Server

from pipeline import steps, wiring
from pipeline.errors import TryLater

PATIENCE_SECONDS = 60.0
"""Within which workers are to go on when their server is back."""


def until(is_so: Callable[[], bool], otherwise: str, seconds: float = PATIENCE_SECONDS) -> None:
    """Return as soon as it is so."""
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, otherwise
        time.sleep(0.02)


class OwnServer:
    """A server of one test alone; killed and started again it has the same port and the same data."""

    def __init__(self, start: Callable[[Path], Server], folder: Path) -> None:
        self._folder = folder
        self._server = start(folder)
        self.address = self._server.address

    def kill(self) -> None:
        self._server.process.kill()
        self._server.process.wait()

    def start(self) -> None:
        with (self._folder / "output.log").open("ab") as log:
            process = subprocess.Popen(
                self._server.process.args, cwd=self._folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        self._server = Server(process, self.address)

    def close(self) -> None:
        self._server.stop()


@contextmanager
def running(world: FaultyWorld, *names: str) -> Iterator[None]:
    """These steps as long-running workers, each in a thread of its own."""
    stop = threading.Event()
    at_work = [threading.Event() for _ in names]
    failures: list[BaseException] = []

    def run(name: str, begins: threading.Event) -> None:
        def wait(seconds: float) -> bool:
            begins.set()
            return stop.wait(seconds)

        try:
            with wiring.open_ports(world.settings, clock=lambda: datetime.now(UTC)) as ports:
                steps.STEPS[name](ports, wait)
        except BaseException as error:
            failures.append(error)
            raise

    threads = [threading.Thread(target=run, args=each) for each in zip(names, at_work, strict=True)]
    for thread in threads:
        thread.start()
    try:
        assert all(begins.wait(PATIENCE_SECONDS) for begins in at_work)
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert failures == []


def has_found(world: FaultyWorld, number: int) -> bool:
    """Whether a search finds so many articles; one that is being made, or is away, finds none yet."""
    try:
        return len(world.search()) == number
    except (TryLater, TransportError):
        return False
