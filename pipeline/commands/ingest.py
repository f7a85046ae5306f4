"""wirewatch ingest and preview: files instead of feeds."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import Annotated

import typer

from pipeline import steps, topics, wiring
from pipeline.article import Article, Lane, encode_article
from pipeline.commands.context import EXIT_INTERRUPTED, Context, Stop, safe, stop_on_signals
from pipeline.commands.printing import counted, print_json_lines
from pipeline.enrich.run import check_stages
from pipeline.enrich.tools import Tools
from pipeline.errors import EXIT_FAILED, EXIT_PARTLY, UsageError, WirewatchError
from pipeline.ingest.read import FileProblem, MemoryPages, Skipped, preview_path, read_path
from pipeline.ports import Message
from pipeline.replay import dead_letters
from pipeline.rules_file import load_rules
from pipeline.telemetry import new_trace
from pipeline.wiring import Ports, utc_now

app = typer.Typer()
BATCH = 200
PATIENCE_SECONDS = 3.0
"""How long another process may take over its part of the path before the wait is worth a word."""

# Texts, not paths: typer would refuse all of them for one that cannot be read, and take an empty one for the folder.
Paths = Annotated[
    list[str], typer.Argument(metavar="PATHS...", help="Feeds, pages, texts, JSONL and WARC files, or folders.")
]


@app.command()
def ingest(
    ctx: typer.Context,
    paths: Paths,
    backfill: Annotated[
        bool, typer.Option("--backfill", help="The backfill lane: searchable, never an alert.")
    ] = False,
) -> None:
    """Send files down the whole path; returns when their articles are searchable.

    Exit code 3 when some files or items gave no searchable article, or an alert could not be delivered; 1 when no file
    gave one. What was deleted earlier stays deleted and is no failure. The data folder itself is passed over.
    """
    context: Context = ctx.obj
    given = _given(paths)
    check_stages(context.settings.stages)  # what cannot end well is refused before anything is sent
    wiring.check_channels(context.settings)
    load_rules(context.settings.config_folder / "rules.yml")
    with context.open(create=True) as ports, stop_on_signals() as stop:
        before = {alert.id for alert in ports.state.alerts(limit=1_000)}
        ids, problems = _send(ports, given, "backfill" if backfill else "live", stop)
        if ids:
            steps.drain(ports, stop.wait, on_wait=_Waiting().say)
            steps.run_deliver(ports, stop.wait, once=True)
        if stop.is_set():
            typer.echo(
                f"stopped: {counted(len(ids), 'article')} had been sent and become searchable with the next `wirewatch "
                "run` or `ingest`. Run the same command again for what was not read yet; nothing is doubled.",
                err=True,
            )
            raise typer.Exit(EXIT_INTERRUPTED)
        missing = _missing(context, ids)
        deleted = set(ports.state.tombstoned(missing))
        lost = _reasons(ports, [ident for ident in missing if ident not in deleted])
        raised = [alert for alert in ports.state.alerts(limit=1_000) if alert.id not in before]
        kept_back = [each for each in ports.state.deliveries([alert.id for alert in raised]) if each.cause]
    found = len(ids) - len(missing)
    if not ids and not problems:
        typer.echo("no files there; hidden ones, and Wirewatch's own data folder, are passed over", err=True)
    _sum_up(read=len(ids), found=found, deleted=len(deleted), problems=problems, raised=len(raised))
    for reason, number in lost.items():
        typer.echo(f"{counted(number, 'article')} not searchable: {reason}", err=True)
    for cause, number in Counter(map(str, kept_back)).items():
        typer.echo(f"{counted(number, 'alert')} not delivered: {safe(cause)} (`wirewatch alerts resend`)", err=True)
    if problems or lost or kept_back:
        raise typer.Exit(EXIT_PARTLY if found or deleted else EXIT_FAILED)


def _sum_up(*, read: int, found: int, deleted: int, problems: int, raised: int) -> None:
    parts = [f"{counted(read, 'article')} read", f"{found:,} searchable"]
    if deleted:
        parts.append(f"{deleted:,} deleted earlier, kept out")
    if problems:
        parts.append(counted(problems, "problem"))
    if raised:
        parts.append(f"{counted(raised, 'alert')} raised (`wirewatch alerts list`)")
    typer.echo(", ".join(parts), err=True)


@app.command()
def preview(ctx: typer.Context, paths: Paths) -> None:
    """Print, as JSON lines, what the path would make of files; stores nothing."""
    context: Context = ctx.obj
    problems = articles = 0
    tools, stages = Tools(pages=MemoryPages()), context.settings.stages
    check_stages(stages)
    textless = _Textless()
    for path in _given(paths):
        for item in preview_path(path, tools=tools, stages=stages, now=utc_now()):
            if isinstance(item, FileProblem):
                problems += 1
                typer.echo(safe(str(item)), err=True)
            elif isinstance(item, Skipped):
                typer.echo(safe(str(item)), err=True)
            else:
                articles += 1
                textless.look(item)
                print_json_lines([item])
    textless.say()
    if problems:
        raise typer.Exit(EXIT_PARTLY if articles else EXIT_FAILED)


def _given(paths: list[str]) -> list[Path]:
    if not all(paths):
        raise UsageError("An empty path names nothing; the current folder is “.”.")
    return [Path(path) for path in paths]


class _Textless:
    """Counts lines of JSONL that gave an article without text, and the strange names in them: a text may be there."""

    def __init__(self) -> None:
        self._articles = 0
        self._names: Counter[str] = Counter()

    def look(self, article: Article) -> None:
        if article.text_from == "file" and not (article.body or article.html or article.summary):
            self._articles += 1
            self._names.update(article.extra.keys())

    def say(self) -> None:
        """Say it, when there were any."""
        if self._articles:
            names = ", ".join(f"{safe(name)} ({number:,})" for name, number in self._names.most_common(10))
            strange = f"; unknown names in their lines: {names}" if names else ""
            typer.echo(
                f"{counted(self._articles, 'article')} without text (it is read from body, html or summary){strange}",
                err=True,
            )


class _Waiting:
    """Says once, when it takes a while, which other process does the work that is waited for."""

    def __init__(self) -> None:
        self._since = time.monotonic()
        self._said: set[str] = set()

    def say(self, what: str) -> None:
        if time.monotonic() - self._since >= PATIENCE_SECONDS and what not in self._said:
            self._said.add(what)
            typer.echo(f"waiting: {what}", err=True)


def _send(ports: Ports, paths: list[Path], lane: Lane, stop: Stop) -> tuple[list[str], int]:
    """Publish what the files hold; return the ids, each once, and the number of problems."""
    ids: dict[str, None] = {}
    problems = 0
    textless = _Textless()

    def articles() -> Iterator[Article]:
        nonlocal problems
        for item in _read_all(ports, paths, lane):
            if stop.is_set():
                return
            if isinstance(item, FileProblem):
                problems += 1
                typer.echo(safe(str(item)), err=True)
            elif isinstance(item, Skipped):
                typer.echo(safe(str(item)), err=True)
            else:
                textless.look(item)
                yield item

    found = articles()
    while some := list(islice(found, BATCH)):
        _publish(ports, some)
        ids |= dict.fromkeys(article.id for article in some)
    textless.say()
    return list(ids), problems


def _read_all(ports: Ports, paths: list[Path], lane: Lane) -> Iterator[Article | FileProblem | Skipped]:
    for path in paths:
        yield from read_path(path, lane=lane, now=ports.clock(), pages=ports.pages, besides=ports.settings.data_folder)


def _publish(ports: Ports, articles: list[Article]) -> None:
    messages = [
        Message(topic=topics.raw(a.lane), key=a.id, value=encode_article(a), headers=new_trace()) for a in articles
    ]
    failed = [failure for failure in ports.broker.publish(messages) if failure is not None]
    if failed:
        raise WirewatchError(
            f"{len(failed)} of {len(messages)} articles could not be published: {failed[0].cause}. "
            "Run the same command again; what is there already is not doubled."
        )


def _missing(context: Context, ids: Iterable[str]) -> list[str]:
    with closing(wiring.open_index(context.settings, writer=False)) as index:
        index.refresh()
        return [ident for ident in ids if index.get(ident) is None]


def _reasons(ports: Ports, ids: list[str]) -> Counter[str]:
    """Return why these did not become searchable, in words, with the number of each."""
    if not ids:
        return Counter()
    dead = {
        letter.key: f"dead letter {record.topic}/{record.partition}/{record.offset}, {letter.reason}"
        for record, letter in dead_letters(ports.broker, replayed=False)
    }
    return Counter(
        dead.get(ident, "left out: it has no text, or is known under another address of its page") for ident in ids
    )
