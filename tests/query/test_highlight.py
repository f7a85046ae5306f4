"""Snippets: the pieces of an article that show why it was found."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.article import Article
from pipeline.query.analysis import tokens
from pipeline.query.highlight import Snippet, snippets
from pipeline.query.parse import parse
from pipeline.query.tree import And, Everything, Not, Query, Words

FILLER = "Nothing of note happened on the way there and back again. "


def marked(snippet: Snippet) -> list[str]:
    return [snippet.text[start:end] for start, end in snippet.marks]


def test_marks_are_the_original_text_of_the_found_words() -> None:
    article = Article(
        id="x", title="Qa’ani’s men", body="In the U.S. they met. Then ISTANBUL, İstanbul; ﬁnance for 1,000."
    )
    found = snippets(article, parse("qaani us istanbul finance 1000"))
    assert [(snippet.field, marked(snippet)) for snippet in found] == [
        ("title", ["Qa’ani’s"]),
        ("body", ["U.S", "ISTANBUL", "İstanbul", "ﬁnance", "1,000"]),
    ]


def test_a_phrase_is_marked_as_a_whole_and_only_where_it_stands_together() -> None:
    article = Article(id="x", body="An islamic state, not a state that is Islamic. 北京市 and 京北.")
    (snippet,) = snippets(article, parse('"islamic state" 北京'))
    assert marked(snippet) == ["islamic state", "北京"]


def test_what_is_excluded_is_not_marked_but_what_is_not_excluded_is() -> None:
    article = Article(id="x", body="alpha beta gamma")
    assert marked(snippets(article, parse("alpha -(delta NOT beta) NOT gamma"))[0]) == ["alpha", "beta"]


def test_a_word_of_one_field_is_marked_there_only() -> None:
    article = Article(id="x", title="war", body="war", authors=("Ana", "Mr War"))
    assert [s.field for s in snippets(article, parse("title:war"))] == ["title"]
    assert snippets(article, parse("author:war")) == [Snippet("author", "Mr War", ((3, 6),))]


def test_a_piece_is_cut_at_words_around_the_mark() -> None:
    article = Article(id="x", body=FILLER * 5 + "Then Beirut fell silent. " + FILLER * 5)
    (snippet,) = snippets(article, parse("beirut"), size=80)
    assert marked(snippet) == ["Beirut"]
    assert len(snippet.text) <= 80
    start = article.body.index(snippet.text)
    assert article.body[start - 1] == " "
    assert not article.body[start + len(snippet.text)].isalnum()
    assert 10 < snippet.marks[0][0] < 40


def test_the_pieces_with_most_different_words_are_shown_in_the_order_of_the_article() -> None:
    body = f"{FILLER * 4}alpha alone {FILLER * 4}alpha with beta {FILLER * 4}alpha again {FILLER * 4}beta, gamma, alpha"
    found = snippets(Article(id="x", body=body), parse("alpha OR beta OR gamma"), size=80, number=2)
    assert [marked(snippet) for snippet in found] == [["alpha", "beta"], ["beta", "gamma", "alpha"]]


def test_paragraphs_are_shown_on_one_line() -> None:
    (snippet,) = snippets(Article(id="x", body="One.\n\nTwo\tthree."), parse("two"))
    assert snippet == Snippet("body", "One.  Two three.", ((6, 9),))


@pytest.mark.parametrize("text", ["*", "first_seen:2024", "-zeta", "zeta"])
def test_without_a_found_word_it_is_the_start_of_the_text(text: str) -> None:
    article = Article(id="x", title="Title", summary="Summary", body=FILLER * 9)
    assert snippets(article, parse(text), size=30) == [Snippet("body", "Nothing of note happened on")]
    assert snippets(Article(id="x", title="Title", summary="Summary"), parse(text)) == [Snippet("summary", "Summary")]
    assert snippets(Article(id="x", title="京" * 99), parse(text), size=30) == [Snippet("title", "京" * 30)]
    assert snippets(Article(id="x"), parse(text)) == []


def test_a_mark_longer_than_the_piece_is_cut() -> None:
    (snippet,) = snippets(Article(id="x", body="aa " + "x" * 300 + " bb"), Words("x" * 300), size=50)
    assert snippet == Snippet("body", "x" * 50, ((0, 50),))


@pytest.mark.parametrize("size", range(3, 40))
def test_a_phrase_that_does_not_fit_a_piece_any_more_begins_the_next(size: int) -> None:
    found = snippets(Article(id="x", body="a b c " * 9), parse('a OR "b c"'), size=size, number=99)
    assert "".join("".join(marked(snippet)) for snippet in found) == "ab c" * 9


few = st.lists(st.sampled_from(["a", "b's", "U.S.", "京北", "½", "e\u0301e\u0301", "…", "\n\n", "c" * 30]), max_size=30)
texts = few.map(" ".join) | st.text(st.characters(exclude_categories=()), max_size=30)
queries = st.lists(
    st.sampled_from(["a", "b", "a b", "us", "京", "1 2", "ee", "c" * 30, "北 a", "us a b"]), min_size=1
).map(lambda words: And((*map(Words, words), Not(Words("c")), Everything())))


articles = st.builds(Article, id=st.just("x"), title=texts, summary=texts, body=texts)


@given(articles, queries, st.integers(1, 60), st.integers(0, 4))
@settings(max_examples=300, deadline=None)
def test_snippets_of_any_text_fit_and_their_marks_are_in_order(
    article: Article, query: Query, size: int, number: int
) -> None:
    found = snippets(article, query, size=size, number=number)
    assert len(found) <= number
    for snippet in found:
        assert len(snippet.text) <= size
        previous = 0
        for start, end in snippet.marks:
            assert previous <= start < end <= len(snippet.text)
            assert size < 60 or tokens(snippet.text[start:end])
            previous = end
