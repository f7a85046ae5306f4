"""wirewatch prune: one round of housekeeping."""

from __future__ import annotations

import typer

from pipeline import housekeeping
from pipeline.commands.context import Context
from pipeline.commands.printing import Json, counted, print_json

app = typer.Typer()


@app.command()
def prune(ctx: typer.Context, json: Json = False) -> None:
    """Let go of what is past its retention, once, and make next month's index ahead.

    Broker records, fetched pages, entries of items that left their feeds, months of the index. `wirewatch run` does
    this every hour; where the steps are workers of their own, a daily schedule does.
    """
    context: Context = ctx.obj
    with context.open() as ports:
        pruned = housekeeping.prune(ports)
    if json:
        print_json(pruned)
        return
    gone = [counted(pruned.records, "record"), counted(pruned.pages, "page"), counted(pruned.seen, "known item")]
    typer.echo(f"let go: {', '.join(gone)}, months of the index: {', '.join(pruned.months) or 'none'}", err=True)
    if pruned.asked:
        typer.echo(f"the process that holds the index was asked to drop {', '.join(pruned.asked)}", err=True)
