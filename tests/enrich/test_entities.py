"""Stage entities: who and what an article names, joined and told apart, with places for the map."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from named import ROWS, TOOLS, entities_of, names_of, people, places, small_tools

from pipeline.article import Article, Entity
from pipeline.enrich.bounds import bounded
from pipeline.enrich.entities import enrich
from pipeline.enrich.gazetteer import Gazetteer
from pipeline.enrich.gazetteer_files import Row
from pipeline.enrich.tools import Tools
from pipeline.ingest.memory_pages import MemoryPages
from pipeline.text.characters import one_line

SEED = Path(__file__).parents[1] / "data" / "seed-article.txt"


def main_place(body: str, **fields: str) -> str:
    return enrich(Article(id="a", body=body, language="en", **fields), TOOLS).main_place  # type: ignore[arg-type]


def only(entities: tuple[Entity, ...], name: str) -> Entity:
    (found,) = [entity for entity in entities if entity.name == name]
    return found


def test_the_seed_article_resolves(tools: Tools) -> None:
    article = enrich(Article(id="a", body=SEED.read_text(), language="en"), tools)
    named = {entity.name: entity for entity in article.entities}
    for name in ("Hassan Nasrallah", "Yoav Gallant", "Hezbollah", "Hamas", "Quds Force", "Israel", "Lebanon"):
        assert named[name].id, name
    qaani = named["Esmail Qaani"]
    assert (qaani.kind, qaani.aliases, len(qaani.in_body)) == ("person", ("Ismail qaani", "qaani"), 3)
    beirut = named["Beirut"]
    assert beirut.latitude == pytest.approx(33.9, abs=0.1)
    assert beirut.longitude == pytest.approx(35.5, abs=0.1)
    assert [entity.name for entity in article.entities if not entity.id] == ["Middle East"]


def test_a_surname_or_given_name_alone_joins_the_full_name() -> None:
    body = "Minister Oda Kvist came. Then Kvist spoke, and Oda left with Ms Kvist's brother."
    assert people(body) == ["Oda Kvist=Kvist=Oda"]
    assert len(entities_of(body)[0].in_body) == 4


def test_a_title_names_whom_the_body_names_in_full() -> None:
    (kvist,) = entities_of("It was Oda Kvist, 41, they said.", title="Kvist Says No To Everything")
    assert (kvist.in_title, kvist.in_body) == (((0, 5),), ((7, 16),))


def test_a_name_written_small_counts_where_its_full_name_stands() -> None:
    body = "The general Ismail qaani spoke. Later qaani left."
    assert people(body) == ["Esmail Qaani=Ismail qaani=qaani"]
    assert people("Ismail Qaani spoke of a dish that they call qaani.") == ["Esmail Qaani=Ismail Qaani"]
    assert people("They call it qaani here. The jackson, the paris and the hamas.") == []


def test_what_a_user_lists_is_found_in_any_case() -> None:
    tools = small_tools((Row(id="own:acme", kind="organisation", name="acme"),))
    found = enrich(Article(id="a", body="Shares of acme rose; ACME said so.", language="en"), tools).entities
    assert [(entity.id, entity.aliases) for entity in found] == [("own:acme", ("ACME",))]


def test_listed_names_bring_id_type_country_and_coordinates() -> None:
    (paris,) = entities_of("They met in Paris.")
    assert (paris.id, paris.type, paris.country, paris.latitude) == ("c:paris", "city", "FR", 48.85)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("The fair in Paris, Texas, was small.", ["c:paris-tx", "s:tx"]),
        ("The fair in Paris, France, was small.", ["c:paris", "l:fr"]),
        ("In Texas they say that the fair in Paris is small.", ["s:tx", "c:paris-tx"]),
        ("Voters in Georgia and in Atlanta", ["s:ga", "c:atlanta"]),
        ("Voters in Georgia and in Tbilisi", ["l:ge", "c:tbilisi"]),
        ("A nice day in Nice, on the French coast", ["c:nice"]),
        ("It was Nice, he said", []),
    ],
)
def test_a_place_is_chosen_by_what_stands_around_it(body: str, expected: list[str]) -> None:
    assert [entity.id for entity in sorted(entities_of(body), key=lambda entity: entity.in_body)] == expected


def test_a_place_that_people_are_called_is_a_place_only_where_somebody_could_be() -> None:
    assert people("The singer Janet Jackson sang, and Jackson bowed.") == ["Janet Jackson=Jackson"]
    assert places("The singer Janet Jackson sang, and Jackson bowed.") == []
    assert places("The singer Oda Beirut sang, and Beirut bowed.") == []
    assert places("The trial in Jackson went on.") == ["Jackson"]
    assert names_of("They saw Paris Hilton and Michael Jordan in Jordan.") == {
        "person": ["Paris Hilton", "Michael Jordan"],
        "organisation": [],
        "place": ["Jordan"],
    }


@pytest.mark.parametrize(
    ("body", "kind", "expected"),
    [
        ("It was the drugmaker Oda Kvist that sold it.", "organisation", ["Oda Kvist"]),
        ("Then Grubsk striker Oda Kvist scored.", "organisation", ["Grubsk"]),
        ("They saw the Grubskers (14-16, 8-9) win.", "organisation", ["Grubskers"]),
        ("They saw how Grubsk 2-1 went down.", "organisation", ["Grubsk"]),
        ("It happened in the village of Grubsk.", "place", ["Grubsk"]),
        ("The Grain Reduction Act (GRA) passed. They praise the GRA.", "organisation", []),
        ("A rang undang-undang (RUX) came. They praise RUX.", "organisation", []),
        ("The health ministry (MOX) spoke. They praise MOX.", "organisation", ["MOX"]),
        ("They met the Food and Rail Administration.", "organisation", ["Food and Rail Administration"]),
        ("They said that Grain Secretary Oda Kvist and Grain Secretary Ada Lunt met.", "organisation", []),
        ("It was called “The House of Hidden Meanings.”", "organisation", []),
        ("They saw Choi Sang-mok and a snow-clad team.", "person", ["Choi Sang-mok"]),
        ("The president saw Henry VIII.", "person", ["Henry VIII"]),
        ("They saw Oda Kvist‘s hat.", "person", ["Oda Kvist"]),
        ("It is about F-793 and F-793 again.", "organisation", []),
        ("The Channel froze; they crossed the Channel.", "organisation", []),
    ],
)
def test_what_stands_beside_or_within_a_name_says_what_it_is(body: str, kind: str, expected: list[str]) -> None:
    assert names_of(body)[kind] == expected


def test_a_city_that_plays_is_a_team_but_where_somebody_is_in_it() -> None:
    named = names_of("Then Jackson goalkeeper Oda Kvist fell, and Jackson lost. It rained in Jackson.")
    assert (named["organisation"], named["place"]) == (["Jackson"], ["Jackson"])


def test_two_countries_in_two_chinese_letters_are_two_places(tools: Tools) -> None:
    found = enrich(Article(id="a", body="访美期间，中美关系改善，美方表示欢迎。", language="zh"), tools).entities
    assert [(entity.name, len(entity.in_body)) for entity in found] == [("United States", 3), ("China", 1)]


def test_who_is_named_most_often_comes_first() -> None:
    found = entities_of("In France, Oda Kvist met Kvist of France. In France it rains.")
    assert [entity.name for entity in found] == ["France", "Oda Kvist"]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"body": "Rain fell in Beirut. France said so.", "dateline": "PARIS (Reuters)"}, "c:paris"),
        ({"body": "Rain fell.", "title": "Storm over Beirut", "dateline": "PARIS (Reuters)"}, "c:beirut"),
        ({"body": "Lebanon and Beirut wait. Lebanon hopes. Paris is far."}, "c:beirut"),
        ({"body": "Lebanon waits, and Lebanon hopes. " + "It rains. " * 40 + "They say so in Beirut too."}, "l:lb"),
        ({"body": "Nothing is known of Grubsk."}, ""),
    ],
)
def test_the_main_place_is_the_datelines_unless_the_title_names_another(fields: dict[str, str], expected: str) -> None:
    assert main_place(**fields) == expected


HOSTILE = st.text(
    st.sampled_from("Paris Oda Kvist.,:;()\n\n'’-–&·•“” of the Ministry (SPA) U.S. 总统特拉斯说（28岁）大学 قاآنی ")
    | st.characters(exclude_categories=("Cs",)),
    max_size=200,
)


@settings(max_examples=200, deadline=None)
@given(title=HOSTILE, body=HOSTILE, language=st.sampled_from(["en", "zh", "ms", "de", "ar", "und"]))
def test_every_name_stands_where_it_is_said_to_and_a_second_run_changes_nothing(
    title: str, body: str, language: str
) -> None:
    once = enrich(Article(id="a", title=title, body=body, language=language), TOOLS)
    assert enrich(once, TOOLS) == once
    assert enrich(msgspec.structs.replace(once, entities=(), main_place=""), TOOLS) == once
    assert bounded(once) == once
    spans = sorted(span for entity in once.entities for span in entity.in_body)
    assert all(end <= start for (_, end), (start, _) in pairwise(spans))
    for entity in once.entities:
        forms = {entity.name, *entity.aliases}
        assert {one_line(body[start:end]) for start, end in entity.in_body} <= forms or len(entity.aliases) == 10
    known = {row.id for row in ROWS}
    assert {entity.id for entity in once.entities} <= known | {""}


@pytest.mark.parametrize(
    "unit",
    ["A", "A ", "A.", "A-", "A'", "Aa of ", "Aa and ", "Ministry of ", "Mr ", "\n", "A\n", "(A) ", "·", "阿·", "阿",
     "大学", "Paris, ", "qaani ", "张三（28岁）", "\u202eA ", "😀", "A\u0301", "The ", "Jr., ", "Aa Bb. "],
)  # fmt: skip
def test_a_text_as_long_as_may_be_is_read_to_its_end(unit: str) -> None:
    body = unit * (400_000 // len(unit))
    article = bounded(enrich(Article(id="a", title=unit * 300, body=body), TOOLS))
    assert len(article.entities) <= 300


def test_the_place_of_a_dateline_is_among_the_places_with_where_it_lies() -> None:
    (paris,) = entities_of("Rain fell.", dateline="PARIS (Reuters)")
    assert (paris.id, paris.in_body, paris.in_dateline, paris.latitude) == ("c:paris", (), ((0, 5),), 48.85)
    (paris,) = entities_of("Rain fell in Paris.", dateline="PARIS (Reuters)")
    assert (paris.in_body, paris.in_dateline) == (((13, 18),), ((0, 5),))
    assert entities_of("Rain fell.", dateline="FLOODHAVEN (Reuters)") == ()


def test_a_place_that_is_not_the_one_we_know_has_a_name_and_no_more() -> None:
    assert [(each.name, each.id) for each in entities_of("They met in Atlanta, Lebanon, on Monday.")] == [
        ("Atlanta", ""), ("Lebanon", "l:lb"),
    ]  # fmt: skip
    assert entities_of("Rain fell.", dateline="ATLANTA, Lebanon (AP)") == ()
    assert entities_of("Rain fell.", dateline="ATLANTA, Idaho (AP)") == ()
    assert [each.id for each in entities_of("Rain fell.", dateline="ATLANTA, March 3 (AP)")] == ["c:atlanta"]


def test_a_small_town_needs_its_country() -> None:
    town = Row(id="c:toki", kind="place", type="city", name="Tokiville", country="JP", weight=60_000)
    japan = Row(id="l:jp", kind="place", type="country", name="Japan", country="JP")
    tools = Tools(pages=MemoryPages(), languages=None, agencies=None, _loaded={"gazetteer": Gazetteer((town, japan))})
    for body, is_known in (("They saw Tokiville there.", False), ("In Japan, Tokiville is known.", True)):
        found = enrich(Article(id="a", body=body, language="en"), tools).entities
        assert ("c:toki" in {entity.id for entity in found}) is is_known
        assert "Tokiville" in {entity.name for entity in found}


def test_whose_secretary_general_somebody_is_stays_named() -> None:
    for office in ("Secretary-General", "Secretary General"):
        assert names_of(f"They met with Hamas {office} Oda Kvist.")["organisation"] == ["Hamas"]


def test_of_a_state_in_a_dateline_only_what_is_known_to_lie_there_is_taken() -> None:
    texas = Row(id="s:tx", kind="place", type="state", name="Texas", country="US")

    def main_place_of(**more: object) -> str:
        paris = Row(id="c:paris", kind="place", type="city", name="Paris", country="US", **more)  # type: ignore[arg-type]
        gazetteer = Gazetteer((texas, paris))
        tools = Tools(pages=MemoryPages(), languages=None, agencies=None, _loaded={"gazetteer": gazetteer})
        return enrich(Article(id="a", body="Rain fell.", dateline="PARIS, Texas (AP)"), tools).main_place

    assert main_place_of(weight=25_000) == ""  # it may be the one of Maine
    assert main_place_of(weight=25_000, context=("Texas",)) == "c:paris"
    assert main_place_of(weight=2_000_000) == "c:paris"
