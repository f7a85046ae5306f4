"""What enrichment found in an article, in lines for a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.article import Article, Entity, EntityKind

MAX_NAMES = 12
MAX_QUOTES = 5
MAX_QUOTE_CHARACTERS = 100

_LABELS: tuple[tuple[EntityKind, str], ...] = (
    ("person", "people"),
    ("organisation", "orgs"),
    ("place", "places"),
)


def facts_found(article: Article) -> Iterator[tuple[str, str]]:
    """Yield labels with what was found; a label is empty where the one before it goes on."""
    yield "origin", f"{article.origin} (by its {article.origin_by})" if article.origin_by else article.origin
    yield "dateline", article.dateline
    yield "section", article.section
    yield "correction", article.correction
    for kind, label in _LABELS:
        yield label, _names([entity for entity in article.entities if entity.kind == kind])
    main = next((entity for entity in article.entities if entity.id and entity.id == article.main_place), None)
    if main is not None:
        yield "main place", _place(main)
    label = "quotes"
    for quote in article.quotes[:MAX_QUOTES]:
        text = article.body[quote.start : quote.end]
        shown = text if len(text) <= MAX_QUOTE_CHARACTERS else text[: MAX_QUOTE_CHARACTERS - 1] + "…"
        yield label, f"{quote.speaker or 'nobody named'}: “{' '.join(shown.split())}”"
        label = ""
    if len(article.quotes) > MAX_QUOTES:
        yield "", f"and {len(article.quotes) - MAX_QUOTES} more"


def _names(entities: list[Entity]) -> str:
    names = [_name(entity) for entity in entities]
    more = f" and {len(names) - MAX_NAMES} more" if len(names) > MAX_NAMES else ""
    return ", ".join(names[:MAX_NAMES]) + more


def _name(entity: Entity) -> str:
    """Return the name with how often it stands there, and the id by which `entity:` finds it."""
    number = _times(entity)
    notes = [str(number)] * (number > 1) + [entity.id] * bool(entity.id)
    return f"{entity.name} ({', '.join(notes)})" if notes else entity.name


def _times(entity: Entity) -> int:
    return len(entity.in_title) + len(entity.in_body) + len(entity.in_dateline)


def _place(entity: Entity) -> str:
    country = f", {entity.country}" if entity.country else ""
    if entity.latitude is None or entity.longitude is None:
        return f"{entity.name}{country}"
    return f"{entity.name}{country} ({entity.latitude:.2f}, {entity.longitude:.2f})"
