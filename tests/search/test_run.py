"""Query text in, a page of articles out."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipeline.adapters.tantivy_index import TantivyIndex
from pipeline.article import Article
from pipeline.errors import QueryError
from pipeline.search.run import Question, search_articles

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)


@pytest.fixture
def index(tmp_path: Path) -> Iterator[TantivyIndex]:
    index = TantivyIndex(tmp_path / "index", writer=True)
    index.write(
        [
            Article(
                id=f"{day:032x}", version=1, title=f"Ferry {day}", first_seen=NOW,
                published=datetime(2026, 3, day, 23, 59, tzinfo=UTC),
            )
            for day in range(1, 10)
        ]
    )  # fmt: skip
    yield index
    index.close()


def ask(index: TantivyIndex, text: str, **more: object) -> list[str]:
    return sorted(hit.article.title for hit in search_articles(index, Question(text=text, **more), NOW).hits)


def test_narrows_to_days_of_publication_both_ends_included(index: TantivyIndex) -> None:
    assert ask(index, "ferry", first_day="2026-03-03", last_day="2026-03-04") == ["Ferry 3", "Ferry 4"]
    assert ask(index, "ferry", first_day="2026-03-08") == ["Ferry 8", "Ferry 9"]
    assert ask(index, "ferry", last_day="2026-03-02") == ["Ferry 1", "Ferry 2"]


def test_an_or_at_the_top_is_narrowed_as_a_whole(index: TantivyIndex) -> None:
    assert ask(index, "title:1 OR title:9", first_day="2026-03-05") == ["Ferry 9"]


def test_pages_do_not_overlap_and_total_counts_all(index: TantivyIndex) -> None:
    pages = [search_articles(index, Question(text="ferry", sort="oldest", limit=4, offset=n), NOW) for n in (0, 4, 8)]
    titles = [hit.article.title for page in pages for hit in page.hits]
    assert len(titles) == len(set(titles)) == 9
    assert {page.total for page in pages} == {9}


def test_text_that_is_no_query_is_said_so(index: TantivyIndex) -> None:
    with pytest.raises(QueryError):
        ask(index, "ferry AND")
    with pytest.raises(QueryError):
        ask(index, "ferry", first_day="someday")
