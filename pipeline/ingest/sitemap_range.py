"""What of a sitemap falls into a range of days, told before anything of it is fetched."""

from __future__ import annotations

import re
from calendar import monthrange
from datetime import UTC, date, datetime, timedelta

from msgspec import Struct

_YEAR, _MONTH, _DAY = r"((?:19|20)\d\d)", r"(0[1-9]|1[0-2])", r"(0[1-9]|[12]\d|3[01])"
_DATE = re.compile(rf"(?<!\d){_YEAR}(?:[-_/.]?{_MONTH}(?:[-_/.]?{_DAY})?)?(?!\d)")
"""2024, 2024-03, 202403, /2024/03/15/ and the like, with no digit before or behind."""
_SLACK = timedelta(days=1)
"""Between a publisher's day and one in UTC."""


class Days(Struct, frozen=True):
    """A range of days in UTC, both of them in it."""

    first: date
    last: date

    def holds(self, moment: datetime) -> bool:
        """Whether a moment is on one of these days."""
        return self.first <= moment.astimezone(UTC).date() <= self.last

    def meets(self, other: Days) -> bool:
        """Whether the two have a day in common."""
        return self.first <= other.last and other.first <= self.last


def may_hold(url: str, lastmod: datetime | None, wanted: Days) -> bool:
    """Whether a sitemap that an index names may hold articles of these days.

    One that was last changed before them cannot; one that names other days in its address does not. A year alone may
    be a number (``sitemap-2024.xml``), so it only counts where the index does not say when that was changed.
    """
    if lastmod is not None and lastmod.astimezone(UTC).date() < wanted.first - _SLACK:
        return False
    named = days_in(url)
    if named is None or (lastmod is not None and named.last - named.first > timedelta(days=31)):
        return True
    return named.meets(Days(wanted.first - _SLACK, wanted.last + _SLACK))


def moment_of(url: str, published: datetime | None, lastmod: datetime | None) -> datetime | None:
    """Return when an article counts as published: as its news tag says, else when changed, else by its address."""
    if published or lastmod:
        return published or lastmod
    named = days_in(url)
    if named is None or named.first != named.last:
        return None
    return datetime(named.first.year, named.first.month, named.first.day, tzinfo=UTC)


def days_in(url: str) -> Days | None:
    """Return the days that an address names behind its host, the narrowest of them, the last of such."""
    found: Days | None = None
    for match in _DATE.finditer(url.partition("://")[2].partition("/")[2][:4_096]):
        year, month, day = (int(part) if part else 0 for part in match.groups())
        first_month, last_month = month or 1, month or 12
        last_day = day or monthrange(year, last_month)[1]
        if last_day <= monthrange(year, last_month)[1]:
            days = Days(date(year, first_month, day or 1), date(year, last_month, last_day))
            if found is None or days.last - days.first <= found.last - found.first:
                found = days
    return found
