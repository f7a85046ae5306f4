"""What a check of a feed found, in words for a person."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from msgspec.structs import replace

from pipeline.outcomes import Trouble
from pipeline.poll.feed_check import FeedCheck, Items, Problem, Record
from pipeline.poll.health import ODD, STALE_AFTER
from pipeline.ports import OutletBreak, PageNorm

LABEL_CHARACTERS = 13
AHEAD = timedelta(days=1)
"""A date may be so far ahead of us: time zones are often left out."""
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_LATER = "Check it again later; polls come back by themselves, ever more seldom."
_BY_TROUBLE = {
    Trouble.DNS: "Look for a mistake in the address, and whether this machine is online.",
    Trouble.TLS: "The certificate is not to be trusted; tell the publisher. http:// works where they still offer it.",
    Trouble.NO_ANSWER: _LATER,
    Trouble.BROKEN: _LATER,
    Trouble.REFUSED: "Our own rules forbid it (address, size, hops, access.toml), so trying again is of no use.",
    Trouble.WALL: "Programs are kept out. Ask the publisher to let Wirewatch in, or for credentials (`feeds add URL "
    "--access NAME`); asking more often does not help.",
}  # fmt: skip


def lines_of(check: FeedCheck) -> list[str]:
    """Return a check as lines, each one fact behind its label."""
    facts = [*_place(check), *_answer(check), *_content(check)]
    if check.pages:
        facts.append(("pages", _pages(check.pages)))
    for problem in check.problems:
        facts += [("problem", problem.what), ("", problem.do)]
    asked_again = check.conditional.status or check.conditional.cause
    facts.append(("requests", f"{check.requests}{', the last one conditional' if asked_again else ''}"))
    return [f"{label:<{LABEL_CHARACTERS}} {' '.join(text.split())}" for label, text in facts if text]


def with_outlet(check: FeedCheck, pages: PageNorm, broken: OutletBreak | None) -> FeedCheck:
    """Return the check with what the pages of the feed's outlet gave lately, and with a break in reading them."""
    check = replace(check, pages=pages if pages.pages else None)
    if broken is None:
        return check
    problem = Problem(
        f"the pages of {broken.outlet} are read badly since {_minute(broken.since)}: {broken.cause}",
        "Its articles get the next best text meanwhile (flag extraction_broken). Look at one of them with `wirewatch "
        "preview`; once pages are read well again, `wirewatch replay --where 'outlet:… AND …'` makes up for the rest.",
    )
    return replace(check, problems=(*check.problems, problem))


def _pages(norm: PageNorm) -> str:
    if not norm.characters:
        return f"{norm.pages} read lately, none of them gave a text"
    return (
        f"{norm.pages} read lately, texts of {norm.characters:,.0f} characters, {norm.text_share:.1%} of the page; "
        f"{norm.empty:.0%} gave no text"
    )


def _place(check: FeedCheck) -> Iterator[tuple[str, str]]:
    yield "feed", check.title
    yield "address", check.url
    yield "known", _record(check.known) if check.known else "no"
    if (move := check.move) is None:
        return
    if not move.for_good:
        yield "redirect", f"for now, to {move.to}; each poll follows it"
        return
    since = f" since {_minute(move.since)}" if move.since and check.known else ""
    when = f"adopted by polls from {move.adopted:%Y-%m-%d} on" if move.adopted else "not adopted by polls"
    yield "redirect", f"for good{since}, to {move.to}; {when if check.known else 'polls would adopt it after 7 days'}"


def _record(known: Record) -> str:
    polled = f"last polled {_minute(known.last_polled)}" if known.last_polled else "not polled yet"
    due = f"next {_minute(known.next_due)}" if known.next_due else "due now"
    return f"{known.id}, {known.health}{f' ({known.cause})' if known.cause else ''}; {polled}, {due}"


def _answer(check: FeedCheck) -> Iterator[tuple[str, str]]:
    if check.status:
        kind = f"{check.kind or 'of no known kind'}, sent as {check.content_type or 'no content type'}"
        packed = f" ({check.headers['content-encoding']} on the way)" if "content-encoding" in check.headers else ""
        yield "answer", f"HTTP {check.status}, {check.size_bytes:,} bytes{packed}, {kind}"
    if check.is_usable:
        yield "unchanged", _unchanged(check)
    for name in ("cache-control", "expires"):
        yield name, check.headers.get(name, "")
    yield "next poll", _next_poll(check)


def _unchanged(check: FeedCheck) -> str:
    asked = check.conditional
    by = " and ".join(asked.by)
    if check.sitemaps:
        return f"an index: it and the newest of its sitemaps, {check.sitemaps:,} here, are read at each poll"
    if not by:
        return "neither ETag nor Last-Modified: each poll fetches the whole feed"
    if asked.is_kept:
        return f"a second request with its {by} got HTTP 304: an unchanged feed costs no body"
    if not asked.status:
        return f"{by}; the second request was not answered: {asked.cause}"
    same = "the same body" if asked.same_body else "another body"
    return f"a second request with its {by} got HTTP {asked.status} and {same}: each poll fetches the whole feed"


def _next_poll(check: FeedCheck) -> str:
    if check.wait_seconds is None:
        return "none: the publisher says that it is gone" if check.status else ""
    why = []
    if check.fresh_seconds:
        why.append(f"the server calls it fresh for {span(check.fresh_seconds)}")
    if check.retry_after_seconds:
        why.append(f"Retry-After asks for {span(check.retry_after_seconds)}")
    if check.cause:
        why.append("after a failure")
    because = f" ({', '.join(why)})" if why else ""
    return f"{span(check.wait_seconds)} after such an answer{because}"


