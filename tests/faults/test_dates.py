"""Row 15: dates that cannot be, and a clock that is not to be trusted: clamped, flagged, and never part of an id."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from fault_parts import FaultyWorld, element, entry, faulty_world, feed_of, id_of, storm

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
LINK = "http://harbour.example/dated"
HOUR = timedelta(hours=1)
DATES = {
    "Fri, 01 Jan 2990 00:00:00 GMT": (NOW, ("published_clamped",)),
    "Tue, 01 Jan 1901 00:00:00 GMT": (None, ("published_clamped",)),
    "32 Foo": (None, ("published_unreadable",)),
    "2026-03-01T10:00:00": (datetime(2026, 3, 1, 10, tzinfo=UTC), ()),
    "2026-03-01T23:00:00+14:00": (datetime(2026, 3, 1, 9, tzinfo=UTC), ()),
    "2026-03-02T01:00:00+14:00": (datetime(2026, 3, 1, 11, tzinfo=UTC), ()),
    "2026-03-01T12:00:01": (NOW, ("published_clamped",)),
    "2026-03-02T01:00:00": (NOW, ("published_clamped",)),
    "0001-01-01T00:00:00+14:00": (None, ("published_unreadable",)),
    "9999-12-31T23:59:59-14:00": (None, ("published_unreadable",)),
    "": (None, ()),
}


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultyWorld]:
    with faulty_world(tmp_path, monkeypatch) as world:
        yield world


def dated(date: str, link: str = LINK, title: str = "Storm") -> str:
    return entry(
        element("title", title), element("link", link), element("pubDate", date), "<description>Wind.</description>"
    )


def test_each_impossible_date_is_clamped_and_flagged_and_no_delay_is_negative(world: FaultyWorld) -> None:
    links = {date: f"{LINK}/{number}" for number, date in enumerate(DATES)}
    world.say("/a.rss", feed_of(*(dated(date, link) for date, link in links.items())))
    world.watch("/a.rss")
    world.poll()
    documents = world.documents()
    for date, expected in DATES.items():
        found = documents[id_of(links[date])]
        assert (found.published, tuple(flag for flag in found.flags if "published" in flag)) == expected, date
    assert all(found.first_seen == NOW for found in documents.values())
    assert all(found.first_seen >= found.published for found in documents.values() if found.published)


def test_a_date_that_changes_changes_neither_the_id_nor_the_revision(world: FaultyWorld) -> None:
    world.watch("/a.rss")
    for date in DATES:
        world.say("/a.rss", feed_of(dated(date)))
        world.poll()
        world.clock.forward(61)
    (found,) = world.documents().values()
    assert (found.id, found.revision, len(world.hooks())) == (id_of(LINK), 1, 1)


def test_a_date_line_of_tomorrow_does_not_make_a_delay_negative(world: FaultyWorld, tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text(f"date 2026-03-02 {'The storm of the century. ' * 10}")
    assert world.ingest(path) == []
    (found,) = world.documents().values()
    assert found.published is None or found.published <= found.first_seen


@pytest.mark.parametrize("step", [-HOUR, HOUR], ids=["set back", "set forward"])
def test_a_clock_that_is_put_right_stalls_no_feed_and_changes_no_id(world: FaultyWorld, step: timedelta) -> None:
    feed = world.watch("/a.rss", interval=900)
    world.show("/a.rss", storm(1))
    world.poll()
    world.clock.now += step
    world.show("/a.rss", storm(1, title="Storm, corrected"), storm(2))
    for _ in range(6):  # an hour and a half: the hour that the clock jumped, and the feed's own interval
        world.run("poll")
        world.clock.forward(900)
        state = world.known(feed).state
        assert state.next_due - state.last_polled == timedelta(seconds=900)
    world.run("enrich", "settle", "index", "alert", "deliver")
    world.check_nothing_lost()
    documents = world.documents()
    edited, new = documents[id_of(storm(1).link)], documents[id_of(storm(2).link)]
    assert (edited.revision, edited.first_seen) == (2, NOW)
    assert (new.revision, new.first_seen <= world.clock()) == (1, True)
    assert len(world.hooks()) == 2


def test_each_first_seen_is_what_the_clock_said_then_however_it_jumps(world: FaultyWorld) -> None:
    seen: dict[str, datetime] = {}
    steps = [HOUR, -2 * HOUR, HOUR, timedelta(seconds=-1), timedelta(days=-40), timedelta(days=80)]
    for number, step in enumerate(steps):
        world.clock.now += step
        seen[id_of(storm(number).link)] = world.clock()
        world.show(f"/{number}.rss", storm(number))
        world.watch(f"/{number}.rss")
        world.poll()
        assert {ident: found.first_seen for ident, found in world.documents().items()} == seen
    world.check_nothing_lost()
    assert len(world.hooks()) == len(steps)
