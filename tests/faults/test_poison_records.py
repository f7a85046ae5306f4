"""Row 7: a record that no step can take becomes a dead letter with reason and origin, and the partition moves on."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import deadly_worker
import pytest
from fault_parts import FaultyWorld, faulty_world, id_of, storm
from faults.kill.parts import Parts
from typer.testing import CliRunner

from pipeline import cli, topics
from pipeline.article import DELETION_HEADER, Article, encode_article

KEY = "one key, so one partition"
ROOM = topics.MAX_RECORD_BYTES - len(KEY.encode())
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
NESTED = b"[" * 100_000
POISONS = {
    "no JSON": (b"\x00\xff not JSON", "not an article"),
    "cut JSON": (encode_article(Article(id="x"))[:-1], "not an article"),
    "empty": (b"", "not an article"),
    "null": (None, "null value"),
    "JSON null": (b"null", "not an article"),
    "a list": (b"[1, 2, 3]", "not an article"),
    "another shape": (b'{"id": 5, "title": ["x"]}', "not an article"),
    "no id": (b'{"title": "x"}', "not an article"),
    "nested": (b'{"id": "x", "extra": {"a": ' + NESTED, "not an article"),
    "nested under an unknown key": (b'{"id": "x", "unknown": ' + NESTED, "not an article"),
    "nested and whole": (b'{"id": "x", "extra": {"a": ' + b"[" * 500 + b"]" * 500 + b"}}", "not an article"),
    "next major version": (encode_article(Article(id="x", schema_version="2.0")), "unknown schema version"),
    "no version": (encode_article(Article(id="x", schema_version="")), "unknown schema version"),
    "half a character": (b'{"id": "x", "title": "\\ud800"}', "not an article"),
    "garbage at the size limit": (b"\x80" * ROOM, "not an article"),
}
STEPS_OF = {"raw": {"enrich"}, "enriched": {"settle"}, "ready": {"index", "alert"}}


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, parts: Parts) -> Iterator[FaultyWorld]:
    with faulty_world(tmp_path, monkeypatch, parts) as world:
        yield world


def good(number: int) -> bytes:
    item = storm(number)
    return encode_article(
        Article(id=f"{number:032x}", url=item.link, title=item.title, body=item.text, first_seen=NOW, version=1)
    )


@pytest.mark.parametrize("lane", topics.LANES)
@pytest.mark.parametrize("stage", ["raw", "enriched", "ready"])
def test_each_poison_is_buried_and_the_articles_around_it_arrive(world: FaultyWorld, lane: str, stage: str) -> None:
    topic = getattr(topics, stage)(lane)
    for number, (value, _) in enumerate(POISONS.values()):
        world.publish(topic, value, KEY)
        world.publish(topic, good(number), KEY)
    world.publish(topic, b"[]", KEY, DELETION_HEADER)

    world.run("enrich", "settle", "index", "alert")

    assert set(world.documents()) == {f"{number:032x}" for number in range(len(POISONS))}
    assert world.waiting() == 0
    poisons = {2 * number: poison for number, poison in enumerate(POISONS.values())}
    letters = world.dead_letters()
    for step in STEPS_OF[stage] if lane == "live" else STEPS_OF[stage] - {"alert"}:
        # A deletion is no business of the alert step's, so it does not read it.
        deletion = {} if step == "alert" else {2 * len(POISONS): "not a deletion"}
        buried = {letter.offset: letter.reason for letter in letters if letter.step == step}
        assert buried == {offset: reason for offset, (_, reason) in poisons.items()} | deletion
    poisons[2 * len(POISONS)] = (b"[]", "")
    for letter in letters:
        value = poisons[letter.offset][0]
        assert (letter.topic, letter.key, letter.value_bytes) == (topic, KEY, len(value or b""))
        assert letter.value == (value if len(value or b"") <= 45_000 else None)
        assert letter.detail
    assert all(len(record.value or b"") <= topics.MAX_DEAD_LETTER_BYTES for record in world.records(topics.dead(topic)))


@pytest.mark.parametrize("stage", ["raw", "enriched", "ready"])
def test_a_record_of_the_largest_size_is_taken_or_buried_and_never_blocks(world: FaultyWorld, stage: str) -> None:
    topic = getattr(topics, stage)("live")
    empty = encode_article(Article(id="1" * 32, title="Storm", body="", version=1, first_seen=NOW))
    largest = empty.replace(b'"body":""', b'"body":"' + b"word " * ((ROOM - len(empty)) // 5) + b'"')
    largest = largest.replace(b'"title":"Storm"', b'"title":"Storm' + b"m" * (ROOM - len(largest)) + b'"')
    assert len(largest) == ROOM
    world.publish(topic, largest, KEY)
    world.publish(topic, good(2), KEY)

    world.run("enrich", "settle", "index", "alert")

    buried = [letter.reason for letter in world.dead_letters() if letter.offset == 0]
    assert set(world.documents()) == {f"{2:032x}", *(() if buried else ("1" * 32,))}
    assert world.waiting() == 0
    # Settle adds hash, family and version: only what came round the step that cuts to size can be too large for that.
    assert buried == (["cannot be published"] if stage == "enriched" else [])


def die_until_done(world: FaultyWorld, step: str) -> int:
    """Start the step's process again and again, as a supervisor does; return how often it was killed."""
    command = [sys.executable, deadly_worker.__file__, str(world.folder), step]
    done = subprocess.run(command, env=world.environment, capture_output=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return int(done.stdout.split()[-1])


@pytest.mark.parametrize(("step", "topic"), [("enrich", "articles.raw"), ("index", "articles.ready")])
def test_a_record_that_kills_its_worker_is_found_buried_and_replayed_when_mended(
    world: FaultyWorld, step: str, topic: str
) -> None:
    deadly = storm(9, title=f"A storm to {deadly_worker.MARKER}")
    world.show("/a.rss", storm(1), storm(2), deadly, storm(3), storm(4))
    world.watch("/a.rss")
    world.run(*("poll", "enrich", "settle")[: 1 if step == "enrich" else 3])

    deaths = die_until_done(world, step)

    assert deaths == 4  # once among others, then three times alone
    world.run("enrich", "settle", "index", "alert")
    assert set(world.documents()) == {id_of(storm(number).link) for number in range(1, 5)}
    world.check_nothing_lost()
    (letter,) = world.dead_letters()
    assert (letter.step, letter.reason, letter.topic, letter.key) == (
        step, "killed its worker", topic, id_of(deadly.link),
    )  # fmt: skip

    folder = world.folder
    replayed = CliRunner().invoke(
        cli.app, ["--data", str(folder / "data"), "--config", str(folder / "config"), "dead", "replay"],
        env=world.environment,
    )  # fmt: skip
    assert (replayed.exit_code, "replayed 1" in replayed.stderr) == (0, True)
    world.run("enrich", "settle", "index", "alert", "deliver")
    assert set(world.documents()) == set(world.served)
    assert world.documents()[id_of(deadly.link)].body == deadly.text
    assert len(world.hooks()) == 5
