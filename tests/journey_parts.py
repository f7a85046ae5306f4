"""A whole Wirewatch in a folder, over the embedded parts or a cluster, with a stub server as the world."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Sequence
from contextlib import closing
from datetime import datetime
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

from faults.kill.parts import EMBEDDED, Parts
from msgspec import Struct
from msgspec.structs import replace
from stub_server import Answer, Request, StubServer
from worker_parts import SettableClock

from pipeline import steps, wiring
from pipeline.article import Article
from pipeline.feed import Feed, FeedStatus
from pipeline.identity import feed_id
from pipeline.ports import PollResult, State
from pipeline.query.parse import parse
from pipeline.settings import Settings, load_settings

RULES = """
- id: hezbollah
  name: Hezbollah
  query: hezbollah OR hizbullah
  channels: [log, webhook]
- id: ferry
  query: title:ferry
"""


class Item(Struct, frozen=True, kw_only=True):
    """One item of a feed."""

    link: str
    title: str
    text: str
    guid: str = ""


def rss(items: Sequence[Item], title: str = "Harbour Times") -> bytes:
    """Return an RSS 2.0 feed."""
    body = "".join(
        f"<item><title>{escape(i.title)}</title><link>{escape(i.link)}</link>"
        f"<guid isPermaLink={quoteattr('false')}>{escape(i.guid or i.link)}</guid>"
        f"<description>{escape(f'<p>{i.text}</p>')}</description></item>"
        for i in items
    )
    return (
        f'<?xml version="1.0" encoding="utf-8"?><rss version="2.0"><channel><title>{escape(title)}</title>'
        f"<link>http://harbour.example/</link><description>d</description>{body}</channel></rss>"
    ).encode()


def read_before(state: State, feed: Feed, now: datetime) -> None:
    """Let the first poll of a feed, which found nothing, be behind it: what it shows from now on is news."""
    known = state.feed(feed.id)
    assert known is not None
    if known.state.last_ok is None and known.state.status is FeedStatus.NEW:
        assert state.claim_due_feeds(now, 1, "before", 60, [feed.id])
        empty = replace(known.state, status=FeedStatus.EMPTY, last_polled=now, last_ok=now)
        assert state.save_poll(PollResult(feed_id=feed.id, state=empty), "before")


class World:
    """Feeds on a stub server, and a Wirewatch that watches them."""

    def __init__(self, folder: Path, server: StubServer, parts: Parts = EMBEDDED, **settings: object) -> None:
        self.server = server
        self.parts = parts
        self.clock = SettableClock()
        config = folder / "config"
        config.mkdir(exist_ok=True)
        (config / "rules.yml").write_text(RULES, "utf-8")
        (config / "feeds.opml").write_text("<opml version='2.0'><body/></opml>", "utf-8")
        self.settings: Settings = load_settings(
            folder=folder, environment={}, data=str(folder / "data"), config=str(config),
            allow_addresses=(f"127.0.0.1:{server.port}",), webhook_url=server.url("/hook"),
            webhook_secret="whsec_" + b64encode(b"journey" * 5).decode(),
            **{"host_delay_seconds": 0.0, **parts.settings, **settings},
        )  # fmt: skip
        wiring.create_data_folder(self.settings)
        server.on("/hook", Answer(status=204))

    def feed(self, path: str, *items: Item, outlet: str = "Harbour Times", full_page: bool = False) -> Feed:
        """Serve a feed with these items, and watch it."""
        self.server.on(path, _conditional(rss(items)))
        url = self.server.url(path)
        feed = Feed(id=feed_id(url), url=url, title=path, outlet=outlet, full_page=full_page, interval_seconds=60)
        with wiring.open_ports(self.settings) as ports:
            ports.state.save_feeds([feed])
            read_before(ports.state, feed, self.clock())
        return feed

    def run(self, *names: str) -> None:
        """Run these steps, each until there is nothing left for it to do; all of them when none is named."""
        with wiring.open_ports(self.settings, clock=self.clock) as ports:
            for name in names or ("poll", "fetch", "enrich", "settle", "index", "alert", "deliver"):
                steps.STEPS[name](ports, _never, once=True)

    def later(self, seconds: float = 61) -> None:
        """Let time pass, then run everything."""
        self.clock.forward(seconds)
        self.run()

    def search(self, query: str = "*") -> list[Article]:
        self.parts.show_all()
        with closing(wiring.open_index(self.settings, writer=False)) as index:
            return [hit.article for hit in index.search(parse(query), sort="oldest", limit=10_000).hits]

    def state(self, look: Callable[..., object]) -> object:
        with wiring.open_ports(self.settings, clock=self.clock) as ports:
            return look(ports.state)

    def hooks(self) -> list[Request]:
        return [request for request in self.server.requests if request.path == "/hook"]


def _conditional(body: bytes) -> Callable[[Request], Answer]:
    """Answer with an ETag, and with 304 to who has it."""
    etag = f'"{hash(body)}"'

    def answer(request: Request) -> Answer:
        if request.headers.get("if-none-match") == etag:
            return Answer(status=304, headers={"ETag": etag})
        return Answer(body=body, headers={"ETag": etag, "Content-Type": "application/rss+xml"})

    return answer


def _never(seconds: float) -> bool:
    """Never stop, and never sleep: the journey's clock is moved by hand."""
    return False
