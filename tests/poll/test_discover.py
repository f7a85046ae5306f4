"""The feeds of a site are found where it says, and where they usually are."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import pytest
from fakes import item, rss
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import RequestFailed
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

    async def request(self, method: str, url: str, **_: object) -> Response:
        self.asked.append(url)
        found = self.pages.get(url)
        if isinstance(found, Response):
            return found
        if url == "https://down.example/":
            raise RequestFailed("timed out")
        return Response(status=404 if found is None else 200, url=url, headers={}, body=found or b"")

    async def close(self) -> None:
        """Nothing is open."""


def found(pages: Mapping[str, bytes | Response], url: str = URL) -> tuple[Discovery, Site]:
    site = Site(pages)
    return asyncio.run(discover(url, http=site)), site


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


def test_robots_txt_names_sitemaps_those_of_news_first() -> None:
    text = "User-agent: *\nSitemap: https://a.example/all.xml\n sitemap :https://a.example/NEWS.xml\nSitemap: x\n"
    assert sitemaps_in(text) == ["https://a.example/NEWS.xml", "https://a.example/all.xml"]


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


def test_a_site_that_does_not_answer_says_why() -> None:
    result, _ = found({}, "https://down.example/")
    assert (result.cause, result.feeds) == ("timed out", ())


def test_a_page_of_a_thousand_links_costs_no_more_requests() -> None:
    links = "".join(f'<link rel=alternate type=application/rss+xml href="/{n}">' for n in range(1_000))
    _, site = found({URL: links.encode()})
    assert len(site.asked) <= MAX_REQUESTS


@pytest.mark.parametrize("piece", [b"<a href=/feed>", b"<a", b"<!--", b"<link rel=alternate href=x ", b"\x00"])
def test_a_hostile_page_is_read_within_bounds(piece: bytes) -> None:
    assert len(feeds_in(piece * (3_000_000 // len(piece)), URL)) <= 50


@given(st.binary(max_size=200), st.text(max_size=30))
def test_nothing_makes_it_raise(page: bytes, url: str) -> None:
    feeds_in(page, "https://stand.example/")
    sitemaps_in(page.decode("latin-1") + url)
