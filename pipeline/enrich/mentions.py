"""Where a text names somebody or something: what the gazetteer knows and what capitals say, as one list.

Known and unlisted names overlap ("Washington" in "Washington Post"): here the longer one is chosen, or, where the words
around a known name are no part of it, the known one.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple

from pipeline.article import EntityKind
from pipeline.enrich.gazetteer import Found, Gazetteer
from pipeline.enrich.han_names import HAN, han_names
from pipeline.enrich.name_words import (
    ADJECTIVES,
    DIRECTIONS,
    ORGANISATION_BEGINNINGS,
    PLACE_PREPOSITIONS,
    SHORT_PLACES,
    STATE_ABBREVIATIONS,
    TITLES,
)
from pipeline.enrich.spans import Kind, Piece, Writing, given_names, is_institution, kind_of, pieces, surnames

MAX_HEADING_CHARACTERS: Final = 120
_LINE_ENDS: Final = frozenset('.!?:;,"”’)]。！？')
_LONG_WORD: Final = re.compile(r"[^\W\d_]{4,}")
MAX_MENTIONS: Final = 5_000
"""Of one text; 5 MiB of names hold a hundred times as many, and an article keeps 300 names of 50 places each."""


class Mention(NamedTuple):
    """A stretch of text that may name something."""

    start: int
    end: int
    text: str
    kind: Kind
    """What the words and their neighbours say it is; of a known name, empty unless they say more than the rows."""
    rows: tuple[int, ...]
    """Of the gazetteer, that have this name; none: it is not listed."""
    words: int
    before: str
    """The word before it, in lower case."""
    is_first: bool
    is_small: bool = False
    """It is written without a capital, in a script that has them."""


def mentions(text: str, gazetteer: Gazetteer, writing: Writing) -> list[Mention]:
    """Return what may be names in ``text``, in order and none overlapping another."""
    hits = gazetteer.find(text)
    found = _without_headings(text, _capitalised(text, hits, gazetteer, writing))
    return _with_han(text, found, hits, gazetteer) if not text.isascii() and HAN.search(text) else found


def _without_headings(text: str, found: list[Mention]) -> list[Mention]:
    """Take from unlisted names in lines where every word has a capital what their words say, persons aside."""
    lines = list(_headings(text))
    if not lines:
        return found
    return [
        mention._replace(kind="", words=1)
        if not mention.rows and mention.kind != "person" and _is_within(mention, lines)
        else mention
        for mention in found
    ]


def _headings(text: str) -> Iterator[tuple[int, int]]:
    """Yield where lines stand that look like headings in which every word has a capital."""
    start = 0
    for line in text.split("\n"):
        if 0 < len(line) <= MAX_HEADING_CHARACTERS and line[-1] not in _LINE_ENDS and is_title_case(line):
            yield start, start + len(line)
        start += len(line) + 1


def _is_within(mention: Mention, lines: Sequence[tuple[int, int]]) -> bool:
    place = bisect_right(lines, (mention.start, mention.end)) - 1
    return any(start <= mention.start < end for start, end in lines[max(0, place) : place + 2])


def is_title_case(line: str) -> bool:
    """Return whether nearly every longer word of a line has a capital, so that none says anything."""
    words = _LONG_WORD.findall(line)
    return sum(1 for word in words if word[0].isupper()) > 0.7 * len(words)


def _capitalised(text: str, hits: Sequence[Found], gazetteer: Gazetteer, writing: Writing) -> list[Mention]:
    found: list[Mention] = []
    place = behind = 0
    for piece in pieces(text, writing):
        while place < len(hits) and hits[place].end <= piece.start:
            _add(found, _lone_hit(text, hits[place], behind, gazetteer))
            place += 1
        inner = []
        while place < len(hits) and hits[place].start < piece.end:
            inner.append(hits[place])
            place += 1
        if piece.start >= behind:
            whole = _without_opening_word(piece, inner) if writing.is_strict else piece
            found += _of_piece(text, whole, inner, gazetteer)
        if inner and inner[-1].end > piece.end:
            place -= 1  # it goes on into the next piece, or stands there with a word that has no capital
            if hits[place].start < piece.start or (found and found[-1].end > hits[place].start):
                place += 1
        behind = max(behind, found[-1].end if found else 0)
        if len(found) > MAX_MENTIONS:
            return found
    for hit in hits[place : place + MAX_MENTIONS]:
        _add(found, _lone_hit(text, hit, behind, gazetteer))
    return found


def _with_han(text: str, found: Sequence[Mention], hits: Sequence[Found], gazetteer: Gazetteer) -> list[Mention]:
    """Return the mentions with the unlisted Chinese names among them, of two that overlap the longer."""
    names = han_names(text, hits, gazetteer)
    letters = {name.start for name in names if name.end - name.start == 1}
    # "中美" is China and the US here, not Central America
    merged = [mention for mention in found if not {mention.start, mention.end - 1} <= letters]
    for start, end, kind, rows in names:
        merged.append(Mention(start, end, text[start:end], kind, rows, 1, "", is_first=False))
    merged.sort(key=lambda mention: (mention.start, -mention.end, not mention.rows))
    kept: list[Mention] = []
    for mention in merged:
        if not kept or mention.start >= kept[-1].end:
            kept.append(mention)
        elif mention.end - mention.start > kept[-1].end - kept[-1].start:
            kept[-1] = mention
    return kept


def _add(found: list[Mention], mention: Mention | None) -> None:
    if mention is not None and (not found or mention.start >= found[-1].end):
        found.append(mention)


def _lone_hit(text: str, hit: Found, behind: int, gazetteer: Gazetteer) -> Mention | None:
    """Return a known name that no capitalised words hold: of a script without capitals, or written small."""
    letter = text[hit.start]
    if hit.start < behind or letter.isdigit():
        return None
    rows = [gazetteer.rows[row] for row in hit.rows]
    if hit.words > 1 or any(row.id in gazetteer.own for row in rows):  # who lists a name wants it found
        return _of_hit(text, hit, None, is_small=letter.islower() and rows[0].id not in gazetteer.own)
    if letter.isupper() or (letter.islower() and not any(row.kind == "person" for row in rows)):
        return None  # a word that begins a sentence, a day, a title; or one as any other
    return _of_hit(text, hit, None, is_small=letter.islower())


def _of_hit(text: str, hit: Found, piece: Piece | None, *, is_small: bool = False, kind: Kind = "") -> Mention:
    return Mention(
        hit.start, hit.end, text[hit.start : hit.end], kind, hit.rows, hit.words,
        piece.before if piece else "", piece.is_first if piece else False, is_small,
    )  # fmt: skip


def _without_opening_word(piece: Piece, hits: Sequence[Found]) -> Piece:
    """Drop the word that begins a sentence where a known name comes behind it: "Pramugari Singapore Airlines"."""
    rest = piece.words[1:]
    is_head = piece.words[0].low in ORGANISATION_BEGINNINGS
    if piece.is_first and not is_head and rest and rest[0].start in {hit.start for hit in hits}:
        return piece._replace(start=rest[0].start, words=rest, is_first=False)
    return piece


def _of_piece(text: str, piece: Piece, hits: Sequence[Found], gazetteer: Gazetteer) -> Iterator[Mention]:
    """Yield the mentions in one run of capitalised words."""
    short = _short_place(text, piece, gazetteer)
    if short:
        yield _unlisted(text, piece)._replace(kind="", rows=short)
        return
    if hits and is_institution(piece.words):
        hits = [hit for hit in hits if any(gazetteer.rows[row].kind == "organisation" for row in hit.rows)]
    for hit in hits:
        if hit.start <= piece.start and hit.end >= piece.words[-1].end:
            yield _of_hit(text, hit, piece, kind="" if hit.words > 1 else piece.kind)
            return
    if not hits:
        yield _unlisted(text, piece)
        return
    hit = max(hits, key=lambda each: each.end - each.start)
    kinds = {gazetteer.rows[row].kind for row in hit.rows}
    is_weak = _is_weak(hit, gazetteer)
    if hit.end > piece.end or hit.start < piece.start:
        yield _of_hit(text, hit, piece)
    elif _is_whole(piece, hit, kinds, is_weak=is_weak):
        is_about_place = not is_weak and (hit.start == piece.start or hit.end - hit.start <= 3) and "place" in kinds
        kind = piece.kind or ("organisation" if is_about_place else "")
        if piece.kind == "person" and _is_branch(piece, hit, gazetteer):
            kind = "organisation"
        yield _unlisted(text, piece._replace(kind=kind))
    else:
        yield from _parted(text, piece, hits)


def _short_place(text: str, piece: Piece, gazetteer: Gazetteer) -> tuple[int, ...]:
    """Return the row of a country's or state's usual short form ("U.S.", "Britain", "Fla."), if this is one."""
    if len(piece.words) > 1 or piece.kind == "person":
        return ()
    word = piece.words[0].text
    if text.startswith("$", piece.end):
        return ()  # "US$2"
    form = piece.words[0].low.strip(".")
    if piece.kind == "place" and form in STATE_ABBREVIATIONS:
        return gazetteer.named(STATE_ABBREVIATIONS[form])
    is_written_so = form in SHORT_PLACES and (len(form) > 5 or word.isupper())
    return gazetteer.named(SHORT_PLACES[form]) if is_written_so else ()


def _is_branch(piece: Piece, hit: Found, gazetteer: Gazetteer) -> bool:
    """Return whether a name ends in a country's that no person bears: "Greenpeace Brazil"."""
    is_country = any(gazetteer.rows[row].type == "country" for row in hit.rows)
    has_title = piece.before in TITLES or piece.words[0].low in given_names()
    return is_country and hit.end == piece.end and not has_title


