"""Look at one feed now: what a poll would make of it. Nothing is stored."""

from __future__ import annotations

from pipeline import telemetry
from pipeline.errors import RequestFailed, RequestRefused
from pipeline.feed import Feed, FeedState
from pipeline.outcomes import Counts, Status
from pipeline.poll import decide
from pipeline.poll.articles import Source, article_of
from pipeline.poll.formats import read_feed
from pipeline.poll.parse import NotAFeed
from pipeline.poll.report import FeedCheck
from pipeline.poll.run import ACCEPT, FETCH_SECONDS
from pipeline.ports import Clock, Http


async def check_feed(feed: Feed, *, http: Http, clock: Clock) -> FeedCheck:
    """Fetch a feed now and return what a first poll would make of it; nothing is stored."""
    try:
        request = http.request("GET", feed.url, headers={"Accept": ACCEPT}, timeout_seconds=FETCH_SECONDS)
        answer = await telemetry.counted("feed", request)
    except (RequestFailed, RequestRefused) as error:
        return FeedCheck(url=feed.url, cause=str(error))
    moved_to = answer.permanent_url if decide.is_moved(feed, answer) else ""
    if failure := decide.failure_in(answer, FeedState()):
        return FeedCheck(url=feed.url, cause=failure.cause, moved_to=moved_to)
    try:
        parsed = read_feed(answer.body, content_type=answer.headers.get("content-type", ""), url=answer.url)
    except NotAFeed as error:
        return FeedCheck(url=feed.url, cause=f"not a feed: {error.reason}", moved_to=moved_to)
    flags = Counts()
    source, now = Source(feed_url=feed.url), clock()
    entries = decide.sorted_entries(parsed.entries, {})
    for sort in entries:
        for flag in article_of(sort.entry, parsed, source, now).flags if sort.key else ():
            flags.add(Status.PUBLISHED, flag)
    return FeedCheck(
        url=feed.url,
        moved_to=moved_to,
        title=parsed.title,
        site=parsed.link,
        language=parsed.language,
        items=len(parsed.entries),
        without_identity=sum(not sort.key for sort in entries),
        with_text=sum(bool(entry.html) for entry in parsed.entries),
        flags={flag: number for (_, flag), number in flags.take().items()},
    )
