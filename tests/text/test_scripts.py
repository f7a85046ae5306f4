"""Scripts and directions of texts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.text.scripts import direction_of, script_of


@pytest.mark.parametrize(
    ("text", "script"),
    [
        ("The bridge opens in May.", "Latn"), ("Istanbul’da köprü", "Latn"), ("Мост откроется в мае", "Cyrl"),
        ("Η γέφυρα ανοίγει", "Grek"), ("يفتح الجسر في مايو", "Arab"), ("پل در ماه مه", "Arab"),
        ("הגשר נפתח במאי", "Hebr"),
        ("पुल मई में खुलेगा", "Deva"), ("সেতু মে মাসে", "Beng"), ("பாலம் மே மாதம்", "Taml"), ("వంతెన మే నెలలో", "Telu"),
        ("ಸೇತುವೆ", "Knda"), ("പാലം", "Mlym"), ("પુલ", "Gujr"), ("ਪੁਲ", "Guru"), ("පාලම", "Sinh"), ("สะพานเปิด", "Thai"),
        ("ຂົວ", "Laoo"), ("ស្ពាន", "Khmr"), ("တံတား", "Mymr"), ("ཟམ་པ", "Tibt"), ("ხიდი იხსნება", "Geor"),
        ("Կամուրջը", "Armn"), ("ድልድይ", "Ethi"), ("다리가 열린다", "Hang"), ("大桥五月开通", "Hani"),
        ("大橋五月開通", "Hani"),
        ("橋は五月に開通する", "Jpan"), ("ｱｲｳ", "Jpan"), ("プロ野球開幕", "Jpan"), ("", ""), ("12:30 – 14 %", ""),
        ("😀👍🏽", ""),
    ],
)  # fmt: skip
def test_the_script_of_most_letters(text: str, script: str) -> None:
    assert script_of(text) == script


def test_the_majority_decides_and_the_first_where_there_is_none() -> None:
    assert script_of("iPhone 15: يفتح الجسر في مايو القادم") == "Arab"
    assert script_of("абв abc") == "Cyrl"
    assert script_of("abc абв") == "Latn"
    assert script_of("中国新闻社记者报道北京市政府今天宣布新的措施の") == "Hani", "one kana is somebody's brand"


@pytest.mark.parametrize(
    ("text", "direction"),
    [
        ("يفتح الجسر في مايو", "rtl"), ("הגשר נפתח במאי", "rtl"), ("ދިވެހި", "rtl"), ("The bridge", "ltr"),
        ("大桥", "ltr"),
        ("Apple و Google", "ltr"), ("شركة Apple تفتح متجرا", "rtl"), ("", "ltr"), ("\u202e123", "ltr"),
    ],
)  # fmt: skip
def test_the_direction_of_most_letters(text: str, direction: str) -> None:
    assert direction_of(text) == direction


@given(st.text(st.characters(codec=None, exclude_categories=()), max_size=200))
def test_no_text_raises(text: str) -> None:
    assert len(script_of(text)) in {0, 4}
    assert direction_of(text) in {"ltr", "rtl"}
