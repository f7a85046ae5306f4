"""wirewatch dead: list, show and replay dead letters."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from itertools import chain
from typing import Annotated

import typer
from msgspec import Struct

from pipeline import topics
from pipeline.article import SOURCE_HEADER
from pipeline.commands.context import Context, safe
from pipeline.commands.printing import Json, print_json, print_json_lines, print_table
from pipeline.dead import DeadLetter, read_dead_letter
from pipeline.errors import EXIT_PARTLY, BadArticle, UsageError, WirewatchError
from pipeline.ports import Broker, Message, Record, TopicPartition

app = typer.Typer(no_args_is_help=True, help="Records that could not be handled, with the reason.")
REPLAYED = "dead-replay"
"""The group whose committed offsets say which dead letters were sent again."""
SLICE = 50
"""Dead letters that are sent again at once: read again at their places, their records may have 900 kB each."""
UNREADABLE = "unreadable"
"""The reason shown for a record among the dead letters that is none."""
NAMED = 5
"""Places that a message names before it says how many more there are."""


@app.command("list")
def list_dead(
    ctx: typer.Context,
    replayed: Annotated[bool, typer.Option("--all", help="Also those that were replayed.")] = False,
    json: Json = False,
) -> None:
    """List dead letters: where, why, and what."""
    context: Context = ctx.obj
    with context.open() as ports:
        records = chain.from_iterable(_slices(ports.broker, replayed=replayed))
        letters = ((_name(record), _read_or_stand_in(record)) for record in records)
        if json:
            print_json_lines({"place": place, **_plain(letter)} for place, letter in letters)
            return
        rows = [(place, f"{w.at:%Y-%m-%d %H:%M}", w.step, w.reason, w.key or "-", w.detail[:100])
                for place, w in letters]  # fmt: skip
    print_table(
        ("place", "at", "step", "reason", "key", "detail"), rows, empty="No dead letters.", only_wide=("at", "key")
    )


@app.command()
def show(
    ctx: typer.Context, place: Annotated[str, typer.Argument(help="As `dead list` prints it.")], json: Json = False
) -> None:
    """Show one dead letter with its record."""
    context: Context = ctx.obj
    with context.open() as ports:
        record = _record_at(ports.broker, place)
        letter = _read(record)
        value = _value(ports.broker, letter)
    if json:
        print_json({**_plain(letter), "value": None if value is None else value.decode("utf-8", "replace")})
        return
    for name, field in _plain(letter).items():
        typer.echo(f"{name:>12}  {safe(str(field))}")
    typer.echo("\n" + (safe(value.decode("utf-8", "replace")) if value is not None else "(the record is gone)"))


@app.command()
def replay(
    ctx: typer.Context,
    place: Annotated[
        str | None, typer.Argument(help="One dead letter; all that were not replayed when not given.")
    ] = None,
) -> None:
    """Send dead letters down the path again, after their cause was mended."""
    context: Context = ctx.obj
    report = _Report()
    with context.open() as ports:
        if place is not None:
            _replay(ports.broker, [_record_at(ports.broker, place)], report)
        else:
            for records in _slices(ports.broker, replayed=False):
                _replay(ports.broker, records, report)
                _remember(ports.broker, records)
    typer.echo(f"replayed {report.sent}", err=True)
    for cause, places in report.left.items():
        more = f" and {len(places) - NAMED} more" if len(places) > NAMED else ""
        typer.echo(f"{len(places)} not replayed, {safe(cause)}: {', '.join(places[:NAMED])}{more}", err=True)
    if report.left:
        raise typer.Exit(EXIT_PARTLY)


class _Report(Struct):
    """How many were sent again, and the places of those that never can be, by cause."""

    sent: int = 0
    left: dict[str, list[str]] = {}


def dead_letters(broker: Broker, *, replayed: bool) -> Iterator[tuple[Record, DeadLetter]]:
    """Yield the dead letters of every topic with the record each stands in; with ``replayed`` those sent again too.

    A record that is no dead letter is left out; ``dead list`` names it.
    """
    for record in chain.from_iterable(_slices(broker, replayed=replayed)):
        with suppress(BadArticle):
            yield record, _letter(record)


def _slices(broker: Broker, *, replayed: bool) -> Iterator[Sequence[Record]]:
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


def _replay(broker: Broker, records: Sequence[Record], report: _Report) -> None:
    """Publish what died here again, and note what cannot be.

    Raises:
        WirewatchError: the broker does not take it now.
    """
    messages: dict[str, Message] = {}
    for record in records:
        try:
            messages[_name(record)] = _message(broker, _letter(record))
        except BadArticle as bad:
            report.left.setdefault(bad.reason, []).append(_name(record))
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
    value = _value(broker, letter)
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


def _value(broker: Broker, letter: DeadLetter) -> bytes | None:
    """Return the record's value: from the letter, or from where it first stood if that is still kept."""
    if letter.value is not None or not letter.value_bytes or not (place := _place(letter)):
        return letter.value
    topic, partition, offset = place
    found = broker.read(TopicPartition(topic, partition), offset, 1)
    return found[0].value if found and found[0].offset == offset else None


def _place(letter: DeadLetter) -> tuple[str, int, int] | None:
    """Return where the record stood; None for a message that poll could not publish, which never stood anywhere."""
    return topics.read_place(topics.place_name(letter.topic, letter.partition, letter.offset))


def _record_at(broker: Broker, place: str) -> Record:
    found = topics.read_place(place)
    if found is None or not found[0].endswith(topics.DEAD_SUFFIX):
        raise UsageError(f"“{place}” is no dead letter's place; `wirewatch dead list` shows them.")
    topic, partition, offset = found
    records = broker.read(TopicPartition(topic, partition), offset, 1)
    if not records or records[0].offset != offset:
        raise UsageError(f"There is no dead letter at {place}; `wirewatch dead list --all` shows those that are kept.")
    return records[0]


def _letter(record: Record) -> DeadLetter:
    """Return the letter in a record; raises ``BadArticle`` when there is none, or one that belongs elsewhere."""
    try:
        letter = read_dead_letter(record.value)
    except BadArticle as bad:
        raise BadArticle(UNREADABLE, bad.detail) from bad
    if topics.dead(letter.topic) != record.topic:
        raise BadArticle(UNREADABLE, f"it names the topic {letter.topic}")
    return letter


def _read(record: Record) -> DeadLetter:
    try:
        return _letter(record)
    except BadArticle as bad:
        raise WirewatchError(f"The dead letter {_name(record)} cannot be read: {bad.detail}") from None


def _read_or_stand_in(record: Record) -> DeadLetter:
    """Return the letter, or one that says that it cannot be read, so that it does not hide the others."""
    try:
        return _letter(record)
    except BadArticle as bad:
        return DeadLetter(
            step="-", reason=bad.reason, detail=bad.detail, topic=record.topic.removesuffix(topics.DEAD_SUFFIX),
            partition=-1, offset=-1, key=record.key, value_bytes=len(record.value or b""), at=record.timestamp,
        )  # fmt: skip


def _name(record: Record) -> str:
    return topics.place_name(record.topic, record.partition, record.offset)


def _plain(letter: DeadLetter) -> dict[str, object]:
    return {
        "step": letter.step, "reason": letter.reason, "detail": letter.detail, "key": letter.key, "at": letter.at,
        "topic": letter.topic, "partition": letter.partition, "offset": letter.offset, "bytes": letter.value_bytes,
    }  # fmt: skip
