"""The dateline before a text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.enrich.dateline import find_dateline

DATELINES = [
    ("BEIRUT (Reuters)", " - "),
    ("WASHINGTON (AP)", " — "),
    ("NEW YORK, March 4 (Reuters)", " - "),
    ("CHARLESTON, Ill. (AP)", " — "),
    ("STRASBOURG, France (AP)", " — "),
    ("PARIS, 12 mars (AFP)", " – "),
    ("WASHINGTON", " — "),
    ("KUALA LUMPUR, March 5", " - "),
    ("JAKARTA, KOMPAS.com", " - "),
    ("Berlin (dpa)", " – "),
    ("Frankfurt/Main (dpa-AFX)", " - "),
    ("МОСКВА, 5 марта (Рейтер)", " - "),
    ("МОСКВА, 5 марта. /ТАСС/.", " "),
    ("بيروت (رويترز)", " - "),
    ("（新加坡讯）", ""),
    ("(吉隆坡5日讯)", ""),
    ("新华社北京3月5日电", " "),
    ("新华社北京电", " "),
    ("中新网北京3月5日电（记者 王小明）", ""),
    ("（中央社記者王小明台北5日電）", ""),
    ("【ワシントン=共同】", ""),
    ("[東京 5日 ロイター]", " - "),
]

PLAIN = [
    "The council met on Monday - and left.",
    "BREAKING — The council has met.",
    "EXCLUSIVE - The council has met.",
    "WATCH: The council meets.",
    "CLAIM: Israel’s agency called the force an enemy.",
    "SMITH: I said so.",
    "IBM — the company has met.",
    "NASA — The agency has met.",
    "FC BAYERN-BORUSSIA 3:1",
    "COVID-19 (SARS) - The council has met.",
    "Messi (Inter) - two goals.",
    "Jones (Reuters) said so.",
    "“PARIS” - the film.",
    "2024 (AP) - the year.",
    "新华社记者王小明在北京报道，电力不足。",
    "（图片来自网络）北京",
    "PARIS (AFP) -",
    "PARIS (AFP) - \n ",
    "",
    "-",
]


@pytest.mark.parametrize(("dateline", "dash"), DATELINES)
def test_a_dateline_is_found_as_written(dateline: str, dash: str) -> None:
    text = f"{dateline}{dash}The council met."
    found = find_dateline(text)
    assert (text[: found.end], text[found.rest :]) == (dateline, "The council met.")


@pytest.mark.parametrize("text", PLAIN)
def test_what_only_starts_like_one_stays(text: str) -> None:
    assert find_dateline(text) == (0, 0)


def test_a_place_before_a_colon_is_one_where_the_text_says_that_it_is_a_place() -> None:
    text = "SINGAPORE: The council met. Flats in Singapore are dear."
    assert text[: find_dateline(text).end] == "SINGAPORE"
    assert find_dateline("SINGAPORE: The council met.").end == 0
    assert find_dateline("SINGAPORE: The council met.", title="Flats in Singapore are dear").end == len("SINGAPORE")


def test_a_dateline_is_found_where_it_is_looked_for() -> None:
    text = "date 2024-03-15 BEIRUT (Reuters) - The council met."
    found = find_dateline(text, 16)
    assert (text[16 : found.end], text[found.rest :]) == ("BEIRUT (Reuters)", "The council met.")


@given(
    st.sampled_from([line for line, _ in DATELINES] + PLAIN + ["PARIS", "X: "]),
    st.sampled_from([" - ", " — ", "- ", "--", ": ", ""]),
    st.text(max_size=40),
)
def test_nothing_but_a_dash_and_space_is_lost(dateline: str, dash: str, rest: str) -> None:
    text = dateline + dash + rest
    found = find_dateline(text)
    between = text[found.end : found.rest]
    assert not any(map(str.isalnum, between))
    assert found.end <= found.rest
    assert found.rest < len(text) or found == (0, 0)


@given(st.text(max_size=200), st.integers(0, 50))
def test_no_text_raises(text: str, start: int) -> None:
    find_dateline(text, min(start, len(text)))
