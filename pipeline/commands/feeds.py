"""wirewatch feeds: add, list, report, import, export, check, pause, remove."""

from __future__ import annotations

import sys
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer
from msgspec.structs import asdict, replace

from pipeline import wiring
from pipeline.commands.context import Context, safe
from pipeline.commands.discovery import FIRST_POLL, discover_feeds, looking
from pipeline.commands.printing import Json, counted, print_json, print_json_lines, print_table
from pipeline.errors import EXIT_FAILED, EXIT_PARTLY, UsageError
from pipeline.feed import Feed, FeedState, KnownFeed
from pipeline.feeds_report import look_at_feeds, with_health
from pipeline.identity import canonical_link, clean_link, feed_id, link_host
from pipeline.opml import OpmlResult, read_opml, write_opml
from pipeline.poll.feed_check import FeedCheck
from pipeline.poll.health import Health
from pipeline.ports import State

app = typer.Typer(no_args_is_help=True, help="The feeds that are polled.")
app.command("discover")(discover_feeds)
Known = Annotated[str, typer.Argument(metavar="FEED", help="A feed's id or address, as `feeds list` shows them.")]


@app.command()
def add(
    ctx: typer.Context,
    url: Annotated[str, typer.Argument(metavar="URL", help="The feed's address.")],
    title: Annotated[str | None, typer.Option(help="Name to show.")] = None,
    outlet: Annotated[str | None, typer.Option(help="Who publishes it; several feeds may share one.")] = None,
    language: Annotated[str | None, typer.Option(help="Language to expect, as en or pt-BR.")] = None,
    tag: Annotated[list[str] | None, typer.Option(help="A tag. Repeatable.")] = None,
    full_page: Annotated[
        bool | None, typer.Option("--full-page/--no-full-page", help="Fetch each article's page for its whole text.")
    ] = None,
    interval: Annotated[
        int | None, typer.Option(min=10, max=604_800, help="Seconds between polls; learned unless said.")
    ] = None,
    access: Annotated[
        str | None, typer.Option(help="Entry of access.toml with credentials, headers or a proxy; “” for none.")
    ] = None,
) -> None:
    """Add one feed, or change those settings of a known one that are given."""
    address = clean_link(url)
    if not address:
        raise UsageError(f"“{url}” is not an address that can be polled; it must start with http:// or https://.")
    if "@" in url.split("/", 3)[2]:
        raise UsageError("An address with a user name or password is not polled, since it would be shown and stored.")
    given: dict[str, Any] = {
        "title": title, "outlet": outlet, "language": language, "tags": tuple(tag) if tag else None,
        "full_page": full_page, "interval_seconds": interval, "access": access,
    }  # fmt: skip
    context: Context = ctx.obj
    if access:
        _require_access(context, access)
    with context.open(create=True) as ports:
        known = ports.state.feed(feed_id(address)) or ports.state.feed_at(address)
        before = known.feed if known else Feed(id=feed_id(address), url=address)
        feed = replace(before, **{name: value for name, value in given.items() if value is not None})
        ports.state.save_feeds([feed])
    what = "added" if not known else "unchanged:" if feed == before else "changed"
    typer.echo(f"{what} {feed.id} {feed.url}", err=True)
    if known and known.state.items and feed.full_page and not before.full_page:
        typer.echo("Pages are fetched of what comes from now on, not of what it shows already.", err=True)
    if not known or known.state.last_ok is None:
        typer.echo(FIRST_POLL, err=True)


@app.command("list")
def list_feeds(ctx: typer.Context, json: Json = False) -> None:
    """List feeds with their health and, when one is not well, why."""
    context: Context = ctx.obj
    with context.open() as ports:
        found = list(with_health(ports.state.feeds(), ports.clock()))
    if json:
        print_json_lines({"feed": k.feed, "state": k.state, "health": h.health, "cause": h.cause} for k, h in found)
        return
    print_table(
        ("id", "health", "items", "last new", "next", "title", "url", "cause"),
        (
            (
                k.feed.id, h.health.value, k.state.items, _time(k.state.last_new),
                "-" if h.health in {Health.GONE, Health.PAUSED} else _time(k.state.next_due),
                k.feed.title or k.feed.outlet or k.feed.url, k.feed.url, h.cause,
            )
            for k, h in found
        ),
        empty="No feeds yet. Add one with `wirewatch feeds add URL`, or a list with `wirewatch feeds import FILE`.",
        only_wide=("last new", "next", "url"),
    )  # fmt: skip


