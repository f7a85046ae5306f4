"""Which of the texts at hand is the article."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pipeline.article import TextChoice
from pipeline.enrich.choose import Candidate, Choice, choose
from pipeline.enrich.paragraphs import Paragraph


def prose(start: int, number: int) -> list[Paragraph]:
    """Return paragraphs of some 200 characters that share no three words with those of other numbers."""
    return [
        Paragraph(" ".join(f"word{part * 100 + word}" for word in range(25)) + ".")
        for part in range(start, start + number)
    ]


FEED = Candidate("content", prose(0, 2))
NOTHING = Candidate("", ())


def chosen(
    own: Candidate = NOTHING,
    extracted: list[Paragraph] | None = None,
    told: list[Paragraph] | None = None,
    summary: str = "",
) -> Choice:
    return choose(own, extracted or [], told or [], summary)


def test_the_page_s_text_is_better_than_the_feed_s() -> None:
    assert chosen(FEED, prose(0, 8)).choice == "extracted"


def test_a_page_with_much_less_than_the_feed_is_a_wall() -> None:
    assert chosen(Candidate("content", prose(0, 8)), prose(0, 2)).choice == "content"


def test_a_page_with_next_to_nothing_gives_no_text() -> None:
    assert chosen(NOTHING, [Paragraph("Please log in.")]) == ("", (), 0.0)


def test_extraction_keeps_its_headings_where_json_ld_says_the_same() -> None:
    extracted = [*prose(0, 4), Paragraph("What it costs", is_heading=True), *prose(4, 4)]
    found = chosen(FEED, extracted, prose(0, 8))
    assert (found.choice, found.paragraphs) == ("extracted", extracted)


def test_agreement_makes_a_text_surer() -> None:
    alone, agreed = chosen(NOTHING, prose(0, 8)), chosen(NOTHING, prose(0, 8), prose(0, 8))
    assert alone.confidence < 0.8 < agreed.confidence


def test_json_ld_is_the_text_where_the_page_shows_its_beginning_only() -> None:
    found = chosen(FEED, prose(0, 2), prose(0, 8))
    assert (found.choice, found.paragraphs) == ("json_ld", prose(0, 8))


def test_json_ld_is_the_text_where_extraction_finds_none() -> None:
    assert chosen(NOTHING, [], prose(0, 8)).choice == "json_ld"


def test_json_ld_that_is_a_teaser_is_not_the_text() -> None:
    assert chosen(NOTHING, prose(0, 8), prose(0, 1)).choice == "extracted"
    assert chosen(NOTHING, prose(0, 8), prose(1, 4)).choice == "extracted"


def test_where_both_say_something_else_the_feed_s_promise_decides() -> None:
    extracted, told = prose(20, 4), prose(0, 4)
    promise = told[0].text
    assert chosen(NOTHING, extracted, told, promise).choice == "json_ld"
    assert chosen(NOTHING, extracted, told, extracted[0].text).choice == "extracted"


def test_a_short_line_among_the_agreed_ones_that_the_page_s_own_account_leaves_out_goes() -> None:
    aside = Paragraph("Our pick of this year’s bridges is here to see.")
    found = chosen(FEED, [*prose(0, 4), aside, *prose(4, 4)], prose(0, 8))
    assert found.paragraphs == prose(0, 8)


def test_headings_lists_long_paragraphs_and_what_stands_at_the_ends_stay() -> None:
    extracted = [
        Paragraph("A line before it all, in a few words."), *prose(0, 10), Paragraph("Heading", is_heading=True),
        Paragraph("one\ntwo"), *prose(10, 10), Paragraph("A line behind it all, in a few words."),
    ]  # fmt: skip
    assert chosen(FEED, extracted, prose(0, 20)).paragraphs == extracted


def test_much_text_is_never_left_out_as_an_aside() -> None:
    lines = [Paragraph(f"Something else of {number} and more of it here.") for number in range(12)]
    extracted = [*prose(0, 6), *lines, *prose(6, 6)]
    assert chosen(FEED, extracted, prose(0, 12)).paragraphs == extracted


def test_what_looks_like_no_article_is_less_sure() -> None:
    article = chosen(NOTHING, prose(0, 8)).confidence
    teasers = chosen(NOTHING, [Paragraph(f"Headline {number} of a list of many") for number in range(40)]).confidence
    short = chosen(NOTHING, prose(0, 1)).confidence
    assert max(teasers, short) < article


def test_a_text_with_the_words_of_the_summary_is_surer() -> None:
    text = prose(0, 8)
    assert (
        chosen(NOTHING, text, summary=text[3].text).confidence
        > chosen(NOTHING, text, summary="of other things").confidence
    )


def test_a_summary_alone_is_hardly_the_article_and_a_file_is() -> None:
    assert chosen(Candidate("summary", prose(0, 1))).confidence == 0.1
    assert chosen(Candidate("given", prose(0, 1))).confidence == 0.9


def test_scripts_without_spaces_are_compared_too() -> None:
    text = [Paragraph("市議会は月曜日に川に架かる新しい橋について話し合い、来週決定する予定である。" * 3)]
    other = [Paragraph("天気は晴れで、気温は二十度を超える見込みだと気象庁が発表した。" * 4)]
    assert chosen(NOTHING, text, text).confidence > chosen(NOTHING, text, other).confidence


TEXTS = st.lists(st.builds(Paragraph, st.text(min_size=1, max_size=120), st.booleans()), max_size=5)


@given(st.sampled_from(["content", "summary", "given", ""]), TEXTS, TEXTS, TEXTS, st.text(max_size=50))
def test_any_texts_give_a_choice_among_them(
    name: TextChoice, own: list[Paragraph], extracted: list[Paragraph], told: list[Paragraph], summary: str
) -> None:
    found = choose(Candidate(name, own), extracted, told, summary)
    assert 0 <= found.confidence <= 1
    sources = {name: own, "extracted": extracted, "json_ld": told}
    assert set(found.paragraphs) <= set(sources[found.choice])
