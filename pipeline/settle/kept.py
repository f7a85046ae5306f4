"""What of a known article stays when a later form of it brings no text of its own."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from msgspec.structs import replace

from pipeline.article import Article, Entity

TEXT_FIELDS: Final = (
    "body", "headings", "summary", "page", "text_from", "text_choice", "text_confidence", "canonical_url", "language",
    "script", "direction", "quotes", "dateline", "main_place", "stages",
)  # fmt: skip
"""The text and what was found in it, or says how it was made. Places in a text mean nothing beside another one."""

PAGE_FIELDS: Final = ("section", "image", "correction", "origin", "origin_by", "authors", "updated")
"""What a page says beside its text; it stays unless only the later form says anything."""


def with_text_of(last: Article, article: Article) -> Article:
    """Return ``article`` with the text of ``last``, and with what was found in that text and on its page."""
    return replace(
        article,
        **{name: getattr(last, name) for name in TEXT_FIELDS},
        **{name: getattr(last, name) or getattr(article, name) for name in PAGE_FIELDS},
        tags=tuple(dict.fromkeys((*last.tags, *article.tags))),
        flags=tuple(dict.fromkeys((*last.flags, *article.flags))),
        entities=last.entities if last.title == article.title else _joined(last.entities, article.entities),
    )


def is_same_page(last: Article, article: Article) -> bool:
    """Whether both texts were read from the same bytes: what differs then is how we read, and nobody's edit."""
    if not (last.text_from == article.text_from == "page" and last.page and article.page):
        return False
    is_same_head = (last.title, last.summary) == (article.title, article.summary)
    return is_same_head and _content(last.page) == _content(article.page)


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
    return tuple(found.values())


def _key(entity: Entity) -> tuple[str, str]:
    return entity.kind, entity.id or entity.name.casefold()