@app.command()
def report(
    ctx: typer.Context,
    days: Annotated[int, typer.Option(min=1, max=400, help="Days of polls to add up, today among them.")] = 1,
    json: Json = False,
) -> None:
    """Say how all feeds are, what polls brought and dropped, what may have been missed, and who is not well."""
    context: Context = ctx.obj
    with context.open() as ports:
        found = look_at_feeds(ports.state, ports.clock(), days=days)
    if json:
        print_json(found)
        return
    dropped = "".join(f", {number:,} dropped: {reason}" for reason, number in sorted(found.dropped.items()))
    gaps = f"{counted(found.gaps, 'gap')}, some {found.missed:,} items missed, {found.filled:,} of them found elsewhere"
    lines = [
        "feeds: " + (", ".join(f"{number:,} {health}" for health, number in sorted(found.by_health.items())) or "none"),
        f"polls: {found.polls:,}, {found.failed:,} of them failed",
        f"items: {found.seen:,} seen, {found.new:,} new, {found.updated:,} changed, {found.known:,} known{dropped}",
        f"gaps: {gaps}" if found.gaps else "gaps: none seen",
    ]
    typer.echo("\n".join(lines))
    print_table(
        ("id", "health", "title", "cause"),
        ((one.id, one.health.value, one.title, one.cause) for one in found.unwell),
        empty="Every feed is well.",
    )


@app.command("import")
def import_feeds(
    ctx: typer.Context, path: Annotated[Path, typer.Argument(help="An OPML file.", readable=False)]
) -> None:
    """Add the feeds of an OPML file, and give known ones the settings it has for them; folders become tags."""
    result = _read(path)
    for problem in result.problems:
        typer.echo(f"{path}: {problem}", err=True)
    new = changed = 0
    if result.feeds:
        context: Context = ctx.obj
        with context.open(create=True) as ports:
            before = {name: k.feed for k in ports.state.feeds() for name in (k.feed.id, k.feed.url)}
            feeds = [_given(feed, before.get(feed.id) or before.get(feed.url)) for feed in result.feeds]
            changed = sum((before.get(feed.id) or feed) != feed for feed in feeds)
            new = ports.state.save_feeds(feeds)
        entries = wiring.open_access(context.settings)
        for name in sorted({feed.access for feed in result.feeds} - {"", *entries}):
            typer.echo(f"{path}: no entry [{name}] in {context.settings.access_file} yet", err=True)
    same = len(result.feeds) - new - changed
    typer.echo(
        f"{counted(len(result.feeds), 'feed')} read: {new:,} new, {changed:,} changed, {same:,} as they were", err=True
    )
    if result.problems:
        raise typer.Exit(EXIT_PARTLY if result.feeds else EXIT_FAILED)


def _given(feed: Feed, before: Feed | None) -> Feed:
    """Return a known feed with the settings that a list gives it; what the list does not mention stays."""
    if before is None:
        return feed
    given = {name: value for name, value in asdict(feed).items() if value and name not in {"id", "url"}}
    return replace(before, **given)


@app.command("export")
def export_feeds(ctx: typer.Context) -> None:
    """Print all feeds as OPML."""
    context: Context = ctx.obj
    with context.open() as ports:
        text = write_opml([k.feed for k in ports.state.feeds()]).decode("utf-8")
    sys.stdout.write(text)


@app.command()
def check(
    ctx: typer.Context, feed: Annotated[str, typer.Argument(help="A feed's id or any address.")], json: Json = False
) -> None:
    """Fetch a feed now and say what it is like and what a poll would make of it; stores nothing."""
    import asyncio

    from pipeline.poll.check_words import lines_of

    context: Context = ctx.obj
    if wiring.has_data(context.settings):
        with context.open() as ports:
            found = asyncio.run(_check(context, feed, ports.state))
            if known := _find(ports.state, feed):
                outlet = known.feed.outlet or link_host(found.site) or link_host(known.feed.url)  # as articles have it
                found = _with_outlet(found, outlet, ports.state)
    else:
        found = asyncio.run(_check(context, feed, None))
    if json:
        print_json(found)
    else:
        typer.echo("\n".join(safe(line) for line in lines_of(found)))
    if not found.is_usable:
        raise typer.Exit(EXIT_FAILED)


