"""Stage quotes: what people are quoted as having said, and who said it."""

from __future__ import annotations

import re

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.article import Article, Entity, EntityKind
from pipeline.enrich.bounds import MAX_QUOTES
from pipeline.enrich.quotes import enrich
from pipeline.enrich.tools import Tools

KINDS: dict[str, EntityKind] = {"@": "person", "#": "organisation", "%": "place"}


def article_of(text: str, language: str = "en") -> Article:
    """Return the article of a text in which names are marked: {@Nasrallah=Hassan Nasrallah}, {#MOH}, {%Kyiv}."""
    body, spans = "", {}
    for piece in re.split(r"(\{[@#%][^}]+\})", text):
        if piece[:1] != "{" or piece[1:2] not in KINDS:
            body += piece
            continue
        surface, _, name = piece[2:-1].partition("=")
        spans.setdefault((KINDS[piece[1]], name or surface), []).append((len(body), len(body) + len(surface)))
        body += surface
    entities = tuple(
        Entity(kind=kind, name=name, id=f"id:{name}", in_body=tuple(places)) for (kind, name), places in spans.items()
    )
    return Article(id="a", body=body, language=language, entities=entities)


def said(tools: Tools, text: str, language: str = "en") -> list[tuple[str, str]]:
    """Return each quote's first and last word, with its speaker."""
    article = enrich(article_of(text, language), tools)
    return [(article.body[quote.start : quote.end], quote.speaker) for quote in article.quotes]


def speakers(tools: Tools, text: str, language: str = "en") -> list[str]:
    return [speaker for _, speaker in said(tools, text, language)]


def test_the_speaker_is_the_entity_that_the_name_stands_for(tools: Tools) -> None:
    article = enrich(
        article_of('"This is our battle," {@Nasrallah=Hassan Nasrallah} reportedly stated on Friday.'), tools
    )
    (quote,) = article.quotes
    assert article.body[quote.start : quote.end] == "This is our battle,"
    assert (quote.speaker, quote.speaker_id, quote.verb) == ("Hassan Nasrallah", "id:Hassan Nasrallah", "stated")


@pytest.mark.parametrize(
    ("text", "speaker"),
    [
        ("“We will not give in,” said {@Ana Ruiz}, who leads {#Acme}.", "Ana Ruiz"),
        ("“We will not give in,” said the chief of {#Acme}, {@Ana Ruiz}.", "Ana Ruiz"),
        ("{@Ana Ruiz}, chief of {#Acme}, said: “We will not give in.”", "Ana Ruiz"),
        ("{@Ana Ruiz} told {#The Daily} that it was “not a time to give in”.", "Ana Ruiz"),
        ("According to {@Ana Ruiz}, it is “not a time to give in”.", "Ana Ruiz"),
        ("It is “not a time to give in”, according to {#Acme}.", "Acme"),
        ("{#Acme} said in a statement that it was “not a time to give in”.", "Acme"),
        ("“Will they give in now?” {@Ana Ruiz} asked.", "Ana Ruiz"),
        ("“We will not give in,” {@Ana Ruiz} has again told reporters.", "Ana Ruiz"),
        ("“We will not give in,” Mr {@Ruiz=Juan Ruiz} (48) added.", "Juan Ruiz"),
        ("Says {@Ruiz=Juan Ruiz}: “We will not give in.”", "Juan Ruiz"),
    ],
)
def test_the_speaker_stands_before_or_behind_the_verb(tools: Tools, text: str, speaker: str) -> None:
    assert speakers(tools, text) == [speaker]