def _content(check: FeedCheck) -> Iterator[tuple[str, str]]:
    if not check.is_usable:
        return
    hints, items = check.hints, check.items
    asks = [f"a poll every {span(hints.ttl_seconds)} at most (ttl)"] if hints.ttl_seconds else []
    asks += [f"none in the hours {', '.join(map(str, hints.skip_hours))} UTC (skipHours)"] if hints.skip_hours else []
    asks += [f"none on {', '.join(_DAYS[day] for day in hints.skip_days)} (skipDays)"] if hints.skip_days else []
    yield "asks for", "; ".join(asks)
    if not items.number:
        yield "items", "none"
        return
    yield "items", _have(items)
    if items.newest and items.oldest:
        yield "dates", f"newest {_minute(items.newest)} UTC, oldest {_minute(items.oldest)} UTC"
    if items.usual_seconds:
        reach = f"they reach back {span(items.reach_seconds)}, and a poll less often than that misses some"
        yield "rhythm", f"an item every {span(items.usual_seconds)} as a rule; {reach}"
        yield "worth a poll", f"every {span(items.poll_seconds)}"
    yield "remarks", ", ".join(f"{number:,} {flag}" for flag, number in sorted(items.flags.items()))
    yield from _outcome(check)


def _have(items: Items) -> str:
    having = (
        ("text", items.with_text),
        ("date", items.with_date),
        ("guid", items.with_guid),
        ("link", items.with_link),
    )
    with_all = "; ".join(f"{'all' if number == items.number else f'{number:,}'} with {what}" for what, number in having)
    return f"{items.number:,}: {with_all}"


def _outcome(check: FeedCheck) -> Iterator[tuple[str, str]]:
    items = check.items
    if check.known and check.known.was_read:
        changed = f" and {items.changed:,} changed" if items.changed else ""
        yield "a poll now", f"would find {items.new:,} new{changed} of {_items(items.number)}"
        return
    yield "first poll", f"{_items(items.new)} would be indexed and raise no alert"


def _items(number: int) -> str:
    return "its item" if number == 1 else f"its {number:,} items"


def problems_of(check: FeedCheck, now: datetime) -> tuple[Problem, ...]:
    """Return what is wrong with a feed, and what to do about each."""
    if check.cause:
        return (Problem(check.cause, _way_out(check)),)
    return (*_problems_of_answer(check), *_problems_of_items(check, now))


def _way_out(check: FeedCheck) -> str:
    look = f"try `wirewatch feeds discover {check.url}`"
    if check.trouble in _BY_TROUBLE:
        return _BY_TROUBLE[check.trouble]
    if check.status in {401, 403}:
        return "The publisher refuses: it may want credentials (`feeds add URL --access NAME`), or no programs at all."
    if check.status in {404, 410}:
        return f"There is nothing at this address: {look}, or with the address of the site."
    return f"For the feeds of the site {look}." if 200 <= check.status < 300 else _LATER


def _problems_of_answer(check: FeedCheck) -> Iterator[Problem]:
    wanted = "json" if check.kind == "JSON" else "xml"
    if check.kind and check.content_type and wanted not in check.content_type.lower():
        yield Problem(f"it is {check.kind} and sent as {check.content_type}", "Nothing: it is read for what it is.")
    if check.move and check.move.for_good:
        yield Problem(
            f"it has moved for good to {check.move.to}",
            "Nothing where polls adopt it by themselves; else add the new address and remove this one."
            if check.known
            else "Add the new address.",
        )
    asked = check.conditional
    if asked.by and asked.status and not asked.is_kept and asked.same_body:
        yield Problem("it gives validators and does not keep to them", "Nothing; polls cost the publisher more.")


def _problems_of_items(check: FeedCheck, now: datetime) -> Iterator[Problem]:
    items = check.items
    if not items.number:
        yield Problem("it has no items now", "Some feeds are empty between news; check it again in a day.")
        return
    if check.cut:
        yield Problem("it has more items than are read", "Look for a shorter feed; those at its end are never seen.")
    if items.without_identity:
        yield Problem(
            f"{items.without_identity:,} of its items have no link, guid or text", "Nothing: they are dropped."
        )
    if items.duplicates:
        yield Problem(f"{items.duplicates:,} of its items are in it twice", "Nothing: each is published once.")
    if not items.with_date:
        yield Problem("none of its items has a date", "Nothing: they get the time at which they are first seen.")
    if not items.with_text:
        what = "its items have a link only" if not items.with_title else "none of its items has a text"
        yield Problem(what, "Add it with --full-page, which fetches each article's page.")
    if items.newest and now - items.newest > STALE_AFTER:
        yield Problem(
            f"its newest item is {(now - items.newest).days:,} days old", "It may be abandoned; look for its successor."
        )
    if items.newest and items.newest - now > AHEAD:
        yield Problem(f"it has a date in the future, {_minute(items.newest)}", "Nothing: it is set to now.")
    for oddity in check.hints.oddities:
        yield Problem(ODD[oddity], "Nothing.")


def span(seconds: float) -> str:
    """Return a length of time, as in "15 min"."""
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds:.0f} s"


def _minute(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M}"
