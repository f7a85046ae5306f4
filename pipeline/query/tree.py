"""What a query means, as frozen values; every engine and the matcher are compiled from this one tree."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from msgspec import Struct

TextField = Literal["title", "summary", "body", "author", "outlet", "origin", "feed", "lang", "tag", "url"]
IdField = Literal["id", "family", "story", "lane"]
DateField = Literal["published", "updated", "first_seen"]

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


Query = Words | Exact | Between | Everything | And | Or | Not
