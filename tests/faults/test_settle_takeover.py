"""The settle writer is paused, its standby takes over, and the first wakes up: it must write nothing any more."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from faults.kill.parts import Parts
from faults.kill.processes import Process, Zygote
from faults.kill.run import ALL_STEPS
from faults.kill.scene import Scene, scene
from faults.kill.world import START, Story
from faults.oracle import judge

from pipeline import wiring
from pipeline.commands.articles import delete_articles
from pipeline.identity import article_id

LEASE_SECONDS = 3.0
WRITTEN_BY_SETTLE = ("records", "revisions", "families", "aliases", "input_offsets", "leases")
BEFORE_SETTLE = ("poll", "fetch", "enrich")
AFTER_SETTLE = ("index", "alert", "deliver")


@pytest.fixture
def there(tmp_path: Path, zygote: Zygote, parts: Parts) -> Iterator[Scene]:
    with scene(tmp_path, zygote, feeds=("a", "b"), parts=parts, writer_lease_seconds=LEASE_SECONDS) as there:
        yield there


def publish(there: Scene) -> list[Story]:
    """Two new articles and a copy of one come as far as settle."""
    stories = [there.world.add("a", rule="flotilla"), there.world.add("b")]
    there.world.copy(stories[0], "b")
    there.lives.run(*BEFORE_SETTLE)
    return stories


def paused_writer(there: Scene, point: str, *, knows_the_time: bool) -> Process:
    """Start a settle that stops itself at ``point``.

    One that does not know the time believes in its lease: so it is between looking at the clock and writing.
    """
    clock = there.world.clock if knows_the_time else there.clock("stopped-clock", START)
    writer = there.lives.start("settle", clock=clock, pauses_at=point)
    writer.wait_until_paused()
    return writer


def more_arrives(there: Scene) -> None:
    """Time goes on, past the lease of whoever is paused; two articles are edited and one is new."""
    there.world.clock.forward(31)
    for feed in there.world.shown.values():
        there.world.edit(feed[-1])
    there.world.add("b", rule="avalanche")
    there.lives.run(*BEFORE_SETTLE)


def takes_over(there: Scene) -> Process:
    """Start a second writer, which goes on until it is told to stop; return when it has settled everything."""
    other = there.lives.start("settle", once=False, traced=True)
    for point in other.points():
        end, done = there.world.holdings.offsets()["settle"]
        if point == "settle:committed" and end == done:
            return other
    raise AssertionError(f"the second writer ended:\n{other.said()}")


def settled(there: Scene) -> dict[str, list[tuple[object, ...]]]:
    """Everything that settle writes, as it stands in the state."""
    rows = there.world.holdings.rows
    return {table: sorted(rows(f"SELECT * FROM {table}"), key=repr) for table in WRITTEN_BY_SETTLE}


def test_a_standby_waits_while_the_writer_is_only_slow(there: Scene) -> None:
    publish(there)
    writer = paused_writer(there, "settle:handled", knows_the_time=True)
    before = settled(there)
    there.world.clock.forward(LEASE_SECONDS - 1)
    there.lives.run("settle")  # finds the lease taken, and says so
    assert settled(there) == before
    writer.go_on()
    assert not writer.wait()


@pytest.mark.parametrize("knows_the_time", [True, False], ids=["sees its lease end", "believes in its lease"])
@pytest.mark.parametrize("point", ["settle:marked", "settle:handled"])
def test_a_writer_that_wakes_up_after_a_takeover_writes_nothing(there: Scene, point: str, knows_the_time: bool) -> None:
    publish(there)
    writer = paused_writer(there, point, knows_the_time=knows_the_time)
    more_arrives(there)
    other = takes_over(there)
    before = settled(there)
    writer.go_on()
    assert not writer.wait(), writer.said()
    assert settled(there) == before
    other.stop()
    assert not other.wait()
    there.lives.run(*ALL_STEPS)
    ledger = judge(there.world)
    assert ledger.problems == []
    assert (ledger.articles, ledger.indexed_revisions, ledger.alerts) == (4, 6, 2)


def test_the_answer_is_that_of_an_undisturbed_run(there: Scene, tmp_path: Path, zygote: Zygote) -> None:
    publish(there)
    writer = paused_writer(there, "settle:handled", knows_the_time=True)
    more_arrives(there)
    other = takes_over(there)
    writer.go_on()
    assert not writer.wait(), writer.said()
    other.stop()
    assert not other.wait()
    there.lives.run(*AFTER_SETTLE)
    (tmp_path / "undisturbed").mkdir()
    with scene(tmp_path / "undisturbed", zygote, feeds=("a", "b"), writer_lease_seconds=LEASE_SECONDS) as calm:
        publish(calm)
        calm.lives.run("settle")
        more_arrives(calm)
        calm.lives.run("settle", *AFTER_SETTLE)
        assert answer(calm) == answer(there)


def answer(there: Scene) -> list[tuple[object, ...]]:
    """What a reader gets of it."""
    return [(a.id, a.url, a.title, a.body, a.revision, a.version, a.family, a.first_seen) for a in there.indexed()]


def test_an_article_deleted_while_its_writer_was_paused_stays_away(there: Scene) -> None:
    first, second = publish(there)
    # Its transaction is done, and it will publish: nothing can tell it that the world went on.
    writer = paused_writer(there, "settle:handled", knows_the_time=False)
    gone = article_id(link=first.link, feed_url="", guid="", content="")
    there.world.clock.forward(31)
    with wiring.open_ports(there.world.settings, clock=there.world.clock) as ports:
        delete_articles(ports, [gone], "asked for by its author")
    there.lives.run("enrich", "settle", *AFTER_SETTLE)
    assert gone not in {article.id for article in there.indexed()}
    writer.go_on()
    assert not writer.wait(), writer.said()
    there.lives.run(*ALL_STEPS)
    indexed = {article.id for article in there.indexed()}
    assert gone not in indexed
    assert len(indexed) == 2, "the other article and the copy are there"
    assert article_id(link=second.link, feed_url="", guid="", content="") in indexed
    assert there.world.holdings.left_open() == []
