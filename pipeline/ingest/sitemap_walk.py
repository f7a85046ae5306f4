"""From a publisher's sitemap to the articles of a range of days, and their pages into the fetch queue."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import datetime

from courlan import extract_domain
from msgspec import Struct

from pipeline import wiring
from pipeline.article import Article, encode_article
from pipeline.errors import RequestFailed, RequestRefused
from pipeline.identity import article_id, clean_link, link_host
from pipeline.ingest.sitemap_range import Days, may_hold, moment_of
from pipeline.poll.bounds import NotAFeed
from pipeline.poll.parse import primary_language
from pipeline.poll.sitemap import Sitemap, SitemapEntry, read_sitemap_file
from pipeline.ports import Http, PageRequest, State
from pipeline.text.times import plausible

MAX_SITEMAP_BYTES = 50 * 1024 * 1024
"""The protocol's own limit, unpacked (sitemaps.org)."""
MAX_SITEMAPS = 5_000
"""Files read for one command. An index may name 50,000, and each of these be an index."""
MAX_KNOWN = 200_000
"""Sitemaps whose addresses are kept, so that none is read twice."""
MAX_DEPTH = 3
"""Of indexes within indexes; the protocol allows none, and some publishers have one."""

QUEUED_AT_ONCE = 500
"""Pages added in one transaction, for which all other writers wait."""


class Walk(Struct):
    """How far a walk has come, in numbers for a person."""

    sitemaps: int = 0
    passed_over: int = 0
    """Sitemaps that cannot hold anything of the range, and were not fetched."""
    in_range: int = 0
    outside: int = 0
    undated: int = 0
    foreign: int = 0
    """Addresses of other sites, which a sitemap has no word on."""
    queued: int = 0
    known: int = 0
    """Articles that went live, or whose page is there or waits already, or that were deleted."""
    problems: int = 0


class Found(Struct, frozen=True, kw_only=True):
    """What the person said of the articles that the sitemap does not."""

    outlet: str = ""
    language: str = ""


async def walk(
    url: str, days: Days, *, http: Http, pause: Callable[[], Awaitable[bool]], report: Walk,
    on_problem: Callable[[str], None],
) -> AsyncIterator[Sequence[SitemapEntry]]:  # fmt: skip
    """Fetch a sitemap, or an index and what it names, and yield the entries of each that fall into these days.

    One file at a time; ``pause`` is awaited between two and says whether to stop. What cannot be read is told to
    ``on_problem``, and the others go on.
    """
    site = _site(url)
    waiting, known = deque([(url, 0)]), {url}
    while waiting and report.sitemaps + report.problems < MAX_SITEMAPS:
        if report.sitemaps + report.problems and await pause():
            return
        place, depth = waiting.popleft()
        try:
            sitemap = await fetch_sitemap(place, http)
        except (RequestRefused, RequestFailed, NotAFeed) as error:
            report.problems += 1
            on_problem(f"{place}: {error}")
            continue
        report.sitemaps += 1
        yield _in_range(sitemap.entries, days, site, report)
        if depth < MAX_DEPTH:
            children = _followed(sitemap.children, days, site, known, report)
            waiting.extend((child, depth + 1) for child in children)
    if waiting:
        report.problems += 1
        on_problem(f"{url}: only {MAX_SITEMAPS:,} of its sitemaps were read; name a shorter range")


async def fetch_sitemap(url: str, http: Http) -> Sitemap:
    """Fetch and read one file.

    Raises:
        RequestRefused, RequestFailed: no answer, or none with a file in it.
        NotAFeed: what came is no sitemap.
    """
    answer = await http.request("GET", url, max_bytes=MAX_SITEMAP_BYTES)
    if answer.status != 200:
        raise RequestFailed(f"HTTP {answer.status}")
    body = answer.body
    if body.startswith(b"\x1f\x8b"):  # sitemap.xml.gz: the file itself is packed, not its way here
        body = wiring.unpacked(body, "gzip", MAX_SITEMAP_BYTES)
    return read_sitemap_file(body, url)


def _followed(
    children: Sequence[tuple[str, datetime | None]], days: Days, site: str, known: set[str], report: Walk
) -> list[str]:
    """Return the sitemaps of an index that are to be read, each once; ``known`` grows by all that it names."""
    followed = []
    for named, lastmod in children:
        url = clean_link(named)
        if not url or url in known or len(known) >= MAX_KNOWN:
            continue
        known.add(url)
        if _site(url) == site and may_hold(url, lastmod, days):
            followed.append(url)
        else:
            report.passed_over += 1
    return followed


def _in_range(entries: Sequence[SitemapEntry], days: Days, site: str, report: Walk) -> list[SitemapEntry]:
    chosen = []
    for entry in entries:
        if not clean_link(entry.url) or _site(entry.url) != site:
            report.foreign += 1
            continue
        moment = moment_of(entry.url, entry.published, entry.lastmod)
        if moment is None:
            report.undated += 1
        elif not days.holds(moment):
            report.outside += 1
        else:
            report.in_range += 1
            chosen.append(entry)
    return chosen


def _site(url: str) -> str:
    """Return the registered domain of an address (``example.co.uk``), or its host where there is none."""
    return extract_domain(url) or link_host(url)


def queue_pages(entries: Sequence[SitemapEntry], said: Found, *, state: State, now: datetime, report: Walk) -> None:
    """Put the pages of these articles on the fetch queue, behind the news; an article is published with its page."""
    for start in range(0, len(entries), QUEUED_AT_ONCE):
        _queue_some(entries[start : start + QUEUED_AT_ONCE], said, state, now, report)


def _queue_some(entries: Sequence[SitemapEntry], said: Found, state: State, now: datetime, report: Walk) -> None:
    wanted = [article for entry in entries if not _is_known(article := article_of(entry, said, now), state)]
    requests = [
        PageRequest(article_id=one.id, url=one.url, host=link_host(one.url), article=encode_article(one))
        for one in {article.id: article for article in wanted}.values()
    ]
    queued = state.add_backfill_pages(requests, now)
    report.queued += queued
    report.known += len(entries) - queued


def _is_known(article: Article, state: State) -> bool:
    record = state.record(state.first_name(article.id))
    return record is not None and (record.went_live or bool(record.article.page))


def article_of(entry: SitemapEntry, said: Found, now: datetime) -> Article:
    """Return the article of an entry as it waits for its page."""
    url = clean_link(entry.url)
    published, flags = plausible(entry.published, now)
    updated, more_flags = plausible(entry.lastmod, now)
    language = primary_language(said.language or entry.language)
    return Article(
        id=article_id(link=url, feed_url="", guid="", content=""),
        lane="backfill",
        url=url,
        outlet=said.outlet or entry.publication or link_host(url),
        title=entry.title,
        tags=tuple(entry.keywords),
        language=language,
        published=published,
        updated=updated,
        first_seen=now,
        text_from="page",
    ).flagged(*flags, *more_flags)
