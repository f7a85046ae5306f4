"""Parts that fault tests share: a whole Wirewatch whose feed server keeps a ledger, and the oracle that reads it."""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from xml.sax.saxutils import escape

import pytest
from faults.kill.parts import EMBEDDED, Parts
from journey_parts import Item, World, read_before, rss
from py3langid.langid import LanguageIdentifier
from stub_server import Answer, StubServer

from pipeline import steps, topics, wiring
from pipeline.article import Article, Lane, encode_article
from pipeline.commands.articles import delete_articles
from pipeline.dead import DeadLetter, read_dead_letter
from pipeline.enrich.gazetteer import Gazetteer, load_gazetteer
from pipeline.enrich.tools import Tools, load_languages
from pipeline.feed import Feed, KnownFeed
from pipeline.identity import article_id, feed_id
from pipeline.ingest.read import FileProblem, read_path
from pipeline.poll.run import PollReport
from pipeline.ports import Message, Profiles, Record, TopicPartition, batched_records
from pipeline.settings import Settings
from pipeline.wiring import Ports

RULES = """
- id: storm
  query: storm
  channels: [webhook]
"""
PLACE = "The storm reached the coast on Tuesday and the mayor of town number {} told everybody to stay at home."


def storm(number: int, **changes: str) -> Item:
    """An item of its own that the rule matches, so that each article is one alert and one message at the webhook."""
    given = {
        "link": f"http://harbour.example/{number}",
        "title": f"Storm over town {number}",
        "text": PLACE.format(number),
    }
    return Item(**given | changes)


def id_of(link: str) -> str:
    return article_id(link=link, feed_url="", guid="", content="")


def entry(*parts: str) -> str:
    """Return an RSS item of elements already written."""
    return f"<item>{''.join(parts)}</item>"


def element(name: str, text: str) -> str:
    return f"<{name}>{escape(text)}</{name}>"


def feed_of(*entries: str, link: str = "http://harbour.example/") -> bytes:
    """Return an RSS feed of items already written."""
    return (
        f'<?xml version="1.0" encoding="utf-8"?><rss version="2.0"><channel><title>Harbour Times</title>'
        f"<link>{link}</link><description>d</description>{''.join(entries)}</channel></rss>"
    ).encode()


