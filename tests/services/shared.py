"""One server for several processes: the first to want it starts it, it ends after the last."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from services.java import Missing

WAIT_SECONDS = 600.0
"""For a first start, which fetches some 100 MB."""

SETTINGS = {
    "kafka": "WIREWATCH_TEST_KAFKA",
    "elasticsearch": "WIREWATCH_TEST_ELASTICSEARCH",
    "postgres": "WIREWATCH_TEST_POSTGRES",
}
"""Environment variables that name a server which is there already; nothing is started then."""


@contextmanager
def running(name: str, folder: Path) -> Iterator[str]:
    """Yield the address of a server that all who name the same folder share.

    Raises:
        Missing: something has to be installed first; the message says what.
        RuntimeError: the server did not start; the message ends with what it said.
    """
    if address := os.environ.get(SETTINGS[name]):
        yield address
        return
    place = folder / name
    place.mkdir(parents=True, exist_ok=True)
    with (place / "users").open("a") as users:
        with (place / "starting").open("w") as starting:
            fcntl.flock(starting, fcntl.LOCK_EX)
            fcntl.flock(users, fcntl.LOCK_SH)  # waits for a keeper that is just ending
            if not (place / "said").exists():
                _start(name, place)
        said = json.loads((place / "said").read_text("utf-8"))
        if "missing" in said:
            raise Missing(said["missing"])
        if "failed" in said:
            raise RuntimeError(f"{name} did not start: {said['failed']}")
        yield said["address"]


def _start(name: str, place: Path) -> None:
    with (place / "keeper.log").open("ab") as log:
        keeper = subprocess.Popen(
            [sys.executable, Path(__file__).with_name("keeper.py"), name, place],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip
    deadline = time.monotonic() + WAIT_SECONDS
    while not (place / "said").exists():
        if keeper.poll() is not None or time.monotonic() > deadline:
            keeper.kill()
            keeper.wait()
            if not (place / "said").exists():
                raise RuntimeError(f"{name} did not start: {(place / 'keeper.log').read_text('utf-8')[-4000:]}")
        time.sleep(0.05)
    # The keeper ends on its own after the last user, which may be another process; it is not ours to wait for.
    keeper.returncode = 0
