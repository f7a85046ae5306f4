"""What moment a stranger's date names, and whether it can be."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from pipeline.outcomes import FlagName

EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)
"""Older dates are defaults of software (1970, 1904, 1980): the first web site is of 1991."""


def plausible(claimed: datetime | None, now: datetime) -> tuple[datetime | None, tuple[FlagName, ...]]:
    """Return a claimed date, or what stands in for an impossible one: now for the future, none before the web."""
    if claimed is None or EARLIEST <= claimed <= now:
        return claimed, ()
    return (now if claimed > now else None), ("published_clamped",)


def in_utc(moment: datetime) -> datetime | None:
    """Return the moment in UTC, where one without a zone is already; None on the calendar's first and last day."""
    try:
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except OverflowError:
        return None


def parse_time(text: str) -> datetime | None:
    """Return the moment that an ISO 8601 or RFC 5322 date names, in UTC (also when it names no zone), else None."""
    for read in (datetime.fromisoformat, parsedate_to_datetime):
        try:
            return in_utc(read(text.strip()))
        except ValueError:
            continue
    return None
