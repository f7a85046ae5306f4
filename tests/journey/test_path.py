"""One article's way from a feed to search and alert, through real HTTP: on the embedded parts, and on a cluster."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from faults.kill.parts import Parts
from journey_parts import Item, World
from stub_server import Answer, StubServer

TEXT = (
    "The ferry Northern Star ran aground off the breakwater on Monday morning. All ninety passengers were brought "
    "ashore by two pilot boats within the hour, the harbour office said, and nobody was hurt."
)
FERRY = Item(link="http://harbour.example/ferry?utm_source=rss", title="Ferry aground", text=TEXT)
TALKS = Item(
    link="http://harbour.example/talks", title="Talks resume",
    text="Officials said a delegation of Hezbollah would not attend the talks that resume in the capital this week.",
)  # fmt: skip


@pytest.fixture
def world(parts: Parts, tmp_path: Path) -> Iterator[World]:
    with StubServer() as server:
        yield World(tmp_path, server, parts)


def test_an_article_arrives_is_found_and_raises_one_alert(world: World) -> None:
    world.feed("/a.rss", FERRY, TALKS)
    world.run()
    (found,) = world.search("breakwater AND passengers")
    assert (found.title, found.outlet, found.language, found.revision) == ("Ferry aground", "Harbour Times", "en", 1)
    assert found.body == TEXT
    alerts = world.state(lambda state: state.alerts())
    assert {alert.rule for alert in alerts} == {"ferry", "hezbollah"}
    (hook,) = world.hooks()
    assert json.loads(hook.body)["data"]["rule"] == "hezbollah"


def test_the_second_poll_is_conditional_and_brings_nothing_new(world: World) -> None:
    world.feed("/a.rss", FERRY)
    world.run()
    world.later()
    polls = [r for r in world.server.requests if r.path == "/a.rss"]
    assert "if-none-match" not in polls[0].headers
    assert "if-none-match" in polls[1].headers
    assert len(world.search()) == 1
    assert len(world.state(lambda state: state.alerts())) == 1


def test_an_edit_updates_in_place_and_does_not_alert_again(world: World) -> None:
    world.feed("/a.rss", FERRY)
    world.run()
    first = world.search()[0]
    world.feed("/a.rss", Item(link=FERRY.link, title="Ferry afloat again", text=TEXT.replace("ninety", "eighty")))
    world.later()
    (found,) = world.search()
    assert (found.id, found.title, found.revision) == (first.id, "Ferry afloat again", 2)
    assert found.first_seen == first.first_seen
    assert len(world.state(lambda state: state.alerts())) == 1


def test_one_text_of_three_outlets_is_one_family_and_one_alert(world: World) -> None:
    for number, outlet in enumerate(("Harbour Times", "Mirror", "Northern Post")):
        copy = Item(link=f"http://{outlet.replace(' ', '')}.example/{number}", title="Ferry aground", text=TEXT)
        world.feed(f"/{number}.rss", copy, outlet=outlet)
    world.run()
    found = world.search("ferry")
    assert len(found) == 3
    assert len({article.family for article in found}) == 1
    assert len(world.state(lambda state: state.alerts())) == 1


def test_the_page_of_a_feed_that_wants_it_replaces_the_teaser(world: World) -> None:
    paragraphs = "".join(f"<p>Paragraph {n}. {TEXT}</p>" for n in range(4))
    html = (
        f"<html><head><title>x</title></head><body><article><h1>Ferry aground</h1>{paragraphs}</article></body></html>"
    )
    world.server.on("/ferry", Answer(body=html, headers={"Content-Type": "text/html; charset=utf-8"}))
    teaser = Item(link=world.server.url("/ferry"), title="Ferry aground", text="A ferry ran aground.")
    world.feed("/a.rss", teaser, full_page=True)
    world.run()
    (found,) = world.search()
    assert "Paragraph 3." in found.body
    assert (found.text_from, found.revision) == ("page", 2)


def test_a_page_that_never_comes_leaves_the_teaser(world: World) -> None:
    world.server.on("/ferry", Answer(status=404))
    world.feed(
        "/a.rss", Item(link=world.server.url("/ferry"), title="Ferry aground", text="A ferry ran."), full_page=True
    )
    world.run()
    (found,) = world.search()
    assert (found.text_from, found.body) == ("feed", "A ferry ran.")
    assert world.state(lambda state: state.queued_pages()) == {"waiting": 0, "failed": 1, "again": 0}


def test_a_broken_feed_does_not_keep_the_others_from_being_polled(world: World) -> None:
    world.feed("/a.rss", FERRY)
    broken = world.feed("/b.rss")
    world.server.on("/b.rss", Answer(body="<html><body>Sorry</body></html>", headers={"Content-Type": "text/html"}))
    world.run()
    assert len(world.search()) == 1
    known = world.state(lambda state: state.feed(broken.id))
    assert known.state.status == "failed"
    assert "HTML" in known.state.cause or "not a feed" in known.state.cause


def test_a_webhook_that_is_down_gets_its_alert_later(world: World) -> None:
    world.server.on("/hook", Answer(status=500), Answer(status=204))
    world.feed("/a.rss", TALKS)
    world.run()
    assert world.state(lambda state: state.queued_deliveries()).get("waiting") == 1
    world.later()
    assert len(world.hooks()) == 2
    assert not world.state(lambda state: state.queued_deliveries()).get("waiting")


def test_each_step_works_alone_and_they_meet_at_topics(world: World) -> None:
    world.feed("/a.rss", FERRY)
    for name in ("poll", "enrich", "settle"):
        world.run(name)
        assert world.search() == []
    world.run("index")
    assert len(world.search()) == 1
