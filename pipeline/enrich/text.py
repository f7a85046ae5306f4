"""Stage ``text``: the article's body as plain paragraphs, from its stored page or from what the feed or file gave."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import structlog
from lxml.html import HtmlElement

from pipeline.article import Article
from pipeline.enrich.markup import read_markup
from pipeline.enrich.page import ExtractionFailed, canonical_address, extract_paragraphs
from pipeline.enrich.page_head import read_head
from pipeline.enrich.paragraphs import Paragraph, split_body, with_paragraphs
from pipeline.enrich.tools import Tools
from pipeline.text.characters import cleaned, has_controls
from pipeline.text.times import EARLIEST, plausible

log = structlog.get_logger("wirewatch")

MIN_PAGE_CHARACTERS = 80
"""Less than this from a page is a caption or a notice; the shortest text of 80 real article pages has some 300."""
MIN_PAGE_SHARE = 0.7
"""A page that gives less than this share of what the feed gave is a wall or a teaser. Not 1: a feed's text carries
captions and notices that extraction leaves out."""


def enrich(article: Article, tools: Tools) -> Article:
    """Fill ``body`` and ``headings``, say in ``text_from`` where they come from, and empty ``html``.

    A feed that gives only a summary has it as the body, so that copies are recognised by their bodies whichever way a
    feed gave the text; a summary that is the body is emptied.
    """
    if has_controls(article.html):
        article = msgspec.structs.replace(article, html=cleaned(article.html)).flagged("controls_removed")
    own = read_markup(article.html) or split_body(article.body, article.headings) or split_body(article.summary)
    article = with_paragraphs(msgspec.structs.replace(article, html=""), own)
    if article.page:
        article = _with_page_text(article, own, tools)
    if article.summary.split() == article.body.split():
        article = msgspec.structs.replace(article, summary="")
    return article


def has_article(tree: HtmlElement) -> bool:
    """Whether a page that stands alone gives a text. Raises ``ExtractionFailed`` as ``extract_paragraphs`` does."""
    return _characters(extract_paragraphs(tree)) >= MIN_PAGE_CHARACTERS


def _with_page_text(article: Article, own: Sequence[Paragraph], tools: Tools) -> Article:
    """Return the article with its page's text where that is better than its own; flagged where there is none."""
    try:
        tree = tools.open_page(article.page)
        if tree is None:
            return _on_own_text(article.flagged("page_missing"))
        canonical_url = article.canonical_url or canonical_address(tree, article.url)
        article = msgspec.structs.replace(article, canonical_url=canonical_url)
        is_told = article.title and (article.feed or article.published)
        told = article if is_told else _with_page_head(article, tree)
        found = _without_title(extract_paragraphs(tree), told.title)
    except ExtractionFailed as failure:
        log.warning("page not read", step="enrich", id=article.id, page=article.page, cause=str(failure)[:200])
        found = []
    if _characters(found) < max(MIN_PAGE_CHARACTERS, MIN_PAGE_SHARE * _characters(own)):
        return _on_own_text(article.flagged("page_without_article"))
    return msgspec.structs.replace(with_paragraphs(told, found), text_from="page")


def _with_page_head(article: Article, tree: HtmlElement) -> Article:
    """Return an article that no feed described, or none but by its address, with what its page says of it."""
    head = read_head(tree)
    published, flags = plausible(head.published, article.fetched or article.first_seen or EARLIEST)
    return msgspec.structs.replace(
        article,
        title=article.title or head.title,
        authors=article.authors or head.authors,
        published=article.published or published,
    ).flagged(*(flags if not article.published else ()))


def _on_own_text(article: Article) -> Article:
    if not article.body:
        return article
    return msgspec.structs.replace(article, text_from="feed" if article.feed else "file")


def _without_title(paragraphs: list[Paragraph], title: str) -> list[Paragraph]:
    """Drop a first heading that only repeats the title (which may carry the outlet's name behind it)."""
    if paragraphs and paragraphs[0].is_heading and title.casefold().startswith(paragraphs[0].text.casefold()):
        return paragraphs[1:]
    return paragraphs


def _characters(paragraphs: Sequence[Paragraph]) -> int:
    return sum(len(paragraph.text) for paragraph in paragraphs)
