"""Look at one feed now: what its server says, what a poll would make of it, what is wrong. Nothing is stored."""

from __future__ import annotations

from datetime import datetime

from msgspec.structs import replace

from pipeline import telemetry
from pipeline.errors import RequestFailed, RequestRefused
from pipeline.feed import Feed, FeedState
from pipeline.outcomes import Counts, Status, Trouble
from pipeline.poll import decide
from pipeline.poll.answer_words import answer_lines, failure_lines, hint_lines, item_lines, problem_lines
from pipeline.poll.articles import Source, article_of
from pipeline.poll.children import with_children
from pipeline.poll.formats import read_feed
from pipeline.poll.parse import NotAFeed, ParsedFeed
from pipeline.poll.parsing import parse_inline
from pipeline.poll.report import FeedCheck
from pipeline.poll.run import ACCEPT, FETCH_SECONDS
from pipeline.ports import Clock, Http, Response


async def check_feed(feed: Feed, *, http: Http, clock: Clock) -> FeedCheck:
    """Fetch a feed now and return what a first poll would make of it; nothing is stored.

    A second request, with what the first answer gave to ask by, shows whether the server keeps to it.
    """
    try:
        answer = await _get(feed, http, {})
    except (RequestFailed, RequestRefused) as error:
        return FeedCheck(url=feed.url, cause=str(error))
    check = FeedCheck(
        url=feed.url, status=answer.status, moved_to=answer.permanent_url if decide.is_moved(feed, answer) else ""
    )
    parsed = await _read_with_children(answer, http)
    if isinstance(parsed, decide.Failure):
        return replace(
            check,
            cause=parsed.cause,
            answer=answer_lines(feed, answer, None, clock()),
            problems=failure_lines(parsed.trouble is Trouble.WALL, answer.status),
        )
    again = await _again(feed, answer, http)
    return _described(replace(check, answer=answer_lines(feed, answer, again, clock())), feed, parsed, clock())


async def _get(feed: Feed, http: Http, headers: dict[str, str]) -> Response:
    request = http.request("GET", feed.url, headers={"Accept": ACCEPT, **headers}, timeout_seconds=FETCH_SECONDS)
    return await telemetry.counted("feed", request)


async def _again(feed: Feed, answer: Response, http: Http) -> int | None:
    """Return the status of a conditional request; None when there is nothing to ask by, or no answer."""
    state = FeedState(etag=answer.headers.get("etag", ""), last_modified=answer.headers.get("last-modified", ""))
    headers = decide.conditional_headers(state)
    try:
        return (await _get(feed, http, headers)).status if headers else None
    except (RequestFailed, RequestRefused):
        return None


async def _read_with_children(answer: Response, http: Http) -> ParsedFeed | decide.Failure:
    async def fetch(url: str) -> Response:
        return await telemetry.counted("feed", http.request("GET", url, timeout_seconds=FETCH_SECONDS))

    parsed = _read(answer)
    if isinstance(parsed, decide.Failure):
        return parsed
    try:
        return await with_children(parsed, fetch, parse_inline)
    except NotAFeed as error:
        return decide.not_a_feed(error.reason, answer)


def _read(answer: Response) -> ParsedFeed | decide.Failure:
    if failure := decide.failure_in(answer, FeedState()):
        return failure
    try:
        return read_feed(answer.body, content_type=answer.headers.get("content-type", ""), url=answer.url)
    except NotAFeed as error:
        return decide.not_a_feed(error.reason, answer)


def _described(check: FeedCheck, feed: Feed, parsed: ParsedFeed, now: datetime) -> FeedCheck:
    flags = Counts()
    source = Source(feed_url=feed.url)
    entries = decide.sorted_entries(parsed.entries, {})
    for sort in entries:
        for flag in article_of(sort.entry, parsed, source, now).flags if sort.key else ():
            flags.add(Status.PUBLISHED, flag)
    return replace(
        check,
        title=parsed.title,
        site=parsed.link,
        language=parsed.language,
        hints=parsed.hints,
        items=len(parsed.entries),
        without_identity=sum(not sort.key for sort in entries),
        with_text=sum(bool(entry.html) for entry in parsed.entries),
        flags={flag: number for (_, flag), number in flags.take().items()},
        answer=(*check.answer, *hint_lines(parsed.hints)),
        entries=item_lines(parsed, entries),
        problems=problem_lines(parsed, entries, now),
    )
