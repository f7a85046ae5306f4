"""What a page says of itself: title, site, authors, time of publication, address."""

from __future__ import annotations

import re
from datetime import datetime

from lxml.html import HtmlElement
from msgspec import Struct
from trafilatura.metadata import extract_metadata
from trafilatura.settings import Document

from pipeline.enrich.page import ExtractionFailed
from pipeline.identity import clean_link
from pipeline.text.times import parse_time

_JSON_DATE = re.compile(r'"datePublished"\s*:\s*"([^"]{4,40})"')
_DATE_NAMES = frozenset({"article:published_time", "datepublished", "date", "dc.date", "pubdate", "publish-date"})


class PageHead(Struct, frozen=True, kw_only=True):
    """What a page claims; empty where it says nothing."""

    title: str = ""
    outlet: str = ""
    authors: tuple[str, ...] = ()
    published: datetime | None = None
    url: str = ""


def read_head(tree: HtmlElement) -> PageHead:
    """Return what a page's ``meta`` tags, JSON-LD and headings say.

    Raises:
        ExtractionFailed: the library broke on this page.
    """
    try:
        found: Document = extract_metadata(tree, extensive=False)
    except Exception as error:  # a boundary: the library documents no errors and meets whatever strangers wrote
        raise ExtractionFailed(f"trafilatura: {type(error).__name__}: {error}") from error
    return PageHead(
        title=found.title or "",
        outlet=found.sitename or "",
        authors=tuple(name.strip() for name in (found.author or "").split(";") if name.strip()),
        published=_published(tree) or parse_time(found.date or ""),
        url=clean_link(found.url or ""),
    )


def _published(tree: HtmlElement) -> datetime | None:
    """Return the time of publication from ``meta`` tags or JSON-LD; trafilatura's own date has no time of day."""
    for meta in tree.iter("meta"):
        names = {(meta.get(name) or "").lower() for name in ("property", "itemprop", "name")}
        if names & _DATE_NAMES and (moment := parse_time(meta.get("content") or "")):
            return moment
    for script in tree.iter("script"):
        if script.get("type") == "application/ld+json" and (found := _JSON_DATE.search(script.text or "")):
            return parse_time(found.group(1))
    return None
