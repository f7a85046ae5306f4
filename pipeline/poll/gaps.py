"""Fill a gap from the news sitemap of the feed's site, where it has one: what was published in it and never seen.

    claim the feed ─▶ robots.txt ─▶ its news sitemaps ─▶ the feed's own kind ─▶ publish ─▶ save

A site's sitemap names the articles of all its sections, and a feed shows one or some. So an article counts as missed
by this feed only where its address begins as those of the feed's own items do. The ledger's figure for what was missed
is a guess, and so is this: it is told apart there, and no promise of delivery rests on it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import urljoin, urlsplit

import structlog
from msgspec import Struct

from pipeline import telemetry, topics
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
LEASE_SECONDS: Final = 180.0
FETCH_SECONDS: Final = 30.0


class Filler(Struct, frozen=True, kw_only=True):
    """What fills gaps with what."""

    state: State
    broker: Broker
    http: Http
    clock: Clock
    holder: str
    parse: Parse
    host_delay_seconds: float


async def fill_gap(filler: Filler, feed_id: str) -> int | None:
    """Fill the newest gap of a feed that nobody has tried to; return how many items were found for it.

    None: there is no such gap, or the feed or its host is being asked by another.

    Raises:
        TryLater: the state cannot be reached.
    """
    now = filler.clock()
    tried = [gap for gap in filler.state.gaps(now - timedelta(hours=6), feed_id) if not gap.filled_from]
    claimed = filler.state.claim_due_feeds(now, 1, filler.holder, LEASE_SECONDS, [feed_id]) if tried else ()
    if not claimed:
        return None
    known, gap = claimed[0], tried[-1]
    try:
        found, where = await _missed(filler, known, gap)
        if not _published(filler, known, found):
            return None
        filler.state.fill_gap(gap.id, len(found), where or NOWHERE)
    finally:
        filler.state.release_feed(feed_id, filler.holder)
    log.info("gap filled", step="poll", feed=feed_id, found=len(found), missed=gap.missed, sitemap=link_host(where))
    return len(found)


async def _missed(filler: Filler, known: KnownFeed, gap: Gap) -> tuple[list[Entry], str]:
    """Return the entries of the site's news sitemaps that the feed must have shown in the gap, and where they are."""
    shown = await _read(filler, known.feed.url)
    site = shown.link if shown and shown.link else known.feed.url
    kinds = {kind_of(entry.link) for entry in shown.entries if entry.link} if shown else set()
    robots = await _get(filler, urljoin(site, "/robots.txt"), max_bytes=ROBOTS_BYTES) if kinds else None
    named = sitemaps_in(robots.body.decode("utf-8", "replace"), robots.url) if robots else []
    for url in [found.url for found in named if "news" in found.url.lower()][:MAX_SITEMAPS]:
        parsed = await _read(filler, url)
        missing = missed_in(parsed.entries, gap, kinds) if parsed else []
        keys = {key_of(entry) for entry in missing}
        seen = filler.state.seen_entries(known.feed.id, keys) if keys else {}
        if unseen := [entry for entry in missing if key_of(entry) not in seen]:
            return unseen, url
    return [], ""


def missed_in(entries: Iterable[Entry], gap: Gap, kinds: Collection[str]) -> list[Entry]:
    """Return the entries with a title that were published in the gap and whose address begins as ``kinds`` do."""
    return [
        entry
        for entry in entries
        if entry.title and entry.published and gap.began < entry.published <= gap.ended and kind_of(entry.link) in kinds
    ]


def kind_of(link: str) -> str:
    """Return the host and the first folder of a link, which most sites use for a section; the host alone without."""
    parts = urlsplit(link)
    first, slash, _ = parts.path.lstrip("/").partition("/")
    # A year or a number is no section: /2026/03/01/title is as good as /title.
    return f"{link_host(link)}/{first}" if slash and not first.isdigit() else link_host(link)


async def _get(filler: Filler, url: str, *, max_bytes: int = 20 * 1024 * 1024) -> Response | None:
    await asyncio.sleep(filler.host_delay_seconds)
    try:
        request = filler.http.request("GET", url, timeout_seconds=FETCH_SECONDS, max_bytes=max_bytes)
        answer = await telemetry.counted("feed", request)
    except (RequestFailed, RequestRefused) as error:
        log.info("not read for a gap", step="poll", host=link_host(url), cause=str(error))
        return None
    return answer if answer.status == 200 else None


async def _read(filler: Filler, url: str) -> ParsedFeed | None:
    async def fetch(link: str) -> Response:
        answer = await _get(filler, link)
        if answer is None:
            raise RequestFailed("no answer")
        return answer

    answer = await _get(filler, url)
    if answer is None:
        return None
    try:
        content_type = answer.headers.get("content-type", "")
        parsed = await filler.parse(answer.body, content_type=content_type, url=answer.url)
        return await with_children(parsed, fetch, filler.parse)
    except NotAFeed as error:
        log.info("not read for a gap", step="poll", host=link_host(url), cause=error.reason)
        return None


def _published(filler: Filler, known: KnownFeed, found: Sequence[Entry]) -> bool:
    """Publish what was missed and save it as shown; False when the broker does not take it now."""
    now, feed = filler.clock(), known.feed
    articles = [article for entry in found if (article := _article(entry, known, now))]
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


def _article(entry: Entry, known: KnownFeed, now: datetime) -> Article | None:
    feed = known.feed
    source = Source(feed_url=feed.url, feed=feed.id, outlet=feed.outlet, language=feed.language)
    try:
        return article_of(entry, ParsedFeed(), source, now).flagged("gap_filled")
    except DropArticle:
        return None
