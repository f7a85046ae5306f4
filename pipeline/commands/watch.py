"""wirewatch watch: tell people when polling, indexing or alerting stops."""

from __future__ import annotations

from datetime import timedelta

import typer
from msgspec.structs import replace

from pipeline import wiring
from pipeline.commands.context import Context, stop_on_signals
from pipeline.commands.printing import Json, counted, print_json_lines, print_table
from pipeline.errors import UsageError, WirewatchError
from pipeline.topics import STEP_INPUTS
from pipeline.watch.decide import Remembered, decide
from pipeline.watch.look import OF_STATE, Lookout
from pipeline.watch.run import run_watch, thresholds, watched

app = typer.Typer()

WATCHED = frozenset({*STEP_INPUTS, *OF_STATE})


@app.command()
def watch(
    ctx: typer.Context,
    once: bool = typer.Option(False, "--once", help="Look once, print what is not well, then exit."),
    json: Json = False,
) -> None:
    """Tell people when polling, indexing or alerting stops, and send a heartbeat while all is well.

    For steps that run as workers of their own; `wirewatch run` watches itself. Exit code 1 of --once: something is not
    well.
    """
    context: Context = ctx.obj
    settings = context.settings
    wiring.require_data_folder(settings)
    if once:
        _look_once(context, json=json)
        return
    if json:
        raise UsageError("--json prints what one look found; give --once with it.")
    with stop_on_signals() as stop, watched(settings, (), tells=False, serves=True):
        run_watch(settings, WATCHED, stop.wait)


def _look_once(context: Context, *, json: bool) -> None:
    settings = context.settings
    lookout = Lookout(settings, wiring.utc_now, WATCHED)
    try:
        seen = lookout.look()
    finally:
        lookout.close()
    limits = replace(thresholds(settings), held=timedelta(0))  # there is no later look to wait for
    _, found = decide(seen, limits, wiring.utc_now(), Remembered(), at_once=True)
    if json:
        print_json_lines(found.problems)
    else:
        rows = [(problem.kind, problem.subject, problem.detail) for problem in found.problems]
        print_table(("", "", ""), rows, empty="All is well, as far as one look can tell.")
    if found.problems:
        raise WirewatchError(f"{counted(len(found.problems), 'problem')} found.")
