"""wirewatch alerts: list."""

from __future__ import annotations

from typing import Annotated

import typer

from pipeline.commands.context import Context
from pipeline.commands.printing import Json, print_json_lines, print_table

app = typer.Typer(no_args_is_help=True, help="What the rules raised.")


@app.callback()
def _alerts() -> None:
    """What the rules raised."""


@app.command("list")
def list_alerts(
    ctx: typer.Context,
    rule: Annotated[str | None, typer.Option(help="Only this rule's.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many at most.")] = 50,
    json: Json = False,
) -> None:
    """List alerts, newest first: one for each rule and text, however many outlets carry it."""
    context: Context = ctx.obj
    with context.open() as ports:
        alerts = ports.state.alerts(limit=limit, rule=rule)
    if json:
        print_json_lines(alerts)
        return
    print_table(
        ("raised", "rule", "outlet", "title", "article"),
        ((f"{a.raised_at:%Y-%m-%d %H:%M:%S}", a.rule, a.outlet, a.title, a.article_id) for a in alerts),
        empty=f"No alerts of rule “{rule}” yet." if rule else "No alerts yet.",
        only_wide=("article",),
    )
