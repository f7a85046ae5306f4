"""Fetch the pages that articles wait for, store them, and publish each article again under its id, with its page.

    claim (one a host) ─▶ robots.txt ─▶ get ─▶ store the bytes ─▶ publish ─▶ finish ─▶ (again while it is young)

The article is already on its way with the text of its feed; whatever goes wrong here costs it its page, never itself.
A page that is visited again and has changed is published as the first one was; one that is gone leaves its text here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Literal

import structlog
from msgspec import Struct
from msgspec.structs import replace

from pipeline import telemetry, topics
from pipeline.article import Article, decode_article, encode_article
from pipeline.dead import unstored_letter
from pipeline.errors import BadArticle, RequestFailed, RequestRefused
from pipeline.fetch import robots
from pipeline.fetch.visits import next_visit
from pipeline.ports import Broker, Clock, Http, Message, PageRequest, Pages, Response, State
from pipeline.text.headers import retry_after_seconds
from pipeline.walls import wall_of

log = structlog.get_logger("wirewatch")

MAX_ATTEMPTS = 5
FIRST_WAIT_SECONDS = 60
LONGEST_WAIT_SECONDS = 6 * 3600
BROKER_WAIT_SECONDS = 60
MAX_PAGE_BYTES = 8 * 1024 * 1024
"""The largest article pages are some 3 MiB, nearly all of it script."""
HTML_TYPES = frozenset(("text/html", "application/xhtml+xml"))
NO_PAGE = "no text without its page"
"""The reason of a dead letter for an article that a sitemap named and whose page cannot be had."""
TOO_MANY = frozenset((429, 503))
TOO_MANY_SECONDS = 30.0
"""Least pause of a host after one of these (Media Cloud's figure)."""
GONE = frozenset((404, 410))
ACCEPTED = 202
"""AWS WAF sends its challenge under this status."""


class FetchReport(Struct, kw_only=True):
    """How one batch went; ``claimed`` is the sum of the others."""

    claimed: int = 0
    stored: int = 0
    unchanged: int = 0
    """Visited again and found as they were."""
    gone: int = 0
    """Visited again and not there any more (404, 410); their text stays."""
    put_off: int = 0
    failed: int = 0
    lost_claims: int = 0


class Refusal(Struct, frozen=True):
    """Why there is no page, and when to try again: in so many seconds, or never."""

    cause: str
    retry_seconds: float | None = None
    is_ours: bool = False
    """The broker's fault or ours, so that it may not end the attempts."""
    is_gone: bool = False
    """The server says that there is no such page (any more)."""
    host_pause_seconds: float = 0.0
    """How long the whole host is to be left alone; it says that we ask too much."""


class Visit(Struct, frozen=True, kw_only=True):
    """How one visit ended: the article as it was published or, where nothing new is to be said, as it waited."""

    article: Article | None = None
    """None: it cannot be read, or its page was never fetched."""
    outcome: Literal["stored", "unchanged", "gone"] = "stored"
    refusal: Refusal | None = None


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
    page_visits: Sequence[float] = (),
    reach: Callable[[str], None] = lambda _: None,
) -> FetchReport:
    """Fetch up to ``limit`` due pages, each of another host; return how it went.

    A page that was fetched is due again when its article reaches the next of ``page_visits`` (ages in hours).

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
            visit, headers = _visited(request), telemetry.new_trace()
            if isinstance(answer, Refusal):
                visit = _refused(visit, answer, broker, now, headers=headers)
            else:
                visit = _publish(request, visit, answer, broker, pages, now=now, headers=headers)
            visit = _with_letter(request, visit, broker, now)
            reach("fetch:published")
            again_at = next_visit(visit.article, now, page_visits) if visit.article else None
            pause = visit.refusal.host_pause_seconds if visit.refusal else 0.0
            open_at = now + timedelta(seconds=max(host_delay_seconds, pause))
            _finish(
                state, holder, request, visit, again_at=again_at, open_at=open_at, now=now, report=report, trace=headers
            )
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
    refusal = refusal_of(response, request, clock())
    return request, refusal or response.body


def refusal_of(response: Response, request: PageRequest, now: datetime) -> Refusal | None:
    """Return why this answer is no page; a page that is gone, or is something else, is not asked for again."""
    if response.status in GONE:
        return Refusal(f"HTTP {response.status}: the page is gone", is_gone=True)
    if not 200 <= response.status < 300:
        asked = min(retry_after_seconds(response.headers.get("retry-after", ""), now) or 0.0, LONGEST_WAIT_SECONDS)
        pause = max(asked, TOO_MANY_SECONDS) if response.status in TOO_MANY else 0.0
        return Refusal(_status(response), backoff_seconds(request, asked), host_pause_seconds=pause)
    if response.status == ACCEPTED and wall_of(response):
        return Refusal(_status(response), backoff_seconds(request))
    kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in HTML_TYPES and (kind or not response.body.lstrip().startswith(b"<")):
        return Refusal(f"not an HTML page but {kind[:100] or 'bytes without a type'}")
    return None if response.body.strip() else Refusal("an empty page", backoff_seconds(request))


def _status(response: Response) -> str:
    wall = wall_of(response)
    return f"HTTP {response.status}, {wall}" if wall else f"HTTP {response.status}"


def backoff_seconds(request: PageRequest, asked: float = 0.0) -> float:
    """Return the wait before the next attempt: a minute, four times as long each time, 10 % apart by article.

    What the server asks for, in seconds, is granted, up to the longest wait.
    """
    wait = FIRST_WAIT_SECONDS * 4.0**request.attempts
    dice = int.from_bytes(blake2b(request.article_id.encode(), digest_size=2).digest(), "big") / 65_536
    return float(min(max(wait * (1 + 0.1 * dice), asked), LONGEST_WAIT_SECONDS))


def _visited(request: PageRequest) -> Visit:
    """Return the visit with its article when the page was fetched before, so that it has a text to lose."""
    try:
        article = decode_article(request.article) if request.visits else None
    except BadArticle:
        return Visit()
    return Visit(article=article if article and article.page else None)


def _refused(visit: Visit, refusal: Refusal, broker: Broker, now: datetime, *, headers: dict[str, str]) -> Visit:
    """Return the visit that brought no page; of one that is gone since, the article says so from now on."""
    if visit.article is None or not refusal.is_gone:
        return replace(visit, refusal=refusal)
    article = replace(visit.article.flagged("page_gone"), fetched=now)
    unsent = _sent(article, broker, headers=headers)
    return Visit(article=visit.article, refusal=unsent) if unsent else Visit(outcome="gone")


def _publish(
    request: PageRequest, visit: Visit, body: bytes, broker: Broker, pages: Pages, *, now: datetime,
    headers: dict[str, str],
) -> Visit:  # fmt: skip
    """Store the page, then publish its article with the page's key; not when the page is what it was."""
    if visit.article is not None and pages.get(visit.article.page) == body:
        return replace(visit, outcome="unchanged")
    try:
        article = decode_article(request.article)
    except BadArticle as error:
        return Visit(refusal=Refusal(f"the waiting article cannot be read: {error}"))
    article = replace(article, page=pages.put(body, now.date()), fetched=now)
    unsent = _sent(article, broker, headers=headers)
    return Visit(article=visit.article, refusal=unsent) if unsent else Visit(article=article)


