"""Text that was decoded with the wrong charset somewhere before us ("Ã©" for "é"), put right."""

from __future__ import annotations

import re
from typing import Final

import msgspec
from ftfy import fix_encoding
from ftfy.badness import is_bad

from pipeline.article import Article
from pipeline.enrich.paragraphs import Paragraph, split_body, with_paragraphs
from pipeline.text.characters import one_line

_MAY_BE_BROKEN: Final = re.compile("[\x80-\u05ff]")
"""UTF-8 read as a charset of single bytes has letters of Latin, Greek, Cyrillic or Hebrew in it. Looking for one is 20
times faster than looking for all signs of a break, and most texts have none."""
MAX_CHARACTERS: Final = 20_000
"""Of a paragraph that is repaired: ftfy looks at each piece of one that it cannot repair as a whole."""
MAX_REPAIRED: Final = 200_000
"""Of a body."""
MAX_PASSES: Final = 5
"""A text that was decoded wrongly twice takes two, and one more to see that it is sound."""


def with_repaired_text(article: Article) -> Article:
    """Return the article with title, summary and body repaired where they show it, flagged ``encoding_repaired``.

    Paragraph by paragraph: a text may be put together from sources of which one was broken. ftfy knows the signs, and
    changes nothing but what turns into sound text.
    """
    if article.title.isascii() and article.summary.isascii() and article.body.isascii():
        return article
    repaired = msgspec.structs.replace(article, title=_repaired(article.title), summary=_repaired(article.summary))
    if len(article.body) <= MAX_REPAIRED and _MAY_BE_BROKEN.search(article.body) and is_bad(article.body):
        paragraphs = split_body(article.body, article.headings)
        kept = [Paragraph(fixed, is_head) for text, is_head in paragraphs if (fixed := _repaired(text))]
        repaired = with_paragraphs(repaired, kept)
    return article if repaired == article else repaired.flagged("encoding_repaired")


def _repaired(text: str) -> str:
    """Return the text repaired and tidied until nothing changes; as it was, where that takes too long."""
    if len(text) > MAX_CHARACTERS:
        return text
    repaired = text
    for _ in range(MAX_PASSES):
        if repaired.isascii() or not is_bad(repaired):
            return repaired
        before = repaired
        repaired = "\n".join(line for line in map(one_line, fix_encoding(before).split("\n")) if line)
        if repaired == before:
            return repaired
    return text
