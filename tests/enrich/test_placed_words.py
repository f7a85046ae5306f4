"""Words with their places are those of the analyser, whatever the text."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.enrich.placed_words import placed_words
from pipeline.query.analysis import Token, tokenize

TRICKY = (
    "aAsSlduiI.,'’´\"0139 \n\u200b\u200c\u200d\0éйи\u0301\u0306İıßøﬁ½…٣٫کىإـ"
    "가각ㅏ\u1100\u1161ｶﾞか\u3099中漢กิ\u0e33कि\ud800צ״％１"
)


def as_tokens(text: str) -> list[Token]:
    words, starts, ends = placed_words(text)
    return [Token(word, int(start), int(end)) for word, start, end in zip(words, starts, ends, strict=True)]


@settings(max_examples=500)
@given(st.text(st.sampled_from(TRICKY), max_size=30) | st.text(st.characters(exclude_categories=()), max_size=40))
def test_words_and_places_are_those_of_tokenize(text: str) -> None:
    assert as_tokens(text) == tokenize(text)


@pytest.mark.parametrize("text", ["", " ", "'s", "a 's b", "x" * 300, "Qa’ani’s U.S.-led 新加坡 ½ ß", "e\u0301a"])
def test_so_are_those_of_texts_that_go_another_way(text: str) -> None:
    assert as_tokens(text) == tokenize(text)
