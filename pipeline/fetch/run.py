"""Fetch the pages that articles wait for, store them, and publish each article again under its id, with its page.

    claim (one a host) ─▶ robots.txt ─▶ get ─▶ store the bytes ─▶ publish ─▶ finish

The article is already on its way with the text of its feed; whatever goes wrong here costs it its page, never itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from hashlib import blake2b

import structlog
from msgspec import Struct
from msgspec.structs import replace

from pipeline import telemetry, topics
from pipeline.article import decode_article, encode_article
from pipeline.errors import BadArticle, RequestFailed, RequestRefused
from pipeline.fetch import robots
from pipeline.ports import Broker, Clock, Http, Message, PageRequest, Pages, Response, State
from pipeline.walls import wall_of

log = structlog.get_logger("wirewatch")

MAX_ATTEMPTS = 5
FIRST_WAIT_SECONDS = 60
LONGEST_WAIT_SECONDS = 6 * 3600
BROKER_WAIT_SECONDS = 60
MAX_PAGE_BYTES = 8 * 1024 * 1024
"""The largest article pages are some 3 MiB, nearly all of it script."""
HTML_TYPES = frozenset(("text/html", "application/xhtml+xml"))
GONE = frozenset((404, 410))
ACCEPTED = 202
"""AWS WAF sends its challenge under this status."""


class FetchReport(Struct, kw_only=True):
    """How one batch went; ``claimed`` is the sum of the others."""

    claimed: int = 0
    stored: int = 0
    put_off: int = 0
    failed: int = 0
    lost_claims: int = 0


class Refusal(Struct, frozen=True):
    """Why there is no page, and when to try again: in so many seconds, or never."""

    cause: str
    retry_seconds: float | None = None
    is_ours: bool = False
    """The broker's fault or ours, so that it may not end the attempts."""


async def fetch_due_pages(
    *,
    state: State,
    broker: Broker,
    pages: Pages,
    http: Http,
    clock: Clock,
    holder: str,
    limit: int = 20,
    lease_seconds: float = 120,
    host_delay_seconds: float = 2.0,
    reach: Callable[[str], None] = lambda _: None,
) -> FetchReport:
    """Fetch up to ``limit`` due pages, each of another host; return how it went.

    Raises:
        TryLater, DataFolderError: the state or the page store cannot be used; the claims run out by themselves.
    """
    claimed = state.claim_pages(clock(), limit, holder, lease_seconds, host_delay_seconds)
    reach("fetch:claimed")
    report = FetchReport(claimed=len(claimed))
    fetches = [asyncio.create_task(_get(request, http, state, clock)) for request in claimed]
    try:
        for fetched in asyncio.as_completed(fetches):
            request, answer = await fetched
            reach("fetch:fetched")
            now = clock()
            headers = {} if isinstance(answer, Refusal) else telemetry.new_trace()
            refusal = (
                answer
                if isinstance(answer, Refusal)
                else _publish(request, answer, broker, pages, now, headers=headers)
            )
            reach("fetch:published")
            _finish(
                state, holder, request, refusal, now=now, report=report, trace=telemetry.trace_id(headers),
                host_delay_seconds=host_delay_seconds,
            )  # fmt: skip
            reach("fetch:finished")
    finally:
        for fetch in fetches:
            fetch.cancel()
        await asyncio.gather(*fetches, return_exceptions=True)
    return report


async def _get(request: PageRequest, http: Http, state: State, clock: Clock) -> tuple[PageRequest, bytes | Refusal]:
    """Return the page's bytes, or why there are none."""
    verdict = await robots.judge(request.url, http=http, cache=state, now=clock())
    if verdict.cause:
        return request, Refusal(verdict.cause, None if verdict.is_final else backoff_seconds(request))
    if verdict.delay_seconds:
        state.hold_host(request.host, clock() + timedelta(seconds=verdict.delay_seconds))
    headers = {"Accept": "text/html, application/xhtml+xml;q=0.9, */*;q=0.1"}
    try:
        response = await telemetry.counted(
            "page", http.request("GET", request.url, headers=headers, max_bytes=MAX_PAGE_BYTES)
        )
    except RequestRefused as error:
        return request, Refusal(str(error))
    except RequestFailed as error:
        return request, Refusal(str(error), backoff_seconds(request))
    refusal = refusal_of(response, request)
    return request, refusal or response.body


