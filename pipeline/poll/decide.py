"""The rules of polling, as functions of values: what to ask, what an answer means, when to come again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from hashlib import blake2b
from http import HTTPStatus

from msgspec import Struct
from msgspec.structs import replace

from pipeline.feed import Feed, FeedState, FeedStatus, SeenEntry
from pipeline.identity import canonical_link
from pipeline.outcomes import Status
from pipeline.poll.articles import hash_of, key_of
from pipeline.poll.parse import Entry, ParsedFeed
from pipeline.ports import Response

LONGEST_WAIT_SECONDS = 24 * 3600
BROKER_WAIT_SECONDS = 60
"""The feed is well and our broker is not: soon again, whatever the feed's interval."""
FIRST_NO_ANSWER_SECONDS = 60
DEFAULT_INTERVAL_SECONDS = 900
NO_ANSWER_INTERVALS = 4
"""At the usual interval an hour: so long may a machine that comes online again stay silent about a feed."""
NOT_MODIFIED = 304


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


def failure_in(response: Response, state: FeedState) -> str:
    """Return why this answer is no use, or "" when it is a body to read or a rightful "not modified"."""
    if response.status == NOT_MODIFIED:
        if state.status is FeedStatus.FAILED:
            return state.cause
        return "" if conditional_headers(state) else "HTTP 304 Not Modified, though the feed was never read"
    if 200 <= response.status < 300:
        return ""
    known = response.status in set(HTTPStatus)
    return f"HTTP {response.status} {HTTPStatus(response.status).phrase}" if known else f"HTTP {response.status}"


def is_unchanged(response: Response, state: FeedState) -> bool:
    """Whether the answer says, or its very body shows, that there is nothing new since the last parse."""
    if failure_in(response, state):
        return False
    return response.status == NOT_MODIFIED or (bool(state.body_hash) and body_hash(response.body) == state.body_hash)


def after_parse(feed: Feed, state: FeedState, response: Response, parsed: ParsedFeed, now: datetime) -> FeedState:
    """Return the state after a body that parsed: the only thing that ends a failure."""
    return replace(
        after_unchanged(feed, state, now),
        etag=response.headers.get("etag", "")[:1_000],
        last_modified=response.headers.get("last-modified", "")[:100],
        body_hash=body_hash(response.body),
        status=FeedStatus.OK if parsed.entries else FeedStatus.EMPTY,
        items=len(parsed.entries),
    )


def after_unchanged(feed: Feed, state: FeedState, now: datetime) -> FeedState:
    """Return the state after "not modified", or after the very body that parsed last time."""
    return replace(
        state,
        status=FeedStatus.OK if state.items else FeedStatus.EMPTY,
        cause="",
        failures=0,
        last_polled=now,
        last_ok=now,
        next_due=now + timedelta(seconds=usual_seconds(feed)),
    )


def after_failure(
    feed: Feed, state: FeedState, cause: str, now: datetime, *, asked_seconds: float | None = None
) -> FeedState:
    """Return the state after a poll that brought nothing: what the last good one left is kept.

    ``asked_seconds`` is the wait that the server asked for; it is granted, up to a day.
    """
    failures = state.failures + 1
    wait = max(backoff_seconds(feed, failures), min(asked_seconds or 0.0, LONGEST_WAIT_SECONDS))
    return _failed(state, cause, failures, now, wait)


def after_no_answer(feed: Feed, state: FeedState, cause: str, now: datetime) -> FeedState:
    """Return the state after a poll that reached nobody: as after a failure, but sooner again.

    It costs the publisher nothing, and most often it is our own network that is away, as a laptop's is.
    """
    failures = state.failures + 1
    return _failed(state, cause, failures, now, no_answer_seconds(feed, failures))


def after_unpublished(state: FeedState, cause: str, now: datetime) -> FeedState:
    """Return the state after a poll whose articles the broker did not take: all of it is to be done again, soon."""
    return _failed(state, cause, state.failures + 1, now, BROKER_WAIT_SECONDS)


def _failed(state: FeedState, cause: str, failures: int, now: datetime, wait_seconds: float) -> FeedState:
    return replace(
        state,
        status=FeedStatus.FAILED,
        cause=cause,
        failures=failures,
        last_polled=now,
        next_due=now + timedelta(seconds=wait_seconds),
    )


def usual_seconds(feed: Feed) -> float:
    """Return the seconds between two polls of a feed that is well."""
    return feed.interval_seconds or DEFAULT_INTERVAL_SECONDS


def backoff_seconds(feed: Feed, failures: int) -> float:
    """Return the wait after so many failures in a row: the interval, doubled each time, up to a day.

    Up to a tenth is taken off, by a hash of feed and number: the same for every process that computes it, and
    different for feeds that failed together, so that they do not come back together.
    """
    doubled = usual_seconds(feed) * 2.0 ** min(failures, 32)
    return min(doubled, LONGEST_WAIT_SECONDS) * _apart(feed, failures)


def no_answer_seconds(feed: Feed, failures: int) -> float:
    """Return the wait after so many polls without an answer: a minute, doubled each time, up to four intervals.

    Never longer than after as many failures of another kind.
    """
    doubled = FIRST_NO_ANSWER_SECONDS * 2.0 ** min(failures - 1, 32)
    longest = usual_seconds(feed) * min(NO_ANSWER_INTERVALS, 2.0 ** min(failures, 32))
    return min(doubled, longest, LONGEST_WAIT_SECONDS) * _apart(feed, failures)


def _apart(feed: Feed, failures: int) -> float:
    dice = blake2b(f"{feed.id} {failures}".encode(), digest_size=2).digest()
    return 1 - 0.1 * int.from_bytes(dice, "big") / 65_536


def retry_after_seconds(value: str, now: datetime) -> float | None:
    """Return the wait that a Retry-After header asks for (RFC 9110 section 10.2.3), or None when it says nothing."""
    value = value.strip()
    if value.isascii() and value.isdigit():
        return float(value[:9])
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0.0, (moment - now).total_seconds())


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


def sorted_entries(entries: Iterable[Entry], seen: Mapping[str, SeenEntry]) -> list[Sorted]:
    """Say of each entry whether it is new. The feed's order and its dates play no part.

    Of several entries with one key the first counts, since feeds put the newest first: were all to count, two of
    different text would replace each other at every poll.
    """
    result: list[Sorted] = []
    shown: set[str] = set()
    for entry in entries:
        key, said = key_of(entry), hash_of(entry)
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
    return bool(response.permanent_url) and canonical_link(response.permanent_url) != canonical_link(feed.url)
