"""Row 9: what is too large, or holds what no text may hold, is capped, flagged, indexed and found."""

from __future__ import annotations

import json
import resource
from collections.abc import Iterator
from pathlib import Path

import pytest
from fault_parts import FaultyWorld, element, entry, faulty_world, feed_of
from faults.kill.parts import Parts

from pipeline.article import Article, encode_article
from pipeline.text.limits import MAX_BODY_CHARACTERS, MAX_HTML_CHARACTERS
from pipeline.topics import MAX_RECORD_BYTES

MIB = 1024 * 1024
LINK = element("link", "http://harbour.example/huge")
SENTENCE = "The harbour office closed its gates at noon. "


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, parts: Parts) -> Iterator[FaultyWorld]:
    with faulty_world(tmp_path, monkeypatch, parts) as world:
        yield world


def of_size(size: int) -> str:
    """Return a text of so many characters that starts with one word of its own and ends with another."""
    middle = SENTENCE * (size // len(SENTENCE))
    return f"firstword {middle}"[: size - 9] + " lastword"


def highest_memory_bytes() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def the_one(world: FaultyWorld) -> Article:
    (found,) = world.documents().values()
    assert world.dead_letters() == []
    assert len(encode_article(found)) <= MAX_RECORD_BYTES
    return found


def test_an_article_of_5_mib_in_a_feed_is_cut_flagged_and_found(world: FaultyWorld) -> None:
    world.say("/a.rss", feed_of(entry(element("title", "Huge"), LINK, element("description", of_size(5 * MIB)))))
    world.watch("/a.rss")
    world.poll()
    found = the_one(world)
    assert "body_truncated" in found.flags
    assert MAX_HTML_CHARACTERS - 100 <= len(found.body) <= MAX_HTML_CHARACTERS
    assert world.search("firstword AND title:huge") == [found]
    assert world.search("lastword") == []


@pytest.mark.parametrize("name", ["huge.txt", "huge.jsonl", "huge.html", "huge.rss"])
def test_an_article_of_5_mib_in_a_file_is_cut_flagged_and_found(world: FaultyWorld, tmp_path: Path, name: str) -> None:
    text = of_size(5 * MIB)
    path = tmp_path / name
    path.write_bytes({
        "huge.txt": text.encode(),
        "huge.jsonl": json.dumps({"title": "Huge", "body": text}).encode(),
        "huge.html": f"<html><head><title>Huge</title></head><body><p>{text}</p></body></html>".encode(),
        "huge.rss": feed_of(entry(element("title", "Huge"), LINK, element("description", text))),
    }[name])  # fmt: skip
    assert world.ingest(path) == []
    found = the_one(world)
    assert "body_truncated" in found.flags
    assert len(found.body) <= MAX_BODY_CHARACTERS
    assert world.search("firstword") == [found]


def test_a_keyword_of_40_kib_is_cut_flagged_and_the_rest_is_found(world: FaultyWorld, tmp_path: Path) -> None:
    keyword = "k" * 40 * 1024
    media = f'<media:keywords xmlns:media="http://search.yahoo.com/mrss/">{keyword}</media:keywords>'
    title, text = element("title", "Gates"), element("description", SENTENCE)
    world.say("/a.rss", feed_of(
        entry(title, LINK, text, element("category", keyword), element("category", "coast")),
        entry(title, element("link", "http://harbour.example/2"), text, media),
    ))  # fmt: skip
    world.watch("/a.rss")
    world.poll()
    path = tmp_path / "a.jsonl"
    path.write_text(
        json.dumps(
            {"title": "Gates", "body": SENTENCE, "tags": [keyword, "coast"], "authors": keyword, "outlet": keyword}
        )
    )
    assert world.ingest(path) == []
    found = world.documents().values()
    assert len(found) == 3
    assert world.dead_letters() == []
    assert all("list_truncated" in article.flags for article in found)
    assert max(len(word) for article in found for word in (*article.tags, *article.authors, article.outlet)) <= 500
    assert len(world.search("tag:coast")) == 2
    assert len(world.search("gates AND noon")) == 3


def test_a_title_of_10_mib_is_cut_flagged_and_found(world: FaultyWorld, tmp_path: Path) -> None:
    title = of_size(10 * MIB)
    world.say("/a.rss", feed_of(entry(element("title", title), LINK, element("description", SENTENCE))))
    world.watch("/a.rss")
    path = tmp_path / "a.jsonl"
    path.write_text(json.dumps({"title": title, "body": SENTENCE}))
    before = highest_memory_bytes()
    world.poll()
    assert world.ingest(path) == []
    risen = highest_memory_bytes() - before
    found = world.documents().values()
    assert len(found) == 2
    assert world.dead_letters() == []
    for article in found:
        assert "title_truncated" in article.flags
        assert len(article.title) <= 1000
    assert len(world.search("title:firstword")) == 2
    assert risen < 400 * MIB  # some copies of what came while it is read, and none kept


def test_nul_and_lone_surrogates_in_a_feed_go_and_the_words_around_them_are_found(world: FaultyWorld) -> None:
    body = feed_of(
        entry(
            "<title>Ga\0tes &#0; &#xD800; closed</title>",
            LINK,
            "<description>No\0on &#xDFFF; bells &#55296;</description>",
        )
    )
    world.say("/a.rss", body + b"\xed\xa0\x80")
    world.watch("/a.rss")
    world.poll()
    found = the_one(world)
    assert "controls_removed" in found.flags
    encode_article(found).decode("utf-8")
    assert "\0" not in found.title + found.body
    assert world.search("title:closed AND bells") == [found]


@pytest.mark.parametrize(
    "line",
    [
        b'{"title": "Gates\\u0000 closed", "body": "No\\u0000on bells"}',
        b'{"title": "Gates \\ud800 closed", "body": "Noon \\udfff bells"}',
    ],
)
def test_nul_and_lone_surrogates_in_json_lines_go_and_the_words_are_found(
    world: FaultyWorld, tmp_path: Path, line: bytes
) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(line + b"\n" + b'{"title": "Next", "body": "one"}\n')
    assert world.ingest(path) == []
    assert len(world.documents()) == 2
    (found,) = world.search("title:closed AND bells")
    assert "controls_removed" in found.flags
    encode_article(found).decode("utf-8")
    assert not set("\0\ud800\udfff") & set(found.title + found.body)


def test_an_article_that_fills_its_record_to_the_last_byte_still_arrives(world: FaultyWorld, tmp_path: Path) -> None:
    # A quote takes two bytes of JSON and one of text, so that text within its own limits fills the record exactly.
    body = "firstword " + '"' * 300_000 + "\u8a9e" * 99_980
    path = tmp_path / "a.jsonl"
    path.write_text(json.dumps({"title": "Full", "body": body}))
    assert world.ingest(path) == []
    found = the_one(world)
    assert "body_truncated" in found.flags
    assert world.search("firstword") == [found]
