"""What a page's JSON-LD says of its article: the whole text, and the entries of a live blog.

https://schema.org/NewsArticle, https://schema.org/LiveBlogPosting
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from lxml.html import HtmlElement
from msgspec import Struct

from pipeline.enrich.json_ld import json_values
from pipeline.enrich.markup import read_markup
from pipeline.enrich.paragraphs import Paragraph
from pipeline.text.characters import one_line

MAX_NODES: Final = 5_000
"""Objects and lists of one page that are looked at; the fullest of 40 real pages has some 700."""
MAX_ENTRIES: Final = 500

_NOT_ITS_OWN: Final = frozenset({"liveBlogUpdate", "itemListElement", "hasPart", "mentions", "isPartOf", "citation"})
"""Other articles that an article names."""


class PageJson(Struct, frozen=True, kw_only=True):
    """What was found; empty where the page says nothing."""

    body: tuple[Paragraph, ...] = ()
    entries: frozenset[str] = frozenset()
    """Headlines of a live blog's entries, on one line and in small letters."""
    types: frozenset[str] = frozenset()
    """All ``@type`` of what the page is about."""


def read_page_json(tree: HtmlElement) -> PageJson:
    """Return the longest ``articleBody`` of a page, its live entries and its types; what is no JSON is passed over."""
    bodies, entries, types = [""], set(), set()
    for item in _items(tree):
        found = item.get("@type")
        names = {str(name) for name in (found if isinstance(found, list) else [found]) if name}
        types |= names
        if any(name.endswith(("Article", "Posting", "Report")) for name in names):
            bodies.append(text if isinstance(text := item.get("articleBody"), str) else "")
        updates = item.get("liveBlogUpdate")
        for update in updates[:MAX_ENTRIES] if isinstance(updates, list) else ():
            headline = update.get("headline") if isinstance(update, dict) else ""
            if isinstance(headline, str) and headline.strip():
                entries.add(one_line(headline[:1_000]).casefold())
    return PageJson(body=tuple(read_markup(max(bodies, key=len))), entries=frozenset(entries), types=frozenset(types))


def _items(tree: HtmlElement) -> Iterator[dict[str, Any]]:
    left = MAX_NODES
    for value in json_values(tree):
        waiting = [value]
        while waiting and left > 0:
            node = waiting.pop()
            left -= 1
            if isinstance(node, list):
                waiting.extend(inner for inner in node if isinstance(inner, dict | list))
            elif isinstance(node, dict):
                yield node
                waiting.extend(
                    inner for key, inner in node.items() if isinstance(inner, dict | list) and key not in _NOT_ITS_OWN
                )
