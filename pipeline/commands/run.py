"""wirewatch run and demo: every step in one process, with live progress."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Annotated

import structlog
import typer
from pydantic import SecretStr
from rich.console import Console

from pipeline import steps, wiring
from pipeline.commands.context import Context, Stop, stop_on_signals
from pipeline.commands.feeds import import_shipped_feeds
from pipeline.commands.live import LiveProgress
from pipeline.commands.printing import counted
from pipeline.commands.progress import PlainProgress, Progress, Watcher
from pipeline.errors import DataFolderError, TryLater, UsageError, WirewatchError
from pipeline.settings import Settings
from pipeline.watch.run import say_ended, watched

app = typer.Typer()
log = structlog.get_logger("wirewatch")

RESTARTS = 5
"""How often a step is started again after a fault of ours: enough for a poison record to be found and set aside."""
RESTARTS_SECONDS = 600.0
"""Only restarts within so long count: a run of months may meet more poison records than that, each of them survived."""
JOIN_SECONDS = 8.0
"""Ctrl-C ends everything within 10 s; a step that cannot stop in time is left to the kernel, and loses nothing."""
LOOK_SECONDS = 0.5
DEMO_MARK = ".wirewatch-demo"
DEMO_CONFIG = Path(__file__).parent.parent / "demo" / "content"
DEMO_QUERY = "earthquake"

Seconds = Annotated[float | None, typer.Option(min=0, help="Stop after so many seconds.")]


@app.command()
def run(ctx: typer.Context, seconds: Seconds = None) -> None:
    """Run every step in this process, with live progress.

    The feeds of config/feeds.opml are added when there are none. Ctrl-C stops it; started again it goes on.
    """
    context: Context = ctx.obj
    settings = context.settings
    wiring.create_data_folder(settings)
    with wiring.open_ports(settings) as ports:
        new = import_shipped_feeds(ports.state, settings.config_folder)
        number = len(ports.state.feeds())
    if new:
        context.say(f"{counted(new, 'feed')} imported from {settings.config_folder / 'feeds.opml'}")
    if not number:
        context.say("No feeds yet: add one with `wirewatch feeds add URL`.")
    _run_all(context, settings, title="Wirewatch", seconds=seconds)


@app.command()
def demo(ctx: typer.Context, seconds: Seconds = None) -> None:
    """Watch Wirewatch at work without a network: a small news world on 127.0.0.1.

    It lives in the folder demo of the data folder, which is made anew each time, and touches nothing else.
    """
    from pipeline.demo.server import DemoServer

    context: Context = ctx.obj
    folder = context.settings.data_folder / "demo"
    settings = context.settings.model_copy(
        update={
            "data": str(folder), "config": str(DEMO_CONFIG), "broker": "",
            "index": "", "state": "", "pages": "", "host_delay_seconds": 0.2, "webhook_url": "",
            "watch_channels": ("log",), "heartbeat_url": SecretStr(""),
        }
    )  # fmt: skip
    _make_demo_folder_anew(settings)
    command = _command_line(folder)
    with DemoServer(clock=time.time) as server:
        address = server.url.removeprefix("http://").rstrip("/")
        settings = settings.model_copy(update={"allow_addresses": (address,)})
        with wiring.open_ports(settings) as ports:
            ports.state.save_feeds(server.feeds())
        context.say(f"A small news world is on {server.url}. While it runs, try in another terminal:\n  {command}")
        _run_all(context, settings, title="Wirewatch demo", seconds=seconds)
    context.say(f"Its articles stay in {folder} until the next demo:\n  {command}")


def _make_demo_folder_anew(settings: Settings) -> None:
    folder = settings.data_folder
    try:
        if folder.exists():
            if any(folder.iterdir()) and not (folder / DEMO_MARK).exists():
                raise UsageError(f"{folder} is not a demo's folder, so it is left alone; name another with --data.")
            if _is_running(settings):
                raise UsageError(f"Another demo runs in {folder}; stop it, or name another folder with --data.")
            shutil.rmtree(folder)
        folder.mkdir(parents=True)
        (folder / DEMO_MARK).touch()
    except OSError as error:
        raise DataFolderError(f"The demo's folder {folder} cannot be made: {error.strerror}.") from None


def _is_running(settings: Settings) -> bool:
    if not (settings.data_folder / "state.db").exists():
        return False
    try:
        with closing(wiring.open_state(settings)) as state:
            return state.lease_holder("settle", wiring.utc_now()) is not None
    except DataFolderError:  # of a newer release, or damaged: nobody can be running on it
        return False


def _command_line(folder: Path) -> str:
    """Return a search to copy and paste, called as this program was."""
    program = [sys.argv[0]]
    if program[0].endswith(".py"):
        program = [sys.executable, "-m", "pipeline.cli"]
    elif (found := shutil.which("wirewatch")) and Path(found).resolve() == Path(program[0]).resolve():
        program = ["wirewatch"]
    is_relative = os.sep in program[0] and not os.path.isabs(program[0])
    data = os.path.relpath(folder) if is_relative else str(folder)
    return shlex.join([*program, "--data", data, "search", DEMO_QUERY])


def _run_all(context: Context, settings: Settings, *, title: str, seconds: float | None) -> None:
    """Start a thread for each step, show progress until a signal or the end of a step, and stop them all."""
    console = Console(stderr=True)
    failures: list[WirewatchError] = []
    with ExitStack() as stack:
        stop = stack.enter_context(stop_on_signals())
        threads = [
            threading.Thread(target=_run_step, args=(name, settings, stop, failures), name=name, daemon=True)
            for name in steps.STEPS
        ]
        index = stack.enter_context(closing(wiring.open_index(settings, writer=False)))
        ports = stack.enter_context(wiring.open_ports(settings))
        watcher = Watcher(ports, index)
        progress: Progress = PlainProgress(context.say)
        if console.is_terminal and not context.logs_json:
            progress = LiveProgress(title, console, context.log_to)
        stack.enter_context(watched(settings, steps.STEPS, tells=True))
        for thread in threads:
            thread.start()
        try:
            with progress:
                _show(progress, watcher, stop, seconds)
                stop.set()
                _join(threads)
                _look(progress, watcher)
        finally:
            stop.set()
        context.say(watcher.summary())
    if failures:
        say_ended(settings, str(failures[0]))
        raise failures[0]


def _show(progress: Progress, watcher: Watcher, stop: Stop, seconds: float | None) -> None:
    end = time.monotonic() + seconds if seconds is not None else None
    while not stop.is_set() and (end is None or time.monotonic() < end):
        _look(progress, watcher)
        stop.wait(LOOK_SECONDS)


def _look(progress: Progress, watcher: Watcher) -> None:
    try:
        progress.update(watcher.look())
    except TryLater as later:  # the steps wait for the state as well; this is only the display
        log.info("no look", cause=later.cause)


def _join(threads: list[threading.Thread]) -> None:
    end = time.monotonic() + JOIN_SECONDS
    for thread in threads:
        thread.join(max(0.0, end - time.monotonic()))
    if late := [thread.name for thread in threads if thread.is_alive()]:
        log.warning("did not stop in time", steps=", ".join(late), next="what they had in hand is redelivered")


def _run_step(
    name: str,
    settings: Settings,
    stop: Stop,
    failures: list[WirewatchError],
    monotonic: Callable[[], float] = time.monotonic,
) -> None:
    """One step's thread. However it ends but by returning, the end is reported and ends the run."""
    try:
        _restarting(name, settings, stop, monotonic)
    except WirewatchError as error:
        failures.append(error)
        stop.set()
    except BaseException as error:  # a panic of tantivy's is no Exception, and a thread's end is seen by nobody else
        failures.append(WirewatchError(f"{name} ended: {error!r}. `wirewatch run` goes on where it was."))
        stop.set()
        log.exception("step ended", step=name)


def _restarting(name: str, settings: Settings, stop: Stop, monotonic: Callable[[], float]) -> None:
    """Run a step until it returns. A fault of ours is logged and the step is started again, but not without end."""
    restarts: list[float] = []
    while True:
        try:
            with wiring.open_ports(settings) as ports:
                steps.STEPS[name](ports, stop.wait)
        except WirewatchError:
            raise
        except Exception as error:  # the boundary of a step: reported, and tried again so that markers do their work
            now = monotonic()
            restarts = [at for at in restarts if now - at < RESTARTS_SECONDS]
            log.exception("step failed", step=name, restart=len(restarts))
            if len(restarts) == RESTARTS:
                times = f"{RESTARTS + 1} times in {RESTARTS_SECONDS / 60:.0f} minutes"
                raise WirewatchError(f"{name} failed {times}; the last time: {error!r}") from error
            restarts.append(now)
            if stop.wait(min(2.0 ** (len(restarts) - 1), 30.0)):
                return
        else:
            return
