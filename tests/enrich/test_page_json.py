"""What a page's JSON-LD says of its article."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.enrich.page import parse_page
from pipeline.enrich.page_json import PageJson, read_page_json


def read(*scripts: object) -> PageJson:
    texts = [script if isinstance(script, str) else json.dumps(script) for script in scripts]
    markup = "".join(f'<script type="application/ld+json">{text}</script>' for text in texts)
    return read_page_json(parse_page(f"<html><head>{markup}</head><body><p>x</p></body></html>".encode()))


def body(found: PageJson) -> list[str]:
    return [paragraph.text for paragraph in found.body]


@pytest.mark.parametrize(
    "data",
    [
        {"@type": "NewsArticle", "articleBody": "One.\n\nTwo."},
        [{"@type": ["Thing", "ReportageNewsArticle"], "articleBody": "One.\n\nTwo."}],
        {"@graph": [{"@type": "WebPage"}, {"@type": "BlogPosting", "articleBody": "<p>One.</p><p>Two.</p>"}]},
        {"@type": "WebPage", "mainEntity": {"@type": "Article", "articleBody": "One.\n\nTwo."}},
    ],
)
def test_the_text_of_an_article_wherever_it_stands(data: object) -> None:
    assert body(read(data)) == ["One.", "Two."]


def test_a_line_broken_within_a_string_is_read() -> None:
    assert body(read('{"@type": "Article", "articleBody": "One\ntwo."}')) == ["One\ntwo."]


def test_the_longest_of_several_is_the_text() -> None:
    assert body(
        read({"@type": "Article", "articleBody": "One."}, {"@type": "Article", "articleBody": "One. Two."})
    ) == ["One. Two."]


@pytest.mark.parametrize(
    "data",
    [
        {"@type": "Product", "articleBody": "No article."},
        {"@type": "ItemList", "itemListElement": [{"@type": "Article", "articleBody": "Another article."}]},
        {"@type": "Article", "articleBody": ["no", "text"]},
        {"@type": "Article", "articleBody": None},
        "no JSON",
        "[" * 100_000,
        '{"@type": {"a": []}, "liveBlogUpdate": 3}',
        "",
    ],
)
def test_what_is_no_article_or_no_json_gives_no_text(data: object) -> None:
    assert body(read(data)) == []


def test_the_entries_of_a_live_blog_are_known_by_their_headlines() -> None:
    found = read({"@type": "LiveBlogPosting", "liveBlogUpdate": [{"headline": "It  Begins"}, {"headline": 3}, "x"]})
    assert found.entries == {"it begins"}
    assert found.types == {"LiveBlogPosting"}


@settings(max_examples=80, deadline=None)
@given(
    st.recursive(
        st.none() | st.text(max_size=8) | st.sampled_from(["Article", "LiveBlogPosting"]),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["@type", "articleBody", "liveBlogUpdate", "headline", "x"]), inner, max_size=4
            )
        ),
        max_leaves=20,
    )
)
def test_no_json_raises(data: object) -> None:
    read(json.dumps(data).replace("<", "&lt;"))
