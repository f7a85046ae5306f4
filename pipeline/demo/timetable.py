"""The script of the demo: what each outlet publishes and when, read from ``content/*.toml``.

Times are whole seconds since the start; below zero is what was there before. Whole, because ``Last-Modified`` has no
finer unit: two changes within one second could otherwise hide behind one date.
"""

from __future__ import annotations

from importlib.resources import as_file, files
from importlib.resources.abc import Traversable
from typing import Literal

import msgspec
from msgspec import Struct

from pipeline.rule import Rule
from pipeline.rules_file import load_rules

FeedFormat = Literal["rss", "atom", "rdf"]
Gives = Literal["full text", "summary", "teaser"]
"""How much of an article its feed carries: all, its first paragraph, or its first sentence."""
Fault = Literal["", "web page", "error 500"]

_NOT_OUTLETS = ("northwire.toml", "bulletins.toml")


class Edit(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A correction made after publication."""

    at: int
    title: str
    replace: tuple[tuple[str, str], ...] = ()
    """Passages of the body, each with what stands in its place afterwards."""


class Scripted(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One article of the script: either its own text, or the ``wire`` report that it prints word for word."""

    at: int
    slug: str
    wire: str = ""
    title: str = ""
    author: str = ""
    tags: tuple[str, ...] = ()
    body: str = ""
    edit: Edit | None = None


class Report(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A report of the wire, for outlets to print."""

    id: str
    title: str
    author: str
    tags: tuple[str, ...]
    body: str


class Outlet(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One outlet with its one feed."""

    title: str
    slug: str
    language: str
    format: FeedFormat
    gives: Gives
    full_page: bool = False
    fault: Fault = ""
    fault_until: int | None = None
    """Second from which the feed works; None: never."""
    article: tuple[Scripted, ...] = ()


class Kind(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A form for bulletins: ``{name}`` in title and body is filled from ``choices`` and ``ranges``."""

    outlet: str
    slug: str
    title: str
    author: str
    tags: tuple[str, ...]
    body: str
    choices: dict[str, tuple[str, ...]] = {}
    ranges: dict[str, tuple[int, int]] = {}


class Timetable(Struct, frozen=True, kw_only=True):
    """The whole script."""

    outlets: tuple[Outlet, ...]
    bulletins: tuple[Kind, ...]
    """The forms, in the order in which they take turns."""


class _Wire(Struct, forbid_unknown_fields=True):
    report: tuple[Report, ...]


class _Bulletins(Struct, forbid_unknown_fields=True):
    kind: tuple[Kind, ...]


def load_timetable() -> Timetable:
    """Return the script shipped with the package, outlets by slug and wire reports filled in."""
    content = _content()
    wire = msgspec.toml.decode((content / "northwire.toml").read_bytes(), type=_Wire)
    reports = {report.id: report for report in wire.report}
    names = sorted(file.name for file in content.iterdir() if file.name.endswith(".toml"))
    outlets = [
        msgspec.toml.decode((content / name).read_bytes(), type=Outlet) for name in names if name not in _NOT_OUTLETS
    ]
    bulletins = msgspec.toml.decode((content / "bulletins.toml").read_bytes(), type=_Bulletins)
    return Timetable(outlets=tuple(_filled_in(outlet, reports) for outlet in outlets), bulletins=bulletins.kind)


def demo_rules() -> list[Rule]:
    """Return the rules that the demo runs with; the articles of its first seconds meet them."""
    with as_file(_content() / "rules.yml") as path:
        return load_rules(path)


def _content() -> Traversable:
    return files("pipeline.demo") / "content"


def _filled_in(outlet: Outlet, reports: dict[str, Report]) -> Outlet:
    articles = [_printed(article, reports[article.wire]) if article.wire else article for article in outlet.article]
    return msgspec.structs.replace(outlet, article=tuple(articles))


def _printed(article: Scripted, report: Report) -> Scripted:
    return msgspec.structs.replace(
        article, title=report.title, author=report.author, tags=report.tags, body=report.body
    )
