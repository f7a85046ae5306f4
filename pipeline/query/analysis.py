"""The one analyser: what a word is, for the index, for every query and for every rule.

Each engine's own tokeniser splits ``Qa'ani's``, ``U.S.``, ``3.14``, Han or ``İstanbul`` in its own way, so text is cut
here and the engines are given the tokens. ``docs/query.md`` shows the rules by example. In order:

1. NFKC, case folding, diacritics off (see ``_fold``); zero-width and other format characters vanish.
2. A character of a script written without spaces is a token of its own; a word of them is a phrase.
3. Apostrophes: ``'s`` at the end of a word goes (``Qa'ani's`` = ``Qa'ani``); an elided article before a vowel is a word
   of its own (``l'Iran`` = ``l Iran``); any other is taken out (``Qa'ani`` = ``Qaani``, ``don't`` = ``dont``).
4. Single letters joined by full stops are one word (``U.S.`` = ``us``); ``3.14`` and ``10.0.0.1`` are one token each;
   a comma before three digits goes (``1,000`` = ``1000``). Every other character separates words.
5. A token is cut after 100 characters.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from itertools import chain, repeat
from typing import Final, Literal, NamedTuple

MAX_TOKEN_CHARACTERS = 100

_APOSTROPHES = "'`‘’‛′ʹʻʼʽʾʿˈ՚׳״＇"
_ELIDED = frozenset(
    {
        *"ldmtsncjv",
        *("qu", "jusqu", "lorsqu", "puisqu", "quoiqu", "quelqu", "presqu", "un", "gl", "quell", "quest", "sant"),
        *("all", "dall", "dell", "nell", "sull", "coll", "agl", "dagl", "degl", "negl", "sugl"),
    }
)
"""Elided words of French, Italian and Catalan, after Lucene's ElisionFilter lists; they count before a vowel or h."""

_LETTERS: Final = {
    **dict.fromkeys("ىیېےۍێ", "ي"),
    **dict.fromkeys("کڪګڬ", "ك"),
    **dict.fromkeys("ٱٲٳٵ", "ا"),
    **dict.fromkeys("ةەہۃھۀۂ", "ه"),
    "ـ": "",  # tatweel only stretches a word
    "٫": ".",
    "٬": ",",
    "ø": "o",
    "ł": "l",
    "đ": "d",
    "ð": "d",
    "ħ": "h",
    "ı": "i",
    "ŧ": "t",
    "æ": "ae",
    "œ": "oe",
    "þ": "th",
    "ŋ": "n",
    "ə": "a",
    "ƀ": "b",
    "ɨ": "i",
    "ʉ": "u",
    "ƶ": "z",
    "\u200c": " ",  # Persian and Kurdish write this between the parts of a word, or a space
    "\u3099": "",  # a voicing mark that no kana took
    "\u309a": "",
    **dict.fromkeys("йїўѓќ", None),  # letters of their own, not letters with a diacritic
    **dict.fromkeys(_APOSTROPHES, "'"),
}
_DIACRITICS = re.compile(
    "[\u0300-\u036f\u0483-\u0489\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a\u064b-\u065f\u0670"
    "\u06d6-\u06dc\u06df-\u06e4\u06e7\u06e8\u06ea-\u06ed\u0711\u0730-\u074a\u0898-\u089f\u08ca-\u08ff\u1ab0-\u1aff"
    "\u1dc0-\u1dff\u20d0-\u20ff\ufe00-\ufe0f\ufe20-\ufe2f\U000e0100-\U000e01ef]*"
)
"""Marks that are not part of a letter's identity: the general ones, and those of Cyrillic, Hebrew, Arabic, Syriac."""

_UNSPACED = re.compile(
    "[\u3005-\u3007\u303b\u3041-\u3096\u309d-\u309f\u30a1-\u30fa\u30fc-\u30ff\u31f0-\u31ff"  # kana, iteration marks
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U0001b000-\U0001b16f\U00020000-\U0003ffff"  # Han
    "\u0e01-\u0e4e\u0e80-\u0ece\u0edc-\u0edf\u1000-\u109f\ua9e0-\ua9ff\uaa60-\uaa7f\u1780-\u17d3\u17dc\u17dd]"
)


class Token(NamedTuple):
    """One word of a text; ``text[start:end]`` of the original is what it was made from."""

    text: str
    start: int
    end: int


