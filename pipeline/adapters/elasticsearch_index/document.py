"""One article as one document: the article itself, as it is, and beside it what is only indexed.

The fields are those of ``config/elasticsearch/articles-mappings.json``. What is added here is left out of ``_source``
there, so what comes back is the article's own JSON.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec
from msgspec import Struct

from pipeline.adapters.indexable import (
    check_identity,
    check_length,
    counted_values,
    encoded,
    listed_at,
    month_of,
    times,
)
from pipeline.article import Article
from pipeline.query.document import id_values, token_values
from pipeline.query.fields import STAGES_FIELD, exact_field, microseconds, microseconds_field, tokens_field

MAX_ID_BYTES: Final = 512
"""Of ``_id``, in Elasticsearch itself."""

MAX_TERM_BYTES: Final = 32_766
"""Of a keyword, in Lucene."""

ANALYSED_LANGUAGES: Final = frozenset(
    ("ar", "de", "en", "es", "fa", "fr", "hi", "id", "it", "ja", "ko", "nl", "pt", "ru", "sv", "tr", "zh")
)
"""Languages with an analyzer in the mapping, by ISO 639-1; the test of the mapping holds the two together."""

_encode = msgspec.json.Encoder().encode


class Document(Struct, frozen=True):
    """An article ready to be sent."""

    id: str
    month: str
    version: int
    source: bytes
    """One line of JSON."""


def build_document(article: Article) -> Document:
    """Return the article as a document.

    Raises:
        CannotIndex: what it lacks, or has too much of.
    """
    check_identity(article)
    own = encoded(article)
    check_length("the id", article.id, MAX_ID_BYTES)
    for name, values in _whole_values(article):
        for value in values:
            check_length(name, value, MAX_TERM_BYTES)
    month = month_of(article)
    source = own[:-1] + b"," + _encode(_derived(article, month))[1:]
    return Document(article.id, month, article.version, source)


def _whole_values(article: Article) -> Iterator[tuple[str, tuple[str, ...]]]:
    for name, value in counted_values(article).items():
        yield name, (value,)
    yield from id_values(article).items()
    yield "stages", article.stages


def _derived(article: Article, month: str) -> Mapping[str, Any]:
    shown = listed_at(article)
    derived: dict[str, Any] = {
        "month": month,
        "sort_microseconds": microseconds(shown),
        "sort_time": shown.isoformat(timespec="milliseconds"),
    }
    for text, values in token_values(article).items():
        derived[tokens_field(text)] = [" ".join(words) for words in values]
    for name, whole in id_values(article).items():
        derived[exact_field(name)] = whole
    derived[STAGES_FIELD] = article.stages
    for date, moment in times(article):
        derived[microseconds_field(date)] = microseconds(moment)
    language = article.language.partition("-")[0].lower()
    if language in ANALYSED_LANGUAGES:
        derived["title_in"] = {language: article.title}
        derived["body_in"] = {language: article.body}
    return derived
