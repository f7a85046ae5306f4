"""What a publisher changes on a page alone is seen while the article is young; what he takes away stays here."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fault_parts import FaultyWorld, faulty_world, storm
from stub_server import Answer

from pipeline.article import Article

HOUR = 3600
REST = (
    "The mayor told everybody to stay at home and to keep away from the breakwater until the wind had gone down. " * 6
)


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultyWorld]:
    """An article of which the feed has a teaser and the page the text, fetched well."""
    with faulty_world(tmp_path, monkeypatch, host_delay_seconds=0.0) as world:
        world.server.on("/page", page("At least 12 people died in the storm."))
        world.show("/a.rss", storm(1, link=world.server.url("/page"), text="A storm."))
        world.watch("/a.rss", full_page=True, interval=30 * 24 * HOUR)
        world.poll()
        yield world


def page(sentence: str, extra: str = "") -> Answer:
    paragraphs = "".join(f"<p>{text}</p>" for text in (sentence, REST))
    article = f"<article><h1>Storm</h1>{paragraphs}</article>"
    body = f"<html><head><title>Storm</title></head><body>{extra}{article}</body></html>"
    return Answer(body=body, headers={"Content-Type": "text/html; charset=utf-8"})


def after(world: FaultyWorld, hours: float) -> Article:
    world.clock.forward(hours * HOUR)
    world.run("fetch", "enrich", "settle", "index", "alert", "deliver")
    (found,) = world.documents().values()
    return found


def requests(world: FaultyWorld) -> int:
    return len([request for request in world.server.requests if request.path == "/page"])


def test_a_figure_that_is_corrected_on_the_page_alone_is_a_revision_that_says_so(world: FaultyWorld) -> None:
    world.server.on("/page", page("At least 17 people died in the storm."))
    found = after(world, 1)
    assert (found.text_from, found.revision) == ("page", 3)
    assert "At least 17 people died" in found.body
    assert found.changes is not None
    assert [(figure.before, figure.after) for figure in found.changes.figures] == [("12", "17")]
    assert found.changes.share < 0.2
    assert len(world.hooks()) == 1


def test_a_page_whose_bytes_alone_change_is_no_revision(world: FaultyWorld) -> None:
    world.server.on("/page", page("At least 12 people died in the storm.", extra="<!-- nonce 4711 -->"))
    assert after(world, 1).revision == 2


def test_a_page_is_visited_at_five_ages_and_never_after(world: FaultyWorld) -> None:
    visits = []
    for _ in range(80):
        before = requests(world)
        after(world, 1)
        visits.append(requests(world) - before)
    assert [hour for hour, number in enumerate(visits, start=1) if number] == [1, 4, 12, 24, 72]
    assert world.state(lambda state: state.queued_pages()) == {"waiting": 0, "failed": 0, "again": 0}
    assert world.counts("settle") == {("published", ""): 1, ("updated", ""): 1}


def test_a_page_that_is_taken_away_leaves_its_text_and_says_so(world: FaultyWorld) -> None:
    world.server.on("/page", Answer(status=410))
    found = after(world, 1)
    assert "At least 12 people died" in found.body
    assert (found.text_from, found.revision) == ("page", 2)
    assert "page_gone" in found.flags


def test_a_page_that_turns_into_a_wall_leaves_its_text(world: FaultyWorld) -> None:
    wall = "<html><body><p>Please enable JavaScript.</p></body></html>"
    world.server.on("/page", Answer(body=wall, headers={"Content-Type": "text/html"}))
    found = after(world, 1)
    assert "At least 12 people died" in found.body
    assert found.revision == 2
