"""The record that travels the whole path: how it is written, read and refused."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.article import (
    SCHEMA_VERSION,
    Article,
    Deletion,
    Heading,
    article_json_schema,
    decode_article,
    decode_deletion,
    encode_article,
    encode_deletion,
)
from pipeline.errors import BadArticle

NOW = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)
SCHEMA_FILE = Path(__file__).parent.parent / "docs" / "article.schema.json"
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=50)


@given(title=TEXT, body=TEXT, tags=st.lists(TEXT, max_size=3), revision=st.integers(0, 2**62))
def test_what_is_written_is_read(title: str, body: str, tags: list[str], revision: int) -> None:
    article = Article(
        id="a", title=title, body=body, tags=tuple(tags), revision=revision, published=NOW,
        headings=(Heading(0, body),), extra={"key": [1, None, {"deep": True}]},
    )  # fmt: skip
    assert decode_article(encode_article(article)) == article


def test_a_newer_minor_version_with_fields_of_its_own_is_read() -> None:
    fields = json.loads(encode_article(Article(id="a", title="t"))) | {"schema_version": "1.9", "mood": "glad"}
    assert decode_article(json.dumps(fields).encode()).title == "t"


@pytest.mark.parametrize("version", ["2.0", "0.9", "10.0", "", "x"])
def test_another_major_version_is_refused(version: str) -> None:
    value = encode_article(Article(id="a", schema_version=version))
    with pytest.raises(BadArticle, match="unknown schema version"):
        decode_article(value)


@pytest.mark.parametrize(
    "value", [b"", b"null", b"[]", b'{"id": 5}', b'{"title": "no id"}', b"\xff\xfe", b"{" * 100_000, b"[" * 100_000]
)
def test_what_is_no_article_is_refused(value: bytes) -> None:
    with pytest.raises(BadArticle, match="not an article"):
        decode_article(value)


def test_null_is_refused_as_such() -> None:
    with pytest.raises(BadArticle, match="null value"):
        decode_article(None)


def test_a_deletion_is_read_and_anything_else_is_not() -> None:
    deletion = Deletion(id="a", reason="asked to", deleted_at=NOW)
    assert decode_deletion(encode_deletion(deletion)) == deletion
    for value in (None, b"", encode_article(Article(id="a"))):
        with pytest.raises(BadArticle, match="not a deletion"):
            decode_deletion(value)


def test_flags_are_kept_once_and_in_order() -> None:
    assert Article(id="a").flagged("x", "y").flagged("x", "z").flags == ("x", "y", "z")


def test_articles_are_frozen() -> None:
    with pytest.raises(AttributeError):
        Article(id="a").title = "other"  # type: ignore[misc]


def test_the_published_json_schema_is_the_one_of_the_code() -> None:
    assert json.loads(SCHEMA_FILE.read_text("utf-8")) == json.loads(json.dumps(article_json_schema()))


def test_the_json_schema_names_every_field_and_the_version() -> None:
    properties = article_json_schema()["$defs"]["Article"]["properties"]
    assert set(properties) == {field.name for field in msgspec.structs.fields(Article)}
    assert properties["schema_version"]["default"] == SCHEMA_VERSION
