"""The search step: query text in, a page of articles out; the command line and later pages ask here."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from pipeline.ports import Hit, SearchIndex, Sort
from pipeline.query.parse import parse
from pipeline.query.tree import And, Query


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
