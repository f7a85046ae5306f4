"""One step as a worker of its own: poll, fetch, enrich, settle, index, alert."""

from __future__ import annotations

import threading
from typing import Annotated

import structlog
import typer

from pipeline import steps, wiring
from pipeline.commands.context import Context, Stop, stop_on_signals
from pipeline.commands.feeds import known_feed
from pipeline.commands.printing import counted
from pipeline.errors import EXIT_PARTLY, WirewatchError
from pipeline.poll.run import PollReport
from pipeline.watch.run import watched

app = typer.Typer()
log = structlog.get_logger("wirewatch")
Once = Annotated[bool, typer.Option("--once", help="Do what there is to do, then exit.")]


@app.command()
def poll(
    ctx: typer.Context,
    once: Once = False,
    feed: Annotated[
        list[str] | None, typer.Option(help="Poll only this feed (id or address), due or not. Repeatable.")
    ] = None,
) -> None:
    """Poll the feeds that are due and publish what is new or changed."""
    context: Context = ctx.obj
    failed = asked = 0

    def say(report: PollReport) -> None:
        nonlocal failed, asked
        failed, asked = failed + report.failed, asked + report.polled
        for result in report.results if not context.logs_json else ():
            context.say(str(result))

    is_lasting = not once and not feed
    with context.open() as ports, stop_on_signals() as stop, watched(context.settings, ["poll"], serves=is_lasting):
        only = {known_feed(ports.state, each).feed.id for each in feed or ()}
        if not feed and not ports.state.feeds():
            context.say("No feeds yet. Add one with `wirewatch feeds add URL`.")
        steps.run_poll(ports, stop.wait, once=once, only=only or None, on_report=say)
    if only and asked < len(only):
        context.say(f"{counted(len(only) - asked, 'feed')} left out: paused, gone, or being polled elsewhere")
    if feed and failed:
        if failed < asked:
            raise typer.Exit(EXIT_PARTLY)
        raise WirewatchError(f"{counted(failed, 'feed')} could not be polled.")


@app.command()
def fetch(ctx: typer.Context, once: Once = False) -> None:
    """Fetch the pages that wait, and publish their articles again with them."""
    _run("fetch", ctx.obj, once=once)


@app.command()
def enrich(ctx: typer.Context, once: Once = False) -> None:
    """Turn raw articles into clean text with metadata, language, names and quotes."""
    _run("enrich", ctx.obj, once=once)


@app.command()
def settle(ctx: typer.Context, once: Once = False) -> None:
    """Give every article its identity, revision and family.

    One process does this at a time; others stand by.
    """
    _run("settle", ctx.obj, once=once)


@app.command()
def index(
    ctx: typer.Context,
    once: Once = False,
    rebuild: Annotated[
        bool, typer.Option("--rebuild", help="Write every article of the state into the index, then exit.")
    ] = False,
) -> None:
    """Write settled articles into the search index.

    An embedded index is written by one process at a time; others stand by. With --rebuild a lost index, or one that was
    not part of a backup, is made again from the state.
    """
    context: Context = ctx.obj
    if not rebuild:
        _run("index", context, once=once)
        return
    with context.open() as ports, stop_on_signals() as stop:
        number = steps.rebuild_index(ports, stop.wait)
    context.say(f"{counted(number, 'article')} written into the index")
    if stop.is_set():
        raise WirewatchError("Stopped before the end; run the same command again.")


@app.command()
def alert(ctx: typer.Context, once: Once = False) -> None:
    """Match live articles against the rules and deliver alerts."""
    context: Context = ctx.obj
    if once:
        with context.open() as ports, stop_on_signals() as stop:
            steps.run_alert(ports, stop.wait, once=True)
            steps.run_deliver(ports, stop.wait, once=True)
        return
    failures: list[WirewatchError] = []
    with context.open() as ports, stop_on_signals() as stop, watched(context.settings, ["alert", "deliver"]):
        delivery = threading.Thread(target=_deliver, args=(context, stop, failures), name="deliver")
        delivery.start()
        try:
            steps.run_alert(ports, stop.wait)
        finally:
            stop.set()
            delivery.join()
    if failures:
        raise failures[0]


def _deliver(context: Context, stop: Stop, failures: list[WirewatchError]) -> None:
    try:
        with wiring.open_ports(context.settings) as ports:
            steps.run_deliver(ports, stop.wait)
    except WirewatchError as error:
        failures.append(error)
    except BaseException as error:  # a thread's end is seen by nobody else, and a supervisor goes by the exit code
        failures.append(WirewatchError(f"deliver ended: {error!r}. Start `wirewatch alert` again; nothing is lost."))
        log.exception("step ended", step="deliver")
    finally:
        stop.set()


def _run(name: str, context: Context, *, once: bool) -> None:
    with context.open() as ports, stop_on_signals() as stop, watched(context.settings, [name], serves=not once):
        steps.STEPS[name](ports, stop.wait, once=once)
