"""Where the feeds of a site may be: what its page declares, what its robots.txt names, and where feeds usually are."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urljoin

from lxml import etree
from msgspec import Struct

from pipeline.identity import canonical_link, link_host
from pipeline.poll.noted import Noted, link_in
from pipeline.text.charset import decode_page
from pipeline.text.limits import MAX_TITLE_CHARACTERS

PAGE_BYTES = 2 * 1024 * 1024
"""Of a page that are looked at."""
CHUNK_BYTES = 16 * 1024
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
    anchor counts when its address looks like a feed's and is of the same host. Only http and https. Never raises.
    """
    links = _Links(url)
    target: Any = links
    # Events without a tree: libxml2's is quadratic in the attributes of one element (100,000: 15 s).
    parser = etree.HTMLParser(target=target, encoding="utf-8", no_network=True)
    markup = decode_page(page[:PAGE_BYTES])[0].replace("\x00", "").encode("utf-8", "replace")
    try:
        for start in range(0, len(markup), CHUNK_BYTES):
            if links.is_full:
                break
            parser.feed(markup[start : start + CHUNK_BYTES])
        parser.close()
    except (etree.LxmlError, ValueError):
        pass  # what was read before the fault counts
    others = [found for name, found in links.linked.items() if name not in links.declared]
    return [*links.declared.values(), *others][:MAX_FOUND]


class _Links:
    """Takes the elements of a page as they come and keeps what leads to feeds."""

    def __init__(self, url: str) -> None:
        self._url = self._base = url
        self._elements = 0
        self._anchor: tuple[str, str] | None = None
        """Address and text of the anchor that is open, when it looks like a feed's."""
        self.declared: dict[str, Found] = {}
        self.linked: dict[str, Found] = {}

    @property
    def is_full(self) -> bool:
        """Whether nothing more is looked at."""
        return self._elements > MAX_ELEMENTS or len(self.declared) + len(self.linked) >= 2 * MAX_FOUND

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        self._elements += 1
        if tag not in {"a", "link", "base"} or self.is_full:
            return
        if tag == "a":
            self.end("a")
        href = link_in(attributes.get("href", ""), self._base)
        if href and tag == "base":
            self._base = href
        elif href and tag == "link" and _declares_a_feed(attributes):
            title = _title(attributes.get("title", ""))
            self.declared.setdefault(canonical_link(href), Found(url=href, title=title, how="declared"))
        elif href and tag == "a" and is_of_site(href, self._url) and _LOOKS_LIKE_A_FEED.search(href):
            self._anchor = href, attributes.get("title", "")[:MAX_TITLE_CHARACTERS]

    def data(self, text: str) -> None:
        if self._anchor and len(self._anchor[1]) < MAX_TITLE_CHARACTERS:
            self._anchor = self._anchor[0], self._anchor[1] + text[:MAX_TITLE_CHARACTERS]

    def end(self, tag: str) -> None:
        if tag == "a" and self._anchor:
            href, title = self._anchor
            self._anchor = None
            self.linked.setdefault(canonical_link(href), Found(url=href, title=_title(title), how="linked"))

    def close(self) -> None:
        """Take the anchor that was left open."""
        self.end("a")


def common_paths(url: str) -> list[Found]:
    """Return where feeds usually are, for the folder of ``url`` and for its host."""
    folder = urljoin(url, ".").rstrip("/")
    root = urljoin(url, "/").rstrip("/")
    near = [f"{folder}/{name}" for name in _NEAR] if folder != root else []
    places = (link_in(place, url) for place in (*near, *(root + path for path in _AT_ROOT)))
    return [Found(url=place, how="usual place") for place in places if place]


def sitemaps_in(robots_text: str, url: str) -> list[Found]:
    """Return the sitemaps of its own site that a robots.txt at ``url`` names, those of news first; at most 50.

    sitemaps.org lets a robots.txt name those of other hosts too; what they list is not this site's.
    """
    named = (link_in(found[1], url) for found in _SITEMAP_LINE.finditer(robots_text[:ROBOTS_BYTES]))
    distinct = dict.fromkeys(link for link in named if link and is_of_site(link, url))
    ordered = sorted(distinct, key=lambda link: "news" not in link.lower())[:MAX_FOUND]
    return [Found(url=link, how="robots.txt") for link in ordered]


def is_of_site(link: str, url: str) -> bool:
    """Whether a link is of the same host as ``url``, with or without www."""
    return link_host(link) == link_host(url)


def _declares_a_feed(attributes: Mapping[str, str]) -> bool:
    relations = attributes.get("rel", "").lower().split()
    kind = attributes.get("type", "").partition(";")[0].strip().lower()
    return ("alternate" in relations and kind in _TYPES) or "feed" in relations


def _title(text: str) -> str:
    return Noted(()).plain(text, MAX_TITLE_CHARACTERS, "title_truncated")
