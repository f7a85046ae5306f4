"""The rules of polling, as functions of values: what to ask, what an answer means, when to come again."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from hashlib import blake2b
from http import HTTPStatus

from msgspec import Struct
from msgspec.structs import replace

from pipeline.feed import Feed, FeedState, FeedStatus, Oddity, SeenEntry
from pipeline.identity import link_host, plain_link
from pipeline.outcomes import Status, Trouble
from pipeline.poll.articles import hash_of, key_of
from pipeline.poll.parse import Entry, ParsedFeed
from pipeline.poll.rhythm import learned, pace_of
from pipeline.poll.schedule import next_poll
from pipeline.poll.waits import (
    BROKER_WAIT_SECONDS,
    LONGEST_WAIT_SECONDS,
    TOO_MANY_SECONDS,
    backoff_seconds,
    fresh_seconds,
    no_answer_seconds,
    retry_after_seconds,
)
from pipeline.ports import PollTally, Response
from pipeline.walls import wall_of

NOT_MODIFIED, GONE, TOO_MANY, UNAVAILABLE = 304, 410, 429, 503
MOVED_FOR = timedelta(days=7)
"""So long an address must lead elsewhere "for good" before that is believed: many such answers are mistakes."""


class Budget(Struct, frozen=True, kw_only=True):
    """How many polls there are to spend, and how many feeds ask for them."""

    polls_per_feed_hour: float = 4.0
    """On average over all feeds; more go to those that bring more."""
    mean_pace: float = 0.7
    """Mean of ``FeedState.pace``; this is that of feeds that nothing is known of."""


class Failure(Struct, frozen=True):
    """Why a poll brought nothing: in words, and for counting."""

    cause: str
    trouble: Trouble


def conditional_headers(state: FeedState) -> dict[str, str]:
    """Return the headers that let the server answer "not modified" (RFC 9110 section 13.1).

    After a failure none: only a body that parses ends a failure, so the next answer has to bring one.
    """
    if state.status is FeedStatus.FAILED:
        return {}
    headers = {"If-None-Match": state.etag, "If-Modified-Since": state.last_modified}
    return {name: value for name, value in headers.items() if value}


def body_hash(body: bytes) -> str:
    """Return the hash by which an unchanged body is known."""
    return blake2b(body, digest_size=16).hexdigest()


def failure_in(response: Response, state: FeedState) -> Failure | None:
    """Return why this answer is no use, or None when it is a body to read or a rightful "not modified"."""
    if response.status == NOT_MODIFIED:
        if state.status is FeedStatus.FAILED:
            return Failure(state.cause, state.trouble)
        if conditional_headers(state):
            return None
        return Failure("HTTP 304 Not Modified, though the feed was never read", Trouble.STATUS)
    if 200 <= response.status < 300:
        return None
    known = response.status in set(HTTPStatus)
    cause = f"HTTP {response.status} {HTTPStatus(response.status).phrase}" if known else f"HTTP {response.status}"
    wall = wall_of(response)
    return Failure(f"{cause}: {wall}", Trouble.WALL) if wall else Failure(cause, Trouble.STATUS)


def not_a_feed(reason: str, response: Response | None = None) -> Failure:
    """Return the failure of an answer that is something else; ``reason`` says what, unless it is a known wall."""
    if response is not None and (wall := wall_of(response)):
        return Failure(f"not a feed: {wall}", Trouble.WALL)
    return Failure(f"not a feed: {reason}", Trouble.NOT_A_FEED)


def is_unchanged(response: Response, state: FeedState) -> bool:
    """Whether the answer says, or its very body shows, that there is nothing new since the last parse."""
    if failure_in(response, state):
        return False
    return response.status == NOT_MODIFIED or (bool(state.body_hash) and body_hash(response.body) == state.body_hash)


def after_parse(
    feed: Feed,
    state: FeedState,
    response: Response,
    parsed: ParsedFeed,
    now: datetime,
    *,
    tally: PollTally,
    budget: Budget,
    oddities: Sequence[Oddity] = (),
) -> FeedState:
    """Return the state after a body that parsed: the only thing that ends a failure."""
    read = replace(
        state,
        etag=response.headers.get("etag", "")[:1_000],
        last_modified=response.headers.get("last-modified", "")[:100],
        body_hash=body_hash(response.body),
        items=tally.seen,
        last_new=now if tally.new else state.last_new,
        hints=replace(parsed.hints, oddities=tuple(oddities)),
    )
    return _well(feed, read, response, now, budget=budget, new=tally.new, overlap=tally.overlap)


def after_unchanged(feed: Feed, state: FeedState, response: Response, now: datetime, *, budget: Budget) -> FeedState:
    """Return the state after "not modified", or after the very body that parsed last time."""
    return _well(feed, state, response, now, budget=budget, new=0, overlap=1.0 if state.items else None)


def _well(
    feed: Feed, state: FeedState, response: Response, now: datetime, *, budget: Budget, new: int, overlap: float | None
) -> FeedState:
    rhythm = learned(state.rhythm, previous=state.last_ok, now=now, new=new, shown=state.items, overlap=overlap)
    fresh = fresh_seconds(response.headers, now)
    if feed.interval_seconds:
        due = now + timedelta(seconds=max(feed.interval_seconds, fresh))
    else:
        due = next_poll(
            rhythm, now, mean_pace=budget.mean_pace, polls_per_feed_hour=budget.polls_per_feed_hour,
            shown=state.items, hints=state.hints, fresh_seconds=fresh, feed_id=feed.id,
        )  # fmt: skip
    return replace(
        state,
        rhythm=rhythm,
        pace=pace_of(rhythm),
        status=FeedStatus.OK if state.items else FeedStatus.EMPTY,
        cause="",
        trouble=Trouble.NONE,
        failures=0,
        last_polled=now,
        last_ok=now,
        next_due=due,
    )


def after_failure(
    feed: Feed, state: FeedState, failure: Failure, now: datetime, *, response: Response | None = None
) -> FeedState:
    """Return the state after a poll that brought nothing: what the last good one left is kept.

    The wait that a server asks for (Retry-After) is granted, up to a day. 410 ends the polls.
    """
    asked = retry_after_seconds(response.headers.get("retry-after", ""), now) if response else None
    wait = max(backoff_seconds(feed, state.failures + 1), min(asked or 0.0, LONGEST_WAIT_SECONDS))
    failed = _failed(state, failure, now, wait)
    return replace(failed, status=FeedStatus.GONE) if response and response.status == GONE else failed


def after_no_answer(feed: Feed, state: FeedState, failure: Failure, now: datetime) -> FeedState:
    """Return the state after a poll that reached nobody: as after a failure, but sooner again.

    It costs the publisher nothing, and most often it is our own network that is away, as a laptop's is.
    """
    return _failed(state, failure, now, no_answer_seconds(feed, state.failures + 1))


def after_unpublished(state: FeedState, cause: str, now: datetime) -> FeedState:
    """Return the state after a poll whose articles the broker did not take: all of it is to be done again, soon."""
    return _failed(state, Failure(cause, Trouble.BROKER), now, BROKER_WAIT_SECONDS)


def _failed(state: FeedState, failure: Failure, now: datetime, wait_seconds: float) -> FeedState:
    return replace(
        state,
        status=FeedStatus.FAILED,
        cause=failure.cause,
        trouble=failure.trouble,
        failures=state.failures + 1,
        last_polled=now,
        next_due=now + timedelta(seconds=wait_seconds),
    )


def host_pause_seconds(response: Response | None, delay_seconds: float, now: datetime) -> float:
    """Return how long the feed's host is left alone after this answer; longer when it says that we ask too much."""
    if response is None or response.status not in {TOO_MANY, UNAVAILABLE}:
        return delay_seconds
    asked = retry_after_seconds(response.headers.get("retry-after", ""), now) or 0.0
    return max(delay_seconds, min(max(asked, TOO_MANY_SECONDS), LONGEST_WAIT_SECONDS))


