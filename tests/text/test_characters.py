"""Which characters survive."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.text.characters import cleaned, has_controls, one_line, well_formed


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", "plain"),
        ("a\x00b\x07c\x7fd\x9fe", "abcde"),
        ("lone \ud800 surrogate", "lone \ufffd surrogate"),
        ("a pair \ud83d\ude00", "a pair 😀"),
        ("evil\u202egnp.exe", "evilgnp.exe"),
        ("soft\u00adhyphen zero\u200bwidth \ufeff", "softhyphen zerowidth "),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("👩\u200d💻", "👩\u200d💻"),
        ("അവന്\u200d പറഞ്ഞു", "അവന്\u200d പറഞ്ഞു"),
        ("p\u200da\u200cypal \u200d\u200cx", "paypal x"),
        ("é\u200c\u200b\u200dA", "éA"),
        ("é\u200cn\u200c\u0301", "éń"),
        ("note\ufff9gloss\ufffb", "notegloss"),
        ("a\r\nb\rc\u2028d\u0085e", "a\nb\nc\nd\ne"),
        ("cafe\u0301", "café"),
    ],
)
def test_controls_and_invisibles_go_and_letters_stay(text: str, expected: str) -> None:
    assert cleaned(text) == expected


@given(st.text(st.characters(codec=None, exclude_categories=())) | st.text("ab \u200b\u200c\u200d\u0301é\u037e\u212a"))
def test_cleaning_is_final(text: str) -> None:
    once = cleaned(text)
    assert cleaned(once) == once
    assert not has_controls(once)
    once.encode()
    assert unicodedata.is_normalized("NFC", once)


def test_a_flood_of_combining_marks_is_composed_in_pieces() -> None:
    flood = "a" + "\u0316\u0301" * 100_000  # in one piece this takes a minute
    assert len(cleaned(flood)) <= len(flood)


@pytest.mark.parametrize("flood", ["\u200c" * 200_000 + "é", "a\u200c" * 100_000, "é\u200d" * 100_000])
def test_a_flood_of_joiners_is_cleaned_in_linear_time(flood: str) -> None:
    assert cleaned(cleaned(flood)) == cleaned(flood)  # were each one looked at from its own start: minutes


@pytest.mark.parametrize(("before", "after"), [(0, 999), (499, 1_000), (3_000, 1_001), (250, 5_000)])
def test_a_text_is_composed_wherever_its_spaces_stand(before: int, after: int) -> None:
    text = "x" * before + " " + "o\u0308" + "y" * after + " " + "e\u0301 "
    assert cleaned(text) == unicodedata.normalize("NFC", text)


@pytest.mark.parametrize(
    ("text", "line"),
    [(" a\u00a0 b\n\tc\u2029d ", "a b c d"), ("  a  b ", "a b"), (" é\n", "é"), (" é  è", "é è"), (" e\u0301 ", "é")],
)
def test_one_line_has_single_spaces(text: str, line: str) -> None:
    assert one_line(text) == line


@given(st.text(st.characters(codec=None, exclude_categories=())) | st.text("ab \n\t\u200c\u200d\u0301é\u037e\x85"))
def test_one_line_is_the_cleaned_text_without_its_lines(text: str) -> None:
    assert one_line(text) == " ".join(cleaned(text).split())
    assert one_line(one_line(text)) == one_line(text)


def test_a_surrogate_pair_is_the_character_it_stands_for() -> None:
    assert well_formed("\ud83d\ude00 \ud83d") == "😀 \ufffd"
