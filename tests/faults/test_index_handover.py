"""Two processes want to write one embedded index: one does, the other stands by and takes over."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from faults.kill.processes import Process, Zygote
from faults.kill.run import ALL_STEPS
from faults.kill.scene import Scene, scene
from faults.kill.world import BETWEEN_POLLS_SECONDS
from faults.oracle import judge

LEASE_SECONDS = 3.0


@pytest.fixture
def there(tmp_path: Path, zygote: Zygote) -> Iterator[Scene]:
    with scene(tmp_path, zygote, writer_lease_seconds=LEASE_SECONDS) as there:
        for _ in range(3):
            there.world.add("a")
        there.lives.run("poll", "enrich", "settle")
        yield there


def standby(there: Scene) -> Process:
    """A process that goes on until it is told to stop, and has found the lease taken."""
    process = there.lives.start("index", once=False, traced=True)
    process.wait_until_it_says("standing by")
    return process


@pytest.mark.parametrize("point", ["index:marked", "index:handled", "index:published", "index:booked"])
def test_the_standby_takes_over_when_the_writer_is_killed(there: Scene, point: str) -> None:
    writer = there.lives.start("index", pauses_at=point)
    writer.wait_until_paused()
    other = standby(there)
    writer.kill()
    assert writer.wait()
    for passed in other.points():
        if passed == "index:committed" and other.passed.count(passed) == 3:  # it replays them one by one
            other.stop()
    assert not other.wait()
    assert len(there.indexed()) == 3
    there.lives.run(*ALL_STEPS)
    assert judge(there.world).problems == []


def test_the_standby_waits_for_a_writer_that_is_paused_past_its_lease(there: Scene) -> None:
    writer = there.lives.start("index", pauses_at="index:handled")
    writer.wait_until_paused()
    there.world.clock.forward(LEASE_SECONDS + 1)
    other = standby(there)
    writer.go_on()
    assert not writer.wait(), writer.said()
    there.world.clock.forward(BETWEEN_POLLS_SECONDS)
    there.world.add("a")
    there.lives.run("poll", "enrich", "settle")
    for passed in other.points():
        if passed == "index:committed" and len(there.indexed()) == 4:
            other.stop()
    assert not other.wait()
    there.lives.run(*ALL_STEPS)
    assert judge(there.world).problems == []
