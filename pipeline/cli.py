"""The command line: what commands there are, and how every one of them ends.

Data on stdout, everything said about it on stderr. A command's module is imported when the command is called, so that
``wirewatch --help`` need not wait for parsers, databases and an index.
"""

from __future__ import annotations

import os
import sys
import threading
import traceback
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any, Final, NoReturn

import typer
from typer.core import TyperCommand, TyperGroup

from pipeline.commands.context import Context, safe
from pipeline.errors import EXIT_FAILED, TryLater, WirewatchError

COMMANDS: Final = {
    "run": ("run", "Run every step in this process, with live progress."),
    "demo": ("run", "Watch Wirewatch at work without a network: a small news world on 127.0.0.1."),
    "ingest": ("ingest", "Send files down the whole path; returns when their articles are searchable."),
    "backfill": (
        "backfill",
        "Bring in what was published before: searchable, never an alert, and the news always goes first.",
    ),
    "preview": ("ingest", "Print, as JSON lines, what the path would make of files; stores nothing."),
    "search": ("articles", "Search the articles."),
    "show": ("articles", "Show one article: its text, what is known of it, and its revisions."),
    "delete": ("articles", "Remove articles from index, pages and revisions, and keep them out for good."),
    "feeds": ("feeds", "The feeds that are polled."),
    "rules": ("rules", "The rules that raise alerts."),
    "alerts": ("alerts", "What the rules raised."),
    "dead": ("dead", "Records that could not be handled, with the reason."),
    "poll": ("workers", "Poll the feeds that are due and publish what is new or changed."),
    "fetch": ("workers", "Fetch the pages that wait, and publish their articles again with them."),
    "enrich": ("workers", "Turn raw articles into clean text with metadata, language, names and quotes."),
    "settle": ("workers", "Give every article its identity, revision and family."),
    "index": ("workers", "Write settled articles into the search index."),
    "alert": ("workers", "Match live articles against the rules and deliver alerts."),
    "status": ("status", "Show what each step has done and has still to do."),
    "replay": ("reenrich", "Go through the enrichment stages again, with the pages that are still stored."),
    "setup": ("setup", "Make what the steps need and is missing, and bring up to date what is older."),
    "prune": ("prune", "Let go of what is past its retention, once, and make next month's index ahead."),
    "watch": ("watch", "Tell people when polling, indexing or alerting stops, and send a heartbeat while all is well."),
    "doctor": ("doctor", "Look at every dependency, folder and version, and say what to do."),
    "backup": ("backup", "Copy state, broker log, pages and configuration while everything goes on running."),
}
"""Name → module of ``pipeline.commands`` and the first line of its help (a test keeps the two alike)."""


class _Later(TyperCommand):
    """A command that is known by name and help; its module is imported when it is called."""

    def __init__(self, name: str, module: str, text: str) -> None:
        super().__init__(name, help=text, callback=None)
        self._module = module

    def make_context(self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any) -> Any:
        return self.load().make_context(info_name, args, parent=parent, **extra)

    def load(self) -> Any:
        """Return the command itself: one of its module's, or all of them as a group of this name."""
        group = typer.main.get_group(import_module(f"pipeline.commands.{self._module}").app)
        return group.commands.get(self.name or "", group)


class _Commands(TyperGroup):
    def __init__(self, **attrs: Any) -> None:
        super().__init__(**attrs)
        for name, (module, text) in COMMANDS.items():
            self.add_command(_Later(name, module, text))


app = typer.Typer(
    name="wirewatch",
    cls=_Commands,
    help="Watches the world's news feeds: full-text search and alerts, on one machine or a cluster.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit codes: 0 ok, 1 failed, 2 usage, 3 partly done, 4 dead letters cannot be written, 5 breaker tripped, "
    "6 not set up, 130 interrupted.",
)


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"wirewatch {version('wirewatch')}")
        raise typer.Exit


@app.callback()
def options(
    ctx: typer.Context,
    data: Annotated[str | None, typer.Option(help="Folder of the embedded parts (default: data).")] = None,
    config: Annotated[str | None, typer.Option(help="Folder of feeds.opml and rules.yml.")] = None,
    log_level: Annotated[str | None, typer.Option(help="debug, info, warning or error.")] = None,
    version: Annotated[
        bool, typer.Option("--version", help="Show the version.", callback=_version, is_eager=True)
    ] = False,
) -> None:
    """Options of every command; each is a setting too (WIREWATCH_DATA, wirewatch.toml)."""
    given: dict[str, Any] = {"data": data, "config": config, "log_level": log_level}
    for name in ("data", "config"):
        if given[name]:  # a path on the command line is relative to where it was typed
            given[name] = str(Path(given[name]).absolute())
    ctx.ensure_object(Context).take(given)


def main(arguments: list[str] | None = None) -> NoReturn:
    """Run the command line and exit with its code; a user's mistake gets a sentence, never a traceback."""
    context = Context()
    if arguments is None:  # this process is ours alone
        threading.excepthook = lambda fault: _show(context, fault.exc_value)
    _open_missing_streams()
    try:
        try:
            app(arguments, obj=context)
        finally:
            sys.stdout.flush()  # what cannot be written is found out here, and not when Python ends
        sys.exit()
    except WirewatchError as error:
        _say(context, str(error))
        sys.exit(error.exit_code)
    except TryLater as later:
        _say(context, f"{later.cause}. Try again: what was done already is not done twice.")
        sys.exit(EXIT_FAILED)
    except BrokenPipeError:  # `wirewatch search … | head`: the reader has what it wanted
        _give_up_output()
        sys.exit(EXIT_FAILED)
    except Exception as error:  # a fault of ours; not by sys.excepthook, which Typer sets to its own
        if isinstance(error, OSError) and _is_of_output(error):
            _give_up_output()
            why = f"The output cannot be written: {error.strerror}."
            _say(context, f"{why} Send it elsewhere and run the same command again.")
            sys.exit(EXIT_FAILED)
        if arguments is not None:
            raise
        _show(context, error)
        sys.exit(EXIT_FAILED)


def _open_missing_streams() -> None:
    """Fill the places of streams that were closed (``>&-``), before a database is opened in one of them.

    Python says None for such a stream. An output is opened so that writing to it fails, and says so.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            os.dup2(os.open(os.devnull, os.O_RDWR if name == "stderr" else os.O_RDONLY), number)
            setattr(sys, name, os.fdopen(number, "r" if name == "stdin" else "w", encoding="utf-8", closefd=False))


def _is_of_output(error: OSError) -> bool:
    """Whether it was stdout that failed: then it fails again."""
    if error.filename is not None:
        return False
    try:
        sys.stdout.write("\n")
        sys.stdout.flush()
    except OSError:
        return True
    return False


def _give_up_output() -> None:
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _show(context: Context, error: BaseException | None) -> None:
    """Print a traceback without secrets: the messages of libraries may repeat a URL."""
    sys.stderr.write(context.redacted("".join(traceback.format_exception(error))))


def _say(context: Context, message: str) -> None:
    message = safe(context.redacted(message))
    if context.logs_json:
        import structlog

        structlog.get_logger("wirewatch").error("command failed", cause=message)
    else:
        typer.echo(f"wirewatch: {message}", err=True)


if __name__ == "__main__":
    main()
