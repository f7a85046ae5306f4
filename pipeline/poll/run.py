"""Poll due feeds and publish what is new or changed in them.

    claim ─▶ fetch and parse (many at once) ─▶ publish ─▶ save

What a feed has shown is saved only after every message is stored, so that a poll that dies in between is made again:
the same articles under the same ids, which is harmless, where the other order would lose them. Answers that are there
at the same moment are published together and saved together; feeds are claimed as others are done, so that one that
hangs keeps nobody waiting.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial

import structlog
from msgspec import Struct
from msgspec.structs import replace

from pipeline import telemetry, topics
from pipeline.access import Access
from pipeline.article import encode_article
from pipeline.dead import dead_letter
from pipeline.errors import PublishError
from pipeline.feed import KnownFeed
from pipeline.outcomes import Status
from pipeline.poll import decide
from pipeline.poll.answers import Answered, Brought, brought_by, unpublished
from pipeline.poll.asking import FETCH_SECONDS, ask
from pipeline.poll.bounds import NotAFeed
from pipeline.poll.children import as_polled, with_children
from pipeline.poll.decide import Budget
from pipeline.poll.done import done_message
from pipeline.poll.gaps import Filler, fill_gap
from pipeline.poll.parsing import Parse, parse_inline
from pipeline.poll.report import FeedReport, PollReport
from pipeline.ports import Broker, Clock, Http, Message, Record, Response, State

__all__ = ["FeedReport", "PollReport", "poll_due_feeds", "poll_feeds"]

log = structlog.get_logger("wirewatch")

CONCURRENT = 128
"""Feeds under way at once, each of another host."""
REFILL = 32
"""Feeds are claimed when so many may be, so that a claim, which is a transaction, is worth its while."""
CLAIM_SECONDS = 1.0
"""How often it is seen whether more is due while all that was claimed is under way."""
LINGER_SECONDS = 0.02
"""How long the first answer of a group waits for others: a group is two commits, whatever its size."""
PACE_LOOK = timedelta(minutes=1)
UNPUBLISHABLE = "cannot be published"
"""The reason of a dead letter for an article that the broker will never take."""


async def poll_due_feeds(
    *,
    state: State,
    broker: Broker,
    http: Http,
    clock: Clock,
    holder: str,
    limit: int = 50,
    lease_seconds: float = 120,
    host_delay_seconds: float = 0.0,
    only: Collection[str] | None = None,
    access: Mapping[str, Access] | None = None,
    parse: Parse = parse_inline,
    polls_per_feed_hour: float = 4.0,
    reach: Callable[[str], None] = lambda _: None,
) -> PollReport:
    """Poll up to ``limit`` feeds that are due, or those of ``only``, due or not; return how it went.

    A feed that does not answer, or answers with something else, is a failure in the report, and does not keep the
    others from being polled.

    Raises:
        TryLater: the state cannot be reached; the claims run out by themselves.
    """
    report = PollReport()
    poller = Poller(
        state=state, broker=broker, http=http, clock=clock, holder=holder, lease_seconds=lease_seconds,
        host_delay_seconds=host_delay_seconds, only=only, access=access or {}, parse=parse,
        polls_per_feed_hour=polls_per_feed_hour, reach=reach,
    )  # fmt: skip
    await poll_feeds(poller, limit=limit, on_report=lambda group: report.results.extend(group.results))
    return report


class Poller(Struct, frozen=True, kw_only=True):
    """What polls with what."""

    state: State
    broker: Broker
    http: Http
    clock: Clock
    holder: str
    lease_seconds: float = 120.0
    host_delay_seconds: float = 0.0
    only: Collection[str] | None = None
    access: Mapping[str, Access] = {}
    """What feeds may refer to by name."""
    parse: Parse = parse_inline
    polls_per_feed_hour: float = 4.0
    reach: Callable[[str], None] = lambda _: None


async def poll_feeds(
    poller: Poller, *, limit: int | None = None, on_report: Callable[[PollReport], None] = lambda _: None
) -> None:
    """Poll until nothing is due that may be asked now, or ``limit`` feeds are done; report each group that is saved.

    Cancelled, it gives back what it has claimed and not saved.

    Raises:
        TryLater: the state cannot be reached; the claims run out by themselves.
    """
    answers: asyncio.Queue[Answered] = asyncio.Queue()
    under_way: dict[str, asyncio.Task[None]] = {}
    quota, spending, gaps = _Quota(limit, poller.only), _Spending(poller), deque[str]()
    has_polled = False
    try:
        while True:
            for known in _claim(poller, quota, len(under_way)):
                under_way[known.feed.id] = asyncio.create_task(_ask(poller, known, answers))
                has_polled = True
            if not under_way and gaps:
                await fill_gap(_filler(poller), gaps.popleft())
                continue
            if not under_way:
                if not (has_polled and poller.host_delay_seconds and quota.is_open):
                    return
                has_polled = False  # what is still due may have waited for its host: once more, after the pause
                await asyncio.sleep(poller.host_delay_seconds)
                continue
            group = await _arrived(answers, under_way.values())
            if group:
                report = _handle(poller, group, spending.budget())
                gaps.extend(report.gaps())
                on_report(report)
            for answered in group:
                del under_way[answered.known.feed.id]
    except asyncio.CancelledError:
        for feed_id in under_way:
            poller.state.release_feed(feed_id, poller.holder)
        raise
    finally:
        for task in under_way.values():
            task.cancel()
        await asyncio.gather(*under_way.values(), return_exceptions=True)


def _filler(poller: Poller) -> Filler:
    return Filler(
        state=poller.state, broker=poller.broker, http=poller.http, clock=poller.clock, holder=poller.holder,
        parse=poller.parse, host_delay_seconds=poller.host_delay_seconds,
    )  # fmt: skip


class _Spending:
    """The budget of polls, by what all feeds ask for now."""

    def __init__(self, poller: Poller) -> None:
        self._poller = poller
        self._looked_at: datetime | None = None
        self._budget = Budget(polls_per_feed_hour=poller.polls_per_feed_hour)

    def budget(self) -> Budget:
        """Return it; the mean is over all feeds, and a minute old at most."""
        now = self._poller.clock()
        if self._looked_at is None or abs(now - self._looked_at) >= PACE_LOOK:
            self._looked_at = now
            mean = self._poller.state.feed_numbers(now).mean_pace or 1.0
            self._budget = replace(self._budget, mean_pace=mean)
        return self._budget


class _Quota:
    """How many feeds may still be claimed, and which; ``None`` for no limit and for all."""

    def __init__(self, limit: int | None, only: Collection[str] | None) -> None:
        self._left = limit
        self.only = None if only is None else set(only)

    @property
    def is_open(self) -> bool:
        return (self._left is None or self._left > 0) and (self.only is None or bool(self.only))

    def room(self, under_way: int) -> int:
        """Return how many are to be claimed now, with so many under way."""
        room = CONCURRENT - under_way if self._left is None else min(CONCURRENT - under_way, self._left)
        return room if self.is_open and (room >= REFILL or not under_way) else 0

    def take(self, claimed: Sequence[KnownFeed]) -> None:
        """Note what was claimed: nothing is polled twice for having been named once."""
        if self._left is not None:
            self._left -= len(claimed)
        if self.only is not None:
            self.only -= {known.feed.id for known in claimed}


def _claim(poller: Poller, quota: _Quota, under_way: int) -> Sequence[KnownFeed]:
    room = quota.room(under_way)
    if not room:
        return ()
    claimed = poller.state.claim_due_feeds(poller.clock(), room, poller.holder, poller.lease_seconds, quota.only)
    quota.take(claimed)
    poller.reach("poll:claimed")
    return claimed


async def _arrived(answers: asyncio.Queue[Answered], tasks: Collection[asyncio.Task[None]]) -> list[Answered]:
    """Return the answers that are there, waiting for the first a while. Raises what broke a task: that is our bug."""
    try:
        group = [await asyncio.wait_for(answers.get(), CLAIM_SECONDS)]
    except TimeoutError:
        for task in tasks:
            if task.done() and not task.cancelled() and (error := task.exception()):
                raise error from None
        return []
    if len(tasks) > 1:
        await asyncio.sleep(LINGER_SECONDS)
    while not answers.empty():
        group.append(answers.get_nowait())
    return group


async def _ask(poller: Poller, known: KnownFeed, answers: asyncio.Queue[Answered]) -> None:
    """Fetch one feed and read it, and put what came of it into the queue."""
    answered = await ask(known, http=poller.http, clock=poller.clock, access=poller.access)
    if answered.response is not None and answered.failure is None:
        answered = await _parsed(poller, answered, answered.response)
    await answers.put(answered)


async def _parsed(poller: Poller, answered: Answered, response: Response) -> Answered:
    if decide.is_unchanged(response, answered.known.state):
        return answered
    items = poller.state.seen_items(answered.known.feed.id)
    try:
        parsed = await poller.parse(
            response.body, content_type=response.headers.get("content-type", ""), url=response.url, known=items.keys()
        )
        if parsed.children:
            answered = replace(answered, response=as_polled(response))
            parsed = await with_children(parsed, partial(_child, poller), poller.parse)
    except NotAFeed as error:
        return replace(answered, failure=decide.not_a_feed(error.reason, response), at=poller.clock())
    return replace(answered, parsed=parsed, items=items, at=poller.clock())


async def _child(poller: Poller, url: str) -> Response:
    """Fetch a sitemap that an index names, after the pause that its host is due."""
    await asyncio.sleep(poller.host_delay_seconds)
    return await telemetry.counted("feed", poller.http.request("GET", url, timeout_seconds=FETCH_SECONDS))


def _handle(poller: Poller, group: Sequence[Answered], budget: Budget) -> PollReport:
    """Publish what a group of polls brought, then save them."""
    brought = []
    for answered in group:
        poller.reach("poll:fetched")
        look_up = partial(poller.state.seen_entries, answered.known.feed.id)
        brought.append(brought_by(answered, look_up, host_delay_seconds=poller.host_delay_seconds, budget=budget))
    brought = _publish(poller, brought)
    if any(one.articles for one in brought):
        poller.reach("poll:published")
    saved = poller.state.save_polls([one.result for one in brought], poller.holder)
    poller.reach("poll:saved")
    reports = [_report(one, is_saved=one.known.feed.id in saved) for one in brought]
    _tell(poller.broker, [report for report in reports if report.saved])
    return PollReport(results=reports)


def _publish(poller: Poller, brought: Sequence[Brought]) -> list[Brought]:
    """Publish all articles; return what the polls come to, those as unpublished whose articles the broker put off.

    What the broker will never take goes to the dead letters.
    """
    messages = [
        (place, Message(
            topic=topics.raw(article.lane), key=article.id, value=encode_article(article), headers=telemetry.new_trace()
        ))
        for place, one in enumerate(brought)
        for article in one.articles
    ]  # fmt: skip
    if not messages:
        return list(brought)
    outcomes = poller.broker.publish([message for _, message in messages])
    put_off: dict[int, str] = {}
    letters: list[tuple[int, Message]] = []
    for (place, message), failure in zip(messages, outcomes, strict=True):
        if failure is not None and not failure.fatal:
            put_off.setdefault(place, failure.cause)
        elif failure is not None:
            letters.append((place, _dead_letter(message, failure.cause, brought[place].result.polled_at)))
    dead = _bury(poller.broker, letters, put_off)
    _log_published([(message, outcome) for (place, message), outcome in zip(messages, outcomes, strict=True)
                    if place not in put_off])  # fmt: skip
    return [
        unpublished(one, put_off[place]) if place in put_off else _with_dead(one, dead.get(place, 0))
        for place, one in enumerate(brought)
    ]


def _bury(broker: Broker, letters: Sequence[tuple[int, Message]], put_off: dict[int, str]) -> dict[int, int]:
    """Publish dead letters; return their number by poll. A poll whose letter is not stored is put off."""
    dead: dict[int, int] = {}
    outcomes = broker.publish([letter for _, letter in letters]) if letters else ()
    for (place, _), failure in zip(letters, outcomes, strict=True):
        if failure is not None:
            put_off[place] = f"an article {UNPUBLISHABLE}, nor can its dead letter: {failure.cause}"
        dead[place] = dead.get(place, 0) + 1
    return dead


def _with_dead(brought: Brought, dead: int) -> Brought:
    return replace(brought, counts=brought.counts | {(Status.DEAD.value, UNPUBLISHABLE): dead}) if dead else brought


def _log_published(published: Sequence[tuple[Message, PublishError | None]]) -> None:
    for message, failure in published if log.is_enabled_for(logging.INFO) else ():
        status, trace = Status.DEAD if failure else Status.PUBLISHED, telemetry.trace_id(message.headers)
        log.info("handled", step="poll", id=message.key, status=status.value, trace=trace)


def _dead_letter(message: Message, cause: str, now: datetime) -> Message:
    """Bury an article that never became a record: it has no place, so its letter goes by the article's id."""
    unstored = Record(
        topic=message.topic, partition=-1, offset=-1, key=message.key, value=message.value, timestamp=now
    )  # fmt: skip
    log.warning("dead letter", step="poll", key=message.key, reason=UNPUBLISHABLE, detail=cause[:300])
    letter = dead_letter(unstored, step="poll", reason=UNPUBLISHABLE, detail=cause, at=now)
    return replace(letter, key=message.key)


