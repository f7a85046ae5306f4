"""An HTML page: kept in the pages port as a fetched one is, with what it says of itself in its head."""

from __future__ import annotations

from datetime import datetime

from pipeline.article import Article, Lane
from pipeline.enrich.page import ExtractionFailed, canonical_address, parse_page
from pipeline.enrich.page_head import read_head
from pipeline.enrich.text import has_article
from pipeline.identity import article_id, link_host
from pipeline.ingest.problem import UnreadableFile
from pipeline.ports import Pages
from pipeline.text.charset import decode_page

MAX_PAGE_FILE_BYTES = 20 * 1024 * 1024
"""As for fetched pages: larger ones are data, not articles."""


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
        head = read_head(tree)
        if wants_article and not has_article(tree):
            raise NoArticle("an HTML page in which no article was found")
    except ExtractionFailed as failure:
        raise UnreadableFile(f"an HTML page that cannot be read: {failure}") from failure
    text, guessed = decode_page(content)
    site = link_host(url)
    url = url or canonical_address(tree, "") or head.url
    article = Article(
        id=article_id(link=url, feed_url="", guid="", content=text),
        lane=lane,
        url=url,
        page=pages.put(content, now.date()),
        text_from="page",
        title=head.title,
        outlet=head.outlet or site,
        authors=head.authors,
        language=tree.get("lang") or "und",
        published=head.published,
        first_seen=now,
        fetched=fetched or now,
    )
    return article.flagged("charset_guessed") if guessed else article
