"""How many names and quotes an article carries, and that each stands within its text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

import msgspec

from pipeline.article import Article, Entity, Quote, Span
from pipeline.text.characters import one_line
from pipeline.text.limits import MAX_ENTITIES, MAX_LIST_CHARACTERS, MAX_WORD_CHARACTERS

MAX_SPANS: Final = 50
"""Of one entity in title or body."""
MAX_ALIASES: Final = 10
MAX_QUOTES: Final = 200
MAX_BYTES: Final = 64 * 1024
"""Of all names together, and of all quotes, as JSON; a long article has some 5 kB of each."""


def bounded(article: Article) -> Article:
    """Return the article with as many of its names and quotes as have room, those first that come first; flagged."""
    if not article.entities and not article.quotes:
        return article
    title, body = len(article.title), len(article.body)
    entities = _within(_entities(article.entities[:MAX_ENTITIES], title, body, len(article.dateline)))
    quotes = _within(_quotes(article.quotes[:MAX_QUOTES], body))
    is_cut = len(entities) < len(article.entities) or len(quotes) < len(article.quotes)
    if entities == article.entities and quotes == article.quotes:
        return article
    article = msgspec.structs.replace(article, entities=entities, quotes=quotes)
    return article.flagged("names_truncated") if is_cut else article


def _entities(entities: Iterable[Entity], title: int, body: int, dateline: int) -> Iterator[Entity]:
    for entity in entities:
        in_title, in_body = _spans(entity.in_title, title), _spans(entity.in_body, body)
        in_dateline = _spans(entity.in_dateline, dateline)
        if in_title or in_body or in_dateline:
            yield msgspec.structs.replace(
                entity,
                name=one_line(entity.name)[:MAX_LIST_CHARACTERS],
                id=one_line(entity.id)[:MAX_WORD_CHARACTERS],
                type=one_line(entity.type)[:MAX_LIST_CHARACTERS],
                aliases=tuple(one_line(alias)[:MAX_LIST_CHARACTERS] for alias in entity.aliases[:MAX_ALIASES]),
                in_title=in_title,
                in_body=in_body,
                in_dateline=in_dateline,
                country=one_line(entity.country)[:2],
            )


def _quotes(quotes: Iterable[Quote], body: int) -> Iterator[Quote]:
    for quote in quotes:
        if 0 <= quote.start < quote.end <= body:
            yield msgspec.structs.replace(
                quote,
                speaker=one_line(quote.speaker)[:MAX_LIST_CHARACTERS],
                speaker_id=one_line(quote.speaker_id)[:MAX_WORD_CHARACTERS],
                verb=one_line(quote.verb)[:MAX_LIST_CHARACTERS],
            )


def _spans(spans: Sequence[Span], length: int) -> tuple[Span, ...]:
    return tuple((start, end) for start, end in spans[:MAX_SPANS] if 0 <= start < end <= length)


def _within(found: Iterator[Any]) -> tuple[Any, ...]:
    kept: list[Any] = []
    room = MAX_BYTES
    for item in found:
        room -= len(msgspec.json.encode(item)) + 1
        if room < 0:
            break
        kept.append(item)
    return tuple(kept)
