"""Two public measures of an extracted text against the true one, each as the benchmark that it comes from has it.

Shingles: scrapinghub/article-extraction-benchmark, ``evaluate.py``: the multisets of runs of four ``\\w+`` tokens.
ROUGE-LSum: dobbersc/fundus-evaluation, ``scorers.py``, over google-research's rouge-score: tokens are runs of
``[a-z0-9]`` of the text in small letters, no stemming, the union of longest common subsequences by sentence (Lin 2004,
section 3.2), each token counted as often as both texts have it. That package splits sentences with NLTK's punkt, whose
model is no package; here a line or an end mark with white space behind it ends one.

fundus-evaluation marks a paragraph as optional with brackets (a summary, a credit line): a text is measured against
each choice of them that its rule allows, and the best counts.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import chain, combinations
from typing import Final

MAX_OPTIONAL: Final = 4
"""With more optional paragraphs than this, all of them are there or none (fundus-evaluation's default)."""

_WORD = re.compile(r"\w+")
_ROUGE_TOKEN = re.compile("[a-z0-9]+")
_SENTENCE_END = re.compile(r"(?<=[.!?])[\"'”’)\]]*\s+|\n+")


def references(paragraphs: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """Return the texts that count as true: with and without the optional paragraphs, their brackets taken off."""
    optional = [index for index, paragraph in enumerate(paragraphs) if paragraph[:1] == "[" and paragraph[-1:] == "]"]
    choices = chain.from_iterable(combinations(optional, size) for size in range(len(optional) + 1))
    for left_out in [(), tuple(optional)] if len(optional) > MAX_OPTIONAL else choices:
        yield tuple(
            paragraph[1:-1] if index in optional else paragraph
            for index, paragraph in enumerate(paragraphs)
            if index not in left_out
        )


def shingle_scores(truth: Sequence[str], found: str) -> tuple[float, float, float]:
    """Return precision, recall and F1 over shingles of four words."""
    of_found = _shingles(found)
    return max((_shingle_scores(_shingles("\n\n".join(body)), of_found) for body in references(truth)), key=_f1_of)


def rouge_scores(truth: Sequence[str], found: str) -> tuple[float, float, float]:
    """Return precision, recall and F1 by ROUGE-LSum."""
    sentences = [tokens for sentence in _SENTENCE_END.split(found) if (tokens := _tokens(sentence))]
    unions: dict[str, list[tuple[list[str], list[str]]]] = {}
    for paragraph in truth:
        for text in (paragraph, paragraph[1:-1]):
            if text not in unions:
                parts = [tokens for sentence in _SENTENCE_END.split(text) if (tokens := _tokens(sentence))]
                unions[text] = [(part, _union(part, sentences)) for part in parts]
    bodies = ([pair for paragraph in body for pair in unions[paragraph]] for body in references(truth))
    return max((_rouge_scores(body, sentences) for body in bodies), key=_f1_of)


def _f1_of(scores: tuple[float, float, float]) -> float:
    return scores[2]


def _shingles(text: str) -> Counter[tuple[str, ...]]:
    words = _WORD.findall(text)
    return Counter(tuple(words[start : start + 4]) for start in range(max(1, len(words) - 3)) if words)


def _shingle_scores(truth: Counter[tuple[str, ...]], found: Counter[tuple[str, ...]]) -> tuple[float, float, float]:
    return _scores((truth & found).total(), found.total(), truth.total())


def _scores(hits: int, found: int, true: int) -> tuple[float, float, float]:
    if not found and not true:
        return 1.0, 1.0, 1.0
    precision, recall = (hits / found if found else 0.0), (hits / true if true else 0.0)
    return precision, recall, 2 * hits / (found + true)


def _tokens(sentence: str) -> list[str]:
    return _ROUGE_TOKEN.findall(sentence.lower())


def _rouge_scores(
    truth: Sequence[tuple[list[str], list[str]]], found: Sequence[list[str]]
) -> tuple[float, float, float]:
    left_true = Counter(token for sentence, _ in truth for token in sentence)
    left_found = Counter(token for sentence in found for token in sentence)
    sizes = left_found.total(), left_true.total()
    hits = 0
    for _, union in truth:
        for token in union:
            if left_found[token] > 0 and left_true[token] > 0:
                hits += 1
                left_found[token] -= 1
                left_true[token] -= 1
    return _scores(hits, *sizes)


def _union(sentence: list[str], found: Sequence[list[str]]) -> list[str]:
    """Return the tokens of a true sentence that stand in a longest common subsequence with any found sentence."""
    if sentence in found:
        return sentence
    words = set(sentence)
    indices: set[int] = set()
    for other in found:
        if not words.isdisjoint(other):
            indices |= _common(sentence, other)
            if len(indices) == len(sentence):
                break
    return [sentence[index] for index in sorted(indices)]


def _common(first: list[str], second: list[str]) -> set[int]:
    """Return the places in ``first`` of one longest common subsequence."""
    table = [[0] * (len(second) + 1)]
    for one in first:
        above, row = table[-1], [0]
        for column, other in enumerate(second):
            row.append(above[column] + 1 if one == other else max(above[column + 1], row[column]))
        table.append(row)
    places, i, j = set(), len(first), len(second)
    while i and j:
        if first[i - 1] == second[j - 1]:
            i, j = i - 1, j - 1
            places.add(i)
        elif table[i][j - 1] > table[i - 1][j]:
            j -= 1
        else:
            i -= 1
    return places
