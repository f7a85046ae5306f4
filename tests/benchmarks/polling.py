"""`make bench`: feeds polled a second on one core, state written and articles published, beside a thread pool.

A server in another process, pinned to another core, answers for as many hosts as there are feeds, each of which is
asked by itself, over plain HTTP and TLS: nothing new (304), 2 of 50 items new, all 50 new. In the same run, on the same
core, 32 threads with requests and feedparser do the same work and keep what they learn in memory alone.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import socket
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import local
from typing import Any
from unittest.mock import patch

import feedparser
import requests
from msgspec import Struct
from msgspec.structs import asdict

from pipeline import wiring
from pipeline.adapters.http import HttpDoor
from pipeline.commands.log_lines import configure_logging
from pipeline.feed import Feed, FeedStatus
from pipeline.identity import feed_id
from pipeline.loop import new_runner
from pipeline.poll.parsing import Parse
from pipeline.poll.parsing_process import ParsingProcess
from pipeline.poll.run import Poller, PollReport, poll_feeds
from pipeline.settings import load_settings

HERE = Path(__file__).parent
THREADS = 32
KINDS = (("same", "http"), ("same", "https"), ("two", "http"), ("two", "https"), ("all", "http"))
AIMS = {("same", "http"): 1_000.0, ("same", "https"): 500.0}
"""Polls a second."""
AIM_TIMES = 5.0
"""On changed feeds, of the thread pool's polls a second."""


class Row(Struct, frozen=True):
    """One measurement."""

    kind: str
    scheme: str
    polls: int
    ours: float
    """Polls a second."""
    pool: float
    ours_cpu: float
    """Polls a second of processor time, which other programs on the machine do not stretch."""
    pool_cpu: float


def main() -> int:
    """Run the benchmark and print a table; with ``--json`` write the figures to a file as well."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--feeds", type=int, default=2_000)
    parser.add_argument("--changed", type=int, default=400)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    configure_logging("error")
    with tempfile.TemporaryDirectory() as folder, server(Path(folder)) as (ports, authority):
        if hasattr(os, "sched_setaffinity"):
            os.sched_setaffinity(0, {0})
        rows = [
            measure(Path(folder), ports, authority, (kind, scheme), given.feeds if kind == "same" else given.changed)
            for kind, scheme in KINDS
        ]
    print_table(rows)
    if given.json:
        given.json.write_text(json.dumps([asdict(row) for row in rows], indent=2) + "\n", "utf-8")
    return 0


def measure(folder: Path, ports: tuple[int, int], authority: Path, case: tuple[str, str], number: int) -> Row:
    """Poll so many feeds of a kind, twice before the clock starts, ours and then the thread pool."""
    kind, scheme = case
    port = ports[scheme == "https"]
    urls = [f"{scheme}://h{n}.bench.test:{port}/{kind}/{n}" for n in range(number)]
    (folder / f"{kind}-{scheme}").mkdir()
    ours, our_cpu = asyncio_run(our_polls(folder / f"{kind}-{scheme}", urls, authority))
    pool, pool_cpu = pool_polls(urls, authority)
    return Row(kind, scheme, number, number / ours, number / pool, number / our_cpu, number / pool_cpu)


async def our_polls(folder: Path, urls: Sequence[str], authority: Path) -> tuple[float, float]:
    """Return the seconds that one round of polls of all feeds takes, by the clock and of the processor."""
    settings = load_settings(folder=folder, environment={})
    wiring.create_data_folder(settings)
    now = [datetime(2026, 4, 1, tzinfo=UTC)]

    def clock() -> datetime:
        return now[0]

    with wiring.open_ports(settings, clock=clock) as ports:
        ports.state.save_feeds([Feed(id=feed_id(url), url=url, outlet="Bench") for url in urls])
        for measured in (False, True):
            reports: list[PollReport] = []
            context = ssl.create_default_context(cafile=str(authority))
            async with HttpDoor(
                user_agent="bench", allowed=["127.0.0.0/8"], resolver=_here, ssl_context=context
            ) as http:  # a new one: between two polls of a feed no connection stays open
                parsing = ParsingProcess()
                await parsing.parse(b"<rss version='2.0'><channel/></rss>")  # it is there before the clock starts
                begun, cpu = time.perf_counter(), _cpu()
                await poll_feeds(poller_of(ports, http, clock, parsing), on_report=reports.append)
                wall = time.perf_counter() - begun
                await parsing.close()  # its processor time counts, and is known when it has ended
                seconds = wall, _cpu() - cpu
            _check(reports, len(urls))
            now[0] += timedelta(days=1, hours=1)
            if measured:
                return seconds
    raise AssertionError("not reached")


def poller_of(ports: wiring.Ports, http: HttpDoor, clock: Callable[[], datetime], parsing: Parse) -> Poller:
    """Return a poller as the step makes it."""
    return Poller(
        state=ports.state, broker=ports.broker, http=http, clock=clock, holder=ports.holder, lease_seconds=3600.0,
        parse=parsing,
    )  # fmt: skip


def _check(reports: Sequence[PollReport], number: int) -> None:
    results = [result for report in reports for result in report.results]
    bad = [result for result in results if result.state.status is not FeedStatus.OK or not result.saved]
    if len(results) != number or bad:
        raise SystemExit(f"VOID: {len(results)} of {number} feeds polled, {len(bad)} badly: {bad[:1]}")


async def _here(_: str) -> Sequence[str]:
    return ["127.0.0.1"]


def _cpu() -> float:
    """Return the processor time of this process and of those that it has ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def asyncio_run(work: Any) -> tuple[float, float]:
    """Run as the poll step does."""
    with new_runner() as runner:
        found: tuple[float, float] = runner.run(work)
        return found


