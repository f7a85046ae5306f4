"""Unlisted names: what capitals, titles and heads say."""

from __future__ import annotations

import pytest
from named import organisations, people, places


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("He met President Aldo Brunetti on Monday.", ["Aldo Brunetti"]),
        ("The bill of Sen. Tomas Rill (Texas) failed.", ["Tomas Rill"]),
        ("It was said by foreign minister Oda Kvist, 52, in parliament.", ["Oda Kvist"]),
        ("Former Finance Minister Oda Kvist resigned.", ["Oda Kvist"]),
        ("The book of J. D. Palmer and of K.L. Brook sold.", ["J. D. Palmer", "K.L. Brook"]),
        ("A letter to Ursula von der Hagen came.", ["Ursula von der Hagen"]),
        ("Crown Prince Omar bin Khalid al-Rashid came.", ["Omar bin Khalid al-Rashid"]),
        ("We asked Ann Lopez-Galvan’s mother.", ["Ann Lopez-Galvan"]),
        ("He quoted Martin Luther King, Jr. at length.", ["Martin Luther King, Jr."]),
        ("They saw Regina King and Stephen Young there.", ["Regina King", "Stephen Young"]),
        ("The actor, Zeb Quillfeather, who was there, left.", ["Zeb Quillfeather"]),
        ("Ministers told Quillfeather Brown said nothing.", ["Quillfeather Brown"]),
        ("Perdana Menteri Encik Rashid Hamdan bertolak.", ["Rashid Hamdan"]),
    ],
)  # fmt: skip
def test_a_person_is_named_without_what_leads_to_the_name(body: str, expected: list[str]) -> None:
    assert people(body) == expected


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("The Ministry of Trade and Industry said so.", ["Ministry of Trade and Industry"]),
        ("He studied at the University of Sampleton.", ["University of Sampleton"]),
        ("Shares of Sampleton Steel Corp. fell, and Widget GmbH closed.", ["Sampleton Steel Corp.", "Widget GmbH"]),
        ("Yesterday the Sampleton Airlines (SPA) crew left; SPA is sorry.", ["Sampleton Airlines=SPA"]),
        ("Leaders of the National Unity Council met. The NUC is new.", ["National Unity Council=NUC"]),
        ("The Immigration and Bridges Authority (IBA) is new; IBA it is.", ["Immigration and Bridges Authority=IBA"]),
        ("Widget GmbH, ABC and DataWorks grew.", ["Widget GmbH", "ABC", "DataWorks"]),
        (
            "Greenpeace France said so to the Ministry of Home Affairs.",
            ["Greenpeace France", "Ministry of Home Affairs"],
        ),
        ("It was said in the Supreme Court and in the White House.", ["Supreme Court", "White House"]),
        ("The Republican Senatorial Committee paid.", ["Republican Senatorial Committee"]),
        ("Fans of the Beirut Lions sang; the Lions had won.", ["Beirut Lions=Lions"]),
        ("He read it in The Sampleton Times, as the Times has it.", ["The Sampleton Times=Times"]),
        ("Kenyataan Kementerian Kesihatan dibaca.", ["Kementerian Kesihatan"]),
        ("It is sold by DataWorks and PickUp.", ["DataWorks", "PickUp"]),
    ],
)
def test_an_organisation_is_known_by_its_head_or_its_acronym(body: str, expected: list[str]) -> None:
    assert organisations(body) == expected


@pytest.mark.parametrize(
    "body",
    [
        "On Monday, March 4, the German and Israeli officials met Republicans.",
        "Police said so. Critics disagree. However, it rained. Nobody came.",
        "The CEO of the AI firm spoke on TV about GDP and DNA.",
        "The Super Bowl and the Proposition 103 of the Iran Nuclear Deal Act.",
        "HATE SPEECH is what they call hate.",
        "The Government and the Committee met in the Left wing.",
    ],
)
def test_days_adjectives_abbreviations_and_works_are_no_names(body: str) -> None:
    assert people(body) + organisations(body) == []


def test_a_word_that_begins_a_sentence_says_nothing_but_for_another_mention() -> None:
    assert people("Quillfeather left. Rain fell.") == []
    assert people("Aldo Quillfeather came. Quillfeather left. Rain fell.") == ["Aldo Quillfeather=Quillfeather"]


def test_a_line_in_which_each_word_has_a_capital_says_nothing() -> None:
    body = "Regional Implications And Strategic Calculations\n\nThe talks of Aldo Quillfeather went on."
    assert people(body) == ["Aldo Quillfeather"]
    assert organisations(body) == []


def test_the_nouns_of_german_are_no_names_without_evidence() -> None:
    body = "Die Große Koalition und der Neue Haushalt. Bundeskanzler Aldo Brunetti sprach mit Frau Kvist."
    assert people(body, language="de") == ["Aldo Brunetti", "Kvist"]
    assert organisations(body, language="de") == []


def test_states_and_countries_are_known_by_their_short_forms() -> None:
    assert places("Sen. Ann Rill (Tex.) left the U.S. for Britain, and tells us so.") == [
        "Texas=Tex.",
        "United States=U.S.",
    ]
    assert places("Fighting in the Middle East and near Grubsk.") == ["Middle East", "Grubsk"]
