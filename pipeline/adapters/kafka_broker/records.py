"""Our messages as Kafka's, and Kafka's records as ours."""

from __future__ import annotations

import zlib
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from pipeline.errors import PublishError
from pipeline.ports import Message, Record
from pipeline.topics import MAX_RECORD_BYTES

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Outgoing(NamedTuple):
    """A message as kafka-python takes it."""

    topic: str
    value: bytes | None
    key: bytes
    headers: list[tuple[str, bytes]]
    partition: int


def outgoing(message: Message, partitions: int, prefix: str = "") -> Outgoing | PublishError:
    """Encode a message for a topic of so many partitions, or say why it can never be stored."""
    key = message.key.encode("utf-8", "surrogatepass")  # text from outside may hold half a surrogate pair
    headers = [(name, text.encode("utf-8", "surrogatepass")) for name, text in message.headers.items()]
    size = len(key) + len(message.value or b"") + sum(len(name) + len(text) for name, text in headers)
    if size > MAX_RECORD_BYTES:
        return PublishError(f"the message is too large: {size} bytes, at most {MAX_RECORD_BYTES}", fatal=True)
    return Outgoing(prefix + message.topic, message.value, key, headers, zlib.crc32(key) % partitions)


def incoming(record: Any, prefix: str = "") -> Record:
    """Decode a record of kafka-python, of a topic that begins with ``prefix``; what a stranger wrote is some record."""
    return Record(
        topic=record.topic[len(prefix) :],
        partition=record.partition,
        offset=record.offset,
        key=None if record.key is None else _text(record.key),
        value=record.value,
        headers={name: _text(value or b"") for name, value in record.headers or ()},
        timestamp=_moment(record.timestamp),
    )


def _text(data: bytes) -> str:
    try:
        return data.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return data.decode("utf-8", "backslashreplace")


def _moment(milliseconds: int) -> datetime:
    try:
        return datetime.fromtimestamp(milliseconds / 1000, UTC)
    except (OverflowError, OSError, ValueError):
        return EPOCH
