"""What outlets' pages gave is remembered, a bounded number of them, and breaks are noted once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from msgspec.structs import replace

from pipeline.ports import PAGES_KEPT, OutletBreak, OutletPage, PageNorm, State

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
NORM = PageNorm(pages=52, empty=0.02, characters=3_200.5, text_share=0.031, repeated=0.1)


def read(number: int, outlet: str = "Mirror", **fields: object) -> OutletPage:
    page = OutletPage(
        outlet=outlet, article=f"{number:032x}", read_at=NOW + timedelta(minutes=number), characters=number,
        page_bytes=50_000, lines=(number, -(2**63), 2**63 - 1),
    )  # fmt: skip
    return replace(page, **fields)


def test_pages_come_back_newest_first_and_only_those_of_the_outlet(state: State) -> None:
    state.note_outlet_pages([read(1), read(3), read(2), read(4, "Harbour Times")])
    assert state.outlet_pages("Mirror") == [read(3), read(2), read(1)]
    assert state.outlet_pages("nobody") == []


def test_of_an_article_that_is_read_again_the_newest_reading_counts(state: State) -> None:
    later = read(1, read_at=NOW + timedelta(hours=2), characters=9, lines=())
    state.note_outlet_pages([read(1), read(2)])
    state.note_outlet_pages([later])
    assert state.outlet_pages("Mirror") == [later, read(2)]
    state.note_outlet_pages([later, read(5), later])
    assert [page.article for page in state.outlet_pages("Mirror")] == [later.article, read(5).article, read(2).article]


def test_the_newest_of_each_outlet_are_kept_and_no_more(state: State) -> None:
    state.note_outlet_pages([read(number) for number in range(PAGES_KEPT + 20)] + [read(0, "Harbour Times")])
    state.note_outlet_pages([read(PAGES_KEPT + 20)])
    kept = state.outlet_pages("Mirror")
    assert [page.characters for page in kept] == list(range(PAGES_KEPT + 20, 20, -1))
    assert len(state.outlet_pages("Harbour Times")) == 1


def test_nothing_noted_is_nothing_changed(state: State) -> None:
    state.note_outlet_pages([])
    assert state.outlet_pages("Mirror") == []


def test_any_name_of_an_outlet_can_be_remembered(state: State) -> None:
    for outlet in ("", "O'Brien; DROP TABLE", "الأهرام", "x" * 500):
        state.note_outlet_pages([read(1, outlet)])
        assert state.outlet_pages(outlet) == [read(1, outlet)]


def test_a_break_is_noted_once_and_ended_once(state: State) -> None:
    broken = OutletBreak(outlet="Mirror", since=NOW, cause="80% of the last 10 pages gave no text", norm=NORM)
    assert state.begin_outlet_break(broken)
    assert not state.begin_outlet_break(replace(broken, since=NOW + timedelta(days=1), cause="other"))
    assert state.outlet_breaks() == state.outlet_breaks(["Mirror", "x"]) == {"Mirror": broken}
    assert state.outlet_breaks(["x"]) == state.outlet_breaks([]) == {}
    assert state.end_outlet_break("Mirror")
    assert not state.end_outlet_break("Mirror")
    assert state.outlet_breaks() == {}
