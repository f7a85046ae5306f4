"""What a feed's answer and its items mean for the next polls, in words for a person."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from datetime import datetime, timedelta
from statistics import median

from pipeline.feed import Feed, FeedHints
from pipeline.poll.decide import Sorted, is_moved
from pipeline.poll.parse import ParsedFeed
from pipeline.poll.waits import fresh_seconds, retry_after_seconds
from pipeline.ports import Response

_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MAX_HEADER_CHARACTERS = 100


def answer_lines(feed: Feed, response: Response, again: int | None, now: datetime) -> tuple[str, ...]:
    """Say what each header of an answer leads to; ``again`` is the status of a second, conditional request."""
    header = response.headers.get
    lines = [f"HTTP {response.status}, {len(response.body):,} bytes unpacked, {_shown(header('content-type', ''))}"]
    if is_moved(feed, response):
        lines.append(f"moved for good to {response.permanent_url}; adopted when it still says so after 7 days")
    elif response.url != feed.url:
        lines.append(f"redirected, for now, to {response.url}; each poll follows it")
    tags = [name for name in ("etag", "last-modified") if header(name)]
    if not tags:
        lines.append("neither ETag nor Last-Modified: each poll fetches the whole feed")
    elif again is not None:
        kept = "answers 304: an unchanged feed costs no body" if again == 304 else f"is answered with HTTP {again}"
        lines.append(f"{' and '.join(tags)}; a request with {'them' if len(tags) > 1 else 'it'} {kept}")
    if fresh := fresh_seconds(response.headers, now):
        lines.append(f"says that it stays fresh for {_span(fresh)}: not polled before")
    if asked := retry_after_seconds(header("retry-after", ""), now):
        lines.append(f"asks to be left alone for {_span(asked)} (Retry-After)")
    if not response.url.startswith("https:"):
        lines.append("not encrypted: whoever is in between can read and change it")
    return tuple(lines)


def hint_lines(hints: FeedHints) -> tuple[str, ...]:
    """Say what the feed itself asks for."""
    lines = []
    if hints.ttl_seconds:
        lines.append(f"asks for a poll every {_span(hints.ttl_seconds)} at most (ttl or updatePeriod)")
    if hints.skip_hours:
        lines.append("nothing comes in the hours " + ", ".join(map(str, hints.skip_hours)) + " UTC (skipHours)")
    if hints.skip_days:
        lines.append("nothing comes on " + ", ".join(_DAYS[day] for day in hints.skip_days) + " (skipDays)")
    return tuple(lines)


def item_lines(parsed: ParsedFeed, entries: Sequence[Sorted]) -> tuple[str, ...]:
    """Say what the items are like, and what a first poll would do with them."""
    total, keys = len(entries), {one.key for one in entries if one.key}
    if not total:
        return ()
    dates = sorted(entry.published for entry in parsed.entries if entry.published)
    guids = sum(bool(entry.guid) for entry in parsed.entries)
    lines = [f"{len(dates):,} with a date, {guids:,} with a guid, {len(keys):,} different"]
    if dates:
        lines.append(f"newest {dates[-1]:%Y-%m-%d %H:%M} UTC, oldest {dates[0]:%Y-%m-%d %H:%M} UTC")
    gaps = [(later - earlier).total_seconds() for earlier, later in itertools.pairwise(dates)]
    if gaps and (usual := median(gaps)):
        lines.append(f"one every {_span(usual)} as a rule")
    lines.append(f"a first poll would index {len(keys):,} of them and raise no alert")
    return tuple(lines)


def problem_lines(parsed: ParsedFeed, entries: Sequence[Sorted], now: datetime) -> tuple[str, ...]:
    """Say what is wrong with a feed that can be read, and what to do."""
    if not entries:
        return ("it has no items now: some feeds are empty between news; check again in a day",)
    lines = []
    if parsed.cut:
        lines.append("it has more items than are read, or breaks off: the rest is not seen")
    if nameless := sum(not one.key for one in entries):
        lines.append(f"{nameless:,} items have no link, guid or text to know them by: they are dropped")
    if not any(entry.title or entry.html for entry in parsed.entries):
        lines.append("items have a link only, as in a plain sitemap: add it with --full-page")
    elif not any(entry.html for entry in parsed.entries):
        lines.append("no item has a text: --full-page fetches each article's page")
    dates = [entry.published for entry in parsed.entries if entry.published]
    if dates and now - max(dates) > timedelta(days=30):
        lines.append(f"its newest item is {(now - max(dates)).days:,} days old: it may be abandoned")
    return tuple(lines)


def failure_lines(is_wall: bool, status: int) -> tuple[str, ...]:
    """Say what to do about a feed that cannot be used."""
    if is_wall:
        return ("a wall keeps programs out: ask the publisher, or give the feed an entry of access.toml (--access)",)
    if status in {401, 403}:
        return ("the publisher refuses: it may want credentials (--access), or no programs at all",)
    if status in {404, 410}:
        return ("there is nothing at this address: `wirewatch feeds discover` the site for its feeds",)
    if 200 <= status < 300:
        return ("the address answers with something else: `wirewatch feeds discover` it for the site's feeds",)
    return ("it may be a fault of the moment: check again later",)


def _span(seconds: float) -> str:
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds:.0f} s"


def _shown(header: str) -> str:
    return header[:MAX_HEADER_CHARACTERS] or "no content type"
