"""What of an article both indices must agree on before they take it: refusals, times in UTC, and what is counted."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from pipeline.article import Article, encode_article
from pipeline.ports import CountField
from pipeline.query.document import date_values, sort_time
from pipeline.query.tree import DateField


class CannotIndex(Exception):
    """This article can never be indexed, for the reason given."""


def check_identity(article: Article) -> None:
    """Raise ``CannotIndex`` for an id or a version that no index can keep."""
    if not article.id:
        raise CannotIndex("the id is empty")
    if not 0 <= article.version < 2**63:
        raise CannotIndex(f"version {article.version} is not between 0 and 2^63")


def check_length(name: str, text: str, most_bytes: int) -> None:
    """Raise ``CannotIndex`` for a value that is longer in UTF-8 than one term may be."""
    if len(text) * 4 > most_bytes and len(text.encode()) > most_bytes:
        raise CannotIndex(f"{name} is {len(text.encode())} bytes long; at most {most_bytes} can be indexed")


def encoded(article: Article) -> bytes:
    """Return the article as JSON; raises ``CannotIndex`` when there is no such form."""
    try:
        return encode_article(article)
    except UnicodeEncodeError as error:
        raise CannotIndex(f"it holds half a character, which has no form in UTF-8: {error.reason}") from error
    except RecursionError as error:
        raise CannotIndex("its unknown keys are nested too deep") from error


def times(article: Article) -> Iterator[tuple[DateField, datetime]]:
    """Return the times that the article has, in UTC."""
    for field, moment in date_values(article).items():
        yield field, _in_utc(field, moment)


def listed_at(article: Article) -> datetime:
    """Return the time that the article is sorted and counted by, in UTC."""
    return _in_utc("the sort time", sort_time(article) or first_seen(article))


def month_of(article: Article) -> str:
    """Return the month of ``first_seen`` in UTC, as ``YYYY-MM``."""
    return first_seen(article).isoformat()[: len("2024-03")]


def first_seen(article: Article) -> datetime:
    """Return ``first_seen`` in UTC; raises ``CannotIndex`` when there is none."""
    if article.first_seen is None:
        raise CannotIndex("it has no first_seen, which says the month it is kept in")
    return _in_utc("first_seen", article.first_seen)


def counted_values(article: Article) -> dict[CountField, str]:
    """Return the value of each field that matches can be counted by."""
    return {
        "outlet": article.outlet,
        "language": article.language,
        "feed": article.feed,
        "lane": article.lane,
        "family": article.family,
    }


def _in_utc(name: str, moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise CannotIndex(f"{name} has no time zone: {moment.isoformat()}")
    try:
        return moment.astimezone(UTC)
    except OverflowError as error:
        raise CannotIndex(f"{name} is outside the years 1 to 9999 in UTC: {moment.isoformat()}") from error
