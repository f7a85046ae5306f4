"""Dates as a person writes them in a query: each names a stretch of time, ``[start, end)`` in UTC.

``2024``, ``2024-03`` and ``2024-03-15`` are a whole year, month and day; ``2024-03-15T10:30Z`` is that minute,
with seconds that second; an offset (``+03:30``) may stand for Z, and none means UTC. ``now``, ``now-24h`` and
``now+7d`` (s, m, h, d, w) are moments.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

_DATE = re.compile(
    r"(?P<year>\d{4})(?:-(?P<month>\d\d)(?:-(?P<day>\d\d)"
    r"(?:[Tt](?P<hour>\d\d):(?P<minute>\d\d)(?P<seconds>:\d\d(?:\.\d{1,6})?)?(?P<zone>[Zz]|[+-]\d\d:?\d\d)?)?)?)?",
    re.ASCII,
)
_RELATIVE = re.compile(r"now(?:(?P<amount>[+-]\d{1,6})(?P<unit>[smhdw]))?", re.ASCII)
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_MOMENT = timedelta(microseconds=1)


def period(text: str, now: datetime | None = None) -> tuple[datetime, datetime]:
    """Return the start (inclusive) and end (exclusive) of the time that ``text`` names.

    Raises:
        ValueError: it is no date, the date does not exist, or it is relative and ``now`` is not given. The message is
            for the person who wrote it.
    """
    if relative := _RELATIVE.fullmatch(text):
        if now is None:
            raise ValueError("a time relative to now has no meaning here; write a date")
        return _relative(relative, now)
    found = _DATE.fullmatch(text)
    if found is None:
        raise ValueError("not a date; write 2024, 2024-03, 2024-03-15, 2024-03-15T10:30Z or now-24h")
    if not 1000 <= int(found["year"]) <= 9998:
        raise ValueError("years go from 1000 to 9998")
    try:
        return _absolute(found)
    except (ValueError, OverflowError):
        raise ValueError("there is no such date") from None


def _relative(found: re.Match[str], now: datetime) -> tuple[datetime, datetime]:
    shift = timedelta(**{_UNITS[found["unit"]]: int(found["amount"])}) if found["unit"] else timedelta()
    try:
        moment = now.astimezone(UTC) + shift
        return moment, moment + _MOMENT
    except OverflowError:
        raise ValueError("that is too far from now") from None


def _absolute(found: re.Match[str]) -> tuple[datetime, datetime]:
    year, month, day = int(found["year"]), int(found["month"] or 1), int(found["day"] or 1)
    start = datetime(year, month, day, tzinfo=UTC)
    if found["month"] is None:
        return start, datetime(year + 1, 1, 1, tzinfo=UTC)
    if found["day"] is None:
        return start, datetime(year + month // 12, month % 12 + 1, 1, tzinfo=UTC)
    if found["hour"] is None:
        return start, start + timedelta(days=1)
    seconds = found["seconds"] or ""
    written = f"{start.date()}T{found['hour']}:{found['minute']}{seconds or ':00'}{(found['zone'] or 'Z').upper()}"
    start = datetime.fromisoformat(written).astimezone(UTC)
    if not seconds:
        return start, start + timedelta(minutes=1)
    return start, start + (_MOMENT if "." in seconds else timedelta(seconds=1))


def shortest(start: datetime, end: datetime) -> str | None:
    """Return the year, month or day that is exactly from ``start`` to ``end``, if one is."""
    for length in (4, 7, 10):
        text = start.astimezone(UTC).isoformat()[:length]
        if 1000 <= start.year <= 9998 and period(text) == (start, end):
            return text
    return None


def moment(time: datetime) -> str:
    """Return ``time`` as ``period`` reads it back as a start: the day alone at midnight."""
    text = time.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return text.removesuffix("T00:00:00Z")
