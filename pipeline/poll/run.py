"""Poll due feeds and publish what is new or changed in them.

    claim ─▶ fetch (many at once) ─▶ parse ─▶ publish ─▶ save

What a feed has shown is saved only after every message is stored, so that a poll that dies in between is made again:
the same articles under the same ids, which is harmless, where the other order would lose them.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Sequence
from datetime import datetime

import structlog
from msgspec import Struct
from msgspec.structs import replace

from pipeline import telemetry, topics
from pipeline.article import Article, encode_article
from pipeline.dead import dead_letter
from pipeline.errors import RequestFailed, RequestRefused
from pipeline.feed import Feed, FeedState, KnownFeed, SeenEntry
from pipeline.identity import link_host
from pipeline.outcomes import Counts, DropReason, Status
from pipeline.poll import decide
from pipeline.poll.articles import Source, article_of, id_of, key_of
from pipeline.poll.decide import Sorted
from pipeline.poll.parse import NotAFeed, ParsedFeed, parse_feed
from pipeline.poll.report import FeedCheck, FeedReport, PollReport
from pipeline.ports import Broker, Clock, Http, Message, PageRequest, PollResult, Record, Response, State

__all__ = ["FeedCheck", "FeedReport", "PollReport", "check_feed", "poll_due_feeds"]

log = structlog.get_logger("wirewatch")

CONCURRENT_FETCHES = 16
FETCH_SECONDS = 30.0
"""A batch of 50 takes at most 50 / 16 x 30 s, which is less than its lease."""
ACCEPT = (
    "application/atom+xml, application/rss+xml, application/rdf+xml, application/xml;q=0.9, text/xml;q=0.9, */*;q=0.5"
)
UNPUBLISHABLE = "cannot be published"
"""The reason of a dead letter for an article that the broker will never take."""


class _Unpublished(Exception):
    """The broker did not take a message that it may take later."""


class _Poller(Struct, frozen=True, kw_only=True):
    state: State
    broker: Broker
    clock: Clock
    holder: str
    reach: Callable[[str], None]


async def poll_due_feeds(
    *,
    state: State,
    broker: Broker,
    http: Http,
    clock: Clock,
    holder: str,
    limit: int = 50,
    lease_seconds: float = 120,
    only: Collection[str] | None = None,
    reach: Callable[[str], None] = lambda _: None,
) -> PollReport:
    """Poll up to ``limit`` feeds that are due, or those of ``only``, due or not; return how it went.

    A feed that does not answer, or answers with something else, is a failure in the report, and does not keep the
    others from being polled.

    Raises:
        TryLater: the state cannot be reached; the claims run out by themselves.
    """
    claimed = state.claim_due_feeds(clock(), limit, holder, lease_seconds, only)
    reach("poll:claimed")
    poller = _Poller(state=state, broker=broker, clock=clock, holder=holder, reach=reach)
    turns = asyncio.Semaphore(CONCURRENT_FETCHES)
    fetches = [asyncio.create_task(_fetch(known, http, turns)) for known in claimed]
    report = PollReport()
    try:
        # Answers are handled one by one as they arrive: state and broker belong to this thread.
        for fetched in asyncio.as_completed(fetches):
            known, answer = await fetched
            reach("poll:fetched")
            report.results.append(_handle(poller, known, answer))
    except asyncio.CancelledError:
        done = {result.feed.id for result in report.results}
        for known in claimed:
            if known.feed.id not in done:
                state.release_feed(known.feed.id, holder)
        raise
    finally:
        for fetch in fetches:
            fetch.cancel()
        await asyncio.gather(*fetches, return_exceptions=True)
    return report


async def check_feed(feed: Feed, *, http: Http, clock: Clock) -> FeedCheck:
    """Fetch a feed now and return what a first poll would make of it; nothing is stored."""
    _, answer = await _fetch(KnownFeed(feed=feed, state=FeedState()), http, asyncio.Semaphore(1))
    if not isinstance(answer, Response):
        return FeedCheck(url=feed.url, cause=str(answer))
    moved_to = answer.permanent_url if decide.is_moved(feed, answer) else ""
    parsed = _read(answer, FeedState())
    if isinstance(parsed, str):
        return FeedCheck(url=feed.url, cause=parsed, moved_to=moved_to)
    flags = Counts()
    source, now = Source(feed_url=feed.url), clock()
    entries = decide.sorted_entries(parsed.entries, {})
    for sort in entries:
        for flag in article_of(sort.entry, parsed, source, now).flags if sort.key else ():
            flags.add(Status.PUBLISHED, flag)
    return FeedCheck(
        url=feed.url,
        moved_to=moved_to,
        title=parsed.title,
        site=parsed.link,
        language=parsed.language,
        items=len(parsed.entries),
        without_identity=sum(not sort.key for sort in entries),
        with_text=sum(bool(entry.html) for entry in parsed.entries),
        flags={flag: number for (_, flag), number in flags.take().items()},
    )


async def _fetch(
    known: KnownFeed, http: Http, turns: asyncio.Semaphore
) -> tuple[KnownFeed, Response | RequestRefused | str]:
    """Return the feed's answer, or why there was none."""
    headers = {"Accept": ACCEPT, **decide.conditional_headers(known.state)}
    async with turns:
        try:
            request = http.request("GET", known.feed.url, headers=headers, timeout_seconds=FETCH_SECONDS)
            return known, await telemetry.counted("feed", request)
        except RequestFailed as error:
            return known, str(error)
        except RequestRefused as error:  # by our own rules: its size, its hops, its address
            return known, error


