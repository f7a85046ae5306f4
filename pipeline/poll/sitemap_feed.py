"""A sitemap taken for a feed: its newest addresses are the entries.

A news sitemap (https://developers.google.com/search/docs/crawling-indexing/sitemaps/news-sitemap) gives title,
language, keywords and date. A plain one (https://www.sitemaps.org/protocol.html) gives but a link and when the page
last changed, so such a feed needs its pages fetched. An index gives no entries: ``children_to_read`` says what to
fetch for them.
"""

from __future__ import annotations

import html
from collections.abc import Iterable
from datetime import UTC, datetime

from courlan import extract_domain

from pipeline.identity import clean_link, link_host
from pipeline.poll import bounds
from pipeline.poll.bounds import NotAFeed
from pipeline.poll.gunzip import MAGIC, gunzip
from pipeline.poll.noted import Noted, link_in
from pipeline.poll.parse import Entry, ParsedFeed, primary_language
from pipeline.poll.sitemap import Sitemap, SitemapEntry, read_sitemap_file
from pipeline.text.limits import MAX_TITLE_CHARACTERS

MAX_CHILDREN = 3
"""Sitemaps of an index that one poll reads; publishers add a new one a day or a month, and change the newest."""
_NEVER = datetime.min.replace(tzinfo=UTC)


def parse_sitemap(body: bytes, *, url: str = "") -> ParsedFeed:
    """Return a sitemap as a feed, the newest entries first; of an index the sitemaps to read. Packed (gzip) or not.

    Raises:
        NotAFeed: it is none, names no sitemap of its own site, or is built to exhaust its reader.
    """
    found = read_packed_sitemap(body, url)
    if found.children:
        children = tuple(children_to_read(found, url))
        if not children:
            raise NotAFeed("a sitemap index that names no sitemap of its own site")
        return ParsedFeed(children=children)
    return feed_of(found.entries, url)


def read_packed_sitemap(body: bytes, url: str) -> Sitemap:
    """Return what a sitemap file holds, packed or not. Raises ``NotAFeed`` as ``read_sitemap_file`` does."""
    bounds.refuse_bytes(body := gunzip(body) if body.startswith(MAGIC) else body)
    return read_sitemap_file(body, url)


def feed_of(entries: Iterable[SitemapEntry], url: str) -> ParsedFeed:
    """Return a feed of the newest ``bounds.MAX_ITEMS`` entries."""
    newest = sorted(entries, key=_moment, reverse=True)
    kept = tuple(_entry(one, url, place) for place, one in enumerate(newest[: bounds.MAX_ITEMS]))
    publication = next((one.publication for one in newest if one.publication), "")
    return ParsedFeed(
        title=Noted(()).plain(html.escape(publication, quote=False), MAX_TITLE_CHARACTERS, "title_truncated"),
        language=next((entry.language for entry in kept if entry.language != "und"), "und"),
        entries=kept,
        total=len(kept),
        cut=len(newest) > bounds.MAX_ITEMS,
    )


def children_to_read(index: Sitemap, url: str) -> list[str]:
    """Return the few sitemaps of an index at ``url`` that a poll reads: those changed last, of the same site.

    Others are refused: an index may name anything, and only a site's own robots.txt could vouch for another host
    (sitemaps.org, "Sitemaps & Cross Submits"). Without dates the last ones count, since new ones are put at the end.
    """
    site = _site(url)
    own = [
        (lastmod or _NEVER, place, link)
        for place, (named, lastmod) in enumerate(index.children)
        if (link := clean_link(named)) and _site(link) == site
    ]
    return list(dict.fromkeys(link for _, _, link in sorted(own, reverse=True)))[:MAX_CHILDREN]


def _site(url: str) -> str:
    """Return the registered domain of an address, or its host where there is none."""
    return extract_domain(url) or link_host(url)


def _moment(entry: SitemapEntry) -> datetime:
    return entry.published or entry.lastmod or _NEVER


def _entry(one: SitemapEntry, url: str, place: int) -> Entry:
    noted = Noted(())
    link = link_in(one.url, url)
    if one.url and not link:
        noted.add("link_removed")
    return Entry(
        place=place,
        link=link,
        identifying_link=link,
        title=noted.plain(html.escape(one.title, quote=False), MAX_TITLE_CHARACTERS, "title_truncated"),
        tags=noted.listed(html.escape(word, quote=False) for word in one.keywords),
        language=primary_language(one.language),
        published=one.published or one.lastmod,
        updated=one.lastmod,
        flags=tuple(noted.flags),
    )
