"""Notices of corrections are known by how they begin."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.enrich.corrections import find_correction


@pytest.mark.parametrize(
    "notice",
    [
        "Correction: The bridge opens in May, not in April.",
        "CORRECTION (March 3, 2026): The bridge opens in May.",
        "Correction, March 3, 2026: The bridge opens in May.",
        "Clarification — The bridge is for walkers.",
        "An earlier version of this article said April.",
        "*A previous version of this story misspelled a name.",
        "Editor's note: An earlier version of this story said April.",
        "Editor’s Note: Correction: it is May.",
        "This article was amended on 3 March 2026 to say May.",
        "The headline on this story was corrected to say May.",
        "(This March 3 story has been corrected to say May in paragraph 2)",
        "(Corrects month in paragraph 2)",
        "Korrektur: Die Brücke öffnet im Mai.",
        "In einer früheren Version dieses Artikels stand April.",
        "Rectificatif : le pont ouvre en mai.",
        "Une version précédente de cet article indiquait avril.",
        "Fe de errores: el puente abre en mayo.",
        "Errata corrige: il ponte apre a maggio.",
        "Исправление: мост откроется в мае.",
        "Düzeltme: Köprü mayısta açılacak.",
        "تصحيح: يفتح الجسر في مايو.",
        "更正：大桥五月开通。",
        "訂正：橋は五月に開く。",
        "Ralat: Jambatan dibuka pada bulan Mei.",
        "Pembetulan: Jembatan dibuka bulan Mei.",
        "Correction\nThe bridge opens in May.",
    ],
)
def test_a_notice_is_found_among_the_paragraphs(notice: str) -> None:
    assert find_correction(["A bridge opens.", notice, "More."]) == " ".join(notice.split())


@pytest.mark.parametrize(
    "paragraph",
    [
        "Correction officers said on Monday: nothing.",
        "Corrections are to be expected, traders say.",
        "The correction: a fall of ten percent.",
        "An earlier version of the bill was rejected.",
        "An earlier version of this law said April.",
        "This story was told by many.",
        "Präzisionsarbeit: so entsteht eine Uhr.",
        "Updated: 12:30",
        "Corrects himself often, this man.",
        "",
    ],
)
def test_other_paragraphs_are_none(paragraph: str) -> None:
    assert find_correction([paragraph, "More."]) == ""


def test_a_name_on_a_line_of_its_own_has_the_notice_behind_it() -> None:
    assert find_correction(["Text.", "Correction", "It is May."]) == "Correction: It is May."
    assert find_correction(["Text.", "Correction:", "It is May."]) == "Correction: It is May."
    assert find_correction(["Text.", "Correction"]) == ""


def test_a_notice_is_bounded() -> None:
    found = find_correction(["Correction: " + "x" * 100_000])
    assert (len(found), found[-1]) == (500, "…")


@given(st.lists(st.text(max_size=60) | st.text(alphabet="(*[ \n:correction0", max_size=80), max_size=5))
def test_no_text_raises(paragraphs: list[str]) -> None:
    assert len(find_correction(paragraphs)) <= 500
