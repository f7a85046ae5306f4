"""Sending articles through the stages again: selected by a query over what is known, in the backfill lane.

    records of the state ─matching─▶ backfill.raw, each as it was settled ─▶ enrich ─▶ settle ─▶ backfill.ready ─▶ index

The alert step reads the live lane alone, so none of them raises an alert. An article that changes on the way is left to
that change. Nothing is noted about what was sent. A query by edition (``stages.entities:<3``) no longer selects what is
done, so the same command goes on where it was stopped; by an edition of ``text`` it goes on selecting what has no page.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from msgspec import Struct

from pipeline import topics
from pipeline.article import REENRICH_HEADER, Article, encode_article
from pipeline.errors import WirewatchError
from pipeline.ports import Message, Pages
from pipeline.query.matcher import MatchDocument, compile_matcher
from pipeline.query.tree import Query
from pipeline.telemetry import new_trace
from pipeline.wiring import Ports


class Selected(Struct):
    """How many articles were selected, and where their texts can be read from again."""

    articles: int = 0
    with_page: int = 0
    pages_gone: int = 0
    """Their text was read from a page that is no longer kept: it stays, the other stages are gone through."""
    without_page: int = 0
    """Their text came from a feed or file, whose markup is not kept: it stays, as above."""

    def count(self, article: Article, pages: Pages) -> None:
        """Count one more."""
        self.articles += 1
        if article.text_from != "page":
            self.without_page += 1
        elif _has(pages, article.page):
            self.with_page += 1
        else:
            self.pages_gone += 1


def select(articles: Iterable[Article], query: Query) -> Iterator[Article]:
    """Yield the articles that ``query`` selects, as a search with it would find them."""
    matcher = compile_matcher(query)
    return (article for article in articles if matcher.matches(MatchDocument.of(article)))


def send_again(ports: Ports, articles: Sequence[Article]) -> None:
    """Publish settled articles to be enriched again. Raises ``WirewatchError`` when the broker does not take one."""
    messages = [
        Message(
            topic=topics.raw("backfill"), key=article.id, value=encode_article(article),
            headers=new_trace() | REENRICH_HEADER,
        )
        for article in articles
    ]  # fmt: skip
    failed = [failure for failure in ports.broker.publish(messages) if failure is not None]
    if failed:
        raise WirewatchError(
            f"{len(failed)} of {len(messages)} articles could not be sent: {failed[0].cause}. "
            "Run the same command again; what is done is not done twice."
        )


def _has(pages: Pages, key: str) -> bool:
    try:
        return pages.has(key)
    except ValueError:  # no key: a stranger wrote this record
        return False
