"""The feeds of a site are found where it says, and where they usually are."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from datetime import UTC, datetime

import pytest
from fakes import item, rss
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import RequestFailed, RequestRefused
from pipeline.poll.discover import MAX_REQUESTS, Discovery, discover
from pipeline.poll.links import common_paths, feeds_in, sitemaps_in
from pipeline.ports import Response

URL = "https://stand.example/news/"
FEED = rss(item("A", "https://stand.example/1")).encode()
OTHER = rss(item("B", "https://stand.example/2"), title="Other").encode()


class Site:
    """An ``Http`` that has these pages and answers 404 for all others."""

    def __init__(self, pages: Mapping[str, bytes | Response]) -> None:
        self.pages = pages
        self.asked: list[str] = []
        self.pauses = 0

    async def request(self, method: str, url: str, **_: object) -> Response:
        self.asked.append(url)
        found = self.pages.get(url)
        if isinstance(found, Response):
            return found
        if url == "https://down.example/":
            raise RequestFailed("timed out")
        if "//10." in url or url.endswith("/loop"):
            raise RequestRefused("our own rules")
        return Response(status=404 if found is None else 200, url=url, headers={}, body=found or b"")

    async def close(self) -> None:
        """Nothing is open."""


def found(pages: Mapping[str, bytes | Response], url: str = URL) -> tuple[Discovery, Site]:
    site = Site(pages)

    async def sleep(seconds: float) -> None:
        site.asked.append("pause")

    result = asyncio.run(discover(url, http=site, sleep=sleep))
    site.pauses, site.asked = site.asked.count("pause"), [asked for asked in site.asked if asked != "pause"]
    assert len(site.asked) == result.requests <= MAX_REQUESTS
    return result, site


PAGE = b"""<html><head><base href="/sub/"><link rel="alternate" type="application/rss+xml" title="All" href="all">
<link rel="alternate stylesheet" href="style.css"><link rel="ALTERNATE" type="application/atom+xml; charset=x"
href="https://feeds.example/stand"><link rel=alternate type="application/rss+xml" href="file:///etc/passwd"></head>
<body><a href="/sport/rss.xml">Sport</a><a href="/story">x</a><a href="https://other.example/feed">y</a>
<a href="all/">again</a></body></html>"""


def test_a_page_declares_feeds_and_links_to_others_of_its_host() -> None:
    assert [(one.url, one.title, one.how) for one in feeds_in(PAGE, URL)] == [
        ("https://stand.example/sub/all", "All", "declared"),
        ("https://feeds.example/stand", "", "declared"),
        ("https://stand.example/sport/rss.xml", "Sport", "linked"),
    ]


def test_usual_places_are_of_the_folder_and_the_host() -> None:
    places = [one.url for one in common_paths("https://stand.example/blog/x")]
    assert places[:3] == [
        "https://stand.example/blog/feed",
        "https://stand.example/blog/rss",
        "https://stand.example/feed",
    ]
    assert all(place.startswith("https://stand.example/") for place in places)


def test_robots_txt_names_sitemaps_of_its_own_site_those_of_news_first() -> None:
    text = (
        "User-agent: *\nSitemap: https://www.a.example/all.xml\n sitemap :https://a.example/NEWS.xml\n"
        "Sitemap: https://b.example/news.xml\nSitemap: javascript:x\n"
    )
    assert [one.url for one in sitemaps_in(text, "https://a.example/robots.txt")] == [
        "https://a.example/NEWS.xml", "https://www.a.example/all.xml",
    ]  # fmt: skip


def test_what_a_site_declares_comes_first_and_is_tried() -> None:
    robots = b"Sitemap: https://stand.example/news.xml"
    news = b"<urlset><url><loc>https://stand.example/9</loc></url></urlset>"
    result, site = found({
        URL: PAGE, "https://feeds.example/stand": FEED, "https://stand.example/sport/rss.xml": OTHER,
        "https://stand.example/robots.txt": robots, "https://stand.example/news.xml": news,
    })  # fmt: skip
    assert [(one.how, one.title, one.items, one.needs_pages) for one in result.feeds] == [
        ("declared", "The Stand", 1, False), ("linked", "Other", 1, False), ("robots.txt", "", 1, True),
    ]  # fmt: skip
    assert [(one.url, one.cause) for one in result.refused] == [("https://stand.example/sub/all", "HTTP 404 Not Found")]
    assert len(site.asked) == result.requests


def test_usual_places_are_tried_when_nothing_is_declared_and_a_copy_counts_once() -> None:
    result, site = found({URL: b"<html>", "https://stand.example/rss": FEED, "https://stand.example/feed.xml": FEED})
    assert [one.url for one in result.feeds] == ["https://stand.example/rss"]
    assert len(site.asked) == len(set(site.asked)) <= MAX_REQUESTS


def test_an_address_that_is_a_feed_itself_costs_one_request() -> None:
    result, site = found({URL: FEED})
    assert (result.is_feed, result.feeds[0].url, len(site.asked)) == (True, URL, 1)


def test_a_site_that_does_not_answer_is_not_asked_again() -> None:
    result, site = found({}, "https://down.example/")
    assert (result.cause, result.feeds, len(site.asked)) == ("timed out", (), 1)


def test_a_wall_before_the_page_does_not_keep_the_usual_places_from_being_tried() -> None:
    wall = Response(status=403, url=URL, headers={"cf-mitigated": "challenge"}, body=b"<html>")
    result, _ = found({URL: wall, "https://stand.example/rss.xml": FEED})
    assert result.cause == "HTTP 403 Forbidden: Cloudflare's challenge"
    assert [one.url for one in result.feeds] == ["https://stand.example/rss.xml"]


def test_one_request_comes_after_the_other_with_a_pause_between_those_to_one_host() -> None:
    result, site = found({URL: PAGE, "https://feeds.example/stand": FEED})
    assert "https://feeds.example/stand" in site.asked
    assert site.pauses == result.requests - 2  # the first of each host comes without


def test_the_same_items_at_another_address_or_in_another_format_count_once() -> None:
    atom = (
        b'<feed xmlns="http://www.w3.org/2005/Atom"><title>The Stand</title><entry><title>A</title>'
        b'<link href="https://stand.example/1"/><updated>2026-03-02T10:00:00Z</updated></entry></feed>'
    )
    declared = b"".join(b"<link rel=alternate type=application/rss+xml href=/%s>" % name for name in (b"a", b"b", b"c"))
    moved = Response(status=200, url="https://stand.example/a", headers={}, body=OTHER)
    result, _ = found({
        URL: declared, "https://stand.example/a": FEED, "https://stand.example/b": atom,
        "https://stand.example/c": moved,
    })  # fmt: skip
    assert [one.url for one in result.feeds] == ["https://stand.example/a"]
    assert [one.cause for one in result.refused] == ["the same items as https://stand.example/a"] * 2


def test_what_is_declared_is_good_or_said_to_be_no_use() -> None:
    links = ("javascript:alert(1)", "data:text/xml,<rss/>", "http://10.0.0.1/feed", "/loop", "/page", "/comments/feed/")
    page = "".join(f'<link rel="alternate" type="application/rss+xml" href="{href}">' for href in links)
    result, site = found({
        URL: page.encode(), "https://stand.example/page": b"<html><body>Sorry",
        "https://stand.example/comments/feed/": FEED,
    })  # fmt: skip
    assert [(one.url, one.cause) for one in result.refused if one.how == "declared"] == [
        ("http://10.0.0.1/feed", "our own rules"),
        ("https://stand.example/loop", "our own rules"),
        ("https://stand.example/page", "not a feed: an HTML page"),
    ]
    assert [(one.is_of_comments, one.is_declared) for one in result.feeds] == [(True, False)]
    assert not [asked for asked in site.asked if not asked.startswith("http")]


def test_an_index_of_sitemaps_is_said_to_be_one() -> None:
    index = b"<sitemapindex><sitemap><loc>https://stand.example/1.xml</loc></sitemap></sitemapindex>"
    result, _ = found({
        URL: b"<html>", "https://stand.example/robots.txt": b"Sitemap: https://stand.example/all.xml",
        "https://stand.example/all.xml": index,
    })  # fmt: skip
    assert [(one.how, one.is_index, one.items) for one in result.feeds] == [("robots.txt", True, 0)]


def test_the_newest_item_is_told() -> None:
    dated = rss(
        item("A", "https://stand.example/1", date="Mon, 02 Mar 2026 10:00:00 GMT"), item("B", "https://x.example/2")
    )
    result, _ = found({URL: dated.encode()})
    assert result.feeds[0].newest == datetime(2026, 3, 2, 10, tzinfo=UTC)


def test_a_page_of_a_thousand_links_costs_no_more_requests() -> None:
    links = "".join(f'<link rel=alternate type=application/rss+xml href="/{n}">' for n in range(1_000))
    result, _ = found({URL: links.encode()})
    assert result.requests == MAX_REQUESTS
    assert result.left_out > 0


ATTRIBUTES = b"<link " + b" ".join(b"a%d=1" % number for number in range(150_000)) + b">"
HOSTILE = (
    b"<a href='/feed'>x</a>", b"<a", b"<!--", b"<link rel=alternate href=x ", b"\x00", b"<a href='javascript:/feed'>",
    b"<base href=/x>", b"<div>", b"<a href=/feed>x<b>", b"<link rel=feed href=", ATTRIBUTES,
)  # fmt: skip


@pytest.mark.parametrize("piece", HOSTILE, ids=range(len(HOSTILE)))
def test_a_hostile_page_of_ten_mebibytes_is_read_within_bounds(piece: bytes) -> None:
    page = piece * (10 * 1024**2 // len(piece))
    began = time.process_time()
    assert len(feeds_in(page, URL)) <= 50
    assert time.process_time() - began < 10  # 1 s on one core; a tree of the attributes takes 15 s


@given(st.binary(max_size=200), st.text(max_size=30))
def test_nothing_makes_it_raise(page: bytes, url: str) -> None:
    feeds_in(page, "https://stand.example/")
    sitemaps_in(page.decode("latin-1") + url, "https://stand.example/robots.txt")
