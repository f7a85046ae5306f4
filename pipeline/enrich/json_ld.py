"""What a page's JSON-LD claims of its article: many spellings, one record.

Publishers write schema.org in every way its examples allow and in some that they do not: a list, an ``@graph`` whose
nodes refer to each other by ``@id``, a page whose ``mainEntity`` is the article, raw line ends in strings, trailing
commas, the whole escaped once more for HTML, a comment or CDATA around it. All are read; what is too large, too deep or
no JSON is passed over, and nothing raises.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from typing import Any, Final

from lxml.html import HtmlElement
from msgspec import Struct

from pipeline.article import nests_within
from pipeline.text.characters import cleaned
from pipeline.text.limits import MAX_HTML_CHARACTERS, MAX_LIST_LENGTH
from pipeline.text.markup import plain_text

MAX_SCRIPTS: Final = 50
MAX_CHARACTERS: Final = 1024 * 1024
"""Of all scripts of a page together"""
MAX_LEVELS: Final = 32
MAX_NODES: Final = 500
MAX_TEXT_CHARACTERS: Final = 2_000
"""Of anything but the article's text."""

_ARTICLES: Final = frozenset((
    "Article", "NewsArticle", "BlogPosting", "ReportageNewsArticle", "LiveBlogPosting", "AnalysisNewsArticle",
    "AskPublicNewsArticle", "BackgroundNewsArticle", "OpinionNewsArticle", "ReviewNewsArticle", "Report",
    "TechArticle", "ScholarlyArticle", "SatiricalArticle", "AdvertiserContentArticle", "SocialMediaPosting",
))  # fmt: skip
"""schema.org/Article and what is below it there."""
_PAGES: Final = frozenset({"WebPage", "ItemPage"})
_INNER: Final = ("@graph", "mainEntity", "mainEntityOfPage")
"""Where an article stands in another node. A list of items, or an article's parts, are other articles."""
_NO: Final = frozenset({"false", "no", "0", "http://schema.org/false", "https://schema.org/false"})
_YES: Final = frozenset({"true", "yes", "1", "http://schema.org/true", "https://schema.org/true"})

_WRAPPING = re.compile(r"[\s;\ufeff]*(?:(?://|/\*)?\s*(?:<!\[CDATA\[|<!--)\s*(?:\*/)?)?\s*")
_STRING_OR_COMMA = re.compile(r'"(?:[^"\\]|\\.?)*+(?:"|\Z)|,(?=\s*+[\]}])', re.DOTALL)
"""A string that never ends runs to the end of the text, lest each quotation mark in it begin another search."""
_lenient: Final = json.JSONDecoder(strict=False)

Node = dict[str, Any]


class LinkedData(Struct, frozen=True, kw_only=True):
    """What the page claims of its article, as plain text on one line; empty where it says nothing."""

    is_article: bool = False
    """Whether there is an article at all; without one, times and authors are those claimed for the page."""
    headline: str = ""
    article_body: str = ""
    """With its line ends, cleaned of controls; markup and references in it, if any, are as the page has them."""
    outlet: str = ""
    authors: tuple[str, ...] = ()
    """As written: one of them may hold several names, a role or an address."""
    published: str = ""
    updated: str = ""
    section: str = ""
    keywords: tuple[str, ...] = ()
    image: str = ""
    is_free: bool | None = None
    """``isAccessibleForFree``; None: it does not say."""
    correction: str = ""


def read_json_ld(tree: HtmlElement) -> LinkedData:
    """Return what the JSON-LD of a page says of its article; of several articles, what the first one says.

    A later one with the same headline, or with none, and the node of the page itself (or of no type) add what the first
    leaves out.
    ``tree`` is kept as it is. Never raises.
    """
    nodes = _nodes(tree)
    articles = _of_one([node for node in nodes if _types(node) & _ARTICLES])
    told = [*articles, *(node for node in nodes if _types(node) & _PAGES or not _types(node))]
    by_id = {node["@id"]: node for node in nodes if isinstance(node.get("@id"), str) and len(node) > 1}

    def names(*keys: str) -> list[str]:
        return _strings(told, keys, lambda value: _texts(value, ("name", "legalName", "alternateName"), by_id))

    def texts(source: Iterable[Node], *keys: str) -> list[str]:
        return _strings(source, keys, lambda value: _texts(value, ("name", "text", "@value"), by_id))

    images = _strings(told, ("image", "thumbnailUrl"), lambda value: _texts(value, ("url", "contentUrl", "@id"), by_id))
    keywords = texts(articles, "keywords")
    if len(keywords) == 1:  # a list of them may hold "Diversity, equity and inclusion"
        keywords = re.split("[,;،、]", keywords[0])
    return LinkedData(
        is_article=bool(articles),
        headline=_first(texts(articles, "headline", "name")),
        article_body=max((_body(node) for node in articles), key=len, default=""),
        outlet=_first(names("publisher", "sourceOrganization")),
        authors=tuple(names("author", "creator")),
        published=_first(texts(told, "datePublished", "dateCreated")),
        updated=_first(texts(told, "dateModified")),
        section=re.split(r",(?=\S)", _first(texts(articles, "articleSection")))[0],
        keywords=tuple(dict.fromkeys(filter(None, map(str.strip, keywords))))[:MAX_LIST_LENGTH],
        image=_first(images),
        is_free=next((free for node in articles if (free := _is_free(node)) is not None), None),
        correction=_first(texts(articles, "correction", "correctionNote")),
    )


