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
    path: Annotated[Path | None, typer.Argument(help="A rules file; the one in force when not given.")] = None,
    json: Json = False,
) -> None:
    """Read a rules file and say everything that is wrong with it."""
    from pipeline import wiring
    from pipeline.rules_file import channels_not_set_up, check_rules, load_rules

    context: Context = ctx.obj
    path = path or _rules_path(context)
    problems = check_rules(path)
    rules = [] if problems else load_rules(path)
    problems += channels_not_set_up(rules, wiring.check_channels(context.settings)) if rules else []
    if json:
        print_json({"path": str(path), "rules": len(rules), "problems": problems})
    if problems:
        raise UsageError("\n  ".join([f"{path}: {counted(len(problems), 'problem')}", *problems]))
    typer.echo(f"{path}: {counted(len(rules), 'rule')}, all good", err=True)


@app.command("list")
def list_rules(ctx: typer.Context, json: Json = False) -> None:
    """List the rules in force."""
    from pipeline.rules_file import load_rules

    context: Context = ctx.obj
    rules = load_rules(_rules_path(context))
    if json:
        print_json_lines(rules)
        return
    print_table(
        ("id", "on", "channels", "query"),
        ((r.id, "yes" if r.enabled else "no", ", ".join(r.channels), r.query) for r in rules),
        empty=f"No rules in {_rules_path(context)}.",
    )


def _rules_path(context: Context) -> Path:
    return context.settings.config_folder / "rules.yml"
