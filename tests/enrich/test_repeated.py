"""Lines that an outlet repeats."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pipeline.enrich.paragraphs import Paragraph
from pipeline.enrich.repeated import MAX_KEYS, candidate_keys, line_key, without_repeated

LONG = Paragraph("word " * 100)


def test_a_line_is_known_again_whatever_its_case_and_spaces_but_not_with_other_figures() -> None:
    assert line_key("Join 12,000  readers") == line_key("JOIN 12,000 readers")
    assert line_key("The bank left its rate at 6.81 percent.") != line_key("The bank left its rate at 6.82 percent.")
    assert line_key("Join our readers") != line_key("Join your readers")


def test_a_key_is_the_same_in_every_process_and_fits_a_database() -> None:
    assert line_key("Our Standards") == -5_668_669_185_711_181_954


def test_repeated_lines_leave_a_text_and_long_paragraphs_stay() -> None:
    repeated = frozenset({line_key("Our Standards"), line_key(LONG.text)})
    assert without_repeated([LONG, Paragraph("Our standards", is_heading=True)], repeated) == [LONG]


def test_a_text_of_nothing_else_stays() -> None:
    only = [Paragraph("Our Standards")]
    assert without_repeated(only, frozenset({line_key("Our Standards")})) == only


def test_short_lines_are_counted_once_each_and_long_ones_not() -> None:
    one = Paragraph("One")
    assert candidate_keys([one, LONG, one]) == (line_key("One"),)


def test_a_long_text_counts_its_beginning_and_its_end() -> None:
    lines = [Paragraph(f"line {'x' * number}") for number in range(100)]
    keys = candidate_keys(lines)
    assert len(keys) == MAX_KEYS
    assert (keys[0], keys[-1]) == (line_key(lines[0].text), line_key(lines[-1].text))


@given(st.lists(st.text(min_size=1, max_size=20)))
def test_what_is_left_has_none_of_the_repeated_lines_or_is_all(texts: list[str]) -> None:
    paragraphs = list(map(Paragraph, texts))
    repeated = frozenset(candidate_keys(paragraphs[::2]))
    left = without_repeated(paragraphs, repeated)
    assert left == paragraphs or not repeated & set(candidate_keys(left))
    assert without_repeated(left, repeated) == left
