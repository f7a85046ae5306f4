"""Names that no list holds: runs of capitalised words, cut at titles, with what they and their neighbours say."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from importlib.resources import files
from typing import Final, Literal, NamedTuple

from pipeline.enrich.capitals import Word, is_link, runs, starts_sentence
from pipeline.enrich.name_words import (
    ACRONYMS_OF_NO_NAME,
    ADJECTIVES,
    CALENDAR,
    FUNCTION,
    NOT_NAMES,
    ORGANISATION_HEADS,
    ORGANISATION_OPENERS,
    PERSON_TITLES_ONLY,
    PLACE_HEADS,
    PLACE_OPENERS,
    SAYING,
    TITLES,
)

Kind = Literal["", "person", "organisation", "place", "none"]
_AGE: Final = re.compile(r",? \(?\d{1,3}\)?(?:,|\)| tahun)|, who\b|, whose\b|,? yang berusia")
_NEXT_WORD: Final = re.compile(r",? ?([^\W\d_]{2,20})")


class Piece(NamedTuple):
    """One run of words that may be a name."""

    start: int
    end: int
    words: tuple[Word, ...]
    kind: Kind
    """What its own words and its neighbours say; empty: nothing, "none": that it is a name of something else."""
    is_first: bool
    """It begins a sentence, where a capital says nothing of a lone word."""
    before: str
    """The word before it, in lower case."""


@lru_cache(maxsize=1)
def given_names() -> frozenset[str]:
    """Return common given names in lower case (see the file for their source)."""
    return _read("given_names.txt")


@lru_cache(maxsize=1)
def surnames() -> frozenset[str]:
    """Return common surnames in lower case (see the file for their source)."""
    return _read("surnames.txt")


def _read(name: str) -> frozenset[str]:
    lines = (files("pipeline.enrich") / name).read_text(encoding="utf-8").split("\n")
    return frozenset(line for line in lines if line and not line.startswith("#"))


def pieces(text: str, lower_words: frozenset[str] | set[str]) -> Iterator[Piece]:
    """Yield what may be names in ``text``, in order; ``lower_words`` are those that the article also writes small."""
    for run in runs(text):
        is_first = starts_sentence(text, run[0].start)
        title = ""
        for words, before in _cut(run):
            title = before or ("" if words and words[0].start != run[0].start else title)
            kept = _without_opening(words, lower_words, is_first=is_first and words[0].start == run[0].start)
            if kept:
                yield _piece(text, kept, title, is_first=is_first and kept[0].start == run[0].start)


def _cut(run: Sequence[Word]) -> Iterator[tuple[list[Word], str]]:
    """Yield the parts of a run between titles, days and the like, each with the title before it."""
    part: list[Word] = []
    title = ""
    for place, word in enumerate(run):
        leads_on = bool(part) and is_link(word.link)
        if leads_on and not _is_led_on(part, word):
            yield part, title
            part, title = [], ""
        following = run[place + 1].low if place + 1 < len(run) and not run[place + 1].link else ""
        if _parts_names(word, part, following):
            if part:
                yield part, title
            part, title = [], word.low if word.low in TITLES else ""
        else:
            part.append(word)
    if part:
        yield part, title


def _is_led_on(part: Sequence[Word], word: Word) -> bool:
    """Return whether "of", "for" or "and" goes on with the organisation that ``part`` begins."""
    opens = any(each.low in ORGANISATION_OPENERS for each in part)
    if word.link in {"of", "of the", "for", "for the", "on"}:
        return opens and word.low not in CALENDAR
    if word.link == "&":
        return True
    return opens and word.link == "and" and any(is_link(each.link) for each in part) and not word.text.isupper()


def _parts_names(word: Word, part: Sequence[Word], following: str) -> bool:
    heads_follow = following in ORGANISATION_HEADS or following in ORGANISATION_OPENERS
    if word.low in TITLES:
        return not (heads_follow and following not in TITLES) and not (part and is_link(word.link))
    if word.low in CALENDAR:
        return not heads_follow
    if word.low in ADJECTIVES:
        return bool(part) and not is_link(word.link) and not _has_head(part) and not heads_follow
    return word.low in FUNCTION and not (word.low in {"the", "for", "will", "new", "le", "la", "los", "las", "el", "don"})


def _has_head(words: Sequence[Word]) -> bool:
    return any(word.low in ORGANISATION_HEADS or word.low in ORGANISATION_OPENERS for word in words)


def _without_opening(words: list[Word], lower_words: frozenset[str] | set[str], *, is_first: bool) -> list[Word]:
    """Drop what is capitalised because it begins a sentence, and an adjective that no head follows."""
    first = words[0]
    if first.low in {"the", "will", "new", "le", "la", "los", "las", "el", "for", "don"} and len(words) > 1:
        if first.low == "the" and (is_first or not _has_head(words)):
            words = words[1:]
        elif is_first and first.low in {"will", "for", "le", "la", "los", "las", "el"}:
            words = words[1:]
    elif first.low in FUNCTION:
        words = words[1:]
    elif is_first and first.low in lower_words and first.low not in given_names() and not _has_head(words[:1]):
        words = words[1:]
    while words and words[0].low in ADJECTIVES and not _has_head(words):
        words = words[1:]
    return words


def _piece(text: str, words: Sequence[Word], title: str, *, is_first: bool) -> Piece:
    start, end = words[0].start, words[-1].end
    before = title or _word_before(text, start)
    if text[end : end + 1] == "." and words[-1].low in {"inc", "corp", "ltd", "co", "jr", "sr", "bros"}:
        end += 1
    return Piece(start, end, tuple(words), kind_of(text, words, end, before), is_first, before)


def _word_before(text: str, start: int) -> str:
    near = text[max(0, start - 24) : start].split(" ")
    return near[-2].lower().strip("(“\"'‘") if len(near) > 1 and not near[-1] else ""


def kind_of(text: str, words: Sequence[Word], end: int, before: str) -> Kind:
    """Return what a name of these words is, by its words first, then by what stands around it."""
    first, last = words[0], words[-1]
    several = len(words) > 1
    is_given = first.low in given_names()
    if several and last.low in NOT_NAMES:
        return "none"
    if several and not (is_given and last.low in surnames()) and is_organisation(words):
        return "organisation"
    if several and (last.low in PLACE_HEADS or first.low in PLACE_OPENERS):
        return "place"
    if before in TITLES and (several or before in PERSON_TITLES_ONLY or is_given):
        return "person"
    if several and (is_given or len(words[0].text.strip(".")) == 1) and not last.text.isupper():
        return "person"
    after = text[end : end + 24]
    if several and (_AGE.match(after) or _says(after)):
        return "person"
    if not several and first.text.isupper() and 2 <= len(first.text) <= 6:
        return "none" if first.low in ACRONYMS_OF_NO_NAME else "organisation"
    return ""


def is_organisation(words: Sequence[Word]) -> bool:
    """Return whether the words name an organisation by themselves: a head at either end, or one that leads on."""
    first, last = words[0], words[-1]
    if last.low in ORGANISATION_HEADS or first.low in ORGANISATION_HEADS:
        return True
    return any(is_link(word.link) for word in words) and any(word.low in ORGANISATION_OPENERS for word in words)


def _says(after: str) -> bool:
    found = _NEXT_WORD.match(after)
    return bool(found) and found.group(1) in SAYING  # type: ignore[union-attr]
