"""wirewatch backfill: what was published before Wirewatch watched, from archives and from sitemaps."""

from __future__ import annotations

from collections import Counter
from typing import Annotated

import typer

from pipeline.article import Article
from pipeline.commands.context import Context, safe
from pipeline.commands.printing import counted
from pipeline.commands.sending import given_paths, send_files
from pipeline.errors import EXIT_FAILED, EXIT_PARTLY, UsageError
from pipeline.ingest.memory_pages import NoPages
from pipeline.ingest.read import FileProblem, read_path
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
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only count what there is; nothing is stored.")] = False,
) -> None:
    """Bring in what was published before: searchable, never an alert, and the news always goes first.

    May be stopped at any time and started again with the same words: nothing is doubled. Exit code 3 when some files
    or items gave no searchable article; 1 when no file gave one.
    """
    context: Context = ctx.obj
    if not paths:
        raise UsageError("Name what to bring in: files or folders.")
    if dry_run:
        _count(context, paths)
    else:
        send_files(context, given_paths(paths), "backfill")


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
