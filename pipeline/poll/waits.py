"""How long to leave a feed alone: after a failure, after no answer, and when its publisher asks for it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from hashlib import blake2b

from pipeline.feed import Feed
from pipeline.text.headers import http_date, retry_after_seconds

__all__ = ["retry_after_seconds"]

LONGEST_WAIT_SECONDS = 24 * 3600
LONGEST_DECAY_SECONDS = 30 * 24 * 3600
"""A feed never dies; one that has failed for weeks is looked at once a month (as Media Cloud's rss-fetcher does)."""
DECAY_AFTER = 30
"""Failures in a row after which the wait grows past a day, by a fifth each time: some three weeks of failing."""
BROKER_WAIT_SECONDS = 60
"""The feed is well and our broker is not: soon again, whatever the feed's interval."""
FIRST_NO_ANSWER_SECONDS = 60
NO_ANSWER_INTERVALS = 4
"""At the usual interval an hour: so long may a machine that comes online again stay silent about a feed."""
NO_ANSWER_FAILURES = 24
"""After so many it is the feed that is away and not our network: it is treated like any other failure."""
DEFAULT_INTERVAL_SECONDS = 900
LONGEST_FRESH_SECONDS = 4 * 3600
"""Servers that call every file fresh for a year would else cost a day of news at each poll."""
TOO_MANY_SECONDS = 30
"""Least pause of a host after a 429 or 503 (Media Cloud's figure)."""

_MAX_AGE = re.compile(r"(?:^|[\s,])max-age\s*=\s*\"?(\d{1,10})", re.IGNORECASE)
_NOT_FRESH = re.compile(r"(?:^|[\s,])(?:no-cache|no-store)(?:$|[\s,;])", re.IGNORECASE)


def usual_seconds(feed: Feed) -> float:
    """Return the seconds between two polls of a feed that is well, as far as its settings say."""
    return feed.interval_seconds or DEFAULT_INTERVAL_SECONDS


def backoff_seconds(feed: Feed, failures: int) -> float:
    """Return the wait after so many failures in a row: the interval, doubled each time, up to a day, later to 30 days.

    Up to a tenth is taken off, by a hash of feed and number: the same for every process that computes it, and
    different for feeds that failed together, so that they do not come back together.
    """
    doubled = min(usual_seconds(feed) * 2.0 ** min(failures, 32), LONGEST_WAIT_SECONDS)
    decayed = LONGEST_WAIT_SECONDS * 1.2 ** min(failures - DECAY_AFTER, 60) if failures > DECAY_AFTER else 0.0
    return min(max(doubled, decayed), LONGEST_DECAY_SECONDS) * _apart(feed, failures)


def no_answer_seconds(feed: Feed, failures: int) -> float:
    """Return the wait after so many polls without an answer: a minute, doubled each time, up to four intervals.

    Never longer than after as many failures of another kind.
    """
    if failures > NO_ANSWER_FAILURES:
        return backoff_seconds(feed, failures)
    doubled = FIRST_NO_ANSWER_SECONDS * 2.0 ** min(failures - 1, 32)
    longest = usual_seconds(feed) * min(NO_ANSWER_INTERVALS, 2.0 ** min(failures, 32))
    return min(doubled, longest, LONGEST_WAIT_SECONDS) * _apart(feed, failures)


def _apart(feed: Feed, failures: int) -> float:
    dice = blake2b(f"{feed.id} {failures}".encode(), digest_size=2).digest()
    return 1 - 0.1 * int.from_bytes(dice, "big") / 65_536


def fresh_seconds(headers: Mapping[str, str], now: datetime) -> float:
    """Return how long an answer stays fresh by its own word, up to four hours; 0 when it says nothing.

    RFC 9111 section 4.2.1: ``max-age`` goes before ``Expires``; section 5.1: what it aged in caches counts.
    """
    control = headers.get("cache-control", "")
    if _NOT_FRESH.search(control):
        return 0.0
    if found := _MAX_AGE.search(control):
        age = headers.get("age", "").strip()
        aged = int(age[:9]) if age.isascii() and age.isdigit() else 0
        lifetime = float(found[1]) - aged
    else:
        expires = http_date(headers.get("expires", ""))
        lifetime = (expires - (http_date(headers.get("date", "")) or now)).total_seconds() if expires else 0.0
    return min(max(lifetime, 0.0), LONGEST_FRESH_SECONDS)
