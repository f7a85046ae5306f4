"""Rows 12 and 32: an archive over live data, news over an archive, and an archive that holds what was deleted."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from fault_parts import FaultyWorld, faulty_world, id_of, storm
from ingest.warc_parts import Warc
from journey_parts import rss

from pipeline import steps
from pipeline.article import Article, encode_article
from pipeline.ports import Message

ITEM = storm(1)
OUTLET = "harbour.example"
"""As a file understands where an article is from, so that both speak for it."""
KINDS = ["warc page", "warc feed", "jsonl", "feed"]


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultyWorld]:
    with faulty_world(tmp_path, monkeypatch) as world:
        yield world


def archived(world: FaultyWorld, kind: str, *, text: str = "", age: timedelta = timedelta()) -> Path:
    """Write the article as an archive has it, with a text of its own, published so long ago."""
    published = (world.clock() - age).isoformat()
    text = text or "A storm was forecast for the town, said the archive. " * 4
    path = world.folder / "archive"
    head = f'<title>Storm, once</title><meta property="article:published_time" content="{published}">'
    page = f"<html><head>{head}</head><body><article><p>{text}</p></article></body></html>".encode()
    feed = rss([storm(1, text=text)]).replace(b"</item>", f"<pubDate>{published}</pubDate></item>".encode())
    line = f'{{"url": "{ITEM.link}", "title": "T", "body": "{text}", "outlet": "{OUTLET}", "published": "{published}"}}'
    path.write_bytes({
        "warc page": bytes(Warc().add(ITEM.link, page)),
        "warc feed": bytes(Warc().add("http://harbour.example/rss", feed, "application/rss+xml")),
        "jsonl": line.encode(),
        "feed": feed,
    }[kind])  # fmt: skip
    return path


def only(world: FaultyWorld) -> Article:
    (article,) = world.documents().values()
    assert article.id == id_of(ITEM.link)
    return article


def go_live(world: FaultyWorld) -> None:
    world.show("/a.rss", ITEM)
    world.watch("/a.rss", outlet=OUTLET)
    world.poll()


def alerts(world: FaultyWorld) -> int:
    """Return how many alerts there are; each was told once."""
    raised = world.state(lambda state: state.alerts())
    assert len(world.hooks()) == len(raised)
    return len(raised)


@pytest.mark.parametrize("kind", KINDS)
def test_an_archive_over_live_data_revises_nothing_and_alerts_nobody(world: FaultyWorld, kind: str) -> None:
    go_live(world)
    before = world.documents()
    assert alerts(world) == 1
    assert world.ingest(archived(world, kind), "backfill") == []
    assert world.documents() == before
    assert (only(world).lane, only(world).revision, alerts(world)) == ("live", 1, 1)


@pytest.mark.parametrize("kind", KINDS)
def test_news_within_48_hours_that_an_archive_brought_first_is_an_alert_when_a_feed_shows_it(
    world: FaultyWorld, kind: str
) -> None:
    assert world.ingest(archived(world, kind, age=timedelta(hours=47)), "backfill") == []
    assert (only(world).lane, alerts(world)) == ("backfill", 0)
    go_live(world)
    assert (only(world).lane, alerts(world)) == ("live", 1)
    world.ingest(archived(world, kind, text="Once more, and told by the archive again. " * 4), "backfill")
    assert alerts(world) == 1


@pytest.mark.parametrize("kind", KINDS)
def test_what_was_published_longer_ago_stays_an_archive_s_when_a_feed_shows_it(world: FaultyWorld, kind: str) -> None:
    world.ingest(archived(world, kind, age=timedelta(hours=49)), "backfill")
    go_live(world)
    assert (only(world).lane, alerts(world)) == ("backfill", 0)


@pytest.mark.parametrize("kind", KINDS)
def test_what_was_deleted_stays_deleted_whatever_archive_holds_it(world: FaultyWorld, kind: str) -> None:
    go_live(world)
    world.delete(id_of(ITEM.link))
    world.ingest(archived(world, kind), "backfill")
    assert world.documents() == {}
    assert world.counts("settle")["dropped", "tombstoned"] == 1
    assert list((world.folder / "data" / "pages").rglob("*.zst")) == []


def turn(world: FaultyWorld, step: str) -> None:
    """Let a step handle one batch."""
    looks = 0

    def wait(seconds: float) -> bool:
        nonlocal looks
        looks += not seconds
        return looks > 2  # once before it begins, once before its batch

    with world.ports() as ports:
        steps.STEPS[step](ports, wait, once=True)


def test_a_live_article_waits_for_no_archive_however_much_of_it_is_under_way(world: FaultyWorld) -> None:
    old = [Article(id=id_of(f"http://old.example/{n}"), lane="backfill", title=f"Old {n}") for n in range(1_000)]
    with world.ports() as ports:
        messages = [Message(topic="backfill.raw", key=one.id, value=encode_article(one)) for one in old]
        assert ports.broker.publish(messages) == [None] * len(messages)
    for step in ("enrich", "enrich", "settle"):  # 400 are enriched, 200 of them settled
        turn(world, step)
    world.show("/a.rss", ITEM)
    world.watch("/a.rss", outlet=OUTLET)
    world.run("poll")
    for step in ("enrich", "settle", "index", "alert"):
        turn(world, step)
    assert only(world).lane == "live"
    assert len(world.state(lambda state: state.alerts())) == 1
    assert world.waiting() == 600 + 200 + 200
    world.run("enrich", "settle", "index")
    assert len(world.documents()) == 1_001
