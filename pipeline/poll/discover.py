"""Find the feeds of a site: ask its page, its robots.txt and the usual places, and try each.

page ─▶ declared and linked ─▶ robots.txt ─▶ usual places, while nothing was declared
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from urllib.parse import urljoin

from msgspec import Struct
from msgspec.structs import replace

from pipeline.errors import RequestFailed, RequestRefused
from pipeline.feed import FeedState
from pipeline.identity import canonical_link, clean_link
from pipeline.poll import decide
from pipeline.poll.bounds import NotAFeed
from pipeline.poll.formats import read_feed
from pipeline.poll.links import ROBOTS_BYTES, Found, common_paths, feeds_in, sitemaps_in
from pipeline.poll.parse import ParsedFeed
from pipeline.ports import Http, Response

MAX_REQUESTS = 15
AT_ONCE = 2
SECONDS = 20.0
ACCEPT = "text/html, application/rss+xml, application/atom+xml, application/feed+json, application/xml;q=0.9, */*;q=0.5"
_ORDER = ("given", "declared", "linked", "robots.txt", "usual place")


class Candidate(Struct, frozen=True, kw_only=True):
    """An address that was tried, and what is there."""

    url: str
    """After redirects that are for good."""
    how: str
    title: str = ""
    items: int = 0
    cause: str = ""
    """Why it is no use; empty when it is a feed."""
    needs_pages: bool = False
    """Whether its items have neither title nor text, as those of a plain sitemap, so that pages must be fetched."""


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


class _Search(Struct):
    http: Http
    turns: asyncio.Semaphore
    asked: set[str]
    requests: int = 2
    """Made or chosen; the page and robots.txt are always among them."""

    async def get(self, url: str, *, max_bytes: int = 20 * 1024 * 1024) -> Response | str:
        """Return the answer, or why there is none."""
        async with self.turns:
            try:
                answer = await self.http.request(
                    "GET", url, headers={"Accept": ACCEPT}, timeout_seconds=SECONDS, max_bytes=max_bytes
                )
            except (RequestFailed, RequestRefused) as error:
                return str(error)
        failure = decide.failure_in(answer, FeedState())
        return failure.cause if failure else answer

    def chosen(self, places: Iterable[Found]) -> list[Found]:
        """Return those of the places that were not asked yet and may be, and count them as asked."""
        chosen = []
        for place in places:
            name = canonical_link(place.url)
            if name in self.asked or self.requests >= MAX_REQUESTS:
                continue
            self.asked.add(name)
            self.requests += 1
            chosen.append(place)
        return chosen


async def discover(url: str, *, http: Http) -> Discovery:
    """Return the feeds of the site at ``url``, each fetched and read; at most 15 requests, two at once.

    Only what the page declares may be on another host. Nothing is stored. Never raises for what the site does.
    """
    search = _Search(http=http, turns=asyncio.Semaphore(AT_ONCE), asked={canonical_link(url)})
    page = await search.get(url)
    if isinstance(page, Response):
        given = _judged(Found(url=url, how="given"), page)
        if not given[0].cause:
            return Discovery(url=url, is_feed=True, feeds=(given[0],), requests=1)
    places = feeds_in(page.body, page.url) if isinstance(page, Response) else []
    home = page.url if isinstance(page, Response) else url
    tried = await _try(search, search.chosen(places))
    tried += await _try(search, search.chosen(await _of_robots(search, home)))
    if not any(found.how == "declared" and not found.cause for found, _ in tried):
        tried += await _try(search, search.chosen(common_paths(home)))
    good, bad = _sorted(tried)
    cause = page if isinstance(page, str) else ""
    return Discovery(url=url, cause=cause, feeds=good, refused=bad, requests=search.requests)


async def _of_robots(search: _Search, home: str) -> list[Found]:
    robots = await search.get(urljoin(home, "/robots.txt"), max_bytes=ROBOTS_BYTES)
    if isinstance(robots, str):
        return []
    # Few: most sites name dozens of archives, and those of news come first.
    return [Found(url=link, how="robots.txt") for link in sitemaps_in(robots.body.decode("utf-8", "replace"))[:3]]


async def _try(search: _Search, places: Sequence[Found]) -> list[tuple[Candidate, bytes]]:
    answers = await asyncio.gather(*(search.get(place.url) for place in places))
    return [_judged(place, answer) for place, answer in zip(places, answers, strict=True)]


def _judged(place: Found, answer: Response | str) -> tuple[Candidate, bytes]:
    """Return what is at a place, and a hash by which two of the same content are known."""
    candidate = Candidate(url=place.url, how=place.how, title=place.title)
    if isinstance(answer, str):
        return replace(candidate, cause=answer), b""
    candidate = replace(candidate, url=clean_link(answer.permanent_url) or place.url)
    try:
        parsed = read_feed(answer.body, content_type=answer.headers.get("content-type", ""), url=answer.url)
    except NotAFeed as error:
        return replace(candidate, cause=decide.not_a_feed(error.reason, answer).cause), b""
    return _described(candidate, parsed), decide.body_hash(answer.body).encode()


def _described(candidate: Candidate, parsed: ParsedFeed) -> Candidate:
    return replace(
        candidate,
        title=parsed.title or candidate.title,
        items=len(parsed.entries),
        needs_pages=bool(parsed.entries) and not any(entry.title or entry.html for entry in parsed.entries),
    )


def _sorted(tried: Iterable[tuple[Candidate, bytes]]) -> tuple[tuple[Candidate, ...], tuple[Candidate, ...]]:
    """Return the feeds, each once by address and by content, and what is none, as the order of trust has them."""
    ordered = sorted(tried, key=lambda one: _ORDER.index(one[0].how))
    good: list[Candidate] = []
    known: set[bytes] = set()
    for found, content in ordered:
        names = {content, canonical_link(found.url).encode()}
        if not found.cause and not names & known:
            good.append(found)
            known |= names
    return tuple(good), tuple(found for found, _ in ordered if found.cause)
