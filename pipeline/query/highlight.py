"""Where in an article a query was met: short pieces of its text with the found words marked."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from msgspec import Struct

from pipeline.article import Article
from pipeline.query.analysis import Token, tokenize, tokens
from pipeline.query.document import text_values
from pipeline.query.tree import And, Not, Or, Query, TextField, Words

MAX_CHARACTERS = 100_000
"""Of one value that are searched for words to mark; places are found at some 1 MB a second."""

_SHOWN_FIELDS: tuple[TextField, ...] = ("title", "summary", "body", "author", "tag", "outlet", "origin")
_SPACE = re.compile(r"\s")


class Snippet(Struct, frozen=True):
    """A piece of one field, on one line; each mark is the range of characters of ``text`` that a word was found in."""

    field: TextField
    text: str
    marks: tuple[tuple[int, int], ...] = ()


class _Mark(NamedTuple):
    """Where one of the query's words or phrases stands in a value; ``term`` is its number."""

    start: int
    end: int
    term: int


class _Piece(NamedTuple):
    """What may become a snippet: its place in the article, and how many different terms it shows."""

    place: tuple[int, int, int]
    terms: int
    snippet: Snippet


def snippets(article: Article, query: Query, *, size: int = 160, number: int = 3) -> list[Snippet]:
    """Return up to ``number`` pieces of at most ``size`` characters, in the order of the article.

    Those with the most different words of ``query`` are taken; what stands under NOT marks nothing. Where no text was
    met (``*``, a date, only negations) it is the start of the body, the summary or the title, unmarked.
    """
    wanted = [(words.fields, tokens(words.text)) for words in dict.fromkeys(_positive(query))]
    values = text_values(article)
    pieces: list[_Piece] = []
    for order, field in enumerate(_SHOWN_FIELDS):
        terms = [term for fields, term in wanted if term and field in fields]
        for part, value in enumerate(values.get(field, ()) if terms else ()):
            pieces += _pieces(field, (order, part), value[:MAX_CHARACTERS], terms, size)
    if not pieces:
        return _beginning(article, size)[:number]
    best = sorted(pieces, key=lambda piece: -piece.terms)[:number]
    return [piece.snippet for piece in sorted(best, key=lambda piece: piece.place)]


def _positive(query: Query, selects: bool = True) -> Iterator[Words]:
    """Yield the words that an article is selected by having."""
    match query:
        case Words() if selects:
            yield query
        case Not(part):
            yield from _positive(part, not selects)
        case And(parts) | Or(parts):
            for part in parts:
                yield from _positive(part, selects)


def _pieces(
    field: TextField, order: tuple[int, int], value: str, terms: Sequence[Sequence[str]], size: int
) -> Iterator[_Piece]:
    """Yield pieces of one value that do not overlap and together show every mark."""
    found = tokenize(value)
    marks = _marks(found, terms)
    at = end = 0
    while at < len(marks):
        start, end = _bounds(marks[at], found, end, len(value), size)
        last = next((i for i in range(at + 1, len(marks)) if marks[i].end > end), len(marks))
        inside = marks[at:last]
        ranges = tuple((mark.start - start, min(mark.end, end) - start) for mark in inside)
        snippet = Snippet(field, _SPACE.sub(" ", value[start:end]), ranges)
        yield _Piece((*order, start), len({mark.term for mark in inside}), snippet)
        at = last


def _marks(found: Sequence[Token], terms: Sequence[Sequence[str]]) -> list[_Mark]:
    """Return where the terms stand, first to last; of two that overlap, the first and then the longer."""
    by_first_word: dict[str, list[tuple[int, Sequence[str]]]] = {}
    for number, term in enumerate(terms):
        by_first_word.setdefault(term[0], []).append((number, term))
    words = [token.text for token in found]
    marks: list[_Mark] = []
    for at, token in enumerate(found):
        here = [pair for pair in by_first_word.get(token.text, ()) if words[at : at + len(pair[1])] == pair[1]]
        if here and (not marks or token.start >= marks[-1].end):
            number, term = max(here, key=lambda pair: len(pair[1]))
            marks.append(_Mark(token.start, found[at + len(term) - 1].end, number))
    return marks


def _bounds(mark: _Mark, found: Sequence[Token], shown_to: int, length: int, size: int) -> tuple[int, int]:
    """Return the range of ``size`` characters around ``mark``, a third of the room before it, on the edges of words."""
    if length <= size:
        return 0, length
    room = max(0, size - (mark.end - mark.start))
    earliest = min(mark.start, max(shown_to, min(mark.start - room // 3, length - size)))
    start = found[bisect_left(found, earliest, key=lambda token: token.start)].start if earliest > 0 else 0
    latest = start + size
    if latest >= length:
        return start, length
    if mark.end > latest:
        return start, latest
    return start, found[bisect_right(found, latest, key=lambda token: token.end) - 1].end


def _beginning(article: Article, size: int) -> list[Snippet]:
    """Return the first words of the article's text."""
    fields: tuple[TextField, ...] = ("body", "summary", "title")
    values = text_values(article)
    for field in fields:
        if text := _SPACE.sub(" ", values.get(field, ("",))[0][: size + 1]).lstrip():
            if len(text) > size:
                text = text[: max(text.rfind(" "), 0) or size]
            return [Snippet(field, text)]
    return []
