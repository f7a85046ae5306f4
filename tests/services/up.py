"""Starts Kafka, Elasticsearch and PostgreSQL, prints the settings that use them, and keeps them up until Ctrl-C."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from services.java import Missing
from services.shared import SETTINGS, running

URL = {"kafka": "WIREWATCH_BROKER=kafka://{}", "elasticsearch": "WIREWATCH_INDEX={}", "postgres": "WIREWATCH_STATE={}"}


def main() -> int:
    """Return the exit code: 0 when all are up until told to stop, 1 when none could be started."""
    with tempfile.TemporaryDirectory(prefix="wirewatch-services-") as folder, contextlib.ExitStack() as stack:
        if os.geteuid() == 0:
            Path(folder).chmod(0o755)  # PostgreSQL runs as another user below it
        addresses: dict[str, str] = {}
        for name in SETTINGS:
            try:
                addresses[name] = stack.enter_context(running(name, Path(folder)))
            except (Missing, RuntimeError) as error:
                print(f"{name}: not started: {error}", file=sys.stderr)
        if not addresses:
            return 1
        print("Running. In another terminal, for Wirewatch:\n")
        for name, address in addresses.items():
            print("  export " + URL[name].format(address))
        print("\nand for the tests:\n")
        for name, address in addresses.items():
            print(f"  export {SETTINGS[name]}={address}")
        print("\nCtrl-C stops them; their data go with them.", flush=True)
        signal.sigwait({signal.SIGINT, signal.SIGTERM})
    return 0


if __name__ == "__main__":
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    sys.exit(main())
