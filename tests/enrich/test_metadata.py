"""Stage metadata: what the feed says and what the page says become one article."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.article import Article, encode_article
from pipeline.enrich import page_head, text
from pipeline.enrich.metadata import enrich
from pipeline.enrich.run import STAGES, enrich_article
from pipeline.enrich.tools import Tools

DAY = date(2026, 3, 1)
SEEN = datetime(2026, 3, 1, 12, tzinfo=UTC)
SENTENCES = "The council met on Monday to discuss the new bridge over the river. It will decide next week. "
CLAIMS = {
    "@type": "NewsArticle", "headline": "A new bridge for the town", "author": "Jane Doe", "publisher": {"name": "E"},
    "datePublished": "2026-02-27T10:30:00Z", "dateModified": "2026-02-28T09:00:00Z", "articleSection": "Local",
    "keywords": ["bridges", "Towns"], "image": "/bridge.jpg",
}  # fmt: skip


def at(hour: int, day: int = 27, minute: int = 0) -> datetime:
    return datetime(2026, 2, day, hour, minute, tzinfo=UTC)


def page(tools: Tools, head: str = "", body: str = "", **claims: object) -> str:
    linked = (
        f'<script type="application/ld+json">{json.dumps({**CLAIMS, **claims})}</script>' if claims or not head else ""
    )
    markup = f"<html><head>{linked}{head}</head><body><article><p>{body or SENTENCES * 3}</p></article></body></html>"
    return tools.pages.put(markup.encode(), DAY)


def found(tools: Tools, key: str = "", **fields: object) -> Article:
    told = {
        "url": "https://e.example/news/1",
        "text_from": "page" if key else "feed",
        "body": SENTENCES,
        "fetched": SEEN,
    }
    article = msgspec.structs.replace(Article(id="a"), page=key, **{**told, **fields})
    once = enrich(article, tools)
    assert enrich(once, tools) == once
    return once


def test_a_page_fills_what_the_feed_left_out(tools: Tools) -> None:
    article = found(tools, page(tools))
    assert (article.title, article.outlet, article.authors) == ("A new bridge for the town", "E", ("Jane Doe",))
    assert (article.published, article.updated) == (at(10, minute=30), at(9, day=28))
    assert (article.section, article.tags, article.image) == (
        "Local", ("bridges", "Towns"), "https://e.example/bridge.jpg",
    )  # fmt: skip
    assert article.flags == ()


def test_what_the_feed_says_stays_but_for_what_is_no_part_of_it(tools: Tools) -> None:
    told = {
        "title": "The bridge that the town wanted | The Example", "outlet": "The Example",
        "authors": ("By ALI KHAN, Reporter",), "published": at(8), "tags": ("towns", "River"), "section": "News",
        "image": "https://e.example/own.jpg",
    }  # fmt: skip
    article = found(tools, page(tools), **told)
    assert (article.title, article.outlet) == ("The bridge that the town wanted", "The Example")
    assert (article.authors, article.published) == (("Ali Khan",), at(8))
    assert article.tags == ("towns", "River", "bridges")
    assert (article.section, article.image) == ("News", "https://e.example/own.jpg")


def test_without_a_page_the_feed_s_own_is_cleaned(tools: Tools) -> None:
    title = "The bridge that the town wanted - Example"
    article = found(tools, title=title, outlet="example.org", authors=("news@example.org (Jane Doe)",))
    assert (article.title, article.authors) == ("The bridge that the town wanted", ("Jane Doe",))


def test_a_page_s_authors_stand_in_for_a_byline_that_names_nobody(tools: Tools) -> None:
    for nobody in ((), ("Staff",), ("The Example",), ("https://e.example/staff",)):
        assert found(tools, page(tools), authors=nobody, outlet="The Example").authors == ("Jane Doe",)


def test_a_meta_tag_names_whom_json_ld_only_calls_a_reporter(tools: Tools) -> None:
    byline = {"author": "Example staff reporter", "publisher": "The Example"}
    key = page(tools, '<meta property="article:author" content="Ali Khan">', **byline)
    assert found(tools, key, outlet="Example").authors == ("Ali Khan",)


@pytest.mark.parametrize("title", ["A new bridge for the …", "A new bridge for the...", "A new bridge for the […"])
def test_a_title_that_is_cut_off_is_completed_from_the_page(tools: Tools, title: str) -> None:
    assert found(tools, page(tools), title=title).title == "A new bridge for the town"


@pytest.mark.parametrize("title", ["A new …", "Another bridge for the …", "A new bridge for the town"])
def test_another_title_is_not(tools: Tools, title: str) -> None:
    assert found(tools, page(tools), title=title).title == title


@pytest.mark.parametrize(
    ("feed", "published"),
    [
        (None, at(10, minute=30)),  # the feed says nothing
        (at(9, minute=7), at(9, minute=7)),  # a moment of its own
        (at(0), at(10, minute=30)),  # only the day, and that of the page
        (at(0, day=28), at(10, minute=30)),  # the day as it was in Kiritimati
        (at(0, day=26), at(10, minute=30)),  # and on Baker Island
        (at(0, day=24), at(0, day=24)),  # another day
    ],
)
def test_who_is_believed_on_the_time_of_publication(
    tools: Tools, feed: datetime | None, published: datetime | None
) -> None:
    assert found(tools, page(tools), published=feed, feed="f").published == published


def test_a_feed_s_impossible_time_gives_way_to_the_page_s(tools: Tools) -> None:
    told = {"published": SEEN, "first_seen": SEEN, "flags": ("published_clamped",)}
    article = found(tools, page(tools), **told)
    assert (article.published, article.flags) == (at(10, minute=30), ("published_clamped",))
    assert found(tools, page(tools, datePublished="2990-01-01"), **told).published == SEEN


def test_an_impossible_time_of_a_page_is_clamped_and_flagged(tools: Tools) -> None:
    article = found(tools, page(tools, datePublished="2990-01-01T10:00:00Z"))
    assert (article.published, article.flags) == (SEEN, ("published_clamped",))
    article = found(tools, page(tools, datePublished="1970-01-01T00:00:00Z"))
    assert (article.published, article.flags) == (None, ("published_clamped",))


def test_json_ld_goes_before_meta_tags_but_for_a_mere_day(tools: Tools) -> None:
    meta = '<meta property="article:published_time" content="2026-02-27T11:45:00Z">'
    assert found(tools, page(tools, meta, headline="H")).published == at(10, minute=30)
    assert found(tools, page(tools, meta, datePublished="2026-02-27")).published == at(11, minute=45)
    assert found(tools, page(tools, meta, datePublished="2026-02-20")).published == at(0, day=20)


@pytest.mark.parametrize(
    ("feed", "paged", "updated"),
    [
        (None, "2026-02-28T09:00:00Z", at(9, day=28)),
        (at(12), "2026-02-28T09:00:00Z", at(9, day=28)),
        (at(12, day=28), "2026-02-28T09:00:00Z", at(12, day=28)),
        (None, "2026-02-26T09:00:00Z", None),  # before it was published
        (at(9), "", None),
        (None, "2990-01-01T00:00:00Z", None),
    ],
)
def test_the_later_change_counts_and_none_before_publication(
    tools: Tools, feed: datetime | None, paged: str, updated: datetime | None
) -> None:
    assert found(tools, page(tools, dateModified=paged), updated=feed, published=at(10)).updated == updated


@pytest.mark.parametrize(
    "head",
    [
        '<meta property="article:content_tier" content="locked">',
        '<meta property="article:content_tier" content="metered">',
        '<meta name="isAccessibleForFree" content="false">',
        '<script type="application/ld+json">{"@type": "Article", "isAccessibleForFree": "False"}</script>',
    ],
)
def test_a_wall_is_flagged(tools: Tools, head: str) -> None:
    assert found(tools, page(tools, head)).flags == ("paywalled",)


def test_an_article_that_is_free_is_not(tools: Tools) -> None:
    head = '<meta property="article:content_tier" content="metered">'
    assert found(tools, page(tools, head, isAccessibleForFree=True)).flags == ()
    assert found(tools, page(tools, head.replace("metered", "free"))).flags == ()


def test_a_notice_of_a_correction_is_kept_and_flagged_and_stays_in_the_text(tools: Tools) -> None:
    body = f"{SENTENCES}\n\nCorrection: The bridge opens in May."
    article = found(tools, body=body)
    assert (article.correction, article.flags, article.body) == (
        "Correction: The bridge opens in May.", ("corrected",), body,
    )  # fmt: skip
    assert found(tools, page(tools, correction="It is May." * 99)).correction == ("It is May." * 99)[:500]


@pytest.mark.parametrize("flag", ["page_is_login", "page_is_consent", "page_is_index"])
def test_a_page_that_is_no_article_says_nothing(tools: Tools, flag: str) -> None:
    assert found(tools, page(tools), text_from="feed", flags=(flag,)).title == ""


def test_a_page_whose_text_is_not_used_speaks_only_when_it_says_that_it_is_an_article(tools: Tools) -> None:
    wall = page(tools, '<meta property="og:title" content="Please log in to go on reading">')
    assert found(tools, wall, text_from="feed").title == ""
    assert found(tools, page(tools), text_from="feed").title == "A new bridge for the town"
    said = page(tools, '<meta property="og:title" content="A bridge"><meta property="og:type" content="article">')
    assert found(tools, said, text_from="feed").title == "A bridge"


def test_a_page_that_is_gone_or_broken_is_passed_over(tools: Tools, monkeypatch: pytest.MonkeyPatch) -> None:
    for key in (f"{DAY.isoformat()}/0123", "no key at all", tools.pages.put(b"", DAY)):
        assert found(tools, key, title="Told").title == "Told"

    def broken(*_: object, **__: object) -> None:
        raise AttributeError("'NoneType' object has no attribute 'text'")

    monkeypatch.setattr(page_head, "find_date", broken)
    assert found(tools, page(tools, "<title>T</title>"), title="Told").title == "Told"


def test_a_picture_is_an_address_of_the_web_or_none(tools: Tools) -> None:
    for image in ("javascript:alert(1)", "data:image/png;base64,AA", "http://[", ""):
        assert found(tools, page(tools, image=image)).image == ""
    head = '<meta property="og:image" content="//cdn.example/a.jpg">'
    assert found(tools, page(tools, head)).image == "https://cdn.example/a.jpg"


def test_lists_are_bounded_and_flagged(tools: Tools) -> None:
    article = found(tools, tags=tuple(f"tag {n}" for n in range(500)), authors=tuple(f"Jane D{n}o" for n in range(500)))
    assert (len(article.tags) <= 100, len(article.authors) <= 100, article.flags) == (True, True, ("list_truncated",))


def test_it_agrees_with_the_text_stage_on_a_page_that_no_feed_described(tools: Tools) -> None:
    article = text.enrich(msgspec.structs.replace(Article(id="a"), page=page(tools), fetched=SEEN), tools)
    again = enrich(article, tools)
    assert (again.title, again.authors, again.published) == (article.title, article.authors, article.published)


@pytest.mark.parametrize(
    "markup",
    [
        "<div>" * 5_000,
        "<meta property='og:title' content='x'>" * 20_000,
        "<h1>" + "x" * 1_000_000,
        "<script type='application/ld+json'>" + "[" * 500_000 + "</script>",
        "<title>" + " | " * 200_000 + "</title>",
        "<meta name='author' content='" + "By A and " * 50_000 + "'>",
        "<time datetime='2026'>" * 50_000,
        "\u202e\u0000\ud800" * 1_000,
    ],
    ids=["deep", "metas", "h1", "json", "title", "author", "times", "controls"],
)
def test_hostile_pages_end_in_an_article(tools: Tools, markup: str) -> None:
    key = tools.pages.put(f"<html><head></head><body>{markup}".encode("utf-8", "replace"), DAY)
    assert len(encode_article(found(tools, key))) < 500_000


TEXTS = st.text(max_size=40) | st.sampled_from(["A title that is long - E", "By A. B and C D", "2026-02-27", "E", "x…"])
TIMES = st.none() | st.integers(-3_000_000, 3_000_000).map(lambda s: SEEN + timedelta(seconds=s)) | st.just(at(0))


FIELDS = st.fixed_dictionaries({
    "title": TEXTS, "outlet": TEXTS, "authors": st.lists(TEXTS, max_size=3).map(tuple), "published": TIMES,
    "updated": TIMES, "tags": st.lists(TEXTS, max_size=3).map(tuple),
})  # fmt: skip
SAID = st.dictionaries(st.sampled_from([*CLAIMS, "correction", "isAccessibleForFree"]), TEXTS, min_size=1)


@settings(max_examples=150, deadline=None)
@given(fields=FIELDS, claims=st.none() | SAID)
def test_whatever_is_told_enriching_twice_changes_nothing(
    tools: Tools, fields: dict[str, object], claims: dict[str, str] | None
) -> None:
    article = found(tools, page(tools, **claims) if claims else "", **fields)
    assert not (article.updated and article.published and article.updated < article.published)
    if article.title:
        whole = enrich_article(article, tools, tuple(STAGES))
        assert enrich_article(whole, tools, tuple(STAGES)) == whole
