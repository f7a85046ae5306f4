"""Poll due feeds and publish what is new or changed in them.

    claim ─▶ fetch and parse (many at once) ─▶ publish ─▶ save

What a feed has shown is saved only after every message is stored, so that a poll that dies in between is made again:
the same articles under the same ids, which is harmless, where the other order would lose them. Answers that are there
at the same moment are published together and saved together; feeds are claimed as others are done, so that one that
hangs keeps nobody waiting.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import timedelta
from functools import partial

import structlog
from msgspec import Struct
from msgspec.structs import replace

from pipeline import telemetry, topics
from pipeline.access import Access
from pipeline.feed import Feed, KnownFeed
from pipeline.outcomes import Status
from pipeline.poll import decide
from pipeline.poll.answers import Answered, Brought, brought_by
from pipeline.poll.asking import FETCH_SECONDS, ask
from pipeline.poll.bounds import NotAFeed
from pipeline.poll.children import as_polled, with_children
from pipeline.poll.decide import Budget
from pipeline.poll.done import done_message
from pipeline.poll.gaps import Filler, Gaps
from pipeline.poll.parsing import Parse, parse_inline
from pipeline.poll.publish import publish_brought
from pipeline.poll.quota import Quota, Renewal, Spending
from pipeline.poll.report import FeedReport, PollReport
from pipeline.ports import Broker, Clock, Http, Response, State

__all__ = ["FeedReport", "PollReport", "poll_due_feeds", "poll_feeds"]

log = structlog.get_logger("wirewatch")

BATCH_SECONDS = 60.0
"""So long a batch of limited size waits for hosts that rest and fills gaps; what is still due is for the next one."""
CLAIM_SECONDS = 1.0
"""How often it is seen whether more is due while all that was claimed is under way."""
LINGER_SECONDS = 0.02
"""How long the first answer of a group waits for others: a group is two commits, whatever its size."""


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
    access_fault: str = "",
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
        host_delay_seconds=host_delay_seconds, only=only, access=access or {}, access_fault=access_fault,
        parse=parse,
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
    access_fault: str = ""
    """Why there is none of it, when it cannot be read."""
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
    quota, gaps = Quota(limit, poller.only), Gaps(_filler(poller))
    spending = Spending(poller.state, poller.clock, poller.polls_per_feed_hour)
    renewal = Renewal(poller.state, poller.clock, poller.holder, poller.lease_seconds)
    loop = asyncio.get_running_loop()
    begun, has_polled = loop.time(), False
    try:
        while True:
            renewal.go_on(under_way)
            for known in _claim(poller, quota, len(under_way)):
                if known.feed.id not in under_way:  # its claim ran out, as when a laptop slept, and is ours again
                    under_way[known.feed.id] = asyncio.create_task(_ask(poller, known, answers))
                    has_polled = True
            gaps.go_on()
            is_over = limit is not None and loop.time() - begun > BATCH_SECONDS
            if not under_way and gaps.are_being_filled and not is_over:
                await gaps.wait(CLAIM_SECONDS)
                continue
            if not under_way:
                if is_over or not (has_polled and poller.host_delay_seconds and quota.is_open):
                    return
                has_polled = False  # what is still due may have waited for its host: once more, after the pause
                await asyncio.sleep(poller.host_delay_seconds)
                continue
            group = await _arrived(answers, under_way.values())
            if group:
                report = _handle(poller, group, spending.budget())
                gaps.add(report.gaps())
                on_report(report)
            for answered in group:
                under_way.pop(answered.known.feed.id, None)
    except asyncio.CancelledError:
        open_at = poller.clock() + timedelta(seconds=poller.host_delay_seconds)
        for feed_id in under_way:
            poller.state.release_feed(feed_id, poller.holder, open_at)
        raise
    finally:
        for task in under_way.values():
            task.cancel()
        await asyncio.gather(*under_way.values(), gaps.stop(), return_exceptions=True)


def _filler(poller: Poller) -> Filler:
    return Filler(
        state=poller.state, broker=poller.broker, http=poller.http, clock=poller.clock, holder=f"{poller.holder}-gaps",
        parse=poller.parse, access=poller.access, host_delay_seconds=poller.host_delay_seconds,
    )  # fmt: skip


def _claim(poller: Poller, quota: Quota, under_way: int) -> Sequence[KnownFeed]:
    room = quota.room(under_way)
    if not room:
        return ()
    claimed = poller.state.claim_due_feeds(poller.clock(), room, poller.holder, poller.lease_seconds, quota.only)
    quota.take(claimed)
    poller.reach("poll:claimed")
    return claimed


async def _arrived(answers: asyncio.Queue[Answered], tasks: Collection[asyncio.Task[None]]) -> list[Answered]:
    """Return the answers that are there, waiting for the first a while. Raises what broke a task: that is our bug."""
    for task in tasks:
        if task.done() and not task.cancelled() and (error := task.exception()):
            raise error
    try:
        group = [await asyncio.wait_for(answers.get(), CLAIM_SECONDS)]
    except TimeoutError:
        return []
    if len(tasks) > 1:
        await asyncio.sleep(LINGER_SECONDS)
    while not answers.empty():
        group.append(answers.get_nowait())
    return group


async def _ask(poller: Poller, known: KnownFeed, answers: asyncio.Queue[Answered]) -> None:
    """Fetch one feed and read it, and put what came of it into the queue."""
    answered = await ask(
        known, http=poller.http, clock=poller.clock, access=poller.access, access_fault=poller.access_fault
    )
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
            fetch = partial(_child, poller, answered.known.feed)
            is_first = answered.known.state.last_ok is None
            parsed = await with_children(parsed, fetch, poller.parse, all_of_them=is_first)
    except NotAFeed as error:
        return replace(answered, failure=decide.not_a_feed(error.reason, response), at=poller.clock())
    return replace(answered, parsed=parsed, items=items, at=poller.clock())


async def _child(poller: Poller, feed: Feed, url: str) -> Response:
    """Fetch a sitemap that an index names, after the pause that its host is due."""
    await asyncio.sleep(poller.host_delay_seconds)
    entry = poller.access.get(feed.access)
    access = entry.for_url(url) if entry else None
    return await telemetry.counted(
        "feed", poller.http.request("GET", url, timeout_seconds=FETCH_SECONDS, access=access)
    )  # fmt: skip


def _handle(poller: Poller, group: Sequence[Answered], budget: Budget) -> PollReport:
    """Publish what a group of polls brought, then save them."""
    brought = []
    for answered in group:
        poller.reach("poll:fetched")
        look_up = partial(poller.state.seen_entries, answered.known.feed.id)
        brought.append(brought_by(answered, look_up, host_delay_seconds=poller.host_delay_seconds, budget=budget))
    brought = publish_brought(poller.broker, brought)
    if any(one.articles for one in brought):
        poller.reach("poll:published")
    saved = poller.state.save_polls([one.result for one in brought], poller.holder)
    poller.reach("poll:saved")
    reports = [_report(one, is_saved=one.known.feed.id in saved) for one in brought]
    _tell(poller.broker, [report for report in reports if report.saved])
    return PollReport(results=reports)


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
