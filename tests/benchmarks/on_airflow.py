"""`make bench`: one run of the DAG `poll_feeds` over 10,000 feeds of a local server, beside its interval of a minute.

Every feed is of a host of its own and answers 304. The run is `airflow dags test`, which makes one task after another;
what it takes is the whole command, the start of Airflow in it.
"""

from __future__ import annotations

import argparse
import re
import sqlite3
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent)]
from airflow_parts import PROGRAMS, Airflow, prepare
from many_feeds import MICROSECONDS
from polling import server

from pipeline import wiring
from pipeline.feed import Feed
from pipeline.identity import feed_id
from pipeline.settings import load_settings

INTERVAL_SECONDS = 60.0
BATCH = 1_000


def main() -> int:
    """Run the DAG once and print how long it took."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--feeds", type=int, default=10_000)
    given = parser.parse_args()
    if not (PROGRAMS / "airflow").exists():
        print("Airflow is not installed beside Wirewatch, so its run is not measured: make airflow-install")
        return 0
    with tempfile.TemporaryDirectory() as name, server(Path(name)) as (ports, _):
        folder = Path(name)
        settings = load_settings(
            folder=folder, environment={}, allow_addresses=("127.0.0.0/8",), poll_batch=BATCH
        )  # fmt: skip
        wiring.create_data_folder(settings)
        # Addresses of this machine, each a host: a task looks names up by itself.
        hosts = (f"127.{1 + n // 62_500}.{n // 250 % 250}.{1 + n % 250}" for n in range(given.feeds))
        urls = [f"http://{host}:{ports[0]}/same/{n}" for n, host in enumerate(hosts)]
        with wiring.open_ports(settings) as opened:
            opened.state.save_feeds([Feed(id=feed_id(url), url=url, outlet="Bench") for url in urls])
        with sqlite3.connect(settings.data_folder / "state.db") as database:
            database.execute("UPDATE feeds SET etag = '\"1\"', status = 'ok', items = 50, last_ok = ?", (MICROSECONDS,))
        (folder / "airflow").mkdir()
        prepare(folder / "airflow", settings)
        begun = time.perf_counter()
        said = Airflow(folder / "airflow", settings)("dags", "test", "poll_feeds")
        seconds = time.perf_counter() - begun
    found = re.findall(r"\{'polled': (\d+), 'unchanged': (\d+), 'failed': (\d+)", said)
    polled, unchanged, failed = max((tuple(map(int, each)) for each in found), default=(0, 0, 0))  # the report's sum
    is_good = (polled, unchanged, failed) == (given.feeds, given.feeds, 0)
    print(f"Airflow: {polled:,} feeds in batches of {BATCH:,} polled in {seconds:.0f} s of {INTERVAL_SECONDS:.0f}")
    if not is_good:
        print(f"VOID: {unchanged:,} unchanged, {failed:,} failed\n{said[-2000:]}")
    return int(not is_good)


if __name__ == "__main__":
    sys.exit(main())
