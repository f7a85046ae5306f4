"""Row 12: the same poll twice, and backfill over live data: no new document, no new alert."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fault_parts import FaultyWorld, faulty_world, storm
from faults.kill.parts import Parts
from journey_parts import rss

from pipeline.identity import feed_id

OUTLET = "harbour.example"
"""As a file of this feed is understood, so that both speak for the same articles."""
ITEMS = [storm(number) for number in range(3)]


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, parts: Parts) -> Iterator[FaultyWorld]:
    with faulty_world(tmp_path, monkeypatch, parts) as world:
        world.show("/a.rss", *ITEMS)
        world.watch("/a.rss", outlet=OUTLET)
        world.poll()
        assert len(world.hooks()) == 3
        yield world


def unchanged(world: FaultyWorld, before: dict[str, object]) -> None:
    """No new document, none changed, no new alert, no further message."""
    world.check_nothing_lost()
    assert world.documents() == before
    assert len(world.state(lambda state: state.alerts())) == 3
    assert len(world.hooks()) == 3


def test_a_poll_without_an_etag_brings_the_same_items_to_nothing(world: FaultyWorld) -> None:
    before = world.documents()
    world.clock.forward(61)
    report = world.poll()
    assert report.unchanged == 1
    unchanged(world, before)


def test_the_same_items_in_other_bytes_are_known_by_what_was_seen(world: FaultyWorld) -> None:
    before = world.documents()
    world.show("/a.rss", *reversed(ITEMS))
    world.clock.forward(61)
    report = world.poll()
    assert [dict(result.counts) for result in report.results] == [{("duplicate", ""): 3}]
    unchanged(world, before)


def test_a_feed_whose_memory_is_lost_publishes_again_and_settle_knows_the_articles(world: FaultyWorld) -> None:
    before = world.documents()
    world.state(lambda state: state.remove_feed(feed_id(world.server.url("/a.rss"))))
    world.watch("/a.rss", outlet=OUTLET)
    world.clock.forward(61)
    world.poll()
    assert len(world.records("articles.raw")) == 6
    assert world.counts("settle")["duplicate", ""] == 3
    unchanged(world, before)


def test_the_same_article_through_a_second_feed_of_the_outlet_is_one(world: FaultyWorld) -> None:
    before = world.documents()
    world.show("/b.rss", *ITEMS)
    world.watch("/b.rss", outlet=OUTLET)
    world.poll()
    unchanged(world, before)


@pytest.mark.parametrize("lane", ["backfill", "live"])
def test_a_file_of_the_same_feed_over_live_data_changes_nothing(world: FaultyWorld, tmp_path: Path, lane: str) -> None:
    before = world.documents()
    path = tmp_path / "old.rss"
    path.write_bytes(rss(ITEMS))
    assert world.ingest(path, lane) == []
    assert world.counts("settle")["duplicate", ""] == 3
    unchanged(world, before)


def test_backfill_that_says_something_else_does_not_undo_the_news(world: FaultyWorld, tmp_path: Path) -> None:
    before = world.documents()
    path = tmp_path / "old.rss"
    path.write_bytes(rss([storm(number, text=f"A storm was forecast for town {number}.") for number in range(3)]))
    world.ingest(path, "backfill")
    unchanged(world, before)


def test_backfill_of_what_is_not_live_is_found_and_never_alerts(world: FaultyWorld, tmp_path: Path) -> None:
    path = tmp_path / "old.rss"
    path.write_bytes(rss([storm(number) for number in range(5)]))
    world.ingest(path, "backfill")
    documents = world.documents()
    assert len(documents) == 5
    assert sorted(article.lane for article in documents.values()) == ["backfill"] * 2 + ["live"] * 3
    assert len(world.hooks()) == 3
    assert len(world.state(lambda state: state.alerts())) == 3
