"""Dead letters: how a record that can never be handled is kept, read and sent again."""

from __future__ import annotations

from datetime import datetime

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from pipeline import topics
from pipeline.article import UNREADABLE
from pipeline.errors import BadArticle
from pipeline.ports import Message, Record
from pipeline.redaction import hide_in_urls

MAX_INLINE_BYTES = 45_000
"""Of the record's value: base64 adds a third, and the whole letter stays below ``topics.MAX_DEAD_LETTER_BYTES``."""
MAX_DETAIL_CHARS = 2_000
MAX_KEY_CHARS = 512
MAX_HEADERS = 31


class DeadLetter(Struct, frozen=True, kw_only=True):
    """Why a record was given up, where it stands, and its value when that is small enough."""

    step: str
    reason: str
    detail: str
    topic: str
    partition: int
    offset: int
    key: str | None
    headers: dict[str, str] = {}
    value: bytes | None = None
    """The record's value, or None when it was null or is too large; then it is read again at its place."""
    value_bytes: int = 0
    at: datetime


_decoder = msgspec.json.Decoder(DeadLetter)


def dead_letter(record: Record, *, step: str, reason: str, detail: str, at: datetime) -> Message:
    """Return the message that buries ``record`` in the dead letters of its topic; at most 64 KiB."""
    size = len(record.value or b"")
    headers = record.headers if len(record.headers) <= MAX_HEADERS else {}
    letter = DeadLetter(
        step=step,
        reason=reason,
        detail=hide_in_urls(_clean(detail))[:MAX_DETAIL_CHARS],
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        key=_clean(record.key)[:MAX_KEY_CHARS] if record.key is not None else None,
        headers={_clean(name)[:100]: _clean(text)[:200] for name, text in headers.items()},
        value=record.value if size <= MAX_INLINE_BYTES else None,
        value_bytes=size,
        at=at,
    )
    key = f"{record.topic}/{record.partition}/{record.offset}"
    return Message(topic=topics.dead(record.topic), key=key, value=_encoded(letter))


def unstored_letter(message: Message, *, step: str, reason: str, detail: str, at: datetime) -> Message:
    """Return the letter of an article that never became a record: it has no place, so it goes by the article's id."""
    unstored = Record(
        topic=message.topic, partition=-1, offset=-1, key=message.key, value=message.value, timestamp=at
    )  # fmt: skip
    return replace(dead_letter(unstored, step=step, reason=reason, detail=detail, at=at), key=message.key)


def _encoded(letter: DeadLetter) -> bytes:
    """Return the letter within its limit: in JSON a control character takes six bytes, and all of a key may be such."""
    for smaller in (letter, replace(letter, value=None), replace(letter, value=None, headers={})):
        encoded = msgspec.json.encode(smaller)
        if len(encoded) <= topics.MAX_DEAD_LETTER_BYTES:
            break
    return encoded


def read_dead_letter(value: bytes | None) -> DeadLetter:
    """Return the dead letter of a record's value; raises ``BadArticle`` when it is none."""
    try:
        return _decoder.decode(value or b"")
    except UNREADABLE as error:
        raise BadArticle("not a dead letter", str(error)) from error


def _clean(text: str) -> str:
    """Replace lone surrogates, which UTF-8 cannot carry."""
    return text.encode("utf-8", "replace").decode("utf-8")
