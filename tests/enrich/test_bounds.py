"""Names and quotes stand within the text they were found in, and have a bound."""

from __future__ import annotations

from msgspec.structs import replace

from pipeline.article import Article, Entity, Quote
from pipeline.enrich.bounds import bounded
from pipeline.enrich.limits import fitted
from pipeline.text.limits import MAX_ENTITIES

ANN = Entity(kind="person", name="Ann", in_title=((0, 3),), in_body=((4, 7),))


def test_what_is_sound_is_left_as_it_is() -> None:
    article = Article(
        id="a", title="Ann left", body="Did Ann say “I left”?", entities=(ANN,), quotes=(Quote(start=13, end=19),)
    )
    assert fitted(article) == article


def test_a_span_beyond_the_text_goes_and_with_its_last_span_the_entity() -> None:
    article = Article(
        id="a", title="Ann", body="Did", entities=(ANN, replace(ANN, in_title=())), quotes=(Quote(start=1, end=9),)
    )
    found = bounded(article)
    assert found.entities == (replace(ANN, in_body=()),)
    assert found.quotes == ()
    assert found.flags == ("names_truncated",)


def test_a_name_of_the_dateline_alone_stands_there() -> None:
    port = Entity(kind="place", name="Beirut", id="geo:1", in_dateline=((0, 6),))
    assert bounded(Article(id="a", dateline="BEIRUT (Reuters)", entities=(port,))).entities == (port,)
    assert bounded(Article(id="a", dateline="", entities=(port,))).entities == ()


def test_the_names_of_a_body_that_is_cut_are_cut_with_it() -> None:
    body = "word " * 200_000
    late = replace(ANN, in_title=(), in_body=((999_990, 999_994),))
    found = fitted(Article(id="a", title="Ann", body=body, entities=(ANN, late)))
    assert found.entities == (ANN,)
    assert set(found.flags) == {"body_truncated", "names_truncated"}


def test_there_is_a_bound_for_their_number_and_for_their_size() -> None:
    many = bounded(Article(id="a", title="Ann", body="Did Ann", entities=(ANN,) * 1_000))
    assert len(many.entities) == MAX_ENTITIES
    large = replace(ANN, aliases=("x" * 200,) * 10)
    assert 20 < len(bounded(Article(id="a", title="Ann", body="Did Ann", entities=(large,) * 300)).entities) < 40


def test_a_body_that_has_to_be_cleaned_has_no_places_any_more() -> None:
    found = fitted(Article(id="a", title="Ann", body="Did\x00 Ann", entities=(ANN,)))
    assert (found.body, found.entities) == ("Did Ann", ())
