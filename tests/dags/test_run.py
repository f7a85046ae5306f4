"""One run of each DAG on Airflow's own SQLite: over a real cluster, and beside everything else that polls."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from airflow_parts import Airflow, environment_of, wait_for
from cli_parts import Program
from faults.kill.parts import cluster
from journey_parts import Item, World, rss
from stub_server import Answer, Request, StubServer

from pipeline import wiring
from pipeline.feed import Feed, FeedStatus
from pipeline.identity import feed_id

pytestmark = pytest.mark.services  # one after the other, as what needs a server: each of these wants a whole machine

TEXT = (
    "The ferry Northern Star ran aground off the breakwater on Monday morning. All ninety passengers were brought "
    "ashore by two pilot boats within the hour, the harbour office said, and nobody was hurt."
)
BATCH = 5


def ferry(number: int) -> Item:
    return Item(link=f"http://harbour.example/{number}", title=f"Ferry {number} aground", text=TEXT)


@pytest.fixture
def server() -> Iterator[StubServer]:
    with StubServer() as server:
        yield server


@pytest.fixture
def on_cluster(tmp_path: Path, server: StubServer, kafka: str, elasticsearch: str, postgres: str) -> Iterator[World]:
    """A Wirewatch on real servers whose clock tells the time, as Airflow's tasks do."""
    with cluster(kafka, elasticsearch, postgres) as parts:
        world = World(tmp_path, server, parts, poll_batch=1)
        world.clock.now = datetime.now(UTC)
        yield world


def test_a_run_publishes_to_kafka_and_the_workers_bring_the_articles_into_elasticsearch(
    airflow_home: Path, on_cluster: World
) -> None:
    world = on_cluster
    feeds = [world.feed(f"/{number}", ferry(number)) for number in range(2)]
    gone = world.feed("/gone")
    world.server.on("/gone", Answer(status=500, headers={"Retry-After": "7200"}))

    said = Airflow(airflow_home, world.settings)("dags", "test", "poll_feeds")

    assert "state=success" in said
    assert "{'polled': 3, 'unchanged': 0, 'failed': 1, 'new': 2, 'changed': 0}" in said
    known = {it.feed.id: it.state for it in world.state(lambda state: state.feeds())}
    assert [known[feed.id].status for feed in (*feeds, gone)] == [FeedStatus.OK, FeedStatus.OK, FeedStatus.FAILED]
    assert (known[gone.id].next_due - known[gone.id].last_polled).total_seconds() == 7200
    world.run("enrich", "settle", "index")
    assert sorted(article.title for article in world.search("breakwater")) == ["Ferry 0 aground", "Ferry 1 aground"]


def test_a_state_that_is_away_fails_the_run_and_says_so(airflow_home: Path, tmp_path: Path, server: StubServer) -> None:
    world = World(tmp_path, server)
    world.feed("/a", ferry(1))
    away = world.settings.model_copy(update={"state": "postgresql://wirewatch@127.0.0.1:9/wirewatch"})

    ended = Airflow(airflow_home, away).tried("dags", "test", "poll_feeds")

    assert "state=failed" in ended.stdout
    assert "127.0.0.1:9/wirewatch" in ended.stdout
    assert server.requests == []


def test_run_poll_and_a_dag_together_poll_each_feed_once(airflow_home: Path, tmp_path: Path) -> None:
    """Whoever has claimed a feed holds it in hand while the others come, and none takes what another has."""
    paths = [f"/{number}" for number in range(3 * BATCH + 1)]
    go_on = threading.Event()
    with StubServer(host="0.0.0.0") as server:
        world = World(tmp_path, server, poll_batch=BATCH)
        world.settings = world.settings.model_copy(update={"allow_addresses": ("127.0.0.0/8",)})
        # Of a host each, since a host is asked for one thing at a time.
        urls = [f"http://127.0.0.{number + 1}:{server.port}/{number}" for number in range(len(paths))]
        with wiring.open_ports(world.settings) as ports:
            ports.state.save_feeds([Feed(id=feed_id(url), url=url, interval_seconds=3600) for url in urls])
        for number, path in enumerate(paths):
            server.on(path, held_back(rss([ferry(number)]), go_on))
        names = {who: world.settings.model_copy(update={"contact": f"it-is-{who}"}) for who in ("run", "poll", "dag")}

        with (
            Program("run", folder=tmp_path, environment=environment_of(names["run"])),
            Program("poll", folder=tmp_path, environment=environment_of(names["poll"])),
        ):
            server.wait_for_requests(1, 30)
            Airflow(airflow_home, names["dag"])("dags", "test", "poll_feeds")
            go_on.set()
            wait_for(lambda: is_all_polled(world), lambda: str(polls_of(server)))

        assert sorted(polls_of(server)) == sorted(paths)


def held_back(body: bytes, go_on: threading.Event) -> Callable[[Request], Answer]:
    """Answer the DAG at once, and whoever else asks when told to go on."""
    head, _, rest = body.partition(b"?>")

    def chunks() -> Iterator[bytes]:
        yield head + b"?>"
        while not go_on.is_set():
            yield b"\n"
        yield rest

    def answer(request: Request) -> Answer:
        headers = {"Content-Type": "application/rss+xml"}
        if "it-is-dag" in request.headers["user-agent"]:
            return Answer(body=body, headers=headers)
        return Answer(chunks=chunks(), pause_seconds=0.1, headers=headers)

    return answer


def polls_of(server: StubServer, who: str = "") -> list[str]:
    """Return the feeds that one of the three, or anybody, has asked for."""
    return [it.path for it in server.requests if f"it-is-{who}" in it.headers["user-agent"] and it.path != "/hook"]


def is_all_polled(world: World) -> bool:
    with wiring.open_ports(world.settings) as ports:
        return all(known.state.status is FeedStatus.OK for known in ports.state.feeds())
