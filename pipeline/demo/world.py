"""What the outlets of the demo show at a given second: a pure function of the script and the time."""

from __future__ import annotations

from math import floor
from random import Random

from msgspec import Struct

from pipeline.demo.timetable import Fault, Kind, Outlet, Scripted, Timetable

FEED_ITEMS = 30
"""An item leaves its feed when this many newer ones are there, as in most feeds (10 to 50 is usual)."""

BULLETINS_FROM = 74
BULLETIN_EVERY = 6
"""Seconds. The scripted minute is over by then; from here bulletins go on for as long as the demo runs."""

_ALWAYS_THERE = -7200


class Item(Struct, frozen=True, kw_only=True):
    """One article as its outlet shows it now; ``published`` and ``updated`` in seconds since the start."""

    outlet: str
    slug: str
    title: str
    author: str
    tags: tuple[str, ...]
    paragraphs: tuple[str, ...]
    published: int
    updated: int
    revision: int = 0

    @property
    def path(self) -> str:
        """The page's path on the demo server."""
        return f"/{self.outlet}/{self.slug}"


class OutletView(Struct, frozen=True, kw_only=True):
    """An outlet's feed: newest item first, and the second of its last change."""

    outlet: Outlet
    items: tuple[Item, ...]
    changed: int
    fault: Fault


class World(Struct, frozen=True, kw_only=True):
    """Everything that can be asked for at one second."""

    outlets: tuple[OutletView, ...]


def at(timetable: Timetable, elapsed: float) -> World:
    """Return the world ``elapsed`` seconds after the start. Equal arguments give equal worlds."""
    return World(outlets=tuple(_view(outlet, timetable.bulletins, floor(elapsed)) for outlet in timetable.outlets))


def outlet_at(timetable: Timetable, slug: str, elapsed: float) -> OutletView | None:
    """Return one outlet of that world, or None where there is no such outlet."""
    outlet = next((outlet for outlet in timetable.outlets if outlet.slug == slug), None)
    return _view(outlet, timetable.bulletins, floor(elapsed)) if outlet else None


def item_at(timetable: Timetable, slug: str, article: str, elapsed: float) -> Item | None:
    """Return one article by its outlet and slug, also when its feed no longer shows it; None before it is out."""
    now = floor(elapsed)
    outlet = next((outlet for outlet in timetable.outlets if outlet.slug == slug), None)
    if outlet is None:
        return None
    scripted = next((one for one in outlet.article if one.slug == article and one.at <= now), None)
    if scripted:
        return _scripted(outlet, scripted, now)
    number = _bulletin_number(timetable.bulletins, article)
    if number is None or number >= _bulletins_out(now):
        return None
    item = bulletin(timetable.bulletins, number)
    return item if (item.outlet, item.slug) == (slug, article) else None


def bulletin(kinds: tuple[Kind, ...], number: int) -> Item:
    """Return the bulletin of a running number, from 0: the kinds take turns, and the number alone decides the text."""
    kind = kinds[number % len(kinds)]
    draw = Random(f"{kind.slug} {number}")
    words: dict[str, str | int] = {name: draw.choice(values) for name, values in kind.choices.items()}
    words |= {name: draw.randint(*limits) for name, limits in kind.ranges.items()}
    out = BULLETINS_FROM + number * BULLETIN_EVERY
    return Item(
        outlet=kind.outlet,
        slug=f"{kind.slug}-{number}",
        title=kind.title.format_map({"number": number, **words}),
        author=kind.author,
        tags=kind.tags,
        paragraphs=_paragraphs(kind.body.format_map({"number": number, **words})),
        published=out,
        updated=out,
    )


def _view(outlet: Outlet, kinds: tuple[Kind, ...], now: int) -> OutletView:
    scripted = [_scripted(outlet, article, now) for article in outlet.article if article.at <= now]
    newest_first = sorted([*scripted, *_bulletins_of(outlet, kinds, now)], key=lambda item: -item.published)
    is_faulty = bool(outlet.fault) and (outlet.fault_until is None or now < outlet.fault_until)
    return OutletView(
        outlet=outlet,
        items=tuple(newest_first[:FEED_ITEMS]),
        changed=max((item.updated for item in newest_first), default=_ALWAYS_THERE),
        fault=outlet.fault if is_faulty else "",
    )


def _scripted(outlet: Outlet, article: Scripted, now: int) -> Item:
    title, body, updated, revision = article.title, article.body, article.at, 0
    if article.edit and article.edit.at <= now:
        title, updated, revision = article.edit.title, article.edit.at, 1
        for before, after in article.edit.replace:
            body = body.replace(before, after)
    return Item(
        outlet=outlet.slug,
        slug=article.slug,
        title=title,
        author=article.author,
        tags=article.tags,
        paragraphs=_paragraphs(body),
        published=article.at,
        updated=updated,
        revision=revision,
    )


def _bulletins_out(now: int) -> int:
    return max(0, (now - BULLETINS_FROM) // BULLETIN_EVERY + 1)


def _bulletins_of(outlet: Outlet, kinds: tuple[Kind, ...], now: int) -> list[Item]:
    """Return the newest bulletins of one outlet; only those that its feed can show, however long the demo runs."""
    out = _bulletins_out(now)
    first = max(0, out - FEED_ITEMS * len(kinds))
    return [bulletin(kinds, number) for number in range(first, out) if kinds[number % len(kinds)].outlet == outlet.slug]


def _bulletin_number(kinds: tuple[Kind, ...], slug: str) -> int | None:
    name, _, number = slug.rpartition("-")
    is_bulletin = any(kind.slug == name for kind in kinds) and number.isascii() and number.isdigit()
    return int(number) if is_bulletin and len(number) <= 12 else None


def _paragraphs(body: str) -> tuple[str, ...]:
    return tuple(paragraph.strip() for paragraph in body.strip().split("\n\n"))
