"""wirewatch rules: check and list."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipeline.commands.context import Context
from pipeline.commands.printing import Json, counted, print_json, print_json_lines, print_table
from pipeline.errors import UsageError

app = typer.Typer(no_args_is_help=True, help="The rules that raise alerts.")


@app.command()
def check(
    ctx: typer.Context,
    given: Annotated[
        str | None, typer.Argument(metavar="[PATH]", help="A rules file; the one in force when not given.")
    ] = None,
    json: Json = False,
) -> None:
    """Read a rules file and say everything that is wrong with it."""
    from pipeline import wiring
    from pipeline.rules_file import channels_not_set_up, read_rules

    context: Context = ctx.obj
    path = Path(given) if given else _rules_path(context)
    rules, problems = read_rules(path)
    try:
        problems += channels_not_set_up(rules, wiring.check_channels(context.settings))
    except UsageError as error:
        problems.append(str(error))
    if json:
        print_json({"path": str(path), "rules": len(rules), "problems": problems})
    if problems:
        raise UsageError("\n  ".join([f"{path}: {counted(len(problems), 'problem')}", *problems]))
    typer.echo(f"{path}: {counted(len(rules), 'rule')}, all good", err=True)


@app.command("list")
def list_rules(ctx: typer.Context, json: Json = False) -> None:
    """List the rules in force, and say which file they are in."""
    from pipeline.rules_file import load_rules

    context: Context = ctx.obj
    path = _rules_path(context)
    rules = load_rules(path)
    if json:
        print_json_lines(rules)
        return
    typer.echo(f"rules of {path}{_demo_words(context)}", err=True)
    print_table(
        ("id", "on", "channels", "query"),
        ((r.id, "yes" if r.enabled else "no", ", ".join(r.channels), r.query) for r in rules),
        empty="There are none.",
    )


def _demo_words(context: Context) -> str:
    """Say which rules decide when the data folder is a demo's, which brings its own."""
    from pipeline.commands.run import DEMO_CONFIG, DEMO_MARK

    if not (context.settings.data_folder / DEMO_MARK).is_file():
        return ""
    return f"; while the demo runs in this data folder, those of {DEMO_CONFIG / 'rules.yml'} decide"


def _rules_path(context: Context) -> Path:
    return context.settings.config_folder / "rules.yml"