@pytest.mark.parametrize(
    "text",
    [
        "“We found nothing at all,” a police spokesman said.",
        "“We found nothing at all,” said one official.",
        "“We found nothing at all,” {@Ruiz=Juan Ruiz}’s lawyers wrote.",
        "A spokesman for {#Acme} said: “We found nothing at all.”",
        "An {#Acme} spokesman said: “We found nothing at all.”",
        "The report said they had “found nothing at all”.",
        "{@Ana Ruiz} left. A spokesman said: “We found nothing at all.”",
        "{#The Daily} reports:\n\n“We found nothing at all,” {@Ruiz=Juan Ruiz}’s lawyers wrote.",
    ],
)
def test_who_is_not_named_is_still_quoted(tools: Tools, text: str) -> None:
    assert speakers(tools, text) == [""]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{@Ana Ruiz} will meet {@Juan Paz} in {%Lima}. “It is a good day,” she said.", ["Ana Ruiz"]),
        ("{@Ana Ruiz} spoke first.\n\n“It is a good day,” she said.", ["Ana Ruiz"]),
        ("{@Ana Ruiz} leads it. The minister said: “It is a good day.”", ["Ana Ruiz"]),
        ("{@Ana Ruiz} leads {#Acme}. The company said: “It is a good day.”", ["Acme"]),
        ("“It is a good day,” {@Ruiz=Ana Ruiz} said. “We will go on.”", ["Ana Ruiz", "Ana Ruiz"]),
        ("“It is a good day,” {@Ruiz=Ana Ruiz} said, “and we will go on.”", ["Ana Ruiz", "Ana Ruiz"]),
        ("{@Ruiz=Ana Ruiz} said it was “a good day” and that “we will go on”.", ["Ana Ruiz", "Ana Ruiz"]),
        (
            "“It is a good day,” {@Ruiz=Ana Ruiz} said. {@Juan Paz} disagreed: “It is a bad day.”",
            ["Ana Ruiz", "Juan Paz"],
        ),
        (
            "{@Ana Ruiz} told us: “It is a good day.\n\n“We will go on.\n\n“Nobody stops us.”",
            ["Ana Ruiz", "Ana Ruiz", "Ana Ruiz"],
        ),
        ("{@Ana Ruiz} said the plan may change. “And if so, then for everybody.”", ["Ana Ruiz"]),
    ],
)
def test_pronouns_and_quotes_without_a_verb_are_the_speakers_of_before(
    tools: Tools, text: str, expected: list[str]
) -> None:
    assert speakers(tools, text) == expected


def test_a_name_that_is_no_entity_is_taken_as_it_is_written(tools: Tools) -> None:
    article = enrich(Article(id="a", language="en", body="“We will not give in,” said Ana Ruiz, a nurse."), tools)
    assert [(quote.speaker, quote.speaker_id) for quote in article.quotes] == [("Ana Ruiz", "")]


@pytest.mark.parametrize(
    "text",
    [
        "She called it a “smart car”.",
        "He wrote “The Long Way Home of Ana Ruiz” in 1990.",
        "The film “A very long way home” is out.",
        "They don't know the boys' names, and the '90s are over.",
        'A screen of 27" and one of 32" are on sale, he said.',
        "《一部很长很长的电影》上映了。",
        "他是个“好人”。",
    ],
)
def test_scare_quotes_titles_and_apostrophes_are_no_quotes(tools: Tools, text: str) -> None:
    assert said(tools, text, "zh" if "是" in text or "上" in text else "en") == []


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "‘We will not give in,’ said {@Ruiz}."),
        ("en", "'We will not give in,' said {@Ruiz}."),
        ("en", "“We will not give in,’’ {@Ruiz} said."),
        ("de", "„Wir geben nicht auf“, sagte {@Ruiz} am Montag."),
        ("de", "»Wir geben nicht auf«, so {@Ruiz}."),
        ("de", "Am Montag sagte {@Ruiz}: „Wir geben nicht auf.“"),
        ("fr", "« Nous ne céderons pas », a déclaré {@Ruiz} lundi."),
        ("fr", "« Nous ne céderons pas », a-t-il déclaré. {@Paz} est d'accord."),
        ("fr", "Selon {@Ruiz}, c'est « un jour comme les autres »."),
        ("es", "«No vamos a ceder», dijo {@Ruiz} el lunes."),
        ("es", "“No vamos a ceder”, según {@Ruiz}."),
        ("pt", "“Não vamos ceder”, disse {@Ruiz} na segunda-feira."),
        ("pt", "“Não vamos ceder”, afirmou o ministro da Saúde, {@Ruiz}."),
        ("it", "«Non molleremo mai», ha detto {@Ruiz}."),
        ("it", "{@Ruiz} ha dichiarato: “Non molleremo mai”."),
        ("nl", "‘Wij geven niet op’, zei {@Ruiz}."),
        ("sv", "”Vi ger inte upp”, säger {@Ruiz}."),
        ("pl", "„Nie poddamy się nigdy” – powiedział {@Ruiz}."),
        ("ru", "«Мы никогда не сдадимся», — сказал {@Руис}."),
        ("ru", "По словам {@Руиса}, это «обычный рабочий день»."),
        ("uk", "«Ми ніколи не здамося», — сказав {@Руїс}."),
        ("tr", "{@Ruiz}, “Biz asla pes etmeyiz” dedi."),
        ("ar", "وقال {@رويز}: «لن نستسلم أبدا اليوم»."),
        ("ar", "قال {@رويز} إننا «لن نستسلم أبدا اليوم»."),
        ("fa", "{@روئیز} گفت: «ما هرگز تسلیم نمی‌شویم»."),
        ("id", "“Kami tidak akan menyerah,” kata {@Ruiz} di {%Jakarta}, Senin."),
        ("id", "{@Ruiz} hadir. “Kami tidak akan menyerah,” ujarnya."),
        ("ms", '"Kami tidak akan mengalah," kata Encik {@Ruiz}.'),
        ("ms", 'Menurut {@Ruiz}, mereka "tidak akan mengalah".'),
        ("zh", "{@鲁伊斯}在会上说：“我们绝对不会放弃。”"),
        ("zh", "“我们绝对不会放弃，”{@鲁伊斯}说。"),
        ("zh", "{@鲁伊斯}表示，他们“绝对不会轻易放弃”。"),
        ("ja", "{@ルイス}首相は「我々は決して諦めない」と述べた。"),
        ("ko", "{@루이스} 총리는 “우리는 결코 포기하지 않는다”고 말했다."),
    ],
)
def test_quotes_have_speakers_in_the_languages_of_the_feeds(tools: Tools, language: str, text: str) -> None:
    expected = re.search(r"\{@([^}]+)\}", text)
    assert expected
    if "t-il" in text:
        assert len(said(tools, text, language)) == 1
    else:
        assert speakers(tools, text, language) == [expected[1]]


