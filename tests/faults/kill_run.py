"""Shows a kill run: ``python tests/faults/kill_run.py --kills 100 --seed 1``. Ends with 1 when anything is wrong."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from faults.kill.processes import Zygote
from faults.kill.run import BROKER_FAILURES, POINTS, kill_run


def main() -> int:
    """Run, print the whole ledger, and say whether it holds."""
    options = argparse.ArgumentParser(description="Kills processes of Wirewatch and counts what is lost: nothing.")
    options.add_argument("--kills", type=int, default=100)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--several", action="store_true", help="Several processes at once on one data folder.")
    options.add_argument("--points", default="", help="Only these fail-points, separated by commas; default: all.")
    options.add_argument("--outside", type=float, default=0.15, help="Share of kills from outside.")
    options.add_argument("--broker-failures", type=float, default=BROKER_FAILURES, help="Share of publishes that fail.")
    options.add_argument("--folder", type=Path, help="An empty folder to run in and to leave as it is in the end.")
    given = options.parse_args()
    points = tuple(given.points.split(",")) if given.points else POINTS
    with tempfile.TemporaryDirectory() as folder, Zygote() as zygote:
        report = kill_run(
            given.folder or Path(folder), zygote, kills=given.kills, seed=given.seed, several=given.several,
            points=points, outside=given.outside, broker_failures=given.broker_failures,
        )  # fmt: skip
    problems = report.problems()
    sys.stdout.write("\n".join([*report.lines(), *(f"FAILED: {problem}" for problem in problems), ""]))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