def _fold(character: str) -> str:  # noqa: PLR0911 -- one line a rule
    """Return the folded form of one character: "" to leave it out, " " where it separates words."""
    special = _LETTERS.get(character, character)
    if special != character:
        return character if special is None else special
    for form in (unicodedata.normalize("NFKC", character), character.casefold()):
        if form != character:
            return "".join(_fold(part) for part in form)
    category = unicodedata.category(character)
    if category[0] == "M":
        kept = "" if _DIACRITICS.fullmatch(character) else character
        return f" {kept} " if kept and _UNSPACED.match(kept) else kept
    if category == "Cf":
        return ""
    decomposed = unicodedata.normalize("NFD", character)
    if decomposed != character and _DIACRITICS.fullmatch(decomposed, 1):
        return _fold(decomposed[0])
    if category == "Nd":
        return str(unicodedata.decimal(character))
    if category[0] in "LN":
        return f" {character} " if _UNSPACED.match(character) else character
    return character if character in ".,'" else " "


class _FoldTable(dict[int, str]):
    """``_fold`` as a table for ``str.translate``, filled as characters are met (a pure function's memo)."""

    def __missing__(self, code: int) -> str:
        folded = self[code] = _fold(chr(code))
        return folded


_FOLDED: Final = _FoldTable()
_LONG_RUN = re.compile("[\\W\uff9e\uff9f]{31,}")
_PLAIN_MARKS = (*((mark, "'") for mark in "´’‘"), ("，", ","), *((mark, " ") for mark in "“”«»–—…•：；！？（）\xa0"))
_HEBREW_QUOTE = re.compile('"(?<=[א-ת]")(?=[א-ת])')
_POSSESSIVE = re.compile("'s(?<=[^ .,\0]'s)(?=[ .,'])")
_APOSTROPHE = re.compile("'")
_ACRONYM_DOT = re.compile(r"\.(?<=[ .,][^ .,0-9]\.)(?=[^ .,0-9][ .,])")
_OTHER_DOT = re.compile(r"\.(?!(?<=[0-9]\.)[0-9])")
_THOUSANDS_COMMA = re.compile(",(?<=[0-9],)(?=[0-9]{3}(?![0-9]))")
_WORD = re.compile("[^ ]+")
_CHUNK = re.compile("[^ \n]+")


def _is_mark(character: str) -> bool:
    return unicodedata.category(character)[0] == "M" or character in "\uff9e\uff9f"


def _without_flood(run: re.Match[str]) -> str:
    """Cut more marks on one letter than any language writes (30: the Stream-Safe Text Format of UAX #15)."""
    kept, marks = [], 0
    for character in run.group():
        marks = marks + 1 if _is_mark(character) else 0
        if marks <= 30:
            kept.append(character)
    return "".join(kept)


def _normal(form: Literal["NFC", "NFKC"], text: str) -> str:
    """Return ``text`` in ``form``; CPython sorts marks in quadratic time, so floods of them are cut first."""
    return unicodedata.normalize(form, _LONG_RUN.sub(_without_flood, text))


def _with_plain_marks(text: str) -> str:
    """Write common typographic marks, and an apostrophe that NFKC would lose, as ASCII of the same length.

    It makes most English text ASCII and most other text NFKC already, for either of which all that follows is faster.
    """
    for mark, plain in _PLAIN_MARKS:
        text = text.replace(mark, plain)
    return _HEBREW_QUOTE.sub("'", text)


def _without_apostrophe(match: re.Match[str]) -> str:
    start = match.start()
    if match.string[start + 1] not in "aeiouyh":
        return "\0"
    before = match.string[max(0, start - 8) : start]
    return " " if before[before.rfind(" ") + 1 :] in _ELIDED else "\0"


def _divide(folded: str) -> str:
    """Turn the punctuation of folded text into spaces, or NUL where it joins; the length stays."""
    if "'" in folded:
        folded = _APOSTROPHE.sub(_without_apostrophe, _POSSESSIVE.sub("\0\0", folded))
    if "." in folded:
        folded = _OTHER_DOT.sub(" ", _ACRONYM_DOT.sub("\0", folded))
    if "," in folded:
        folded = _THOUSANDS_COMMA.sub("\0", folded).replace(",", " ")
    return folded


def _finished(word: str) -> str:
    """Compose what folding brought together, and cut; in this order, so that a token analyses to itself."""
    if not unicodedata.is_normalized("NFC", word):
        word = _normal("NFC", word)
    return word[:MAX_TOKEN_CHARACTERS].rstrip(".")


def tokens(text: str) -> list[str]:
    """Return the words of ``text`` in order. Any text will do, in time linear in its length.

    The same as the texts of ``tokenize``, about ten times faster.
    """
    if not text.isascii():
        text = _with_plain_marks(text)
        if not unicodedata.is_normalized("NFKC", text):
            text = _normal("NFKC", text)
    divided = _divide(f" {text.translate(_FOLDED)} ").replace("\0", "")
    found = divided.split()
    if not unicodedata.is_normalized("NFC", divided) or max(map(len, found), default=0) > MAX_TOKEN_CHARACTERS:
        return [_finished(word) for word in found]
    return found


