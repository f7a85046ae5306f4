"""Stage clean: advertising lines, date lines, headings and titles of plain text."""

from __future__ import annotations

import html
from datetime import UTC, date, datetime
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.article import Article, Heading
from pipeline.enrich import text
from pipeline.enrich.clean import enrich
from pipeline.enrich.noise import is_noise
from pipeline.enrich.repeated import line_key
from pipeline.enrich.tools import Tools
from pipeline.ports import NoProfiles

PROSE = (
    "The council met on Monday to discuss the new bridge over the river, and it will decide about it next week. " * 2
)
DAY = date(2026, 3, 1)
SEED = Path(__file__).parents[1] / "data" / "seed-article.txt"


def cleaned(tools: Tools, body: str, **fields: object) -> Article:
    return enrich(msgspec.structs.replace(Article(id="a", text_from="file"), body=body, **fields), tools)


def heading_texts(article: Article) -> list[str]:
    for heading in article.headings:
        assert article.body[heading.offset :].startswith(heading.text)
    return [heading.text for heading in article.headings]


def test_the_seed_article(tools: Tools) -> None:
    found = cleaned(tools, SEED.read_text("utf-8"))
    assert found.published == datetime(2024, 3, 15, tzinfo=UTC)
    assert found.body.startswith("Amid the ongoing conflict in Gaza, Ismail qaani")
    assert "Advertisment" not in found.body
    assert heading_texts(found) == [
        "Fears of Escalation and Strategic Calculations",
        "Hezbollah's Stance and Regional Implications",
        "International Concerns and the Quest for Diplomacy",
    ]
    assert found.title == (
        "Amid the ongoing conflict in Gaza, Ismail qaani, the commander of the Iranian Quds Force, "
        "held a significant discussion…"
    )


@pytest.mark.parametrize(
    "line",
    [
        "Advertisment", "ADVERTISEMENT", "— Advertisement —", "Read more:", "READ ALSO", "Sign up for our newsletter",
        "Story continues below", "ANZEIGE", "Lesen Sie auch:", "Publicité", "À lire aussi :", "PUBLICIDAD",
        "Lea también:", "إعلان", "اقرأ أيضا:", "Реклама", "Читайте также:", "REKLAM", "İLAN", "DEVAMINI OKU",
        "Devamını oku", "* * *", "___",
    ],
)  # fmt: skip
def test_a_lone_advertising_line_goes(tools: Tools, line: str) -> None:
    found = cleaned(tools, f"{PROSE}\n\n{line}\n\n{PROSE}", title="T", text_from="feed")
    assert found.body == f"{PROSE.strip()}\n\n{PROSE.strip()}"


@pytest.mark.parametrize(
    "text",
    [
        "Advertisement revenue fell",
        "He bought an advertisement",
        "Read more about it in the report of the commission.",
        "first line\nAdvertisement\nlast line",
        "Read\nmore",
        "Реклама подорожала",
        "42",
        "€ 5",
    ],
)
def test_the_same_words_within_a_text_stay(text: str) -> None:
    assert not is_noise(text)


@pytest.mark.parametrize(
    "start", ["date 2024-03-15 ", "Date: 2024-03-15 - ", " DATUM 2024-03-15\n\n", "التاريخ: 2024-03-15 "]
)
def test_a_date_line_is_the_date_of_publication_and_leaves_the_text(tools: Tools, start: str) -> None:
    found = cleaned(tools, start + PROSE)
    assert found.published == datetime(2024, 3, 15, tzinfo=UTC)
    assert found.body == PROSE.strip()


def test_a_known_date_of_publication_stays(tools: Tools) -> None:
    known = datetime(2020, 1, 1, tzinfo=UTC)
    found = cleaned(tools, "date 2024-03-15 " + PROSE, published=known)
    assert (found.published, found.body) == (known, PROSE.strip())


@pytest.mark.parametrize(
    "start", ["date 2024-02-30 ", "Dates 2024-03-15 ", "update 2024-03-15 ", "date 2024-03-15T10:00 "]
)
def test_what_only_resembles_a_date_line_stays(tools: Tools, start: str) -> None:
    found = cleaned(tools, start + PROSE)
    assert found.published is None
    assert found.body.startswith(start.strip())


def test_an_impossible_date_is_flagged_and_not_taken(tools: Tools) -> None:
    seen = datetime(2026, 1, 1, tzinfo=UTC)
    for day, published in (("1901-05-05", None), ("2990-01-01", seen)):
        found = cleaned(tools, f"date {day} {PROSE}", first_seen=seen)
        assert (found.published, found.flags) == (published, ("published_clamped",))


