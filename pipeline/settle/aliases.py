"""Two addresses of one article: the canonical address that its page names, when the same site says so."""

from __future__ import annotations

from urllib.parse import urlsplit

from courlan import extract_domain

from pipeline.article import Article
from pipeline.errors import DropArticle
from pipeline.identity import article_id


def alias_of(article: Article) -> str:
    """Return the id of the article's canonical address, or "" when it is no other name of this article.

    A page may only speak for its own site: the registrable domain (Public Suffix List, through courlan) must be the
    same and the path not empty; a page of A that claims an address on B is evidence for its origin, not an identity.
    Where the list knows no domain (a private name, an address), the whole host must be the same.
    """
    if not article.canonical_url or not article.url or urlsplit(article.canonical_url).path in {"", "/"}:
        return ""
    if _site(article.url) != _site(article.canonical_url):
        return ""
    try:
        other = article_id(link=article.canonical_url, feed_url="", guid="", content="")
    except DropArticle:
        return ""
    return "" if other == article.id else other


def _site(url: str) -> str:
    return extract_domain(url) or urlsplit(url).netloc.lower()