def parse_lenient(text: str) -> Any:
    """Return the value that ``text`` begins with when it is JSON, or nearly; else None. Linear in its length."""
    for candidate in (text, html.unescape(text)) if "&" in text else (text,):
        wrapping = _WRAPPING.match(candidate)
        bare = candidate[wrapping.end() :] if wrapping else candidate
        for repair in (str, _without_trailing_commas):
            try:
                value, _ = _lenient.raw_decode(repair(bare))
            except (ValueError, RecursionError):
                continue
            return value if nests_within(value, MAX_LEVELS) else None
    return None


def _without_trailing_commas(text: str) -> str:
    return _STRING_OR_COMMA.sub(lambda found: "" if found.group() == "," else found.group(), text)


def json_values(tree: HtmlElement) -> Iterator[Any]:
    """Yield what each JSON-LD script of a page holds, within bounds; nothing for one that holds no JSON."""
    room = MAX_CHARACTERS
    for script in islice((one for one in tree.iter("script") if _is_json_ld(one)), MAX_SCRIPTS):
        text = script.text or ""
        room -= len(text)
        if room < 0:
            return
        yield parse_lenient(text)


def _nodes(tree: HtmlElement) -> list[Node]:
    """Return the nodes of all scripts in their order, each before those within it."""
    nodes: list[Node] = []
    for script in json_values(tree):
        waiting = [script]
        while waiting and len(nodes) < MAX_NODES:
            value = waiting.pop()
            if isinstance(value, list):
                waiting.extend(reversed(value[:MAX_NODES]))
            elif isinstance(value, dict):
                nodes.append(value)
                waiting.extend(value[key] for key in _INNER if key in value)
    return nodes


def _is_json_ld(script: HtmlElement) -> bool:
    return "ld+json" in (script.get("type") or "").lower()


def _types(node: Node) -> set[str]:
    claimed = node.get("@type")
    written = claimed if isinstance(claimed, list) else [claimed]
    return {re.split("[/:]", one)[-1] for one in written[:10] if isinstance(one, str)}


def _of_one(articles: list[Node]) -> list[Node]:
    """Return the first article with a headline, and those that say no other one: they are about the same."""
    headlines = [_shown(node.get("headline")) for node in articles]
    first = next(filter(None, headlines), "")
    same = [node for node, headline in zip(articles, headlines, strict=True) if headline in {"", first}]
    return sorted(same, key=lambda node: not _shown(node.get("headline")))


def _strings(nodes: Iterable[Node], keys: Iterable[str], read: Callable[[Any], list[str]]) -> list[str]:
    """Return what the first property of the first node that says anything says."""
    for node in nodes:
        for key in keys:
            if found := read(node.get(key)):
                return found
    return []


def _texts(value: Any, keys: Iterable[str], by_id: Mapping[str, Node]) -> list[str]:
    """Return the texts of a value: a string, a node with one of ``keys`` (or a reference to it), or a list of such."""
    found: list[str] = []
    for one in (value if isinstance(value, list) else [value])[:MAX_LIST_LENGTH]:
        node = by_id.get(one["@id"], one) if isinstance(one, dict) and isinstance(one.get("@id"), str) else one
        inner = next((node[key] for key in keys if node.get(key)), "") if isinstance(node, dict) else node
        found.extend(map(_shown, inner[:MAX_LIST_LENGTH] if isinstance(inner, list) else [inner]))
    return [text for text in found if text]


def _shown(value: Any) -> str:
    return plain_text(value[:MAX_TEXT_CHARACTERS]) if isinstance(value, str) else ""


def _first(texts: list[str]) -> str:
    return texts[0] if texts else ""


def _body(node: Node) -> str:
    body = node.get("articleBody")
    return cleaned(body[:MAX_HTML_CHARACTERS]).strip() if isinstance(body, str) else ""


def _is_free(node: Node) -> bool | None:
    """Return what the article, or a part of it, says on who may read it; one part that is closed closes it."""
    parts = node.get("hasPart")
    for one in (node, *(parts if isinstance(parts, list) else [parts])[:MAX_LIST_LENGTH]):
        said = str(one.get("isAccessibleForFree")).strip().lower() if isinstance(one, dict) else ""
        if said in _NO:
            return False
        if said in _YES and one is node:
            return True
    return None