@pytest.mark.parametrize(
    ("line", "is_heading"),
    [
        ("What the bridge costs", True),
        ("Цена моста", True),
        ("桥的费用", True),
        ("تكلفة الجسر", True),
        ("It will be built.", False),
        ("Is it needed?", False),
        ("The reasons:", False),
        ("- an item of a list", False),
        ("2024 results", False),
        ("and so on", False),
        ("A line of very many words that no editor would ever put over a paragraph of this text", False),
    ],
)
def test_a_lone_short_line_before_a_paragraph_of_a_file_is_a_heading(tools: Tools, line: str, is_heading: bool) -> None:
    found = cleaned(tools, f"{PROSE}\n\n{line}\n\n{PROSE}")
    assert heading_texts(found) == ([line] if is_heading else [])


def test_short_lines_in_a_row_and_at_the_end_are_no_headings(tools: Tools) -> None:
    assert heading_texts(cleaned(tools, f"{PROSE}\n\nApples\n\nPears\n\nPlums")) == []


def test_a_feed_s_text_gets_no_guessed_headings_and_no_guessed_title(tools: Tools) -> None:
    found = cleaned(tools, f"{PROSE}\n\nWhat it costs\n\n{PROSE}", text_from="feed")
    assert (found.headings, found.title) == ((), "")


def test_headings_stay_right_when_lines_before_them_go(tools: Tools) -> None:
    body = f"Advertisement\n\n{PROSE.strip()}\n\nWhat it costs\n\nAnzeige\n\n{PROSE.strip()}"
    headings = (Heading(body.index("What it"), "What it costs"),)
    assert heading_texts(cleaned(tools, body, headings=headings, text_from="page")) == ["What it costs"]


def test_a_heading_in_first_place_of_a_file_is_its_title(tools: Tools) -> None:
    found = cleaned(tools, f"A bridge for the town\n\n{PROSE}")
    assert (found.title, found.body) == ("A bridge for the town", PROSE.strip())


@pytest.mark.parametrize(
    ("body", "title"),
    [
        ("Short one. And more.", "Short one."),
        ("“Is it?” he asked. Yes.", "“Is it?”"),
        ("これは文です。次の文。", "これは文です。"),
        ("字" * 200, "字" * 120 + "…"),
        ("word " * 50, ("word " * 24).strip() + "…"),
        ("No end", "No end"),
    ],
)
def test_the_title_of_a_text_is_its_first_sentence(tools: Tools, body: str, title: str) -> None:
    found = cleaned(tools, body)
    assert found.title == title
    assert len(found.title) <= 121


def test_a_title_that_is_there_stays(tools: Tools) -> None:
    assert cleaned(tools, f"What it costs\n\n{PROSE}", title="Given").title == "Given"


@given(
    st.lists(
        st.sampled_from(["Advertisement", "Lone line", PROSE, "date 2024-03-15 x", "* * *"]) | st.text(max_size=30)
    ),
    st.sampled_from(["file", "feed", "page"]),
)
def test_headings_are_where_they_say_after_any_edit(tools: Tools, parts: list[str], text_from: str) -> None:
    found = cleaned(tools, "\n\n".join(parts), text_from=text_from)
    heading_texts(found)
    again = enrich(found, tools)
    assert (again.body, again.title) == (found.body, found.title)


def test_a_dateline_moves_to_its_field(tools: Tools) -> None:
    found = cleaned(tools, f"BEIRUT, March 15 (Reuters) - {PROSE}", text_from="page")
    assert (found.dateline, found.body) == ("BEIRUT, March 15 (Reuters)", PROSE.strip())


def test_a_dateline_behind_a_date_line_and_above_its_text_moves_too(tools: Tools) -> None:
    found = cleaned(tools, f"Advertisement\n\ndate 2024-03-15\n\nPARIS (AFP) - Anzeige\n\n{PROSE}", text_from="feed")
    assert (found.dateline, found.body) == ("PARIS (AFP)", PROSE.strip())
    assert found.published == datetime(2024, 3, 15, tzinfo=UTC)


def test_the_dateline_that_an_article_has_stays_and_leaves_a_text_that_has_it_again(tools: Tools) -> None:
    known = {"dateline": "PARIS (AFP)", "text_from": "feed"}
    assert cleaned(tools, PROSE, **known).dateline == "PARIS (AFP)"
    assert cleaned(tools, f"PARIS (AFP) - {PROSE}", **known).body == PROSE.strip()
    other = cleaned(tools, f"ROME (ANSA) - {PROSE}", **known)
    assert (other.dateline, other.body) == ("PARIS (AFP)", f"ROME (ANSA) - {PROSE.strip()}")