@pytest.mark.parametrize(
    ("text", "quote"),
    [
        ("He said “we go on, “now and always” and forever” today.", "now and always"),
        ("He said “we go on and on\n\nNothing else here.", "we go on and on"),
        ("「我們絕對『不會』放棄的。」他說。", "我們絕對『不會』放棄的。"),
    ],
)
def test_marks_within_marks_and_marks_that_are_missing_stay_within_the_paragraph(
    tools: Tools, text: str, quote: str
) -> None:
    assert [one for one, _ in said(tools, text, "zh" if "他" in text else "en")] == [quote]


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        ("en", "{@Ana Ruiz} spoke. In a film, Mr {@Paz=Juan Paz} denied it.\n\n“It was so,” he said.", ["Juan Paz"]),
        ("en", "Ms {@Ana Ruiz} asked Mr {@Juan Paz}. He did not answer.\n\n“It was so,” he said.", ["Juan Paz"]),
        ("en", "It is home to {@Ana Ruiz} and her husband, {@Juan Paz}, in {%Lima}. It rained.", []),
        ("fr", "Mme {@Ana Ruiz} a vu M. {@Juan Paz}. « Nous ne céderons pas », a dit elle.", ["Ana Ruiz"]),
        ("en", "{@Ana Ruiz} leads {#Acme}. While {#Bolt} was silent, it sued. “It was a long day,” it said.", ["Bolt"]),
        ("en", "{#Lima Police Department} and {#Acme} met. “It was a long day,” the police department said.",
         ["Lima Police Department"]),
    ],
)  # fmt: skip
def test_a_pronoun_means_the_last_subject_that_it_can(
    tools: Tools, language: str, text: str, expected: list[str]
) -> None:
    assert speakers(tools, text, language) == expected


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        ("en", "{@Ana Ruiz} told them to wait and said people were “working day and night”.", ["Ana Ruiz"]),
        ("en", "“It was so,” {@Ana Ruiz}, a nurse who works in {%Lima} and has three children, said.", ["Ana Ruiz"]),
        ("en", "“It was a long day,” a senior official closely involved in the talks on the border said.", [""]),
        ("en", "{@Ana Ruiz} left. A source with direct knowledge of the deal said it was “a very long day”.", [""]),
        ("en", "A source close to {@Ana Ruiz} said: “It was a long day.”", [""]),
        ("en", "{@Ana Ruiz} left. “It was a long day,” the whistleblower said.", [""]),
        ("en", "“It was a long day,” a statement from {#Acme} said.", ["Acme"]),
        ("en", "“It was a long day,” according to a statement by {#Acme}.", ["Acme"]),
        ("de", "Laut {#Acme} ist das „ein sehr schwarzer Tag“.", ["Acme"]),
        ("ms", "“Kami tidak akan mengalah,” kata Pengarah {#Acme}, {@Ahmad Ali}, di sini.", ["Ahmad Ali"]),
        ("zh", "{#外交部}在声明中指出：“我们绝对不会放弃。”", ["外交部"]),
        ("en", "{@Ana Ruiz} called it “a slap in the face”, while {@Juan Paz} said it was “a very good deal”.",
         ["Ana Ruiz", "Juan Paz"]),
        ("en", "{@Ana Ruiz} leaned back with a smile, “We will not give in.”", ["Ana Ruiz"]),
        ("en", "{@Ana Ruiz} did not mince words. “We will not give in.”", ["Ana Ruiz"]),
        ("en", "“It was a long and hard day.” — {@Ana Ruiz}, nurse", ["Ana Ruiz"]),
        ("en", "{@Ana Ruiz} is here. She spent it “climbing up trees and running through woods”.", ["Ana Ruiz"]),
        ("en", "“It was so long,” {@Ana Ruiz} said.\n\nIt rained.\n\n“We were all wet to the bone.”", ["Ana Ruiz"] * 2),
        ("en", "“It was so long,” {@Ana Ruiz} said.\n\n“We were all wet to the bone.”", ["Ana Ruiz"] * 2),
        ("en", "{@Ana Ruiz} was accused by {@Juan Paz} of “lying to the whole country”.", ["Juan Paz"]),
        ("en", "{#Acme} denied the claims, saying it was “committed to the safety of all”.", ["Acme"]),
        ("en", "“It was so,” {@Ana Ruiz} said, before adding: “But we will live.”", ["Ana Ruiz"] * 2),
        ("en", "“It was so long,” he told {#The Daily}.", [""]),
        ("en", "“It was so long,” {#The Daily} quoted {@Ana Ruiz} as saying.", ["Ana Ruiz"]),
        ("en", "A man was said to have fallen over in the “great hall of mirrors”.", []),
    ],
)  # fmt: skip
def test_the_subject_is_found_in_whatever_the_sentence_is_built_like(
    tools: Tools, language: str, text: str, expected: list[str]
) -> None:
    assert speakers(tools, text, language) == expected


