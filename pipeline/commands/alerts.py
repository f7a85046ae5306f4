"""wirewatch alerts: list and resend."""

from __future__ import annotations

from typing import Annotated

import typer
from msgspec.structs import asdict

from pipeline.commands.context import Context
from pipeline.commands.printing import Json, counted, print_json_lines, print_table
from pipeline.errors import UsageError

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
    """List alerts, newest first: one for each rule and text, however many outlets carry it.

    Of each: whether its channels have taken it, and if not, why.
    """
    context: Context = ctx.obj
    with context.open() as ports:
        alerts = ports.state.alerts(limit=limit, rule=rule)
        deliveries = ports.state.deliveries([alert.id for alert in alerts])
    of = {alert.id: [each for each in deliveries if each.alert_id == alert.id] for alert in alerts}
    if json:
        print_json_lines({**asdict(alert), "deliveries": of[alert.id]} for alert in alerts)
        return
    print_table(
        ("raised", "rule", "outlet", "title", "delivery", "article", "id"),
        (
            (
                f"{a.raised_at:%Y-%m-%d %H:%M:%S}", a.rule, a.outlet, a.title, "; ".join(map(str, of[a.id])),
                a.article_id, a.id,
            )
            for a in alerts
        ),
        empty=f"No alerts of rule “{rule}” yet." if rule else "No alerts yet.",
        only_wide=("article", "id"),
    )  # fmt: skip


@app.command()
def resend(
    ctx: typer.Context,
    ids: Annotated[
        list[str] | None, typer.Argument(metavar="[ID]...", help="Ids of alerts, from `alerts list`.")
    ] = None,
    failed: Annotated[bool, typer.Option("--failed", help="All deliveries that were given up.")] = False,
) -> None:
    """Put deliveries that failed, or wait to be tried again, back as due now.

    What a channel has taken is not sent again. `wirewatch run` or `wirewatch alert` sends what is due.
    """
    if bool(ids) == failed:
        raise UsageError("Name alerts by their ids, or say --failed for all that were given up.")
    context: Context = ctx.obj
    with context.open() as ports:
        known = {each.alert_id for each in ports.state.deliveries(ids or ())}
        if unknown := [each for each in ids or () if each not in known]:
            raise UsageError(f"There is no alert “{unknown[0]}”; `wirewatch alerts list --json` shows their ids.")
        number = ports.state.send_again(ports.clock(), ids)
    typer.echo(f"{counted(number, 'delivery', 'deliveries')} due now: `wirewatch run` or `alert` sends them", err=True)
