"""Row 10: Elasticsearch goes away in the midst of writing, by kill -9, and comes back."""

from __future__ import annotations

from contextlib import closing
from functools import partial
from pathlib import Path

import pytest
from fault_parts import faulty_world, storm
from faults.kill.cluster import Cluster
from faults.kill.long_running import OwnServer, has_found, running, until
from services.servers import start_elasticsearch

from pipeline import steps, telemetry


def test_a_server_killed_and_started_again_gets_everything_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kafka: str, elasticsearch: str, postgres: str
) -> None:
    # The shared server is only what says, by skipping or failing, when there can be none.
    folder = tmp_path / "own"
    folder.mkdir()
    with (
        closing(OwnServer(start_elasticsearch, folder)) as own,
        closing(Cluster(kafka, own.address, postgres)) as parts,
        faulty_world(tmp_path, monkeypatch, parts, group_lease_seconds=10.0) as world,
        running(world, "enrich", "settle", "index"),
        world.ports() as ports,
    ):
        for round_ in range(3):
            world.show(f"/{round_}.rss", *(storm(100 * round_ + number) for number in range(40)))
            feed = world.watch(f"/{round_}.rss", outlet=f"Outlet {round_}")
            if round_ == 1:
                own.kill()
            steps.run_poll(ports, lambda _: False, only=[feed.id])
            if round_ == 1:
                until(lambda: "index" in telemetry.SIGNS.held(), "the index step does not hold its batch")
                assert world.waiting() > 0
                own.start()
        until(partial(has_found, world, 120), "not everything arrived within two minutes", seconds=120)
        world.check_nothing_lost()
        assert world.dead_letters() == []
