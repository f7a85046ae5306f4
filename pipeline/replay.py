"""Sending dead letters down the path again, after their cause was mended."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from itertools import chain

from msgspec import Struct

from pipeline import topics
from pipeline.article import SOURCE_HEADER
from pipeline.dead import DeadLetter, read_dead_letter
from pipeline.errors import BadArticle, UsageError, WirewatchError
from pipeline.ports import Broker, Message, Record, TopicPartition

REPLAYED = "dead-replay"
"""The group whose committed offsets say which dead letters were sent again."""
SLICE = 50
"""Dead letters that are sent again at once: read again at their places, their records may have 900 kB each."""
UNREADABLE = "unreadable"
"""The reason shown for a record among the dead letters that is none."""
NAMED = 5
"""Places that a message names before it says how many more there are."""


class Replayed(Struct):
    """How many were sent again, and the places of those that never can be, by cause."""

    sent: int = 0
    left: dict[str, list[str]] = {}

    def reasons(self) -> list[str]:
        """Return a line for each cause, with some of the places it keeps from being sent."""
        lines = []
        for cause, places in self.left.items():
            more = f" and {len(places) - NAMED} more" if len(places) > NAMED else ""
            lines.append(f"{len(places)} not replayed, {cause}: {', '.join(places[:NAMED])}{more}")
        return lines


def replay_dead_letters(broker: Broker, place: str | None = None) -> Replayed:
    """Send the dead letter at ``place`` again, or all that were not when none is named.

    Raises:
        UsageError: there is no dead letter at that place.
        WirewatchError: the broker does not take it now; what was sent stays sent.
    """
    report = Replayed()
    if place is not None:
        _replay(broker, [record_at(broker, place)], report)
        return report
    for records in dead_slices(broker, replayed=False):
        _replay(broker, records, report)
        _remember(broker, records)
    return report


def keep_replayed(broker: Broker) -> None:
    """Commit again which dead letters were sent: Kafka lets offsets expire, and all would count as never sent."""
    done = broker.committed(REPLAYED, [topics.dead(name) for name in topics.LIVE_FIRST])
    if sent := {place: offset for place, offset in done.items() if offset}:
        with closing(broker.assigned_consumer(REPLAYED, list(sent))) as consumer:
            consumer.commit(sent)


def dead_letters(broker: Broker, *, replayed: bool) -> Iterator[tuple[Record, DeadLetter]]:
    """Yield the dead letters of every topic with the record each stands in; with ``replayed`` those sent again too.

    A record that is no dead letter is left out; ``dead list`` names it.
    """
    for record in chain.from_iterable(dead_slices(broker, replayed=replayed)):
        with suppress(BadArticle):
            yield record, letter_in(record)


def dead_slices(broker: Broker, *, replayed: bool) -> Iterator[Sequence[Record]]:
    """Yield the records of every dead-letter topic as it stands now: one replayed may be buried again behind it."""
    names = [topics.dead(name) for name in topics.LIVE_FIRST]
    ends = broker.end_offsets(names)
    done = {} if replayed else broker.committed(REPLAYED, names)
    for place in sorted(ends, key=lambda place: (names.index(place.topic), place.partition)):
        offset = done.get(place, 0)
        while offset < ends[place]:
            records = [record for record in broker.read(place, offset, SLICE) if record.offset < ends[place]]
            if not records:
                break
            yield records
            offset = records[-1].offset + 1


def _replay(broker: Broker, records: Sequence[Record], report: Replayed) -> None:
    """Publish what died here again, and note what cannot be.

    Raises:
        WirewatchError: the broker does not take it now.
    """
    messages: dict[str, Message] = {}
    for record in records:
        try:
            messages[place_of(record)] = _message(broker, letter_in(record))
        except BadArticle as bad:
            report.left.setdefault(bad.reason, []).append(place_of(record))
    failed = []
    for place, failure in zip(messages, broker.publish(list(messages.values())), strict=True):
        if failure is None:
            report.sent += 1
        elif failure.fatal:
            report.left.setdefault(failure.cause, []).append(place)
        else:
            failed.append(failure)
    if failed:
        raise WirewatchError(
            f"replayed {report.sent}; {len(failed)} could not be published: {failed[0].cause}. Try again for the rest."
        )


def _message(broker: Broker, letter: DeadLetter) -> Message:
    """Return the message that sends the record again. Raises ``BadArticle`` when the record is gone."""
    value = value_of(broker, letter)
    if value is None and letter.value_bytes:
        raise BadArticle("its record is past retention")
    headers = letter.headers
    is_raw = letter.topic in {topics.raw(lane) for lane in topics.LANES}
    if is_raw and (place := _place(letter)) and not topics.read_place(headers.get(SOURCE_HEADER, "")):
        headers = headers | {SOURCE_HEADER: topics.place_name(*place)}  # so that it stays behind later edits
    key = letter.key or topics.place_name(letter.topic, letter.partition, letter.offset).partition("/")[2]
    return Message(topic=letter.topic, key=key, value=value, headers=headers)


def _remember(broker: Broker, records: Sequence[Record]) -> None:
    ends = {record.place: record.offset + 1 for record in records}  # offsets rise within a place
    with closing(broker.assigned_consumer(REPLAYED, list(ends))) as consumer:
        consumer.commit(ends)


def value_of(broker: Broker, letter: DeadLetter) -> bytes | None:
    """Return the record's value: from the letter, or from where it first stood if that is still kept."""
    if letter.value is not None or not letter.value_bytes or not (place := _place(letter)):
        return letter.value
    topic, partition, offset = place
    found = broker.read(TopicPartition(topic, partition), offset, 1)
    return found[0].value if found and found[0].offset == offset else None


def _place(letter: DeadLetter) -> tuple[str, int, int] | None:
    """Return where the record stood; None for a message that poll could not publish, which never stood anywhere."""
    return topics.read_place(topics.place_name(letter.topic, letter.partition, letter.offset))


def record_at(broker: Broker, place: str) -> Record:
    """Return the record at a place that ``dead list`` names. Raises ``UsageError`` when no dead letter is there."""
    found = topics.read_place(place)
    if found is None or not found[0].endswith(topics.DEAD_SUFFIX):
        raise UsageError(f"“{place}” is no dead letter's place; `wirewatch dead list` shows them.")
    topic, partition, offset = found
    records = broker.read(TopicPartition(topic, partition), offset, 1)
    if not records or records[0].offset != offset:
        raise UsageError(f"There is no dead letter at {place}; `wirewatch dead list --all` shows those that are kept.")
    return records[0]


def letter_in(record: Record) -> DeadLetter:
    """Return the letter in a record; raises ``BadArticle`` when there is none, or one that belongs elsewhere."""
    try:
        letter = read_dead_letter(record.value)
    except BadArticle as bad:
        raise BadArticle(UNREADABLE, bad.detail) from bad
    if topics.dead(letter.topic) != record.topic:
        raise BadArticle(UNREADABLE, f"it names the topic {letter.topic}")
    return letter


def place_of(record: Record) -> str:
    """Return a dead letter's place as ``dead list`` prints it."""
    return topics.place_name(record.topic, record.partition, record.offset)
