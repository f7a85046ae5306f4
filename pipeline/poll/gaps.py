"""Fill a gap from the news sitemap of the feed's site, where it has one: what was published in it and never seen.

    claim the feed ─▶ robots.txt ─▶ its news sitemaps ─▶ the feed's own kind ─▶ publish ─▶ save

A site's sitemap names the articles of all its sections, and a feed shows one or some. So an article counts as missed
by this feed only where its address begins as those of the feed's own items do. The ledger's figure for what was missed
is a guess, and so is this: it is told apart there, and no promise of delivery rests on it.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import urljoin, urlsplit

import structlog
from msgspec import Struct

from pipeline import telemetry, topics
from pipeline.access import Access
from pipeline.article import Article, encode_article
from pipeline.errors import DropArticle, RequestFailed, RequestRefused
from pipeline.feed import KnownFeed, SeenEntry
from pipeline.identity import link_host
from pipeline.poll.articles import Source, article_of, hash_of, id_of, key_of
from pipeline.poll.bounds import NotAFeed
from pipeline.poll.children import with_children
from pipeline.poll.entry import Entry, ParsedFeed
from pipeline.poll.links import ROBOTS_BYTES, sitemaps_in
from pipeline.poll.parsing import Parse
from pipeline.ports import Broker, Clock, Gap, Http, Message, PageRequest, PollResult, Response, State

log = structlog.get_logger("wirewatch")

MAX_SITEMAPS: Final = 2
NOWHERE: Final = "nowhere"
"""What a gap is filled from whose site has no news sitemap, or none that names anything of it."""
MOST_WAITING: Final = 100
"""Feeds: where there are more, the network was away, and the newest are worth it most."""
LEASE_SECONDS: Final = 180.0
FETCH_SECONDS: Final = 15.0
DEADLINE_SECONDS: Final = 120.0
"""Of one gap; less than its claim, so that this is not given to another meanwhile."""
CLAIM_TRIES: Final = 5


class Filler(Struct, frozen=True, kw_only=True):
    """What fills gaps with what."""

    state: State
    broker: Broker
    http: Http
    clock: Clock
    holder: str
    parse: Parse
    access: Mapping[str, Access]
    host_delay_seconds: float


class Gaps:
    """Fills the gaps that polls have met, one after the other, while they go on."""

    def __init__(self, filler: Filler) -> None:
        self._filler = filler
        self._feeds: deque[str] = deque(maxlen=MOST_WAITING)
        self._task: asyncio.Task[int | None] | None = None

    @property
    def are_being_filled(self) -> bool:
        return self._task is not None

    def add(self, feed_ids: Collection[str]) -> None:
        """Note feeds of which something may have been missed."""
        self._feeds.extend(feed_ids)

    def go_on(self) -> None:
        """Begin with the next when the last is done. Raises what broke that one."""
        if self._task is not None and self._task.done():
            task, self._task = self._task, None
            task.result()
        if self._task is None and self._feeds:
            self._task = asyncio.create_task(fill_gap(self._filler, self._feeds.popleft()))

    async def wait(self, seconds: float) -> None:
        """Return when the one under way is done, or after so long."""
        if self._task is not None:
            await asyncio.wait([self._task], timeout=seconds)

    async def stop(self) -> None:
        """Give up what is under way: its feed is given back."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])


async def fill_gap(filler: Filler, feed_id: str) -> int | None:
    """Fill the newest gap of a feed that nobody has tried to; return how many items were found for it.

    None: there is no such gap, or the feed or its host is being asked by another.

    Raises:
        TryLater: the state cannot be reached.
    """
    open_gaps = [gap for gap in filler.state.gaps(filler.clock() - timedelta(hours=6), feed_id) if not gap.filled_from]
    known = await _claimed(filler, feed_id) if open_gaps else None
    if known is None:
        return None
    gap = open_gaps[-1]
    try:
        async with asyncio.timeout(DEADLINE_SECONDS):
            shown, found, where = await _missed(filler, known, gap)
        if not _published(filler, known, shown, found):
            return None
        filler.state.fill_gap(gap.id, len(found), where or NOWHERE)
    except TimeoutError:
        found, where = [], ""
        filler.state.fill_gap(gap.id, 0, NOWHERE)
    finally:
        open_at = filler.clock() + timedelta(seconds=filler.host_delay_seconds)
        filler.state.release_feed(feed_id, filler.holder, open_at)
    log.info("gap filled", step="poll", feed=feed_id, found=len(found), missed=gap.missed, sitemap=link_host(where))
    return len(found)


async def _claimed(filler: Filler, feed_id: str) -> KnownFeed | None:
    """Claim the feed, and with it the turn of its host; pages of that host may be under way just now."""
    for _ in range(CLAIM_TRIES):
        if claimed := filler.state.claim_due_feeds(filler.clock(), 1, filler.holder, LEASE_SECONDS, [feed_id]):
            return claimed[0]
        await asyncio.sleep(filler.host_delay_seconds)
    return None


