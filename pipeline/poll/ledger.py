"""The ledger of a feed: what each poll counted, whether it overlaps the one before, and what a gap may have cost.

Two polls in a row that share an item have missed nothing between them (a feed lists its newest items, so what came in
between stands above the shared one). When none is shared, something may have come and gone unseen.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from pipeline.feed import FeedState
from pipeline.outcomes import Status
from pipeline.poll.parse import Entry, ParsedFeed
from pipeline.ports import Gap, PollTally

MOST_MISSED = 10_000
"""A guess beyond this says nothing but "many"."""


def tally_of(counts: Mapping[tuple[str, str], int], parsed: ParsedFeed, state: FeedState, now: datetime) -> PollTally:
    """Return what a poll counted. ``state`` is that before it."""
    numbers = dict.fromkeys(Status, 0)
    dropped: dict[str, int] = {}
    for (status, reason), number in counts.items():
        numbers[Status(status)] += number
        if status == Status.DROPPED.value:
            dropped[reason] = dropped.get(reason, 0) + number
    known, updated, new = numbers[Status.DUPLICATE], numbers[Status.UPDATED], numbers[Status.PUBLISHED]
    identified = known + updated + new
    is_first = state.last_ok is None or state.last_polled is None or not state.items
    overlap = None if is_first or not identified else (known + updated) / identified
    return PollTally(
        seen=identified + numbers[Status.DROPPED],
        new=new,
        known=known,
        updated=updated,
        dropped=dropped,
        overlap=overlap,
        gap=gap_before(parsed.entries, state, now) if overlap == 0.0 else None,
    )


def gap_before(entries: Sequence[Entry], state: FeedState, now: datetime) -> Gap | None:
    """Return the gap between the last good poll and this one, which shows nothing that was known.

    How much was missed is reckoned from the dates of what is shown: at that density, what came between the last poll
    and the oldest item. Feeds without dates have missed at least one.
    """
    began = state.last_ok
    if began is None:
        return None
    dates = sorted(entry.published for entry in entries if entry.published is not None and entry.published <= now)
    if dates and dates[0] <= began:
        return None  # the list reaches back beyond the last poll: these are late items, and nothing is missing
    missed = 1
    if len(dates) > 1 and (spanned := (dates[-1] - dates[0]).total_seconds()) > 0:
        missed = round((dates[0] - began).total_seconds() * (len(dates) - 1) / spanned)
    return Gap(began=began, ended=now, missed=min(max(missed, 1), MOST_MISSED))
