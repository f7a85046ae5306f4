"""Outlets: what their last pages gave, so that lines they repeat are known and a break in reading them is noticed."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from msgspec import Struct

PAGES_KEPT = 60
"""Pages of each outlet that are remembered, the newest: enough to tell a habit from chance, in some 10 kB."""


class OutletPage(Struct, frozen=True, kw_only=True):
    """What reading one page of an outlet gave."""

    outlet: str
    article: str
    """Id of its article; of each, the newest reading is kept."""
    read_at: datetime
    characters: int
    """Of the text that was extracted; 0: none was found."""
    page_bytes: int
    lines: tuple[int, ...] = ()
    """Keys of its short paragraphs (``pipeline.enrich.repeated``)."""


class PageNorm(Struct, frozen=True, kw_only=True):
    """What an outlet's pages usually give."""

    pages: int
    empty: float
    """Share of pages without a text."""
    characters: float
    """Median length of those texts that there are."""
    text_share: float
    """Median of a text's share of its page, characters by bytes."""
    repeated: float
    """Mean share of the short lines of a page that the outlet repeats."""


class OutletBreak(Struct, frozen=True, kw_only=True):
    """Since when an outlet's pages give something else than they did, and what."""

    outlet: str
    since: datetime
    cause: str
    norm: PageNorm
    """What they gave before."""


class OutletPages(Protocol):
    """The part of the state that remembers what outlets' pages gave."""

    def note_outlet_pages(self, pages: Sequence[OutletPage]) -> None:
        """Remember these readings, one for each article; of each outlet the newest ``PAGES_KEPT`` stay."""
        ...

    def outlet_pages(self, outlet: str) -> Sequence[OutletPage]:
        """Return what is remembered of an outlet, newest first."""
        ...

    def outlet_breaks(self, outlets: Collection[str] | None = None) -> Mapping[str, OutletBreak]:
        """Return the breaks that go on, of these outlets or of all."""
        ...

    def begin_outlet_break(self, broken: OutletBreak) -> bool:
        """Note a break; False when one of that outlet was noted before, which stays."""
        ...

    def end_outlet_break(self, outlet: str) -> bool:
        """Forget a break; return whether there was one."""
        ...
