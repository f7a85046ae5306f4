"""Look at one feed now: what its server says, what a poll would make of it, what is wrong. Nothing is stored.

    ask without conditions ─▶ read ─▶ ask again, as the next poll would ─▶ describe

What a poll would do is not reckoned here: ``answers.brought_by`` and ``decide`` are asked, as a poll asks them.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Collection, Mapping
from datetime import datetime
from functools import partial
from statistics import median

from msgspec.structs import replace

from pipeline import telemetry
from pipeline.access import Access
from pipeline.feed import FeedState, KnownFeed, SeenEntry
from pipeline.identity import link_host
from pipeline.outcomes import Status, Trouble
from pipeline.poll import decide
from pipeline.poll.answers import Answered, Brought, LookUp, brought_by
from pipeline.poll.asking import FETCH_SECONDS, ask
from pipeline.poll.bounds import NotAFeed
from pipeline.poll.check_words import problems_of
from pipeline.poll.children import as_polled, with_children
from pipeline.poll.decide import Budget
from pipeline.poll.entry import ParsedFeed
from pipeline.poll.feed_check import Conditional, FeedCheck, Items, Move, Record
from pipeline.poll.formats import kind_of
from pipeline.poll.health import FeedHealth
from pipeline.poll.parsing import Parse, parse_inline
from pipeline.poll.waits import fresh_seconds, retry_after_seconds
from pipeline.ports import Clock, Http, Response

SHOWN_HEADERS = ("etag", "last-modified", "cache-control", "expires", "age", "retry-after", "content-encoding")
MAX_HEADER_CHARACTERS = 200


def _nothing_known(_: Collection[str]) -> Mapping[str, SeenEntry]:
    return {}


async def check_feed(
    known: KnownFeed,
    *,
    http: Http,
    clock: Clock,
    access: Mapping[str, Access] | None = None,
    look_up: LookUp = _nothing_known,
    health: FeedHealth | None = None,
    budget: Budget = Budget(),  # noqa: B008 - frozen
    parse: Parse = parse_inline,
) -> FeedCheck:
    """Fetch a feed now and return what it is like; at most two requests and one
    for each sitemap of an index; nothing is stored.

    ``look_up`` returns what ``known`` has shown before, by keys; ``health`` is how it is, None for a feed that is not
    polled yet. Never raises for what the server does.

    Raises:
        TryLater: by ``look_up``.
    """
    entries = access or {}
    # Without conditions, so that there is a body to look at.
    blank = KnownFeed(feed=known.feed, state=FeedState())
    first = replace(await ask(blank, http=http, clock=clock, access=entries), known=known)
    if first.response is None or first.failure is not None:
        was_asked = known.feed.access in {"", *entries}
        return replace(checked(first, None, look_up, health=health, budget=budget), requests=int(was_asked))
    content_type = first.response.headers.get("content-type", "")
    try:
        written = await parse(first.response.body, content_type=content_type, url=first.response.url)
        parsed = await with_children(written, partial(_child, http), parse)
    except NotAFeed as error:
        failed = replace(first, failure=decide.not_a_feed(error.reason, first.response))
        return checked(failed, None, look_up, health=health, budget=budget)
    answer, sitemaps = first.response, len(written.children)
    first = replace(first, parsed=parsed, response=as_polled(answer) if sitemaps else answer)
    after = _as_polled(first, look_up, budget).result.state
    again = None
    if decide.conditional_headers(after):
        again = await ask(KnownFeed(feed=known.feed, state=after), http=http, clock=clock, access=entries)
    found = checked(first, again, look_up, health=health, budget=budget, index=answer if sitemaps else None)
    return replace(found, sitemaps=sitemaps, requests=found.requests + sitemaps)


async def _child(http: Http, url: str) -> Response:
    return await telemetry.counted("feed", http.request("GET", url, timeout_seconds=FETCH_SECONDS))


def checked(
    first: Answered,
    again: Answered | None,
    look_up: LookUp,
    *,
    health: FeedHealth | None,
    budget: Budget,
    index: Response | None = None,
) -> FeedCheck:
    """Return what an answer, and the answer to a second, conditional request, say of a feed.

    ``index`` is the answer as it came, where that was an index of sitemaps and ``first`` holds it as polls take it.
    """
    brought, now, response = _as_polled(first, look_up, budget), first.at, first.response
    check = FeedCheck(
        url=first.known.feed.url,
        known=_record(first.known, health) if health else None,
        cause=first.failure.cause if first.failure else "",
        trouble=first.failure.trouble if first.failure else Trouble.NONE,
        wait_seconds=_wait_seconds(brought, now, response),
    )
    if response is not None:
        check = _with_answer(check, first.known, brought, index or response, now)
        check = replace(check, fresh_seconds=fresh_seconds(response.headers, now))
    if first.parsed is not None:
        check = replace(
            check,
            requests=1 if again is None else 2,
            conditional=_conditional(brought.result.state, response, again),
            title=first.parsed.title,
            site=first.parsed.link,
            language=first.parsed.language,
            hints=brought.result.state.hints,
            items=_items(first, first.parsed, brought),
            cut=first.parsed.cut,
        )
    return replace(check, problems=problems_of(check, now))


def _as_polled(answered: Answered, look_up: LookUp, budget: Budget) -> Brought:
    return brought_by(answered, look_up, host_delay_seconds=0.0, budget=budget)


def _record(known: KnownFeed, found: FeedHealth) -> Record:
    return Record(
        id=known.feed.id,
        health=found.health.value,
        cause=found.cause,
        last_polled=known.state.last_polled,
        next_due=known.state.next_due,
        was_read=known.state.last_ok is not None,
    )


def _wait_seconds(brought: Brought, now: datetime, response: Response | None) -> float | None:
    is_gone = response is not None and response.status == decide.GONE
    due = brought.result.state.next_due
    return None if is_gone or due is None else (due - now).total_seconds()


def _with_answer(check: FeedCheck, known: KnownFeed, brought: Brought, response: Response, now: datetime) -> FeedCheck:
    headers = response.headers
    return replace(
        check,
        status=response.status,
        move=_move(known, brought, response),
        content_type=headers.get("content-type", "")[:MAX_HEADER_CHARACTERS],
        kind=kind_of(response.body),
        size_bytes=len(response.body),
        headers={name: headers[name][:MAX_HEADER_CHARACTERS] for name in SHOWN_HEADERS if name in headers},
        retry_after_seconds=retry_after_seconds(headers.get("retry-after", ""), now),
    )


def _move(known: KnownFeed, brought: Brought, response: Response) -> Move | None:
    if not decide.is_moved(known.feed, response):
        return Move(to=response.url) if response.url != known.feed.url else None
    state, to = brought.result.state, response.permanent_url
    if brought.result.new_url:
        return Move(to=to, for_good=True, since=known.state.moved_since, adopted=brought.result.polled_at)
    leaves_host = bool(known.feed.access) and link_host(to) != link_host(known.feed.url)
    since = state.moved_since if state.moved_to == to else None
    adopted = since + decide.MOVED_FOR if since and not leaves_host else None
    return Move(to=to, for_good=True, since=since, adopted=adopted)


def _conditional(after: FeedState, response: Response | None, again: Answered | None) -> Conditional:
    names = {"If-None-Match": "ETag", "If-Modified-Since": "Last-Modified"}
    by = tuple(names[name] for name in decide.conditional_headers(after))
    if again is None or again.response is None:
        cause = again.failure.cause if again is not None and again.failure else ""
        return Conditional(by=by, cause=cause)
    is_same = response is not None and again.response.body == response.body
    return Conditional(by=by, status=again.response.status, same_body=is_same)


def _items(first: Answered, parsed: ParsedFeed, brought: Brought) -> Items:
    entries = parsed.entries
    dates = sorted(moment for entry in entries if (moment := entry.published or entry.updated))
    gaps = [(later - earlier).total_seconds() for earlier, later in itertools.pairwise(sorted(set(dates)))]
    # As if it had never been read: what is then a duplicate is one within the feed.
    alone = _as_polled(
        replace(first, known=KnownFeed(feed=first.known.feed, state=FeedState())), _nothing_known, Budget()
    )
    flags = Counter(flag for article in alone.articles for flag in article.flags)
    return Items(
        number=len(entries),
        newest=dates[-1] if dates else None,
        oldest=dates[0] if dates else None,
        with_date=len(dates),
        with_title=sum(bool(entry.title) for entry in entries),
        with_text=sum(bool(entry.html) for entry in entries),
        with_guid=sum(bool(entry.guid) for entry in entries),
        with_link=sum(bool(entry.link) for entry in entries),
        duplicates=_number(alone, Status.DUPLICATE),
        without_identity=_number(alone, Status.DROPPED),
        usual_seconds=median(gaps) if gaps else 0.0,
        reach_seconds=(dates[-1] - dates[0]).total_seconds() if dates else 0.0,
        flags=dict(flags),
        new=_number(brought, Status.PUBLISHED),
        changed=_number(brought, Status.UPDATED),
    )


def _number(brought: Brought, status: Status) -> int:
    return sum(number for (name, _), number in brought.counts.items() if name == status.value)
