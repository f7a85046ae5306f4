"""Rows 14 and 32: an edit updates in place; what a person deleted stays away, however it comes back, and is counted."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from fault_parts import FaultyWorld, faulty_world, id_of, storm
from faults.kill.parts import Parts
from journey_parts import rss
from stub_server import Answer

from pipeline.ports import Message

GONE, KEPT = storm(1), storm(2)
SECRET = "zanzibarometer"
"""A word that stands in the deleted article only."""


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, parts: Parts) -> Iterator[FaultyWorld]:
    with faulty_world(tmp_path, monkeypatch, parts, host_delay_seconds=0.0) as world:
        yield world


def again(world: FaultyWorld, *items: object) -> None:
    world.show("/a.rss", *items)
    world.clock.forward(61)
    world.poll()


@pytest.mark.parametrize(
    "changes", [{"title": "Storm passes"}, {"text": "It is over."}, {"title": "Storm", "text": "Over."}]
)
def test_an_edit_is_one_more_revision_of_the_same_document(world: FaultyWorld, changes: dict[str, str]) -> None:
    world.watch("/a.rss")
    again(world, storm(1), KEPT)
    before = world.documents()
    again(world, storm(1, **changes), KEPT)
    world.check_nothing_lost()
    after = world.documents()
    edited = after[id_of(GONE.link)]
    assert (edited.revision, edited.first_seen) == (2, before[edited.id].first_seen)
    assert after[id_of(KEPT.link)] == before[id_of(KEPT.link)]
    revisions = world.state(lambda state: [revision.article.revision for revision in state.revisions(edited.id)])
    assert revisions == [1, 2]
    assert len(world.hooks()) == 2


def test_an_edit_and_its_taking_back_are_two_revisions(world: FaultyWorld) -> None:
    world.watch("/a.rss")
    for title in ("Storm", "Storm!", "Storm"):
        again(world, storm(1, title=title))
    (found,) = world.documents().values()
    assert (found.title, found.revision) == ("Storm", 3)
    assert len(world.hooks()) == 1


def test_an_item_that_leaves_the_feed_stays_found_and_coming_back_is_no_news(world: FaultyWorld) -> None:
    world.watch("/a.rss")
    again(world, GONE, KEPT)
    before = world.documents()
    again(world, KEPT)
    assert world.documents() == before
    again(world, GONE, KEPT)
    assert world.documents() == before
    assert len(world.hooks()) == 2


@pytest.fixture
def deleted(world: FaultyWorld) -> FaultyWorld:
    """A world whose first article, with a page and two revisions, was deleted."""
    page = f"<html><body><article><p>{SECRET} {'The storm of the century. ' * 20}</p></article></body></html>"
    world.server.on("/gone", Answer(body=page, headers={"Content-Type": "text/html"}))
    world.show("/kept.rss", KEPT)
    world.watch("/kept.rss")
    world.watch("/a.rss", full_page=True)
    again(world, gone(world))
    assert len(world.search(SECRET)) == 1
    assert len(stored_pages(world)) == 1
    world.delete(id_of(gone(world).link))
    stays_away(world)
    return world


def gone(world: FaultyWorld, text: str = f"A storm with a {SECRET}.") -> object:
    return storm(1, link=world.server.url("/gone"), text=text)


def stored_pages(world: FaultyWorld) -> list[Path]:
    return [path for path in (world.settings.data_folder / "pages").rglob("*.zst") if path.is_file()]


def stays_away(world: FaultyWorld) -> None:
    """Index, pages, record and revisions hold nothing of it; the other article is untouched."""
    ident = id_of(gone(world).link)
    assert set(world.documents()) == {id_of(KEPT.link)}
    assert world.search(SECRET) == []
    assert world.state(lambda state: state.record(ident)) is None
    assert world.state(lambda state: state.revisions(ident)) == []
    assert stored_pages(world) == []
    assert world.state(lambda state: state.queued_pages())["waiting"] == 0
    assert world.waiting() == 0
    assert world.dead_letters() == []


def tombstoned(world: FaultyWorld) -> int:
    return world.counts("settle")["dropped", "tombstoned"]


def test_a_deleted_article_seen_again_by_poll_stays_deleted(deleted: FaultyWorld) -> None:
    again(deleted, gone(deleted))
    stays_away(deleted)
    assert tombstoned(deleted) == 0  # the feed showed it before, so poll did not even publish it
    again(deleted, gone(deleted, text=f"Now with another {SECRET}."))
    stays_away(deleted)
    assert tombstoned(deleted) == 1


def test_a_deleted_article_of_a_feed_added_anew_stays_deleted(deleted: FaultyWorld) -> None:
    deleted.show("/b.rss", gone(deleted))
    deleted.watch("/b.rss", outlet="Another", full_page=True)
    deleted.poll()
    stays_away(deleted)
    assert tombstoned(deleted) == 1


def test_a_replay_of_the_raw_records_does_not_bring_it_back(deleted: FaultyWorld) -> None:
    records = [record for record in deleted.records("articles.raw") if record.key == id_of(gone(deleted).link)]
    assert len(records) == 2  # the feed's form and the page's
    with deleted.ports() as ports:
        ports.broker.publish([Message(topic=r.topic, key=r.key or "", value=r.value) for r in records])
    deleted.run("enrich", "settle", "index", "alert")
    stays_away(deleted)
    assert tombstoned(deleted) == 2


@pytest.mark.parametrize("topic", ["articles.enriched", "articles.ready"])
def test_a_redelivery_behind_enrich_does_not_bring_it_back(deleted: FaultyWorld, topic: str) -> None:
    ident = id_of(gone(deleted).link)
    records = [r for r in deleted.records(topic) if r.key == ident and not r.headers.get("kind")]
    with deleted.ports() as ports:
        ports.broker.publish([Message(topic=topic, key=ident, value=r.value, headers=r.headers) for r in records])
    deleted.run("settle", "index", "alert")
    stays_away(deleted)
    step = "settle" if topic == "articles.enriched" else "index"
    assert deleted.counts(step)["dropped", "tombstoned"] == len(records) == 2


@pytest.mark.parametrize("lane", ["backfill", "live"])
def test_files_do_not_bring_it_back(deleted: FaultyWorld, tmp_path: Path, lane: str) -> None:
    folder = tmp_path / "files"
    folder.mkdir()
    (folder / "old.rss").write_bytes(rss([gone(deleted)]))
    (folder / "page.html").write_text(
        f'<html><head><link rel="canonical" href="{gone(deleted).link}"><title>Storm</title></head><body><article>'
        f"<p>{SECRET} {'The storm of the century. ' * 20}</p></article></body></html>"
    )
    assert deleted.ingest(folder, lane) == []
    stays_away(deleted)
    assert tombstoned(deleted) == 2


def test_a_page_that_arrives_after_the_deletion_is_not_kept(world: FaultyWorld) -> None:
    world.server.on(
        "/gone", Answer(body=f"<html><body><p>{SECRET}</p></body></html>", headers={"Content-Type": "text/html"})
    )
    world.show("/kept.rss", KEPT)
    world.watch("/kept.rss")
    world.watch("/a.rss", full_page=True)
    world.show("/a.rss", gone(world))
    world.run("poll", "fetch")
    assert len(stored_pages(world)) == 1

    world.delete(id_of(gone(world).link))

    stays_away(world)
    assert tombstoned(world) == 2


def test_the_tombstone_says_why_and_keeps_out_what_was_never_seen(world: FaultyWorld) -> None:
    world.delete(id_of(KEPT.link))
    world.watch("/a.rss")
    again(world, GONE, KEPT)
    assert set(world.documents()) == {id_of(GONE.link)}
    assert tombstoned(world) == 1
    with closing(world.parts.holdings(world.settings.data_folder)) as held:
        assert held.rows("SELECT article_id, reason FROM tombstones") == [(id_of(KEPT.link), "asked to")]