def test_a_text_of_nothing_but_datelines_and_dates_stays(tools: Tools) -> None:
    for start in ("PARIS (AFP) - ", "date 2024-03-15 "):
        body = (start * 100).strip()
        assert cleaned(tools, body, text_from="feed").body == body


class Known(NoProfiles):
    """Profiles that know one line of one outlet."""

    def repeated_lines(self, outlet: str) -> frozenset[int]:
        return (
            frozenset({line_key("Our Standards: the principles of 2024")}) if outlet == "The Example" else frozenset()
        )


def test_lines_that_the_outlet_s_pages_repeat_go_from_a_page_s_text_alone(tools: Tools) -> None:
    knowing = Tools(pages=tools.pages, languages=tools.languages, profiles=Known())
    body = f"{PROSE.strip()}\n\nOur standards: the principles of 2024"
    for outlet, text_from, is_left in (
        ("The Example", "page", False),
        ("Another", "page", True),
        ("The Example", "feed", True),
    ):
        found = cleaned(knowing, body, title="T", outlet=outlet, text_from=text_from)
        assert ("Our standards" in found.body) == is_left


def test_headings_that_nothing_follows_go_from_a_page_s_text(tools: Tools) -> None:
    body = f"{PROSE.strip()}\n\nMore from The Example\n\nSubscribe to our newsletter"
    headings = (Heading(body.index("More from"), "More from The Example"),)
    assert cleaned(tools, body, headings=headings, text_from="page").body == PROSE.strip()
    assert "More from" in cleaned(tools, body, headings=headings, text_from="feed").body
    assert cleaned(tools, "Alone", headings=(Heading(0, "Alone"),), text_from="page").body == "Alone"


def test_a_broken_encoding_is_repaired_before_anything_is_read(tools: Tools) -> None:
    found = cleaned(tools, f"PublicitÃ©\n\nL'Ã©tÃ© et {PROSE}", text_from="feed")
    assert found.body == f"L'été et {PROSE.strip()}"
    assert found.flags == ("encoding_repaired",)


PIECES = st.sampled_from(
    [
        "BEIRUT (Reuters) - ",
        "PARIS — ",
        "ROME: in Rome ",
        "date 2024-03-15 ",
        "Advertisement",
        "（新加坡讯）",
        "Ã©",
        "\n\n",
        PROSE,
        "* * *",
    ]
) | st.text(max_size=20)


@given(st.lists(PIECES, max_size=8), st.sampled_from(["file", "feed", "page"]), st.booleans())
def test_cleaning_twice_changes_nothing_more(
    tools: Tools, pieces: list[str], text_from: str, has_heading: bool
) -> None:
    body = "".join(pieces)
    headings = (Heading(0, body.split("\n")[0]),) if has_heading else ()
    once = cleaned(tools, body, text_from=text_from, headings=headings)
    assert enrich(once, tools) == once


@settings(max_examples=60, deadline=None)
@given(st.lists(PIECES, max_size=6), st.booleans(), st.sampled_from(["f", ""]))
def test_both_stages_over_their_own_result_change_nothing(
    tools: Tools, pieces: list[str], has_page: bool, feed: str
) -> None:
    markup = "".join(f"<p>{html.escape(piece)}</p>" for piece in pieces)
    page = tools.pages.put(f"<html><body><article>{markup}<p>{PROSE}</p></article></body></html>".encode(), DAY)
    raw = Article(id="a", html=markup, page=page if has_page else "", feed=feed, text_from="feed" if feed else "file")
    once = enrich(text.enrich(raw, tools), tools)
    assert enrich(text.enrich(once, tools), tools) == once


def test_what_follows_a_title_may_start_with_a_dateline(tools: Tools) -> None:
    found = cleaned(tools, f"A bridge for the town\n\nPARIS (AFP) - {PROSE}")
    assert (found.title, found.dateline, found.body) == ("A bridge for the town", "PARIS (AFP)", PROSE.strip())


def test_a_feed_s_text_is_judged_once(tools: Tools) -> None:
    raw = Article(id="a", feed="f", html=f"<p>Advertisement</p><p>{PROSE}</p><p>Read more</p>")
    once = enrich(text.enrich(raw, tools), tools)
    assert text.enrich(once, tools).text_confidence == once.text_confidence > 0