def _report(brought: Brought, *, is_saved: bool) -> FeedReport:
    """Return how a poll went, and count and log it."""
    feed, state = brought.known.feed, brought.result.state
    report = FeedReport(
        feed=feed, state=state, saved=is_saved, unchanged=brought.unchanged, unpublished=brought.unpublished,
        counts=brought.counts, tally=brought.result.tally, new_url=brought.result.new_url,
    )  # fmt: skip
    for (status, reason), number in report.counts.items():
        telemetry.RECORDS.labels("poll", status, reason).inc(number)
    # By id, never by address: addresses of feeds carry keys.
    log.info(
        "feed polled", step="poll", feed=feed.id, status=state.status.value, cause=state.cause, items=state.items,
        new=report.number(Status.PUBLISHED), changed=report.number(Status.UPDATED), saved=is_saved,
        next_due=str(state.next_due),
    )  # fmt: skip
    if report.tally and (gap := report.tally.gap):
        log.warning("gap", step="poll", feed=feed.id, began=str(gap.began), missed=gap.missed)
    return report


def _tell(broker: Broker, reports: Sequence[FeedReport]) -> None:
    """Publish how the polls went. The ledger in the state is the record; what this topic lacks is only logged."""
    failures = broker.publish([done_message(report) for report in reports]) if reports else ()
    if causes := {failure.cause for failure in failures if failure is not None}:
        log.warning("polls not told", step="poll", topic=topics.POLLS, causes="; ".join(sorted(causes)))
