"""Sending files down the path: read, published in batches, brought to the end, and accounted for."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from itertools import islice
from pathlib import Path

import typer
from msgspec import Struct, field

from pipeline import steps, topics, wiring
from pipeline.article import Article, Lane, encode_article
from pipeline.commands.context import EXIT_INTERRUPTED, Context, Stop, safe, stop_on_signals
from pipeline.commands.printing import counted
from pipeline.enrich.run import check_stages
from pipeline.errors import EXIT_FAILED, EXIT_PARTLY, UsageError, WirewatchError
from pipeline.ingest.read import FileProblem, Skipped, read_path
from pipeline.ingest.throttle import Lag, Throttle, look_at_lag
from pipeline.ports import Message
from pipeline.replay import dead_letters
from pipeline.rules_file import load_rules
from pipeline.telemetry import new_trace
from pipeline.wiring import Ports

BATCH = 200
CHECKED_AT_ONCE = 10_000
"""Articles after which it is looked up what has become of them, so that an archive's ids need not all be kept."""
PATIENCE_SECONDS = 3.0
"""How long another process may take over its part of the path before the wait is worth a word."""
PROGRESS_SECONDS = 5.0


def send_files(context: Context, paths: list[Path], lane: Lane) -> None:
    """Send what the files hold down the whole path, say what became of it, and end with the exit code for that."""
    check_before_sending(context)
    with context.open(create=True) as ports, stop_on_signals() as stop:
        before = {alert.id for alert in ports.state.alerts(limit=1_000)}
        sending = Sending(context, ports, lane, stop)
        sending.send(paths)
        if stop.is_set():
            typer.echo(
                f"stopped: {counted(sending.totals.read, 'article')} had been sent and become searchable with the next "
                "`wirewatch run` or `ingest`. Run the same command again for what was not read yet; nothing is "
                "doubled.",
                err=True,
            )
            raise typer.Exit(EXIT_INTERRUPTED)
        raised = [alert for alert in ports.state.alerts(limit=1_000) if alert.id not in before]
        kept_back = [each for each in ports.state.deliveries([alert.id for alert in raised]) if each.cause]
    totals = sending.totals
    if not totals.read and not totals.problems and not totals.skipped:
        typer.echo("no files there; hidden ones, and Wirewatch's own data folder, are passed over", err=True)
    typer.echo(totals.words(raised=len(raised)), err=True)
    for reason, number in totals.lost.items():
        typer.echo(f"{counted(number, 'article')} not searchable: {reason}", err=True)
    for cause, number in Counter(map(str, kept_back)).items():
        typer.echo(f"{counted(number, 'alert')} not delivered: {safe(cause)} (`wirewatch alerts resend`)", err=True)
    if totals.problems or totals.lost or kept_back:
        raise typer.Exit(EXIT_PARTLY if totals.found or totals.deleted else EXIT_FAILED)


def check_before_sending(context: Context) -> None:
    """Raise for what cannot end well, before anything is sent."""
    check_stages(context.settings.stages)
    wiring.check_channels(context.settings)
    load_rules(context.settings.config_folder / "rules.yml")


class Totals(Struct):
    """What has become of the files so far."""

    read: int = 0
    found: int = 0
    deleted: int = 0
    problems: int = 0
    skipped: int = 0
    lost: Counter[str] = field(default_factory=Counter)
    """Articles that did not become searchable, by reason."""

    def words(self, *, raised: int = 0) -> str:
        """Return one line on all of it."""
        parts = [f"{counted(self.read, 'article')} read", f"{self.found:,} searchable"]
        if self.deleted:
            parts.append(f"{self.deleted:,} deleted earlier, kept out")
        if self.problems:
            parts.append(counted(self.problems, "problem"))
        if raised:
            parts.append(f"{counted(raised, 'alert')} raised (`wirewatch alerts list`)")
        return ", ".join(parts)


