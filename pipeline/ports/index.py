"""Search index: the newest form of every article, searchable."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Literal, Protocol

from msgspec import Struct

from pipeline.article import Article
from pipeline.query.tree import Query


class IndexOutcome(Struct, frozen=True):
    """What became of one written item."""

    status: Literal["written", "updated", "older", "rejected"]
    """``older``: a higher version is there. ``rejected``: this item can never be indexed; ``reason`` says why."""
    reason: str = ""


class IndexDelete(Struct, frozen=True):
    """Remove an id from the index, whatever its version."""

    id: str


class Hit(Struct, frozen=True):
    """One found article; ``score`` only when sorted by relevance."""

    article: Article
    score: float | None = None


class Hits(Struct, frozen=True):
    """A page of results and the number of all that match."""

    total: int
    hits: tuple[Hit, ...]


Sort = Literal["relevance", "newest", "oldest"]
"""``newest`` and ``oldest``: by ``first_seen`` for live articles, by ``published`` for backfilled ones, then by id."""

CountField = Literal["outlet", "language", "feed", "lane", "family"]


class SearchIndex(Protocol):
    """The searchable articles, one document an id, newest version only."""

    def write(self, items: Sequence[Article | IndexDelete]) -> Sequence[IndexOutcome]:
        """Write the items, in order, durably; return one outcome each. An equal version is written again.

        Raises:
            TryLater: the index as a whole cannot take it now; some items may be written, all may be sent again.
        """
        ...

    def get(self, article_id: str) -> Article | None:
        """Return the indexed form of one article."""
        ...

    def refresh(self) -> None:
        """Make all that was written, by whomever, findable by searches from now on; ``get`` needs no such thing."""
        ...

    def search(self, query: Query, *, sort: Sort = "relevance", limit: int = 20, offset: int = 0) -> Hits:
        """Return what ``query`` selects among everything written before this call (readers see each commit)."""
        ...

    def count_by(self, query: Query, field: CountField, limit: int = 10) -> Sequence[tuple[str, int]]:
        """Return the commonest values of ``field`` among the matches, most frequent first, then by value."""
        ...

    def count_by_day(self, query: Query) -> Sequence[tuple[date, int]]:
        """Return the number of matches per UTC day of the sort time, oldest first; days without any are left out."""
        ...

    def months(self) -> Sequence[str]:
        """Return the months of ``first_seen`` held, as ``YYYY-MM``, oldest first."""
        ...

    def drop_month(self, month: str) -> int:
        """Remove every article first seen in ``month`` (``YYYY-MM``); return how many there were."""
        ...

    def close(self) -> None: ...
