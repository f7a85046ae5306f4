"""Whatever the text: all stages together end, and what they found stands where they say and fits into a record."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.article import Article, encode_article
from pipeline.enrich.run import STAGES, enrich_article
from pipeline.enrich.tools import Tools
from pipeline.errors import DropArticle
from pipeline.topics import MAX_RECORD_BYTES

MIB = 1024 * 1024
NAMES = "President Ann Lee of Oslo told Reuters on Monday: “We will build the bridge,” she said. "
TEXTS = {
    "empty": "",
    "one line": "Ann Lee left Oslo.",
    "5 MiB of prose": NAMES * (5 * MIB // len(NAMES)),
    "5 MiB of one word": "a" * 5 * MIB,
    "5 MiB without spaces": "北京新华社电外交部发言人说" * (5 * MIB // 39),
    "5 MiB of capitals": "Ann Lee " * (5 * MIB // 8),
    "marks alone": "“”\"'«»„“" * 50_000,
    "brackets alone": "([{" * 100_000,
    "mixed scripts": "Ann قال لي Ли говорит 李说：“好的，我们走吧，明天见。” ทดสอบ " * 5_000,
    "right to left": "قال حسن نصر الله في بيروت: «هذه معركتنا» وأضاف أن حماس توافق. " * 5_000,
    "emoji": "👩‍👩‍👧‍👦🏴‍☠️ " * 30_000,
    "controls": "\x00\x07\u202e\u200b\ud800Ann\u2028Lee" * 20_000,
    "marks on one letter": "a" + "\u0301" * 300_000,
    "datelines": "OSLO (Reuters) - " * 20_000,
    "full stops": ". " * 200_000,
}
PAGES = {
    "100,000 nested tags": "<div>" * 100_000 + "<p>" + NAMES * 20,
    "a million links": "<a href='/x'>Ann Lee</a>" * 100_000,
    "huge JSON-LD": '<script type="application/ld+json">{"@type": "NewsArticle", "articleBody": "'
    + NAMES.replace('"', "") * 20_000
    + '"}</script>',
    "nothing": "",
}


def found_in(article: Article, tools: Tools) -> Article | None:
    """Enrich it twice; None for one that is dropped. What was found must stand within its text."""
    try:
        found = enrich_article(article, tools, tuple(STAGES))
    except DropArticle:
        return None
    assert len(encode_article(found)) <= MAX_RECORD_BYTES
    for entity in found.entities:
        for text, spans in ((found.title, entity.in_title), (found.body, entity.in_body)):
            assert all(text[start:end].strip() for start, end in spans)
    assert all(found.body[quote.start : quote.end].strip() for quote in found.quotes)
    assert not [flag for flag in found.flags if flag.startswith("failed:")]
    assert enrich_article(found, tools, tuple(STAGES)) == found
    return found


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_a_text_of_any_kind_comes_to_its_end(tools: Tools, text: str) -> None:
    found = found_in(Article(id="a", title="Bridge", body=text, text_from="file"), tools)
    assert found is not None


@pytest.mark.parametrize("markup", PAGES.values(), ids=PAGES)
def test_a_page_of_any_kind_comes_to_its_end(tools: Tools, markup: str) -> None:
    key = tools.pages.put(f"<html><body>{markup}".encode(), date(2026, 3, 1))
    assert found_in(Article(id="a", title="Bridge", page=key, feed="f", html="<p>Teaser.</p>"), tools) is not None


PIECES = st.sampled_from([
    "Ann Lee", "Oslo", "(Reuters)", " - ", "OSLO (AP) — ", "“", "”", '"', "said", "he said", "Mr. ", "\n\n", ". ", ", ",
    "Qaani", "قال", "李明说", "：“", "。”", "Advertisement", "Read also: ", "© 2024 AFP", "Correction: ", "Ã©",
    "date 2024-03-15 ", "\u202e", "I", "of the ", "Paris, Texas", "https://e.example/x", "1,000", "WHO", "and",
])  # fmt: skip


@given(st.lists(PIECES | st.text(max_size=5), max_size=40).map("".join), st.lists(PIECES, max_size=5).map("".join))
@settings(max_examples=200, deadline=None)
def test_any_pieces_of_news_in_any_order_do(tools: Tools, body: str, title: str) -> None:
    found_in(Article(id="a", title=title, body=body, text_from="file"), tools)
