"""`make airflow` over the embedded parts: the real scheduler fires the DAGs, and what is done twice does no harm."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from airflow_parts import Airflow, Standalone, dags_every, make_airflow, wait_for
from journey_parts import Item, World, rss
from msgspec.structs import replace
from stub_server import Answer, Request, StubServer

from pipeline import topics, wiring
from pipeline.dead import dead_letter
from pipeline.ports import Record
from pipeline.wiring import utc_now

pytestmark = pytest.mark.services  # one after the other, as what needs a server: Airflow wants a whole machine

SCHEDULE_SECONDS = 3
INTERVAL_SECONDS = 5
"""A feed's; not a multiple of the schedule, so that some runs find nothing due."""
ETAG = '"v1"'
FERRY = Item(link="http://harbour.example/ferry", title="Ferry aground", text="All passengers were brought ashore.")


class Asked:
    """Serves feeds that know their readers by an ETag, and notes when each was asked and what it answered."""

    def __init__(self, server: StubServer, *paths: str) -> None:
        self.at: dict[str, list[float]] = {path: [] for path in paths}
        self.answers: dict[str, list[int]] = {path: [] for path in paths}
        for path in paths:
            server.on(path, self._answer)

    def _answer(self, request: Request) -> Answer:
        is_known = request.headers.get("if-none-match") == ETAG
        self.at[request.path].append(time.monotonic())
        self.answers[request.path].append(304 if is_known else 200)
        headers = {"ETag": ETAG, "Content-Type": "application/rss+xml"}
        return Answer(status=304, headers=headers) if is_known else Answer(body=rss([FERRY]), headers=headers)

    def shortest_seconds(self) -> float:
        """Return the shortest time between two polls of one feed."""
        return min(later - earlier for times in self.at.values() for earlier, later in pairwise(times))


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with StubServer() as server:
        world = World(tmp_path, server, poll_batch=1)
        feeds = [world.feed(f"/{number}", FERRY) for number in range(2)]
        with wiring.open_ports(world.settings) as ports:
            ports.state.save_feeds([replace(feed, interval_seconds=INTERVAL_SECONDS) for feed in feeds])
        yield world


def test_row_28_the_scheduler_polls_again_and_again_and_a_backfill_beside_it_polls_nothing_twice(
    world: World, tmp_path: Path
) -> None:
    asked = Asked(world.server, "/0", "/1")
    place = bury(world)
    (tmp_path / "airflow").mkdir()
    airflow = Airflow(tmp_path / "airflow", world.settings, dags_every(tmp_path / "dags", SCHEDULE_SECONDS))
    with make_airflow(airflow) as standalone:
        standalone.wait_for_runs("poll_feeds", 2, run_type="scheduled", state="success")
        wait_for(lambda: all(len(answers) >= 2 for answers in asked.answers.values()), standalone.said)

        backfill(standalone)
        for dag, conf in (("prune", {}), ("replay_dead_letters", {"place": place})):
            standalone.ask(f"/api/v2/dags/{dag}/dagRuns", {"logical_date": None, "conf": conf})
            standalone.wait_for_runs(dag, 1, run_type="manual", state="success")
        standalone.wait_for_runs("poll_feeds", 2, run_type="backfill", state="success")
        assert standalone.ask("/api/v2/dags/~/dagRuns?state=failed")["total_entries"] == 0
        assert standalone.ask("/api/v2/importErrors")["total_entries"] == 0

    assert all(answers[:2] == [200, 304] for answers in asked.answers.values())
    assert asked.shortest_seconds() > INTERVAL_SECONDS - 0.5
    with wiring.open_ports(world.settings) as ports:
        assert sum(ports.broker.end_offsets([topics.raw("live")]).values()) == 3  # one of each feed, and the replayed


def backfill(standalone: Standalone) -> None:
    """Ask for the runs of some seconds of an hour ago, all at once."""
    start = datetime.now(UTC) - timedelta(hours=1)
    end = start + timedelta(seconds=2 * SCHEDULE_SECONDS)
    asked = {"dag_id": "poll_feeds", "from_date": start.isoformat(), "to_date": end.isoformat(), "max_active_runs": 3}
    # Airflow answers 503 while its SQLite is locked by its scheduler.
    wait_for(lambda: standalone.tried("/api/v2/backfills", asked), standalone.said)


def bury(world: World) -> str:
    """Leave a dead letter, and return its place."""
    record = Record(topic=topics.raw("live"), partition=0, offset=0, key="k", value=b"{}", timestamp=utc_now())
    with closing(wiring.open_broker(world.settings, utc_now)) as broker:
        broker.create_topics(topics.ALL)
        broker.publish([dead_letter(record, step="enrich", reason="bad", detail="d", at=utc_now())])
        (place,) = [it for it, end in broker.end_offsets([topics.dead(record.topic)]).items() if end]
    return topics.place_name(place.topic, place.partition, 0)
