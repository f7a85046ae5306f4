"""The analyser: what a word is."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipeline.query.analysis import MAX_TOKEN_CHARACTERS, joined, tokenize, tokens

any_text = st.text(st.characters(exclude_categories=()), max_size=40)
tricky_characters = (
    "aAsSlduiI.,'’´\"0139 \u200b\u200c\u200d\0éйи\u0301\u0306\u0316İıßøﬁ½٣٫کىإـ\u064b"
    "가각ㅏ\u1100\u1161ｶﾞか\u3099中กิ\u0e33कि\u093c\ud800צ״"
)
tricky_text = st.text(st.sampled_from(tricky_characters), max_size=30)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Qa'ani's Qa’ani Qaani", "qaani qaani qaani"),
        ("Qa´ani Qa`ani Qaʿani", "qaani qaani qaani"),
        ("don't rock 'n' roll; the dogs' 1990's", "dont rock n roll the dogs 1990"),
        ("O'Brien N'Djamena Shi'a Qur'an Sana'a об'єкт", "obrien ndjamena shia quran sanaa обєкт"),
        ("l'Iran d’Israël qu'elle dell'Unione", "l iran d israel qu elle dell unione"),
        ("U.S.-led, the U.S.A., e.g. J.R.R. Tolkien", "us led the usa eg jrr tolkien"),
        ("U.S. = US = us", "us us us"),
        ("3.14 1,000 12,345,678.90 1,2,3 3,14", "3.14 1000 12345678.90 1 2 3 3 14"),
        ("10.0.0.1 v3.11.2 15.03.2024.", "10.0.0.1 v3.11.2 15.03.2024"),
        ("CVE-2024-3094 COVID-19 al_qaida AT&T", "cve 2024 3094 covid 19 al qaida at t"),
        ("https://example.org/a-b?c=d", "https example org a b c d"),
        ("end.Next one,two", "end next one two"),
        ("İstanbul ISTANBUL istanbul ıstanbul", "istanbul istanbul istanbul istanbul"),
        ("Straße STRASSE Øresund Łódź Đà Nẵng Ærø", "strasse strasse oresund lodz da nang aero"),
        ("naïve façade Erdoğan Ångström", "naive facade erdogan angstrom"),
        ("ﬁnance ½ № ＡＢＣ x²", "finance 1 2 no abc x2"),
        ("Соединённые Росси́я мой мои їжак", "соединенные россия мой мои їжак"),
        ("Ἀθῆναι Αθήναι ΟΔΟΣ", "αθηναι αθηναι οδοσ"),
        ("سلیمانی سليماني سليمانى", "سليماني سليماني سليماني"),
        ("إيران أيران آيران ايران", "ايران ايران ايران ايران"),
        ("کِتَاب كتاب كـــتاب", "كتاب كتاب كتاب"),
        ("مدرسة مدرسه", "مدرسه مدرسه"),
        ("می\u200cخواهم می خواهم", "مي خواهم مي خواهم"),
        ("٣٫١٤ ١٬٠٠٠ ۲۰۲۴ २०२४", "3.14 1000 2024 2024"),
        ("北京 2024年", "北 京 2024 年"),
        ("ガザ ｶﾞｻﾞ が か\u3099", "ガ ザ ガ ザ が が"),
        ("ไทย ລາວ", "ไ ท ย ລ າ ວ"),
        ("한국어 뉴스", "한국어 뉴스"),
        ("हिन्दी தமிழ்", "हिन्दी தமிழ்"),
        ('צה"ל צה״ל "שלום"', "צהל צהל שלום"),
        ('abc"שלום"', "abc שלום"),
        ("ze\u200bro wi\u00addth \u202eabc", "zero width abc"),
        ("a\0b \ud800 c\udfff", "a b c"),
        ("!!! … — 😀", ""),
        ("", ""),
    ],
)
def test_text_becomes_these_words(text: str, expected: str) -> None:
    assert joined(text) == unicodedata.normalize("NFC", expected)


def test_a_long_word_is_cut_not_dropped() -> None:
    assert tokens("x" * 250 + " y") == ["x" * MAX_TOKEN_CHARACTERS, "y"]


def test_a_cut_number_does_not_end_in_a_full_stop() -> None:
    (token,) = tokens("1." * 200 + "1")
    assert token == ("1." * 50)[:-1]
    assert tokens(token) == [token]


@pytest.mark.parametrize(
    ("text", "place", "expected"),
    [
        ("The Qa’ani’s men", 1, "Qa’ani’s"),
        ("in the U.S. now", 2, "U.S"),
        ("cost 1,000 or", 1, "1,000"),
        ("ﬁnance ﷺ end", -1, "end"),
        ("e\u0301te\u0301 x", 0, "e\u0301te\u0301"),
        ("à l’Iran,", 2, "Iran"),
        ("北京", 1, "京"),
        ("x ½.", 1, "½"),
        ("ｶﾞｻﾞ", 1, "ｻﾞ"),
        ("\u1112\u1161\u11ab\u1100\u116e\u11a8 b", 0, "\u1112\u1161\u11ab\u1100\u116e\u11a8"),
    ],
)
def test_a_token_knows_its_place_in_the_original(text: str, place: int, expected: str) -> None:
    token = tokenize(text)[place]
    assert text[token.start : token.end] == expected


def agrees(text: str) -> None:
    found = tokenize(text)
    assert [token.text for token in found] == tokens(text)
    previous = 0
    for token in found:
        assert token.text
        assert len(token.text) <= MAX_TOKEN_CHARACTERS
        assert not any(character.isspace() or character == "\0" for character in token.text)
        assert previous <= token.start < token.end <= len(text)
        previous = token.start
    assert tokens(joined(text)) == tokens(text)


@given(any_text)
@settings(max_examples=400, deadline=None)
def test_any_text_gives_the_same_words_with_and_without_places_and_words_give_themselves(text: str) -> None:
    agrees(text)


@given(tricky_text)
@settings(max_examples=600, deadline=None)
@example("ᄀ\u200bᅡ.s")
@example("\u1100\u1161.s")
@example("a's.b")
@example("´s\u0301 a")
@example("か\u200b\u3099")
def test_text_of_tricky_characters_does_too(text: str) -> None:
    agrees(text)


@given(any_text, any_text)
@settings(max_examples=200, deadline=None)
def test_words_on_both_sides_of_a_space_do_not_touch_each_other(left: str, right: str) -> None:
    assert tokens(f"{left} {right}") == tokens(left) + tokens(right)


def test_every_character_alone_is_folded_to_something_that_folds_to_itself() -> None:
    for code in range(0x20000):
        words = tokens(chr(code))
        assert tokens(" ".join(words)) == words


@given(any_text)
@settings(max_examples=200, deadline=None)
def test_composed_and_decomposed_text_have_the_same_words(text: str) -> None:
    if all(unicodedata.category(character) != "Cs" for character in text):
        assert tokens(unicodedata.normalize("NFC", text)) == tokens(unicodedata.normalize("NFD", text))


FLOODS: list[Callable[[int], str]] = [
    lambda n: "e" + "\u0300\u0316" * n,
    lambda n: "か" + "\uff9e\u0300" * n,
    lambda n: "क" + "\u093c\u0300\u094d" * n,
    lambda n: "e" + "\u0300\u200b\u0316" * n,
    lambda n: "a" + "\u0e38\u200b\u0e48\u200b\u093c\u200b" * n,
    lambda n: "'" * n + "a" + "'s" * n,
    lambda n: "a." * n,
    lambda n: "1," * n + "1." * n,
    lambda n: "x" * n,
    lambda n: "l'a" * n,
    lambda n: "\ufdfa" * n,
    lambda n: "ᄀ\u200bᅡ\u200b" * n,
]


def test_a_letter_keeps_at_most_thirty_marks_when_they_must_be_sorted() -> None:
    (token,) = tokens("क" + "\u094d\u093c" * 5_000)
    assert token == "क" + "\u093c" * 15 + "\u094d" * 15


@pytest.mark.parametrize("flood", FLOODS)
def test_a_flood_is_analysed_and_gives_the_same_words_both_ways(flood: Callable[[int], str]) -> None:
    text = flood(20_000)
    assert [token.text for token in tokenize(text)] == tokens(text)
