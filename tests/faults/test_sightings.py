"""Row 30: what one outlet says of another's article, or of its own place on another's site, changes nothing there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fault_parts import FaultyWorld, faulty_world, id_of, storm
from journey_parts import Item
from stub_server import Answer

from pipeline.article import Article

HTML = {"Content-Type": "text/html; charset=utf-8"}
B_LINK = "http://b.example/storm"
B_ITEM = storm(1, link=B_LINK)


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultyWorld]:
    """Outlet B has published an article."""
    with faulty_world(tmp_path, monkeypatch, host_delay_seconds=0.0) as world:
        world.show("/b.rss", B_ITEM)
        world.watch("/b.rss", outlet="B")
        world.poll()
        yield world


def article_of_b(world: FaultyWorld) -> Article:
    return world.documents()[id_of(B_LINK)]


def page(text: str, canonical: str) -> Answer:
    head = f'<head><link rel="canonical" href="{canonical}"></head>'
    body = f"<html>{head}<body><article><p>{text}</p></article></body></html>"
    return Answer(body=body, headers=HTML)


def test_a_feed_of_a_with_b_s_link_and_other_text_is_a_sighting(world: FaultyWorld) -> None:
    before = article_of_b(world)
    world.show(
        "/a.rss", storm(1, link=B_LINK + "?utm_source=a", title="You will not believe this storm", text="Click.")
    )
    feed = world.watch("/a.rss", outlet="A")
    world.poll()
    assert world.documents() == {before.id: before}
    record = world.state(lambda state: state.record(before.id))
    assert (record.article, record.seen_in) == (before, (feed.id,))
    assert len(world.state(lambda state: state.revisions(before.id))) == 1
    assert world.counts("settle") == {("published", ""): 1, ("duplicate", ""): 1}
    assert len(world.hooks()) == 1


def test_a_sighting_that_is_edited_is_still_one_and_b_may_still_edit(world: FaultyWorld) -> None:
    feed = world.watch("/a.rss", outlet="A")
    for text in ("Click.", "Click here."):
        world.show("/a.rss", storm(1, link=B_LINK, text=text))
        world.poll()
        world.clock.forward(61)
    assert article_of_b(world).revision == 1
    assert world.state(lambda state: state.record(id_of(B_LINK))).seen_in == (feed.id,)
    assert world.counts("settle")["duplicate", ""] == 2
    world.show("/b.rss", storm(1, link=B_LINK, text="The storm is over."))
    world.poll()
    assert (article_of_b(world).body, article_of_b(world).revision) == ("The storm is over.", 2)


@pytest.mark.parametrize("known_first", ["B", "A"])
def test_a_page_of_a_that_claims_b_s_address_leaves_b_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, known_first: str
) -> None:
    stolen = "A storm that only the page of A tells of, at some length, so that it is taken for an article. " * 5
    with faulty_world(tmp_path, monkeypatch, host_delay_seconds=0.0) as world:
        world.server.on("/story", page(stolen, B_LINK))
        own = Item(link=world.server.url("/story"), title="Storm at A", text="A storm.")
        world.show("/a.rss", own)
        world.show("/b.rss", B_ITEM)
        for name in ("B", "A") if known_first == "B" else ("A", "B"):
            world.watch(f"/{name.lower()}.rss", outlet=name, full_page=name == "A")
            world.poll()
        documents = world.documents()
        assert set(documents) == {id_of(own.link), id_of(B_LINK)}
        b, a = documents[id_of(B_LINK)], documents[id_of(own.link)]
        assert (b.title, b.body, b.outlet, b.revision, b.canonical_url) == (B_ITEM.title, B_ITEM.text, "B", 1, "")
        assert (a.canonical_url, a.text_from, a.url) == (B_LINK, "page", own.link)
        assert a.body == stolen.strip()
        assert world.state(lambda state: state.record(b.id)).seen_in == ()
        assert len(world.hooks()) == 2


def test_a_page_that_names_another_address_of_its_own_site_is_the_same_article(world: FaultyWorld) -> None:
    text = "A storm that the page tells of, at some length, so that it is taken for an article and not a teaser. " * 5
    world.server.on("/amp/story", page(text, world.server.url("/story")))
    world.show("/c.rss", Item(link=world.server.url("/amp/story"), title="Storm at C", text="A storm."))
    world.watch("/c.rss", outlet="C", full_page=True)
    world.poll()
    world.show("/d.rss", Item(link=world.server.url("/story"), title="Storm at C", text="A storm."))
    world.watch("/d.rss", outlet="C")
    world.poll()
    mine = [found for found in world.documents().values() if found.outlet == "C"]
    assert [found.id for found in mine] == [id_of(world.server.url("/amp/story"))]
    assert len(world.hooks()) == 2
