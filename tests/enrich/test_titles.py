"""Titles lose the site's name where something says that it is one, and nothing else."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.enrich.titles import site_keys, without_site

TITLE = "Council agrees on a new bridge"


@pytest.mark.parametrize("separator", [" | ", " - ", " – ", " — ", " · ", " • ", " :: ", " » ", "|", " / "])
@pytest.mark.parametrize("name", ["The Example", "Example", "EXAMPLE", "Example News", "example.com"])
def test_a_site_s_name_at_the_end_goes(separator: str, name: str) -> None:
    assert without_site(f"{TITLE}{separator}{name}", site_keys(["The Example"])) == TITLE


@pytest.mark.parametrize("title", [f"The Example: {TITLE}", f"Example | {TITLE}", f"The Example - {TITLE} - Example"])
def test_a_site_s_name_at_the_beginning_goes(title: str) -> None:
    assert without_site(title, site_keys(["The Example"])) == TITLE


def test_a_host_is_a_name_too() -> None:
    assert without_site(f"{TITLE} - The Daily Example", site_keys(["www.thedailyexample.co.uk"])) == TITLE
    assert without_site(f"{TITLE} - News", site_keys(["news.example.com"])) == f"{TITLE} - News"


@pytest.mark.parametrize(
    "title",
    [f"{TITLE} | Local | The Example", f"{TITLE} | The Example | by Jane Doe", f"{TITLE} – Jane Doe – Local – Example"],
)
def test_a_section_or_an_author_goes_with_the_name(title: str) -> None:
    assert without_site(title, site_keys(["The Example"]), besides=("Local", "Jane Doe")) == TITLE


@pytest.mark.parametrize(
    "title",
    [
        f"{TITLE} - and the mayor agrees",
        f"{TITLE} - Local",  # a section without a name
        f"{TITLE} - The Example of Rome",
        "Bridge opens - Example",  # what is left would be too short for a title
        "Example: a bridge",
        "Why the Example - and others - failed",
        "Re-opening of half-built bridges",
    ],
)
def test_without_evidence_nothing_goes(title: str) -> None:
    assert without_site(title, site_keys(["The Example"]), besides=("Local",)) == title


def test_the_title_as_the_page_shows_it_is_evidence() -> None:
    whole = f"{TITLE} | Some Column | Site"
    assert without_site(whole, frozenset(), shown=(whole, TITLE.upper())) == TITLE
    assert without_site(whole, frozenset(), shown=("Another title",)) == whole


@pytest.mark.parametrize(
    ("title", "site", "expected"),
    [
        ("英国财长被解职引发市场动荡_新华网", "新华网", "英国财长被解职引发市场动荡"),
        ("英国财长被解职引发市场动荡-新华网", "新华网", "英国财长被解职引发市场动荡"),
        ("首相が新しい橋の計画を発表した｜例新聞", "例新聞", "首相が新しい橋の計画を発表した"),
        ("الحكومة تعلن عن جسر جديد فوق النهر | المثال", "المثال", "الحكومة تعلن عن جسر جديد فوق النهر"),
        ("Правительство объявило о мосте — Пример", "Пример", "Правительство объявило о мосте"),
        ("सरकार ने नए पुल की घोषणा की - उदाहरण", "उदाहरण", "सरकार ने नए पुल की घोषणा की"),
        ("BREXIT: İstanbul'da yeni köprü - Örnek", "örnek", "BREXIT: İstanbul'da yeni köprü"),
    ],
)
def test_all_scripts_have_sites(title: str, site: str, expected: str) -> None:
    assert without_site(title, site_keys([site])) == expected


def test_a_title_as_long_as_can_be_is_left_alone() -> None:
    for length in (1_000, 300_000):
        title = "t" * (length - 10) + " | Example"
        assert without_site(title, site_keys(["Example"])) == title
    assert without_site(" | " * 300 + TITLE, site_keys(["Example"])).endswith(TITLE)


PIECES = st.lists(
    st.sampled_from([" | ", " - ", ": ", "|", "_", "Example", "Local", "a", "新华网", "long enough words"])
)


@settings(max_examples=300, deadline=None)
@given(PIECES.map("".join) | st.text(max_size=80), st.lists(st.text(max_size=30), max_size=3))
def test_the_result_of_a_result_is_itself(title: str, shown: list[str]) -> None:
    sites = site_keys(["The Example", "新华网"])
    found = without_site(title, sites, shown=shown, besides=("Local",))
    assert without_site(found, sites, shown=shown, besides=("Local",)) == found
    assert len(found) <= len(title) * 3