def joined(text: str) -> str:
    """Return the words of ``text`` with one space between them, as the index is given them."""
    return " ".join(tokens(text))


@lru_cache(maxsize=4096)
def _joins_previous(character: str) -> bool:
    """Whether folding may join this character to the one before it, so that both share one place in the text."""
    if character.isascii():
        return False
    first = unicodedata.normalize("NFKD", character)[0]
    return (
        unicodedata.category(first)[0] == "M"
        or "\u1160" <= first <= "\u11ff"  # vowels and finals of a Hangul syllable
        or "\ud7b0" <= first <= "\ud7fb"
    )


def _pieces(chunk: str) -> Iterator[tuple[int, int]]:
    """Yield the ranges of ``chunk`` that can be folded apart from each other."""
    start = 0
    for place in range(1, len(chunk)):
        if not _joins_previous(chunk[place]):
            yield start, place
            start = place
    yield start, len(chunk)


def _tokens_of_chunk(chunk: str, offset: int, is_nfkc: bool) -> Iterator[Token]:
    folded, places = [" "], [(0, 0)]
    for start, end in _pieces(chunk):
        piece = chunk[start:end] if is_nfkc else _normal("NFKC", chunk[start:end])
        piece = piece.translate(_FOLDED)
        folded.append(piece)
        places += [(start, end)] * len(piece)
    for match in _WORD.finditer(_divide("".join(folded) + " ")):
        if word := _finished(match.group().replace("\0", "")):
            yield Token(word, offset + places[match.start()][0], offset + places[match.end() - 1][1])


def tokenize(text: str) -> list[Token]:
    """Return the words of ``text`` with their places in it, in order."""
    text = _with_plain_marks(text)
    if not any(map(_joins_previous, set(text))):
        return [Token(word, start, end) for word, (start, end) in zip(*_placed(text), strict=True) if word]
    is_nfkc = unicodedata.is_normalized("NFKC", text)
    found: list[Token] = []
    for match in _CHUNK.finditer(text):
        chunk, start = match.group(), match.start()
        if chunk.isascii() and chunk.isalnum():
            found.append(Token(chunk.lower()[:MAX_TOKEN_CHARACTERS], start, match.end()))
        else:
            found += _tokens_of_chunk(chunk, start, is_nfkc)
    return found


class Divided(NamedTuple):
    """A text whose characters fold each by itself: folded, and its words apart."""

    plain: str
    """The text itself, with some of its marks written plainly."""
    text: str
    """Spaces stand between words; a NUL within one stands for nothing. Without the space at either end of it, it is
    as long as all folded characters together."""
    lengths: dict[str, int]
    """How many characters each of the text's becomes; empty: each becomes one, so that all stay in their places."""


def divided(text: str) -> Divided | None:
    """Return ``text`` as it is cut into words, for those who need the places of some; None: ask ``tokenize``."""
    text = _with_plain_marks(text)
    if text.isascii():
        return Divided(text, _divide(f" {text.translate(_FOLDED)} "), {})
    characters = set(text)
    if any(map(_joins_previous, characters)):
        return None
    lengths = {character: len(_FOLDED[ord(character)]) for character in characters}
    folded = _divide(f" {text.translate(_FOLDED)} ")
    return Divided(text, folded, {} if all(length == 1 for length in lengths.values()) else lengths)


def _placed(text: str) -> tuple[list[str], list[tuple[int, int]]]:
    """Return words, some perhaps empty, and their places, for a text in which no character joins the one before."""
    folded = text.translate(_FOLDED)
    divided = _divide(f" {folded} ")
    places = [match.span() for match in _WORD.finditer(divided)]
    if "\0" in divided:
        words = [divided[start:end].replace("\0", "") for start, end in places]
    else:
        words = [word for word in divided.split(" ") if word]
    if not unicodedata.is_normalized("NFC", divided) or max(map(len, words), default=0) > MAX_TOKEN_CHARACTERS:
        words = [_finished(word) for word in words]
    if len(folded) == len(text) and all(len(_FOLDED[ord(character)]) == 1 for character in set(text)):
        return words, [(start - 1, end - 1) for start, end in places]
    lengths = map(len, map(_FOLDED.__getitem__, map(ord, text)))
    origin = list(chain.from_iterable(map(repeat, range(len(text)), lengths)))
    return words, [(origin[start - 1], origin[end - 2] + 1) for start, end in places]
