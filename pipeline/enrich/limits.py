"""How large an article may be: whatever was found, what is published fits into a record and into the index."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from pipeline.article import MAX_NESTING, Article, Heading, encode_article, nests_within
from pipeline.enrich.bounds import bounded
from pipeline.enrich.paragraphs import join_paragraphs, split_body
from pipeline.outcomes import FlagName
from pipeline.text.characters import cleaned, has_controls, one_line
from pipeline.text.limits import (
    MAX_BODY_BYTES,
    MAX_BODY_CHARACTERS,
    MAX_GUID_CHARACTERS,
    MAX_LINK_CHARACTERS,
    MAX_LIST_CHARACTERS,
    MAX_LIST_LENGTH,
    MAX_SUMMARY_CHARACTERS,
    MAX_TITLE_CHARACTERS,
    MAX_WORD_CHARACTERS,
)
from pipeline.topics import MAX_ARTICLE_BYTES

MAX_EXTRA_KEYS: Final = 100
MAX_EXTRA_BYTES: Final = 64 * 1024
SMALL_TEXT_CHARACTERS: Final = 40_000
"""An article with less text than this is under ``MAX_ARTICLE_BYTES`` with everything else at its limit."""

_WORDS: Final = (
    "id", "feed", "outlet", "origin", "page", "language", "content_hash", "family", "story", "schema_version",
    "dateline", "correction", "section", "script", "main_place",
)  # fmt: skip
_LISTS: Final = ("authors", "tags", "flags", "stages")
_LINKS: Final = ("url", "canonical_url", "image")


def fitted(article: Article) -> Article:
    """Return the article cleaned and cut to size, flagged for what a reader would miss.

    All strings lose control characters, lone surrogates and superfluous space; the body is cut at the end of a
    paragraph where that costs little; the whole encodes to at most ``topics.MAX_ARTICLE_BYTES``.
    """
    flags = _remarks(article)
    body, headings = _cleaned_body(article)
    if body != article.body:  # where the names and quotes stood, something else stands now
        article = msgspec.structs.replace(article, entities=(), quotes=())
    article = msgspec.structs.replace(
        article,
        title=one_line(article.title)[:MAX_TITLE_CHARACTERS],
        summary=cleaned(article.summary)[:MAX_SUMMARY_CHARACTERS].strip(),
        body=body,
        headings=headings[:MAX_LIST_LENGTH],
        html=cleaned(article.html),
        guid=one_line(article.guid)[:MAX_GUID_CHARACTERS],
        source_path=cleaned(article.source_path)[:MAX_LINK_CHARACTERS],
        extra=_fitted_extra(article.extra),
        **{name: one_line(getattr(article, name))[:MAX_WORD_CHARACTERS] for name in _WORDS},
        **{name: _fitted_list(getattr(article, name)) for name in _LISTS},
        **{name: link if _is_sound(link := getattr(article, name)) else "" for name in _LINKS},
    )
    if flags:
        article = article.flagged(*flags)
    if len(article.body) + len(article.html) > SMALL_TEXT_CHARACTERS:
        article = _within_a_record(bounded(article))
    return bounded(article)


def _remarks(article: Article) -> list[FlagName]:
    """Return the flags for what ``fitted`` is about to take away, text aside."""
    flags: list[FlagName] = []
    if len(article.title) > MAX_TITLE_CHARACTERS:
        flags.append("title_truncated")
    if any(has_controls(text) for text in (article.title, article.summary, article.body, article.html)):
        flags.append("controls_removed")
    if any(_is_long_list(getattr(article, name)) for name in _LISTS):
        flags.append("list_truncated")
    if not all(_is_sound(getattr(article, name)) for name in _LINKS):
        flags.append("link_removed")
    return flags


def _cleaned_body(article: Article) -> tuple[str, tuple[Heading, ...]]:
    if cleaned(article.body) == article.body:
        return article.body, article.headings
    return join_paragraphs(split_body(article.body, article.headings))


def _is_long_list(words: Sequence[str]) -> bool:
    return len(words) > MAX_LIST_LENGTH or any(len(word) > MAX_LIST_CHARACTERS for word in words)


def _fitted_list(words: Sequence[str]) -> tuple[str, ...]:
    tidied = (one_line(word[: 2 * MAX_LIST_CHARACTERS])[:MAX_LIST_CHARACTERS] for word in words[:MAX_LIST_LENGTH])
    return tuple(word for word in tidied if word)


def _is_sound(link: str) -> bool:
    """A link that is cut or mended leads elsewhere, so a bad one goes."""
    return len(link) <= MAX_LINK_CHARACTERS and cleaned(link) == link


def _fitted_extra(extra: Mapping[str, Any]) -> dict[str, Any]:
    """Return the first keys of ``extra`` that have room together; one too large, or nested too deep, is passed over."""
    kept: dict[str, Any] = {}
    room = MAX_EXTRA_BYTES
    for key, value in extra.items():
        if not nests_within(value, MAX_NESTING - 1):
            continue
        size = len(msgspec.json.encode({key: value}))
        if len(kept) < MAX_EXTRA_KEYS and size <= room:
            kept[key] = value
            room -= size
    return kept


def _within_a_record(article: Article) -> Article:
    """Cut body and markup to their limits, then, as JSON may be twice as long as the text, to what a record holds."""
    article = _shortened(_shortened(article, "body", MAX_BODY_BYTES), "html", MAX_BODY_BYTES)
    for name in ("html", "body"):
        excess = len(encode_article(article)) - MAX_ARTICLE_BYTES
        if excess > 0:
            article = _shortened(article, name, len(getattr(article, name).encode()) - excess)
    return article


def _shortened(article: Article, name: str, size: int) -> Article:
    """Return the article with the text ``name`` at most ``size`` bytes long, flagged when that cuts it."""
    whole = getattr(article, name)
    text = whole[:MAX_BODY_CHARACTERS].encode()[: max(size, 0)].decode("utf-8", "ignore")
    if text == whole:
        return article
    if name == "body":
        end = text.rfind("\n\n")
        text = text[:end] if end > len(text) // 2 else text.rstrip()
    headings = tuple(heading for heading in article.headings if heading.offset + len(heading.text) <= len(text))
    return msgspec.structs.replace(
        article, **{name: text}, headings=headings if name == "body" else article.headings
    ).flagged("body_truncated")