def _read(response: Response, state: FeedState) -> ParsedFeed | str:
    """Return what the body says, or why it says nothing."""
    if cause := decide.failure_in(response, state):
        return cause
    try:
        return parse_feed(response.body, content_type=response.headers.get("content-type", ""), url=response.url)
    except NotAFeed as error:
        return f"not a feed: {error.reason}"


def _handle(poller: _Poller, known: KnownFeed, answer: Response | RequestRefused | str) -> FeedReport:
    """Take one feed's answer through parse, publish and save."""
    feed, state, now = known.feed, known.state, poller.clock()
    if isinstance(answer, str):
        return _save(poller, feed, decide.after_no_answer(feed, state, answer, now))
    if isinstance(answer, RequestRefused):
        return _save(poller, feed, decide.after_failure(feed, state, str(answer), now))
    if decide.is_unchanged(answer, state):
        return _save(poller, feed, decide.after_unchanged(feed, state, now), unchanged=True)
    parsed = _read(answer, state)
    if isinstance(parsed, str):
        asked = decide.retry_after_seconds(answer.headers.get("retry-after", ""), now)
        return _save(poller, feed, decide.after_failure(feed, state, parsed, now, asked_seconds=asked))
    keys = {key for entry in parsed.entries if (key := key_of(entry))}
    entries = decide.sorted_entries(parsed.entries, poller.state.seen_entries(feed.id, keys))
    source = Source(
        feed_url=feed.url, feed=feed.id, outlet=feed.outlet, language=feed.language, first_poll=state.last_ok is None
    )  # fmt: skip
    articles = [article_of(one.entry, parsed, source, now) for one in entries if one.is_news]
    try:
        dead = _publish(poller, articles, now)
    except _Unpublished as error:
        return _save(poller, feed, decide.after_unpublished(state, f"broker: {error}", now), unpublished=True)
    poller.reach("poll:published")
    result = PollResult(
        feed_id=feed.id,
        state=decide.after_parse(feed, state, answer, parsed, now),
        entries=_shown(feed, entries),
        pages=_pages(articles) if feed.full_page else (),
    )
    return _save(poller, feed, result.state, result=result, counts=_counted(entries, dead))


