"""A body as a list of paragraphs, so that an edit cannot leave a heading's offset wrong."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import msgspec

from pipeline.article import Article, Heading
from pipeline.text.characters import one_line, with_plain_line_ends

MAX_HEADING_CHARACTERS = 200
"""A heading longer than this is a paragraph that somebody made large."""

_PARAGRAPH = re.compile(r"[^\n]+(?:\n(?![ \t]*\n)[^\n]+)*")
_SEPARATOR = "\n\n"


class Paragraph(NamedTuple):
    """Cleaned text, never empty; it may hold single line ends (a list, verse), but a heading is one line."""

    text: str
    is_heading: bool = False


def split_body(body: str, headings: Iterable[Heading] = ()) -> list[Paragraph]:
    """Return the paragraphs of ``body``; one is a heading when a heading of its text is said to start there."""
    claimed = {heading.offset: heading.text for heading in headings}
    paragraphs = []
    for found in _PARAGRAPH.finditer(with_plain_line_ends(body)):
        text = found.group()
        paragraph = paragraph_of(text.split("\n"), is_heading=claimed.get(found.start()) == text)
        if paragraph:
            paragraphs.append(paragraph)
    return paragraphs


def paragraph_of(lines: Iterable[str], *, is_heading: bool = False) -> Paragraph | None:
    """Return the paragraph of these lines, with white space and unwanted characters tidied; None when nothing is left.

    A heading becomes one line, or no heading when it is too long for one.
    """
    tidied = [line for line in map(one_line, lines) if line]
    if not tidied:
        return None
    text = (" " if is_heading else "\n").join(tidied)
    return Paragraph(text, is_heading and len(text) <= MAX_HEADING_CHARACTERS)


def join_paragraphs(paragraphs: Sequence[Paragraph]) -> tuple[str, tuple[Heading, ...]]:
    """Return the body and its headings, each with the offset where it starts in that body."""
    headings, offset = [], 0
    for text, is_heading in paragraphs:
        if is_heading:
            headings.append(Heading(offset, text))
        offset += len(text) + len(_SEPARATOR)
    return _SEPARATOR.join(paragraph.text for paragraph in paragraphs), tuple(headings)


def with_paragraphs(article: Article, paragraphs: Sequence[Paragraph]) -> Article:
    """Return the article with this body and the headings that belong to it."""
    body, headings = join_paragraphs(paragraphs)
    if body == article.body and headings == article.headings:
        return article
    return msgspec.structs.replace(article, body=body, headings=headings)