def _is_weak(hit: Found, gazetteer: Gazetteer) -> bool:
    """Return whether this is but a town's name, which many other names hold."""
    rows = [gazetteer.rows[row] for row in hit.rows]
    return hit.words == 1 and all(row.kind == "place" and row.type == "city" and row.weight < 1_000_000 for row in rows)


def _is_whole(piece: Piece, hit: Found, kinds: set[EntityKind], *, is_weak: bool) -> bool:
    """Return whether the run is one name of which the known one is but a part."""
    ends_with_it = hit.end == piece.end
    if piece.kind in {"organisation", "none", "place"}:
        # "Former FBI", but "Senate Judiciary Committee" and "Court of Justice of the European Union"
        is_led_to = any(word.start == hit.start and word.link.startswith("of") for word in piece.words)
        return is_led_to or not (ends_with_it and "organisation" in kinds and hit.words > 1)
    if piece.kind == "person":
        return not ("person" in kinds and ends_with_it and hit.words > 1)
    first = piece.words[0]
    if is_weak:
        return not (ends_with_it and first.low in DIRECTIONS)
    if ends_with_it and hit.words == 1 and 2 <= hit.end - hit.start <= 3 and len(piece.words) > 1:
        return not piece.words[-2].link and first.low not in ADJECTIVES  # "Turning Point USA"
    is_alone = not (hit.words > 1 or (ends_with_it and piece.is_first))
    return _is_whole_around_place(piece, hit) if "place" in kinds else is_alone


