"""The one reader of every format that a feed comes in."""

from __future__ import annotations

import re
from collections.abc import Collection

from pipeline.poll.gunzip import MAGIC, gunzip
from pipeline.poll.json_feed import is_json, parse_json_feed
from pipeline.poll.parse import ParsedFeed, parse_feed
from pipeline.poll.sitemap_feed import parse_sitemap

_ROOT = re.compile(rb"<(?:[\w.-]{1,40}:)?(urlset|sitemapindex|rss|feed|rdf|html|body)[\s>]", re.IGNORECASE)
_HEAD_BYTES = 4_096
_KINDS = {
    b"rss": "RSS", b"feed": "Atom", b"rdf": "RDF (RSS 1.0)", b"urlset": "sitemap", b"sitemapindex": "sitemap index",
    b"html": "an HTML page", b"body": "an HTML page",
}  # fmt: skip


def read_feed(body: bytes, *, content_type: str = "", url: str = "", known: Collection[int] = ()) -> ParsedFeed:
    """Return what a feed says: RSS, RDF, Atom, JSON Feed or sitemap, told apart by its first bytes alone.

    Of JSON Feeds and sitemaps every item is read, also those in ``known``.

    Raises:
        NotAFeed: it is something else, or built to exhaust its reader; the reason says which.
    """
    if body.startswith(MAGIC):
        body = gunzip(body)
    if is_json(body):
        return parse_json_feed(body, content_type=content_type, url=url)
    if is_sitemap(body):
        return parse_sitemap(body, url=url)
    return parse_feed(body, content_type=content_type, url=url, known=known)


def is_sitemap(body: bytes) -> bool:
    """Whether the first element in sight is that of a sitemap or of an index of them."""
    head = body[:_HEAD_BYTES].replace(b"\0", b"")  # in UTF-16 every other byte is one
    found = _ROOT.search(head)
    return found is not None and found[1].lower() in {b"urlset", b"sitemapindex"}


def kind_of(body: bytes) -> str:
    """Return what the first bytes say that a body is, as in "RSS" or "an HTML page"; "" when they do not."""
    if is_json(body):
        return "JSON"
    found = _ROOT.search(body[:_HEAD_BYTES].replace(b"\0", b""))
    return _KINDS[found[1].lower()] if found else ""
