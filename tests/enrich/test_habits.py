"""What an outlet's pages have in common, and when they fall out of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from pipeline.enrich.habits import ACCEPTED_AFTER, RECENT, look_for_break, norm_of, repeated_lines
from pipeline.ports import OutletBreak, OutletPage

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
FURNITURE = (101, 102)


def pages(*texts: int, page_bytes: int = 100_000, lines: Sequence[int] = ()) -> list[OutletPage]:
    """Readings, newest first, with these lengths of their texts."""
    return [
        OutletPage(outlet="Mirror", article=f"a{n}", read_at=NOW - timedelta(hours=4 * n), characters=characters,
                   page_bytes=page_bytes, lines=(*lines, 1_000 + n))
        for n, characters in enumerate(texts)
    ]  # fmt: skip


USUAL = (2_000, 3_500, 1_200, 4_000, 2_800, 900, 6_000, 2_100) * 4


def cause(*texts: int, before: Sequence[int] = USUAL) -> str:
    found = look_for_break(pages(*texts, *before), None, NOW)
    return found.cause if found else ""


def test_a_line_of_every_fifth_page_is_repeated_and_one_of_four_pages_is_not() -> None:
    some = pages(*USUAL)
    marked = [
        OutletPage(outlet=p.outlet, article=p.article, read_at=p.read_at, characters=1, page_bytes=1,
                   lines=tuple(key for key, every in ((7, 4), (8, 11), (9, 1)) if n % every == 0))
        for n, p in enumerate(some)
    ]  # fmt: skip
    assert repeated_lines(marked) == {7, 9}
    assert repeated_lines(marked[:4]) == frozenset()


def test_a_line_that_stands_twice_in_a_page_counts_once() -> None:
    twice = [
        OutletPage(outlet="m", article=str(n), read_at=NOW, characters=1, page_bytes=1, lines=(5, 5)) for n in (1, 2, 3)
    ]
    assert repeated_lines(twice) == frozenset()


def test_pages_as_they_always_were_are_no_break() -> None:
    assert cause(*USUAL[:RECENT]) == ""
    assert cause(*(900,) * RECENT) == ""
    assert cause(*(0, 0, 0, 2_000, 2_000, 2_000, 2_000, 2_000)) == ""


def test_pages_that_give_no_text_any_more_are_a_break() -> None:
    assert cause(*(0, 0, 0, 0, 0, 2_000, 0, 0)) == "88% of the last 8 pages gave no text; 0% of those before"
    assert cause(*(0,) * RECENT, before=(0, 2_000, 2_000) * 12) != ""


def test_remnants_of_texts_are_a_break_unless_the_pages_are_as_short() -> None:
    assert cause(*(150, 200, 180, 0, 90, 300, 200, 210)) == "texts are of 200 characters; before, 2,450"
    short = [*pages(*(200,) * RECENT, page_bytes=8_000), *pages(*USUAL)]
    assert look_for_break(short, None, NOW) is None


def test_texts_that_swallow_their_pages_are_a_break() -> None:
    assert cause(*(60_000,) * RECENT).startswith("texts are 60% of their pages; before, 2%")


def test_pages_full_of_the_outlets_own_furniture_are_a_break() -> None:
    menu = range(2_000, 2_020)
    found = look_for_break([*pages(*USUAL[:RECENT], lines=menu), *pages(*USUAL, *USUAL[:8])[RECENT:]], None, NOW)
    assert found is not None
    assert found.cause == "95% of the short lines are the same on all pages; before, 0%"


def test_nothing_is_said_before_there_is_a_habit() -> None:
    assert cause(*(0,) * RECENT, before=USUAL[:11]) == ""
    assert cause(*(0,) * RECENT, before=USUAL[:12]) != ""
    assert look_for_break(pages(0, 0), None, NOW) is None


def test_a_break_does_not_become_usual_by_lasting() -> None:
    began = look_for_break(pages(*(0,) * RECENT, *USUAL), None, NOW)
    assert began is not None
    all_broken = pages(*(0,) * 60)
    assert look_for_break(all_broken, began, NOW + timedelta(days=9)) == began
    assert look_for_break(all_broken, began, NOW + ACCEPTED_AFTER) is None


def test_it_ends_when_the_newest_pages_are_as_before() -> None:
    began = look_for_break(pages(*(0,) * RECENT, *USUAL), None, NOW)
    assert began is not None
    assert look_for_break(pages(*USUAL[:3], *(0,) * 50), began, NOW) == began
    assert look_for_break(pages(*USUAL[:RECENT], *(0,) * 50), began, NOW) is None


@given(
    st.lists(
        st.tuples(st.integers(0, 2**40), st.integers(0, 2**40), st.lists(st.integers(-3, 3), max_size=4)), max_size=60
    )
)
def test_no_readings_are_too_odd(readings: list[tuple[int, int, list[int]]]) -> None:
    some = [
        OutletPage(outlet="m", article=str(n), read_at=NOW, characters=c, page_bytes=b, lines=tuple(keys))
        for n, (c, b, keys) in enumerate(readings)
    ]
    found = look_for_break(some, None, NOW)
    assert found is None or found.cause
    norm_of(some, repeated_lines(some))


@pytest.mark.parametrize("going_on", [True, False])
def test_no_readings_at_all_change_nothing(going_on: bool) -> None:
    began = OutletBreak(outlet="m", since=NOW, cause="c", norm=norm_of([], frozenset())) if going_on else None
    assert look_for_break([], began, NOW) is began


def test_lines_of_one_day_are_a_storys_and_not_the_outlets() -> None:
    updates = [replace(page, lines=(7,), read_at=NOW) for page in pages(*USUAL[:6])]
    assert repeated_lines(updates) == frozenset()
    assert repeated_lines([replace(page, lines=(7,)) for page in pages(*USUAL)]) == {7}
