"""Stage language: what the text is in, with the feed's claim as a hint."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from language_texts import TEXTS

from pipeline.article import Article
from pipeline.enrich.language import enrich
from pipeline.enrich.tools import Tools


@pytest.mark.parametrize("language", TEXTS)
def test_the_text_decides(tools: Tools, language: str) -> None:
    assert enrich(Article(id="a", body=TEXTS[language]), tools).language == language


@pytest.mark.parametrize("language", TEXTS)
def test_a_wrong_claim_does_not_win_over_a_paragraph(tools: Tools, language: str) -> None:
    claim = "fr-FR" if language == "en" else "en-US"
    assert enrich(Article(id="a", body=TEXTS[language], language=claim), tools).language == language


@pytest.mark.parametrize(
    ("title", "claim", "expected"),
    [
        ("Ok", "en-GB", "en"),
        ("Ok", "DE_at", "de"),
        ("Ok", "ru", "ru"),
        ("12:30 – 14:00, 3.5 %", "fr", "fr"),
        ("https://example.org/the/long/address/of/an/english/page", "tr", "tr"),
        ("", "nonsense!", "und"),
    ],
)
def test_where_there_is_too_little_text_the_claim_stands(tools: Tools, title: str, claim: str, expected: str) -> None:
    assert enrich(Article(id="a", title=title, language=claim), tools).language == expected


def test_without_text_and_claim_it_is_undetermined_and_flagged(tools: Tools) -> None:
    found = enrich(Article(id="a", title="Covid-19"), tools)
    assert (found.language, found.flags) == ("und", ("language_unsure",))


def test_a_claim_chooses_between_neighbours(tools: Tools) -> None:
    headline = "Presiden mengumumkan kebijakan baru"  # alone: 0.54 Indonesian, 0.46 Malay
    assert enrich(Article(id="a", title=headline), tools).language == "id"
    assert enrich(Article(id="a", title=headline, language="ms"), tools).language == "ms"


def test_a_claim_does_not_win_over_a_clear_headline(tools: Tools) -> None:
    headline = "Le gouvernement annonce une réforme"
    assert enrich(Article(id="a", title=headline, language="en-US"), tools).language == "fr"


def test_a_character_of_chinese_says_more_than_a_letter(tools: Tools) -> None:
    assert enrich(Article(id="a", title="英国财长被炒鱿鱼"), tools).language == "zh"


def test_script_and_direction_are_those_of_the_body(tools: Tools) -> None:
    body = "يفتح الجسر الجديد فوق النهر في شهر مايو القادم، قالت الحكومة."
    found = enrich(Article(id="a", title="BBC Live: Breaking News from the whole World", body=body), tools)
    assert (found.script, found.direction) == ("Arab", "rtl")
    again = enrich(Article(id="a", title="x", body="The bridge opens.", script="Arab", direction="rtl"), tools)
    assert (again.script, again.direction) == ("Latn", "ltr")


def test_a_body_without_letters_leaves_it_to_the_title(tools: Tools) -> None:
    for body in ("", "12:30 – 14:00", "https://example.org/page"):
        found = enrich(Article(id="a", title="הגשר נפתח במאי", body=body), tools)
        assert (found.script, found.direction) == ("Hebr", "rtl")
    assert enrich(Article(id="a", title="12"), tools).script == ""


@settings(max_examples=100, deadline=None)
@given(st.text(st.characters(codec=None, exclude_categories=()), max_size=600), st.text(max_size=10))
def test_no_text_raises(tools: Tools, body: str, claim: str) -> None:
    language = enrich(Article(id="a", body=body, language=claim), tools).language
    assert language == "und" or (language.isascii() and 2 <= len(language) <= 3)
