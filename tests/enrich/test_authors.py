"""Bylines become names."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.enrich.authors import clean_authors
from pipeline.enrich.titles import site_keys

TWO = ("Jane Doe", "Ali Khan")


@pytest.mark.parametrize(
    "byline",
    [
        "Jane Doe and Ali Khan", "By Jane Doe and Ali Khan", "BY JANE DOE, ALI KHAN", "Jane Doe; Ali Khan",
        "Jane Doe & Ali Khan", "Von Jane Doe und Ali Khan", "Par Jane Doe et Ali Khan", "Por Jane Doe y Ali Khan",
        "Di Jane Doe e Ali Khan", "Oleh Jane Doe dan Ali Khan", "От Jane Doe и Ali Khan", "Jane Doe | Ali Khan",
        "Jane Doe, Ali Khan and Jane Doe", "Written by: Jane Doe / Ali Khan", "Jane Doe、Ali Khan",
        "Jane Doe ve Ali Khan",
    ],
)  # fmt: skip
def test_several_names_in_one_byline_are_parted(byline: str) -> None:
    assert clean_authors([byline]) == TWO


@pytest.mark.parametrize(
    "byline",
    [
        "Jane Doe", "by Jane Doe", "Jane Doe, Political Correspondent", "Jane Doe Political Editor", "Jane Doe, Staff",
        "Reporter Jane Doe", "Jane Doe (jane@example.org)", "jane@example.org (Jane Doe)", "Jane Doe, Ph.D.",
        "Jane Doe in London", "Jane Doe, Senior Reporter in Paris", "Jane Doe https://example.org/jane",
        "Jane Doe @jane",
        "Jane Doe | March 3, 2024", "Jane Doe - 3 mars 2024", "By Jane Doe Updated 12:30 GMT", "Jane Doe with agencies",
        "JANE DOE", "Doe, Jane", "DOE, Jane", "<a href='/jane'>Jane Doe</a>", "Jane Doe, Staff and agencies",
        "Jane&#32;Doe ", "  Jane   Doe. ", "Jane Doe, Redakteurin", "Jane Doe, our White House correspondent",
    ],
)  # fmt: skip
def test_what_is_no_part_of_the_name_goes(byline: str) -> None:
    assert clean_authors([byline]) == ("Jane Doe",)


@pytest.mark.parametrize(
    ("byline", "expected"),
    [
        ("Sam Jones in Madrid and Ali Khan in Barcelona", ("Sam Jones", "Ali Khan")),
        ("Jane Doe in Palm Beach, Florida", ("Jane Doe",)),
        ("Associated Press in Palm Beach, Florida and Ali Khan", ("Associated Press", "Ali Khan")),
        ("Jane Doe in Rome, Ali Khan in Paris", TWO),
        ("Doe, J., Khan, A. B.", ("J. Doe", "A. B. Khan")),
        ("Doe-Roe, J.-P.", ("J.-P. Doe-Roe",)),
        ("Jane Doe (now), Ali Khan (earlier)", TWO),
    ],
)
def test_bylines_as_feeds_have_them(byline: str, expected: tuple[str, ...]) -> None:
    assert clean_authors([byline]) == expected


@pytest.mark.parametrize(
    "name",
    [
        "José Ortega y Gasset", "Luigi Di Maio", "Di Maio", "Ursula von der Leyen", "von der Leyen", "Kate White",
        "Sammy Davis Jr.", "Robert Byrd", "Mary Anders", "Van Jones", "Conor McGregor", "Ngugi wa Thiong'o", "AFP",
        "Reuters", "France 24", "BBC News", "Lee J.", "Anne-Marie O'Brien", "王小明", "김철수", "محمد علي",
        "Иван Петров", "Dana White",
    ],
)  # fmt: skip
def test_a_name_is_left_as_it_is(name: str) -> None:
    assert clean_authors([name]) == (name,)


@pytest.mark.parametrize(
    ("byline", "expected"),
    [
        ("JEAN-PIERRE O'BRIEN", "Jean-Pierre O'Brien"),
        ("LUDWIG VAN DER BERG", "Ludwig van der Berg"),
        ("JOHN MCDONALD", "John McDonald"),
        ("İSMAİL YILMAZ", "İsmail Yilmaz"),
        ("ИВАН ПЕТРОВ", "Иван Петров"),
        ("BBC NEWS", "BBC News"),
        ("SAMMY DAVIS, JR.", "Sammy Davis Jr."),
        ("记者 王小明", "王小明"),
        ("作者：王小明", "王小明"),
        ("김철수 기자", "김철수"),
        ("بقلم: محمد علي", "محمد علي"),
    ],
)
def test_names_are_written_as_names(byline: str, expected: str) -> None:
    assert clean_authors([byline]) == (expected,)


@pytest.mark.parametrize(
    "byline",
    ["", " ", "By", "Staff", "admin", "News Desk", "https://example.org/jane", "@jane", "Staff Reporter", "2024", "-",
     "agencies", "Редакция", "Haber Merkezi", "Jane has covered politics for ten years and lives in Rome with a cat"],
)  # fmt: skip
def test_what_names_nobody_goes(byline: str) -> None:
    assert clean_authors([byline]) == ()


def test_agencies_stay_also_behind_a_name() -> None:
    assert clean_authors(["Jane Doe, Associated Press"]) == ("Jane Doe", "Associated Press")
    assert clean_authors(["Jane Doe (Reuters)"]) == ("Jane Doe", "Reuters")
    assert clean_authors(["AFP and Reuters"]) == ("AFP", "Reuters")


def test_the_outlet_is_no_author_unless_it_is_an_agency() -> None:
    assert clean_authors(["The Example", "Jane Doe"], site_keys(["Example"])) == ("Jane Doe",)
    assert clean_authors(["Reuters"], site_keys(["Reuters"])) == ("Reuters",)


def test_the_outlet_behind_a_name_goes() -> None:
    sites = site_keys(["The Example News"])
    assert clean_authors(["By Jane Doe Example News"], sites) == ("Jane Doe",)
    assert clean_authors(["Jane Doe for The Example News"], sites) == ("Jane Doe",)


def test_each_name_is_told_once_and_in_its_order() -> None:
    assert clean_authors(["Jane Doe", "ali khan", "JANE DOE", "Ali Khan"]) == ("Jane Doe", "ali khan")


def test_bylines_are_bounded() -> None:
    assert len(clean_authors([f"Jane D{'o' * n}" for n in range(1, 300)])) <= 100
    assert clean_authors(["by " * 100_000 + "Jane"]) == ()
    assert len(clean_authors(["A B, " * 100_000])) == 1


WORDS = st.sampled_from(
    ["by ", "von ", "Di ", "and ", "y ", "e ", ", ", "; ", " - ", "(", ")", "Jane ", "DOE ", "Reuters", "Jr.",
     "Editor ", "White ", "in Rome ", "March 3 ", "2024 ", "@x ", "王", "и ", ".", "Staff ", "the ", "PhD", "McX ", "İ",
     "ß"]
)  # fmt: skip


@settings(max_examples=500, deadline=None)
@given(st.lists(st.lists(WORDS, max_size=9).map("".join) | st.text(max_size=40), max_size=3))
def test_what_was_cleaned_stays_as_it_is(bylines: list[str]) -> None:
    for sites in (frozenset[str](), site_keys(["Jane", "White Editor"])):
        found = clean_authors(bylines, sites)
        assert clean_authors(found, sites) == found
    assert all(found)
