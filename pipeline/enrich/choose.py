"""Which of the texts at hand is the article, and how sure that is: one pure function over what each text says."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, NamedTuple

from pipeline.article import TextChoice
from pipeline.enrich.page import MIN_CHARACTERS
from pipeline.enrich.paragraphs import Paragraph

MIN_PAGE_SHARE: Final = 0.7
"""A page that gives less than this share of what the feed gave is a wall or a teaser. Not 1: a feed's text carries
captions and notices that extraction leaves out."""
MAX_COMPARED: Final = 60_000
"""Characters of each text that are compared; longer ones are judged by their beginning."""
SAME: Final = 0.8
"""Texts that share this much say the same; what extraction and JSON-LD have of 10 real articles shares .86 to 1."""
RELATED: Final = 0.4
"""Texts that share less than this are not of one article."""
MAX_ASIDE_CHARACTERS: Final = 300
MAX_ASIDE_SHARE: Final = 0.1

# An unspaced script has no words to speak of, so each of its characters is one.
_WORD = re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff]|[^\W_]+")


class Candidate(NamedTuple):
    """A text that may be the article's, and where it is from."""

    choice: TextChoice
    paragraphs: Sequence[Paragraph]


class Choice(NamedTuple):
    """The text that was chosen, and how sure it is that it is all of the article and nothing else; 0 to 1."""

    choice: TextChoice
    paragraphs: Sequence[Paragraph]
    confidence: float


def choose(own: Candidate, extracted: Sequence[Paragraph], told: Sequence[Paragraph], summary: str) -> Choice:
    """Return the best text out of what a feed or file gave (``own``), a page's extraction and its JSON-LD (``told``).

    Extraction keeps headings and lists, so it is taken where both of the page's texts say the same. JSON-LD is taken
    where extraction has none of it, or a part only. The page's text gives way to the feed's when it is much shorter.
    ``summary`` is what the feed promised of the article: a text that has its words is more likely the right one.
    """
    page = _of_page(extracted, told, summary)
    if characters(page.paragraphs) >= max(MIN_CHARACTERS, MIN_PAGE_SHARE * characters(own.paragraphs)):
        return page
    return Choice(own.choice, own.paragraphs, _confidence_in_own(own))


def characters(paragraphs: Sequence[Paragraph]) -> int:
    """Return how long a text is."""
    return sum(len(paragraph.text) for paragraph in paragraphs)


def _of_page(extracted: Sequence[Paragraph], told: Sequence[Paragraph], summary: str) -> Choice:
    if characters(told) < MIN_CHARACTERS:
        return Choice("extracted", extracted, _confidence(extracted, summary, agreement=None))
    of_told, of_extracted = _shingles(told), _shingles(extracted)
    covered, covers = _share(of_extracted, of_told), _share(of_told, of_extracted)
    if covers >= SAME:
        kept = _without_asides(extracted, of_told) if covered >= SAME else extracted
        return Choice("extracted", kept, _confidence(kept, summary, agreement=covers))
    if characters(told) <= characters(extracted) and covered >= RELATED:
        return Choice("extracted", extracted, _confidence(extracted, summary, agreement=covered))
    if covered >= RELATED or _promise(told, summary) > _promise(extracted, summary) or not of_extracted:
        return Choice("json_ld", told, _confidence(told, summary, agreement=covered if extracted else None))
    return Choice("extracted", extracted, _confidence(extracted, summary, agreement=covered))


def _without_asides(extracted: Sequence[Paragraph], of_told: frozenset[tuple[str, str, str]]) -> Sequence[Paragraph]:
    """Drop short paragraphs that the page's own account of the article leaves out, unless that would be much of it.

    Headings and lists stay: many accounts have none. So does what stands before the first and after the last agreed
    paragraph, where accounts begin late or end early.
    """
    agreed = [_share(_shingles([paragraph]), of_told) >= 0.5 for paragraph in extracted]
    if True not in agreed:
        return extracted
    first, last = agreed.index(True), len(agreed) - 1 - agreed[::-1].index(True)
    kept = [
        paragraph
        for index, paragraph in enumerate(extracted)
        if agreed[index]
        or not first < index < last
        or paragraph.is_heading
        or "\n" in paragraph.text
        or len(paragraph.text) > MAX_ASIDE_CHARACTERS
    ]
    is_little = characters(extracted) - characters(kept) <= MAX_ASIDE_SHARE * characters(extracted)
    return kept if is_little else extracted


def _confidence(paragraphs: Sequence[Paragraph], summary: str, *, agreement: float | None) -> float:
    """Return .5 for a text alone, more for each witness that agrees, less for what articles do not look like."""
    sure = 0.5
    if agreement is not None:
        sure += 0.6 * (agreement - 0.5)
    if summary:
        sure += 0.2 * (_promise(paragraphs, summary) - 0.5)
    prose = [len(paragraph.text) for paragraph in paragraphs if not paragraph.is_heading]
    length = sum(prose)
    sure += 0.15 if length >= 1_000 else -0.2 if length < 300 else 0.0
    # Prose has long paragraphs and few headings; a list of teasers has neither.
    long = sum(size for size in prose if size >= 120)
    sure += 0.2 * (long / (length or 1) - 0.5)
    if len(prose) < len(paragraphs) / 2:
        sure -= 0.2
    return round(min(max(sure, 0.0), 1.0), 2)


def _confidence_in_own(own: Candidate) -> float:
    if not own.paragraphs:
        return 0.0
    if own.choice == "given":
        return 0.9
    if own.choice == "summary":
        return 0.1
    return _confidence(own.paragraphs, "", agreement=None)


def _promise(paragraphs: Sequence[Paragraph], summary: str) -> float:
    """Return the share of the summary's words that a text has; of none at all, half."""
    words = set(_WORD.findall(summary[:2_000].casefold()))
    if not words:
        return 0.5
    return len(words & set(_words(paragraphs))) / len(words)


def _words(paragraphs: Sequence[Paragraph]) -> list[str]:
    words: list[str] = []
    room = MAX_COMPARED
    for paragraph in paragraphs:
        words += _WORD.findall(paragraph.text[:room].casefold())
        room -= len(paragraph.text)
        if room <= 0:
            break
    return words


def _shingles(paragraphs: Sequence[Paragraph]) -> frozenset[tuple[str, str, str]]:
    words = _words(paragraphs)
    return frozenset(zip(words, words[1:], words[2:], strict=False)) if len(words) > 2 else frozenset()


def _share(part: frozenset[tuple[str, str, str]], whole: frozenset[tuple[str, str, str]]) -> float:
    """Return the share of ``part`` that ``whole`` has; of nothing, none."""
    return len(part & whole) / len(part) if part else 0.0
