"""Which articles a query selects, by the matcher."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.article import Article, Entity
from pipeline.query.analysis import tokens
from pipeline.query.document import sort_time, text_values, token_values
from pipeline.query.matcher import MatchDocument, compile_matcher
from pipeline.query.parse import parse
from pipeline.query.tree import (
    DEFAULT_FIELDS,
    And,
    Between,
    DateField,
    Edition,
    Everything,
    Exact,
    IdField,
    Not,
    Or,
    Query,
    TextField,
    Words,
)

SEEN = datetime(2024, 3, 15, 12, tzinfo=UTC)
ARTICLE = Article(
    id="0a1b",
    url="https://news.example.org/world/qaani-visit",
    canonical_url="https://www.example.org/qaani",
    feed="f1",
    outlet="The Example Times",
    origin="Agence Exemple",
    title="Qa'ani’s visit to Beirut",
    summary="The U.S. objects",
    body="Esmail Qaani met leaders in İstanbul.\n\nTalks went on for 1,000 minutes in 北京市.",
    authors=("Ana Maria", "Jose Perez"),
    tags=("Middle East", "Iran"),
    language="en",
    published=SEEN - timedelta(hours=3),
    first_seen=SEEN,
    family="0A1B",
    story="s-9",
)


def matches(text: str, article: Article = ARTICLE) -> bool:
    return compile_matcher(parse(text)).matches(MatchDocument.of(article))


@pytest.mark.parametrize(
    "text",
    [
        "qaani",
        "Qa'ani's",
        "title:qaani",
        "istanbul",
        "ISTANBUL beirut",
        "us objects",
        "U.S.",
        "1000",
        "北京",
        "京市",
        '"visit to beirut"',
        '"istanbul talks"',
        "beirut OR nothing",
        "-nothing",
        "NOT (beirut nothing)",
        "*",
        'author:"ana maria"',
        "author:jose",
        'author:"Maria" author:"Jose"',
        'tag:"middle east"',
        "outlet:times",
        "origin:agence",
        "feed:f1",
        "lang:en",
        "url:news.example.org",
        "url:https://news.example.org/world",
        "url:www",
        "id:0A1B",
        "family:0a1b",
        "story:S-9",
        "lane:live",
        "published:2024-03-15",
        "published:2024-03-15T09:00",
        "first_seen:>=2024-03-15T12:00",
        "first_seen:[* TO 2024-03-15]",
        "published:*",
        "-updated:*",
        "-updated:<2030",
    ],
)
def test_the_article_is_selected_by(text: str) -> None:
    assert matches(text)


@pytest.mark.parametrize(
    "text",
    [
        "nothing",
        "qaan",
        "title:istanbul",
        '"beirut the us"',
        '"maria jose"',
        'author:"maria jose"',
        'tag:"east iran"',
        '"beirut to visit"',
        "市北",
        "beirut nothing",
        "-beirut",
        "NOT *",
        "outlet:agence",
        "author:beirut",
        "maria",
        "id:0a1",
        "story:s",
        "lane:backfill",
        "published:2024-03-14",
        "first_seen:>2024-03-15T12:00",
        "first_seen:<2024-03-15T12:00",
        "updated:*",
        "updated:<2030",
    ],
)
def test_the_article_is_not_selected_by(text: str) -> None:
    assert not matches(text)


def test_words_without_a_token_match_nothing_and_their_negation_everything() -> None:
    document = MatchDocument.of(ARTICLE)
    assert not compile_matcher(Words("…")).matches(document)
    assert compile_matcher(Not(Words("…"))).matches(document)


def test_only_the_fields_that_a_query_names_are_analysed(monkeypatch: pytest.MonkeyPatch) -> None:
    analysed: list[str] = []

    def counting_tokens(text: str) -> list[str]:
        analysed.append(text)
        return tokens(text)

    matchers = [compile_matcher(parse("title:beirut")), compile_matcher(parse("title:nothing OR author:jose"))]
    monkeypatch.setattr("pipeline.query.matcher.tokens", counting_tokens)
    document = MatchDocument.of(ARTICLE)
    assert all(matcher.matches(document) for matcher in matchers)
    assert analysed == [ARTICLE.title, *ARTICLE.authors]


def test_names_are_found_by_the_canonical_name_and_by_the_one_in_the_text() -> None:
    qaani = Entity(kind="person", name="Esmail Qaani", id="list:Q1", aliases=("قاآنی",), country="IR")
    beirut = Entity(kind="place", name="Beirut", id="geo:276781", country="LB")
    document = MatchDocument.of(Article(id="x", entities=(qaani, beirut)))
    for text in (
        "person:qa'ani",
        'person:"Esmail Qaani"',
        "person:قاآنی",
        "entity:LIST\\:q1",
        "place:beirut",
        "country:lb",
    ):
        assert compile_matcher(parse(text)).matches(document), text
    for text in ("person:beirut", "place:qaani", "org:beirut", "qaani", "country:ir", 'person:"Qaani قاآنی"'):
        assert not compile_matcher(parse(text)).matches(document), text


def test_an_article_that_never_went_through_a_stage_has_its_edition_0() -> None:
    document = MatchDocument.of(Article(id="x", stages=("text/6", "clean/12")))
    for text in (
        "stages.text:<7",
        "stages.text:6",
        "stages.clean:>6",
        "stages.quotes:<1",
        "stages.quotes:0",
        "stages.text:*",
    ):
        assert compile_matcher(parse(text)).matches(document), text
    for text in ("stages.text:<6", "stages.text:>6", "stages.clean:1", "stages.quotes:*", "stages.text:[7 TO 9]"):
        assert not compile_matcher(parse(text)).matches(document), text


def test_only_fields_with_text_have_values() -> None:
    article = Article(id="x", title="Word", body="…", authors=("", "A B"), language="")
    assert text_values(article) == {"title": ("Word",), "body": ("…",), "author": ("A B",)}
    assert token_values(article) == {"title": [["word"]], "author": [["a", "b"]]}


def test_an_address_that_is_also_the_canonical_one_is_one_value() -> None:
    assert text_values(Article(id="x", url="u", canonical_url="u"))["url"] == ("u",)


def test_backfilled_articles_are_listed_by_publication_and_live_ones_by_when_they_came() -> None:
    published = SEEN - timedelta(days=900)
    assert sort_time(Article(id="x", published=published, first_seen=SEEN)) == SEEN
    assert sort_time(Article(id="x", lane="backfill", published=published, first_seen=SEEN)) == published
    assert sort_time(Article(id="x", lane="backfill", first_seen=SEEN)) == SEEN
    assert sort_time(Article(id="x")) is None


# --- against a second, slow reading of what a query means -------------------------------------------------------------


def selects(query: Query, article: Article) -> bool:  # noqa: PLR0911 -- one line a node
    """As ``tree`` says it, word by word."""
    match query:
        case Words(text, fields):
            wanted = tokens(text)
            values = token_values(article)
            return any(
                bool(wanted) and value[at : at + len(wanted)] == wanted
                for field in fields
                for value in values.get(field, [])
                for at in range(len(value))
            )
        case Exact(field, value):
            own = {
                "entity": [entity.id for entity in article.entities],
                "country": [entity.country for entity in article.entities if entity.kind == "place"],
            }.get(field) or [getattr(article, field, "")]
            return value.casefold() in [each.casefold() for each in own if each]
        case Edition(stage, first, last):
            gone_through = dict(each.split("/") for each in article.stages)
            return first <= int(gone_through.get(stage, 0)) <= last
        case Between(field, start, end):
            time = getattr(article, field)
            return time is not None and not (start and time < start) and not (end and time >= end)
        case Everything():
            return True
        case And(parts):
            return all(selects(part, article) for part in parts)
        case Or(parts):
            return any(selects(part, article) for part in parts)
        case Not(part):
            return not selects(part, article)


few_words = st.lists(st.sampled_from(["a", "b", "c", "A.", "l'a", "京", "京北", "x's", "…"]), max_size=5).map(" ".join)
few_times = st.none() | st.integers(0, 4).map(lambda days: SEEN + timedelta(days=days))
articles = st.builds(
    Article,
    id=st.sampled_from(["a", "B", "İ"]),
    lane=st.sampled_from(["live", "backfill"]),
    title=few_words,
    summary=few_words,
    body=few_words,
    authors=st.lists(few_words, max_size=3).map(tuple),
    tags=st.lists(few_words, max_size=2).map(tuple),
    outlet=few_words,
    story=st.sampled_from(["", "a", "b"]),
    entities=st.lists(
        st.builds(
            Entity,
            kind=st.sampled_from(["person", "organisation", "place"]),
            name=few_words,
            id=st.sampled_from(["", "a", "B"]),
            aliases=st.lists(few_words, max_size=2).map(tuple),
            country=st.sampled_from(["", "A", "b"]),
        ),
        max_size=3,
    ).map(tuple),
    stages=st.dictionaries(st.sampled_from(["text", "clean"]), st.integers(1, 4)).map(
        lambda editions: tuple(f"{name}/{number}" for name, number in editions.items())
    ),
    published=few_times,
    updated=few_times,
    first_seen=few_times,
)
queries = st.recursive(
    st.one_of(
        st.builds(Words, few_words, st.just(DEFAULT_FIELDS) | st.sampled_from([(f,) for f in TextField.__args__])),
        st.builds(Exact, st.sampled_from(IdField.__args__), st.sampled_from(["a", "b", "LIVE", "i̇"])),
        st.builds(Between, st.sampled_from(DateField.__args__), few_times, few_times),
        st.builds(Edition, st.sampled_from(["text", "clean"]), st.integers(0, 3), st.integers(3, 5)),
        st.just(Everything()),
    ),
    lambda inner: st.one_of(
        st.lists(inner, min_size=2, max_size=3).map(lambda parts: And(tuple(parts))),
        st.lists(inner, min_size=2, max_size=3).map(lambda parts: Or(tuple(parts))),
        inner.map(Not),
    ),
    max_leaves=6,
)


@given(queries, articles)
@settings(max_examples=300, deadline=None)
def test_the_matcher_agrees_with_the_definition(query: Query, article: Article) -> None:
    assert compile_matcher(query).matches(MatchDocument.of(article)) == selects(query, article)
