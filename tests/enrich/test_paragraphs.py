"""A body and its paragraphs: offsets of headings are right by construction."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pipeline.article import Heading
from pipeline.enrich.paragraphs import Paragraph, join_paragraphs, paragraph_of, split_body

lines = st.text(min_size=1, max_size=20)
paragraphs = st.lists(st.builds(paragraph_of, st.lists(lines, min_size=1, max_size=3), is_heading=st.booleans())).map(
    lambda found: [paragraph for paragraph in found if paragraph]
)


@given(paragraphs)
def test_every_heading_stands_in_the_body_at_its_offset(found: list[Paragraph]) -> None:
    body, headings = join_paragraphs(found)
    assert len(headings) == sum(paragraph.is_heading for paragraph in found)
    for heading in headings:
        assert body[heading.offset :].startswith(heading.text)
        assert heading.offset == 0 or body[: heading.offset].endswith("\n\n")


@given(paragraphs)
def test_splitting_a_joined_body_gives_the_paragraphs_again(found: list[Paragraph]) -> None:
    assert split_body(*join_paragraphs(found)) == found


def test_a_heading_that_is_not_where_it_is_said_to_be_is_none() -> None:
    body = "First\n\nSecond"
    claimed = [Heading(0, "Second"), Heading(7, "Sec"), Heading(99, "x"), Heading(-6, "Second")]
    assert split_body(body, claimed) == [Paragraph("First"), Paragraph("Second")]
    assert split_body(body, [Heading(7, "Second")])[1].is_heading


def test_line_ends_of_any_kind_and_lines_of_spaces_separate() -> None:
    assert split_body("a\r\n\r\nb\n \t \nc\u2029\u2029d") == [Paragraph(text) for text in "abcd"]
