"""Keeps one server up while somebody uses it: ``python keeper.py NAME FOLDER``, started by ``shared``.

Users hold a shared lock on FOLDER/users. The keeper waits for that lock to itself, which it gets when the last user is
gone, however it went; so a killed test run leaves no server behind.
"""

from __future__ import annotations

import fcntl
import json
import shutil
import signal
import sys
import tempfile
from pathlib import Path


def keep(name: str, folder: Path) -> None:
    """Start the server, say where it is, wait until nobody uses it, stop it."""
    from services.java import Missing
    from services.servers import START

    home = Path(tempfile.mkdtemp(prefix=f"wirewatch-{name}-"))  # not below FOLDER, which other users may not enter
    try:
        server = START[name](home)
    except Missing as missing:
        _say(folder, {"missing": str(missing)})
    except (RuntimeError, OSError) as error:
        _say(folder, {"failed": str(error)})
    else:
        try:
            _say(folder, {"address": server.address})
            _wait_for_the_last_user(folder)
        finally:
            server.stop()
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _wait_for_the_last_user(folder: Path) -> None:
    with (folder / "users").open("a") as users:
        fcntl.flock(users, fcntl.LOCK_EX)
        (folder / "said").unlink()  # while the lock is held: who comes now starts anew


def _say(folder: Path, what: dict[str, str]) -> None:
    new = folder / "said.new"
    new.write_text(json.dumps(what), "utf-8")
    new.replace(folder / "said")


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the tests; the server must outlive their clean-up
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
    keep(sys.argv[1], Path(sys.argv[2]))
