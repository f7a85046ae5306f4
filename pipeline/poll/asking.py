"""Ask for one feed, with the access and under the conditions that are its own."""

from __future__ import annotations

from collections.abc import Mapping

from pipeline import telemetry
from pipeline.access import Access
from pipeline.errors import RequestFailed, RequestRefused
from pipeline.feed import KnownFeed
from pipeline.outcomes import Trouble
from pipeline.poll import decide
from pipeline.poll.answers import Answered, refused
from pipeline.poll.decide import Failure
from pipeline.ports import Clock, Http

FETCH_SECONDS = 30.0
ACCEPT = (
    "application/atom+xml, application/rss+xml, application/rdf+xml, application/feed+json, application/xml;q=0.9, "
    "text/xml;q=0.9, */*;q=0.5"
)


async def ask(
    known: KnownFeed, *, http: Http, clock: Clock, access: Mapping[str, Access], access_fault: str = ""
) -> Answered:
    """Fetch one feed, conditionally where its state allows; return the answer, not read yet, or why it is no use."""
    headers = {"Accept": ACCEPT, **decide.conditional_headers(known.state)}
    entry = access.get(known.feed.access)
    if known.feed.access and entry is None:
        missing = f"access.toml has no entry “{known.feed.access}”, which this feed is to be asked with"
        failure = refused(access_fault or missing)
        return Answered(known=known, at=clock(), failure=failure)
    try:
        request = http.request("GET", known.feed.url, headers=headers, timeout_seconds=FETCH_SECONDS, access=entry)
        response = await telemetry.counted("feed", request)
    except RequestFailed as error:
        failure = Failure(str(error), error.trouble)
        reached_nobody = error.trouble in {Trouble.DNS, Trouble.TLS, Trouble.NO_ANSWER}
        return Answered(known=known, at=clock(), failure=failure, reached_nobody=reached_nobody)
    except RequestRefused as error:  # by our own rules: its size, its hops, its address
        return Answered(known=known, at=clock(), failure=refused(str(error)))
    return Answered(known=known, at=clock(), response=response, failure=decide.failure_in(response, known.state))
