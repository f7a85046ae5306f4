"""What stands between quotation marks, in whatever marks a text is set."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

MAX_CHARACTERS: Final = 4_000
"""A longer stretch has a mark missing somewhere; the longest of 40 real articles has 700."""
MAX_UNCLOSED_CHARACTERS: Final = 1_500
"""What has no closing mark ends with its paragraph, when that is near."""

_MARK = re.compile("[\"'“”„‟‘’‚‛«»‹›「」『』﹁﹂״＂〝〞〟\n]")
_CLOSERS: Final = {
    "“": "”\"″„", "„": "“”\"‟", "‟": "”", "”": "”", "«": "»", "»": "«»", "‹": "›", "›": "‹›", "「": "」", "『": "』",
    "﹁": "﹂", "‘": "’", "‚": "‘’", "‛": "’", "'": "'", '"': "\"”", "״": "״\"", "＂": "＂", "〝": "〞〟",
}  # fmt: skip
"""By the opening mark, what may close it: ”so” in Swedish and Finnish, »so« in German and Danish, „so” in Polish."""
_PARAGRAPH: Final = "\n\n"
_PAIRED: Final = {"'": '"', "‘": "“", "’": "”", "‚": "„", "\n": _PARAGRAPH}
"""What two of the same are: single marks set for a double one, and two line ends."""
_EITHER_WAY: Final = frozenset("\"'”»›״＂")
"""Marks that open and close: where they stand says which. “ and ‘ close too, but only „so“ and ‚so‘."""
_SINGLE: Final = frozenset("'‘’‚‛‹›")
_BEFORE_OPENING: Final = frozenset(
    " \n\t\u00a0\u202f\u3000([{—–-/:：,，。!！?？;；、“‘„«\u200e\u200f\u202a\u202b\u2066\u2067"
)
_HAN_OR_KANA: Final = re.compile("[\u3040-\u30ff\u3400-\u9fff]")


class Quoted(NamedTuple):
    """A stretch between marks, ``text[start:end]`` without them and without the space around it."""

    start: int
    end: int
    before: int
    """Where its opening mark stands."""
    after: int
    """Behind its closing mark."""
    is_closed: bool
    """Whether it has a closing mark; else its paragraph ends it."""


class _Open(NamedTuple):
    mark: str
    at: int
    end: int


def quoted_in(text: str) -> Iterator[Quoted]:
    """Yield what stands between quotation marks, in order; marks within marks are part of the outer stretch.

    Linear in the length of the text. Apostrophes, signs of inches and the marks within Hebrew abbreviations are none.
    """
    opened: _Open | None = None
    behind = 0
    for found in _MARK.finditer(text):
        mark, at = found.group(), found.start()
        if at < behind or (opened is None and mark not in _CLOSERS and mark not in _SINGLE):
            continue
        end = at + 1
        if mark in _PAIRED and text[end : end + 1] == mark:
            mark, end = _PAIRED[mark], end + 1
            behind = end
        if mark == "\n":
            continue
        if mark == _PARAGRAPH:
            if opened and at - opened.end <= MAX_UNCLOSED_CHARACTERS:
                yield from _stretch(text, opened, at, at, is_closed=False)
            opened = None
            continue
        if opened and at - opened.end > MAX_CHARACTERS:
            opened = None
        if opened and mark in _CLOSERS[opened.mark] and _may_close(text, mark, at, end):
            yield from _stretch(text, opened, at, end, is_closed=True)
            opened = None
        elif (opened is None or mark == opened.mark) and mark in _CLOSERS and _may_open(text, mark, at, end):
            opened = _Open(mark, at, end)
        elif opened and opened.mark == "'" and mark in '“„«"' and _may_open(text, mark, at, end):
            opened = _Open(mark, at, end)  # an apostrophe that looked like a mark must not swallow a real quote
    if opened and len(text) - opened.end <= MAX_UNCLOSED_CHARACTERS:
        yield from _stretch(text, opened, len(text), len(text), is_closed=False)


def _may_open(text: str, mark: str, at: int, end: int) -> bool:
    """Whether a mark can open a quote where it stands: nothing of a word right before, and something right behind."""
    if end >= len(text) or (text[end].isspace() and mark not in "«“„»‹"):
        return False
    before = text[at - 1] if at else " "
    if mark in _EITHER_WAY or mark in _SINGLE:
        # 'n' and '90s are no quotes, nor is what follows a letter; Chinese and Japanese have no space before a mark.
        if mark == "'" and not text[end].isalpha():
            return False
        return before in _BEFORE_OPENING or (mark in '"”' and _HAN_OR_KANA.match(before) is not None)
    return True


def _may_close(text: str, mark: str, at: int, end: int) -> bool:
    """Whether a mark can close the quote that is open: of marks that are apostrophes too, not within a word."""
    behind = text[end] if end < len(text) else " "
    if mark in "'’" and end - at == 1:
        return not behind.isalnum()
    if mark in '"״':
        before = text[at - 1]
        # צה"ל, and a second opening where the first was never closed
        return not (before.isalpha() and behind.isalpha() and not _HAN_OR_KANA.match(before)) and not (
            before.isspace() and behind.isalnum() and not _HAN_OR_KANA.match(behind)
        )
    return True


def _stretch(text: str, opened: _Open, at: int, after: int, *, is_closed: bool) -> Iterator[Quoted]:
    if not is_closed and opened.mark == "'":
        return
    start, end = opened.end, at
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    if start < end:
        yield Quoted(start, end, opened.at, after, is_closed)
