"""Several pollers at once, as processes on one state: no feed twice, and each host asked by one at a time."""

from __future__ import annotations

import re
import subprocess
import sys
import threading
import time
from collections import Counter, defaultdict
from itertools import pairwise
from pathlib import Path

import pytest
from stub_server import Answer, Request, StubServer

from pipeline import topics
from pipeline.adapters.sql_state import SqlState
from pipeline.adapters.sqlite_broker import SqliteBroker
from pipeline.feed import Feed
from pipeline.identity import feed_id
from pipeline.wiring import utc_now

SAVED = re.compile(r"\b[0-9a-f]{12}/(?:True|False)")
POLLERS, HOSTS, FEEDS, DELAY_SECONDS = 8, 10, 40, 0.1

POLLER = """
import asyncio, sys, time
from pathlib import Path
from pipeline import wiring
from pipeline.poll.run import Poller, poll_feeds
from pipeline.settings import load_settings

folder, port, delay = Path(sys.argv[1]), sys.argv[2], float(sys.argv[3])
settings = load_settings(
    folder=folder, environment={}, data=str(folder), allow_addresses=("127.0.0.0/8",), host_delay_seconds=delay
)
with wiring.open_ports(settings) as ports:
    async def work():
        http = wiring.open_http(settings)
        poller = Poller(state=ports.state, broker=ports.broker, http=http, clock=ports.clock, holder=ports.holder,
                        host_delay_seconds=delay)
        print("ready", flush=True)
        sys.stdin.readline()
        while ports.state.feed_numbers(ports.clock()).due:
            await poll_feeds(poller, limit=3, on_report=lambda report: print(*(
                f"{result.feed.id}/{result.saved}" for result in report.results), flush=True))
            await asyncio.sleep(0.02)
        await http.close()
    asyncio.run(work())
"""


class Book:
    """When each host was asked, and until when."""

    def __init__(self) -> None:
        self.asked: dict[str, list[tuple[float, float]]] = defaultdict(list)
        self.paths: Counter[str] = Counter()
        self._lock = threading.Lock()

    def answer(self, request: Request) -> Answer:
        begun = time.monotonic()
        body = f"<rss version='2.0'><channel><title>{request.path}</title></channel></rss>"
        with self._lock:
            self.paths[request.path] += 1
            self.asked[request.headers["host"]].append((begun, time.monotonic()))
        return Answer(body=body)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    SqlState.open(f"sqlite:///{tmp_path}/state.db", migrate=True).close()
    log = SqliteBroker(tmp_path / "broker.db", clock=utc_now)
    log.create_topics(topics.ALL)
    log.close()
    return tmp_path


def test_eight_pollers_never_take_a_feed_twice_and_ask_each_host_one_by_one_with_its_pause(folder: Path) -> None:
    book = Book()
    with StubServer(host="0.0.0.0") as server:
        server.on("*", book.answer)
        urls = [f"http://127.0.0.{1 + n % HOSTS}:{server.port}/{n}" for n in range(FEEDS)]
        state = SqlState.open(f"sqlite:///{folder}/state.db", migrate=False)
        state.save_feeds([Feed(id=feed_id(url), url=url, interval_seconds=604_800) for url in urls])
        state.close()
        pollers = [
            subprocess.Popen(
                [sys.executable, "-c", POLLER, str(folder), str(server.port), str(DELAY_SECONDS)],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=folder,
            )
            for _ in range(POLLERS)
        ]  # fmt: skip
        for each in pollers:
            assert each.stdout is not None
            assert each.stdout.readline() == "ready\n"
        for each in pollers:
            assert each.stdin is not None
            each.stdin.write("\n")
            each.stdin.flush()
        said = [SAVED.findall(each.communicate(timeout=120)[0]) for each in pollers]

    assert [each.returncode for each in pollers] == [0] * POLLERS
    polled = Counter(word for words in said for word in words)
    assert polled == Counter({f"{feed_id(url)}/True": 1 for url in urls})
    assert set(book.paths.values()) == {1}
    assert len(book.asked) == HOSTS
    for times in book.asked.values():
        times.sort()
        pauses = [following[0] - before[1] for before, following in pairwise(times)]
        assert all(pause >= DELAY_SECONDS for pause in pauses), pauses
    assert sum(len(words) > 0 for words in said) > 1
