"""Power lost while the broker publishes and commits: what it acknowledged is there, and the file is whole."""

from __future__ import annotations

import random
import sqlite3
import sys
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from faults.power.power import Recording, files_of, record

from pipeline.adapters.sqlite_broker import SqliteBroker
from pipeline.errors import WirewatchError
from pipeline.ports import Message, TopicPartition, batched_records
from pipeline.topics import Topic

TOPIC, PLACE = "t", TopicPartition("t", 0)
BATCHES, BATCH_SIZE = 60, 5
CUTS = 30


def open_broker(folder: Path) -> SqliteBroker:
    return SqliteBroker(folder / "broker.db", clock=lambda: datetime(2026, 3, 1, tzinfo=UTC))


def publish_and_acknowledge(folder: Path, synchronous: str) -> None:
    """The program under test: says "batch N" or "commit N" once the broker has confirmed it."""
    broker = open_broker(folder)
    broker._file.sql.execute(f"PRAGMA synchronous = {synchronous}")
    broker._file.sql.execute("PRAGMA wal_autocheckpoint = 30")  # so that cuts meet many checkpoints and new logs
    broker.create_topics([Topic(TOPIC, 1)])
    consumer = broker.assigned_consumer("g", [PLACE])
    for batch in range(BATCHES):
        messages = [Message(topic=TOPIC, key="k", value=value(batch, n)) for n in range(BATCH_SIZE)]
        assert set(broker.publish(messages)) == {None}
        say(f"batch {batch}\n")
        if batch % 3 == 0:
            consumer.commit({PLACE: batch})
            say(f"commit {batch}\n")
    broker.close()


def say(line: str) -> None:
    sys.stdout.write(line)
    sys.stdout.flush()


def value(batch: int, n: int) -> bytes:
    return b"%d/%d " % (batch, n) * 300


def run(tmp_path: Path, shim: Path, synchronous: str) -> Recording:
    folder = tmp_path / "data"
    folder.mkdir()
    return record([sys.executable, __file__, str(folder), synchronous], folder, shim)


def missing_after(recording: Recording, cut: int, target: Path, seed: int) -> list[str]:
    """Return what was acknowledged before the cut and is not found behind it; "damaged" when the file is."""
    seeded = random.Random(seed)
    kept_share = seeded.choice([0.0, 0.0, 0.5, 0.95])
    recording.rebuild(cut, target, keep=lambda: seeded.random() < kept_share)
    try:
        with closing(open_broker(target)) as broker:
            whole = broker._file.sql.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            there = [record.value for record in batched_records(broker, PLACE)]
            committed = broker.committed("g", [TOPIC]).get(PLACE, 0)
    except (WirewatchError, sqlite3.DatabaseError):
        return ["damaged"]
    missing = [] if whole else ["damaged"]
    for line in recording.said(cut).splitlines():
        kind, number = line.split()[0], int(line.split()[1])
        if kind == "batch" and there[number * BATCH_SIZE :][:BATCH_SIZE] != [
            value(number, n) for n in range(BATCH_SIZE)
        ]:
            missing.append(line)
        if kind == "commit" and committed < number:
            missing.append(line)
    return missing


def cuts(recording: Recording) -> list[tuple[int, int]]:
    """Seeded moments, the end among them, each with a seed for what the disk kept."""
    last = len(recording.operations)
    return [*enumerate(random.Random(27).sample(range(last), CUTS)), (CUTS, last)]


def test_what_was_acknowledged_survives_a_power_cut(tmp_path: Path, shim: Path) -> None:
    # Given a broker that publishes and commits, its every operation recorded
    recording = run(tmp_path, shim, "FULL")
    complete = recording.rebuild(len(recording.operations), tmp_path / "complete", keep=lambda: True)
    assert files_of(complete) == files_of(recording.folder), "the shim has missed something"
    # When the power is cut at any of these moments
    missing = {
        cut: lines
        for seed, cut in cuts(recording)
        if (lines := missing_after(recording, cut, tmp_path / f"cut-{cut}", seed))
    }
    # Then the file is whole and nothing acknowledged is missing
    assert missing == {}
    assert recording.said(len(recording.operations)).count("batch") == BATCHES


@pytest.mark.parametrize("synchronous", ["OFF", "NORMAL"])
def test_the_cut_finds_out_a_broker_that_acknowledges_too_early(tmp_path: Path, shim: Path, synchronous: str) -> None:
    # Given a broker that does not wait for the disk before it confirms
    recording = run(tmp_path, shim, synchronous)
    # Then some cut shows the loss
    found = [missing_after(recording, cut, tmp_path / f"cut-{cut}", seed) for seed, cut in cuts(recording)]
    assert sum(bool(missing) for missing in found) > CUTS / 4


if __name__ == "__main__":
    publish_and_acknowledge(Path(sys.argv[1]), sys.argv[2])
