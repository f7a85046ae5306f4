"""Chinese names: what proves one, and that it then holds for the article."""

from __future__ import annotations

import pytest
from named import organisations, people, places


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("总统玛丽亚·康特·米勒博士周二说，米勒将访问。", ["玛丽亚·康特·米勒=米勒"]),
        ("英国新首相特拉斯周三访问。特拉斯说她会再来。", ["特拉斯"]),
        ("来自中国的张忠良（28岁）昨天认罪，法官下判时说张忠良是初犯。", ["张忠良"]),
        ("财政部长黄循财说，经济增长放缓。", ["黄循财"]),
        ("女王伊丽莎白二世去世。", ["伊丽莎白二世"]),
        ("高科技公司说，张开双手的人很多。", []),
    ],
)
def test_a_person_needs_a_title_an_age_a_dot_or_a_verb(body: str, expected: list[str]) -> None:
    assert people(body, language="zh") == expected


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("他在新加坡国立大学任教。", ["新加坡国立大学"]),
        ("据《联合早报》报道，外交部回应。", ["联合早报", "外交部"]),
        ("一家公司和一所大学的中心。", []),
    ],
)
def test_an_organisation_ends_in_a_head_and_begins_with_a_place_or_a_bound(body: str, expected: list[str]) -> None:
    assert organisations(body, language="zh") == expected


def test_a_place_takes_what_sort_of_place_it_is() -> None:
    assert places("风暴袭击新斯科舍省和大西洋沿岸，也影响法国。", language="zh") == [
        "新斯科舍省",
        "大西洋",
        "France=法国",
    ]


def test_latin_names_within_chinese_are_found() -> None:
    assert people("代理院长希尔教授（Emma Hill）说：“情况严重。”", language="zh") == ["希尔", "Emma Hill"]