def _with_letter(request: PageRequest, visit: Visit, broker: Broker, now: datetime) -> Visit:
    """Bury an article that has nothing but its page and will not get that: it was never published, and is not lost."""
    if visit.refusal is None or visit.article is not None:
        return visit
    cause, retry_at = _put_off(request, visit.refusal, now)
    if retry_at is not None:
        return visit
    try:
        article = decode_article(request.article)
    except BadArticle:
        return visit
    if article.title or article.summary or article.html or article.body:
        return visit
    message = Message(topic=topics.raw(article.lane), key=article.id, value=request.article)
    letter = unstored_letter(message, step="fetch", reason=NO_PAGE, detail=cause, at=now)
    (failure,) = broker.publish([letter])
    if failure is None:
        return visit
    return replace(visit, refusal=Refusal(f"broker: {failure.cause}", BROKER_WAIT_SECONDS, is_ours=True))


def _sent(article: Article, broker: Broker, *, headers: dict[str, str]) -> Refusal | None:
    message = Message(topic=topics.raw(article.lane), key=article.id, value=encode_article(article), headers=headers)
    (failure,) = broker.publish([message])
    if failure is None:
        return None
    return Refusal(f"broker: {failure.cause}", None if failure.fatal else BROKER_WAIT_SECONDS, is_ours=True)


def _finish(
    state: State, holder: str, request: PageRequest, visit: Visit, *, again_at: datetime | None, open_at: datetime,
    now: datetime, report: FetchReport, trace: dict[str, str],
) -> None:  # fmt: skip
    """End the claim: done for now or for good, to be tried again, or failed. No page is lost to a broker that is down.

    A visit that fails for good does not make a failure of a page that is here: it is left to the next one.
    """
    refusal = visit.refusal
    cause, retry_at = _put_off(request, refusal, now) if refusal else ("", None)
    form = encode_article(visit.article) if visit.article and again_at else b""
    held = state.finish_page(
        request.article_id, holder, cause="" if visit.article and not (again_at or retry_at) else cause,
        retry_at=retry_at, again_at=None if retry_at else again_at, article=form,
        host_open_at=open_at,
    )  # fmt: skip
    if not held:
        report.lost_claims += 1
    elif not refusal:
        setattr(report, visit.outcome, getattr(report, visit.outcome) + 1)
    elif retry_at or again_at:
        report.put_off += 1
    else:
        report.failed += 1
    log.info(
        "page fetched", step="fetch", id=request.article_id, host=request.host, cause=cause,
        trace="" if refusal or visit.outcome == "unchanged" else telemetry.trace_id(trace),
        attempt=request.attempts + 1, visit=request.visits + 1, retry_at=str(retry_at) if retry_at else "",
        again_at=str(again_at) if again_at and not retry_at else "",
    )  # fmt: skip


def _put_off(request: PageRequest, refusal: Refusal, now: datetime) -> tuple[str, datetime | None]:
    """Return why there is no page, and when to try again; not after the last attempt."""
    if refusal.retry_seconds is None:
        return refusal.cause, None
    if not refusal.is_ours and request.attempts + 1 >= MAX_ATTEMPTS:
        return f"{refusal.cause} (after {MAX_ATTEMPTS} attempts)", None
    return refusal.cause, now + timedelta(seconds=refusal.retry_seconds)
