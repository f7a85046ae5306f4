"""The words of a text as they are compared, with their places: what ``tokenize`` gives, at the cost of ``tokens``.

Of an article's hundreds of words a dozen are names; arrays hold the places of all without an object for each.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.query.analysis import MAX_TOKEN_CHARACTERS, Divided, divided, tokenize

_SPACE = ord(" ")


class PlacedWords(NamedTuple):
    """Words in order; ``starts[n]`` and ``ends[n]`` say where in the text the n-th stands."""

    words: Sequence[str]
    starts: NDArray[np.intp] | Sequence[int]
    ends: NDArray[np.intp] | Sequence[int]

    def part(self, first: int, behind: int) -> PlacedWords:
        """Return the words from the ``first`` to before the one ``behind`` them."""
        return PlacedWords(self.words[first:behind], self.starts[first:behind], self.ends[first:behind])


def placed_words(text: str) -> PlacedWords:
    """Return the words of ``text``, and where they stand; equal to what ``tokenize`` returns."""
    cut = divided(text)
    words = cut.text.replace("\0", "").split(" ") if cut else []
    words = [word for word in words if word]
    if cut is None or max(map(len, words), default=0) > MAX_TOKEN_CHARACTERS or not _is_composed(cut.text):
        return _tokenized(text)
    starts, ends = _runs(cut.text)
    if len(starts) != len(words):  # a word of which folding left nothing
        return _tokenized(text)
    if not cut.lengths:
        return PlacedWords(words, starts - 1, ends - 1)
    origin = _origin(cut)
    return PlacedWords(words, origin[starts - 1], origin[ends - 2] + 1)


def _tokenized(text: str) -> PlacedWords:
    tokens = tokenize(text)
    return PlacedWords(
        [token.text for token in tokens], [token.start for token in tokens], [token.end for token in tokens]
    )


def _is_composed(text: str) -> bool:
    return text.isascii() or unicodedata.is_normalized("NFC", text)


def _codes(text: str) -> NDArray[np.uint32]:
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)


def _runs(text: str) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return where the runs without a space start and end; a space stands at either end of ``text``."""
    is_space = _codes(text) == _SPACE
    starts = np.flatnonzero(is_space[:-1] & ~is_space[1:]) + 1
    ends = np.flatnonzero(~is_space[:-1] & is_space[1:]) + 1
    return starts, ends


def _origin(cut: Divided) -> NDArray[np.intp]:
    """Return for each folded character the place of the one that it was made of."""
    distinct, which = np.unique(_codes(cut.plain), return_inverse=True)
    lengths = np.array([cut.lengths[chr(code)] for code in distinct], dtype=np.intp)
    return np.repeat(np.arange(len(cut.plain)), lengths[which])
