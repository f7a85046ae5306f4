"""The search step: query text in, a page of articles out; the command line and later pages ask here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from msgspec import Struct

from pipeline.article import Article
from pipeline.ports import Hit, SearchIndex, Sort
from pipeline.query.parse import parse
from pipeline.query.tree import And, Exact, Or, Query

FAMILIES_AT_ONCE = 500
"""Elasticsearch takes at least 1,024 clauses in one query."""


class Question(Struct, frozen=True, kw_only=True):
    """What somebody wants to know."""

    text: str
    first_day: str = ""
    """Only what was published on this day (``YYYY-MM-DD``) or later."""
    last_day: str = ""
    sort: Sort = "relevance"
    limit: int = 20
    offset: int = 0


class Answer(Struct, frozen=True, kw_only=True):
    """A page of hits, the number of all matches, and the query as it was understood (for highlighting)."""

    query: Query
    total: int
    hits: tuple[Hit, ...]


def copies_of(index: SearchIndex, articles: Sequence[Article]) -> Mapping[str, int]:
    """Return, by family, in how many other articles of the index the same text stands."""
    found: dict[str, int] = {}
    families = sorted({article.family for article in articles if article.family})
    for start in range(0, len(families), FAMILIES_AT_ONCE):
        some = families[start : start + FAMILIES_AT_ONCE]
        wanted = [Exact("family", family) for family in some]
        query = Or(tuple(wanted)) if len(wanted) > 1 else wanted[0]
        found |= {family: number - 1 for family, number in index.count_by(query, "family", limit=len(some))}
    return found


def same_text(index: SearchIndex, article: Article, limit: int = 50) -> Sequence[Article]:
    """Return the other articles of this one's family, oldest first."""
    if not article.family:
        return []
    found = index.search(Exact("family", article.family), sort="oldest", limit=limit + 1)
    return [hit.article for hit in found.hits if hit.article.id != article.id][:limit]


def understand(text: str, now: datetime, first_day: str = "", last_day: str = "") -> Query:
    """Parse a query and narrow it to days of publication. Raises ``QueryError``."""
    query = parse(text, now=now)
    if not first_day and not last_day:
        return query
    return And((query, parse(f"published:[{first_day or '*'} TO {last_day or '*'}]", now=now)))


def search_articles(index: SearchIndex, question: Question, now: datetime) -> Answer:
    """Answer a question from the index. Raises ``QueryError`` for text that is no query."""
    query = understand(question.text, now, question.first_day, question.last_day)
    found = index.search(query, sort=question.sort, limit=question.limit, offset=question.offset)
    return Answer(query=query, total=found.total, hits=found.hits)
