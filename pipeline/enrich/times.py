"""Times as an article promises them: aware, in UTC; and which of two claims says more."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec

from pipeline.article import Article
from pipeline.text.times import in_utc

_TIMES: Final = ("published", "updated", "first_seen", "fetched")


def with_utc_times(article: Article) -> Article:
    """Return the article with all its times in UTC; one without a zone is read as UTC.

    A record of ours has them so; JSON from elsewhere may hold any, and a naive time cannot even be compared.
    """
    times = {name: moment for name in _TIMES if (moment := getattr(article, name)) and moment.tzinfo is not UTC}
    if not times:
        return article
    return msgspec.structs.replace(article, **{name: in_utc(moment) for name, moment in times.items()})


def most_precise(claims: Iterable[datetime | None]) -> datetime | None:
    """Return the first claim; where it is only a date, the first of the others that says when on that day."""
    known = [claim for claim in claims if claim]
    return refined(known[0], known[1:]) if known else None


def refined(claim: datetime, others: Iterable[datetime]) -> datetime:
    """Return ``claim``, or the first of ``others`` that says what time it was on the day that ``claim`` only names.

    A date without a time arrives as midnight in UTC; it is a day somewhere on earth, from 14 hours before that in
    Kiritimati (UTC+14) to 12 hours after its end (UTC-12).
    """
    if not is_date_only(claim):
        return claim
    earliest, latest = claim - timedelta(hours=14), claim + timedelta(hours=36)
    return next((one for one in others if earliest <= one < latest and not is_date_only(one)), claim)


def is_date_only(moment: datetime) -> bool:
    """Whether a moment is midnight in UTC, as a date without a time is read; an article of just then loses nothing."""
    return not (moment.hour or moment.minute or moment.second or moment.microsecond)
