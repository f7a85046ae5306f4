"""Stage ``entities``: the people, organisations and places that an article names, where it does, and its main place."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from typing import Final, NamedTuple

import msgspec

from pipeline.article import Article, Entity, Span
from pipeline.enrich.bounds import MAX_ALIASES, MAX_SPANS
from pipeline.enrich.gazetteer import Gazetteer
from pipeline.enrich.gazetteer_files import Row
from pipeline.enrich.joining import Name, join
from pipeline.enrich.mentions import Mention, is_title_case, mentions
from pipeline.enrich.name_words import function_words
from pipeline.enrich.places import chosen_rows, lies_in, main_place
from pipeline.enrich.spans import Writing
from pipeline.enrich.tools import Tools
from pipeline.query.analysis import tokens
from pipeline.text.characters import one_line
from pipeline.text.limits import MAX_ENTITIES, MAX_LIST_CHARACTERS

MAX_CHARACTERS: Final = 200_000
"""Of a body: what is behind that is a register or a protocol; its names are not looked for."""
_STRICT: Final = frozenset({"de", "lb", "ms", "id", "zh", "ja", "ko"})
"""German gives every noun a capital; Malay and Indonesian give it to every word of an office, a paper or a plan;
in Chinese it is products as often as people."""


LARGE: Final = 500_000
"""People of a city that is the one meant wherever a state of its country is named behind it."""
_REGION: Final = re.compile(r", (?!\w+\.? ?\d)(?!\d)([^\W\d][\w .'-]{0,40}?)(?=,| \(| ?[-–—]|$)")
"""What follows a place and a comma and is no date."""


class _Place(NamedTuple):
    in_title: bool
    mention: Mention


def enrich(article: Article, tools: Tools) -> Article:
    """Set ``entities``, most often named first, and ``main_place``."""
    gazetteer = tools.gazetteer
    body = article.body[:MAX_CHARACTERS]
    writing = Writing(set(body.split()), function_words(article.language), is_strict=article.language in _STRICT)
    in_body = mentions(body, gazetteer, writing)
    in_title = _in_title(article.title, mentions(article.title, gazetteer, writing))
    places = [_Place(False, mention) for mention in in_body] + [_Place(True, mention) for mention in in_title]
    # The body comes first: the title's short names join the full ones of the body.
    words = set(tokens(body)) if _need_context(in_body, gazetteer) else set()
    found = [place.mention for place in places]
    rows = gazetteer.rows
    chosen = chosen_rows(body, in_body, rows, words) + chosen_rows(article.title, in_title, rows, words)
    named = join(found, rows, chosen, writing)
    entities = _entities(places, named, rows)
    known = _known_places(entities, gazetteer)
    dateline = _of_dateline(article.dateline, {row.id for row, _, _ in known}, gazetteer)
    return msgspec.structs.replace(
        article,
        entities=_with_dateline(entities, dateline) if dateline else entities,
        main_place=main_place(known, [dateline[0]] if dateline else []),
    )


def _need_context(found: Iterable[Mention], gazetteer: Gazetteer) -> bool:
    return any(gazetteer.rows[row].context for mention in found for row in mention.rows)


def _in_title(title: str, found: list[Mention]) -> list[Mention]:
    """Return the mentions of a title; where each word has a capital, unlisted ones say nothing of themselves."""
    if not is_title_case(title):
        return found
    return [mention._replace(kind="", words=1) if not mention.rows else mention for mention in found]


def _entities(places: Sequence[_Place], named: Sequence[Name | None], rows: Sequence[Row]) -> tuple[Entity, ...]:
    """Return what is named, with all places of each."""
    collected: dict[Name, list[_Place]] = {}
    for place, name in zip(places, named, strict=True):
        if name is not None:
            collected.setdefault(name, []).append(place)
    order = sorted(collected, key=lambda name: -len(collected[name]))  # stable: of equals, the one named first
    return tuple(_entity(name, collected[name], rows) for name in order[:MAX_ENTITIES])


def _entity(name: Name, places: Sequence[_Place], rows: Sequence[Row]) -> Entity:
    forms = list(dict.fromkeys(one_line(place.mention.text) for place in places))
    row = rows[name.row] if name.row >= 0 else None
    canonical = (row.name if row else max(forms, key=len))[:MAX_LIST_CHARACTERS]
    return Entity(
        kind=name.kind,
        name=canonical,
        id=row.id if row else "",
        type=row.type if row else "",
        aliases=tuple(form for form in forms if form != canonical)[:MAX_ALIASES],
        in_title=_spans(place.mention for place in places if place.in_title),
        in_body=_spans(place.mention for place in places if not place.in_title),
        country=row.country if row else "",
        latitude=row.latitude if row else None,
        longitude=row.longitude if row else None,
    )


def _spans(found: Iterable[Mention]) -> tuple[Span, ...]:
    return tuple((mention.start, mention.end) for mention in found)[:MAX_SPANS]


def _known_places(
    entities: Sequence[Entity], gazetteer: Gazetteer
) -> list[tuple[Row, tuple[Span, ...], tuple[Span, ...]]]:
    return [
        (gazetteer.rows[gazetteer.by_id[entity.id]], entity.in_title, entity.in_body)
        for entity in entities
        if entity.kind == "place" and entity.id
    ]


def _of_dateline(dateline: str, named: Collection[str], gazetteer: Gazetteer) -> tuple[Row, Span] | None:
    """Return the place that a dateline begins with, and where: the one that the article names, else the largest.

    None where a region that is not the place's follows: "CHARLESTON, Ill. (AP)", if only another Charleston is known.
    """
    dateline = dateline[:MAX_LIST_CHARACTERS]
    found = gazetteer.find(dateline) if dateline else []
    if not found or found[0].start:
        return None
    rows = [row for number in found[0].rows if (row := gazetteer.rows[number]).kind == "place"]
    if behind := _REGION.match(dateline, found[0].end):
        regions = [gazetteer.rows[number] for number in gazetteer.named(behind[1])]
        rows = [row for row in rows if any(_is_of(row, region) for region in regions)]
    # A reporter writes from a city: Washington and New York are no states there.
    first = min(rows, key=lambda row: (row.id not in named, row.type != "city", -row.weight), default=None)
    return None if first is None else (first, (found[0].start, found[0].end))


def _is_of(row: Row, region: Row) -> bool:
    """Whether a place is of this region, as far as that is known: of a state only what is guarded by it, or large."""
    if not lies_in(row, region):
        return row.id == region.id
    return region.type != "state" or region.name in row.context or row.weight >= LARGE


def _with_dateline(entities: tuple[Entity, ...], dateline: tuple[Row, Span]) -> tuple[Entity, ...]:
    """Return the entities with the dateline's place among them, the last one when nothing else names it."""
    row, span = dateline
    if any(entity.id == row.id for entity in entities):
        return tuple(
            msgspec.structs.replace(entity, in_dateline=(span,)) if entity.id == row.id else entity
            for entity in entities
        )
    place = Entity(
        kind="place", name=row.name, id=row.id, type=row.type, in_dateline=(span,), country=row.country,
        latitude=row.latitude, longitude=row.longitude,
    )  # fmt: skip
    return (*entities[: MAX_ENTITIES - 1], place)
