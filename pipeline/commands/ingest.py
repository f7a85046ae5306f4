"""wirewatch ingest and preview: files instead of feeds."""

from __future__ import annotations

from typing import Annotated

import msgspec
import typer

from pipeline.article import Article
from pipeline.commands.context import Context, safe
from pipeline.commands.printing import print_json_lines
from pipeline.commands.sending import Textless, given_paths, send_files
from pipeline.enrich.run import check_stages
from pipeline.enrich.tools import Tools
from pipeline.errors import EXIT_FAILED, EXIT_PARTLY
from pipeline.ingest.read import Explanation, FileProblem, MemoryPages, explain_path, preview_path
from pipeline.wiring import utc_now

app = typer.Typer()

# Texts, not paths: typer would refuse all of them for one that cannot be read, and take an empty one for the folder.
Paths = Annotated[
    list[str], typer.Argument(metavar="PATHS...", help="Feeds, pages, texts, JSONL and WARC files, or folders.")
]


@app.command()
def ingest(
    ctx: typer.Context,
    paths: Paths,
    backfill: Annotated[
        bool, typer.Option("--backfill", help="The backfill lane: searchable, never an alert; the news goes first.")
    ] = False,
) -> None:
    """Send files down the whole path; returns when their articles are searchable.

    Exit code 3 when some files or items gave no searchable article, or an alert could not be delivered; 1 when no file
    gave one. What was deleted earlier stays deleted and is no failure. The data folder itself is passed over.
    """
    send_files(ctx.obj, given_paths(paths), "backfill" if backfill else "live")


@app.command()
def preview(
    ctx: typer.Context,
    paths: Paths,
    by_stage: Annotated[
        bool, typer.Option("--stages", help="What each enrichment stage changes in each article, in place of it.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print JSON lines, also with --stages; articles are always printed so.")
    ] = False,
) -> None:
    """Print, as JSON lines, what the path would make of files; stores nothing.

    With --stages it prints what each stage changes instead, field by field, the beginning of what is long.
    """
    context: Context = ctx.obj
    problems = articles = 0
    settings = context.settings
    tools, stages = Tools(pages=MemoryPages(), own_names=settings.names_folder), settings.stages
    check_stages(stages)
    tools.prepare(stages)
    textless = Textless()
    for path in given_paths(paths):
        read = explain_path if by_stage else preview_path
        for item in read(path, tools=tools, stages=stages, now=utc_now()):
            if isinstance(item, Article):
                articles += 1
                textless.look(item)
                print_json_lines([item])
            elif isinstance(item, Explanation):
                articles += 1
                _print_effects(item, as_json=as_json)
            else:
                problems += isinstance(item, FileProblem)
                typer.echo(safe(str(item)), err=True)
    textless.say()
    if problems:
        raise typer.Exit(EXIT_PARTLY if articles else EXIT_FAILED)


def _print_effects(explanation: Explanation, *, as_json: bool) -> None:
    """Print an article's stages, one line of JSON each; or, for people, one line a field that changed."""
    if as_json:
        known = {"id": explanation.id, "title": explanation.title, "dropped": explanation.dropped}
        print_json_lines(known | msgspec.to_builtins(effect) for effect in explanation.effects)
        return
    typer.echo(safe(f"{explanation.title or explanation.id}\n"))
    for effect in explanation.effects:
        typer.echo(f"  {effect.stage}" + ("" if effect.changes else "  changes nothing"))
        for change in effect.changes:
            before, after = (" ".join(safe(text).split()) or "(empty)" for text in (change.before, change.after))
            typer.echo(f"    {change.field}: {before} → {after}")
    typer.echo(f"  left out: {explanation.dropped}\n" if explanation.dropped else "")
