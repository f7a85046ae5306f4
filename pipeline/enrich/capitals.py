"""Capitalised words of a text and the runs that they form: what may be a name in scripts that have capitals."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import Final, NamedTuple

from pipeline.enrich.name_words import ABBREVIATED, PARTICLES

MAX_WORD_CHARACTERS: Final = 60
MAX_RUN_WORDS: Final = 24
_CASED_BLOCKS: Final = ((0x41, 0x58F), (0x1E00, 0x1FFF))  # Latin, Greek, Cyrillic, Armenian


def _class_of(*categories: str) -> str:
    return "".join(
        re.escape(chr(code))
        for first, last in _CASED_BLOCKS
        for code in range(first, last + 1)
        if unicodedata.category(chr(code)) in categories
    )


UPPER: Final = _class_of("Lu", "Lt")
LETTER: Final = "0-9_" + _class_of("Lu", "Lt", "Ll", "Lo", "Lm", "Mn")

# It begins with a capital, which the engine looks for faster than for anything else (what stands before it is looked at
# afterwards), and each alternative takes one character at a time, so that no text is looked at twice.
_CAPITAL: Final = re.compile(
    rf"[{UPPER}](?<![{LETTER}].)(?:(?:\.[{UPPER}])+(?![{LETTER}])\.?|\.[{UPPER}][{LETTER}]+"
    rf"|(?:[{LETTER}]|['’‘ʼ`´&](?=[{LETTER}])|-(?=[{UPPER}0-9]))*)"
)
_LINKS: Final = frozenset({"of", "of the", "for", "for the", "and", "and the", "&", "on", "to"})


class Word(NamedTuple):
    """A capitalised word and, as ``link``, what leads to it from the word before it in its run."""

    start: int
    end: int
    text: str
    low: str
    link: str


def runs(text: str) -> Iterator[list[Word]]:
    """Yield the runs of capitalised words that nothing but a space, a particle or a linking word parts."""
    run: list[Word] = []
    behind = -1
    for match in _CAPITAL.finditer(text):
        start = match.start()
        word = _without_possessive(match.group()[:MAX_WORD_CHARACTERS])
        link = _link(text[behind:start], run[-1].text, word) if run and start - behind < 16 else None
        if link is None or len(run) >= MAX_RUN_WORDS:
            if run:
                yield run
            run, link = [], ""
        run.append(Word(start, start + len(word), word, word.lower().replace("’", "'"), link))
        behind = start + len(word)
    if run:
        yield run


_APOSTROPHES: Final = frozenset("'’‘ʼ`´")
_OWNERS: Final = frozenset({"people", "women", "men", "children", "king", "queen", "veterans"})
"""Whose possessive is part of names: "People's Bank"."""


def _without_possessive(word: str) -> str:
    if word[:-2].lower() in _OWNERS:
        return word
    return word[:-2] if word[-1:] in {"s", "S"} and word[-2:-1] in _APOSTROPHES else word


def _link(gap: str, before: str, word: str) -> str | None:
    """Return the words between two capitalised ones of a run, "" for a mere space; None where the run ends."""
    if gap in {" ", "\u00a0"}:
        return ""
    if gap == ", ":
        return "" if word in {"Jr", "Sr"} else None
    if gap[0] == ".":
        is_short = len(before) == 1 or before.lower() in ABBREVIATED
        return "" if gap == ". " and is_short else None
    if gap[0] != " " or not (gap[-1] == " " or gap[-1] in "-’'"):
        return None
    words = gap.strip(" ")
    if words in _LINKS:
        return words
    parts = words.replace("-", " ").replace("’", " ").replace("'", " ").split()
    return words if parts and all(part in PARTICLES or part in {"d", "l"} for part in parts) else None


def starts_sentence(text: str, start: int) -> bool:
    """Return whether what stands at ``start`` is the first word of a sentence, a quotation or a list's item."""
    place = start - 1
    while place >= 0 and start - place < 8 and text[place] in " \u00a0\"'“”‘’([«»*–—-•":
        place -= 1
    return place < 0 or text[place] in ".!?:;…\n|。"


def is_link(link: str) -> bool:
    """Return whether these are the words that only lead on within an organisation's name ("of", "and")."""
    return link in _LINKS
