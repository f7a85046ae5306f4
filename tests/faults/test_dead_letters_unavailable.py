"""Row 8: when a dead letter cannot be written the worker stops with its own exit code, and its offset stays."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from fault_parts import FaultyWorld, faulty_world, storm

from pipeline.errors import EXIT_DEAD_LETTERS_UNAVAILABLE, EXIT_OK

POISON = b"not JSON"


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultyWorld]:
    with faulty_world(tmp_path, monkeypatch) as world:
        world.show("/a.rss", *(storm(number) for number in range(4)))
        world.watch("/a.rss")
        yield world


def refuse_records(world: FaultyWorld, topic: str) -> None:
    """Make the broker's file refuse what is written to one topic, as a topic that is read-only or full does."""
    with closing(sqlite3.connect(world.settings.data_folder / "broker.db")) as sql:
        (number,) = sql.execute("SELECT id FROM topics WHERE name = ?", (topic,)).fetchone()
        sql.execute(
            f"CREATE TRIGGER refuse BEFORE INSERT ON records WHEN NEW.topic_id = {number} "
            "BEGIN SELECT RAISE(ABORT, 'this topic takes nothing'); END"
        )
        sql.commit()


def take_records_again(world: FaultyWorld) -> None:
    with closing(sqlite3.connect(world.settings.data_folder / "broker.db")) as sql:
        sql.execute("DROP TRIGGER refuse")
        sql.commit()


def command(world: FaultyWorld, *words: str) -> subprocess.CompletedProcess[str]:
    """Run the real command in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "pipeline.cli", "--data", str(world.settings.data_folder), *words],
        cwd=world.folder, env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}, capture_output=True, text=True,
        timeout=60, check=False,
    )  # fmt: skip


def committed(world: FaultyWorld, topic: str) -> int:
    with world.ports() as ports:
        return sum(ports.broker.committed("enrich", [topic]).values())


def test_enrich_stops_with_exit_code_4_and_goes_on_when_the_topic_is_mended(world: FaultyWorld) -> None:
    world.publish("articles.raw", POISON)
    world.run("poll")
    refuse_records(world, "articles.raw.dead")

    stopped = command(world, "enrich", "--once")

    assert stopped.returncode == EXIT_DEAD_LETTERS_UNAVAILABLE == 4, stopped.stderr
    assert "articles.raw.dead" in stopped.stderr
    assert "No record was skipped" in stopped.stderr
    assert "Traceback" not in stopped.stderr
    (poison,) = [record for record in world.records("articles.raw") if record.value == POISON]
    with world.ports() as ports:
        assert ports.broker.committed("enrich", ["articles.raw"])[poison.place] <= poison.offset
    assert world.dead_letters() == []

    take_records_again(world)
    assert command(world, "enrich", "--once").returncode == EXIT_OK
    world.run("settle", "index", "alert", "deliver")
    (letter,) = world.dead_letters()
    assert (letter.offset, letter.value, letter.reason) == (poison.offset, POISON, "not an article")
    world.check_nothing_lost()
    assert len(world.documents()) == len(world.hooks()) == 4
