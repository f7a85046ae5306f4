"""wirewatch backfill: what was published before Wirewatch watched, from archives and from sitemaps."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from datetime import date
from typing import Annotated

import typer

from pipeline import wiring
from pipeline.article import Article
from pipeline.commands.context import EXIT_INTERRUPTED, Context, Stop, safe, stop_on_signals
from pipeline.commands.printing import counted
from pipeline.commands.sending import Progress, given_paths, send_files
from pipeline.errors import EXIT_FAILED, EXIT_PARTLY, UsageError
from pipeline.identity import clean_link
from pipeline.ingest.memory_pages import NoPages
from pipeline.ingest.read import FileProblem, read_path
from pipeline.ingest.sitemap_range import Days
from pipeline.ingest.sitemap_walk import Found, Walk, queue_pages, walk
from pipeline.poll.sitemap import SitemapEntry
from pipeline.wiring import utc_now

app = typer.Typer()

# Texts, not paths: typer would refuse all of them for one that cannot be read, and take an empty one for the folder.
Paths = Annotated[
    list[str] | None,
    typer.Argument(metavar="[PATHS]...", help="WARC and JSONL files, pages, feeds, texts, or folders of these."),
]


@app.command()
def backfill(
    ctx: typer.Context,
    paths: Paths = None,
    sitemap: Annotated[str, typer.Option(help="Instead of files: the address of a sitemap or a sitemap index.")] = "",
    first: Annotated[str, typer.Option("--from", metavar="YYYY-MM-DD", help="First day to take from it.")] = "",
    last: Annotated[str, typer.Option("--to", metavar="YYYY-MM-DD", help="Last day; today when not said.")] = "",
    outlet: Annotated[str, typer.Option(help="Who published the articles of the sitemap.")] = "",
    language: Annotated[str, typer.Option(help="Their language, such as en.")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only count what there is; nothing is stored.")] = False,
) -> None:
    """Bring in what was published before: searchable, never an alert, and the news always goes first.

    From files (WARC, JSONL, pages, feeds, texts), or from a publisher's sitemap, whose pages of these days are then
    fetched one by one as those of the feeds are. May be stopped at any time and started again with the same words:
    nothing is doubled. Exit code 3 when a part could not be brought in; 1 when nothing could.
    """
    context: Context = ctx.obj
    if bool(paths) == bool(sitemap):
        raise UsageError("Name what to bring in: files or folders, or --sitemap with an address.")
    if sitemap:
        wanted = _days(first, last)
        _from_sitemap(context, sitemap, wanted, Found(outlet=outlet, language=language), dry_run=dry_run)
        return
    if first or last or outlet or language:
        raise UsageError("--from, --to, --outlet and --language go with --sitemap; files say these things themselves.")
    if dry_run:
        _count(context, paths or [])
    else:
        send_files(context, given_paths(paths or []), "backfill")


def _days(first: str, last: str) -> Days:
    """Return the range that was named. Raises ``UsageError``."""
    if not first:
        raise UsageError("A sitemap holds years: say with --from on which day to begin, such as --from 2026-01-01.")
    try:
        days = Days(date.fromisoformat(first), date.fromisoformat(last) if last else utc_now().date())
    except ValueError as error:
        raise UsageError(f"A day is written as 2026-01-31: {error}.") from None
    if days.first > days.last:
        raise UsageError(f"--from {days.first} is after --to {days.last}.")
    return days


def _from_sitemap(context: Context, url: str, days: Days, said: Found, *, dry_run: bool) -> None:
    """Walk the sitemap and queue its pages, say how it went, and end with the exit code for that."""
    report = Walk()
    if not clean_link(url):
        raise UsageError(f"“{url}” is no http(s) address.")
    with nullcontext() if dry_run else context.open(create=True) as ports, stop_on_signals() as stop:

        def take(entries: Sequence[SitemapEntry]) -> None:
            if ports is not None:
                queue_pages(entries, said, state=ports.state, now=ports.clock(), report=report)
                ports.reach("backfill:queued")

        asyncio.run(_walk(context, clean_link(url), days, report, take, stop))
    if stop.is_set():
        typer.echo("stopped; run the same command again for the rest: nothing is doubled", err=True)
    typer.echo(_words(report, dry_run=dry_run), err=True)
    if report.queued:
        typer.echo(
            "their pages are fetched behind those of the feeds, by `wirewatch run` or `wirewatch fetch`, and become "
            "searchable one by one (`wirewatch status`)",
            err=True,
        )
    if stop.is_set():
        raise typer.Exit(EXIT_INTERRUPTED)
    if report.problems:
        raise typer.Exit(EXIT_PARTLY if report.sitemaps else EXIT_FAILED)


async def _walk(
    context: Context, url: str, days: Days, report: Walk, take: Callable[[Sequence[SitemapEntry]], None], stop: Stop
) -> None:
    http = wiring.open_http(context.settings)

    async def pause() -> bool:
        return await asyncio.to_thread(stop.wait, context.settings.host_delay_seconds)

    def tell(problem: str) -> None:
        typer.echo(safe(context.redacted(problem)), err=True)

    progress = Progress(time.monotonic, lambda line: typer.echo(line, err=True))
    try:
        async for entries in walk(url, days, http=http, pause=pause, report=report, on_problem=tell):
            take(entries)
            progress.say_line(_words(report, dry_run=False))
            if stop.is_set():
                return
    finally:
        await http.close()


def _words(report: Walk, *, dry_run: bool) -> str:
    """Return one line on a walk."""
    passed_over = f", {report.passed_over:,} passed over by their date" if report.passed_over else ""
    parts = [f"{counted(report.sitemaps, 'sitemap')} read{passed_over}", f"{report.in_range:,} articles of these days"]
    if not dry_run:
        parts.append(f"{counted(report.queued, 'page')} queued")
    for number, what in (
        (report.known, "known already"), (report.outside, "of other days"), (report.undated, "without a date"),
        (report.foreign, "of other sites"),
    ):  # fmt: skip
        parts += [f"{number:,} {what}"] if number else []
    parts += [counted(report.problems, "problem")] if report.problems else []
    return ", ".join(parts) + ("; nothing was queued (--dry-run)" if dry_run else "")


def _count(context: Context, paths: list[str]) -> None:
    """Say what the files hold; nothing is stored."""
    numbers: Counter[str] = Counter()
    ids: set[bytes] = set()
    for path in given_paths(paths):
        for item in read_path(
            path, lane="backfill", now=utc_now(), pages=NoPages(), besides=context.settings.data_folder
        ):
            if isinstance(item, Article):
                numbers["articles"] += 1
                ids.add(bytes.fromhex(item.id))
            else:
                numbers["problems"] += isinstance(item, FileProblem)
                typer.echo(safe(str(item)), err=True)
    again = numbers["articles"] - len(ids)
    parts = [counted(len(ids), "article"), *([f"{again:,} more of the same"] if again else [])]
    parts += [counted(numbers["problems"], "problem")] if numbers["problems"] else []
    typer.echo(f"{', '.join(parts)}; nothing was sent (--dry-run)", err=True)
    if numbers["problems"]:
        raise typer.Exit(EXIT_PARTLY if ids else EXIT_FAILED)
