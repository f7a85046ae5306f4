"""What of an article each field of the query language means: the one place where this is said.

The index and the matcher both read articles through here, so that a search and a rule see the same words.
"""

from __future__ import annotations

from datetime import datetime

from pipeline.article import Article, EntityKind
from pipeline.query.analysis import tokens
from pipeline.query.tree import DateField, IdField, TextField


def text_values(article: Article) -> dict[TextField, tuple[str, ...]]:
    """Return the values of each text field that has any; a phrase is looked for within one value."""
    values: dict[TextField, tuple[str, ...]] = {
        "title": (article.title,),
        "summary": (article.summary,),
        "body": (article.body,),
        "author": article.authors,
        "outlet": (article.outlet,),
        "origin": (article.origin,),
        "feed": (article.feed,),
        "lang": (article.language,),
        "tag": article.tags,
        "person": _names(article, "person"),
        "org": _names(article, "organisation"),
        "place": _names(article, "place"),
        "url": tuple(dict.fromkeys((article.url, article.canonical_url))),
    }
    present = {field: tuple(value for value in group if value) for field, group in values.items()}
    return {field: group for field, group in present.items() if group}


def token_values(article: Article) -> dict[TextField, list[list[str]]]:
    """Return the words of each text field, one list a value; values without a word are left out."""
    found: dict[TextField, list[list[str]]] = {}
    for field, values in text_values(article).items():
        lists = [words for words in map(tokens, values) if words]
        if lists:
            found[field] = lists
    return found


def id_values(article: Article) -> dict[IdField, tuple[str, ...]]:
    """Return the values compared whole, case folded, each once; empty ones left out."""
    values: dict[IdField, tuple[str, ...]] = {
        "id": (article.id,),
        "family": (article.family,),
        "story": (article.story,),
        "lane": (article.lane,),
        "entity": tuple(entity.id for entity in article.entities),
        "country": tuple(entity.country for entity in article.entities if entity.kind == "place"),
    }
    folded = {field: dict.fromkeys(value.casefold() for value in group if value) for field, group in values.items()}
    return {field: tuple(group) for field, group in folded.items() if group}


def _names(article: Article, kind: EntityKind) -> tuple[str, ...]:
    """Return the names of these entities: the canonical one, and those the article itself has for each."""
    return tuple(name for entity in article.entities if entity.kind == kind for name in (entity.name, *entity.aliases))


def date_values(article: Article) -> dict[DateField, datetime]:
    """Return the times that the article has."""
    values: dict[DateField, datetime | None] = {
        "published": article.published,
        "updated": article.updated,
        "first_seen": article.first_seen,
    }
    return {field: value for field, value in values.items() if value is not None}


def sort_time(article: Article) -> datetime | None:
    """Return the time an article is listed by: when we first had it, or when a backfilled one was published."""
    if article.lane == "backfill" and article.published is not None:
        return article.published
    return article.first_seen