class Sending:
    """One command's files on their way. A backfill is throttled: the news goes first."""

    def __init__(self, context: Context, ports: Ports, lane: Lane, stop: Stop) -> None:
        self.totals = Totals()
        self._context, self._ports, self._lane, self._stop = context, ports, lane, stop
        self._unchecked: dict[str, None] = {}
        self._reading = ""
        self._waiting = _Waiting()
        self._progress = Progress(time.monotonic, lambda line: typer.echo(line, err=True))
        self._throttle = Throttle(
            look=lambda: look_at_lag(ports.broker), work=self._work, clock=time.monotonic, wait=stop.wait,
            on_wait=lambda lag: self._progress.say(self.totals.read, self._reading, lag),
        )  # fmt: skip

    def send(self, paths: Sequence[Path]) -> None:
        """Publish what the files hold and bring it to the end of the path."""
        textless = Textless()
        found = self._articles(paths, textless)
        while (number := self._room()) and (some := list(islice(found, number))):
            publish(self._ports, some)
            self._ports.reach("ingest:published")
            new = dict.fromkeys(article.id for article in some if article.id not in self._unchecked)
            self._unchecked |= new
            self.totals.read += len(new)
            if self._lane == "backfill":
                self._progress.say(self.totals.read, self._reading)
            if len(self._unchecked) >= CHECKED_AT_ONCE:
                self._check()
        textless.say()
        self._check()

    def _room(self) -> int:
        return self._throttle.next_batch() if self._lane == "backfill" else BATCH

    def _articles(self, paths: Sequence[Path], textless: Textless) -> Iterator[Article]:
        ports = self._ports
        for path in paths:
            besides = ports.settings.data_folder
            for item in read_path(path, lane=self._lane, now=ports.clock(), pages=ports.pages, besides=besides):
                if self._stop.is_set():
                    return
                if isinstance(item, Article):
                    textless.look(item)
                    self._reading = item.source_path
                    yield item
                    continue
                typer.echo(safe(str(item)), err=True)
                self.totals.problems += isinstance(item, FileProblem)
                self.totals.skipped += isinstance(item, Skipped)

    def _work(self) -> bool:
        """Bring all that was sent to the end of the path; return whether another process has a part in that."""
        met: list[str] = []

        def on_wait(what: str) -> None:
            met.append(what)
            self._waiting.say(what)

        steps.drain(self._ports, self._stop.wait, on_wait=on_wait)
        return bool(met)

    def _check(self) -> None:
        """Look up what has become of the articles sent since the last look."""
        if not self._unchecked:
            return
        self._work()
        steps.run_deliver(self._ports, self._stop.wait, once=True)
        if self._stop.is_set():
            return
        missing = _missing(self._context, self._unchecked)
        deleted = set(self._ports.state.tombstoned(missing))
        self.totals.deleted += len(deleted)
        self.totals.found += len(self._unchecked) - len(missing)
        self.totals.lost.update(_reasons(self._ports, [ident for ident in missing if ident not in deleted]))
        self._unchecked = {}


class Textless:
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


class Progress:
    """Says every few seconds how far it is, and what is waited for."""

    def __init__(self, clock: Callable[[], float], say: Callable[[str], None]) -> None:
        self._clock, self._say = clock, say
        self._began = self._said_at = clock()

    def say(self, sent: int, reading: str, waiting: Lag | None = None) -> None:
        """Say it if it is time; ``waiting`` is the lag because of which nothing may be sent now."""
        rate = sent / max(self._clock() - self._began, 0.001)
        line = f"{counted(sent, 'article')} read and sent, {rate:,.0f} a second, now {safe(reading)}"
        if waiting and waiting.live:
            line += f"; the news goes first: {waiting.live:,} live records under way"
        elif waiting:
            line += f"; {waiting.backfill:,} records under way"
        self.say_line(line)

    def say_line(self, line: str) -> None:
        """Say this if it is time."""
        now = self._clock()
        if now - self._said_at >= PROGRESS_SECONDS:
            self._said_at = now
            self._say(line)


class _Waiting:
    """Says once, when it takes a while, which other process does the work that is waited for."""

    def __init__(self) -> None:
        self._since = time.monotonic()
        self._said: set[str] = set()

    def say(self, what: str) -> None:
        if time.monotonic() - self._since >= PATIENCE_SECONDS and what not in self._said:
            self._said.add(what)
            typer.echo(f"waiting: {what}", err=True)


def given_paths(paths: Sequence[str]) -> list[Path]:
    """Return the paths of a command line. Raises ``UsageError`` for an empty one."""
    if not all(paths):
        raise UsageError("An empty path names nothing; the current folder is “.”.")
    return [Path(path) for path in paths]


def publish(ports: Ports, articles: Sequence[Article]) -> None:
    """Publish raw articles. Raises ``WirewatchError`` when the broker does not take one of them."""
    messages = [
        Message(topic=topics.raw(a.lane), key=a.id, value=encode_article(a), headers=new_trace()) for a in articles
    ]
    failed = [failure for failure in ports.broker.publish(messages) if failure is not None]
    if failed:
        raise WirewatchError(
            f"{len(failed)} of {len(messages)} articles could not be published: {failed[0].cause}. "
            "Run the same command again; what is there already is not doubled."
        )


def _missing(context: Context, ids: Sequence[str] | dict[str, None]) -> list[str]:
    with closing(wiring.open_index(context.settings, writer=False)) as index:
        index.refresh()
        return [ident for ident in ids if index.get(ident) is None]


def _reasons(ports: Ports, ids: Sequence[str]) -> Counter[str]:
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
