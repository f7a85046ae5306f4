"""The record that says how a poll went, on the topic ``polls.done``: for dashboards, and for whoever watches feeds."""

from __future__ import annotations

from datetime import datetime

import msgspec
from msgspec import Struct

from pipeline import topics
from pipeline.poll.report import FeedReport
from pipeline.ports import Message, PollTally


class PollDone(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One poll of one feed. Without the feed's address, which may hold a key."""

    feed: str
    at: datetime | None
    status: str
    trouble: str = ""
    cause: str = ""
    failures: int = 0
    unchanged: bool = False
    seen: int = 0
    new: int = 0
    known: int = 0
    updated: int = 0
    dropped: dict[str, int] = {}
    overlap: float | None = None
    missed: int = 0
    """Items that a gap is reckoned to have cost."""
    next_due: datetime | None = None


def done_message(report: FeedReport) -> Message:
    """Return the record of a poll, under its feed's id."""
    state, tally = report.state, report.tally or PollTally()
    done = PollDone(
        feed=report.feed.id,
        at=state.last_polled,
        status=state.status.value,
        trouble=state.trouble.value,
        cause=state.cause,
        failures=state.failures,
        unchanged=tally.unchanged,
        seen=tally.seen,
        new=tally.new,
        known=tally.known,
        updated=tally.updated,
        dropped=dict(tally.dropped),
        overlap=tally.overlap,
        missed=tally.gap.missed if tally.gap else 0,
        next_due=state.next_due,
    )
    return Message(topic=topics.POLLS, key=report.feed.id, value=msgspec.json.encode(done))
