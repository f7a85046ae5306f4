"""wirewatch status: what each step has done and has still to do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from typing import Annotated

import typer
from msgspec import Struct

from pipeline import topics, wiring
from pipeline.commands.context import Context
from pipeline.commands.printing import Json, counted, print_json, print_json_lines, print_table
from pipeline.errors import TryLater, WirewatchError
from pipeline.feeds_report import with_health
from pipeline.ports import Broker, Lease, TopicPartition
from pipeline.replay import REPLAYED
from pipeline.topics import STEP_INPUTS
from pipeline.unindexed import look_up_holdings
from pipeline.wiring import Ports

app = typer.Typer()

DEAD = tuple(topics.dead(name) for name in topics.LIVE_FIRST)


class StepStatus(Struct, frozen=True, kw_only=True):
    """One step: what waits for it, and what it has done since the beginning."""

    name: str
    waiting: int
    outcomes: Mapping[str, int]


class IndexStatus(Struct, frozen=True, kw_only=True):
    """Whether the index holds what it should."""

    articles: int = 0
    """Those that the state knows."""
    lacking: int = 0
    """Those of them that nothing is to bring into the index; ``wirewatch index --rebuild`` does."""
    cause: str = ""
    """Why the index cannot be looked into."""


class Status(Struct, frozen=True, kw_only=True):
    """The whole system at a glance."""

    steps: Sequence[StepStatus]
    feeds: Mapping[str, int]
    pages: Mapping[str, int]
    badly_read: Mapping[str, str]
    """Outlets whose pages give other texts than they did, and how that shows."""
    deliveries: Mapping[str, int]
    dead_letters: int
    """Those that were not replayed."""
    index: IndexStatus
    writers: Mapping[str, str | None]
    """Who holds the lease of each step that has one writer."""


@app.command()
def status(
    ctx: typer.Context,
    json: Json = False,
    pages: Annotated[bool, typer.Option("--pages", help="List the pages that could not be fetched, and why.")] = False,
) -> None:
    """Show what each step has done and has still to do.

    Also feeds by how their last poll ended, pages and deliveries that wait, dead letters, and who writes.
    """
    context: Context = ctx.obj
    if pages:
        _print_page_troubles(context, json=json)
        return
    with context.open() as ports:
        report = _status_of(ports, context.redacted)
    if json:
        print_json(report)
        return
    rows = [(step.name, f"{step.waiting:,} waiting", _words(step.outcomes)) for step in report.steps]
    rows += [("feeds", "", _words(report.feeds))]
    rows += [("pages", "", _words(report.pages) + ("; --pages says why" if report.pages.get("failed") else ""))]
    rows += [("badly read", outlet, cause) for outlet, cause in report.badly_read.items()]
    why = "; `wirewatch alerts list` says why" if report.deliveries.get("failed") else ""
    rows += [("deliveries", "", _words(report.deliveries) + why)]
    rows.append(("dead letters", f"{report.dead_letters:,}", "`wirewatch dead list`" if report.dead_letters else ""))
    rows.append(("index", f"{report.index.lacking:,} lacking", _index_words(report.index)))
    rows += [(f"{name} writer", "", holder or "none") for name, holder in report.writers.items()]
    print_table(("", "", ""), rows, empty="")


def _print_page_troubles(context: Context, *, json: bool) -> None:
    with context.open() as ports:
        troubles = ports.state.page_troubles()
    if json:
        print_json_lines(troubles)
        return
    print_table(
        ("status", "host", "attempts", "cause", "article"),
        ((each.status, each.host, each.attempts, each.cause, each.article_id) for each in troubles),
        empty="Every page that was asked for was fetched, or is still to be asked for.",
    )


def waiting_for(broker: Broker, group: str, names: Sequence[str]) -> int:
    """Return how many records of these topics a group has not committed yet."""
    done = broker.committed(group, names)
    return _lag(broker.end_offsets(names), done)


def _status_of(ports: Ports, redacted: Callable[[str], str]) -> Status:
    state, broker, now = ports.state, ports.broker, ports.clock()
    counts = state.counts()
    return Status(
        steps=[
            StepStatus(
                name=group,
                waiting=waiting_for(broker, group, inputs),
                outcomes={f"{s}: {reason}" if reason else s: n for (s, reason), n in counts.get(group, {}).items()},
            )
            for group, inputs in STEP_INPUTS.items()
        ],
        feeds=Counter(found.health.value for _, found in with_health(state.feeds(), now)),
        pages=state.queued_pages(),
        badly_read={outlet: broken.cause for outlet, broken in state.outlet_breaks().items()},
        deliveries=state.queued_deliveries(),
        dead_letters=waiting_for(broker, REPLAYED, DEAD),
        index=_index_status(ports, redacted),
        writers={name: _holder(state.lease_holder(name, now)) for name in ("settle", "index")},
    )


def _index_status(ports: Ports, redacted: Callable[[str], str]) -> IndexStatus:
    try:
        with closing(wiring.open_index(ports.settings, writer=False)) as target:
            holdings = look_up_holdings(ports, target)
    except (WirewatchError, TryLater) as error:
        return IndexStatus(articles=ports.state.count_articles(), cause=redacted(str(error)))
    return IndexStatus(articles=holdings.known, lacking=holdings.lacking)


def _index_words(status: IndexStatus) -> str:
    hint = "; `wirewatch index --rebuild` brings them in" if status.lacking else ""
    return status.cause or f"{counted(status.articles, 'article')} known{hint}"


def _holder(lease: Lease | None) -> str | None:
    return lease.holder if lease else None


def _lag(ends: Mapping[TopicPartition, int], done: Mapping[TopicPartition, int]) -> int:
    return sum(max(0, end - done.get(place, 0)) for place, end in ends.items())


def _words(numbers: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {number:,}" for name, number in sorted(numbers.items()) if number) or "-"
