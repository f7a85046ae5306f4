"""Row 13: guids that do not do what guids are for; and items that have nothing to be known by, or nothing to say."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fault_parts import FaultyWorld, element, entry, faulty_world, feed_of, storm

from pipeline.outcomes import DropReason, Status


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultyWorld]:
    with faulty_world(tmp_path, monkeypatch) as world:
        yield world


def test_one_guid_with_two_links_is_two_documents(world: FaultyWorld) -> None:
    world.show("/a.rss", storm(1, guid="same"), storm(2, guid="same"))
    world.watch("/a.rss")
    world.poll()
    world.check_nothing_lost()
    assert len(world.documents()) == len(world.hooks()) == 2


def test_one_guid_whose_link_changes_at_the_next_poll_is_two_documents(world: FaultyWorld) -> None:
    world.watch("/a.rss")
    for number in (1, 2):
        world.show("/a.rss", storm(number, guid="same"))
        world.poll()
        world.clock.forward(61)
    world.check_nothing_lost()
    assert len(world.documents()) == len(world.hooks()) == 2


def test_a_guid_that_changes_at_each_fetch_is_one_document_and_one_alert(world: FaultyWorld) -> None:
    world.watch("/a.rss")
    for number in range(4):
        world.show("/a.rss", storm(1, guid=f"made up at fetch {number}"))
        world.poll()
        world.clock.forward(61)
    world.check_nothing_lost()
    (found,) = world.documents().values()
    assert (found.revision, len(world.hooks())) == (1, 1)
    assert len(world.records("articles.raw")) == 1


def test_an_item_without_guid_link_and_date_is_known_by_its_text(world: FaultyWorld) -> None:
    bare = entry(element("title", "Storm"), element("description", "Nobody knows where it is."))
    other = entry(element("title", "Storm"), element("description", "It is here."))
    world.watch("/a.rss")
    for entries in ((bare,), (bare, other), (other, bare)):
        world.say("/a.rss", feed_of(*entries))
        world.poll()
        world.clock.forward(61)
    assert sorted(found.body for found in world.documents().values()) == ["It is here.", "Nobody knows where it is."]
    assert all(found.revision == 1 for found in world.documents().values())
    assert len(world.hooks()) == 2


def test_an_item_with_a_guid_alone_is_updated_in_place(world: FaultyWorld) -> None:
    guid = '<guid isPermaLink="false">tag:1</guid>'
    world.watch("/a.rss")
    for text in ("It comes.", "It came."):
        world.say("/a.rss", feed_of(entry(guid, element("title", "Storm"), element("description", text))))
        world.poll()
        world.clock.forward(61)
    (found,) = world.documents().values()
    assert (found.body, found.revision) == ("It came.", 2)


def test_an_item_with_nothing_to_be_known_by_is_a_counted_drop_and_the_others_go_on(world: FaultyWorld) -> None:
    nothing = entry("<pubDate>Sun, 01 Mar 2026 10:00:00 GMT</pubDate>", element("category", "weather"))
    whole = entry(element("title", "Storm"), element("link", "http://harbour.example/1"))
    world.say("/a.rss", feed_of(nothing, whole, nothing))
    world.watch("/a.rss")
    (result,) = world.poll().results
    assert result.counts == {(Status.DROPPED, DropReason.NO_IDENTITY): 2, (Status.PUBLISHED, ""): 1}
    assert [found.title for found in world.documents().values()] == ["Storm"]
    assert world.dead_letters() == []


@pytest.mark.parametrize(
    "text", ["", "<p> </p>", "<script>alert(1)</script>", "&#0;&#8203;", "<img src='http://x.example/y.png'/>"]
)
def test_an_article_without_text_is_a_counted_drop(world: FaultyWorld, text: str) -> None:
    empty = entry(element("link", "http://harbour.example/empty"), element("description", text))
    whole = entry(element("title", "Storm"), element("link", "http://harbour.example/1"))
    world.say("/a.rss", feed_of(empty, whole))
    world.watch("/a.rss")
    world.poll()
    assert world.counts("enrich") == {("dropped", "no_text"): 1, ("published", ""): 1}
    assert [found.title for found in world.documents().values()] == ["Storm"]
    assert world.dead_letters() == []


BAD_LINES = {
    b"{}": "neither title nor body",
    b'{"url": "http://harbour.example/1"}': "neither title nor body",
    b'{"title": " \\u0000\\u200b", "body": "\\n"}': None,
    b"[]": "a JSON object is wanted",
    b'{"title": 5}': "Expected `str`",
    b'{"title": "cut': "not an article",
}
"""Lines of JSON, and what is said of each; None: read, and then dropped, since nothing is left of its text."""


def test_bad_lines_of_a_file_are_each_named_or_counted_and_the_others_arrive(
    world: FaultyWorld, tmp_path: Path
) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(
        b"\n".join([b'{"title": "Storm", "body": "first"}', *BAD_LINES, b'{"title": "Storm", "body": "last"}'])
    )
    problems = {problem.line: problem.message for problem in world.ingest(path)}
    said = {number: words for number, words in enumerate(BAD_LINES.values(), start=2) if words}
    assert problems.keys() == said.keys()
    assert all(words in problems[number] for number, words in said.items())
    assert sorted(found.body for found in world.documents().values()) == ["first", "last"]
    assert world.counts("enrich")["dropped", "no_text"] == 1
