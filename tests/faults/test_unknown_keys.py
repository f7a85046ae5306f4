"""Row 11: an item with 2,000 unknown keys is found like any other, and the index has no field more than before."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from fault_parts import FaultyWorld, element, entry, faulty_world, feed_of, storm
from faults.kill.parts import Parts

LINK = "http://harbour.example/x"
SENTENCE = "The harbour office closed its gates at noon."


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, parts: Parts) -> Iterator[FaultyWorld]:
    with faulty_world(tmp_path, monkeypatch, parts) as world:
        world.show("/before.rss", storm(1))
        world.watch("/before.rss")
        world.poll()
        yield world


def mapping(world: FaultyWorld) -> object:
    return world.parts.mapping(world.settings.data_folder)


def test_2000_unknown_elements_of_an_item_leave_the_mapping_as_it_was(world: FaultyWorld) -> None:
    before = mapping(world)
    unknown = "".join(
        f'<x:key{n} xmlns:x="urn:x" a="{n}">value {n}</x:key{n}><plain{n}>{n}</plain{n}>' for n in range(1000)
    )
    world.say("/a.rss", feed_of(
        entry(element("title", "Gates"), element("link", LINK), unknown, element("description", SENTENCE))
    ))  # fmt: skip
    world.watch("/a.rss")
    world.poll()
    (found,) = world.search("gates AND noon")
    assert (found.title, found.body) == ("Gates", SENTENCE)
    assert mapping(world) == before
    assert world.search("value") == []


@pytest.mark.parametrize("kind", ["texts", "every type", "names of fields"])
def test_2000_unknown_keys_of_a_json_line_leave_the_mapping_as_it_was(
    world: FaultyWorld, tmp_path: Path, kind: str
) -> None:
    before = mapping(world)
    values = ["value", 1, 1.5, True, None, [1, "a"], {"deep": {"er": 1}}, "2026-01-01"]
    unknown = {
        "texts": {f"key{n}": f"value {n}" for n in range(2000)},
        "every type": {f"key{n}": values[n % len(values)] for n in range(2000)},
        "names of fields": {f"title_tokens.{n}": "gates" for n in range(1990)}
        | {
            "title_tokens": 1,
            "version": "x",
            "id": [1],
            "_id": 2,
            "order": {},
            "first_seen": "never",
            "family": 7,
            "key": 1,
            "revision": "r",
            "lane": "backfill",
        },
    }[kind]
    path = tmp_path / "a.jsonl"
    path.write_text(json.dumps({"title": "Gates", "body": SENTENCE, "url": LINK} | unknown))
    assert world.ingest(path) == []
    (found,) = world.search("gates AND noon")
    assert (found.title, found.body, found.lane, found.revision) == ("Gates", SENTENCE, "live", 1)
    assert mapping(world) == before
    assert world.search("value") == []
    assert len(found.extra) == 100
    assert set(found.extra) <= set(unknown)
