"""The shipped gazetteer is what its sources say, and every row says which."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest
from gazetteer import build
from gazetteer.row import BETWEEN, HEADER, KINDS, read_table

from pipeline.query.analysis import joined

FILES = ("people.csv", "organisations.csv", "places.csv")
MAY_BE_REDISTRIBUTED = {
    "Unicode-3.0",
    "CC-BY-4.0",
    "CC0-1.0",
    "PDDL-1.0",
    "MIT",
    "BSD-3-Clause",
    "Apache-2.0",
    "public domain (US government)",
}
MAX_BYTES = 6_000_000


def rows_of(file: str) -> list[dict[str, str]]:
    with (build.SHIPPED / file).open(encoding="utf-8", newline="") as lines:
        reader = csv.DictReader(lines)
        assert tuple(reader.fieldnames or ()) == HEADER
        return list(reader)


@pytest.fixture(scope="module")
def rows() -> list[dict[str, str]]:
    return [row for file in FILES for row in rows_of(file)]


@pytest.fixture(scope="module")
def sources() -> dict[str, dict[str, str]]:
    with (build.SHIPPED / "sources.csv").open(encoding="utf-8", newline="") as lines:
        return {row["key"]: row for row in csv.DictReader(lines)}


def test_the_sources_give_the_shipped_files_again_byte_for_byte(tmp_path: Path) -> None:
    build.build(tmp_path)
    for file in FILES:
        assert (tmp_path / file).read_bytes() == (build.SHIPPED / file).read_bytes(), (
            f"{file} is not what its sources say; run `PYTHONPATH=tests python tests/gazetteer/build.py`"
        )


def test_every_row_names_its_sources_and_its_key_is_one_of_theirs(
    rows: list[dict[str, str]], sources: dict[str, dict[str, str]]
) -> None:
    for row in rows:
        named = row["source"].split(BETWEEN)
        assert set(named) <= set(sources), row
        assert row["id"].partition(":")[0] in {*named, "wikidata", "bioguide"}, row


def test_every_source_may_be_redistributed_under_the_licence_of_this_project(
    sources: dict[str, dict[str, str]],
) -> None:
    assert {source["licence"] for source in sources.values()} <= MAY_BE_REDISTRIBUTED


def test_no_source_is_listed_that_gave_nothing(rows: list[dict[str, str]], sources: dict[str, dict[str, str]]) -> None:
    assert {key for row in rows for key in row["source"].split(BETWEEN)} == set(sources)


def test_ids_are_unique_and_sorted(rows: list[dict[str, str]]) -> None:
    ids = [row["id"] for row in rows]
    assert len(set(ids)) == len(ids)
    for file in FILES:
        of_file = [row["id"] for row in rows_of(file)]
        assert of_file == sorted(of_file)


def test_a_row_is_of_a_known_kind_in_the_file_of_its_kind() -> None:
    for file, kind in zip(FILES, KINDS, strict=True):
        for row in rows_of(file):
            assert row["kind"] == kind, row
            assert re.fullmatch("[a-z]+(-[a-z]+)*", row["type"]), row
            assert re.fullmatch("[A-Z]{2}|", row["country"]), row
            assert row["weight"].isdecimal(), row


def test_coordinates_are_on_earth_and_come_in_pairs(rows: list[dict[str, str]]) -> None:
    for row in rows:
        assert bool(row["latitude"]) == bool(row["longitude"]), row
        if row["latitude"]:
            assert -90 <= float(row["latitude"]) <= 90, row
            assert -180 <= float(row["longitude"]) <= 180, row


def test_names_are_clean_and_an_alias_is_another_name_once_folded(rows: list[dict[str, str]]) -> None:
    for row in rows:
        names = [row["name"], *filter(None, row["aliases"].split(BETWEEN))]
        assert all(name == " ".join(name.split()) and name.replace("\u200c", "").isprintable() for name in names), row
        folded = [joined(name) for name in names]
        assert "" not in folded, row
        assert len(set(folded)) == len(folded), row
        assert "||" not in row["aliases"], row


def test_no_name_is_so_short_that_it_is_a_word(rows: list[dict[str, str]]) -> None:
    words = {"us", "of", "the", "a", "in", "nice", "reading", "mobile", "same"}
    for row in rows:
        if not row["context"]:
            assert not words & {joined(name) for name in (row["name"], *row["aliases"].split(BETWEEN))}, row


def test_a_country_has_no_name_that_is_a_word_of_another_language(rows: list[dict[str, str]]) -> None:
    names = {joined(name) for row in rows if row["type"] == "country" for name in row["aliases"].split(BETWEEN)}
    assert not names & {"us", "as", "vi", "man", "island", "ira", "car", "scotland"}


@pytest.mark.parametrize(("name", "near"), [("Nice", "France"), ("Austin", "Texas"), ("Reading", "UK")])
def test_a_city_named_as_a_word_or_a_person_has_to_be_near_its_country(
    rows: list[dict[str, str]], name: str, near: str
) -> None:
    of_name = [row for row in rows if (row["type"], row["name"]) == ("city", name)]
    assert all(row["context"] for row in of_name)
    assert any(near in row["context"].split(BETWEEN) for row in of_name)


@pytest.mark.parametrize("name", ["New York City", "Gaza", "Kyiv", "Las Vegas", "Rome"])
def test_a_city_that_news_name_needs_nothing_near(rows: list[dict[str, str]], name: str) -> None:
    assert any(row["name"] == name and not row["context"] for row in rows)


def test_our_own_choices_are_all_of_rows_there_are(rows: list[dict[str, str]]) -> None:
    ids = {row["id"] for row in rows}
    for excerpt, column in (("picks.csv", "id"), ("spellings.csv", "id"), ("same.csv", "same_as")):
        assert {line[column] for line in read_table(build.EXCERPTS / excerpt)} <= ids


def test_the_files_are_small(rows: list[dict[str, str]]) -> None:
    assert sum((build.SHIPPED / file).stat().st_size for file in FILES) < MAX_BYTES


@pytest.mark.parametrize(
    ("name", "names"),
    [
        ("Esmail Qaani", ["qaani", "Qaani", "Ghaani", "Qa'ani", "قاآنی", "اسماعیل قاآنی", "Esmail Ghaani"]),
        ("Hassan Nasrallah", ["Nasrallah", "Hasan Nasrallah", "حسن نصر الله"]),
        ("Yoav Gallant", ["Gallant", "יואב גלנט"]),
        ("Hezbollah", ["Hizballah", "Hizbullah", "Hisbollah", "حزب الله", "حزب اللّه", "חיזבאללה"]),
        ("Hamas", ["HAMAS", "حماس", "חמאס"]),
        ("Quds Force", ["Qods Force", "IRGC-QF", "سپاه قدس"]),
        ("Beirut", ["Beyrouth", "بيروت", "ביירות", "Бейрут"]),
        ("Lebanon", ["Liban", "لبنان", "レバノン", "Ливан"]),
        ("Vladimir Putin", ["Putin"]),
        ("United Nations", ["الأمم المتحدة", "Vereinte Nationen"]),
    ],
)
def test_variants_and_scripts_of_a_name_are_of_one_row(rows: list[dict[str, str]], name: str, names: list[str]) -> None:
    [row] = [row for row in rows if row["name"] == name]
    known = {joined(alias) for alias in (row["name"], *row["aliases"].split(BETWEEN))}
    assert {joined(alias) for alias in names} <= known


def test_beirut_is_on_the_map(rows: list[dict[str, str]]) -> None:
    [beirut] = [row for row in rows if row["name"] == "Beirut"]
    assert (beirut["id"], beirut["country"]) == ("geonames:276781", "LB")
    assert float(beirut["latitude"]) == pytest.approx(33.893)
    assert float(beirut["longitude"]) == pytest.approx(35.502)
