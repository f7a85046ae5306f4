"""What a page says of its article: the one place that reads a page's head.

Where it says a thing twice, JSON-LD goes before ``meta`` tags, and both before what stands in the text, which is only
looked at when they say nothing: a page has many names and dates that are of other articles.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import islice
from typing import Final

import msgspec
from htmldate import find_date
from lxml.html import HtmlElement
from msgspec import Struct

from pipeline.enrich.authors import clean_authors
from pipeline.enrich.json_ld import LinkedData, read_json_ld
from pipeline.enrich.page import ExtractionFailed, canonical_address
from pipeline.enrich.times import most_precise
from pipeline.enrich.titles import site_keys, title_key
from pipeline.identity import clean_link, link_host
from pipeline.text.characters import one_line
from pipeline.text.limits import MAX_LIST_CHARACTERS, MAX_LIST_LENGTH
from pipeline.text.markup import plain_text
from pipeline.text.times import parse_time

MAX_METAS: Final = 1_000
"""80 real pages have up to 120."""
MAX_CONTENT_CHARACTERS: Final = 2_000
MAX_HEADING_CHARACTERS: Final = 500
MIN_SHARED_WORDS: Final = 0.3
MIN_TITLE_WORDS: Final = 4
MAX_ELEMENTS: Final = 20_000
"""That are looked at for a byline; 80 real pages have up to 6,000 of all kinds."""
MAX_BYLINE_CHARACTERS: Final = 200

# Names of meta tags (``property``, ``name`` or ``itemprop``, in lower case), the better ones first. Those of Open Graph
# (https://ogp.me), schema.org, Dublin Core, PRISM, Google News, and of Parse.ly, Sailthru and Webtrends as publishers
# fill them.
_TITLES: Final = ("og:title", "twitter:title", "dc.title", "sailthru.title")
_OUTLETS: Final = ("og:site_name", "dc.publisher", "application-name")
_AUTHORS: Final = (
    "author", "article:author_name", "dc.creator", "dcterms.creator", "byl", "parsely-author", "sailthru.author",
    "article:author", "og:article:author", "dcsext.author",
)  # fmt: skip
_PUBLISHED: Final = (
    "article:published_time", "og:article:published_time", "datepublished", "dcterms.issued", "dc.date.issued",
    "parsely-pub-date", "publication_date", "pubdate", "publish-date", "sailthru.date", "cxenseparse:publishtime",
    "dcterms.created", "dc.date", "dcterms.date", "date",
)  # fmt: skip
_UPDATED: Final = (
    "article:modified_time", "og:article:modified_time", "datemodified", "dcterms.modified", "og:updated_time",
)  # fmt: skip
_SECTIONS: Final = ("article:section", "og:article:section", "parsely-section", "prism.section", "section", "category")
_TAGS: Final = ("article:tag", "news_keywords", "parsely-tags")
_IMAGES: Final = (
    "og:image:secure_url", "og:image", "og:image:url", "twitter:image", "twitter:image:src", "sailthru.image.full",
)  # fmt: skip
_BYLINE: Final = re.compile(
    r"(?:^|[\s_-])(?:by-?line|authors?|autor|auteur)(?:[_-]*(?:name|link|s))*(?:$|\s)", re.IGNORECASE
)
_ASIDES: Final = ("aside", "nav", "footer", "form", "figure")
_CLOSED_TIERS: Final = frozenset({"locked", "metered"})
"""Of ``article:content_tier`` (https://developers.facebook.com/docs/instant-articles/subscriptions)."""
_FREE: Final = {"true": True, "false": False}

Metas = dict[str, list[str]]


class PageHead(Struct, frozen=True, kw_only=True):
    """What a page claims; empty where it says nothing."""

    is_article: bool = False
    """Whether it says that it is one."""
    title: str = ""
    titles: tuple[str, ...] = ()
    """All that it gives as its title, the one above among them; some with the site's name, some without."""
    outlet: str = ""
    authors: tuple[str, ...] = ()
    """As names (see ``pipeline.enrich.authors``)."""
    published: datetime | None = None
    updated: datetime | None = None
    url: str = ""
    section: str = ""
    tags: tuple[str, ...] = ()
    image: str = ""
    """An address as written: it may be relative to the page's."""
    is_free: bool | None = None
    """None: it does not say who may read it."""
    correction: str = ""


def read_head(tree: HtmlElement) -> PageHead:
    """Return what a page's JSON-LD, ``meta`` tags and, where they are silent, headings and byline say.

    Raises:
        ExtractionFailed: the library broke on this page.
    """
    linked, metas = read_json_ld(tree), _metas(tree)
    headings = list(_texts(tree, "h1"))
    claimed = [text for text in (linked.headline, *_said(metas, _TITLES), *_texts(tree, "title")) if text]
    title = _shown_title(headings, claimed) or _first([*claimed, *headings])
    url = clean_link(_first(metas.get("og:url", []))) or canonical_address(tree, "")
    outlet = _outlet([*_said(metas, _OUTLETS), linked.outlet, link_host(url)])
    sites, bylines = site_keys([outlet, linked.outlet]), _bylines(linked, metas)
    head = PageHead(
        is_article=linked.is_article or any(kind.lower().startswith("article") for kind in metas.get("og:type", ())),
        title=title,
        titles=tuple(dict.fromkeys([title, *claimed] if title else claimed)),
        outlet=outlet,
        authors=next(filter(None, (clean_authors(byline, sites) for byline in bylines)), ()),
        published=most_precise(map(parse_time, [linked.published, *_said(metas, _PUBLISHED)])),
        updated=most_precise(map(parse_time, [linked.updated, *_said(metas, _UPDATED)])),
        url=url,
        section=linked.section or _first(_said(metas, _SECTIONS)),
        tags=_tags(linked, metas),
        image=linked.image or _first(_said(metas, _IMAGES)),
        is_free=_is_free(linked, metas),
        correction=linked.correction,
    )
    if not bylines:
        head = msgspec.structs.replace(head, authors=_text_authors(tree, sites))
    return head if head.published else msgspec.structs.replace(head, published=_text_date(tree, head.url))


def _text_date(tree: HtmlElement, url: str) -> datetime | None:
    """Return when the text says that it was published; htmldate knows days only, but many ways to write them."""
    try:
        # A fixed bound, not today: the same page must give the same article tomorrow.
        day = find_date(tree, extensive_search=False, original_date=True, url=url or None, max_date="2100-01-01")
    except Exception as error:  # a boundary: the library documents no errors and meets whatever strangers wrote
        raise ExtractionFailed(f"htmldate: {type(error).__name__}: {error}") from error
    return most_precise([parse_time(_text_time(tree)), parse_time(day or "")])


def _text_authors(tree: HtmlElement, sites: frozenset[str]) -> tuple[str, ...]:
    """Return the names of the first byline in the text: what is marked as one outside of teasers and comments."""
    for element in islice(tree.iter("a", "address", "div", "p", "span", "li", "cite", "strong"), MAX_ELEMENTS):
        if not _is_byline(element):
            continue
        text = one_line(" ".join(islice(element.itertext(), 20))[: 2 * MAX_BYLINE_CHARACTERS])
        if len(text) > MAX_BYLINE_CHARACTERS or next(element.iterancestors(*_ASIDES), None) is not None:
            continue
        if names := clean_authors([text], sites):
            return names
    return ()


def _is_byline(element: HtmlElement) -> bool:
    if "author" in (element.get("rel") or "").lower() or "author" in (element.get("itemprop") or "").lower():
        return True
    return _BYLINE.search((element.get("class") or "")[:MAX_BYLINE_CHARACTERS]) is not None


def _metas(tree: HtmlElement) -> Metas:
    """Return the contents of the meta tags by name, in their order."""
    metas: Metas = {}
    for meta in islice(tree.iter("meta"), MAX_METAS):
        content = plain_text((meta.get("content") or "")[:MAX_CONTENT_CHARACTERS])
        for name in {(meta.get(key) or "").lower() for key in ("property", "name", "itemprop")} - {""}:
            if content:
                metas.setdefault(name, []).append(content)
    return metas


def _said(metas: Metas, names: Iterable[str]) -> list[str]:
    return [content for name in names for content in metas.get(name, ())]


def _first(contents: list[str]) -> str:
    return contents[0] if contents else ""


def _outlet(names: list[str]) -> str:
    """Return the first name; one that is a mere host only when there is no other."""
    return next((name for name in names if name and (" " in name or "." not in name)), _first(names))


def _bylines(linked: LinkedData, metas: Metas) -> list[Sequence[str]]:
    """Return all that names authors, the best first: JSON-LD may say "Our reporter", and a meta tag who that is.

    The address of an author's page, as ``article:author`` has it for Facebook, is no name.
    """
    told = ([text for text in metas.get(name, ()) if not text.startswith("http")] for name in _AUTHORS)
    return [byline for byline in (linked.authors, *told) if byline]


def _shown_title(headings: list[str], claimed: list[str]) -> str:
    """Return the main heading that is the title: what a reader sees, where other claims are made for search or sharing.

    A heading may be the site's name, or a form's; it is the title when something else claims the same, or when it is
    the only one and shares enough words with what something else claims.
    """
    keys = set(map(title_key, claimed))
    same = next((heading for heading in headings if title_key(heading) in keys), "")
    if same or len(headings) != 1:
        return same
    words = _words(headings[0])
    is_alike = any(len(words & _words(claim)) >= MIN_SHARED_WORDS * len(words) for claim in claimed)
    return headings[0] if len(words) >= MIN_TITLE_WORDS and is_alike else ""


def _words(text: str) -> set[str]:
    return set(re.findall(r"\w+", text.casefold()))


def _texts(tree: HtmlElement, tag: str) -> Iterator[str]:
    for element in islice(tree.iter(tag), 10):
        text = one_line("".join(islice(element.itertext(), 50))[:MAX_HEADING_CHARACTERS])
        if text:
            yield text


def _text_time(tree: HtmlElement) -> str:
    """Return the first ``time`` that is marked as of the publication, else the first within the article's element."""
    times = [time for time in islice(tree.iter("time"), 50) if time.get("datetime")]
    for time in times:
        if time.get("pubdate") is not None or (time.get("itemprop") or "").lower() == "datepublished":
            return time.get("datetime") or ""
    for time in times:
        if next(time.iterancestors("article", "header", "main"), None) is not None:
            return time.get("datetime") or ""
    return ""


def _tags(linked: LinkedData, metas: Metas) -> tuple[str, ...]:
    """Return the page's keywords; the general ``keywords`` only where nothing made for news says any."""
    told = [*linked.keywords, *_split(_said(metas, _TAGS))]
    if not told or _are_codes(told):
        told = _split(metas.get("keywords", []))
    return () if _are_codes(told) else tuple(tag for tag in told if _is_tag(tag))[:MAX_LIST_LENGTH]


def _split(contents: Iterable[str]) -> list[str]:
    return [tag for content in contents for part in re.split("[,;،、]", content) if (tag := part.strip())]


def _is_tag(tag: str) -> bool:
    """``WC: 2000-2999``, ``source:tagname`` and ``s`` are for the publisher's machines; one letter of Han is a word."""
    is_word = not tag.isascii() or len(tag) > 1
    return is_word and ":" not in tag and len(tag) <= MAX_LIST_CHARACTERS and any(map(str.isalpha, tag))


def _are_codes(tags: list[str]) -> bool:
    """Whether these are codes of a newsroom system (``CIV,CLJ,GEN,NEWS1``): many, and most of them one such word."""
    codes = sum(tag.isascii() and tag.isupper() and " " not in tag for tag in tags)
    return len(tags) >= 5 and codes > 0.6 * len(tags)


def _is_free(linked: LinkedData, metas: Metas) -> bool | None:
    if linked.is_free is not None:
        return linked.is_free
    said = _FREE.get(_first(metas.get("isaccessibleforfree", [])).lower())
    if said is not None:
        return said
    tier = _first(metas.get("article:content_tier", [])).lower()
    return False if tier in _CLOSED_TIERS else None
