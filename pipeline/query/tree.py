"""What a query means, as frozen values; every engine and the matcher are compiled from this one tree."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from msgspec import Struct

TextField = Literal[
    "title", "summary", "body", "author", "outlet", "origin", "feed", "lang", "tag", "url", "person", "org", "place"
]
IdField = Literal["id", "family", "story", "lane", "entity", "country"]
DateField = Literal["published", "updated", "first_seen"]
StageName = Literal["text", "metadata", "origin", "clean", "language", "entities", "quotes"]
"""The enrichment stages whose editions can be asked for (``pipeline.enrich.run.STAGES``)."""

MAX_EDITION = 99
"""The highest edition of a stage that the engines are asked about."""

DEFAULT_FIELDS: tuple[TextField, ...] = ("title", "summary", "body")
"""Where a word without a field is looked for: in any one of these."""


class Words(Struct, frozen=True, tag=True):
    """One word or phrase as written, unanalysed; its tokens must stand side by side in one value of one field."""

    text: str
    fields: tuple[TextField, ...] = DEFAULT_FIELDS


class Exact(Struct, frozen=True, tag=True):
    """A field whose value is compared as it is, but for letter case."""

    field: IdField
    value: str


class Between(Struct, frozen=True, tag=True):
    """A time from ``start`` (inclusive) to ``end`` (exclusive); None is open. An article without it never matches."""

    field: DateField
    start: datetime | None = None
    end: datetime | None = None


class Edition(Struct, frozen=True, tag=True):
    """The edition of an enrichment stage that an article last went through, from ``first`` to ``last``, both inclusive.

    An article that never went through it has edition 0.
    """

    stage: StageName
    first: int = 0
    last: int = MAX_EDITION

    def names(self) -> tuple[tuple[str, ...], bool]:
        """Return values of ``Article.stages`` and whether the article is to have one of them, or none of them."""
        if self.first > 0:
            return tuple(f"{self.stage}/{number}" for number in range(self.first, self.last + 1)), True
        return tuple(f"{self.stage}/{number}" for number in range(self.last + 1, MAX_EDITION + 1)), False


class Everything(Struct, frozen=True, tag=True):
    """``*``: every article."""


class And(Struct, frozen=True, tag=True):
    """All of ``parts`` (two or more)."""

    parts: tuple[Query, ...]


class Or(Struct, frozen=True, tag=True):
    """Any of ``parts`` (two or more)."""

    parts: tuple[Query, ...]


class Not(Struct, frozen=True, tag=True):
    """Everything that ``part`` does not select."""

    part: Query


Query = Words | Exact | Between | Edition | Everything | And | Or | Not
