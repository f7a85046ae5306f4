"""What a page says of itself, in JSON-LD, meta tags and text."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from lxml import etree

from pipeline.enrich.page import parse_page
from pipeline.enrich.page_head import PageHead, read_head

TEN = datetime(2026, 2, 27, 10, tzinfo=UTC)


def read(head: str, body: str = "") -> PageHead:
    return read_head(parse_page(f"<html><head>{head}</head><body>{body}<p>Text</p></body></html>".encode()))


def meta(**contents: str) -> str:
    return "".join(f'<meta property="{name.replace("__", ":")}" content="{text}">' for name, text in contents.items())


def test_meta_tags_are_read_under_all_three_of_their_names() -> None:
    for name in ("property", "name", "itemprop"):
        assert read(f'<meta {name}="og:title" content=" A  bridge ">').title == "A bridge"


def test_the_title_is_the_heading_that_something_else_claims_too() -> None:
    head = meta(og__title="Council agrees on a bridge") + "<title>The Site</title>"
    body = "<h1>The Site</h1><h1>Log in</h1><h1>Council agrees on a bridge!</h1>"
    assert read(head.replace("The Site", "Bridge"), body).title == "Council agrees on a bridge!"


def test_a_lone_heading_that_is_like_a_claim_is_the_title_and_any_other_is_not() -> None:
    claimed = meta(og__title="You won’t believe what the council said of the bridge") + "<title>Bridge: latest</title>"
    assert read(claimed, "<h1>Council agrees on the new bridge</h1>").title == "Council agrees on the new bridge"
    for heading in ("The Springfield Daily Herald", "News", "Please log in first"):
        assert read(claimed, f"<h1>{heading}</h1>").title == "You won’t believe what the council said of the bridge"


def test_without_a_heading_the_title_is_what_is_claimed_and_without_claims_the_heading() -> None:
    head = read(meta(og__title="One") + "<title>Three | Site</title>")
    assert (head.title, head.titles) == ("One", ("One", "Three | Site"))
    assert read("", "<h1>A <b>bridge</b></h1>").title == "A bridge"


def test_the_outlet_is_a_name_before_it_is_a_host() -> None:
    linked = '<script type="application/ld+json">{"@type": "Article", "publisher": {"name": "Example"}}</script>'
    assert read(meta(og__site_name="example.org") + linked).outlet == "Example"
    assert read(meta(og__site_name="The Example") + linked).outlet == "The Example"
    assert read(meta(og__site_name="example.org")).outlet == "example.org"


def test_an_address_is_no_author() -> None:
    assert read(meta(article__author="https://social.example/jane")).authors == ()
    assert read(meta(article__author="Jane Doe", byl="By Ali Khan")).authors == ("Ali Khan",)


@pytest.mark.parametrize(
    "body",
    [
        '<time datetime="2020-01-01T00:00:00Z"></time><time itemprop="datePublished" datetime="2026-02-27T10:00:00Z">',
        '<time datetime="2020-01-01T00:00:00Z"></time><time pubdate datetime="2026-02-27T10:00:00Z">',
        '<time datetime="2020-01-01T00:00:00Z"></time><article><time datetime="2026-02-27T10:00:00Z"></time></article>',
    ],
)
def test_the_text_says_the_time_where_the_head_does_not(body: str) -> None:
    assert read("<title>T</title>", body).published == TEN
    assert read(meta(article__published_time="2026-02-26T09:00:00Z"), body).published == TEN.replace(day=26, hour=9)


@pytest.mark.parametrize(
    ("body", "authors"),
    [
        ('<p class="byline">By <a>Jane Doe</a> and <a>Ali Khan</a></p>', ("Jane Doe", "Ali Khan")),
        ('<a rel="author" href="/jane">Jane Doe</a>', ("Jane Doe",)),
        ('<span itemprop="author">Jane Doe</span>', ("Jane Doe",)),
        ('<div class="article__author-name">Jane Doe</div>', ("Jane Doe",)),
        ('<aside><a rel="author">Ali Khan</a></aside><p class="author">Jane Doe</p>', ("Jane Doe",)),
        ('<div class="author-bio">Jane Doe</div>', ()),
        ('<div class="author">Staff</div>', ()),
    ],
)
def test_the_text_names_the_authors_where_the_head_does_not(body: str, authors: tuple[str, ...]) -> None:
    assert read("<title>T</title>", body).authors == authors
    assert read("<title>T</title>" + meta(byl="Told"), body).authors == ("Told",)


def test_keywords_are_words() -> None:
    assert read(meta(article__tag="Bridges", news_keywords="Towns, Rivers;Boats")).tags == (
        "Bridges", "Towns", "Rivers", "Boats",
    )  # fmt: skip
    assert read(meta(keywords="only, these")).tags == ("only", "these")
    assert read(meta(keywords="WC: 2000-2999,source:tagname:X,s,桥")).tags == ("桥",)
    assert read(meta(keywords="CIV,CLJ,GEN,NEWS1,POL")).tags == ()


def test_the_tree_is_left_as_it_is() -> None:
    tree = parse_page(b"<html><title>T</title><h1>A</h1><div class=author>By Jane Doe</div><p>March 3, 2026 x</p>")
    before = etree.tostring(tree)
    read_head(tree)
    assert etree.tostring(tree) == before