class FaultyWorld(World):
    """``World`` with a ledger of the items its server handed out, and with ways to make things go wrong."""

    def __init__(self, folder: Path, server: StubServer, parts: Parts = EMBEDDED, **settings: object) -> None:
        super().__init__(folder, server, parts, **settings)
        (folder / "config" / "rules.yml").write_text(RULES, "utf-8")
        self.folder = folder
        self.served: dict[str, Item] = {}
        """The ledger: by the id that its link gives, the item as it was last handed out with status 200."""
        self.reports: list[PollReport] = []

    @property
    def environment(self) -> dict[str, str]:
        """What a command in a process of its own is given to work on the same parts."""
        given = {f"WIREWATCH_{name.upper()}": str(value) for name, value in self.parts.settings.items()}
        return {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), **given}

    # --- feeds

    def watch(
        self, path: str, *, outlet: str = "Harbour Times", full_page: bool = False, interval: int = 60,
        is_new: bool = False,
    ) -> Feed:  # fmt: skip
        """Watch a feed, whatever the server says there; unless it ``is_new``, it was read before and was empty."""
        url = self.server.url(path)
        feed = Feed(
            id=feed_id(url), url=url, title=path, outlet=outlet, full_page=full_page, interval_seconds=interval
        )  # fmt: skip
        with self.ports() as ports:
            ports.state.save_feeds([feed])
            if not is_new:
                read_before(ports.state, feed, self.clock())
        return feed

    def show(self, path: str, *items: Item) -> None:
        """Serve these items, with no ETag, and note them in the ledger each time somebody gets them."""

        def answer(_: object) -> Answer:
            self.served |= {id_of(item.link): item for item in items}
            return Answer(body=rss(items), headers={"Content-Type": "application/rss+xml"})

        self.server.on(path, answer)

    def say(self, path: str, body: bytes | str, **headers: str) -> None:
        """Serve this body."""
        self.server.on(path, Answer(body=body, headers={"Content-Type": "application/rss+xml"} | headers))

    def known(self, feed: Feed) -> KnownFeed:
        with self.ports() as ports:
            found = ports.state.feed(feed.id)
        assert found is not None
        return found

    # --- the path

    @contextmanager
    def ports(self) -> Iterator[Ports]:
        with wiring.open_ports(self.settings, clock=self.clock) as ports:
            yield ports

    def poll(self) -> PollReport:
        """Poll what is due, once, and run everything behind it."""
        reports: list[PollReport] = []
        with self.ports() as ports:
            steps.run_poll(ports, lambda _: False, once=True, on_report=reports.append)
        self.reports += reports
        self.run("fetch", "enrich", "settle", "index", "alert", "deliver")
        return reports[0]

    def ingest(self, path: Path, lane: Lane = "live") -> list[FileProblem]:
        """Bring files the way of ``wirewatch ingest``, to the end of the path; return what gave no article."""
        problems: list[FileProblem] = []
        with self.ports() as ports:
            for item in read_path(path, lane=lane, now=self.clock(), pages=ports.pages):
                if isinstance(item, FileProblem):
                    problems.append(item)
                elif isinstance(item, Article):
                    self._published(ports, item)
        self.run("enrich", "settle", "index", "alert", "deliver")
        return problems

    def publish(
        self, topic: str, value: bytes | None, key: str = "k", headers: Mapping[str, str] | None = None
    ) -> None:
        """Write a record as a stranger would."""
        with self.ports() as ports:
            assert ports.broker.publish([Message(topic=topic, key=key, value=value, headers=dict(headers or {}))]) == [
                None
            ]

    def delete(self, ident: str) -> None:
        with self.ports() as ports:
            delete_articles(ports, [ident], "asked to")
        self.run("enrich", "settle", "index", "alert")

    # --- looking

    def documents(self) -> dict[str, Article]:
        """Return every article of a full scan of the index; an id that is there twice fails the test."""
        found = self.search()
        assert len({article.id for article in found}) == len(found)
        return {article.id: article for article in found}

    def records(self, topic: str) -> list[Record]:
        with self.ports() as ports:
            places = [TopicPartition(topic, number) for number in range(ports.broker.topics()[topic])]
            return [record for place in places for record in batched_records(ports.broker, place)]

    def dead_letters(self) -> list[DeadLetter]:
        return [
            read_dead_letter(record.value) for name in topics.LIVE_FIRST for record in self.records(topics.dead(name))
        ]

    def counts(self, step: str) -> Counter[tuple[str, str]]:
        with self.ports() as ports:
            return Counter(ports.state.counts().get(step, {}))

    def waiting(self) -> int:
        """Return the number of records that some step has still to take."""
        inputs = {"enrich": "raw", "settle": "enriched", "index": "ready"}
        lag = 0
        with self.ports() as ports:
            for group, name in inputs.items():
                names = [f"articles.{name}", f"backfill.{name}"]
                ends, done = ports.broker.end_offsets(names), ports.broker.committed(group, names)
                lag += sum(end - done.get(place, 0) for place, end in ends.items())
        return lag

    def check_nothing_lost(self) -> None:
        """The oracle: what was served stands once in the index, with its newest text, or in the dead letters."""
        documents, buried = self.documents(), {letter.key for letter in self.dead_letters()}
        assert self.waiting() == 0
        assert set(documents) == set(self.served) - buried
        for ident, article in documents.items():
            assert (article.title, article.body) == (self.served[ident].title, self.served[ident].text)

    @staticmethod
    def _published(ports: Ports, article: Article) -> None:
        message = Message(topic=topics.raw(article.lane), key=article.id, value=encode_article(article))
        assert ports.broker.publish([message]) == [None]


@cache
def _languages() -> LanguageIdentifier:
    """The language model takes most of a second to load, and a test runs the enrich step many times."""
    return load_languages()


@cache
def _gazetteer() -> Gazetteer:
    return load_gazetteer()


def _tools(settings: Settings, profiles: Profiles) -> Tools:
    return Tools(
        pages=wiring.open_pages(settings), languages=_languages(), profiles=profiles,
        _loaded={"gazetteer": _gazetteer()},
    )  # fmt: skip


@contextmanager
def faulty_world(
    folder: Path, monkeypatch: pytest.MonkeyPatch, parts: Parts = EMBEDDED, **settings: object
) -> Iterator[FaultyWorld]:
    monkeypatch.setattr(wiring, "open_tools", _tools)
    with StubServer() as server:
        yield FaultyWorld(folder, server, parts, **settings)
