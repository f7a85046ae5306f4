"""Find the feeds of a site: ask its page, its robots.txt and the usual places, and try each.

page ─▶ declared and linked ─▶ robots.txt ─▶ usual places, while nothing was declared
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime
from urllib.parse import urljoin

from msgspec import Struct, field
from msgspec.structs import replace

from pipeline.errors import RequestFailed, RequestRefused
from pipeline.feed import FeedState
from pipeline.identity import canonical_link, clean_link, link_host
from pipeline.poll import decide
from pipeline.poll.articles import key_of
from pipeline.poll.bounds import NotAFeed
from pipeline.poll.entry import ParsedFeed
from pipeline.poll.links import ROBOTS_BYTES, Found, common_paths, feeds_in, sitemaps_in
from pipeline.poll.parsing import Parse, parse_inline
from pipeline.ports import Http, Response

MAX_REQUESTS = 15
MAX_SITEMAPS = 3
"""Most sites name dozens of archives, and those of news come first."""
SECONDS = 15.0
PAUSE_SECONDS = 1.0
"""Between two requests to one host."""
ACCEPT = "text/html, application/rss+xml, application/atom+xml, application/feed+json, application/xml;q=0.9, */*;q=0.5"


class Candidate(Struct, frozen=True, kw_only=True):
    """An address that was tried, and what is there."""

    url: str
    """After redirects that are for good."""
    how: str
    title: str = ""
    items: int = 0
    newest: datetime | None = None
    cause: str = ""
    """Why it is no use, or which other one has the same items; empty when it is a feed worth having."""
    needs_pages: bool = False
    """Whether its items have neither title nor text, as those of a plain sitemap, so that pages must be fetched."""
    is_index: bool = False
    """Whether it is an index of sitemaps, whose items were not looked at."""
    is_of_comments: bool = False
    """Whether its address says that it brings what readers write."""

    @property
    def is_declared(self) -> bool:
        """Whether the site, or whoever asks, calls it a feed of news."""
        return self.how in {"given", "declared"} and not self.is_of_comments


class Discovery(Struct, frozen=True, kw_only=True):
    """What was found for an address."""

    url: str
    cause: str = ""
    """Why the page itself could not be read; feeds may have been found all the same."""
    is_feed: bool = False
    """The address is a feed itself."""
    feeds: tuple[Candidate, ...] = ()
    """Those declared by the site first."""
    refused: tuple[Candidate, ...] = ()
    requests: int = 0
    left_out: int = 0
    """Addresses that there was no request left for."""


async def discover(
    url: str,
    *,
    http: Http,
    parse: Parse = parse_inline,
    pause_seconds: float = PAUSE_SECONDS,
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
) -> Discovery:
    """Return the feeds of the site at ``url``, each fetched and read; at most 15 requests, one after the other.

    Only what the page declares may be on another host. Nothing is stored. Never raises for what the site does.
    """
    search = _Search(http=http, parse=parse, pause_seconds=pause_seconds, sleep=sleep, asked={canonical_link(url)})
    page = await search.get(url)
    if isinstance(page, Response):
        given = await search.judged(Found(url=url, how="given"), page)
        if not given.cause:
            return Discovery(url=url, is_feed=True, feeds=(given,), requests=1)
        home = page.url
        await search.take(feeds_in(page.body, home))
    elif search.is_there:
        home = url
    else:  # nobody is there: the other addresses of this host would each cost as long a wait
        return Discovery(url=url, cause=page, requests=1)
    robots_url = urljoin(home, "/robots.txt")
    robots = await search.get(robots_url, max_bytes=ROBOTS_BYTES) if search.has_room else ""
    if isinstance(robots, Response):
        text = robots.body.decode("utf-8", "replace")
        await search.take(sitemaps_in(text, robots_url)[:MAX_SITEMAPS])
    if not any(one.how == "declared" and not one.cause for one in search.tried):
        await search.take(common_paths(home))
    cause = page if isinstance(page, str) else ""
    good = tuple(one for one in search.tried if not one.cause)
    bad = tuple(one for one in search.tried if one.cause)
    return Discovery(
        url=url, cause=cause, feeds=good, refused=bad, requests=search.requests, left_out=search.left_out
    )  # fmt: skip


class _Search(Struct, kw_only=True):
    """What was asked so far, and what was there; in the order of trust."""

    http: Http
    parse: Parse
    pause_seconds: float
    sleep: Callable[[float], Awaitable[object]]
    asked: set[str]
    requests: int = 0
    left_out: int = 0
    is_there: bool = False
    """Whether a request has not failed for want of an answer."""
    tried: list[Candidate] = field(default_factory=list)
    _hosts: set[str] = field(default_factory=set)
    _holders: dict[str, str] = field(default_factory=dict)
    """Address of the first feed with these items, or at this final address."""

    @property
    def has_room(self) -> bool:
        return self.requests < MAX_REQUESTS

    async def get(self, url: str, *, max_bytes: int = 20 * 1024 * 1024) -> Response | str:
        """Return the answer, or why there is none."""
        if (host := link_host(url)) in self._hosts and self.pause_seconds:
            await self.sleep(self.pause_seconds)
        self.requests += 1
        try:
            answer = await self.http.request(
                "GET", url, headers={"Accept": ACCEPT}, timeout_seconds=SECONDS, max_bytes=max_bytes
            )
        except RequestFailed as error:
            self._hosts.add(host)
            return str(error)
        except RequestRefused as error:  # by our own door, at no cost to the host
            self.is_there = True
            return str(error)
        self._hosts.add(host)
        self.is_there = True
        failure = decide.failure_in(answer, FeedState())
        return failure.cause if failure else answer

    async def take(self, places: Iterable[Found]) -> None:
        """Try places one after the other, each once, as long as there are requests left."""
        for place in places:
            name = canonical_link(place.url)
            if name in self.asked:
                continue
            self.asked.add(name)
            if not self.has_room:
                self.left_out += 1
                continue
            self.tried.append(await self.judged(place, await self.get(place.url)))

    async def judged(self, place: Found, answer: Response | str) -> Candidate:
        """Return what is at a place."""
        candidate = Candidate(
            url=place.url, how=place.how, title=place.title, is_of_comments="/comments/" in place.url.lower()
        )
        if isinstance(answer, str):
            return replace(candidate, cause=answer)
        candidate = replace(candidate, url=clean_link(answer.permanent_url) or place.url)
        try:
            content_type = answer.headers.get("content-type", "")
            parsed = await self.parse(answer.body, content_type=content_type, url=answer.url)
        except NotAFeed as error:
            return replace(candidate, cause=decide.not_a_feed(error.reason, answer).cause)
        return self._distinct(_described(candidate, parsed), parsed, answer)

    def _distinct(self, candidate: Candidate, parsed: ParsedFeed, answer: Response) -> Candidate:
        keys = sorted({key_of(entry) for entry in parsed.entries})
        names = {canonical_link(answer.url), "\n".join(keys) or decide.body_hash(answer.body)}
        same = next((self._holders[name] for name in names if name in self._holders), "")
        for name in names:
            self._holders.setdefault(name, candidate.url)
        return replace(candidate, cause=f"the same items as {same}") if same else candidate


def _described(candidate: Candidate, parsed: ParsedFeed) -> Candidate:
    dates = [moment for entry in parsed.entries if (moment := entry.published or entry.updated)]
    return replace(
        candidate,
        title=parsed.title or candidate.title,
        items=len(parsed.entries),
        newest=max(dates, default=None),
        is_index=bool(parsed.children),
        needs_pages=bool(parsed.entries) and not any(entry.title or entry.html for entry in parsed.entries),
    )
