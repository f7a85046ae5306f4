"""The same input gives the same answer on the embedded parts and on a cluster: articles, and what searches find."""

from __future__ import annotations

import json
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
from fault_parts import FaultyWorld, faulty_world
from faults.kill.parts import EMBEDDED, Parts, cluster
from generated_articles import generated_articles
from msgspec import Struct

from pipeline import wiring
from pipeline.article import Article
from pipeline.demo.server import DemoServer
from pipeline.query.analysis import tokens
from pipeline.query.parse import parse

SEED_ARTICLE = Path(__file__).parents[1] / "data" / "seed-article.txt"
GENERATED = 300
QUERIES = 200
RULES = "".join(f"- {{id: {word}, query: {word}}}\n" for word in ("earthquake", "hezbollah", "harbour"))
MOMENTS = (0, 20, 40, 60)
"""Seconds of the demo's world at which its feeds are polled: new items come, one is edited."""
SAME = ("id", "url", "title", "summary", "body", "language", "outlet", "authors", "tags", "published", "lane", "flags",
        "text_from", "revision", "extra")  # fmt: skip


class Answers(Struct):
    """What one Wirewatch makes of the input."""

    world: FaultyWorld
    articles: dict[str, Article]

    @property
    def families(self) -> set[frozenset[str]]:
        """The groups of copies. A family bears the name of whichever copy was settled first, which is chance."""
        groups: dict[str, set[str]] = defaultdict(set)
        for article in self.articles.values():
            groups[article.family].add(article.id)
        return set(map(frozenset, groups.values()))

    def found(self, query: str) -> set[str]:
        with closing(wiring.open_index(self.world.settings, writer=False)) as index:
            hits = index.search(parse(query), sort="oldest", limit=10_000)
        assert hits.total == len(hits.hits)
        return {hit.article.id for hit in hits.hits}

    def alerts(self) -> set[tuple[str, str]]:
        """Rule and title: which of the copies raised it is chance as well."""
        return {(alert.rule, alert.title) for alert in self.world.state(lambda state: state.alerts(limit=1_000))}


class DemoWorld:
    """The demo's feeds at a time that is set by hand; the same addresses for both."""

    def __init__(self) -> None:
        self.started = time.time()
        self.elapsed = 0.0
        self.server = DemoServer(clock=lambda: self.started + self.elapsed)


def answers(folder: Path, parts: Parts, demo: DemoWorld, monkeypatch: pytest.MonkeyPatch) -> Iterator[Answers]:
    address = demo.server.url.removeprefix("http://")
    folder.mkdir()
    with faulty_world(folder, monkeypatch, parts, host_delay_seconds=0.0) as world:
        (folder / "config" / "rules.yml").write_text(RULES, "utf-8")
        both = (*world.settings.allow_addresses, address)
        world.settings = world.settings.model_copy(update={"allow_addresses": both})
        world.clock.now = datetime.fromtimestamp(demo.started, UTC)
        with world.ports() as ports:
            ports.state.save_feeds(demo.server.feeds())
        for moment in MOMENTS:
            demo.elapsed = moment
            world.clock.now = datetime.fromtimestamp(demo.started, UTC) + timedelta(hours=moment)
            world.run()
        assert world.ingest(SEED_ARTICLE) == []
        path = folder / "generated.jsonl"
        path.write_text("\n".join(map(as_line, generated_articles(GENERATED, seed=20261125))), "utf-8")
        world.ingest(path)
        assert world.waiting() == 0
        yield Answers(world=world, articles=world.documents())


def as_line(article: Article) -> str:
    return json.dumps({
        "title": article.title, "body": article.body, "summary": article.summary, "outlet": article.outlet,
        "url": f"http://generated.example/{article.id}", "language": article.language, "authors": article.authors,
        "tags": article.tags,
    })  # fmt: skip


@pytest.fixture(scope="module")
def both(
    tmp_path_factory: pytest.TempPathFactory, kafka: str, elasticsearch: str, postgres: str
) -> Iterator[tuple[Answers, Answers]]:
    folder = tmp_path_factory.mktemp("same")
    demo = DemoWorld()
    with pytest.MonkeyPatch.context() as patched, demo.server, cluster(kafka, elasticsearch, postgres) as real:
        embedded = answers(folder / "embedded", EMBEDDED, demo, patched)
        on_cluster = answers(folder / "cluster", real, demo, patched)
        yield next(embedded), next(on_cluster)
        embedded.close()
        on_cluster.close()


def told(article: Article) -> dict[str, Any]:
    return {name: getattr(article, name) for name in SAME}


def test_the_articles_are_the_same(both: tuple[Answers, Answers]) -> None:
    embedded, on_cluster = both
    assert len(embedded.articles) > GENERATED + 20
    assert embedded.articles.keys() == on_cluster.articles.keys()
    for ident, article in embedded.articles.items():
        assert told(on_cluster.articles[ident]) == told(article)
    assert any(article.revision > 1 for article in embedded.articles.values())


def test_the_families_are_the_same(both: tuple[Answers, Answers]) -> None:
    embedded, on_cluster = both
    assert embedded.families == on_cluster.families
    assert max(map(len, embedded.families)) >= 3


def test_the_alerts_are_the_same(both: tuple[Answers, Answers]) -> None:
    embedded, on_cluster = both
    assert embedded.alerts() == on_cluster.alerts() != set()


def test_200_searches_find_the_same(both: tuple[Answers, Answers]) -> None:
    embedded, on_cluster = both
    on_cluster.world.parts.show_all()
    queries = [*queries_from(list(embedded.articles.values()), QUERIES)]
    telling = 0
    for query in queries:
        expected = embedded.found(query)
        assert on_cluster.found(query) == expected, query
        telling += 0 < len(expected) < len(embedded.articles) / 2
    assert telling >= 0.75 * QUERIES  # one that finds nothing, or nearly all, would hide a difference


def queries_from(articles: list[Article], number: int) -> Iterator[str]:
    """Draw words, phrases, fields and combinations from the texts themselves."""
    random = Random(20261125)
    articles.sort(key=lambda article: article.id)

    def words(length: int = 1) -> str:
        while True:
            article = random.choice(articles)
            found = tokens(random.choice((article.title, article.body)))
            if len(found) >= length:
                start = random.randrange(len(found) - length + 1)
                return " ".join(found[start : start + length])

    makers = (
        lambda: f'"{words()}"',
        lambda: f'"{words(2)}"',
        lambda: f'"{words(3)}"',
        lambda: f'"{words()}" AND "{words()}"',
        lambda: f'"{words(2)}" OR "{words(2)}"',
        lambda: f'"{words()}" AND NOT "{words()}"',
        lambda: f'title:"{words()}"',
        lambda: f'lang:{random.choice(articles).language or "en"} AND "{words()}"',
        lambda: f'outlet:"{random.choice(articles).outlet or "Harbour Times"}" AND NOT "{words()}"',
    )
    for at in range(number):
        yield makers[at % len(makers)]()
