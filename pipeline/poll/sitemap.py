"""Sitemaps and sitemap indexes (sitemaps.org 0.9), with Google's news tags."""

from __future__ import annotations

from datetime import datetime
from io import BytesIO

from courlan import extract_domain
from lxml import etree
from msgspec import Struct

from pipeline.identity import link_host
from pipeline.poll.bounds import NotAFeed, refuse_attributes, root_of
from pipeline.text.charset import decode_feed
from pipeline.text.times import parse_time

MAX_ENTRIES = 50_000
"""The protocol's limit for one file."""
MAX_FIELDS = 100
"""Of one entry that are looked at."""
MAX_ELEMENTS_PER_ENTRY = 10_000
"""Images and translations of a page are named beside it."""
MAX_ELEMENTS = 2_000_000
"""40 an entry, and 1 µs each."""

# Their title and loc are of a picture, and may stand before those of the page.
_OTHERS = ("sitemap-image", "sitemap-video")


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
    text = text.lstrip("\ufeff \t\r\n\0")
    name = root_of(text).rpartition(":")[2]
    if name not in {"urlset", "sitemapindex"}:
        raise NotAFeed(f"no sitemap: the root element of {url} is <{name}>")
    refuse_attributes(text)  # libxml2 makes 370 MiB of a million of them
    if text.startswith("<?xml"):  # it names the encoding that the bytes were in
        text = text.partition("?>")[2]
    try:
        named = _named(text.encode("utf-8", "replace"))
    except (etree.XMLSyntaxError, ValueError) as error:
        raise NotAFeed(f"XML that cannot be read: {error}") from error
    if name == "sitemapindex":
        children = ((one["loc"], parse_time(one.get("lastmod", ""))) for one in named if one.get("loc"))
        return Sitemap(children=tuple(children))
    return Sitemap(entries=tuple(_entry(one) for one in named if one.get("loc")))


def site_of(url: str) -> str:
    """Return the registered domain of an address (``example.co.uk``), or its host where there is none."""
    return extract_domain(url) or link_host(url)


def _named(data: bytes) -> list[dict[str, str]]:
    """Return the fields of each entry; no more than one entry is ever held as elements."""
    steps = etree.iterparse(
        BytesIO(data), events=("start", "end"), resolve_entities=False, no_network=True, remove_comments=True,
        remove_pis=True,
    )  # fmt: skip
    named: list[dict[str, str]] = []
    depth = within = total = 0
    for event, element in steps:
        depth += 1 if event == "start" else -1
        within, total = within + 1, total + 1
        if within > 2 * MAX_ELEMENTS_PER_ENTRY:
            raise NotAFeed(f"more than {MAX_ELEMENTS_PER_ENTRY:,} elements in one entry of a sitemap")
        if event == "end" and depth == 1:
            named.append(_fields(element))
            within = 0
            element.clear()
            while (before := element.getprevious()) is not None:
                element.getparent().remove(before)
            if len(named) >= MAX_ENTRIES or total > 2 * MAX_ELEMENTS:
                break
    return named


def _fields(element: etree._Element) -> dict[str, str]:
    fields: dict[str, str] = {}
    for number, field in enumerate(element.iterdescendants(etree.Element)):
        if number > MAX_FIELDS:
            break
        name = etree.QName(field)
        if not any(other in (name.namespace or "") for other in _OTHERS):
            fields.setdefault(name.localname, (field.text or "").strip())
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
