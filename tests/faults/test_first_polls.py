"""The first poll of a feed raises no alert, however long the feed; what comes after it does."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from fault_parts import FaultyWorld, element, entry, faulty_world, feed_of, id_of, storm
from journey_parts import rss
from stub_server import Answer

from pipeline.poll.run import PollReport


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultyWorld]:
    with faulty_world(tmp_path, monkeypatch, host_delay_seconds=0.0) as world:
        yield world


OLD = [storm(number) for number in range(40)]


def later(world: FaultyWorld, seconds: float = 61) -> PollReport:
    world.clock.forward(seconds)
    return world.poll()


def told(world: FaultyWorld) -> Sequence[str]:
    return sorted(alert.title for alert in world.state(lambda state: state.alerts(limit=1_000)))


def dated(number: int, published: datetime, text: str = "A storm.") -> str:
    stamp = published.strftime("%a, %d %b %Y %H:%M:%S GMT")
    return entry(
        element("title", f"Storm over town {number}"), element("link", f"http://harbour.example/{number}"),
        element("description", text), f"<pubDate>{stamp}</pubDate>",
    )  # fmt: skip


def test_a_feed_of_forty_items_is_found_and_raises_nothing_and_the_next_item_does(world: FaultyWorld) -> None:
    world.show("/a.rss", *OLD)
    world.watch("/a.rss", is_new=True)
    world.poll()
    assert len(world.documents()) == 40
    assert all(article.first_poll for article in world.documents().values())
    assert world.counts("alert")["dropped", "first poll"] == 40
    world.show("/a.rss", storm(40), *OLD)
    later(world)
    world.check_nothing_lost()
    assert told(world) == ["Storm over town 40"]
    assert len(world.hooks()) == 1


def test_a_feed_that_fails_at_first_is_read_for_the_first_time_when_it_is_read(world: FaultyWorld) -> None:
    world.say("/a.rss", "<html><body>Sorry</body></html>")
    world.watch("/a.rss", is_new=True)
    world.poll()
    world.show("/a.rss", *OLD[:3])
    later(world, 24 * 3600)
    assert (len(world.documents()), told(world)) == (3, [])


def test_what_another_feed_that_was_read_before_brings_as_well_is_news(world: FaultyWorld) -> None:
    world.watch("/b.rss", outlet="B")
    world.show("/b.rss")
    world.show("/a.rss", *OLD[:3])
    world.watch("/a.rss", is_new=True, outlet="A")
    world.poll()
    assert told(world) == []
    world.show("/b.rss", OLD[1])
    later(world)
    assert told(world) == [OLD[1].title]
    assert len(world.documents()) == 3
    found = world.documents()[id_of(OLD[1].link)]
    assert (found.outlet, found.first_poll, found.revision) == ("A", False, 1)


def test_two_feeds_that_are_added_together_make_no_news_of_each_other(world: FaultyWorld) -> None:
    for name in ("a", "b"):
        world.show(f"/{name}.rss", *OLD[:3])
        world.watch(f"/{name}.rss", is_new=True, outlet=name)
    world.poll()
    assert told(world) == []


def test_a_feed_that_is_added_makes_no_second_alert_of_what_is_news_already(world: FaultyWorld) -> None:
    world.show("/a.rss", *OLD[:3])
    world.watch("/a.rss")
    world.poll()
    world.show("/b.rss", *OLD[:5])
    world.watch("/b.rss", is_new=True, outlet="B")
    later(world)
    assert told(world) == sorted(item.title for item in OLD[:3])


def test_an_edit_of_what_is_younger_than_two_days_is_news_and_one_of_what_is_older_is_not(world: FaultyWorld) -> None:
    young, old = world.clock() - timedelta(hours=1), world.clock() - timedelta(hours=72)
    world.say("/a.rss", feed_of(dated(1, young), dated(2, old)))
    world.watch("/a.rss", is_new=True)
    world.poll()
    world.say("/a.rss", feed_of(dated(1, young, "A storm with 3 dead."), dated(2, old, "A storm with 3 dead.")))
    later(world)
    assert [found.revision for found in world.documents().values()] == [2, 2]
    assert told(world) == ["Storm over town 1"]


def test_the_page_of_what_stood_there_is_no_edit(world: FaultyWorld) -> None:
    page = (
        f"<html><body><article><p>{'The storm of the century came ashore at noon. ' * 20}</p></article></body></html>"
    )
    world.server.on("/page", Answer(body=page, headers={"Content-Type": "text/html"}))
    world.show("/a.rss", storm(1, link=world.server.url("/page"), text="A storm."))
    world.watch("/a.rss", is_new=True, full_page=True)
    world.poll()
    (found,) = world.documents().values()
    assert (found.text_from, found.first_poll, found.revision) == ("page", True, 2)
    assert found.changes is not None
    assert found.changes.page_replaced_feed
    assert told(world) == []


def test_a_file_is_never_a_first_poll(world: FaultyWorld, tmp_path: Path) -> None:
    path = tmp_path / "a.rss"
    path.write_bytes(rss(OLD[:2]))
    world.ingest(path)
    assert len(told(world)) == 2


def test_a_feed_removed_and_added_anew_is_read_for_the_first_time(world: FaultyWorld) -> None:
    world.show("/a.rss", *OLD[:2])
    feed = world.watch("/a.rss")
    world.poll()
    world.state(lambda state: state.remove_feed(feed.id))
    world.show("/a.rss", *OLD[:9])
    world.watch("/a.rss", is_new=True)
    later(world)
    assert len(world.documents()) == 9
    assert told(world) == sorted(item.title for item in OLD[:2])


# --- static feeds: what has been there for long does not come back as new


def test_items_that_stay_in_a_feed_for_half_a_year_are_never_new_again(world: FaultyWorld) -> None:
    world.show("/a.rss", *OLD[:3])
    world.watch("/a.rss")
    world.poll()
    for day in range(0, 180, 30):
        world.clock.forward(30 * 24 * 3600)
        world.run("housekeeping")
        # other bytes, so that the body is read: every second time only
        world.show("/a.rss", *(reversed(OLD[:3]) if day % 60 else OLD[:3]))
        report = world.poll()
        assert not any(result.counts.get(("published", "")) for result in report.results)
    assert len(world.hooks()) == 3
    assert world.counts("settle") == {("published", ""): 3}


def test_a_feed_paused_for_a_year_shows_nothing_of_the_old_as_new(world: FaultyWorld) -> None:
    world.show("/a.rss", *OLD[:3])
    feed = world.watch("/a.rss")
    world.poll()
    world.state(lambda state: state.pause_feed(feed.id, True))
    for _ in range(4):
        world.clock.forward(91 * 24 * 3600)
        world.run("housekeeping")
    world.state(lambda state: state.pause_feed(feed.id, False))
    world.show("/a.rss", storm(50), *OLD[:3])
    world.poll()
    assert len(world.documents()) == 4
    assert world.counts("settle") == {("published", ""): 4}
    assert len(told(world)) == 4


def test_a_feed_that_is_imported_again_keeps_what_it_has_shown(world: FaultyWorld) -> None:
    world.show("/a.rss", *OLD[:3])
    feed = world.watch("/a.rss")
    world.poll()
    with world.ports() as ports:
        ports.state.save_feeds([feed])
    world.show("/a.rss", *reversed(OLD[:3]))
    later(world)
    assert len(world.records("articles.raw")) == 3
    assert len(told(world)) == 3


# --- several feeds of one outlet


def test_one_item_in_two_feeds_of_an_outlet_edited_in_one_is_one_article_with_the_edit(world: FaultyWorld) -> None:
    for name in ("/front.rss", "/weather.rss"):
        world.watch(name, outlet="Harbour Times")
        world.show(name, storm(1, text="At least 12 dead."))
    world.poll()
    world.show("/weather.rss", storm(1, text="At least 17 dead."))
    later(world)
    (found,) = world.documents().values()
    assert (found.body, found.revision) == ("At least 17 dead.", 2)
    assert found.changes is not None
    assert [(figure.before, figure.after) for figure in found.changes.figures] == [("12", "17")]
    for _ in range(2):  # the other feed, which still has the first text, is read and says nothing new
        later(world)
    (found,) = world.documents().values()
    assert (found.body, found.revision) == ("At least 17 dead.", 2)
    world.show("/front.rss", storm(1, text="At least 17 dead."))
    later(world)
    (found,) = world.documents().values()
    assert (found.body, found.revision, len(world.hooks())) == ("At least 17 dead.", 2, 1)
