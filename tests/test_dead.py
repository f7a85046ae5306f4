"""Dead letters: small, complete, and readable whatever was in the record."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import topics
from pipeline.dead import dead_letter, read_dead_letter
from pipeline.errors import BadArticle
from pipeline.ports import Record

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def record(value: bytes | None = b"v", key: str | None = "k", headers: dict[str, str] | None = None) -> Record:
    return Record(
        topic="articles.raw", partition=3, offset=17, key=key, value=value, headers=headers or {}, timestamp=NOW
    )


@given(
    value=st.none() | st.binary(max_size=200) | st.just(b"\x00" * 900_000) | st.just(b"x" * 45_001),
    key=st.none() | st.text(max_size=2_000),
    detail=st.text(max_size=10_000),
    headers=st.dictionaries(st.text(max_size=300), st.text(max_size=300), max_size=80),
)
def test_a_letter_is_at_most_64_kib_and_can_be_read(
    value: bytes | None, key: str | None, detail: str, headers: dict[str, str]
) -> None:
    message = dead_letter(record(value, key, headers), step="enrich", reason="bad", detail=detail, at=NOW)
    assert message.topic == "articles.raw.dead"
    assert message.value is not None
    assert len(message.value) <= topics.MAX_DEAD_LETTER_BYTES
    letter = read_dead_letter(message.value)
    assert (letter.topic, letter.partition, letter.offset, letter.reason) == ("articles.raw", 3, 17, "bad")
    assert letter.value_bytes == len(value or b"")
    assert letter.value in {value, None}


def test_small_values_are_kept_whole() -> None:
    letter = read_dead_letter(dead_letter(record(b"\xff\x00"), step="s", reason="r", detail="", at=NOW).value)
    assert letter.value == b"\xff\x00"


def test_headers_are_kept_for_replay() -> None:
    message = dead_letter(record(headers={"kind": "deletion"}), step="s", reason="r", detail="", at=NOW)
    assert read_dead_letter(message.value).headers == {"kind": "deletion"}


@pytest.mark.parametrize("value", [None, b"", b"{}", b"[]", b"\xff"])
def test_what_is_no_letter_is_said_so(value: bytes | None) -> None:
    with pytest.raises(BadArticle, match="not a dead letter"):
        read_dead_letter(value)


def test_a_letter_of_the_worst_record_is_at_most_64_kib_and_keeps_what_matters() -> None:
    headers = {f"{n}\x01" * 50: "\x01" * 200 for n in range(31)}
    worst = record(b"x" * 45_000, "\x01" * 600, headers)
    message = dead_letter(worst, step="s", reason="r", detail="\x01" * 2_000, at=NOW)
    assert message.value is not None
    assert len(message.value) <= topics.MAX_DEAD_LETTER_BYTES
    letter = read_dead_letter(message.value)
    assert (letter.value, letter.value_bytes, letter.offset) == (None, 45_000, 17)