@app.command()
def pause(
    ctx: typer.Context, feed: Known, resume: Annotated[bool, typer.Option("--resume", help="Poll it again.")] = False
) -> None:
    """Stop polling a feed, or go on with it."""
    context: Context = ctx.obj
    with context.open() as ports:
        known = known_feed(ports.state, feed)
        ports.state.pause_feed(known.feed.id, not resume)
    typer.echo(f"{'resumed' if resume else 'paused'} {known.feed.id} {known.feed.url}", err=True)


@app.command()
def remove(ctx: typer.Context, feed: Known) -> None:
    """Forget a feed; its articles stay."""
    context: Context = ctx.obj
    with context.open() as ports:
        known = known_feed(ports.state, feed)
        ports.state.remove_feed(known.feed.id)
    typer.echo(f"removed {known.feed.id} {known.feed.url}", err=True)


def import_shipped_feeds(state: State, folder: Path) -> int:
    """Add the feeds of ``feeds.opml`` to a state that has none, saying what is wrong with it; return how many."""
    path = folder / "feeds.opml"
    if state.feeds() or not path.is_file():
        return 0
    result = _read(path)
    for problem in result.problems:
        typer.echo(f"{path}: {problem}", err=True)
    return state.save_feeds(result.feeds)


def _require_access(context: Context, name: str) -> None:
    known = wiring.open_access(context.settings)
    if name not in known:
        raise UsageError(
            f"There is no entry “{name}” in {context.settings.access_file}; it has {', '.join(known) or 'none'}."
        )


def _find(state: State, text: str) -> KnownFeed | None:
    if found := state.feed(text):
        return found
    return (state.feed(feed_id(text)) or state.feed_at(clean_link(text))) if canonical_link(text) else None


def known_feed(state: State, text: str) -> KnownFeed:
    """Return the feed of this id or address. Raises ``UsageError`` when there is none."""
    known = _find(state, text)
    if known is None:
        raise UsageError(f"There is no feed “{text}”; `wirewatch feeds list` shows them.")
    return known


async def _check(context: Context, text: str, state: State | None) -> FeedCheck:
    from pipeline.poll.check import check_feed
    from pipeline.poll.decide import Budget

    known = _find(state, text) if state else None
    if known is None and not canonical_link(text):
        raise UsageError(f"“{text}” is neither a known feed's id nor an http(s) address.")
    target = known or KnownFeed(feed=Feed(id=feed_id(text), url=clean_link(text)), state=FeedState())
    access = wiring.open_access(context.settings) if target.feed.access else {}
    async with looking(context) as (http, parse):
        if known is None or state is None:
            return await check_feed(target, http=http, clock=wiring.utc_now, parse=parse)
        now = wiring.utc_now()
        ((_, health),) = with_health([known], now)
        per_hour, mean = context.settings.polls_per_feed_hour, state.feed_numbers(now).mean_pace or 1.0
        return await check_feed(
            known, http=http, clock=wiring.utc_now, access=access, health=health, parse=parse,
            look_up=partial(state.seen_entries, known.feed.id),
            budget=Budget(polls_per_feed_hour=per_hour, mean_pace=mean),
        )  # fmt: skip


def _with_outlet(found: FeedCheck, outlet: str, state: State) -> FeedCheck:
    from pipeline.enrich.habits import frequent_lines, norm_of
    from pipeline.poll.check_words import with_outlet

    pages = state.outlet_pages(outlet)
    return with_outlet(found, norm_of(pages, frequent_lines(pages)), state.outlet_breaks([outlet]).get(outlet))


def _read(path: Path) -> OpmlResult:
    try:
        return read_opml(path.read_bytes())
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}.") from None


def _time(moment: datetime | None) -> str:
    return moment.strftime("%Y-%m-%d %H:%M") if moment else "-"
