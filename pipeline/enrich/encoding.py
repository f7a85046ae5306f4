"""Text that was decoded with the wrong charset somewhere before us ("Ã©" for "é"), put right."""

from __future__ import annotations

import msgspec
from ftfy import fix_encoding
from ftfy.badness import is_bad

from pipeline.article import Article
from pipeline.enrich.paragraphs import Paragraph, split_body, with_paragraphs


def with_repaired_text(article: Article) -> Article:
    """Return the article with title, summary and body repaired where they show it, flagged ``encoding_repaired``.

    Paragraph by paragraph: a text may be put together from sources of which one was broken. ftfy knows the signs, and
    changes nothing but what turns into sound text.
    """
    if article.title.isascii() and article.summary.isascii() and article.body.isascii():
        return article
    repaired = msgspec.structs.replace(article, title=_repaired(article.title), summary=_repaired(article.summary))
    if is_bad(article.body):
        paragraphs = split_body(article.body, article.headings)
        repaired = with_paragraphs(repaired, [Paragraph(_repaired(text), is_head) for text, is_head in paragraphs])
    return article if repaired == article else repaired.flagged("encoding_repaired")


def _repaired(text: str) -> str:
    return fix_encoding(text) if not text.isascii() and is_bad(text) else text
