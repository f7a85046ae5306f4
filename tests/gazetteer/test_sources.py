"""How names are read out of each source."""

from __future__ import annotations

import pytest
from gazetteer import cities, factbook, ofac, offices
from gazetteer.bodies import phrases
from gazetteer.people import merged, with_surnames
from gazetteer.row import Row, distinct, with_aliases


def person(id_: str, name: str, *aliases: str, country: str = "", weight: int = 50, source: str = "a") -> Row:
    return Row(id_, "person", "politician", name, aliases, country, weight=weight, source=source)


@pytest.mark.parametrize(
    ("listed", "written"),
    [
        ("NASRALLAH, Hasan", "Hasan Nasrallah"),
        ("AL-HOUTHI, Abdul-Malik", "Abdul-Malik al-Houthi"),
        ("QA'ANI, Esma'il", "Esma'il Qa'ani"),
        ("ABU-MARZUQ, Dr. Musa", "Dr. Musa Abu-Marzuq"),
        ("BIN LADIN, Usama", "Usama bin Ladin"),
    ],
)
def test_a_listed_name_is_put_in_the_order_in_which_it_is_written(listed: str, written: str) -> None:
    assert ofac.name_in_order(listed) == written


def test_a_spelling_is_kept_and_a_nom_de_guerre_is_not() -> None:
    assert ofac._is_spelling_of("Esma'il Gha'ani", "Esmail Qaani")
    assert ofac._is_spelling_of("Hashim Safi al-Din", "Hashem Safieddine")
    assert not ofac._is_spelling_of("Abou Mossaab Abdelouadoud", "Abdelmalek Droukdel")
    assert not ofac._is_spelling_of("Anis Ibrahim", "Dawood Ibrahim")


@pytest.mark.parametrize(
    ("text", "name", "surname"),
    [
        ("President Joseph AOUN (since 9 January 2025)", "Joseph Aoun", "Aoun"),
        ("President Gustavo Francisco PETRO Urrego (since 7 August 2022)", "Gustavo Petro", "Petro"),
        ("King HARALD V of Norway (since 17 January 1991)", "Harald V", "Harald"),
        ("President Donald J. TRUMP (since 20 January 2025)", "Donald Trump", "Trump"),
        ("Premier CHO Jung-tai (President of the Executive Yuan) (since 20 May 2024)", "Cho Jung-tai", "Cho"),
        ("Amir TAMIM bin Hamad Al Thani (since 25 June 2013)", "Tamim bin Hamad Al Thani", "Tamim"),
    ],
)
def test_a_leader_is_read_with_the_surname_that_capitals_mark(text: str, name: str, surname: str) -> None:
    leader = factbook._leader(text, "xx", "XX")
    assert leader is not None
    assert (leader[0].name, leader[1]) == (name, surname)


def test_an_office_without_a_holder_is_nobody() -> None:
    assert factbook._leader("President (vacant)", "ha", "HT") is None


def test_one_person_of_two_sources_is_one_row_with_the_names_of_both() -> None:
    rows = merged(
        [person("wikidata:Q1", "Sadyr Zhaparov", country="KG", source="wikidata")],
        [person("factbook:KG-x", "Sadyr Japarov", country="KG", weight=90, source="factbook")],
        same={},
    )
    assert rows == [
        person("wikidata:Q1", "Sadyr Zhaparov", "Sadyr Japarov", country="KG", weight=90, source="wikidata|factbook")
    ]


def test_namesakes_of_two_countries_and_short_names_that_differ_in_a_letter_stay_two() -> None:
    namesakes = [person("a:1", "Michael Martin", country="IE")], [person("b:1", "Michael Martin", country="GB")]
    assert len(merged(*namesakes, same={})) == 2
    chinese = [person("a:1", "Li Keqiang", country="CN")], [person("b:1", "Li Qiang", country="CN")]
    assert len(merged(*chinese, same={})) == 2


def test_who_we_say_is_the_same_person_is_merged() -> None:
    rows = merged([person("a:1", "Daniel Ortega", country="NI")], [person("b:1", "Jose Ortega")], same={"b:1": "a:1"})
    assert [(row.id, row.aliases) for row in rows] == [("a:1", ("Jose Ortega",))]


def test_a_surname_alone_is_given_to_the_well_known_where_it_is_nobody_elses() -> None:
    none: frozenset[str] = frozenset()
    macron = person("a:1", "Emmanuel Macron", country="FR", weight=90)
    assert with_surnames([macron], {}, none, none)[0].aliases == ("Macron",)
    assert with_surnames([macron], {}, frozenset({"macron"}), none)[0].aliases == ()
    assert with_surnames([macron, person("a:2", "Brigitte Macron", country="FR")], {}, none, none)[0].aliases == ()
    assert with_surnames([person("a:1", "Emmanuel Macron", weight=40)], {}, none, none)[0].aliases == ()
    assert with_surnames([person("a:1", "Li Qiang", country="CN", weight=90)], {}, none, none)[0].aliases == ()


def test_a_russian_name_loses_its_patronymic() -> None:
    assert offices._native("Свириденко Юлія Анатоліївна") == ["Юлія Свириденко"]
    assert offices._native("Абрамович, Роман Аркадьевич") == ["Роман Абрамович"]
    assert offices._native("高市早苗") == ["高市早苗"]


def test_the_dictionary_gives_phrases_of_its_lines_and_comments() -> None:
    text = "NATO_\n+NORTH_ATLANTIC_TREATY_ORGANIZATION_\t\n\t[IGOWSTNAT]# World Trade Organisation\n"
    assert {"nato", "north atlantic treaty organization", "world trade organisation"} <= set(phrases(text))


@pytest.mark.parametrize("name", ["BEY", "bei lu te", "Of", "Бәйрут", "Kirkuk (city)", "བེ་རུ་ཐེ།", "12 de Octubre"])
def test_codes_transcriptions_short_words_and_other_scripts_are_no_names_of_a_city(name: str) -> None:
    assert not cities._is_a_name(name, cities.SHORTEST, frozenset())


@pytest.mark.parametrize("name", ["Beyrouth", "بيروت", "ביירות", "Бейрут", "ベイルート", "贝鲁特", "베이루트"])
def test_names_in_the_scripts_of_news_are_names_of_a_city(name: str) -> None:
    assert cities._is_a_name(name, cities.SHORTEST, frozenset())


def test_a_name_that_folds_to_one_there_is_not_a_new_alias() -> None:
    row = with_aliases(person("a:1", "Qaani"), ["Qa'ani", "قاآنی", "قاآني"], source="b")
    assert (row.aliases, row.source) == (("قاآنی",), "a|b")
    assert with_aliases(row, ["QAANI"], source="c") is row
    assert distinct(["a|b", "a b", "\u200b", " c  d "]) == ("a b", "c d")
