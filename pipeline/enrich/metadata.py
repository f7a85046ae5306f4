"""Stage ``metadata``: title, authors, times and the rest, from what the feed (or file) says and what the page says.

Who is believed, where both say something:

- **title**: the feed's. The page's, where the feed has none or one that is cut off. The site's name goes from either.
- **authors**: the feed's, cleaned; the page's, where nothing is left of those.
- **published**: the feed's. The page's, where the feed has none, names an impossible moment, or only a day (midnight in
  UTC) that the page's moment falls on. A feed is read within minutes and its time is the one that was announced; a page
  may be read, and re-stamped, long after.
- **updated**: the later one, as the page is read after the feed. Never before ``published``: then there is none.
- **tags**: the feed's, then the page's. **section**, **image**, **correction**: the page's (a correction also from the
  text), where nothing was given.

Of what a page says twice, JSON-LD goes before ``meta`` tags, and those before the text (``page_head``). A page that is
no article (a wall, an overview) says nothing. Impossible times are clamped by the one rule for all claimed dates
(``pipeline.text.times.plausible``); no time of a page decides whether an article is new.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Final
from urllib.parse import urljoin

import msgspec
import structlog

from pipeline.article import Article
from pipeline.enrich.authors import clean_authors
from pipeline.enrich.corrections import MAX_CORRECTION_CHARACTERS, find_correction
from pipeline.enrich.dateline import find_dateline
from pipeline.enrich.page import ExtractionFailed
from pipeline.enrich.page_head import PageHead, read_head
from pipeline.enrich.times import refined
from pipeline.enrich.titles import site_keys, title_key, without_site
from pipeline.enrich.tools import Tools
from pipeline.identity import clean_link, link_host
from pipeline.text.characters import one_line
from pipeline.text.limits import MAX_LIST_LENGTH
from pipeline.text.times import EARLIEST, plausible

log = structlog.get_logger("wirewatch")

MIN_CUT_CHARACTERS: Final = 20
"""A title that ends in an ellipsis after fewer characters says too little to know the whole one by."""
_NO_ARTICLE: Final = frozenset({"page_is_index", "page_is_login", "page_is_consent"})


def enrich(article: Article, tools: Tools) -> Article:
    """Fill and clean what is known about the article; flag ``paywalled`` and ``corrected``.

    Without a page, or with one that is no article, it cleans what the feed gave.
    """
    head = _trusted_head(article, tools)
    if max(len(article.authors), len(article.tags)) > MAX_LIST_LENGTH:
        article = article.flagged("list_truncated")
    sites = site_keys(filter(None, (article.outlet, head.outlet, link_host(article.url))))
    authors = clean_authors(article.authors, sites) or clean_authors(head.authors, sites)
    section = one_line(article.section) or head.section
    article = msgspec.structs.replace(
        _timed(article, head),
        title=without_site(
            _whole_title(one_line(article.title), head), sites, shown=head.titles, besides=(section, *authors)
        ),
        outlet=one_line(article.outlet) or head.outlet,
        authors=authors,
        section=section,
        tags=_merged(article.tags, head.tags),
        image=article.image or _address(head.image, article.url),
        correction=article.correction or _correction(article, head),
    )
    flags = ("paywalled",) * (head.is_free is False) + ("corrected",) * bool(article.correction)
    return article.flagged(*flags) if flags else article


def _trusted_head(article: Article, tools: Tools) -> PageHead:
    """Return what the article's page says of it; nothing, when the page is gone or another thing than the article."""
    if not article.page or _NO_ARTICLE & set(article.flags):
        return PageHead()
    try:
        tree = tools.open_page(article.page)
        head = PageHead() if tree is None else read_head(tree)
    except ExtractionFailed as failure:
        log.warning("page not read", step="enrich", id=article.id, page=article.page, cause=str(failure)[:200])
        return PageHead()
    is_read = article.text_from == "page" and bool(article.body)
    return head if is_read or head.is_article else PageHead()


def _whole_title(title: str, head: PageHead) -> str:
    """Return the title, or the page's when there is none or when this one is its beginning, cut off."""
    start = title
    cut = start.removesuffix("…").removesuffix("...").removesuffix("[").rstrip()
    if len(cut) == len(start) or len(cut) < MIN_CUT_CHARACTERS or len(cut) > 2 * len(head.title):
        return title or head.title
    wholes = (whole for whole in (head.title, *head.titles) if title_key(whole).startswith(title_key(cut)))
    return next((whole for whole in wholes if not whole.endswith(("…", "..."))), title)


def _timed(article: Article, head: PageHead) -> Article:
    """Set ``published`` and ``updated`` by the rules above; "now" is when the article was fetched."""
    now = article.fetched or article.first_seen
    paged, flags = plausible(head.published, now or head.published or EARLIEST)
    published = article.published
    if published is None:
        published = paged
    elif head.published and paged == head.published:
        flags = ()
        was_clamped = "published_clamped" in article.flags and published in {article.first_seen, article.fetched}
        published = paged if was_clamped else refined(published, [paged])
    else:
        flags = ()
    updated = max(filter(None, (article.updated, _possible(head.updated, now))), default=None)
    if updated and published and updated < published:
        updated = None
    return msgspec.structs.replace(article, published=published, updated=updated).flagged(*flags)


def _possible(claimed: datetime | None, now: datetime | None) -> datetime | None:
    """Return a page's time of its last change; none for an impossible one, as nobody misses it."""
    return claimed if claimed and plausible(claimed, now or claimed) == (claimed, ()) else None


def _merged(own: Iterable[str], more: Iterable[str]) -> tuple[str, ...]:
    """Return the tags, each once whatever its case and marks, the first spelling of it."""
    tags: dict[str, str] = {}
    for tag in (*tuple(own)[:MAX_LIST_LENGTH], *more):
        shown = one_line(tag)
        if key := title_key(shown):
            tags.setdefault(key, shown)
    return tuple(tags.values())[:MAX_LIST_LENGTH]


def _address(link: str, page_url: str) -> str:
    try:
        return clean_link(urljoin(page_url, link)) if link else ""
    except ValueError:  # brackets that do not match
        return ""


def _correction(article: Article, head: PageHead) -> str:
    # Behind the dateline, which `clean` takes away: the next time the text begins with what follows it.
    body = article.body[find_dateline(article.body, title=article.title).rest :]
    return head.correction[:MAX_CORRECTION_CHARACTERS] or find_correction(body.split("\n\n"))