def pool_polls(urls: Sequence[str], authority: Path) -> tuple[float, float]:
    """Return the seconds, by the clock and of the processor, that a pool of threads takes for the same.

    Each thread has a session.
    """
    etags: dict[str, str] = {}
    seen: dict[str, set[str]] = {}

    def poll(url: str, sessions: local) -> int:
        if not hasattr(sessions, "one"):
            sessions.one = requests.Session()
        headers = {"If-None-Match": etags[url]} if url in etags else {}
        answer = sessions.one.get(url, headers=headers, timeout=30, verify=str(authority))
        if answer.status_code == 304:
            return 0
        etags[url] = answer.headers.get("ETag", "")
        entries = feedparser.parse(answer.content).entries
        known = seen.setdefault(url, set())
        new = [entry for entry in entries if entry.link not in known]
        known.update(entry.link for entry in new)
        return len(new)

    with ThreadPoolExecutor(THREADS) as pool, patch("socket.getaddrinfo", _found_here):
        for measured in (False, True):
            sessions = local()
            begun, cpu = time.perf_counter(), _cpu()
            list(pool.map(poll, urls, [sessions] * len(urls)))
            if measured:
                return time.perf_counter() - begun, _cpu() - cpu
    raise AssertionError("not reached")


def _found_here(_host: str, port: int, *_: object, **__: object) -> list[Any]:
    return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]


def print_table(rows: Sequence[Row]) -> None:
    """Print polls a second, ours beside the pool's."""
    names = {"same": "nothing new (304)", "two": "2 of 50 items new", "all": "50 of 50 items new"}
    print(f"{'feeds of 28 kB, one core':<28}{'polls':>7}{'ours/s':>10}{'threads/s':>11}{'ratio':>8}{'of CPU':>8}   aim")
    for row in rows:
        aim = AIMS.get((row.kind, row.scheme))
        wanted = f"{aim:,.0f}/s" if aim else f"{AIM_TIMES:g} times" if row.kind == "two" else ""
        label = f"{names[row.kind]}, {row.scheme}"
        ratios = f"{row.ours / row.pool:>8.1f}{row.ours_cpu / row.pool_cpu:>8.1f}"
        print(f"{label:<28}{row.polls:>7,}{row.ours:>10,.0f}{row.pool:>11,.0f}{ratios}   {wanted}")
    print(f"memory peak of both together: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:,.0f} MiB")


@contextmanager
def server(folder: Path) -> Iterator[tuple[tuple[int, int], Path]]:
    """Start the server; yield its ports and its certificate."""
    certificate, key = folder / "cert.pem", folder / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
         "-subj", "/CN=bench", "-addext", "subjectAltName=DNS:*.bench.test,IP:127.0.0.1",
         "-keyout", str(key), "-out", str(certificate)],
        check=True, capture_output=True,
    )  # fmt: skip
    process = subprocess.Popen(
        [sys.executable, str(HERE / "polling_server.py"), str(certificate), str(key)], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        if hasattr(os, "sched_setaffinity") and (os.cpu_count() or 1) > 1:
            os.sched_setaffinity(process.pid, {1})
        plain, secure = process.stdout.readline().split()
        yield (int(plain), int(secure)), certificate
    finally:
        process.kill()
        process.wait()


if __name__ == "__main__":
    sys.exit(main())
