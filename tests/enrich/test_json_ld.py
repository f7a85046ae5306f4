"""What a page's JSON-LD says of its article, however it is written."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.enrich.json_ld import LinkedData, parse_lenient, read_json_ld
from pipeline.enrich.page import parse_page


def said(*scripts: object) -> LinkedData:
    written = (script if isinstance(script, str) else json.dumps(script) for script in scripts)
    head = "".join(f'<script type="application/ld+json">{text}</script>' for text in written)
    return read_json_ld(parse_page(f"<html><head>{head}</head><body><p>x</p></body></html>".encode()))


WHOLE = {
    "@context": "https://schema.org",
    "@type": "NewsArticle",
    "headline": "A bridge for the town",
    "articleBody": "It opens in May.\n\nIt cost two millions.",
    "author": [{"@type": "Person", "name": "Jane Doe"}, {"@type": "Person", "name": "Ali Khan"}],
    "publisher": {"@type": "Organization", "name": "The Example"},
    "datePublished": "2026-03-01T10:00:00Z",
    "dateModified": "2026-03-01T11:00:00Z",
    "articleSection": ["Local", "News"],
    "keywords": "bridges, towns",
    "image": {"@type": "ImageObject", "url": "https://e.example/bridge.jpg"},
    "isAccessibleForFree": False,
    "correction": {"@type": "CorrectionComment", "text": "It said April."},
}


def test_all_claims_of_an_article_are_read() -> None:
    assert said(WHOLE) == LinkedData(
        is_article=True,
        headline="A bridge for the town",
        article_body="It opens in May.\n\nIt cost two millions.",
        outlet="The Example",
        authors=("Jane Doe", "Ali Khan"),
        published="2026-03-01T10:00:00Z",
        updated="2026-03-01T11:00:00Z",
        section="Local",
        keywords=("bridges", "towns"),
        image="https://e.example/bridge.jpg",
        is_free=False,
        correction="It said April.",
    )


@pytest.mark.parametrize(
    "written",
    [
        [WHOLE],
        {"@graph": [{"@type": "WebSite", "name": "Other"}, WHOLE]},
        {"@type": "WebPage", "mainEntity": WHOLE},
        {"@type": "WebPage", "mainEntityOfPage": [WHOLE]},
        {**WHOLE, "@type": ["Article", "http://schema.org/ReportageNewsArticle"]},
        {**WHOLE, "@type": "schema:LiveBlogPosting"},
    ],
    ids=["list", "graph", "main entity", "main entity of page", "types", "prefix"],
)
def test_an_article_is_found_wherever_it_stands(written: object) -> None:
    assert said(written) == said(WHOLE)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda text: text.replace("\\n", "\n"),
        lambda text: text.replace("}", " ,\n}").replace("]", ",]"),
        lambda text: text.replace('"', "&quot;"),
        lambda text: f"//<![CDATA[\n{text}\n//]]>",
        lambda text: f"/*<![CDATA[*/{text}/*]]>*/",
        lambda text: f"<!-- {text} -->",
        lambda text: f"\ufeff;{text};",
        lambda text: text + text,
    ],
    ids=["raw line ends", "trailing commas", "escaped", "cdata", "css cdata", "comment", "semicolons", "twice"],
)
def test_broken_json_is_read_as_far_as_it_makes_sense(spoil: object) -> None:
    assert said(spoil(json.dumps(WHOLE))) == said(WHOLE)


def test_a_comma_in_a_text_is_no_trailing_one() -> None:
    assert parse_lenient('{"a": "one,] \\" two,}", }') == {"a": 'one,] " two,}'}


def test_what_stands_elsewhere_in_the_graph_is_looked_up() -> None:
    found = said({
        "@graph": [
            {"@type": "Article", "headline": "H", "author": {"@id": "#jane"}, "publisher": {"@id": "#us"},
             "image": {"@id": "#image"}},
            {"@type": "Person", "@id": "#jane", "name": "Jane Doe"},
            {"@type": "Organization", "@id": "#us", "name": "The Example"},
            {"@type": "ImageObject", "@id": "#image", "contentUrl": "https://e.example/1.jpg"},
        ]
    })  # fmt: skip
    assert (found.authors, found.outlet, found.image) == (("Jane Doe",), "The Example", "https://e.example/1.jpg")


def test_the_first_article_speaks_and_another_one_only_where_it_is_the_same() -> None:
    first = {"@type": "NewsArticle", "headline": "One"}
    same = {"@type": "LiveBlogPosting", "headline": "One", "datePublished": "2026-03-01"}
    other = {"@type": "NewsArticle", "headline": "Two", "dateModified": "2026-04-01", "author": "Somebody"}
    found = said(first, same, other)
    assert (found.headline, found.published, found.updated, found.authors) == ("One", "2026-03-01", "", ())


def test_a_page_without_an_article_has_times_and_no_headline() -> None:
    found = said({"@type": "WebPage", "headline": "Page", "name": "Page", "datePublished": "2026-03-01"})
    assert found == LinkedData(published="2026-03-01")


@pytest.mark.parametrize(
    ("claims", "is_free"),
    [
        *(({"isAccessibleForFree": no}, False) for no in (False, "False", "false", 0, "0", "http://schema.org/False")),
        *(({"isAccessibleForFree": yes}, True) for yes in (True, "True", "https://schema.org/True", 1)),
        *(({"isAccessibleForFree": odd}, None) for odd in (None, "", "maybe", [], {})),
        ({}, None),
        ({"hasPart": {"@type": "WebPageElement", "isAccessibleForFree": "False", "cssSelector": ".wall"}}, False),
        ({"hasPart": [{"isAccessibleForFree": True}, "x", None]}, None),
    ],
)
def test_who_may_read_it_is_read_in_all_spellings(claims: dict[str, object], is_free: bool | None) -> None:
    assert said({"@type": "Article", "headline": "H", **claims}).is_free is is_free


def test_texts_lose_markup_references_and_controls() -> None:
    found = said({"@type": "Article", "headline": "<b>A &amp; B</b>\u202e\n\ud800", "articleBody": "One\x00.\r\nTwo."})
    assert (found.headline, found.article_body) == ("A & B \ufffd", "One.\nTwo.")


@pytest.mark.parametrize(
    "text",
    ["", "{", "null", "7", '"x"', "[" * 100_000, '{"@graph":' * 100_000, '{"a":' * 40 + "1" + "}" * 40, "9" * 5_000,
     '"' + '\\"' * 300_000, "[" + ",   " * 200_000, '[{"a": 1},' * 50_000, "&quot;" * 100_000, "x" * 1_100_000],
)  # fmt: skip
def test_what_is_no_json_too_deep_or_too_large_says_nothing(text: str) -> None:
    assert said(text) == LinkedData()


def test_a_script_that_is_broken_does_not_silence_the_next() -> None:
    assert said("{broken", WHOLE).headline == "A bridge for the town"


def test_numbers_are_bounded() -> None:
    many = said({"@type": "Article", "headline": "H" * 9_000, "author": ["A"] * 9_000, "keywords": "k,l" * 9_000})
    assert (len(many.headline), len(many.authors)) == (2_000, 100)
    assert len(many.keywords) <= 100
    assert said(*["{}"] * 60, WHOLE) == LinkedData()


NAMES = st.sampled_from(
    ["@type", "@graph", "@id", "mainEntity", "headline", "author", "name", "publisher", "image", "url", "keywords",
     "articleBody", "articleSection", "isAccessibleForFree", "hasPart", "correction", "datePublished"]
)  # fmt: skip
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.sampled_from(["NewsArticle", "WebPage", "#a"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=6),
    max_leaves=25,
)


@settings(max_examples=200, deadline=None)
@given(VALUES)
def test_no_value_raises(value: object) -> None:
    found = said(json.dumps({"@type": "NewsArticle", "x": value} if not isinstance(value, dict) else value))
    assert all(isinstance(text, str) for text in (*found.authors, *found.keywords, found.headline, found.image))


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet='{}[]",:\\ &quot;abc1\n/<!-', max_size=200))
def test_no_text_raises(text: str) -> None:
    parse_lenient(text)
