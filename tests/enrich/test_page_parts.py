"""What stands inside a page's article but belongs to something else."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree
from lxml.html import HtmlElement

from pipeline.enrich.page import parse_page
from pipeline.enrich.page_parts import without_asides

PROSE = "The council met on Monday to discuss the new bridge over the river, and will decide next week. " * 8


def tree(markup: str) -> HtmlElement:
    return parse_page(f"<html><body><article><p>{PROSE}</p>{markup}<p>Behind.</p></article></body></html>".encode())


def left(markup: str) -> str:
    text = " ".join("".join(without_asides(tree(markup)).itertext()).split())
    assert text.startswith(PROSE.strip())
    assert text.endswith("Behind.")
    return text.removeprefix(PROSE.strip()).removesuffix("Behind.").strip()


@pytest.mark.parametrize(
    "markup",
    [
        '<div class="promo promo-small"><p>Another article, in short.</p></div>',
        '<aside class="RelatedStories">Another article</aside>',
        '<section id="newsletter">Your address</section>',
        '<div class="article__author-bio">Jane Doe writes about bridges.</div>',
        '<div data-testid="LinkEmbed"><em>Read our reviews.</em></div>',
        '<div><a href="/other"><h3>Another article</h3></a><p>What it says.</p></div>',
        '<div><h3><a href="/other">Another article</a></h3><p>What it says.</p></div>',
        '<div><h3><span class="sr-only">Another</span> <a href="/other">Another</a></h3></div>',
        '<p><a href="/other">The headline of another article</a></p>',
        '<p><strong><a href="https://e.example/1">THE HEADLINE OF ANOTHER ARTICLE</a></strong></p>',
        "<script>var a</script>",
        "<style>p { }</style>",
    ],
)
def test_a_part_that_is_no_text_of_the_article_goes(markup: str) -> None:
    assert left(markup) == ""


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("<blockquote>A quotation.</blockquote>", "A quotation."),
        ('<blockquote class="twitter-tweet"><p>A post.</p>— Jane Doe</blockquote>', "A post.— Jane Doe"),
        ("<h3>A heading</h3>", "A heading"),
        ('<h3><a href="/shop">A heading that links</a></h3>', "A heading that links"),
        (
            '<p>See <a href="/other">the other article on this bridge</a> too.</p>',
            "See the other article on this bridge too.",
        ),
        ('<p><a href="/other">It was decided on Monday by all.</a></p>', "It was decided on Monday by all."),
        ('<p><a href="#note">The note at the end of the text</a></p>', "The note at the end of the text"),
        ('<div class="biology">A text.</div>', "A text."),
        ('<ul><li><a href="/1">One</a></li></ul>', "One"),
        ('<div class="promo">gone</div>what follows it', "what follows it"),
    ],
)
def test_a_part_that_only_resembles_one_stays(markup: str, text: str) -> None:
    assert left(markup) == text


def test_a_long_text_in_a_badly_named_box_stays() -> None:
    assert left(f'<div class="related"><p>{PROSE * 2}</p></div>') == (PROSE * 2).strip()


def test_a_long_list_of_links_in_a_named_box_goes() -> None:
    links = "".join(f'<li><a href="/{number}">Another article about a bridge</a></li>' for number in range(60))
    assert left(f'<div class="most-read"><ul>{links}</ul></div>') == ""


def test_the_page_itself_is_kept() -> None:
    page = tree('<div class="promo">x</div>')
    before = etree.tostring(page)
    without_asides(page)
    assert etree.tostring(page) == before


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            [
                "<div>",
                "</div>",
                '<div class="promo">',
                "<h3>",
                "</h3>",
                '<a href="/x">',
                "</a>",
                "<p>",
                "text",
                "<ul>",
                "<li>",
            ]
        )
    )
)
def test_no_nesting_breaks_it(pieces: list[str]) -> None:
    without_asides(tree("".join(pieces)))
