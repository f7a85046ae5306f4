"""Stage text: where the body comes from."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline import telemetry
from pipeline.article import Article, Heading
from pipeline.enrich import page
from pipeline.enrich.text import enrich
from pipeline.enrich.tools import Tools
from pipeline.ingest.memory_pages import MemoryPages
from pipeline.ports import NoProfiles

DAY = date(2026, 3, 1)
SENTENCES = "The council met on Monday to discuss the new bridge over the river. It will decide next week. "
PAGE = f"""<html><head><title>Bridge</title><link rel="canonical" href="/news/bridge"></head><body>
<nav><a href="/">Home</a> <a href="/sport">Sport</a></nav>
<article><h1>A bridge for the town</h1><p>{SENTENCES * 2}</p><h2>What it costs</h2><p>{SENTENCES * 3}</p></article>
<footer>All rights reserved</footer></body></html>"""


def article(**fields: object) -> Article:
    return msgspec.structs.replace(Article(id="a"), **fields)


def stored(tools: Tools, markup: str) -> str:
    return tools.pages.put(markup.encode(), DAY)


def test_the_markup_of_a_feed_becomes_body_and_headings(tools: Tools) -> None:
    found = enrich(article(html="<p>One.</p><h2>Two</h2><p>Three.</p>", feed="f"), tools)
    assert (found.body, found.html, found.text_from) == ("One.\n\nTwo\n\nThree.", "", "feed")
    assert found.headings == (Heading(6, "Two"),)


def test_a_file_s_body_is_taken_as_it_is(tools: Tools) -> None:
    found = enrich(article(body="One < two.\n\nThree & four.", text_from="file"), tools)
    assert (found.body, found.text_from) == ("One < two.\n\nThree & four.", "file")


def test_a_summary_alone_is_the_body(tools: Tools) -> None:
    found = enrich(article(summary="Only this."), tools)
    assert (found.body, found.summary) == ("Only this.", "")


def test_a_summary_that_repeats_the_body_is_emptied_and_another_stays(tools: Tools) -> None:
    assert enrich(article(html="<p>The same\ntext.</p>", summary="The same text."), tools).summary == ""
    assert enrich(article(html="<p>The whole text.</p>", summary="A summary."), tools).summary == "A summary."


def test_the_stored_page_gives_text_headings_and_canonical_address(tools: Tools) -> None:
    raw = article(
        page=stored(tools, PAGE), html="<p>Teaser.</p>", feed="f", url="https://e.example/?id=1",
        title="A bridge for the town | The Example",
    )  # fmt: skip
    found = enrich(raw, tools)
    assert found.text_from == "page"
    assert found.body.startswith("The council met"), "the heading that repeats the title is left out"
    assert "Home" not in found.body
    assert "All rights" not in found.body
    assert [heading.text for heading in found.headings] == ["What it costs"]
    assert found.canonical_url == "https://e.example/news/bridge"
    assert found.flags == ()


def test_a_page_that_is_gone_leaves_the_feed_s_text(tools: Tools) -> None:
    for key in (f"{DAY.isoformat()}/0123", "no key at all"):
        found = enrich(article(page=key, html="<p>Feed text.</p>", feed="f"), tools)
        assert (found.body, found.text_from, found.flags) == ("Feed text.", "feed", ("page_missing",))


@pytest.mark.parametrize(
    "markup",
    [
        "<html><body><p>Please log in.</p></body></html>",
        PAGE,  # whole, but far less than the feed gives
        "",
        "no html",
        "<html><body>" + "<div>" * 5_000 + "deep",
        "<html><body><p " + " ".join(f"a{n}" for n in range(1_000)) + f">{SENTENCES * 90}</p></body></html>",
    ],
    ids=["wall", "teaser", "empty", "text", "too deep", "too many attributes"],
)
def test_a_page_with_less_than_the_feed_leaves_the_feed_s_text(tools: Tools, markup: str) -> None:
    feed_text = SENTENCES * 20
    found = enrich(article(page=stored(tools, markup), html=f"<p>{feed_text}</p>", feed="f"), tools)
    assert (found.body, found.text_from, found.flags) == (feed_text.strip(), "feed", ("page_without_article",))


def test_a_library_that_breaks_on_a_page_costs_only_the_page(tools: Tools, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise AttributeError("'NoneType' object has no attribute 'text'")

    monkeypatch.setattr(page, "bare_extraction", broken)
    found = enrich(article(page=stored(tools, PAGE), html="<p>Feed text.</p>", feed="f"), tools)
    assert (found.body, found.flags) == ("Feed text.", ("page_without_article",))


def test_a_canonical_address_that_is_no_web_address_is_ignored(tools: Tools) -> None:
    for href in ("javascript:alert(1)", "http://[", "ftp://e.example/x", "data:text/html,x"):
        raw = article(page=stored(tools, PAGE.replace("/news/bridge", href)), url="https://e.example/1?id=2")
        assert enrich(raw, tools).canonical_url == ""


def test_controls_in_the_markup_are_removed_and_flagged(tools: Tools) -> None:
    found = enrich(article(html="<p>a\x00b\ud800c</p>"), tools)
    assert (found.body, found.flags) == ("ab\ufffdc", ("controls_removed",))


@settings(max_examples=150, deadline=None)
@given(html=st.text(max_size=300), body=st.text(max_size=100), summary=st.text(max_size=100))
def test_no_text_raises(tools: Tools, html: str, body: str, summary: str) -> None:
    found = enrich(article(html=html, body=body, summary=summary), tools)
    for heading in found.headings:
        assert found.body[heading.offset :].startswith(heading.text)


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=400), st.booleans())
def test_no_page_raises(tools: Tools, body: bytes, framed: bool) -> None:
    key = tools.pages.put(b"<html><body>" + body + b"</body></html>" if framed else body, DAY)
    enrich(article(page=key, html="<p>x</p>"), tools)


HEAD = """<meta property="og:title" content="A bridge"><meta name="author" content="Jane Doe">
<meta property="article:published_time" content="2026-02-27T10:00:00Z">"""
SEEN = datetime(2026, 3, 1, 12, tzinfo=UTC)


def test_a_page_that_no_feed_described_speaks_for_itself_where_nothing_else_does(tools: Tools) -> None:
    page = stored(tools, PAGE.replace("<title>", f"{HEAD}<title>"))
    found = enrich(article(page=page, fetched=SEEN), tools)
    assert (found.title, found.authors) == ("A bridge for the town", ("Jane Doe",))
    assert found.published == datetime(2026, 2, 27, 10, tzinfo=UTC)
    given = {"title": "Told", "authors": ("Told",), "published": SEEN}
    told = enrich(article(page=page, fetched=SEEN, **given), tools)
    assert (told.title, told.authors, told.published) == ("Told", ("Told",), SEEN)


def test_a_page_speaks_neither_for_a_feed_s_item_nor_where_it_holds_no_article(tools: Tools) -> None:
    page = stored(tools, PAGE.replace("<title>", f"{HEAD}<title>"))
    of_feed = enrich(article(page=page, feed="f", title="Told"), tools)
    assert (of_feed.title, of_feed.authors, of_feed.published) == ("Told", (), None)
    wall = stored(tools, f"<html><head>{HEAD}</head><body><p>Please log in.</p></body></html>")
    assert enrich(article(page=wall, fetched=SEEN), tools).title == ""


def test_a_page_speaks_for_a_feed_s_item_that_is_an_address_alone(tools: Tools) -> None:
    page = stored(tools, PAGE.replace("<title>", f"{HEAD}<title>"))
    found = enrich(article(page=page, feed="f", fetched=SEEN), tools)
    assert (found.title, found.authors) == ("A bridge for the town", ("Jane Doe",))


def test_an_impossible_date_of_a_page_is_clamped_and_flagged(tools: Tools) -> None:
    page = stored(tools, PAGE.replace("<title>", HEAD.replace("2026-02", "2990-02") + "<title>"))
    found = enrich(article(page=page, fetched=SEEN), tools)
    assert (found.published, found.flags) == (SEEN, ("published_clamped",))


def test_a_page_is_parsed_once_for_all_stages(tools: Tools, monkeypatch: pytest.MonkeyPatch) -> None:
    parsed = []
    monkeypatch.setattr("pipeline.enrich.tools.parse_page", lambda body: parsed.append(body) or page.parse_page(body))
    key = tools.pages.put(b"<p>one</p>", DAY)
    other = tools.pages.put(b"<p>two</p>", DAY)
    assert tools.open_page(key) is tools.open_page(key)
    assert tools.open_page(other) is not tools.open_page(key)
    assert parsed == [b"<p>one</p>", b"<p>two</p>", b"<p>one</p>"]
    assert tools.open_page("../../etc/passwd") is None


LONG = " ".join(f"Sentence {number} of the council’s long report on bridges." for number in range(60))


def with_json(body: str, kind: str = "NewsArticle") -> str:
    return f'<script type="application/ld+json">{json.dumps({"@type": kind, "articleBody": body})}</script>'


def test_the_choice_and_how_sure_it_is_are_recorded(tools: Tools) -> None:
    agreed = stored(tools, PAGE.replace("<title>", with_json(SENTENCES * 5) + "<title>"))
    of_page = enrich(article(page=agreed, feed="f", title="T"), tools)
    assert (of_page.text_from, of_page.text_choice) == ("page", "extracted")
    alone = enrich(article(page=stored(tools, PAGE), feed="f", title="T"), tools)
    assert of_page.text_confidence > alone.text_confidence > 0
    assert enrich(article(html="<p>One.</p>", feed="f"), tools).text_choice == "content"
    assert enrich(article(summary="One.", feed="f"), tools).text_choice == "summary"
    assert enrich(article(body="One.", text_from="file"), tools).text_choice == "given"


def test_a_page_that_shows_a_teaser_gives_the_text_of_its_json_ld(tools: Tools) -> None:
    teaser = (
        PAGE.replace("<title>", with_json(LONG) + "<title>")
        .replace(SENTENCES * 3, LONG[:300])
        .replace(SENTENCES * 2, "")
    )
    found = enrich(article(page=stored(tools, teaser), feed="f", title="T"), tools)
    assert (found.text_from, found.text_choice, found.body) == ("page", "json_ld", LONG)


def test_a_live_blog_is_what_stands_before_its_entries(tools: Tools) -> None:
    update = json.dumps({"@type": "LiveBlogPosting", "liveBlogUpdate": [{"headline": "The first  entry"}]})
    live = PAGE.replace("<title>", f'<script type="application/ld+json">{update}</script><title>').replace(
        "What it costs", "The first entry"
    )
    assert enrich(article(page=stored(tools, live), feed="f", title="T"), tools).body == (SENTENCES * 2).strip()


@pytest.mark.parametrize(
    ("markup", "flag"),
    [
        ("<form><input type=password></form><p>Please log in.</p>", "page_is_login"),
        ("<p>We use cookies.</p><button>Accept all</button>", "page_is_consent"),
        ('<meta property="og:type" content="video.other"><p>A film.</p>', "page_is_video"),
        ("".join(f'<div><h3><a href="/{n}">The headline of article {n} on bridges</a></h3><p>What it says, in short.'
                 "</p></div>" for n in range(30)), "page_is_index"),
    ],
)  # fmt: skip
def test_a_page_that_is_no_article_is_named_and_counted(tools: Tools, markup: str, flag: str) -> None:
    kind = flag.removeprefix("page_is_")
    counted = telemetry.PAGES_WITHOUT_ARTICLE.labels(kind)._value.get()
    page = stored(tools, f"<html><body>{markup}</body></html>")
    found = enrich(article(page=page, feed="f", title="T", html="<p>Feed text.</p>"), tools)
    assert (found.body, found.text_from, found.flags) == ("Feed text.", "feed", ("page_without_article", flag))
    assert telemetry.PAGES_WITHOUT_ARTICLE.labels(kind)._value.get() == counted + 1


class Notes(NoProfiles):
    """Profiles that keep what they are told."""

    def __init__(self) -> None:
        self.notes: list[tuple[str, str, int, int, int]] = []

    def note(self, article_id: str, outlet: str, keys: tuple[int, ...], characters: int, page_bytes: int) -> None:
        self.notes.append((article_id, outlet, len(keys), characters, page_bytes))


def test_the_outlet_s_profile_is_told_once_of_a_page_that_gave_the_text(tools: Tools) -> None:
    notes = Notes()
    tools = Tools(pages=MemoryPages(), languages=tools.languages, profiles=notes)
    found = enrich(article(page=stored(tools, PAGE), feed="f", title="T", outlet="The Example"), tools)
    length = sum(map(len, found.body.split("\n\n")))
    assert notes.notes == [("a", "The Example", 1, length, len(PAGE))]
    enrich(article(html="<p>Feed text.</p>", feed="f", outlet="The Example"), tools)
    enrich(article(page=stored(tools, PAGE), feed="f", title="T"), tools)
    assert len(notes.notes) == 1, "neither a feed's text nor that of an unknown outlet"


def test_no_profile_is_told_of_an_archive_s_pages_nor_of_one_that_is_a_film(tools: Tools) -> None:
    notes = Notes()
    tools = Tools(pages=MemoryPages(), languages=tools.languages, profiles=notes)
    enrich(article(page=stored(tools, PAGE), feed="f", title="T", outlet="The Example", lane="backfill"), tools)
    film = stored(tools, "<html><head><meta property='og:type' content='video.other'></head><body><video></video>")
    found = enrich(article(page=film, html="<p>Teaser.</p>", feed="f", title="T", outlet="The Example"), tools)
    assert "page_is_video" in found.flags
    assert notes.notes == []


def test_a_second_run_changes_nothing_even_when_the_page_is_gone(tools: Tools) -> None:
    page = stored(tools, PAGE.replace("<title>", with_json(SENTENCES * 5) + "<title>"))
    once = enrich(article(page=page, feed="f", title="T", html="<p>Teaser.</p>", summary="Of a bridge."), tools)
    assert once.text_from == "page"
    assert enrich(once, tools) == once
    gone = msgspec.structs.replace(once, page=f"{DAY.isoformat()}/0123")
    assert enrich(gone, tools) == gone


@settings(max_examples=100, deadline=None)
@given(
    st.sampled_from([PAGE, "<p>x</p>", "<html><body><form><input type=password></form></body></html>", ""])
    | st.text(max_size=80),
    st.text(max_size=60),
    st.text(max_size=60),
    st.sampled_from(["f", ""]),
)
def test_any_article_is_done_after_one_run(tools: Tools, page: str, html: str, summary: str, feed: str) -> None:
    once = enrich(article(page=stored(tools, page), html=html, summary=summary, feed=feed, fetched=SEEN), tools)
    assert enrich(once, tools) == once
