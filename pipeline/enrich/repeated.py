"""Lines that an outlet puts into article after article: how they are known again, and how they leave a text."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from typing import Final

from pipeline.enrich.paragraphs import Paragraph

MAX_LINE_CHARACTERS: Final = 160
"""A longer paragraph is never taken for a repeated line; the longest such line of 40 real pages has 150."""
MAX_SHARE: Final = 0.25
"""Of a text that may be an outlet's own lines. Where more is, it is an update or a copy of what was told before."""
MAX_KEYS: Final = 40
"""Of one article: repeated lines stand at its beginning and end, so a longer text counts 20 at each."""


def line_key(text: str) -> int:
    """Return 64 bits (signed, as databases have them), the same for lines that differ in case or space.

    Not in digits: "The bank left its rate at 6.81 percent." is news each time.
    """
    folded = " ".join(text.casefold().split())
    return int.from_bytes(blake2b(folded.encode("utf-8", "replace"), digest_size=8).digest(), "big", signed=True)


def candidate_keys(paragraphs: Sequence[Paragraph]) -> tuple[int, ...]:
    """Return the keys that a profile should count, each once, at most ``MAX_KEYS``."""
    short = [paragraph.text for paragraph in paragraphs if len(paragraph.text) <= MAX_LINE_CHARACTERS]
    if len(short) > MAX_KEYS:
        short = [*short[: MAX_KEYS // 2], *short[-MAX_KEYS // 2 :]]
    return tuple(dict.fromkeys(map(line_key, short)))


def without_repeated(paragraphs: Sequence[Paragraph], repeated: frozenset[int]) -> list[Paragraph]:
    """Return the paragraphs but for the repeated ones; all of them where these are much of the text."""
    if not repeated:
        return list(paragraphs)
    left = [
        paragraph
        for paragraph in paragraphs
        if len(paragraph.text) > MAX_LINE_CHARACTERS or line_key(paragraph.text) not in repeated
    ]
    whole = sum(len(paragraph.text) for paragraph in paragraphs)
    is_much = whole - sum(len(paragraph.text) for paragraph in left) > MAX_SHARE * whole
    return list(paragraphs) if is_much else left
