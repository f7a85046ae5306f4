"""One article as one document of tantivy: the schema, and how an article fills it.

The words are in unstored ``<field>_tokens`` fields (our analyser's tokens, see ``pipeline.query.analysis``), what is
compared whole in ``<field>_exact``, what is counted in ``<field>_count``, times as microseconds, and the whole article,
as JSON under zstd, in ``article``. Unknown keys (``extra``) are in that JSON only, so nothing from outside can grow the
schema.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from typing import Any, Final, get_args

import tantivy

from pipeline.adapters.indexable import (
    check_identity,
    check_length,
    counted_values,
    encoded,
    listed_at,
    month_of,
    times,
)
from pipeline.article import Article, decode_article
from pipeline.ports import CountField
from pipeline.query.document import id_values, token_values
from pipeline.query.fields import STAGES_FIELD, exact_field, microseconds, tokens_field
from pipeline.query.tree import DateField, IdField, TextField

SCHEMA_NUMBER: Final = 2
"""Raised by every change of the fields below or of what is put into them, the analyser's rules included."""

MAX_TERM_BYTES: Final = 65_530
"""tantivy leaves out longer terms without a word (its ``MAX_TOKEN_LEN``), so they are refused here."""

_FIRST_MOMENT = datetime.min.replace(tzinfo=UTC)

Bytes = Callable[[bytes], bytes]


def build_schema() -> tantivy.Schema:
    """Return the fields of the index; whoever changes them raises ``SCHEMA_NUMBER``."""
    schema = tantivy.SchemaBuilder()
    text: TextField
    for text in get_args(TextField):
        schema.add_text_field(tokens_field(text), tokenizer_name="whitespace", index_option="position")
    exact: IdField
    for exact in get_args(IdField):
        schema.add_text_field(exact_field(exact), tokenizer_name="raw", index_option="basic")
    schema.add_text_field(STAGES_FIELD, tokenizer_name="raw", index_option="basic")
    # "key" is the id as it is. "order" is sort time and id in one, because tantivy sorts by one field only.
    for whole in ("key", "order", "month", *map(count_field, get_args(CountField))):
        schema.add_text_field(whole, tokenizer_name="raw", index_option="basic", fast=True)
    for number in (*get_args(DateField), "day", "version"):
        schema.add_integer_field(number, fast=True)
    schema.add_bytes_field("article", stored=True)
    return schema.build()


def count_field(field: CountField) -> str:
    """Return the name of the index field whose values are counted for ``field``."""
    return f"{field}_count"


def day_of(number: int) -> date:
    """Return the day that the ``day`` field holds as ``number``."""
    return date.fromordinal(number)


def build_document(article: Article, compress: Bytes) -> tantivy.Document:
    """Return the article as a document of ``build_schema()``.

    Raises:
        CannotIndex: what it lacks, or has too much of.
    """
    check_identity(article)
    document = tantivy.Document()
    document.add_bytes("article", compress(encoded(article)))
    document.add_integer("version", article.version)
    for field, values in token_values(article).items():
        for words in values:
            document.add_text(tokens_field(field), " ".join(words))
    for number, value in _times(article):
        document.add_integer(number, value)
    for whole, text in _whole_values(article):
        check_length(whole, text, MAX_TERM_BYTES)
        document.add_text(whole, text)
    return document


def article_of(document: tantivy.Document, decompress: Bytes) -> Article:
    """Return the article that a found document was made from."""
    packed: Any = document.get_first("article")
    return decode_article(decompress(packed))


def _times(article: Article) -> Iterator[tuple[str, int]]:
    for field, moment in times(article):
        yield field, microseconds(moment)
    yield "day", listed_at(article).toordinal()


def _whole_values(article: Article) -> Iterator[tuple[str, str]]:
    yield "key", article.id
    since_first = microseconds(listed_at(article)) - microseconds(_FIRST_MOMENT)
    yield "order", f"{since_first:018d}{article.id}"
    yield "month", month_of(article)
    for field, values in id_values(article).items():
        for value in values:
            yield exact_field(field), value
    for stage in article.stages:
        yield STAGES_FIELD, stage
    for name, value in counted_values(article).items():
        if value:
            yield count_field(name), value
