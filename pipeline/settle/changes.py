"""What a revision changed in the one before it: titles, figures, headings, length, and how much of the text.

Pure, in time linear in the texts (no alignment: sentences are looked up, not compared with each other), and bounded in
what it returns, so that it fits beside any article in a record.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict, deque
from collections.abc import Iterator, Sequence
from typing import Final

from pipeline.article import Article, Changes, Figure, Heading

MAX_FIGURES: Final = 20
MAX_HEADINGS: Final = 10
MAX_SENTENCE_CHARACTERS: Final = 160
MAX_TITLE_CHARACTERS: Final = 300
MAX_FIGURE_CHARACTERS: Final = 40
MAX_FIGURE_SENTENCE: Final = 2_000
"""Characters of a "sentence" that is searched for figures: a longer one is a table, or a text without full stops."""

_END = re.compile(r"(?<=[.!?…])[\"'”’»)]*\s+|[。！？؟۔।]+[」』”]*\s*|\n+")
_NUMBER = re.compile(
    # digits of any script; groups of them by point, comma, apostrophe or space (three digits each), Arabic separators
    r"\d+(?:(?:[.,٫٬'’]\d+)|(?:[ \u00a0\u202f]\d{3}(?!\d)))*(?:[ \u00a0\u202f]?[%‰٪％])?"
)
_GAP = "\x00"
"""Stands for a number in a sentence; no text of an article has it."""


def changes_between(before: Article, after: Article) -> Changes:
    """Return what is different in the text of ``after``."""
    retitled = before.title != after.title
    is_page = before.text_from == "feed" and after.text_from == "page"
    old, new = _sentences(before.body), _sentences(after.body)
    figures = [*_figures([before.title], [after.title]), *(() if is_page else _figures(old, new))]
    return Changes(
        title_before=before.title[:MAX_TITLE_CHARACTERS] if retitled else "",
        title_after=after.title[:MAX_TITLE_CHARACTERS] if retitled else "",
        figures=tuple(figures[:MAX_FIGURES]),
        characters_before=len(before.body),
        characters_after=len(after.body),
        share=_share(old, new),
        headings_added=_only_in(after.headings, before.headings),
        headings_removed=_only_in(before.headings, after.headings),
        page_replaced_feed=is_page,
    )


def _sentences(text: str) -> list[str]:
    """Return the sentences of a text, white space apart: by full stops and their like, and by line ends."""
    return [sentence for piece in _END.split(text) if (sentence := " ".join(piece.split()))]


def _figures(before: Sequence[str], after: Sequence[str]) -> Iterator[Figure]:
    """Yield the numbers that changed between sentences that are the same but for their numbers."""
    gone, come = Counter(before), Counter(after)
    gone, come = gone - come, come - gone
    waiting: dict[str, deque[str]] = defaultdict(deque)
    for sentence in before:
        if gone[sentence] > 0 and len(sentence) <= MAX_FIGURE_SENTENCE:
            gone[sentence] -= 1
            waiting[_NUMBER.sub(_GAP, sentence)].append(sentence)
    for sentence in after:
        if come[sentence] > 0 and len(sentence) <= MAX_FIGURE_SENTENCE:
            come[sentence] -= 1
            if same := waiting.get(_NUMBER.sub(_GAP, sentence)):
                yield from _replaced(same.popleft(), sentence)


def _replaced(before: str, after: str) -> Iterator[Figure]:
    for old, new in zip(_NUMBER.findall(before), _NUMBER.findall(after), strict=True):
        if _ascii(old) != _ascii(new):
            yield Figure(
                before=old[:MAX_FIGURE_CHARACTERS],
                after=new[:MAX_FIGURE_CHARACTERS],
                sentence=after[:MAX_SENTENCE_CHARACTERS],
            )


def _ascii(number: str) -> str:
    """Return a number in European digits, so that the same figure in other digits is no change."""
    return "".join(str(unicodedata.decimal(each, each)) for each in number)


def _share(before: Sequence[str], after: Sequence[str]) -> float:
    """Return how much of the longer text does not stand in the other one."""
    old, new = Counter(before), Counter(after)
    kept = sum(len(sentence) * number for sentence, number in (old & new).items())
    longest = max(sum(map(len, before)), sum(map(len, after)))
    return round(1 - kept / longest, 4) if longest else 0.0


def _only_in(these: Sequence[Heading], others: Sequence[Heading]) -> tuple[str, ...]:
    known = {heading.text for heading in others}
    texts = dict.fromkeys(heading.text[:MAX_SENTENCE_CHARACTERS] for heading in these if heading.text not in known)
    return tuple(texts)[:MAX_HEADINGS]
