"""wirewatch feeds discover."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from pipeline import wiring
from pipeline.commands.context import Context
from pipeline.commands.printing import Json, counted, print_json, print_table
from pipeline.errors import UsageError, WirewatchError
from pipeline.feed import Feed
from pipeline.identity import clean_link, feed_id
from pipeline.poll.discover import Candidate, Discovery, discover


def discover_feeds(
    ctx: typer.Context,
    url: Annotated[str, typer.Argument(metavar="URL", help="A site's address, or that of any of its pages.")],
    json: Json = False,
    add: Annotated[bool, typer.Option("--add", help="Add what the site declares as its feeds.")] = False,
) -> None:
    """Find the feeds of a site: those its page declares, sitemaps in its robots.txt, and the usual places."""
    address = clean_link(url if "://" in url else f"https://{url}")
    if not address:
        raise UsageError(f"“{url}” is not an address that can be asked; it must start with http:// or https://.")
    context: Context = ctx.obj
    found = asyncio.run(_discover(context, address))
    if json:
        print_json(found)
    if not found.feeds:
        raise WirewatchError(_nothing(found))
    if not json:
        if found.is_feed:
            typer.echo("This address is a feed itself.", err=True)
        print_table(
            ("url", "how", "items", "title", "note"),
            (
                (one.url, one.how, one.items, one.title, "needs --full-page" if one.needs_pages else "")
                for one in found.feeds
            ),
            empty="",
        )
    if add:
        _add(context, found)


def _nothing(found: Discovery) -> str:
    tried = f"{counted(found.requests, 'request')} made" + (f"; the page itself: {found.cause}" if found.cause else "")
    return f"No feed was found at {found.url}: {tried}. If you know the feed's address, `wirewatch feeds check` it."


def _add(context: Context, found: Discovery) -> None:
    """Add what the site itself calls its feeds; where it declares none, the first that was found."""
    chosen = [one for one in found.feeds if one.how in {"given", "declared"}] or list(found.feeds[:1])
    with context.open(create=True) as ports:
        new = [one for one in chosen if ports.state.feed(feed_id(one.url)) is None]
        ports.state.save_feeds([_feed(one) for one in new])
    for one in chosen:
        typer.echo(f"{'added' if one in new else 'known'} {feed_id(one.url)} {one.url}", err=True)


def _feed(one: Candidate) -> Feed:
    return Feed(id=feed_id(one.url), url=one.url, title=one.title[:200], full_page=one.needs_pages)


async def _discover(context: Context, url: str) -> Discovery:
    http = wiring.open_http(context.settings)
    try:
        return await discover(url, http=http)
    finally:
        await http.close()