def test_a_surname_behind_a_quote_that_is_no_entity_is_its_bearers(tools: Tools) -> None:
    article = article_of("{@Tamala Black} is here. “It was a long day,” Black said.")
    assert [(one.speaker, one.speaker_id) for one in enrich(article, tools).quotes] == [
        ("Tamala Black", "id:Tamala Black")
    ]


def test_a_title_that_takes_in_its_full_stop_is_no_quote(tools: Tools) -> None:
    assert said(tools, "{@Ana Ruiz} said her book is called “The Long Way Home.” (It is out.)") == []


def test_an_article_without_quotes_is_returned_as_it_is(tools: Tools) -> None:
    article = Article(id="a", language="en", body="Nothing was said today.")
    assert enrich(article, tools) is article


def test_to_read_an_article_again_changes_nothing(tools: Tools) -> None:
    once = enrich(article_of("“We will not give in,” said {@Ruiz=Ana Ruiz}. “Not today.” She left."), tools)
    assert enrich(once, tools) is once


PIECES = (
    "“", "”", "\"", "'", "‘", "’", "«", "»", "„", "「", "」", "״", "''", " ", "\n\n", ".", "。", "…", ", ", ": ",
    "(", ")", "said ", "says ", "he ", "the ", "minister ", "Ruiz ", "Acme ", "according ", "to ", "说", "他", "قال ",
    "sagte ", "\u202e", "😀", "a", "word ", "’s ", "—", "\x00",
)  # fmt: skip


@given(st.lists(st.sampled_from(PIECES), max_size=60), st.sampled_from(("en", "de", "zh", "ar", "fr", "ms", "und")))
@settings(max_examples=300, deadline=None)
def test_whatever_the_text_quotes_stand_in_order_within_it(tools: Tools, pieces: list[str], language: str) -> None:
    body = "".join(pieces)
    spans = tuple(found.span() for found in re.finditer("Ruiz", body))
    entities = (Entity(kind="person", name="Ruiz", in_body=spans),) if spans else ()
    article = enrich(Article(id="a", body=body, language=language, entities=entities), tools)
    ends = 0
    for quote in article.quotes:
        assert ends <= quote.start < quote.end <= len(body)
        ends = quote.end
    assert enrich(article, tools) == article


@pytest.mark.parametrize(
    "text",
    ["“" * 200_000, '"' * 200_000, "'a " * 100_000, "." * 500_000, "a" * 500_000, "“a b c d,” said a. " * 20_000,
     "he said " * 60_000 + "“a b c”", '" a' * 100_000, "“我们绝对不会放弃”说" * 20_000, "(" * 300_000, "。”" * 200_000],
)  # fmt: skip
def test_a_hostile_text_costs_no_more_than_its_length(tools: Tools, text: str) -> None:
    entities = (Entity(kind="person", name="a", in_body=tuple((at, at + 1) for at in range(0, 500, 10))),)
    article = Article(id="a", body=text, language="zh" if "我" in text else "en", entities=entities)
    assert len(enrich(article, tools).quotes) <= MAX_QUOTES + 1
    assert msgspec.structs.replace(article, body="").quotes == ()
