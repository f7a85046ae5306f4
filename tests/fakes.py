"""What the tests of poll and fetch stand on: the real embedded parts, a web server that lies on demand, a clock to set.

Only what must be made to fail is not real: a broker that refuses (``worker_parts.FaultyBroker``) and an ``Http`` that
answers from a list.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping
from pathlib import Path

from msgspec.structs import replace
from stub_server import Answer, StubServer
from worker_parts import FaultyBroker, SettableClock

from pipeline import topics
from pipeline.access import Access
from pipeline.adapters.http import HttpDoor
from pipeline.adapters.pages import FolderPages
from pipeline.adapters.sql_state import SqlState
from pipeline.adapters.sqlite_broker import SqliteBroker
from pipeline.article import Article, decode_article
from pipeline.feed import Feed, KnownFeed
from pipeline.fetch.run import FetchReport, fetch_due_pages
from pipeline.identity import feed_id
from pipeline.poll.run import FeedReport, PollReport, poll_due_feeds
from pipeline.ports import Response, TopicPartition, batched_records

HOLDER = "tester"


class Killed(BaseException):
    """Stands for SIGKILL at a fail-point: no handler of the step may act on it."""


class Newsstand:
    """One feed at ``/feed`` of a local server, and everything a poll or a fetch of it needs."""

    def __init__(self, folder: Path, server: StubServer) -> None:
        self.server = server
        self.clock = SettableClock()
        self.state = SqlState.open(f"sqlite:///{folder}/state.db", migrate=True)
        self.log = SqliteBroker(folder / "broker.db", clock=self.clock)
        self.log.create_topics(topics.ALL)
        self.broker = FaultyBroker(self.log)
        self.pages = FolderPages(folder / "pages")
        self.feed = Feed(id=feed_id(server.url("/feed")), url=server.url("/feed"), title="The Stand")
        self.state.save_feeds([self.feed])

    def close(self) -> None:
        self.log.close()
        self.state.close()

    def serve(self, *answers: bytes | str | Answer) -> None:
        """Answer the next polls with these, the last one for ever."""
        ready = [
            answer if isinstance(answer, Answer) else Answer(body=answer, headers={"Content-Type": "application/xml"})
            for answer in answers
        ]
        self.server.on("/feed", *ready)

    def set_feed(self, **settings: object) -> None:
        self.feed = replace(self.feed, **settings)
        self.state.save_feeds([self.feed])

    def poll(
        self,
        *,
        kill_at: str = "",
        only: Collection[str] | None = None,
        limit: int = 50,
        access: Mapping[str, Access] | None = None,
        on_reach: Callable[[str], None] = lambda _: None,
    ) -> PollReport:
        """Poll what is due; with ``kill_at`` die at that fail-point."""

        def reach(point: str) -> None:
            on_reach(point)
            if point == kill_at:
                raise Killed(point)

        async def run() -> PollReport:
            async with HttpDoor(user_agent="test", allowed=[self.server.address]) as http:
                return await poll_due_feeds(
                    state=self.state, broker=self.broker, http=http, clock=self.clock, holder=HOLDER, only=only,
                    limit=limit, access=access, reach=reach,
                )  # fmt: skip

        return asyncio.run(run())

    def poll_again(self, **more: object) -> FeedReport:
        """Let a day and a lease pass, poll, and return how it went with the one feed."""
        self.clock.forward(24 * 3600 + 120)
        (result,) = self.poll(**more).results
        return result

    def fetch(self, **more: object) -> FetchReport:
        """Fetch what is due."""

        async def run() -> FetchReport:
            async with HttpDoor(user_agent="test", allowed=[self.server.address]) as http:
                return await fetch_due_pages(
                    state=self.state, broker=self.broker, pages=self.pages, http=http, clock=self.clock,
                    holder=HOLDER, **{"host_delay_seconds": 2.0} | more,
                )  # fmt: skip

        return asyncio.run(run())

    @property
    def known(self) -> KnownFeed:
        known = self.state.feed(self.feed.id)
        assert known is not None
        return known

    def published(self, topic: str = "articles.raw") -> list[Article]:
        """Return every article published so far, those published again included, in the order of publishing."""
        return [decode_article(value) for value in self.values(topic)]

    def values(self, topic: str) -> list[bytes | None]:
        places = (TopicPartition(topic, number) for number in range(self.log.topics()[topic]))
        records = [record for place in places for record in batched_records(self.log, place)]
        return [record.value for record in sorted(records, key=lambda it: it.timestamp)]


class ScriptedHttp:
    """An ``Http`` that gives each request its next planned answer; an exception is raised. There is no robots.txt."""

    def __init__(self, *answers: Response | Exception) -> None:
        self.answers = list(answers)
        self.asked: list[tuple[str, Mapping[str, str]]] = []

    async def request(
        self, method: str, url: str, *, headers: Mapping[str, str] | None = None, **_: object
    ) -> Response:
        if url.endswith("/robots.txt"):
            return Response(status=404, url=url, headers={}, body=b"")
        self.asked.append((url, headers or {}))
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def close(self) -> None:
        """Nothing is open."""


def rss(*items: str, title: str = "The Stand", link: str = "https://stand.example/", extra: str = "") -> str:
    """Return an RSS 2.0 feed of these items."""
    body = "".join(items)
    return f'<rss version="2.0"><channel><title>{title}</title><link>{link}</link>{extra}{body}</channel></rss>'


def item(title: str = "", link: str = "", guid: str = "", text: str = "", *, date: str = "", more: str = "") -> str:
    """Return an item with the elements that are given; the guid is no permalink."""
    parts = {
        "title": title, "link": link, 'guid isPermaLink="false"': guid, "description": text, "pubDate": date,
    }  # fmt: skip
    elements = (f"<{name}>{value}</{name.split()[0]}>" for name, value in parts.items() if value)
    return f"<item>{''.join(elements)}{more}</item>"
