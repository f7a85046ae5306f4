"""An HTML page: kept in the pages port as a fetched one is, with what it says of itself in its head."""

from __future__ import annotations

import re
from datetime import datetime

from lxml.html import HtmlElement
from trafilatura.metadata import extract_metadata
from trafilatura.settings import Document

from pipeline.article import Article, Lane
from pipeline.enrich.page import ExtractionFailed, canonical_address, parse_page
from pipeline.enrich.text import has_article
from pipeline.identity import article_id, clean_link, link_host
from pipeline.ingest.problem import UnreadableFile
from pipeline.ports import Pages
from pipeline.text.charset import decode_page
from pipeline.text.times import parse_time

MAX_PAGE_FILE_BYTES = 20 * 1024 * 1024
"""As for fetched pages: larger ones are data, not articles."""

_JSON_DATE = re.compile(r'"datePublished"\s*:\s*"([^"]{4,40})"')
_DATE_NAMES = frozenset({"article:published_time", "datepublished", "date", "dc.date", "pubdate", "publish-date"})


class NoArticle(UnreadableFile):
    """A page that can be read, and in which no article was found."""


def read_page(
    content: bytes, *, lane: Lane, now: datetime, pages: Pages, wants_article: bool, url: str = "",
    fetched: datetime | None = None,
) -> Article:  # fmt: skip
    """Store the page and return an article that refers to it; enrichment reads the text.

    The id is that of ``url``, where the page was found, as it is for a page that poll and fetch brought; without one,
    of the address which the page gives as its own (``rel=canonical``, else ``og:url``), or of its content. With
    ``wants_article`` the text is extracted once here, so that a page without one is refused.

    Raises:
        UnreadableFile: it cannot be read as a page; ``NoArticle``: there is no article in it.
    """
    if len(content) > MAX_PAGE_FILE_BYTES:
        raise UnreadableFile(f"an HTML page larger than {MAX_PAGE_FILE_BYTES // 1024**2} MiB")
    try:
        tree = parse_page(content)
        head = _head(tree)
        if wants_article and not has_article(tree):
            raise NoArticle("an HTML page in which no article was found")
    except ExtractionFailed as failure:
        raise UnreadableFile(f"an HTML page that cannot be read: {failure}") from failure
    text, guessed = decode_page(content)
    site = link_host(url)
    url = url or canonical_address(tree, "") or clean_link(head.url or "")
    article = Article(
        id=article_id(link=url, feed_url="", guid="", content=text),
        lane=lane,
        url=url,
        page=pages.put(content, now.date()),
        text_from="page",
        title=head.title or "",
        outlet=head.sitename or site,
        authors=tuple(name.strip() for name in (head.author or "").split(";") if name.strip()),
        language=tree.get("lang") or "und",
        published=_published(tree) or parse_time(head.date or ""),
        first_seen=now,
        fetched=fetched or now,
    )
    return article.flagged("charset_guessed") if guessed else article


def _head(tree: HtmlElement) -> Document:
    """Return what trafilatura finds on title, author, site, date and address."""
    try:
        found: Document = extract_metadata(tree, extensive=False)
    except Exception as error:  # a boundary: the library documents no errors and meets whatever strangers wrote
        raise ExtractionFailed(f"trafilatura: {type(error).__name__}: {error}") from error
    return found


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
