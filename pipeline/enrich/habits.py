"""What an outlet's pages have in common, and whether the newest of them fall out of it. Pure: readings in, words out.

A break is what a changed layout does to extraction: pages that give no text, or a tenth of what they gave, or all of
the menu. It is told by comparing the newest ``RECENT`` readings with the ones before them; while it goes on, with what
was usual when it began, so that it does not become usual itself.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from statistics import mean, median
from typing import Final

from pipeline.ports import OutletBreak, OutletPage, PageNorm

RECENT: Final = 8
"""Readings that are looked at for a break: at two pages an hour it is told after four hours."""
LEAST_BEFORE: Final = 12
"""Readings before those without which nothing counts as usual."""
REPEATED_ARTICLES: Final = 5
REPEATED_SHARE: Final = 0.2
"""A line is repeated when it stands in so many articles and in this share of those remembered. Paragraphs of background
come back too, but not in every fifth article."""
REPEATED_DAYS: Final = 3
"""On so many: five updates of one story are told in a day or two."""
MUCH_EMPTIER: Final = 0.6
"""More of the newest pages without a text than before, as a share of all."""
FALL: Final = 0.3
"""Of the usual length, or share of the page, below which a text is a remnant."""
RISE: Final = 4.0
"""Times the usual share of the page above which a text is more than the text."""
REPEATED_RISE: Final = 0.4
"""More of the short lines than before, as a share of all, that are the outlet's own furniture."""
ACCEPTED_AFTER: Final = timedelta(days=14)
"""A break that goes on so long is how the outlet is now."""


def repeated_lines(pages: Sequence[OutletPage]) -> frozenset[int]:
    """Return the keys of the lines that these pages of one outlet repeat, on several days."""
    often = frequent_lines(pages)
    days: dict[int, set[date]] = {}
    for page in pages if often else ():
        for key in often.intersection(page.lines):
            days.setdefault(key, set()).add(page.read_at.date())
    return frozenset(key for key, seen in days.items() if len(seen) >= REPEATED_DAYS)


def frequent_lines(pages: Sequence[OutletPage]) -> frozenset[int]:
    """Return the keys of the lines that many of these pages have, be it of one day: a new layout's are all new."""
    counts = Counter(key for page in pages for key in set(page.lines))
    least = max(REPEATED_ARTICLES, REPEATED_SHARE * len(pages))
    return frozenset(key for key, number in counts.items() if number >= least)


def norm_of(pages: Sequence[OutletPage], repeated: frozenset[int]) -> PageNorm:
    """Return what is usual for these pages."""
    texts = [page for page in pages if page.characters]
    lined = [page for page in pages if page.lines]
    return PageNorm(
        pages=len(pages),
        empty=1 - len(texts) / len(pages) if pages else 0.0,
        characters=median(page.characters for page in texts) if texts else 0.0,
        text_share=median(page.characters / max(page.page_bytes, 1) for page in texts) if texts else 0.0,
        repeated=mean(_repeated_share(page, repeated) for page in lined) if lined else 0.0,
    )


def look_for_break(pages: Sequence[OutletPage], going_on: OutletBreak | None, now: datetime) -> OutletBreak | None:
    """Return the break that goes on with these readings (newest first), a new one, or None when all is as usual.

    One that goes on keeps its beginning; it ends when the newest readings are as they were, or after two weeks.
    """
    recent, before = pages[:RECENT], pages[RECENT:]
    if len(recent) < RECENT:
        return going_on
    if going_on is not None:
        is_over = now - going_on.since >= ACCEPTED_AFTER or not _difference(going_on.norm, recent, pages)
        return None if is_over else going_on
    if len(before) < LEAST_BEFORE:
        return None
    norm = norm_of(before, frequent_lines(before))
    cause = _difference(norm, recent, pages)
    return OutletBreak(outlet=recent[0].outlet, since=now, cause=cause, norm=norm) if cause else None


def _difference(norm: PageNorm, recent: Sequence[OutletPage], pages: Sequence[OutletPage]) -> str:
    """Return in words what is different now; empty: nothing that matters."""
    now = norm_of(recent, frequent_lines(pages))
    if now.empty - norm.empty >= MUCH_EMPTIER:
        return f"{now.empty:.0%} of the last {now.pages} pages gave no text; {norm.empty:.0%} of those before"
    if not now.characters:
        return ""
    if now.characters < FALL * norm.characters and now.text_share < FALL * norm.text_share:
        return f"texts are of {now.characters:,.0f} characters; before, {norm.characters:,.0f}"
    if norm.text_share and now.text_share > RISE * norm.text_share and now.characters > norm.characters:
        return f"texts are {now.text_share:.0%} of their pages; before, {norm.text_share:.0%}"
    if now.repeated - norm.repeated >= REPEATED_RISE:
        return f"{now.repeated:.0%} of the short lines are the same on all pages; before, {norm.repeated:.0%}"
    return ""


def _repeated_share(page: OutletPage, repeated: frozenset[int]) -> float:
    return len(repeated.intersection(page.lines)) / len(page.lines)
