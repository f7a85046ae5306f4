"""Stage origin: the news agency or outlet that an article says it is from, and what says so."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.article import Article
from pipeline.enrich.agencies import load_agencies
from pipeline.enrich.origin import enrich, registered
from pipeline.enrich.tools import Tools

STORY = "The lower house passed the bill on Monday after a long debate about its costs."


def origin(tools: Tools, body: str = STORY, **fields: object) -> tuple[str, str]:
    article = enrich(msgspec.convert({"id": "a", "body": body, **fields}, Article), tools)
    return article.origin, article.origin_by


@pytest.mark.parametrize(
    ("dateline", "name"),
    [
        ("WASHINGTON (AP) — ", "Associated Press"),
        ("CHARLESTON, Ill. (AP) -- ", "Associated Press"),
        ("NEW YORK, March 4 (Reuters) - ", "Reuters"),
        ("(Reuters) - ", "Reuters"),
        ("KUALA LUMPUR, 20 Sept (Bernama) -- ", "Bernama"),
        ("BEIJING, March 5 (Xinhua) -- ", "Xinhua"),
        ("Berlin (dpa) - ", "dpa"),
        ("Paris (AFP) – ", "Agence France-Presse"),
        ("Madrid, 5 mar (EFE).- ", "EFE"),
        ("(ANSA) - ROMA, 05 MAR - ", "ANSA"),
        ("ANKARA (AA) - ", "Anadolu"),
        ("МОСКВА, 5 марта — РИА Новости. ", "RIA Novosti"),
        ("МОСКВА, 5 марта. /ТАСС/. ", "TASS"),
        ("القاهرة (رويترز) - ", "Reuters"),
        ("رام الله/ قيس أبو سمرة/ الأناضول - ", "Anadolu"),
        ("新华社北京3月5日电 ", "Xinhua"),
        ("新华社北京3月5日电（记者张三）", "Xinhua"),
        ("中新社北京3月5日电 ", "China News Service"),
        ("（法新社巴黎电）", "Agence France-Presse"),
        ("（路透社华盛顿5日讯）", "Reuters"),
        ("【ワシントン共同】", "Kyodo News"),
        ("(서울=연합뉴스) 홍길동 기자 = ", "Yonhap"),
        ("Jakarta (ANTARA) - ", "Antara"),
        ("Москва. 5 марта. INTERFAX.RU - ", "Interfax"),
        ("JERUSALEM (AFP/Reuters) - ", "Agence France-Presse"),
    ],
)
def test_a_dateline_names_the_agency(tools: Tools, dateline: str, name: str) -> None:
    assert origin(tools, dateline + STORY) == (name, "dateline")


@pytest.mark.parametrize(
    ("dateline", "outlet", "name"),
    [
        ("Warta.com, JAKARTA — ", "", "Warta.com"),
        ("WARTA.CO.ID, Jakarta - ", "", "WARTA.CO.ID"),
        ("JAKARTA, WARTA.com - ", "", "WARTA.com"),
        ("（晨报讯）", "星城晨报", "星城晨报"),
        ("（观星网讯）", "", "观星网"),
        ("（本报讯）", "星城晨报", "星城晨报"),
        ("LONDON (The Morning Post) — ", "The Morning Post", "The Morning Post"),
    ],
)
def test_an_outlet_that_names_itself_in_its_dateline_is_the_origin(
    tools: Tools, dateline: str, outlet: str, name: str
) -> None:
    assert origin(tools, dateline + STORY, outlet=outlet) == (name, "dateline")


@pytest.mark.parametrize(
    "dateline",
    [
        "SINGAPORE: ",
        "BANGKOK - ",
        "IZIUM, Ukraine - ",
        "Kyiv (Ukraine) — ",
        "（吉隆坡21日讯）",
        "（综合讯）",
        "波多黎各圣胡安——",
    ],
)
def test_a_dateline_of_a_place_alone_names_nobody(tools: Tools, dateline: str) -> None:
    assert origin(tools, dateline + STORY) == ("", "")


def test_a_dateline_that_was_taken_from_the_body_is_read_too(tools: Tools) -> None:
    assert origin(tools, dateline="BEIRUT, March 15 (Reuters)") == ("Reuters", "dateline")


@pytest.mark.parametrize(
    ("authors", "name"),
    [
        (("Reuters",), "Reuters"),
        (("By The Associated Press",), "Associated Press"),
        (("Jane Jones, Associated Press",), "Associated Press"),
        (("Jane Jones and Juan Paz | AP",), "Associated Press"),
        (("Jane Jones", "AFP"), "Agence France-Presse"),
        (("Reuters Staff",), "Reuters"),
        (("PTI",), "Press Trust of India"),
    ],
)
def test_a_byline_names_the_agency(tools: Tools, authors: tuple[str, ...], name: str) -> None:
    assert origin(tools, authors=authors) == (name, "byline")


def test_a_byline_can_be_a_line_of_the_text_or_the_outlet_itself(tools: Tools) -> None:
    assert origin(tools, f"By Jane Jones, Associated Press\n\n{STORY}") == ("Associated Press", "byline")
    assert origin(tools, authors=("Morning Post",), outlet="Morning Post") == ("Morning Post", "byline")
    assert origin(tools, tags=("politics", "AFP")) == ("Agence France-Presse", "byline")


@pytest.mark.parametrize("authors", [("Jane Jones",), ("Ap Smith",), ("Tt",), ("Reuters Smith",)])
def test_a_person_is_no_agency(tools: Tools, authors: tuple[str, ...]) -> None:
    assert origin(tools, authors=authors) == ("", "")


@pytest.mark.parametrize(
    ("credit", "name"),
    [
        ("--BERNAMA", "Bernama"),
        ("(AFP)", "Agence France-Presse"),
        ("© 2024 AFP", "Agence France-Presse"),
        ("© Agence France-Presse", "Agence France-Presse"),
        ("Copyright 2024 The Associated Press. All rights reserved.", "Associated Press"),
        ("Source: Reuters", "Reuters"),
        ("Sumber: Antara", "Antara"),
        ("来源：新华社", "Xinhua"),
        ("[Reporting by Jane Jones in London; Editing by Juan Paz (Reuters)]", "Reuters"),
        ("This story was originally published by The Morning Post.", "The Morning Post"),
        ("This article first appeared in the Morning Post and is reprinted here.", "Morning Post"),
        ("AP/Reuters", "Associated Press"),
    ],
)
def test_a_credit_line_names_the_agency(tools: Tools, credit: str, name: str) -> None:
    assert origin(tools, f"{STORY}\n\n{STORY}\n\n{credit}") == (name, "credit")


@pytest.mark.parametrize(
    ("ending", "name"),
    [
        (" – AFP", "Agence France-Presse"),
        (" — Reuters", "Reuters"),
        (" REUTERS", "Reuters"),
        (" AFP, REUTERS", "Agence France-Presse"),
        (" (AP)", "Associated Press"),
        (" -- BERNAMA", "Bernama"),
        ("（法新社）", "Agence France-Presse"),
    ],
)
def test_the_last_words_of_a_text_can_be_its_credit(tools: Tools, ending: str, name: str) -> None:
    assert origin(tools, STORY + ending) == (name, "credit")


@pytest.mark.parametrize(
    "body",
    [
        f"{STORY} The minister told Reuters that it was good.",
        f"{STORY} According to AFP figures, it costs a million.",
        f"{STORY} These numbers were calculated by Reuters.",
        f"{STORY} The firm did not respond to a Reuters request for comment.",
        f"Reuters - the agency - said on Monday that it would hire.\n\n{STORY}",
        f"{STORY}\n\nReuters and AFP are agencies that send their texts to newspapers.",
        f"{STORY}\n\n(Photo: Jane Jones/AFP)\n\n{STORY}",
        f"{STORY} 他对路透社说，法案很好。",
        "AP classes are hard, said the teacher. AP exams are harder.",
    ],
)
def test_an_agency_that_is_only_mentioned_is_no_origin(tools: Tools, body: str) -> None:
    assert origin(tools, body) == ("", "")


def test_the_canonical_address_names_whose_copy_it_is(tools: Tools) -> None:
    url = "https://www.post.example/1"
    assert origin(tools, url=url, canonical_url="https://www.reuters.com/world/1") == ("Reuters", "canonical")
    assert origin(tools, url=url, canonical_url="https://tribune.example.org/1") == ("example.org", "canonical")


@pytest.mark.parametrize(
    ("url", "canonical_url"),
    [
        ("https://post.co.uk/1", "https://www.post.com/1"),
        ("https://m.post.com/1", "https://www.post.com/1"),
        ("https://post.com/1", ""),
        ("", "https://post.com/1"),
        ("https://post.com/1", "nonsense"),
    ],
)
def test_an_outlets_own_other_address_is_no_origin(tools: Tools, url: str, canonical_url: str) -> None:
    assert origin(tools, url=url, canonical_url=canonical_url) == ("", "")


def test_a_report_that_the_text_retells_is_its_origin(tools: Tools) -> None:
    assert origin(tools, "一名男子被判监两个月。 《星城晨报》报道，法官同意控方的立场。") == ("星城晨报", "attribution")
    assert origin(tools, f"{STORY} As the Morning Post reported, it was costly.") == ("", "")


def test_the_strongest_evidence_decides(tools: Tools) -> None:
    body = f"PARIS (AFP) — {STORY}\n\nSource: Reuters"
    assert origin(tools, body, authors=("AP",)) == ("Agence France-Presse", "dateline")


def test_a_known_origin_stays_when_what_said_it_is_gone(tools: Tools) -> None:
    first = enrich(Article(id="a", body=f"{STORY}\n\n(AFP)\n\n© 2024 Reuters"), tools)
    again = enrich(msgspec.structs.replace(first, body=f"{STORY}\n\n(AFP)"), tools)
    assert (again.origin, again.origin_by) == (first.origin, first.origin_by) == ("Reuters", "credit")
    assert enrich(msgspec.structs.replace(first, body=STORY), tools).origin == "Reuters"


def test_a_host_is_registered_under_its_last_labels() -> None:
    assert [registered(host) for host in ("a.b.com", "a.b.co.uk", "b.com", "uk")] == ["b.com", "b.co.uk", "b.com", "uk"]


def test_every_row_of_the_list_says_where_it_was_read(tools: Tools) -> None:
    rows = (Path(__file__).parents[2] / "config" / "agencies.csv").read_text().splitlines()
    assert rows[0] == "name,aliases,domains,source"
    assert all("https://" in row.rpartition(",")[2] or "http://" in row.rpartition(",")[2] for row in rows[1:])
    assert load_agencies().by_alias == tools.agencies.by_alias


PIECES = (
    "(", ")", "AP", "AFP", "Reuters", " - ", "—", "/", "[", "]", "（", "）", "讯", "电", "新华社", "《", "》报道，",
    "\n\n", "© ", "By ", ".com", ", ", ". ", "A", "a ", "2024 ", "published by ", "this story ", "source: ", "😀",
    "\u202e",
)  # fmt: skip


@given(st.lists(st.sampled_from(PIECES), max_size=40), st.lists(st.text(max_size=20), max_size=3))
@settings(max_examples=200, deadline=None)
def test_any_text_has_an_origin_with_evidence_or_none(tools: Tools, pieces: list[str], authors: list[str]) -> None:
    article = enrich(Article(id="a", body="".join(pieces), authors=tuple(authors)), tools)
    assert bool(article.origin) == bool(article.origin_by)
    assert enrich(article, tools) is article


@pytest.mark.parametrize(
    "text", ["(" * 500_000, "a" * 500_000, "\n" * 500_000, "(AP) " * 100_000, "- " * 300_000, "《" * 300_000]
)
def test_a_hostile_text_is_looked_at_only_at_its_ends(tools: Tools, text: str) -> None:
    assert enrich(Article(id="a", body=text), tools).id == "a"
