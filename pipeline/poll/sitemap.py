"""Sitemaps and sitemap indexes (sitemaps.org 0.9), with Google's news tags."""

from __future__ import annotations

import re
from datetime import datetime
from itertools import islice

from lxml import etree
from msgspec import Struct

from pipeline.poll.bounds import NotAFeed, root_of
from pipeline.text.charset import decode_feed
from pipeline.text.times import parse_time

MAX_ENTRIES = 50_000
"""The protocol's limit for one file."""
MAX_FIELDS = 100
"""Of one entry that are looked at."""

_DECLARATION = re.compile(r"\A[\ufeff\s]*<\?xml[^>]*\?>")
_LONG_TAG = re.compile(r"<[^<>]{20000}")
"""libxml2's tree is quadratic in the attributes of one element (100,000: 14 s)."""


class SitemapEntry(Struct, frozen=True, kw_only=True):
    """One address of a sitemap, with what its news tag says."""

    url: str
    lastmod: datetime | None = None
    title: str = ""
    published: datetime | None = None
    language: str = ""
    keywords: tuple[str, ...] = ()
    publication: str = ""


class Sitemap(Struct, frozen=True, kw_only=True):
    """What one file names: addresses of pages, or of further sitemaps with the time of their last change."""

    entries: tuple[SitemapEntry, ...] = ()
    children: tuple[tuple[str, datetime | None], ...] = ()


def read_sitemap_file(body: bytes, url: str) -> Sitemap:
    """Return what a sitemap, or an index of them, holds.

    Raises:
        NotAFeed: it is neither.
    """
    text, _ = decode_feed(body)
    name = root_of(text).rpartition(":")[2]
    if name not in {"urlset", "sitemapindex"}:
        raise NotAFeed(f"no sitemap: the root element of {url} is <{name}>")
    if _LONG_TAG.search(text):
        raise NotAFeed("an element with more attributes than any sitemap has")
    try:
        parser = etree.XMLParser(resolve_entities=False, no_network=True, remove_comments=True, remove_pis=True)
        root = etree.fromstring(_DECLARATION.sub("", text, count=1).encode(), parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise NotAFeed(f"XML that cannot be read: {error}") from error
    named = [_fields(element) for element in islice(root, MAX_ENTRIES)]
    if name == "sitemapindex":
        children = ((one["loc"], parse_time(one.get("lastmod", ""))) for one in named if "loc" in one)
        return Sitemap(children=tuple(children))
    return Sitemap(entries=tuple(_entry(one) for one in named if "loc" in one))


def _fields(element: etree._Element) -> dict[str, str]:
    fields: dict[str, str] = {}
    for number, field in enumerate(element.iter(etree.Element)):
        if number > MAX_FIELDS:
            break
        fields.setdefault(etree.QName(field).localname, (field.text or "").strip())
    return fields


def _entry(fields: dict[str, str]) -> SitemapEntry:
    return SitemapEntry(
        url=fields["loc"],
        lastmod=parse_time(fields.get("lastmod", "")),
        title=fields.get("title", ""),
        published=parse_time(fields.get("publication_date", "")),
        language=fields.get("language", ""),
        keywords=tuple(word.strip() for word in fields.get("keywords", "").split(",")[:100] if word.strip()),
        publication=fields.get("name", ""),
    )
