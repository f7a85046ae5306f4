"""Text on one line out of markup."""

from __future__ import annotations

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
