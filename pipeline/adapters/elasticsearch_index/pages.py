"""Pages of search results, of any depth: Elasticsearch itself shows the first 10,000 hits and no more."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from elasticsearch import Elasticsearch
from msgspec import Struct

from pipeline.ports import Sort

WINDOW: Final = 10_000
"""``index.max_result_window``: the deepest hit that ``from`` and ``size`` reach together."""

STEP: Final = 1_000
"""Hits fetched at once when they cannot all come at once; 1,000 articles of 10 kB are 10 MB."""

_SORTS: Final[dict[Sort, list[dict[str, str]]]] = {
    "relevance": [{"_score": "desc"}, {"id": "asc"}],
    "newest": [{"sort_microseconds": "desc"}, {"id": "desc"}],
    "oldest": [{"sort_microseconds": "asc"}, {"id": "asc"}],
}

Found = dict[str, Any]


class Page(Struct, frozen=True):
    """Which hits are wanted: from ``offset`` on, at most ``limit``."""

    sort: Sort
    limit: int
    offset: int


def find(client: Elasticsearch, pattern: str, query: dict[str, Any], page: Page) -> tuple[int, Sequence[Found]]:
    """Return the number of all matches and the hits of one page.

    A page beyond the window is walked to from the start, in a point in time, so that what is written meanwhile moves
    nothing; it costs as much as all the pages before it.
    """
    asked: dict[str, Any] = {"query": query, "sort": _SORTS[page.sort], "track_total_hits": True}
    if page.sort == "relevance":
        # Scores of one month must mean the same as those of another, however few articles it holds so far.
        asked["search_type"] = "dfs_query_then_fetch"
    if page.limit > STEP or page.offset + page.limit > WINDOW:
        return _walked(client, pattern, asked, page)
    answer = client.search(index=pattern, from_=page.offset, size=page.limit, **asked)
    return int(answer["hits"]["total"]["value"]), answer["hits"]["hits"]


def _walked(client: Elasticsearch, pattern: str, asked: dict[str, Any], page: Page) -> tuple[int, Sequence[Found]]:
    total, seen = 0, 0
    hits: list[Found] = []
    opened = client.open_point_in_time(index=pattern, keep_alive="1m")
    inside = {**asked, "pit": {"id": opened["id"], "keep_alive": "1m"}}
    try:
        for total, step in _steps(client, inside, page.offset):  # noqa: B007 -- the last total is returned
            hits += step[max(page.offset - seen, 0) :]
            seen += len(step)
            if len(hits) >= page.limit:
                break
        return total, hits[: page.limit]
    finally:
        client.close_point_in_time(id=opened["id"])


def _steps(client: Elasticsearch, asked: dict[str, Any], offset: int) -> Iterator[tuple[int, Sequence[Found]]]:
    """Yield all hits in their order, ``STEP`` at a time; those before ``offset`` come without their article."""
    after: dict[str, Any] = {}
    seen = 0
    while True:
        skipping = offset - seen
        size = min(skipping, WINDOW) if skipping > 0 else STEP
        answer = client.search(size=size, source=skipping <= 0, **asked, **after)
        hits = answer["hits"]["hits"]
        yield int(answer["hits"]["total"]["value"]), hits
        if len(hits) < size:
            return
        seen += len(hits)
        after = {"search_after": hits[-1]["sort"]}
