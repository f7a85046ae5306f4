"""The boxes that hold a page's prose."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.enrich import page
from pipeline.enrich.page import extract_paragraphs, parse_page
from pipeline.enrich.page_boxes import prose_of_boxes
from pipeline.enrich.paragraphs import Paragraph


def prose(name: str) -> str:
    return "".join(
        f"<p>The {name} paragraph {number} says what the council decided on the new bridge over the river.</p>"
        for number in range(4)
    )


def read(markup: str) -> str:
    tree = parse_page(f"<html><body>{markup}</body></html>".encode())
    return "\n".join(paragraph.text for paragraph in prose_of_boxes(tree))


def test_boxes_of_one_name_in_one_article_are_read_in_their_order() -> None:
    found = read(
        f'<article><div class="text">{prose("first")}<h2>Heading</h2></div><div class="advert"><p>Buy</p></div>'
        f'<div class="text">{prose("second")}</div></article>'
    )
    assert found.index("first paragraph 3") < found.index("Heading") < found.index("second paragraph 0")
    assert "Buy" not in found


def test_a_box_that_stands_alone_is_left_to_extraction() -> None:
    assert (
        read(f'<article><div class="text">{prose("first")}</div><div class="other">{prose("second")}</div></article>')
        == ""
    )


def test_boxes_of_another_article_or_of_none_do_not_count() -> None:
    box = f'<div class="text">{prose("first")}</div>'
    assert read(f"<article>{box}</article><article>{box}</article>") == ""
    assert read(f"{box}{box}") == ""


def test_boxes_without_a_name_do_not_count() -> None:
    assert read(f"<article><div>{prose('first')}</div><div>{prose('second')}</div></article>") == ""


def test_a_box_within_a_box_is_read_once() -> None:
    inner = f'<div class="text">{prose("inner")}</div>'
    found = read(
        f'<article><div class="text">{prose("first")}{inner}</div><div class="text">{prose("last")}</div></article>'
    )
    assert found.count("inner paragraph 0") == 1


def test_links_and_short_lines_are_no_prose() -> None:
    links = "".join(
        f'<p><a href="/{n}">The headline of another article on the very same new bridge, number {n}</a></p>'
        for n in range(9)
    )
    assert read(f'<article><div class="text">{links}</div><div class="text">{links}</div></article>') == ""


def test_an_article_whose_rest_extraction_misses_is_whole() -> None:
    chunk = '<div class="chunk"><div class="body">{}</div></div>'
    chunks = chunk.format(prose("first") * 3) + chunk.format(prose("second") * 3)
    page = f"<html><body><main><article>{chunks}</article></main></body></html>"
    found = "\n".join(paragraph.text for paragraph in extract_paragraphs(parse_page(page.encode())))
    assert "first paragraph 0" in found
    assert "second paragraph 3" in found


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(["<article>", "</article>", '<div class="a">', "</div>", "<p>", "word " * 30, "</p>"])))
def test_no_nesting_breaks_it(pieces: list[str]) -> None:
    read("".join(["<p>x</p>", *pieces]))


def test_where_extraction_took_something_else_for_the_text_the_boxes_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    aside = "A caption of a photograph that extraction took for the whole of the article, as it happens."
    monkeypatch.setattr(page, "_extracted", lambda _: [Paragraph(aside)])
    boxes = "".join(f'<div class="text">{prose(name)}</div>' for name in ("first", "second"))
    for around in ("article", "main"):
        found = extract_paragraphs(parse_page(f"<html><body><{around}>{boxes}</{around}></body></html>".encode()))
        assert [paragraph.text[:9] for paragraph in found] == ["The first"] * 4 + ["The secon"] * 4
    alone = extract_paragraphs(parse_page(f"<html><body><div>{boxes}</div></body></html>".encode()))
    assert [paragraph.text for paragraph in alone] == [aside]
