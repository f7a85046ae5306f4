"""A seeded world of feeds on a stub server, and its own log of everything that it served."""

from __future__ import annotations

import random
import threading
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, NamedTuple

from journey_parts import Item, read_before, rss
from stub_server import Answer, Request, StubServer

from pipeline import topics, wiring
from pipeline.feed import Feed
from pipeline.identity import feed_id
from pipeline.ports import Message
from pipeline.settings import Settings, load_settings

from .parts import EMBEDDED, Parts
from .processes import Clock

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
BETWEEN_POLLS_SECONDS = 61
"""Feeds are due after 30 s, and after a minute when the broker has not taken their articles."""
FEEDS = ("a", "b", "c", "pages")
"""Paths of the feeds, each of another outlet; ``pages`` is the one whose articles' pages are fetched."""
SHOWN = 6
"""Items a feed keeps showing; older ones go, but only once everything served has arrived."""
RULES = {"flotilla": "flotilla", "avalanche": "title:avalanche"}
"""Query by rule. The words stand nowhere but where the world puts them on purpose."""
WORDS = """
harbour lantern bridge orchard council winter railway letter museum river teacher market engine garden island window
copper village candle meadow ticket summer doctor bakery tunnel signal forest harvest library mirror
""".split()


class Served(NamedTuple):
    """One line of the server's log: an item in an answer that a feed gave, or a page."""

    kind: Literal["item", "page"]
    link: str
    title: str
    text: str


@dataclass
class Story:
    """One item of one feed as it reads now."""

    link: str
    title: str
    text: str
    page: list[str] = field(default_factory=list)
    """Paragraphs of its page, when its feed is the one with pages."""


