"""wirewatch dead: list, show and replay dead letters."""

from __future__ import annotations

from itertools import chain
from typing import Annotated

import typer

from pipeline import topics
from pipeline.commands.context import Context, safe
from pipeline.commands.printing import Json, print_json, print_json_lines, print_table
from pipeline.dead import DeadLetter
from pipeline.errors import EXIT_PARTLY, BadArticle, WirewatchError
from pipeline.ports import Record
from pipeline.replay import dead_slices, letter_in, place_of, record_at, replay_dead_letters, value_of

app = typer.Typer(no_args_is_help=True, help="Records that could not be handled, with the reason.")


@app.command("list")
def list_dead(
    ctx: typer.Context,
    replayed: Annotated[bool, typer.Option("--all", help="Also those that were replayed.")] = False,
    json: Json = False,
) -> None:
    """List dead letters: where, why, and what."""
    context: Context = ctx.obj
    with context.open() as ports:
        records = chain.from_iterable(dead_slices(ports.broker, replayed=replayed))
        letters = ((place_of(record), _read_or_stand_in(record)) for record in records)
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
        record = record_at(ports.broker, place)
        letter = _read(record)
        value = value_of(ports.broker, letter)
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
    with context.open() as ports:
        report = replay_dead_letters(ports.broker, place)
    typer.echo(f"replayed {report.sent}", err=True)
    for line in report.reasons():
        typer.echo(safe(line), err=True)
    if report.left:
        raise typer.Exit(EXIT_PARTLY)


def _read(record: Record) -> DeadLetter:
    try:
        return letter_in(record)
    except BadArticle as bad:
        raise WirewatchError(f"The dead letter {place_of(record)} cannot be read: {bad.detail}") from None


def _read_or_stand_in(record: Record) -> DeadLetter:
    """Return the letter, or one that says that it cannot be read, so that it does not hide the others."""
    try:
        return letter_in(record)
    except BadArticle as bad:
        return DeadLetter(
            step="-", reason=bad.reason, detail=bad.detail, topic=record.topic.removesuffix(topics.DEAD_SUFFIX),
            partition=-1, offset=-1, key=record.key, value_bytes=len(record.value or b""), at=record.timestamp,
        )  # fmt: skip


def _plain(letter: DeadLetter) -> dict[str, object]:
    return {
        "step": letter.step, "reason": letter.reason, "detail": letter.detail, "key": letter.key, "at": letter.at,
        "topic": letter.topic, "partition": letter.partition, "offset": letter.offset, "bytes": letter.value_bytes,
    }  # fmt: skip
