"""`make bench`: the poller's memory while it polls 100,000 feeds of which 5,000,000 entries were seen.

The state is filled by hand, then a process of its own polls every feed once: most answer 304, every twentieth has 2 of
50 items new. What is printed is that process's peak; the one that reads feeds for it is counted by itself.
"""

from __future__ import annotations

import argparse
import resource
import sqlite3
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from hashlib import blake2b
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from polling import server

from pipeline import wiring
from pipeline.adapters.http import HttpDoor
from pipeline.commands.log_lines import configure_logging
from pipeline.feed import Feed
from pipeline.identity import feed_id
from pipeline.loop import new_runner
from pipeline.poll.parsing_process import ParsingProcess
from pipeline.poll.run import Poller, PollReport, poll_feeds
from pipeline.settings import load_settings

AIM_MIB = 256
CHANGED_EVERY = 20
MICROSECONDS = 1_772_366_400_000_000  # 2026-03-01T12:00:00Z


def main() -> int:
    """Fill a state and poll it in a process of its own; print its memory and pace."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--feeds", type=int, default=100_000)
    parser.add_argument("--seen", type=int, default=50, help="Entries seen of each.")
    parser.add_argument("--poller", nargs=3, metavar=("FOLDER", "PORT", "CERTIFICATE"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    configure_logging("error")
    if given.poller:
        return poll(Path(given.poller[0]), given.feeds, Path(given.poller[2]))
    with tempfile.TemporaryDirectory() as name, server(Path(name)) as (ports, authority):
        folder = Path(name)
        begun = time.perf_counter()
        fill(folder, ports[0], given.feeds, given.seen)
        size = (folder / "data" / "state.db").stat().st_size / 1024**2
        print(f"state filled in {time.perf_counter() - begun:.0f} s, {size:,.0f} MiB", flush=True)
        child = [sys.executable, __file__, "--feeds", str(given.feeds), "--poller", name, "0", str(authority)]
        return subprocess.run(child, check=False).returncode


def fill(folder: Path, port: int, number: int, seen: int) -> None:
    """Make a state with so many feeds, each with so many entries."""
    settings = load_settings(folder=folder, environment={})
    wiring.create_data_folder(settings)
    urls = [f"http://h{n}.bench.test:{port}/{'same' if n % CHANGED_EVERY else 'two'}/{n}" for n in range(number)]
    feeds = [Feed(id=feed_id(url), url=url, outlet="Bench") for url in urls]
    with wiring.open_ports(settings) as ports:
        for start in range(0, number, 5_000):
            ports.state.save_feeds(feeds[start : start + 5_000])
    database = sqlite3.connect(settings.data_folder / "state.db")
    database.execute("PRAGMA synchronous = OFF")
    with database:
        database.execute("UPDATE feeds SET etag = '\"1\"', status = 'ok', items = 50, last_ok = ?", (MICROSECONDS,))
        database.executemany(
            "INSERT INTO seen_entries (feed_id, key, article_id, content_hash, last_shown, raw_hash)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            rows(sorted(feed.id for feed in feeds), seen),
        )
    database.close()


def rows(ids: Sequence[str], seen: int) -> Iterator[tuple[str, str, str, str, int, int]]:
    """Yield entries in the order of their table."""
    for ident in ids:
        digest = blake2b(ident.encode()).hexdigest()
        for n in range(seen):
            key = f"{n:04x}{digest[:28]}"
            yield ident, key, key, digest[28:60], MICROSECONDS, n + 1


def poll(folder: Path, number: int, authority: Path) -> int:
    """Poll every feed once; print the figures of this process."""
    settings = load_settings(folder=folder, environment={})
    now = datetime(2026, 4, 1, tzinfo=UTC)
    done = bad = 0

    def count(report: PollReport) -> None:
        nonlocal done, bad
        done, bad = done + report.polled, bad + report.failed

    async def work() -> None:
        context = ssl.create_default_context(cafile=str(authority))
        parsing = ParsingProcess()
        async with HttpDoor(
            user_agent="bench", allowed=["127.0.0.0/8"], resolver=_here, ssl_context=context
        ) as http:  # fmt: skip
            poller = Poller(
                state=ports.state, broker=ports.broker, http=http, clock=lambda: now, holder=ports.holder,
                lease_seconds=3600.0, parse=parsing,
            )  # fmt: skip
            await poll_feeds(poller, on_report=count)
        await parsing.close()

    with wiring.open_ports(settings, clock=lambda: now) as ports, new_runner() as runner:
        begun = time.perf_counter()
        runner.run(work())
        seconds = time.perf_counter() - begun
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    reading = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(f"{done:,} feeds polled in {seconds:.0f} s, {done / seconds:,.0f} a second, {bad:,} failed")
    print(
        f"memory peak of the poller {peak:,.0f} MiB (aim: under {AIM_MIB}), of what reads feeds for it {reading:,.0f}"
    )
    return int(done != number or bad > 0)


async def _here(_: str) -> Sequence[str]:
    return ["127.0.0.1"]


if __name__ == "__main__":
    sys.exit(main())