class World:
    """The feeds, the pages, the webhook's receiver, and the settings of the Wirewatch that watches them."""

    def __init__(
        self,
        folder: Path,
        server: StubServer,
        seed: int = 0,
        *,
        feeds: Sequence[str] = FEEDS,
        refusals: float = 0,
        parts: Parts = EMBEDDED,
        **settings: Any,
    ) -> None:
        self.folder = folder
        self.server = server
        self.parts = parts
        self.rng = random.Random(seed)
        self.clock = Clock(folder / "clock", START)
        self.served: list[Served] = []
        self.poison: list[str] = []
        """Values, as text, of records that a stranger wrote into ``articles.raw``."""
        self.hooks: list[Request] = []
        """Webhook messages that the receiver took."""
        self.shown: dict[str, list[Story]] = {name: [] for name in feeds}
        self.lock = threading.Lock()
        self._number = 0
        self._refusals = random.Random(seed + 1)
        self._share_refused = refusals
        self._write_config()
        self.given = self._settings(settings)
        self.settings: Settings = load_settings(folder=folder, environment={}, **self.given)
        self.holdings = parts.holdings(self.settings.data_folder)
        """What stands in broker and state."""
        server.on("*", self._answer)
        self._set_up()

    def _settings(self, more: dict[str, Any]) -> dict[str, Any]:
        return {
            "data": str(self.folder / "data"),
            "config": str(self.folder / "config"),
            "allow_addresses": [f"127.0.0.1:{self.server.port}"],
            "webhook_url": self.server.url("/hook"),
            "webhook_secret": "whsec_" + b64encode(b"killed" * 5).decode(),
            "host_delay_seconds": 0,
            **self.parts.settings,
            **more,
        }

    def _write_config(self) -> None:
        config = self.folder / "config"
        config.mkdir()
        rules = "".join(f"- id: {name}\n  query: {query}\n  channels: [webhook]\n" for name, query in RULES.items())
        (config / "rules.yml").write_text(rules, "utf-8")
        (config / "feeds.opml").write_text("<opml version='2.0'><body/></opml>", "utf-8")

    def _set_up(self) -> None:
        wiring.create_data_folder(self.settings)
        feeds = []
        for name in self.shown:
            url = self.server.url(f"/{name}.rss")
            feed = Feed(
                id=feed_id(url), url=url, outlet=f"Outlet {name}", interval_seconds=30, full_page=name == "pages"
            )
            feeds.append(feed)
        with wiring.open_ports(self.settings, clock=self.clock) as ports:
            ports.state.save_feeds(feeds)
            for feed in feeds:
                read_before(ports.state, feed, self.clock())

    # --- what happens in the world, between lives

    def add(self, feed: str, *, rule: str = "") -> Story:
        """A feed brings something new, at its top; for ``rule`` something that the rule selects."""
        self._number += 1
        title, text = self._title(), self._text()
        title += " avalanche" if rule == "avalanche" else ""
        text += " A flotilla was seen." if rule == "flotilla" else ""
        if feed == "pages":
            story = Story(self.server.url(f"/page/{self._number}"), title, text, [self._text() for _ in range(4)])
        else:
            story = Story(f"http://{feed}.example/{self._number}", title, text)
        self.shown[feed].insert(0, story)
        return story

    def copy(self, story: Story, feed: str) -> None:
        """Another outlet brings the same text under its own link."""
        self._number += 1
        self.shown[feed].insert(0, Story(f"http://{feed}.example/{self._number}", story.title, story.text))

    def edit(self, story: Story) -> None:
        """An item reads differently from now on; its page too. Only right when all that was served has arrived."""
        self._number += 1
        story.title = self._title()
        if story.page:
            story.page = [self._text() for _ in range(4)]
        else:
            story.text = self._text() + self.rng.choice(("", "", " A flotilla was seen."))

    def publish_news(self) -> None:
        """Something for a rule, often with a copy of it in another feed, and something that has a page."""
        feed, other = self.rng.sample(FEEDS[:-1], 2)
        story = self.add(feed, rule=self.rng.choice(tuple(RULES)))
        if self.rng.random() < 0.5:
            self.copy(story, other)
        self.add("pages", rule=self.rng.choice(("", *RULES)))

    def revise(self) -> None:
        """Edits, a late copy of something old, and the oldest items go. Only right when all served has arrived."""
        everything = [story for feed in FEEDS for story in self.shown[feed]]
        edited = self.rng.sample(everything, min(3, len(everything)))
        served = {line.link for line in self.served}
        settled = [story for story in everything if story.link in served and not story.page]
        if settled:  # before the edits: a copy of a text that is itself new may come to be the first of the two
            self.copy(self.rng.choice(settled), self.rng.choice(FEEDS[:-1]))
        for story in edited:
            self.edit(story)
        for feed in FEEDS:
            del self.shown[feed][SHOWN:]

    def write_poison(self) -> None:
        """A stranger writes something that is no article."""
        value = f"poison {len(self.poison)}"
        broker = wiring.open_broker(self.settings, self.clock)
        try:
            outcome = broker.publish([Message(topic=topics.raw("live"), key=value, value=value.encode())])
        finally:
            broker.close()
        assert list(outcome) == [None]
        self.poison.append(value)

    # --- words

    def _title(self) -> str:
        return f"{' '.join(self.rng.sample(WORDS, 4)).capitalize()} {self._number}"

    def _text(self) -> str:
        sentences = (f"The {' '.join(self.rng.sample(WORDS, 7))} of {self.rng.randrange(10**9)}." for _ in range(4))
        return " ".join(sentences)

    # --- answers, in the server's thread

    def _answer(self, request: Request) -> Answer:
        if request.path == "/hook":
            return self._receive(request)
        if request.path == "/robots.txt":
            return Answer(status=404)
        if request.path.startswith("/page/"):
            return self._page(request)
        return self._feed(request)

    def _feed(self, request: Request) -> Answer:
        stories = self.shown[request.path.removeprefix("/").removesuffix(".rss")]
        body = rss([Item(link=story.link, title=story.title, text=story.text) for story in stories])
        etag = f'"{hash(body):x}"'
        headers = {"ETag": etag, "Content-Type": "application/rss+xml"}
        if request.headers.get("if-none-match") == etag:
            return Answer(status=304, headers=headers)
        with self.lock:
            self.served += [Served("item", story.link, story.title, story.text) for story in stories]
        return Answer(body=body, headers=headers)

    def _page(self, request: Request) -> Answer:
        link = self.server.url(request.path)
        story = next((story for story in self.shown["pages"] if story.link == link), None)
        if story is None:
            return Answer(status=404)
        with self.lock:
            self.served.append(Served("page", link, story.title, "\n\n".join(story.page)))
        return Answer(body=_html(story.title, story.page), headers={"Content-Type": "text/html; charset=utf-8"})

    def _receive(self, request: Request) -> Answer:
        """Take a message, unless it meets a receiver that is just being restarted."""
        with self.lock:
            if self._refusals.random() < self._share_refused:
                return Answer(status=503)
            self.hooks.append(request)
        return Answer(status=204)


def _html(title: str, paragraphs: Sequence[str]) -> str:
    text = "".join(f"<p>{paragraph}</p>" for paragraph in paragraphs)
    return f"<html><head><title>{title}</title></head><body><article><h1>{title}</h1>{text}</article></body></html>"