async def _missed(filler: Filler, known: KnownFeed, gap: Gap) -> tuple[ParsedFeed, list[Entry], str]:
    """Return what the feed shows, the entries that it must have shown in the gap, and the sitemap that names them."""
    shown = await _read(filler, known, known.feed.url)
    # Of a feed whose links change at every fetch, no sitemap can tell what it has shown.
    if shown is None or "links_change" in known.state.hints.oddities:
        return ParsedFeed(), [], ""
    site = shown.link or known.feed.url
    kinds = {kind_of(entry.link) for entry in shown.entries if entry.link}
    robots = await _get(filler, known, urljoin(site, "/robots.txt"), max_bytes=ROBOTS_BYTES) if kinds else None
    named = sitemaps_in(robots.body.decode("utf-8", "replace"), robots.url) if robots else []
    for url in [found.url for found in named if "news" in found.url.lower()][:MAX_SITEMAPS]:
        parsed = await _read(filler, known, url)
        missing = missed_in(parsed.entries, gap, kinds, shown.entries) if parsed else []
        keys = {key_of(entry) for entry in missing}
        seen = filler.state.seen_entries(known.feed.id, keys) if keys else {}
        if unseen := [entry for entry in missing if key_of(entry) not in seen]:
            return shown, unseen, url
    return shown, [], ""


def missed_in(entries: Iterable[Entry], gap: Gap, kinds: Collection[str], shown: Sequence[Entry]) -> list[Entry]:
    """Return the entries with a title that came and went in the gap and whose address begins as ``kinds`` do.

    What is as young as the oldest item that the feed shows, it would show still. What it shows may be named otherwise
    in a sitemap (with other parameters), so an equal title or path is the same article.
    """
    dates = [entry.published for entry in shown if entry.published]
    until = min([gap.ended, *dates])
    titles = {entry.title.casefold() for entry in shown}
    paths = {_path(entry.link) for entry in shown}
    return [
        entry
        for entry in entries
        if entry.title
        and entry.published
        and gap.began < entry.published < until
        and kind_of(entry.link) in kinds
        and entry.title.casefold() not in titles
        and _path(entry.link) not in paths
    ]


def _path(link: str) -> str:
    return link_host(link) + urlsplit(link).path.rstrip("/")


def kind_of(link: str) -> str:
    """Return the host and the first folder of a link, which most sites use for a section; the host alone without."""
    parts = urlsplit(link)
    first, slash, _ = parts.path.lstrip("/").partition("/")
    # A year or a number is no section: /2026/03/01/title is as good as /title.
    return f"{link_host(link)}/{first}" if slash and not first.isdigit() else link_host(link)


async def _get(filler: Filler, known: KnownFeed, url: str, *, max_bytes: int = 20 * 1024 * 1024) -> Response | None:
    await asyncio.sleep(filler.host_delay_seconds)
    entry = filler.access.get(known.feed.access)
    access = entry.for_url(url) if entry else None
    try:
        request = filler.http.request("GET", url, timeout_seconds=FETCH_SECONDS, max_bytes=max_bytes, access=access)
        answer = await telemetry.counted("feed", request)
    except (RequestFailed, RequestRefused) as error:
        log.info("not read for a gap", step="poll", host=link_host(url), cause=str(error))
        return None
    return answer if answer.status == 200 else None


async def _read(filler: Filler, known: KnownFeed, url: str) -> ParsedFeed | None:
    async def fetch(link: str) -> Response:
        answer = await _get(filler, known, link)
        if answer is None:
            raise RequestFailed("no answer")
        return answer

    answer = await _get(filler, known, url)
    if answer is None:
        return None
    try:
        content_type = answer.headers.get("content-type", "")
        parsed = await filler.parse(answer.body, content_type=content_type, url=answer.url)
        return await with_children(parsed, fetch, filler.parse)
    except NotAFeed as error:
        log.info("not read for a gap", step="poll", host=link_host(url), cause=error.reason)
        return None


def _published(filler: Filler, known: KnownFeed, shown: ParsedFeed, found: Sequence[Entry]) -> bool:
    """Publish what was missed and save it as shown; False when the broker does not take it now."""
    now, feed = filler.clock(), known.feed
    articles = [article for entry in found if (article := _article(entry, known, shown, now))]
    messages = [
        Message(topic=topics.raw(one.lane), key=one.id, value=encode_article(one), headers=telemetry.new_trace())
        for one in articles
    ]  # fmt: skip
    failures = filler.broker.publish(messages) if messages else ()
    if any(failure is not None for failure in failures):
        log.warning("gap not filled", step="poll", feed=feed.id, next="what was missed stays missed")
        return False
    entries = tuple(
        SeenEntry(key=key_of(entry), article_id=id_of(entry, feed.url), content_hash=hash_of(entry)) for entry in found
    )
    pages = tuple(
        PageRequest(article_id=one.id, url=one.url, host=link_host(one.url), article=encode_article(one))
        for one in articles
        if one.url
    )
    open_at = now + timedelta(seconds=filler.host_delay_seconds)
    result = PollResult(feed_id=feed.id, state=known.state, entries=entries, pages=pages, host_open_at=open_at)
    return filler.state.save_poll(result, filler.holder)


def _article(entry: Entry, known: KnownFeed, shown: ParsedFeed, now: datetime) -> Article | None:
    feed = known.feed
    source = Source(feed_url=feed.url, feed=feed.id, outlet=feed.outlet, language=feed.language)
    try:
        return article_of(entry, shown, source, now).flagged("gap_filled")
    except DropArticle:
        return None
