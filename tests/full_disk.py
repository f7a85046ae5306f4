"""Run the steps of a Wirewatch in order, each on a disk that fills up at every fail-point and is freed two waits later.

    python full_disk.py FOLDER limit|ballast

``limit`` forbids the process to write to any file (RLIMIT_FSIZE of nothing), which needs no rights; ``ballast`` fills
the file system that FOLDER is on, so that it has to be a small one. Each step's line of output says how it went.
"""

from __future__ import annotations

import errno
import resource
import sys
from collections.abc import Callable
from pathlib import Path

from msgspec.structs import replace
from worker_parts import SettableClock

from pipeline import steps, wiring
from pipeline.enrich.tools import Tools
from pipeline.errors import TryLater, WirewatchError
from pipeline.settings import load_settings

STEPS = ("poll", "enrich", "settle", "index", "alert", "deliver")


class Limit:
    """No file of this process may be written to; pipes may."""

    def fill(self) -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))

    def free(self) -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


class Ballast:
    """A file that takes all the room there is."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "ballast"

    def fill(self) -> None:
        with self._path.open("wb", buffering=0) as file:
            for size in (65_536, 4096, 512, 1):
                try:
                    while file.write(bytes(size)):
                        pass
                except OSError as error:
                    if error.errno != errno.ENOSPC:
                        raise

    def free(self) -> None:
        self._path.unlink(missing_ok=True)


class FullAgainAndAgain:
    """A step's ``reach`` that fills the disk, and its ``wait`` that frees it at the second wait, or when it goes on."""

    def __init__(self, disk: Limit | Ballast, clock: SettableClock) -> None:
        self._disk = disk
        self._clock = clock
        self._waits = 0
        self.held: set[str] = set()
        """Points behind which the step had to wait."""
        self._point = ""

    def reach(self, point: str) -> None:
        self._disk.fill()
        self._point, self._waits = point, 0

    def wait(self, seconds: float) -> bool:
        if seconds:
            self._clock.forward(seconds)
            self.held.add(self._point)
            self._waits += 1
            if self._waits >= 2:
                self._disk.free()
        return False


def work(
    step: Callable[..., None], folder: Path, disk: Limit | Ballast, clock: SettableClock, settings: dict[str, str]
) -> str:
    """Run a step on a disk that fills up, then with room; return where it held, or why it gave up."""
    full = FullAgainAndAgain(disk, clock)
    loaded = load_settings(folder=folder, environment=settings, data=str(folder / "data"), stages=("text", "clean"))
    try:
        with wiring.open_ports(loaded, clock=clock) as ports:
            step(replace(ports, reach=full.reach), full.wait, once=True)
            disk.free()
        ended = " ".join(sorted(full.held))
    except (TryLater, WirewatchError) as error:
        ended = f"stopped by {type(error).__name__}: {error}"
    finally:
        disk.free()
    clock.forward(600)  # what was put off, or claimed and not finished, is due again
    with wiring.open_ports(loaded, clock=clock) as ports:
        step(ports, lambda _: False, once=True)
    return ended


def main(folder: Path, kind: str, settings: dict[str, str]) -> None:
    wiring.open_tools = lambda settings, profiles: Tools(  # the stages that need the models are left out
        pages=wiring.open_pages(settings), languages=None, agencies=None, profiles=profiles
    )
    disk, clock = Limit() if kind == "limit" else Ballast(folder), SettableClock()
    for name in STEPS:
        sys.stderr.write(f"{name}: {work(steps.STEPS[name], folder, disk, clock, settings)}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], dict(pair.split("=", 1) for pair in sys.argv[3:]))
