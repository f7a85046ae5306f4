"""A plain-text file: one article whose title, date and headings enrichment reads out of the text."""

from __future__ import annotations

from datetime import datetime

from pipeline.article import Article, Lane
from pipeline.identity import article_id
from pipeline.text.charset import decode


def read_text(content: bytes, *, lane: Lane, now: datetime) -> Article:
    """Return the article of a text; its id is that of its content. Paragraphs are separated by empty lines.

    In a file without an empty line every line is a paragraph. Encodings are UTF-8, UTF-16 or UTF-32 with a byte order
    mark, else Windows-1252, flagged.
    """
    text, guessed = decode(content)
    text = "\n".join(line.rstrip() for line in text.splitlines())
    body = text if "\n\n" in text.strip() else text.replace("\n", "\n\n")
    ident = article_id(link="", feed_url="", guid="", content=f"\n{body}\n")
    article = Article(id=ident, lane=lane, body=body, text_from="file", first_seen=now)
    return article.flagged("charset_guessed") if guessed else article
