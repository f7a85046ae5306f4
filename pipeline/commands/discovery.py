"""wirewatch feeds discover."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

import typer

from pipeline import wiring
from pipeline.commands.context import Context, safe
from pipeline.commands.printing import Json, counted, print_json, print_table
from pipeline.errors import UsageError, WirewatchError
from pipeline.feed import Feed
from pipeline.identity import clean_link, feed_id
from pipeline.poll.discover import PAUSE_SECONDS, Candidate, Discovery, discover
from pipeline.poll.parsing import Parse
from pipeline.ports import Http

FIRST_POLL = "What its first poll shows is searchable and raises no alert; what comes after does."


def discover_feeds(
    ctx: typer.Context,
    url: Annotated[str, typer.Argument(metavar="URL", help="A site's address, or that of any of its pages.")],
    json: Json = False,
    add: Annotated[bool, typer.Option("--add", help="Add the feeds that the site declares.")] = False,
) -> None:
    """Find the feeds of a site: those its page declares, sitemaps in its robots.txt, and the usual places."""
    address = clean_link(url if "://" in url else f"https://{url}")
    if not address:
        raise UsageError(f"“{url}” is not an address that can be asked; it must start with http:// or https://.")
    context: Context = ctx.obj
    found = asyncio.run(_discover(context, address))
    if json:
        print_json(found)
    else:
        _show(found)
    if not found.feeds:
        raise WirewatchError(_nothing(found))
    if add:
        _add(context, found)


def _show(found: Discovery) -> None:
    """Print the feeds on stdout, and on stderr what was tried in vain; the usual places are not worth a line."""
    if found.is_feed:
        typer.echo("This address is a feed itself.", err=True)
    for one in found.refused:
        if one.how != "usual place":
            typer.echo(safe(f"{one.how}, but of no use: {one.url}: {one.cause}"), err=True)
    if found.left_out:
        typer.echo(f"{counted(found.left_out, 'more address', 'more addresses')} not tried", err=True)
    if found.feeds:
        print_table(
            ("url", "how", "items", "newest", "title", "note"),
            (
                (
                    one.url, one.how, one.items, f"{one.newest:%Y-%m-%d %H:%M}" if one.newest else "-", one.title,
                    _note(one),
                )
                for one in found.feeds
            ),
            empty="",
        )  # fmt: skip


def _note(one: Candidate) -> str:
    if one.is_of_comments:
        return "readers' comments"
    if one.is_index:
        return "an index of sitemaps: check it"
    return "links only: add it with --full-page" if one.needs_pages else ""


def _nothing(found: Discovery) -> str:
    tried = f"{counted(found.requests, 'request')} made" + (f"; the page itself: {found.cause}" if found.cause else "")
    return f"No feed was found at {found.url}: {tried}. If you know the feed's address, `wirewatch feeds check` it."


def _add(context: Context, found: Discovery) -> None:
    """Add what the site itself calls its feeds."""
    chosen = [one for one in found.feeds if one.is_declared]
    if not chosen:
        raise WirewatchError("The site declares none of these, so none was added; `wirewatch feeds add` one by one.")
    with context.open(create=True) as ports:
        new = [one for one in chosen if ports.state.feed(feed_id(one.url)) is None]
        ports.state.save_feeds([_feed(one) for one in new])
    for one in chosen:
        full_page = " with full pages" if one.needs_pages and one in new else ""
        typer.echo(f"{'added' if one in new else 'known'} {feed_id(one.url)} {one.url}{full_page}", err=True)
    if new:
        typer.echo(FIRST_POLL, err=True)


def _feed(one: Candidate) -> Feed:
    return Feed(id=feed_id(one.url), url=one.url, title=one.title[:200], full_page=one.needs_pages)


async def _discover(context: Context, url: str) -> Discovery:
    pause_seconds = min(context.settings.host_delay_seconds, PAUSE_SECONDS)
    async with looking(context) as (http, parse):
        return await discover(url, http=http, parse=parse, pause_seconds=pause_seconds)


@asynccontextmanager
async def looking(context: Context) -> AsyncIterator[tuple[Http, Parse]]:
    """Yield what feeds are fetched and read with: bodies from strangers, so in a process of its own."""
    from pipeline.poll.parsing_process import ParsingProcess

    http, parsing = wiring.open_http(context.settings), ParsingProcess()
    try:
        yield http, parsing
    finally:
        await parsing.close()
        await http.close()
