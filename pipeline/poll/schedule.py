"""When a feed is polled next: a pure function of what its polls have taught, and of the time.

Each poll costs a price, so set that all feeds together keep to the budget; each hour that an item waits costs one. A
moment is worth polling at when the waiting of the items expected until then, and the price, less what that much time
usually costs, is least. For items that come at a steady rate that gives an interval as the inverse of the square root
of the rate, which is the best there is; where they come at certain minutes it gives a poll just after them.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from math import exp, isfinite, sqrt

from pipeline.feed import FeedHints, Rhythm
from pipeline.poll.rhythm import QUICK_HOURS, burst, cells, hours_of, level, shares, sound

SHORTEST_SECONDS, LONGEST_SECONDS = 60.0, 86_400.0
LONGEST_TTL_SECONDS = 3_600.0
"""Publishers' tools write a ttl of a day or a week without anybody having meant it."""
JITTER, LONGEST_JITTER_SECONDS = 0.05, 90.0
"""Feeds asked at once do not come back at once. Later only, and little: a poll that waits for a certain minute must not
come before it."""
WINDOW_SHARE = 0.5
"""The next poll is before so much of what the feed shows is expected to be new: twice as much would be missed."""


def next_poll(
    rhythm: Rhythm,
    now: datetime,
    *,
    mean_pace: float,
    polls_per_feed_hour: float,
    shown: int,
    hints: FeedHints,
    fresh_seconds: float,
    feed_id: str,
) -> datetime:
    """Return when to poll a feed next: 1 minute to 24 hours from ``now``.

    ``mean_pace`` is the mean of ``pace_of`` over all feeds and ``polls_per_feed_hour`` the budget, on average over all
    feeds and hours. ``shown`` is how many items the feed shows. What the feed asks for (``hints``: ttl up to an hour,
    hours and days of rest) and ``fresh_seconds``, how long the answer says that it is fresh, can only delay a poll, and
    never beyond 24 hours. The same values give the same moment: feeds are spread by a hash of ``feed_id``.
    """
    rhythm = sound(rhythm)
    price = _root_price(mean_pace, polls_per_feed_hour)
    wait = best_wait_hours(rhythm, hours_of(now), price, max(shown, 2) * WINDOW_SHARE) * 3_600 * rhythm.squeeze
    dice = _dice(feed_id, now)
    wait += min(wait * JITTER, LONGEST_JITTER_SECONDS) * dice
    fresh = fresh_seconds if isfinite(fresh_seconds) else 0.0
    wait = max(wait, min(hints.ttl_seconds, LONGEST_TTL_SECONDS), fresh, SHORTEST_SECONDS)
    due = now + timedelta(seconds=min(wait, LONGEST_SECONDS))
    return min(_allowed(due, hints, dice), now + timedelta(seconds=LONGEST_SECONDS))


def _root_price(mean_pace: float, polls_per_feed_hour: float) -> float:
    """Return the root of twice the price of a poll: with it, a steady rate r is polled every price / sqrt(r) hours."""
    pace = mean_pace if isfinite(mean_pace) and mean_pace > 0 else 1.0
    polls = polls_per_feed_hour if isfinite(polls_per_feed_hour) and polls_per_feed_hour > 0 else 1.0
    return min(max(pace / polls, 1e-4), 1e4)


def best_wait_hours(rhythm: Rhythm, at: float, root_price: float, most_items: float) -> float:
    """Return how long to wait, for the least cost per time, at most until ``most_items`` are expected."""
    parts, base, extra = shares(rhythm), level(rhythm), burst(rhythm) - 1
    busiest = max(rhythm.by_hour, default=1.0) * max(rhythm.by_day, default=1.0) * base * max(1 + extra, 1.0)
    enough = root_price * sqrt(
        busiest
    )  # items waiting that are worth a poll at the best of times: then look no further
    ahead = waited = items = usual = 0.0
    best, least = LONGEST_SECONDS / 3_600, float("inf")
    for length, usual_rate, mean, _hour, _part in cells(rhythm, at, at + LONGEST_SECONDS / 3_600, parts):
        of_late = base * (1 + extra * exp(-(ahead + length / 2) / QUICK_HOURS)) if extra else base
        rate, slope = usual_rate * of_late, root_price * sqrt(mean * of_late)
        full = (most_items - items) / rate
        inside = (slope - items) / rate  # from here on waiting costs more than usual
        inside = max(0.0, min(inside, length, full)) if inside > 0 else 0.0
        cost = waited + inside * (items + rate * inside / 2) - usual - slope * inside
        if cost < least:
            best, least = ahead + inside, cost
        if full <= length or items > enough:
            break
        waited += length * (items + rate * length / 2)
        usual += slope * length
        items += rate * length
        ahead += length
    return best


def _dice(feed_id: str, now: datetime) -> float:
    """Return a number from 0 to 1, the same for the same feed and second."""
    digest = blake2b(f"{feed_id} {int(now.timestamp())}".encode(errors="replace"), digest_size=2).digest()
    return int.from_bytes(digest, "big") / 65_536


def _allowed(due: datetime, hints: FeedHints, dice: float) -> datetime:
    """Return the moment, or a little after the beginning of the next hour in which the feed wants to be polled."""
    hours, days = set(hints.skip_hours), set(hints.skip_days)
    if not hours and not days:
        return due
    moment = due.astimezone(UTC)
    for _ in range(7 * 24):
        if moment.hour not in hours and moment.weekday() not in days:
            return moment.astimezone(due.tzinfo)
        moment = moment.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1, seconds=dice * 60)
    return due
