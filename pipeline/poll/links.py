"""Where the feeds of a site may be: what its page declares, what its robots.txt names, and where feeds usually are."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urljoin, urlsplit

from lxml import etree
from msgspec import Struct

from pipeline.identity import canonical_link
from pipeline.poll.noted import Noted, link_in
from pipeline.text.charset import decode_page
from pipeline.text.limits import MAX_TITLE_CHARACTERS

PAGE_BYTES = 2 * 1024 * 1024
"""Of a page that are looked at."""
MAX_ELEMENTS = 50_000
MAX_FOUND = 50
ROBOTS_BYTES = 512 * 1024
"""RFC 9309 section 2.5: a crawler reads at least 500 KiB."""

_TYPES = frozenset(
    ("application/rss+xml", "application/atom+xml", "application/rdf+xml", "application/feed+json", "application/json")
)
_LOOKS_LIKE_A_FEED = re.compile(
    r"/(?:feeds?|rss|atom|rdf)(?:[/?]|$)|(?:rss|atom|feed|index)\.(?:xml|rdf|json)$|\.(?:rss|atom|rdf)$|[?&]feed=",
    re.IGNORECASE,
)
_SITEMAP_LINE = re.compile(r"^[ \t]{0,40}sitemap[ \t]{0,40}:[ \t]{0,40}(\S{1,2000})", re.IGNORECASE | re.MULTILINE)
_NEAR = ("feed", "rss")
_AT_ROOT = (
    "/feed", "/rss", "/rss.xml", "/feed.xml", "/atom.xml", "/index.xml", "/feeds/posts/default", "/?feed=rss2",
    "/feed.json", "/news-sitemap.xml", "/sitemap_news.xml", "/sitemap-news.xml",
)  # fmt: skip


class Found(Struct, frozen=True, kw_only=True):
    """An address at which a feed may be."""

    url: str
    title: str = ""
    how: str
    """``declared`` by a link element, ``linked`` by an anchor, ``robots.txt``, ``usual place``, or ``given``."""


def feeds_in(page: bytes, url: str) -> list[Found]:
    """Return the feeds that an HTML page at ``url`` declares, then those it links to; each once, at most 50.

    A link element with rel=alternate and a feed's type declares one (https://www.rssboard.org/rss-autodiscovery). An
    anchor counts when its address looks like a feed's and is of the same host. Never raises.
    """
    parser: Any = etree.HTMLPullParser(events=("start",), no_network=True)
    base, declared, linked = url, dict[str, Found](), dict[str, Found]()
    try:
        parser.feed(decode_page(page[:PAGE_BYTES])[0])
        parser.close()
    except (etree.LxmlError, ValueError):
        pass  # what was read before the fault counts
    for number, (_, element) in enumerate(parser.read_events()):
        if number > MAX_ELEMENTS:
            break
        href = link_in(element.get("href") or "", base)
        if not href:
            continue
        if element.tag == "base":
            base = href
        elif element.tag == "link" and _declares_a_feed(element):
            declared.setdefault(canonical_link(href), Found(url=href, title=_title(element), how="declared"))
        elif element.tag == "a" and _is_own(href, url) and _LOOKS_LIKE_A_FEED.search(href):
            linked.setdefault(canonical_link(href), Found(url=href, title=_title(element), how="linked"))
    others = [found for name, found in linked.items() if name not in declared]
    return [*declared.values(), *others][:MAX_FOUND]


def common_paths(url: str) -> list[Found]:
    """Return where feeds usually are, for the folder of ``url`` and for its host."""
    folder = urljoin(url, ".").rstrip("/")
    root = urljoin(url, "/").rstrip("/")
    near = [f"{folder}/{name}" for name in _NEAR] if folder != root else []
    places = (link_in(place, url) for place in (*near, *(root + path for path in _AT_ROOT)))
    return [Found(url=place, how="usual place") for place in places if place]


def sitemaps_in(robots_text: str) -> list[str]:
    """Return the sitemaps that a robots.txt names (RFC 9309 section 2.2.4), those of news first; at most 50."""
    named = (link_in(found[1], "") for found in _SITEMAP_LINE.finditer(robots_text[:ROBOTS_BYTES]))
    distinct = list(dict.fromkeys(link for link in named if link))
    return sorted(distinct, key=lambda link: "news" not in link.lower())[:MAX_FOUND]


def _declares_a_feed(element: etree._Element) -> bool:
    relations = (element.get("rel") or "").lower().split()
    kind = (element.get("type") or "").partition(";")[0].strip().lower()
    return ("alternate" in relations and kind in _TYPES) or "feed" in relations


def _title(element: etree._Element) -> str:
    return Noted(()).plain(element.get("title") or element.text or "", MAX_TITLE_CHARACTERS, "title_truncated")


def _is_own(link: str, url: str) -> bool:
    return urlsplit(link).hostname == urlsplit(url).hostname