class Sorted(Struct, frozen=True):
    """An entry and what it is: ``published`` (new), ``updated`` (says something else), ``duplicate`` or ``dropped``."""

    entry: Entry
    key: str
    content_hash: str
    status: Status

    @property
    def is_news(self) -> bool:
        """Whether it is to be published."""
        return self.status in {Status.PUBLISHED, Status.UPDATED}


def sorted_entries(
    entries: Iterable[Entry],
    seen: Mapping[str, SeenEntry],
    *,
    keys: Sequence[str] | None = None,
    between: Sequence[tuple[int, str]] = (),
) -> list[Sorted]:
    """Say of each entry whether it is new. The feed's order and its dates play no part.

    ``keys`` are what the entries are known by, in their order (``poll.churn``); without it, by their links.
    ``between`` are the places and keys of the items that were not read again, since they stand there as they did.

    Of several entries with one key the first counts, since feeds put the newest first: were all to count, two of
    different text would replace each other at every poll.
    """
    result: list[Sorted] = []
    shown: set[str] = set()
    passed_over = deque(sorted(between))
    for number, entry in enumerate(entries):
        while passed_over and passed_over[0][0] < entry.place:
            shown.add(passed_over.popleft()[1])
        key, said = keys[number] if keys is not None else key_of(entry), hash_of(entry)
        before = seen.get(key)
        if not key:
            status = Status.DROPPED
        elif key in shown or (before is not None and before.content_hash == said):
            status = Status.DUPLICATE
        else:
            status = Status.PUBLISHED if before is None else Status.UPDATED
        shown.add(key)
        result.append(Sorted(entry, key, said, status))
    return result


def is_moved(feed: Feed, response: Response) -> bool:
    """Whether the server says, for good, that the feed is elsewhere."""
    return bool(response.permanent_url) and plain_link(response.permanent_url) != plain_link(feed.url)


def after_redirect(feed: Feed, state: FeedState, response: Response, now: datetime) -> tuple[FeedState, str]:
    """Return the state with where the feed says it has moved, and its new address once that is believed.

    A feed with credentials is not followed to another host: they are for the one that gave them.
    """
    if not is_moved(feed, response):
        is_settled = state.moved_since is None  # moved_to is then where it was moved before
        return (state if is_settled else replace(state, moved_to="", moved_since=None)), ""
    target = response.permanent_url
    if state.moved_since is None or state.moved_to != target:
        return replace(state, moved_to=target, moved_since=now), ""
    leaves_host = bool(feed.access) and link_host(target) != link_host(feed.url)
    if leaves_host or now - state.moved_since < MOVED_FOR:
        return state, ""
    return replace(state, moved_to=target, moved_since=None), target
