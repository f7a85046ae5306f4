"""Text on one line out of markup."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.text.markup import plain_text


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("", ""),
        ("plain  text", "plain text"),
        ("<b>Bold</b> claim", "Bold claim"),
        ("News<script>alert(1)</script>", "News"),
        ("News<SCRIPT>a</script >b", "News b"),
        ("<style>p{}</style>News<!-- hidden", "News"),
        ("How to use <script> tags", "How to use tags"),
        ("Tom &amp; Jerry &lt;b&gt;", "Tom & Jerry <b>"),
        ("Tom &amp;amp; Jerry", "Tom &amp; Jerry"),
        ("5 < 6", "5 < 6"),
        ("pay&#x202e;gnp&#8203;", "paygnp"),
    ],
)
def test_markup_goes_and_its_text_stays(markup: str, text: str) -> None:
    assert plain_text(markup) == text


@pytest.mark.parametrize("piece", ["<script>", "</script", "<style", "<!--", "<", "&#", "<a ", "<script></style>"])
def test_hostile_markup_takes_linear_time(piece: str) -> None:
    assert len(plain_text(piece * 100_000)) <= len(piece) * 100_000


@given(st.text())
def test_the_result_is_one_line(markup: str) -> None:
    assert "\n" not in plain_text(markup)


@pytest.mark.parametrize(
    ("markup", "shown"),
    [
        ("a <ifr<b>ame> b", "a b"),
        ("<iframe srcdoc='<script>alert(1)</script>'>a</iframe>", "a"),
        ("a " + "<b" * 50_000 + ">" * 50_000, None),
    ],
)
def test_tags_that_come_of_taking_others_away_are_taken_away_too(markup: str, shown: str | None) -> None:
    text = plain_text(markup)

    assert shown is None or text == shown
    assert not re.search(r"<[a-z][^<>]*>", text)