def _publish(poller: _Poller, articles: Sequence[Article], now: datetime) -> int:
    """Publish the articles; return how many went to the dead letters, because the broker will never take them.

    Raises:
        _Unpublished: one that can be published, or its dead letter, is not stored; all are to be sent again.
    """
    messages = [
        Message(
            topic=topics.raw(one.lane), key=one.id, value=encode_article(one), headers=telemetry.new_trace()
        )
        for one in articles
    ]  # fmt: skip
    outcomes = poller.broker.publish(messages) if messages else ()
    letters = []
    for message, failure in zip(messages, outcomes, strict=True):
        if failure is not None and not failure.fatal:
            raise _Unpublished(failure.cause)
        if failure is not None:
            letters.append(_dead_letter(message, failure.cause, now))
    for failure in poller.broker.publish(letters) if letters else ():
        if failure is not None:
            raise _Unpublished(f"an article {UNPUBLISHABLE}, nor can its dead letter: {failure.cause}")
    for message, failure in zip(messages, outcomes, strict=True) if log.is_enabled_for(logging.INFO) else ():
        status, trace = Status.DEAD if failure else Status.PUBLISHED, telemetry.trace_id(message.headers)
        log.info("handled", step="poll", id=message.key, status=status.value, trace=trace)
    return len(letters)


def _dead_letter(message: Message, cause: str, now: datetime) -> Message:
    """Bury an article that never became a record: it has no place, so its letter goes by the article's id."""
    unstored = Record(
        topic=message.topic, partition=-1, offset=-1, key=message.key, value=message.value, timestamp=now
    )  # fmt: skip
    log.warning("dead letter", step="poll", key=message.key, reason=UNPUBLISHABLE, detail=cause[:300])
    letter = dead_letter(unstored, step="poll", reason=UNPUBLISHABLE, detail=cause, at=now)
    return replace(letter, key=message.key)


def _shown(feed: Feed, entries: Sequence[Sorted]) -> tuple[SeenEntry, ...]:
    """Return what the feed shows now, each key once, the first of its kind."""
    shown: dict[str, SeenEntry] = {}
    for one in entries:
        if one.key:
            found = SeenEntry(key=one.key, article_id=id_of(one.entry, feed.url), content_hash=one.content_hash)
            shown.setdefault(one.key, found)
    return tuple(shown.values())


def _pages(articles: Sequence[Article]) -> tuple[PageRequest, ...]:
    return tuple(
        PageRequest(article_id=one.id, url=one.url, host=link_host(one.url), article=encode_article(one))
        for one in articles
        if one.url
    )


def _counted(entries: Sequence[Sorted], dead: int) -> dict[tuple[str, str], int]:
    counts = Counts()
    for one in entries:
        counts.add(one.status, DropReason.NO_IDENTITY if one.status is Status.DROPPED else "")
    if dead:
        counts.add(Status.DEAD, UNPUBLISHABLE, dead)
    return counts.take()


def _save(
    poller: _Poller,
    feed: Feed,
    state: FeedState,
    *,
    unchanged: bool = False,
    unpublished: bool = False,
    result: PollResult | None = None,
    counts: dict[tuple[str, str], int] | None = None,
) -> FeedReport:
    """Save how the poll ended and give the claim back."""
    saved = poller.state.save_poll(result or PollResult(feed_id=feed.id, state=state), poller.holder)
    poller.reach("poll:saved")
    report = FeedReport(
        feed=feed, state=state, saved=saved, unchanged=unchanged, unpublished=unpublished, counts=counts or {}
    )
    for (status, reason), number in report.counts.items():
        telemetry.RECORDS.labels("poll", status, reason).inc(number)
    # By id, never by address: addresses of feeds carry keys.
    log.info(
        "feed polled", step="poll", feed=feed.id, status=state.status.value, cause=state.cause, items=state.items,
        new=report.number(Status.PUBLISHED), changed=report.number(Status.UPDATED), saved=saved,
        next_due=str(state.next_due),
    )  # fmt: skip
    return report