def _is_whole_around_place(piece: Piece, hit: Found) -> bool:
    first, last = piece.words[0], piece.words[-1]
    if hit.start == piece.start:  # "Chicago Bulls", "Paris Hilton"; not "Texas Ted Cruz"
        rest = [word for word in piece.words if word.start >= hit.end]
        return bool(rest) and not rest[0].link and not (len(rest) > 1 and rest[0].low in given_names())
    ends_with_it = hit.end == piece.end
    if ends_with_it and first.low in DIRECTIONS:
        return False
    return ends_with_it and first.low in given_names() and last.low in surnames()


def _parted(text: str, piece: Piece, hits: Iterable[Found]) -> Iterator[Mention]:
    """Yield the known names of a run and, as names of their own, what is left of it between them."""
    behind = piece.start
    for hit in hits:
        left = tuple(word for word in piece.words if behind <= word.start and word.end <= hit.start)
        if left and left[-1].low in DIRECTIONS and len(left) == 1:
            yield _of_hit(text, hit, piece)._replace(start=left[0].start, text=text[left[0].start : hit.end])
        else:
            if len(left) > 1:
                yield _rest(text, piece, left)
            yield _of_hit(text, hit, piece)
        behind = hit.end
    left = tuple(word for word in piece.words if word.start >= behind)
    if left and not (len(left) == 1 and left[0].low in TITLES):
        yield _rest(text, piece, left)


def _rest(text: str, piece: Piece, words: Sequence) -> Mention:  # type: ignore[type-arg]
    start, end = words[0].start, words[-1].end
    kind = kind_of(text, words, end, "" if start != piece.start else piece.before)
    return Mention(start, end, text[start:end], kind, (), len(words), "", False)


def _unlisted(text: str, piece: Piece) -> Mention:
    return Mention(
        piece.start, piece.end, text[piece.start : piece.end], piece.kind, (), len(piece.words), piece.before,
        piece.is_first,
    )  # fmt: skip


def is_in_a_place(mention: Mention) -> bool:
    """Return whether the word before says that this is where something is."""
    return mention.before in PLACE_PREPOSITIONS
