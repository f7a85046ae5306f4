"""Contract of ``State.all_articles``: what an index can be made from again."""

from __future__ import annotations

from datetime import UTC, datetime

from pipeline.article import Article
from pipeline.ports import ArticleRecord, Revision, State, TopicPartition

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def settle(state: State, *articles: Article) -> None:
    """Save these forms as settle does: a revision each, and the record with the newest."""
    lease = state.acquire_lease("settle", "tester", 60, NOW)
    assert lease
    place = TopicPartition("articles.enriched", 0)
    records = [ArticleRecord(article=article, went_live=True) for article in articles]
    revisions = [Revision(article=each, place=place, offset=n, at=NOW) for n, each in enumerate(articles)]
    state.settle(
        lease, NOW,
        lambda tx: tx.save(
            records=records, revisions=revisions, families={}, aliases={}, cluster_id="c", input_offsets={}
        ),
    )  # fmt: skip


def article(number: int, version: int = 1) -> Article:
    return Article(id=f"{number:032x}", title=f"Number {number}", version=version, revision=version)


def test_an_empty_state_has_no_articles(state: State) -> None:
    assert list(state.all_articles()) == []


def test_every_article_comes_once_in_its_newest_form(state: State) -> None:
    settle(state, article(1), article(2), article(3))
    settle(state, article(2, version=2))
    assert list(state.all_articles()) == [article(1), article(2, version=2), article(3)]


def test_there_may_be_more_than_fit_in_one_query(state: State) -> None:
    settle(state, *(article(number) for number in range(1_001)))
    assert [each.id for each in state.all_articles()] == [f"{number:032x}" for number in range(1_001)]


def test_deleted_articles_are_left_out_even_while_others_are_read(state: State) -> None:
    settle(state, *(article(number) for number in range(1_001)))
    state.bury([f"{0:032x}"], "asked to", NOW)
    articles = state.all_articles()
    assert next(articles).id == f"{1:032x}"
    state.bury([f"{1_000:032x}"], "asked to", NOW)
    assert len(list(articles)) == 998


def test_articles_are_counted_but_for_deleted_ones(state: State) -> None:
    assert state.count_articles() == 0
    settle(state, article(1), article(2))
    settle(state, article(2, version=2))
    assert state.count_articles() == 2
    state.bury([article(1).id], "asked for", NOW)
    assert state.count_articles() == 1