def refusal_of(response: Response, request: PageRequest) -> Refusal | None:
    """Return why this answer is no page; a page that is gone, or is something else, is not asked for again."""
    if response.status in GONE:
        return Refusal(f"HTTP {response.status}: the page is gone")
    if not 200 <= response.status < 300:
        return Refusal(_status(response), backoff_seconds(request, response.headers.get("retry-after", "")))
    if response.status == ACCEPTED and wall_of(response):
        return Refusal(_status(response), backoff_seconds(request))
    kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in HTML_TYPES and (kind or not response.body.lstrip().startswith(b"<")):
        return Refusal(f"not an HTML page but {kind[:100] or 'bytes without a type'}")
    return None if response.body.strip() else Refusal("an empty page", backoff_seconds(request))


def _status(response: Response) -> str:
    wall = wall_of(response)
    return f"HTTP {response.status}, {wall}" if wall else f"HTTP {response.status}"


def backoff_seconds(request: PageRequest, retry_after: str = "") -> float:
    """Return the wait before the next attempt: a minute, four times as long each time, 10 % apart by article.

    A server's Retry-After in seconds is granted, up to the longest wait.
    """
    wait = FIRST_WAIT_SECONDS * 4.0**request.attempts
    asked = float(retry_after[:9]) if retry_after.isascii() and retry_after.isdigit() else 0.0
    dice = int.from_bytes(blake2b(request.article_id.encode(), digest_size=2).digest(), "big") / 65_536
    return float(min(max(wait * (1 + 0.1 * dice), asked), LONGEST_WAIT_SECONDS))


def _publish(
    request: PageRequest, body: bytes, broker: Broker, pages: Pages, now: datetime, *, headers: dict[str, str]
) -> Refusal | None:
    """Store the page, then publish its article with the page's key."""
    try:
        article = decode_article(request.article)
    except BadArticle as error:
        return Refusal(f"the waiting article cannot be read: {error}")
    article = replace(article, page=pages.put(body, now.date()), fetched=now)
    message = Message(topic=topics.raw(article.lane), key=article.id, value=encode_article(article), headers=headers)
    (failure,) = broker.publish([message])
    if failure is None:
        return None
    return Refusal(f"broker: {failure.cause}", None if failure.fatal else BROKER_WAIT_SECONDS, is_ours=True)


def _finish(
    state: State, holder: str, request: PageRequest, refusal: Refusal | None, *, now: datetime, report: FetchReport,
    trace: str, host_delay_seconds: float,
) -> None:  # fmt: skip
    """End the claim: done, to be tried again, or failed for good. No page is lost to a broker that is down."""
    cause = refusal.cause if refusal else ""
    retry_seconds = refusal.retry_seconds if refusal else None
    if refusal and retry_seconds is not None and not refusal.is_ours and request.attempts + 1 >= MAX_ATTEMPTS:
        retry_seconds, cause = None, f"{cause} (after {MAX_ATTEMPTS} attempts)"
    retry_at = now + timedelta(seconds=retry_seconds) if retry_seconds is not None else None
    open_at = now + timedelta(seconds=host_delay_seconds)
    if not state.finish_page(request.article_id, holder, cause=cause, retry_at=retry_at, host_open_at=open_at):
        report.lost_claims += 1
    elif not refusal:
        report.stored += 1
    elif retry_at:
        report.put_off += 1
    else:
        report.failed += 1
    log.info(
        "page fetched", step="fetch", id=request.article_id, host=request.host, cause=cause, trace=trace,
        attempt=request.attempts + 1, retry_at=str(retry_at) if retry_at else "",
    )  # fmt: skip
