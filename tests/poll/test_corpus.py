"""Thousands of strange feeds: none raises, hangs or grows memory, and what is passed over changes nothing else."""

from __future__ import annotations

import random
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
from msgspec.structs import replace
from poll import corpus

from pipeline.poll import reading
from pipeline.poll.items import slice_feed
from pipeline.poll.parse import Entry, KnownItem, NotAFeed, ParsedFeed, parse_feed
from pipeline.text.charset import decode_feed

SHARDS = 6
URL = "https://stand.example/feed"
CPU_SECONDS = 2.0
"""For one feed; the slowest takes a hundredth of it."""
RSS_MIB = 6


def read(body: bytes, known: frozenset[int] = frozenset()) -> ParsedFeed | None:
    try:
        return parse_feed(body, url=URL, known=known)
    except NotAFeed:
        return None


def read_without_cutting(body: bytes, monkeypatch: pytest.MonkeyPatch) -> ParsedFeed | None:
    with monkeypatch.context() as patched:
        patched.setattr(reading, "slice_feed", lambda _: None)
        return read(body)


def said(entry: Entry) -> Entry:
    return replace(entry, raw_hash=0)


def assert_known_items_change_nothing(name: str, body: bytes, monkeypatch: pytest.MonkeyPatch) -> int:
    """Read a feed without cutting, with nothing known and with some of it; return how many of its items have a hash."""
    expected, found = read_without_cutting(body, monkeypatch), read(body)
    if expected is None or found is None:
        assert found is expected, name
        return 0
    assert replace(found, entries=tuple(map(said, found.entries))) == expected, name
    hashes = sorted({entry.raw_hash for entry in found.entries} - {0})
    dice = random.Random(name)
    for known in {frozenset(hashes), *(frozenset(dice.sample(hashes, dice.randint(0, len(hashes)))) for _ in range(3))}:
        rest = read(body, known)
        assert rest is not None, name
        assert rest.entries == tuple(entry for entry in found.entries if entry.raw_hash not in known), name
        passed = (KnownItem(entry.place, entry.raw_hash) for entry in found.entries if entry.raw_hash in known)
        assert rest.known == tuple(passed), name
        assert replace(rest, entries=found.entries, known=()) == found, name
    return sum(entry.raw_hash != 0 for entry in found.entries)


@pytest.mark.parametrize("shard", range(SHARDS))
def test_row_20_no_feed_of_feedparsers_corpus_raises_or_takes_long(shard: int) -> None:
    feeds = corpus.feeds()
    assert len(feeds) > 2_000
    for name, body in feeds[shard::SHARDS]:
        started = time.process_time()
        read(body)
        assert time.process_time() - started < CPU_SECONDS, name


@pytest.mark.parametrize("shard", range(SHARDS))
def test_what_is_known_changes_nothing_in_the_rest_of_any_feed_of_the_corpus(
    shard: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashed = sum(
        assert_known_items_change_nothing(name, body, monkeypatch) for name, body in corpus.feeds()[shard::SHARDS]
    )
    assert hashed > 100


@pytest.mark.parametrize("path", corpus.nearby(), ids=lambda path: path.name)
def test_what_is_known_changes_nothing_in_the_rest_of_a_feed(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert_known_items_change_nothing(path.name, path.read_bytes(), monkeypatch)


ROOT = re.compile(r"<((?:[\w.-]+:)?(rss|feed|rdf))\b([^<>]*)>", re.IGNORECASE)
NAMES = re.compile(r"""\bxmlns(?::[\w.-]+)?\s*=\s*(?:"[^"<]*"|'[^'<]*')""")
CLOSED = {"rss": "</channel></rss>", "feed": "</feed>"}
OPENED = {
    "rss": '<rss version="2.0"><channel><title>t</title><link>https://a.example/</link>',
    "feed": '<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="de"><title>t</title>',
}


def items_of(body: bytes) -> tuple[str, list[str]]:
    """Return the name of a feed's root and its items, each with the names of its feed declared."""
    text = decode_feed(body)[0].lstrip()
    root, sliced = ROOT.search(text), slice_feed(text)
    if root is None or sliced is None:
        return "", []
    names = NAMES.findall(root[3])
    pieces = [sliced.data[block.start : block.end].decode() for block in sliced.blocks]
    return root[2].lower(), [with_names(piece, names) for piece in pieces]


def with_names(piece: str, names: list[str]) -> str:
    """Return an item that declares these names itself, unless it declares them otherwise."""
    own = {name.partition("=")[0].strip() for name in NAMES.findall(piece[: piece.find(">")])}
    more = "".join(f" {name}" for name in names if name.partition("=")[0].strip() not in own)
    return re.sub(r"(?=[\s/>])", more.replace("\\", "\\\\"), piece, count=1)


@pytest.mark.parametrize("shard", range(SHARDS))
def test_strange_items_of_many_feeds_in_one_are_read_the_same_whichever_are_known(
    shard: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    feeds = [items_of(body) for _, body in corpus.feeds()]
    hashed = 0
    for kind, opened in OPENED.items():
        items = [item for root, found in feeds if root == kind for item in found]
        random.Random(kind).shuffle(items)
        for number, at in enumerate(range(0, len(items), 8)):
            if number % SHARDS == shard:
                body = opened + "\n".join(items[at : at + 8]) + CLOSED[kind]
                hashed += assert_known_items_change_nothing(f"{kind} {at}", body.encode(), monkeypatch)
    assert hashed > 50


TWICE = """
import sys
from poll import corpus
from poll.test_corpus import read

feeds = [*corpus.feeds(), *((path.name, path.read_bytes()) for path in corpus.nearby())]
def resident():
    pages = next(line for line in open("/proc/self/status") if line.startswith("VmRSS"))
    return int(pages.split()[1])
for _ in range(3):
    for _, body in feeds:
        read(body)
    print(resident())
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="tells memory by Linux's /proc")
def test_row_20_memory_is_flat_when_the_whole_corpus_is_read_again_and_again() -> None:
    corpus.feeds()
    folder = Path(__file__).parents[1]
    done = subprocess.run(
        [sys.executable, "-c", TWICE], env={"PYTHONPATH": str(folder), "PATH": ""}, cwd="/", capture_output=True,
        text=True, check=True,
    )  # fmt: skip
    _, second, third = (int(line) / 1024 for line in done.stdout.split())
    assert third - second < RSS_MIB
