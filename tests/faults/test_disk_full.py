"""Row 27: a full disk in embedded mode. Each step holds what it has, and with room again nothing is lost or damaged."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import full_disk
import pytest
from fault_parts import FaultyWorld, faulty_world, storm

WRITES = {
    "poll": {"poll:fetched"},
    "enrich": {"enrich:handled", "enrich:booked"},
    "settle": {"settle:marked", "settle:handled", "settle:booked"},
    "index": {"index:marked", "index:booked"},
    "alert": {"alert:marked", "alert:booked"},
    "deliver": {"deliver:sent"},
}
"""Fail-points behind which each step has something to write: to the broker, the state or the index."""


@pytest.fixture(params=["limit", "ballast"])
def disk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """How the disk is made full, and a folder on it."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if request.param == "limit":
        yield "limit", folder
        return
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", folder], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("a really full disk needs a small file system of its own, which only root may mount")
    try:
        yield "ballast", folder
    finally:
        subprocess.run(["umount", folder], check=True)


def test_every_step_holds_on_a_full_disk_and_loses_nothing(
    disk: tuple[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    kind, folder = disk
    with faulty_world(folder, monkeypatch) as world:
        world.show("/a.rss", *(storm(number) for number in range(20)))
        world.watch("/a.rss")

        ends = run_on_full_disk(world, kind)

        assert ends.keys() == set(full_disk.STEPS)
        assert {step: WRITES[step] - set(ends[step].split()) for step in WRITES} == {step: set() for step in WRITES}
        world.check_nothing_lost()
        assert len(world.documents()) == 20
        # A message is sent at least once; the receiver knows a repeat by its id.
        assert len({hook.headers["webhook-id"] for hook in world.hooks()}) == 20
        for name in ("broker.db", "state.db"):
            with closing(sqlite3.connect(world.settings.data_folder / name)) as sql:
                assert sql.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def run_on_full_disk(world: FaultyWorld, kind: str) -> dict[str, str]:
    """Run all steps in a process of their own; return how each ended."""
    settings = {
        "WIREWATCH_CONFIG": str(world.settings.config_folder),
        "WIREWATCH_ALLOW_ADDRESSES": world.server.address,
        "WIREWATCH_WEBHOOK_URL": world.server.url("/hook"),
        "WIREWATCH_WEBHOOK_SECRET": world.settings.webhook_secret.get_secret_value(),
    }
    done = subprocess.run(
        [sys.executable, full_disk.__file__, str(world.folder), kind, *map("=".join, settings.items())],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}, capture_output=True, text=True, timeout=120,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return dict(line.split(": ", 1) for line in done.stderr.splitlines() if line.split(":")[0] in full_disk.STEPS)
