"""A search and an alert rule of the same text select the same articles: the index against the matcher."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from datetime import datetime, timedelta
from random import Random
from typing import Any, get_args

import pytest
from elasticsearch_parts import elasticsearch_index, installed_prefix
from generated_articles import AUTHORS, LANGUAGES, OUTLETS, TAGS, generated_articles

from pipeline.adapters.tantivy_index import TantivyIndex
from pipeline.article import Article
from pipeline.ports import SearchIndex
from pipeline.query.document import date_values, id_values, text_values
from pipeline.query.matcher import MatchDocument, compile_matcher
from pipeline.query.tree import (
    MAX_EDITION,
    And,
    Between,
    DateField,
    Edition,
    Everything,
    Exact,
    Not,
    Or,
    Query,
    StageName,
    TextField,
    Words,
)

ARTICLES = 2_000
QUERIES = 420


@pytest.fixture(scope="module")
def articles() -> Sequence[Article]:
    return generated_articles(ARTICLES, seed=20240315)


@pytest.fixture(scope="module", params=["tantivy", "elasticsearch"])
def index(
    request: pytest.FixtureRequest, articles: Sequence[Article], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[SearchIndex]:
    def given(name: str) -> Any:
        return request.getfixturevalue(name)

    with ExitStack() as stack:
        opened: SearchIndex
        if request.param == "elasticsearch":
            prefix = stack.enter_context(installed_prefix(given("elasticsearch")))
            opened = stack.enter_context(elasticsearch_index(given("elasticsearch"), prefix))
        else:
            opened = TantivyIndex(tmp_path_factory.mktemp("index"), writer=True, heap_bytes=15_000_000)
            stack.callback(opened.close)
        for start in range(0, ARTICLES, 300):  # several commits, so that the answer comes from several segments
            opened.write(articles[start : start + 300])
        yield opened


def found_by_index(index: SearchIndex, query: Query) -> set[str]:
    hits = index.search(query, sort="oldest", limit=ARTICLES)  # what it selects does not depend on the order
    assert hits.total == len(hits.hits)
    return {hit.article.id for hit in hits.hits}


def found_by_matcher(documents: Sequence[MatchDocument], query: Query) -> set[str]:
    matcher = compile_matcher(query)
    return {document.article.id for document in documents if matcher.matches(document)}


def test_index_and_matcher_select_the_same_articles(index: SearchIndex, articles: Sequence[Article]) -> None:
    documents = [MatchDocument.of(article) for article in articles]
    queries = QueryMaker(articles, seed=7)
    telling = 0
    for number in range(QUERIES):
        query = queries.make()
        expected = found_by_matcher(documents, query)
        assert found_by_index(index, query) == expected, f"query {number}: {query}"
        telling += 0.01 * ARTICLES <= len(expected) <= 0.5 * ARTICLES
    # A query that selects hardly anything, or nearly all, would hide a difference.
    assert telling >= 0.6 * QUERIES


def test_every_text_of_an_article_finds_it(index: SearchIndex, articles: Sequence[Article]) -> None:
    for article in articles[::20]:
        for field, values in text_values(article).items():
            for value in values:
                both = And((Words(value, (field,)), Exact("id", article.id)))
                assert found_by_index(index, both) == {article.id}, (field, value)


class QueryMaker:
    """Makes queries of every kind in the tree, out of what the articles hold, the same for the same seed."""

    def __init__(self, articles: Sequence[Article], seed: int) -> None:
        self._articles = articles
        self._random = Random(seed)

    def make(self, depth: int = 3) -> Query:
        kinds: list[tuple[Callable[[], Query], int]] = [
            (self.common_word, 5),
            (self.common_phrase, 5),
            (self.word_of_a_field, 4),
            (self.piece_of_a_text, 2),
            (self.exact, 2),
            (self.edition, 2),
            (self.between, 4),
            (self.oddity, 1),
        ]
        if depth:
            nests = (self.conjunction, self.disjunction, self.negation)
            kinds += [(lambda nest=nest: nest(depth - 1), 3) for nest in nests]  # type: ignore[misc]
        makers, weights = zip(*kinds, strict=True)
        made: Query = self._random.choices(makers, weights)[0]()
        return made

    def common_word(self) -> Query:
        return Words(self._rewritten(self._random.choice(self._random.choice(LANGUAGES).words.split())))

    def common_phrase(self) -> Query:
        phrase = self._random.choice(self._random.choice(LANGUAGES).phrases)
        return Words(
            self._rewritten(phrase), self._random.choice((("title", "summary", "body"), ("body",), ("summary",)))
        )

    def word_of_a_field(self) -> Query:
        fields: tuple[tuple[TextField, Sequence[str]], ...] = (
            ("author", AUTHORS),
            ("outlet", OUTLETS),
            ("tag", TAGS),
            ("lang", [language.code for language in LANGUAGES]),
            ("feed", ["feed", "feed-3", "feed 11"]),
            ("origin", ["Agence", "L’Info", "agence l'info"]),
            ("person", ["Qaani", "Qa’ani's", "قاآنی", "esmail qaani", "Anna"]),
            ("org", ["Hezbollah", "حزب الله", "UN"]),
            ("place", ["Beirut", "بيروت", "saint denis", "北京"]),
            ("url", ["example.org", "news3.example.org", "2023/07", "page=2"]),
        )
        field, texts = self._random.choice(fields)
        text = self._random.choice(texts)
        return Words(self._rewritten(self._random.choice((text, self._random.choice(text.split())))), (field,))

    def piece_of_a_text(self) -> Query:
        """Some words of one article as they stand there, across sentences and paragraphs, or a cut through letters."""
        values = text_values(self._random.choice(self._articles))
        field = self._random.choice(sorted(values))
        text = self._random.choice(values[field])
        start = self._random.randrange(len(text))
        piece = text[start : start + self._random.choice((1, 3, 8, 20, 60))]
        return Words(piece, self._random.choice(((field,), get_args(TextField))))

    def exact(self) -> Query:
        values = id_values(self._random.choice(self._articles))
        field = self._random.choice(("lane", *sorted(values)))
        value = self._random.choice(values.get(field, ("live",)))
        return Exact(field, self._random.choice((str.upper, str.lower, str.title))(value))

    def edition(self) -> Query:
        first = self._random.randint(0, 8)
        last = self._random.choice((first, self._random.randint(first, 9), MAX_EDITION))
        return Edition(self._random.choice(get_args(StageName)), first, last)

    def between(self) -> Query:
        """A range whose bounds are times that articles have, so that a wrong bound shows, or some days around."""
        field: DateField = self._random.choice(get_args(DateField))
        start = self._time(field)
        end = start + timedelta(days=self._random.choice((-1, 0, 20, 60, 200, 500)))
        bounds = self._random.choice(
            ((start, end), (start, None), (None, start), (start, self._time(field)), (None, None))
        )
        return Between(field, *bounds)

    def oddity(self) -> Query:
        return self._random.choice(
            (Everything(), Words("…"), Words(""), Words("\ud800"), Exact("story", ""), Exact("id", "\0"))
        )

    def conjunction(self, depth: int) -> Query:
        return And(self._parts(depth))

    def disjunction(self, depth: int) -> Query:
        return Or(self._parts(depth))

    def negation(self, depth: int) -> Query:
        return Not(self.make(depth))

    def _parts(self, depth: int) -> tuple[Query, ...]:
        return tuple(self.make(depth) for _ in range(self._random.choice((2, 2, 3, 5))))

    def _time(self, field: DateField) -> datetime:
        while True:
            times = date_values(self._random.choice(self._articles))
            if field in times:
                return times[field]

    def _rewritten(self, text: str) -> str:
        """Return the same words as another person would type them."""
        change = self._random.choice((str, str, str, str.upper, str.lower, str.title, self._with_other_apostrophe))
        return change(text)

    def _with_other_apostrophe(self, text: str) -> str:
        return text.replace("'", self._random.choice("’ʼ`"))
