"""What a revision changed: titles, figures in any script, headings, length; bounded whatever the texts are."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.article import Article, Changes, Heading, encode_article
from pipeline.settle.changes import MAX_FIGURES, changes_between


def article(body: str = "", title: str = "Quake", **more: object) -> Article:
    return Article(id="a" * 32, title=title, body=body, **more)


def between(before: str, after: str) -> Changes:
    return changes_between(article(before), article(after))


def figures(before: str, after: str) -> list[tuple[str, str]]:
    return [(figure.before, figure.after) for figure in between(before, after).figures]


def test_a_new_title_is_told_with_the_old_one_and_its_figures() -> None:
    changes = changes_between(article(title="At least 12 dead in quake"), article(title="At least 17 dead in quake"))
    assert (changes.title_before, changes.title_after) == ("At least 12 dead in quake", "At least 17 dead in quake")
    assert [(figure.before, figure.after) for figure in changes.figures] == [("12", "17")]


def test_a_title_that_stays_is_not_told() -> None:
    changes = between("One.", "Two.")
    assert (changes.title_before, changes.title_after) == ("", "")


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("At least 12 people died.", "At least 17 people died.", [("12", "17")]),
        ("It cost 1,200 euros.", "It cost 1,350.50 euros.", [("1,200", "1,350.50")]),
        ("Es kostet 1.200,50 Euro.", "Es kostet 1.300,50 Euro.", [("1.200,50", "1.300,50")]),
        ("Il coûte 17 000 euros.", "Il coûte 18 000 euros.", [("17 000", "18 000")]),
        ("Er kostet 1'200 Franken.", "Er kostet 1’300 Franken.", [("1'200", "1’300")]),
        ("Prices rose 3.1% in May.", "Prices rose 3.4% in May.", [("3.1%", "3.4%")]),
        ("Hausse de 3,1 % en mai.", "Hausse de 3,4 % en mai.", [("3,1 %", "3,4 %")]),
        ("قتل ١٢ شخصا؟", "قتل ١٧ شخصا؟", [("١٢", "١٧")]),
        ("१२ लोगों की मौत।", "१७ लोगों की मौत।", [("१२", "१७")]),
        ("地震で12人が死亡。雨。", "地震で17人が死亡。雨。", [("12", "17")]),
        ("Between 3 and 5 of 9.", "Between 4 and 5 of 8.", [("3", "4"), ("9", "8")]),
        ("Twelve died.", "Seventeen died.", []),
        ("12 died.", "17 were hurt.", []),
        ("12 died.", "१२ died.", []),
        ("12 died. It rained.", "It rained. 12 died.", []),
        ("In 12 towns. In 3 towns.", "In 12 towns. In 4 towns.", [("3", "4")]),
        ("In 1 town. In 2 towns.", "In 2 town. In 1 towns.", [("1", "2"), ("2", "1")]),
    ],
)
def test_a_figure_that_changed_in_a_sentence_that_did_not_is_told(
    before: str, after: str, expected: list[tuple[str, str]]
) -> None:
    assert figures(before, after) == expected


def test_the_sentence_of_a_figure_is_shown_as_it_reads_now() -> None:
    (figure,) = between("It rained. At least 12 people died.", "It rained. At least 17 people died.").figures
    assert figure.sentence == "At least 17 people died."


def test_length_and_share_say_how_much_is_new() -> None:
    changes = between("It rained all day.", "It rained all day. The river rose.")
    assert (changes.characters_before, changes.characters_after) == (18, 34)
    assert 0.4 < changes.share < 0.5
    assert between("Same. Same.", "Same.  Same.").share == 0
    assert between("One thing.", "All else.").share == 1
    assert between("", "").share == 0


def test_headings_that_came_and_went_are_named() -> None:
    changes = changes_between(
        article("x", headings=(Heading(0, "Rescue"), Heading(9, "Weather"))),
        article("y", headings=(Heading(0, "Weather"), Heading(9, "Aid"))),
    )
    assert (changes.headings_added, changes.headings_removed) == (("Aid",), ("Rescue",))


def test_a_page_that_takes_the_place_of_the_feeds_teaser_is_no_edit_of_figures() -> None:
    changes = changes_between(article("12 died.", text_from="feed"), article("17 died.", text_from="page"))
    assert changes.page_replaced_feed
    assert changes.figures == ()


SENTENCES = st.lists(st.sampled_from(["12 died.", "17 died. ", "It rained!", "3 % of 1,000\n", "Ende", "१२।"]))


@settings(max_examples=200, deadline=None)
@given(st.lists(st.text(max_size=30)).map(" ".join) | SENTENCES.map(" ".join), SENTENCES.map(" ".join))
def test_nothing_changes_between_a_text_and_itself_and_all_else_is_within_bounds(before: str, after: str) -> None:
    same = between(before, before)
    assert (same.figures, same.share, same.title_before) == ((), 0, "")
    changes = between(before, after)
    assert 0 <= changes.share <= 1
    assert changes.share == between(after, before).share
    assert all(figure.before != figure.after for figure in changes.figures)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(0, 9999), min_size=1, max_size=60), st.lists(st.integers(0, 9999), min_size=60))
def test_changed_figures_are_found_one_by_one_up_to_the_limit(old: list[int], new: list[int]) -> None:
    texts = [" ".join(f"Town {chr(97 + n % 26) * (1 + n // 26)} has {one} ships." for n, one in enumerate(some))
             for some in (old, new[: len(old)])]  # fmt: skip
    expected = [(str(a), str(b)) for a, b in zip(old, new, strict=False) if a != b]
    assert figures(*texts) == expected[:MAX_FIGURES]


@pytest.mark.parametrize(
    "text",
    ["1" * 5_000_000, "1 000" * 1_000_000, "a. " * 1_700_000, "1,1." * 1_300_000, ". " * 2_500_000, "\n" * 5_000_000,
     ".\"" * 2_500_000, "12 of 13 died. " * 330_000, "1 " * 2_500_000, "。" * 1_700_000],
)  # fmt: skip
def test_a_text_of_five_megabytes_is_compared_in_seconds_and_the_answer_is_small(text: str) -> None:
    began = time.process_time()
    changes = between(text, text.replace("1", "2") + " And 3 more.")
    assert time.process_time() - began < 20
    assert len(encode_article(article(changes=changes))) < 20_000


def test_the_answer_is_small_for_the_longest_words_and_figures() -> None:
    def long(digit: str) -> Article:
        sentences = " ".join(f"{'ü' * 1_900} {digit * 80} {number:03x}." for number in range(100))
        return article(sentences, title=digit * 1_000, headings=tuple(Heading(n, digit * 900) for n in range(100)))

    assert len(encode_article(article(changes=changes_between(long("1"), long("٢"))))) < 20_000
