"""The gazetteer: spellings fold to one, names stand at the bounds of words, the longest wins."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.enrich.gazetteer import Gazetteer, load_gazetteer
from pipeline.enrich.gazetteer_files import Row
from pipeline.errors import UsageError

ROWS = (
    Row(id="p:1", kind="person", name="Esmail Qaani", aliases=("Qaani", "Ghaani", "قاآنی")),
    Row(id="o:1", kind="organisation", name="World Health Organization", aliases=("WHO",)),
    Row(id="c:fr", kind="place", name="Paris", country="FR"),
    Row(id="c:us", kind="place", name="Paris", country="US"),
    Row(id="c:ny", kind="place", name="New York"),
    Row(id="c:nyc", kind="place", name="New York City"),
    Row(id="l:us", kind="place", name="United States", aliases=("U.S.", "the States")),
    Row(id="c:sg", kind="place", name="Singapore", aliases=("新加坡",)),
)
GAZETTEER = Gazetteer(ROWS)


def found(text: str, gazetteer: Gazetteer = GAZETTEER) -> list[tuple[str, list[str]]]:
    return [(text[hit.start : hit.end], [gazetteer.rows[row].id for row in hit.rows]) for hit in gazetteer.find(text)]


@pytest.mark.parametrize(
    "spelling", ["Qaani", "qaani", "QAANI", "Qa'ani", "Qa’ani", "Qāānī", "Ghaani", "قاآنی", "قاآنى"]
)
def test_spellings_and_scripts_fold_to_one(spelling: str) -> None:
    assert found(f"… {spelling} …") == [(spelling, ["p:1"])]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Qaani's men", ["Qaani"]),
        ("Qaani’s men", ["Qaani"]),
        ("in the U.S. and", ["U.S."]),
        ("(U.S.)", ["U.S."]),
        ("from the States.", ["States"]),
        ("Parisian, Comparis", []),
        ("New York City Hall", ["New York City"]),
        ("Paris Paris,Paris", ["Paris", "Paris", "Paris"]),
        ("在新加坡的", ["新加坡"]),
        ("NEW\nYORK", ["NEW\nYORK"]),
        ("in New York. City Hall", ["New York"]),
        ("the New (York City)", []),
        ("新）加坡", []),
        ("World, Health; Organization and Paris. Paris", ["Paris", "Paris"]),
    ],
)
def test_a_name_is_whole_words_without_what_hangs_on_them(text: str, names: list[str]) -> None:
    assert [name for name, _ in found(text)] == names


def test_a_name_of_several_gives_all_of_them() -> None:
    assert found("Paris") == [("Paris", ["c:fr", "c:us"])]
    assert GAZETTEER.named("paris") == (2, 3)
    assert GAZETTEER.named("Paris, Texas") == ()


def test_an_acronym_is_found_in_capitals_only() -> None:
    assert found("who asked the WHO") == [("WHO", ["o:1"])]


def test_a_users_row_adds_to_the_one_that_has_its_name_or_its_id() -> None:
    own = (
        Row(id="own:new-york", kind="place", name="New York", aliases=("Gotham",), weight=7),
        Row(id="l:us", kind="place", name="United States of America", aliases=("Uncle Sam",)),
        Row(id="own:qaani", kind="organisation", name="Qaani"),
        Row(id="own:paris", kind="place", name="Paris"),
    )
    extended = Gazetteer(ROWS, own)
    assert found("Gotham and New York", extended) == [("Gotham", ["c:ny"]), ("New York", ["c:ny"])]
    assert extended.rows[extended.by_id["c:ny"]].weight == 7
    assert found("Uncle Sam, U.S.", extended) == [("Uncle Sam", ["l:us"]), ("U.S.", ["l:us"])]
    assert extended.rows[extended.by_id["l:us"]].name == "United States of America"
    # Another kind, and a name of two places: rows of their own, which nobody else shares.
    assert found("Qaani in Paris", extended) == [("Qaani", ["own:qaani"]), ("Paris", ["own:paris"])]
    assert extended.own == {"own:qaani", "own:paris"}


def test_a_file_of_own_names_that_cannot_be_used_stops_the_start(tmp_path: Path) -> None:
    (tmp_path / "own.csv").write_text("kind,name\nx,y\n")
    with pytest.raises(UsageError, match=r"own\.csv:2"):
        load_gazetteer(tmp_path)


def test_without_any_name_nothing_is_found() -> None:
    assert Gazetteer(()).find("Paris \0 x") == []


@settings(max_examples=200)
@given(st.text(st.sampled_from("PparisNewYork USWHO.'’ \n新加坡قاآنی\u0301\u200b,İßﬁ") | st.characters(), max_size=60))
def test_what_is_found_stands_in_the_text_in_order_and_never_overlaps(text: str) -> None:
    behind = 0
    for hit in GAZETTEER.find(text):
        assert behind <= hit.start < hit.end <= len(text)
        behind = hit.end
