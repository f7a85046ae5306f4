"""What a feed says about polling it: ttl, skipHours and skipDays of RSS 2.0, updatePeriod of the syndication module.

feedparser keeps but the first of them, so they are read from the text, outside of the items.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from pipeline.feed import FeedHints

HEAD_CHARACTERS = TAIL_CHARACTERS = 64 * 1024
"""Of what stands before the first item and behind the last one: a channel's own elements take 2 kB."""
MAX_TTL_MINUTES = 366 * 24 * 60

_ITEM = re.compile(r"<(?:[\w.-]{1,40}:)?(?:item|entry)[\s>/]", re.IGNORECASE)
_LAST_ITEM = re.compile(r"</(?:[\w.-]{1,40}:)?(?:item|entry)\s{0,40}>", re.IGNORECASE)
_TTL = re.compile(r"<ttl[^<>]{0,100}>\s{0,40}(\d{1,9})\s{0,40}</ttl", re.IGNORECASE)
_SKIPPED = re.compile(r"<skip(hours|days)[^<>]{0,100}>(.{0,4000}?)</skip\1", re.IGNORECASE | re.DOTALL)
_HOUR = re.compile(r"<hour\s{0,40}>\s{0,40}(\d{1,2})\s{0,40}</hour", re.IGNORECASE)
_DAY = re.compile(r"<day\s{0,40}>\s{0,40}([a-z]{6,9})\s{0,40}</day", re.IGNORECASE)
_PERIOD = re.compile(r"<sy:updatePeriod[^<>]{0,100}>\s{0,40}([a-z]{5,7})\s{0,40}</", re.IGNORECASE)
_FREQUENCY = re.compile(r"<sy:updateFrequency[^<>]{0,100}>\s{0,40}(\d{1,6})\s{0,40}</", re.IGNORECASE)

_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_PERIODS = {"hourly": 3600, "daily": 86_400, "weekly": 604_800, "monthly": 2_592_000, "yearly": 31_536_000}


def hints_in(text: str) -> FeedHints:
    """Return the hints of a feed's text; what makes no sense is as if it were not said. Bounded, never raises.

    RSS 2.0 (https://www.rssboard.org/rss-specification): ttl in minutes; hours and days are GMT, hour 24 is 0 as some
    write it. Syndication module (https://web.resource.org/rss/1.0/modules/syndication/): so many updates a period,
    taken for a ttl where there is none. Hours or days that leave no time at all count as none.
    """
    channel = _outside_items(text)
    hours = {int(hour) % 24 for hour in _skipped(channel, "hours", _HOUR) if int(hour) <= 24}
    days = {_DAYS.index(day.lower()) for day in _skipped(channel, "days", _DAY) if day.lower() in _DAYS}
    return FeedHints(
        ttl_seconds=_ttl_seconds(channel) or _period_seconds(channel),
        skip_hours=tuple(sorted(hours)) if len(hours) < 24 else (),
        skip_days=tuple(sorted(days)) if len(days) < 7 else (),
    )


def _outside_items(text: str) -> str:
    head = text[:HEAD_CHARACTERS]
    first = _ITEM.search(head)
    if first is None:
        return head
    tail = text[max(first.start(), len(text) - TAIL_CHARACTERS) :]
    behind = 0
    for found in _LAST_ITEM.finditer(tail):
        behind = found.end()
    # Without an end of an item in the tail, the tail is the inside of one.
    return head[: first.start()] + (tail[behind:] if behind else "")


def _skipped(channel: str, what: str, one: re.Pattern[str]) -> Iterator[str]:
    found = next((found for found in _SKIPPED.finditer(channel) if found[1].lower() == what), None)
    return iter(one.findall(found[2]) if found else ())


def _ttl_seconds(channel: str) -> int:
    found = _TTL.search(channel)
    minutes = int(found[1]) if found else 0
    return minutes * 60 if minutes <= MAX_TTL_MINUTES else 0


def _period_seconds(channel: str) -> int:
    period = _PERIOD.search(channel)
    if period is None:
        return 0
    frequency = _FREQUENCY.search(channel)
    times = int(frequency[1]) if frequency else 1
    return _PERIODS.get(period[1].lower(), 0) // times if times else 0
