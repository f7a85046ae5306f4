"""What of a known article stays when a later form of it brings no text of its own."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from msgspec.structs import replace

from pipeline.article import Article, Entity
from pipeline.text.limits import MAX_ENTITIES, MAX_LIST_LENGTH

TEXT_FIELDS: Final = (
    "body", "headings", "summary", "page", "text_from", "text_choice", "text_confidence", "canonical_url", "language",
    "script", "direction", "quotes", "dateline", "main_place", "stages",
)  # fmt: skip
"""The text and what was found in it, or says how it was made. Places in a text mean nothing beside another one."""

PAGE_FIELDS: Final = ("section", "image", "correction")
"""What a page says beside its text; it stays unless only the later form says anything."""

OF_FEED: Final = frozenset({
    "title_truncated", "controls_removed", "list_truncated", "published_clamped", "published_unreadable",
    "charset_guessed", "link_removed", "gap_filled",
})  # fmt: skip
"""Flags that speak of what a feed says itself; the others speak of the text that does not count."""


def with_text_of(last: Article, article: Article) -> Article:
    """Return ``article`` with the text of ``last``, and with what was found in that text and on its page."""
    source = last if last.origin else article
    return replace(
        article,
        **{name: getattr(last, name) for name in TEXT_FIELDS},
        **{name: getattr(last, name) or getattr(article, name) for name in PAGE_FIELDS},
        origin=source.origin,
        origin_by=source.origin_by,
        authors=article.authors or last.authors,
        updated=max(filter(None, (last.updated, article.updated)), default=None),
        tags=tuple(dict.fromkeys((*last.tags, *article.tags)))[:MAX_LIST_LENGTH],  # a feed may change its own for ever
        flags=tuple(dict.fromkeys((*last.flags, *(flag for flag in article.flags if flag in OF_FEED)))),
        entities=last.entities if last.title == article.title else _joined(last.entities, article.entities),
    )


def is_same_reading(last: Article, article: Article) -> bool:
    """Whether what differs between two texts of one page is how we read it, and nobody's edit.

    That is so for the same bytes, for other editions of the stages that make a text (then it cannot be told apart), and
    where all that differs is lines that the outlet was found to repeat, which are left out since (``lines_removed``).
    """
    if not (last.text_from == article.text_from == "page"):
        return False
    if (last.title, last.summary) != (article.title, article.summary):
        return False
    if last.page and article.page and _content(last.page) == _content(article.page):
        return True
    return _editions(last) != _editions(article) or (
        "lines_removed" in article.flags and set(article.body.split("\n\n")) < set(last.body.split("\n\n"))
    )


def _editions(article: Article) -> set[str]:
    """Return the editions of the stages that make a text."""
    return {stage for stage in article.stages if stage.startswith(("text/", "clean/"))}


def _content(page: str) -> str:
    """Return the hash of the bytes out of a page's key, which also has the day it was fetched."""
    return page.rpartition("/")[2]


def _joined(of_body: Iterable[Entity], of_title: Iterable[Entity]) -> tuple[Entity, ...]:
    """Return those of the kept body and those of the new title, each once."""
    found = {_key(entity): replace(entity, in_title=()) for entity in of_body if entity.in_body or entity.in_dateline}
    for entity in of_title:
        if entity.in_title:
            known = found.get(_key(entity), replace(entity, in_body=(), in_dateline=()))
            aliases = tuple(dict.fromkeys((*known.aliases, *entity.aliases)))
            found[_key(entity)] = replace(known, in_title=entity.in_title, aliases=aliases)
    return tuple(found.values())[:MAX_ENTITIES]


def _key(entity: Entity) -> tuple[str, str]:
    return entity.kind, entity.id or entity.name.casefold()
