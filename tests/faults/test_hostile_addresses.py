"""Row 18: no packet leaves for an address that is not public, through whatever it is that names it.

Every vector goes through the address of a feed, of an article's page, of a webhook and of an icon (a plain GET of the
door, as icons are fetched), and through a redirect from a server that may be reached; and all of it again behind a
proxy. ``pytest -s`` prints how many there were.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from adapters.hostile_urls import MALFORMED, PRIVATE_V4, PRIVATE_V6, private_hosts
from fakes import HOLDER, Newsstand
from stub_proxy import StubProxy
from stub_server import Answer, StubServer

from pipeline.access import Proxy
from pipeline.adapters.channels import WebhookChannel
from pipeline.adapters.gate import Gate
from pipeline.adapters.http import HttpDoor
from pipeline.adapters.sql_state.columns import clean
from pipeline.article import Article, encode_article
from pipeline.errors import CannotSend, RequestRefused
from pipeline.feed import Feed, FeedState, KnownFeed
from pipeline.fetch.run import FetchReport, fetch_due_pages
from pipeline.poll.check import check_feed
from pipeline.ports import PageRequest, PollResult
from pipeline.rule import Alert, Delivery

HOSTS = tuple(dict.fromkeys(private_hosts()))
NAMES = {f"name{number}.example": address for number, address in enumerate((*PRIVATE_V4, *PRIVATE_V6))}
"""Names whose look-up answers with an address that is not public, beside one that is."""
PRIVATE = (*(f"http://{host}/x" for host in HOSTS), *(f"https://{name}/x" for name in NAMES))
VECTORS = (*PRIVATE, *MALFORMED)
NOW = datetime(2026, 3, 1, tzinfo=UTC)
SECRET = "whsec_" + "A" * 43 + "="

DELIVERY = Delivery(
    id=1,
    alert=Alert(
        id="a", rule="r", rule_name="R", family="f", article_id="b", title="T", url="https://n.example/", outlet="N",
        published=None, first_seen=None, raised_at=NOW,
    ),
    channel="webhook",
    attempts=0,
)  # fmt: skip

Ask = Callable[[HttpDoor, str], Awaitable[str]]


async def look_up(host: str) -> Sequence[str]:
    if host not in NAMES:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
    return ["8.8.8.8", NAMES[host]]


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Every address that a socket was opened for; without a socket no packet leaves."""
    addresses: list[Any] = []
    original = Gate.open_socket

    def record(self: Gate, info: tuple[Any, ...]) -> socket.socket:
        opened = original(self, info)  # raises what it refuses
        addresses.append(info[4][:2])
        return opened

    monkeypatch.setattr(Gate, "open_socket", record)
    return addresses


@pytest.fixture
def stand(tmp_path: Path) -> Iterator[Newsstand]:
    with StubServer() as server:
        newsstand = Newsstand(tmp_path, server)
        yield newsstand
        newsstand.close()


def reasons(ask: Ask, urls: Sequence[str], **door: Any) -> list[str]:
    """Return why each was refused, all through one door."""

    async def run() -> list[str]:
        async with HttpDoor(user_agent="test", resolver=look_up, **door) as http:
            return [await ask(http, url) for url in urls]

    return asyncio.run(run())


async def as_feed(http: HttpDoor, url: str) -> str:
    known = KnownFeed(feed=Feed(id="f", url=url), state=FeedState())
    return (await check_feed(known, http=http, clock=lambda: NOW)).cause


async def as_icon(http: HttpDoor, url: str) -> str:
    with pytest.raises(RequestRefused) as caught:
        await http.request("GET", url, max_bytes=100_000)
    return str(caught.value)


async def as_webhook(http: HttpDoor, url: str) -> str:
    with pytest.raises(CannotSend) as caught:
        await WebhookChannel(url, SECRET, http, clock=lambda: NOW).send(DELIVERY)
    return str(caught.value)


def test_there_are_more_than_three_hundred_vectors() -> None:
    distinct = len(set(VECTORS))
    redirects = len(set(PRIVATE))
    print(f"\n{distinct} vectors: {4 * distinct + redirects} requests straight, {3 * distinct} by a proxy")  # noqa: T201
    assert distinct == len(VECTORS) > 300


@pytest.mark.parametrize("ask", [as_feed, as_icon, as_webhook])
def test_row_18_a_feed_an_icon_and_a_webhook_open_no_socket(ask: Ask, opened: list[Any]) -> None:
    found = reasons(ask, VECTORS)
    assert len(found) == len(VECTORS)
    assert all(found)
    assert opened == []


def test_row_18_nor_does_the_page_of_an_article_or_its_robots_txt(stand: Newsstand, opened: list[Any]) -> None:
    urls = [url for url in VECTORS if url == clean(url)]  # the state takes no others
    pages = tuple(_page(stand, number, url) for number, url in enumerate(urls))
    stand.state.claim_due_feeds(stand.clock(), 1, HOLDER, 60, [stand.feed.id])
    assert stand.state.save_poll(PollResult(feed_id=stand.feed.id, state=stand.known.state, pages=pages), HOLDER)

    async def run() -> FetchReport:
        async with HttpDoor(user_agent="test", resolver=look_up) as http:
            return await fetch_due_pages(
                state=stand.state, broker=stand.broker, pages=stand.pages, http=http, clock=stand.clock,
                holder=HOLDER, limit=len(pages),
            )  # fmt: skip

    report = asyncio.run(run())
    assert report.claimed == len(urls) > 300
    assert report.stored == 0
    # Put off are those whose origin could have a robots.txt, at a name that nobody has.
    assert report.failed > report.claimed - len(MALFORMED)
    assert opened == []


def _page(stand: Newsstand, number: int, url: str) -> PageRequest:
    article = Article(id=f"{number:032}", title="T", url="https://n.example/", first_seen=stand.clock())
    return PageRequest(article_id=article.id, url=url, host=f"h{number}", article=encode_article(article))


def test_row_18_nor_does_a_redirect(stand: Newsstand, opened: list[Any]) -> None:
    server = stand.server
    for number, url in enumerate(PRIVATE):
        server.on(f"/{number}", Answer(status=302, headers={"Location": url.encode().decode("latin-1")}))
    found = reasons(as_icon, [server.url(f"/{number}") for number in range(len(PRIVATE))], allowed=[server.address])
    assert len(found) == len(PRIVATE)
    assert set(opened) == {("127.0.0.1", server.port)}


@pytest.mark.parametrize("ask", [as_feed, as_icon, as_webhook])
def test_row_18_a_proxy_is_asked_for_none_of_it(ask: Ask, opened: list[Any]) -> None:
    with StubProxy() as proxy:
        found = reasons(ask, VECTORS, proxy=Proxy("127.0.0.1", proxy.port))
        assert all(found)
        assert proxy.heads == []
    assert opened == []
