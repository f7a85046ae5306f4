"""Sitemaps taken for feeds: of news, plain ones, and indexes of them."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime

import pytest

from pipeline.poll.bounds import MAX_ITEMS, NotAFeed
from pipeline.poll.formats import is_sitemap, read_feed
from pipeline.poll.parse import Entry
from pipeline.poll.sitemap import read_sitemap_file
from pipeline.poll.sitemap_feed import children_to_read

URL = "https://www.stand.example/news-sitemap.xml"
NEWS = "http://www.google.com/schemas/sitemap-news/0.9"


def urlset(*urls: str) -> bytes:
    head = f'<?xml version="1.0"?><urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9" xmlns:news="{NEWS}">'
    return (head + "".join(f"<url>{url}</url>" for url in urls) + "</urlset>").encode()


def index(*children: tuple[str, str]) -> bytes:
    inner = "".join(f"<sitemap><loc>{url}</loc><lastmod>{day}</lastmod></sitemap>" for url, day in children)
    return f'<sitemapindex xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{inner}</sitemapindex>'.encode()


def page(number: int, day: str = "2026-03-01") -> str:
    return f"<loc>https://www.stand.example/{number}</loc><lastmod>{day}</lastmod>"


STORY = """<loc>https://www.stand.example/ferry</loc><news:news>
<news:publication><news:name>The Stand &amp; Co</news:name><news:language>de</news:language></news:publication>
<news:publication_date>2026-03-01T10:00:00+01:00</news:publication_date>
<news:title>Ferry &lt;b&gt; aground</news:title><news:keywords>ports, ferries</news:keywords></news:news>"""


def test_a_news_sitemap_gives_title_language_tags_and_date() -> None:
    feed = read_feed(urlset(STORY), url=URL)
    assert (feed.title, feed.language) == ("The Stand & Co", "de")
    link = "https://www.stand.example/ferry"
    assert feed.entries == (
        Entry(
            link=link, identifying_link=link, title="Ferry <b> aground", tags=("ports", "ferries"), language="de",
            published=datetime(2026, 3, 1, 9, tzinfo=UTC),
        ),
    )  # fmt: skip


def test_a_plain_sitemap_gives_links_and_dates_the_newest_first() -> None:
    feed = read_feed(urlset(page(1), page(2, "2026-03-05"), "<loc>ftp://stand.example/3</loc>"), url=URL)
    assert [entry.link[-2:] for entry in feed.entries] == ["/2", "/1", ""]
    assert feed.entries[0].published == datetime(2026, 3, 5, tzinfo=UTC)
    assert feed.entries[2].flags == ("link_removed",)


def test_a_packed_sitemap_is_unpacked_and_a_bomb_is_refused() -> None:
    assert len(read_feed(gzip.compress(urlset(page(1))), url=URL).entries) == 1
    with pytest.raises(NotAFeed, match="unpacks to more than"):
        read_feed(gzip.compress(b" " * 30_000_000), url=URL)
    for broken in (b"\x1f\x8b", gzip.compress(urlset(page(1)))[:-9], b"\x1f\x8b\x08\x00" + b"x" * 50):
        with pytest.raises(NotAFeed):
            read_feed(broken, url=URL)


def test_of_too_many_the_newest_count() -> None:
    urls = [page(number, f"2026-03-0{1 + number % 5}") for number in range(MAX_ITEMS + 2_000)]
    feed = read_feed(urlset(*urls), url=URL)
    assert (len(feed.entries), feed.cut) == (MAX_ITEMS, True)
    assert feed.entries[0].published == datetime(2026, 3, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("body", "is_one"),
    [
        (urlset(), True), (index(), True), (b"<x:urlset >", True), (urlset().decode().encode("utf-16"), True),
        (b"<rss><channel><description>&lt;urlset <urlset ></description>", False), (b"<html><urlset >", False),
        (b"<urlsets >", False), (b"", False),
    ],
)  # fmt: skip
def test_a_sitemap_is_known_by_its_root(body: bytes, is_one: bool) -> None:
    assert is_sitemap(body) is is_one


INDEX = "https://www.example.co.uk/index.xml"
CHILDREN = [
    ("https://www.example.co.uk/old.xml", "2025-01-01"), ("https://www.example.co.uk/a.xml", "2026-03-01"),
    ("https://img.example.co.uk/b.xml", "2026-03-03"), ("https://evil.example/c.xml", "2026-04-01"),
    ("http://127.0.0.1/d.xml", "2026-04-01"), ("https://www.example.co.uk/e.xml", "2026-02-01"),
]  # fmt: skip


def test_of_an_index_the_newest_sitemaps_of_the_same_site_are_read() -> None:
    found = read_sitemap_file(index(*CHILDREN), INDEX)
    assert [link.rpartition("/")[2] for link in children_to_read(found, INDEX)] == ["b.xml", "a.xml", "e.xml"]


def test_an_index_names_the_sitemaps_to_read_in_its_place() -> None:
    found = read_feed(index(*CHILDREN), url=INDEX)

    assert (found.entries, found.children) == (
        (),
        tuple(children_to_read(read_sitemap_file(index(*CHILDREN), INDEX), INDEX)),
    )


def test_an_index_that_names_none_of_its_own_site_is_no_feed() -> None:
    with pytest.raises(NotAFeed, match="names no sitemap of its own site"):
        read_feed(index(("https://evil.example/a.xml", "2026-03-01")), url=INDEX)
