"""Publishing: every message gets an answer of its own."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from kafka import KafkaProducer, errors

from pipeline.adapters.kafka_broker.location import KafkaLocation
from pipeline.adapters.kafka_broker.records import outgoing
from pipeline.errors import PublishError
from pipeline.ports import Message

DELIVERY_SECONDS: Final = 20.0
"""Less than a group's lease of 30 s, so that a member whose broker is away is not silent for longer than that."""
REQUEST_BYTES: Final = 1_000_000
"""Of a produce request; a broker takes at most 1,048,588 bytes in a batch by default (``message.max.bytes``)."""
BUFFERED_BYTES: Final = 16_000_000
"""Handed to the client before its answers are awaited, so that a large batch does not take its size again in memory."""

CLOSE_SECONDS: Final = 1.0
"""For an orderly end; a zero would leave sockets to the garbage collector."""

NEVER = (
    errors.MessageSizeTooLargeError,
    errors.RecordListTooLargeError,
    errors.InvalidRecordError,
    errors.InvalidTopicError,
)
"""The same message would get the same answer again."""


class Producer:
    """A kafka-python producer that is made anew after a failure.

    A failed batch of an idempotent producer may still be under way, or have ended the producer for good. Closing it
    drops both, so that a message that is tried again is never overtaken by its former self.
    """

    def __init__(self, location: KafkaLocation, partitions_of: Callable[[set[str]], Mapping[str, int]]) -> None:
        self._location = location
        self._partitions_of = partitions_of
        self._client: Any = None

    def publish(self, messages: Sequence[Message]) -> list[PublishError | None]:
        """Store the messages; return an outcome for each, in order."""
        outcomes: list[PublishError | None] = []
        start = size = 0
        for at, message in enumerate(messages):
            size += len(message.value or b"")
            if size >= BUFFERED_BYTES or at == len(messages) - 1:
                outcomes += self._publish_some(messages[start : at + 1])
                start, size = at + 1, 0
        return outcomes

    def _publish_some(self, messages: Sequence[Message]) -> list[PublishError | None]:
        try:
            partitions = self._partitions_of({message.topic for message in messages})
            client = self._open()
            sent = [self._send(client, message, partitions) for message in messages]
            deadline = time.monotonic() + DELIVERY_SECONDS + 5
            client.flush(timeout=DELIVERY_SECONDS + 5)  # hides what has expired: each future is asked below
        except errors.KafkaError as error:
            self.close()
            return [PublishError(f"Kafka: {error}") for _ in messages]
        outcomes = [future if isinstance(future, PublishError) else _outcome(future, deadline) for future in sent]
        if any(outcome and not outcome.fatal for outcome in outcomes):
            self.close()
        return outcomes

    def _send(self, client: Any, message: Message, partitions: Mapping[str, int]) -> Any:
        """Hand one message to the client; return its future, or why it can never be stored."""
        if message.topic not in partitions:
            return PublishError(f"there is no topic {message.topic!r}; `wirewatch setup` makes the topics", fatal=True)
        record = outgoing(message, partitions[message.topic], self._location.prefix)
        if isinstance(record, PublishError):
            return record
        try:
            return client.send(
                record.topic, value=record.value, key=record.key, headers=record.headers, partition=record.partition
            )
        except NEVER as error:
            return PublishError(f"Kafka: {error}", fatal=True)
        except (TypeError, ValueError) as error:  # a header's name that UTF-8 cannot write
            return PublishError(f"the message cannot be written: {error}", fatal=True)

    def _open(self) -> Any:
        if self._client is None:
            self._client = KafkaProducer(
                **self._location.client_settings(),
                acks="all",
                enable_idempotence=True,
                compression_type="lz4",
                linger_ms=5,
                batch_size=256 * 1024,
                max_request_size=REQUEST_BYTES,
                delivery_timeout_ms=int(DELIVERY_SECONDS * 1000),
                request_timeout_ms=10_000,
                max_block_ms=10_000,
                bootstrap_timeout_ms=10_000,
                reconnect_backoff_max_ms=1_000,
                allow_auto_create_topics=False,
                metrics_enabled=False,
            )
        return self._client

    def close(self) -> None:
        """Drop the client with whatever it still has."""
        if self._client is not None:
            client, self._client = self._client, None
            try:
                client.close(timeout=CLOSE_SECONDS)
            except errors.KafkaTimeoutError:  # messages are under way: kafka-python leaves its thread running then
                client._sender.force_close()
                client._sender.join(CLOSE_SECONDS)
                client.close(timeout=CLOSE_SECONDS)


def _outcome(future: Any, deadline: float) -> PublishError | None:
    try:
        future.get(timeout=max(0.0, deadline - time.monotonic()))
    except NEVER as error:
        return PublishError(f"Kafka: {error}", fatal=True)
    except errors.KafkaError as error:
        return PublishError(f"Kafka: {error}")
    return None
