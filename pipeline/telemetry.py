"""What can be watched from outside: the metrics, each step's signs of life, and the trace that a record belongs to.

The metrics are all here, once, by name. Labels have few values: no address, title or id is ever one.
"""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import wraps
from typing import Concatenate, Final, Literal, ParamSpec, Protocol, TypeVar

from msgspec import Struct
from prometheus_client import Counter, Gauge, Histogram, disable_created_metrics

from pipeline.errors import RequestFailed, RequestRefused

disable_created_metrics()  # type: ignore[no-untyped-call]  # half of all series, and nobody asks for them

SECONDS: Final = (0.001, 0.005, 0.02, 0.1, 0.5, 2.0, 10.0, 60.0)
AGES: Final = (0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 120.0, 600.0, 3600.0, 86400.0)

MetricName = Literal[
    "wirewatch_records_total",
    "wirewatch_batch_seconds",
    "wirewatch_stage_seconds",
    "wirewatch_stage_failures_total",
    "wirewatch_pages_without_article_total",
    "wirewatch_record_age_seconds",
    "wirewatch_requests_total",
    "wirewatch_lag_records",
    "wirewatch_oldest_unacknowledged_seconds",
    "wirewatch_feeds",
    "wirewatch_queued",
    "wirewatch_held",
    "wirewatch_silent_seconds",
    "wirewatch_problem",
    "wirewatch_disk_used_ratio",
    "wirewatch_last_look_timestamp_seconds",
]
"""Every name there is, as a scrape shows it; docs/watching.md lists them, and a test keeps page and list alike."""


def _counter(name: MetricName, text: str, labels: Sequence[str]) -> Counter:
    return Counter(name, text, labels)


def _gauge(name: MetricName, text: str, labels: Sequence[str] = ()) -> Gauge:
    return Gauge(name, text, labels)


def _histogram(name: MetricName, text: str, labels: Sequence[str], buckets: Sequence[float]) -> Histogram:
    return Histogram(name, text, labels, buckets=buckets)


RECORDS: Final = _counter(
    "wirewatch_records_total",
    "Records handled, by outcome; the reason of drops and dead letters.",
    ["step", "outcome", "reason"],
)
BATCH_SECONDS: Final = _histogram(
    "wirewatch_batch_seconds", "Time to handle one batch, publishing and committing aside.", ["step"], SECONDS
)
STAGE_SECONDS: Final = _histogram(
    "wirewatch_stage_seconds", "Time of one enrichment stage on one article.", ["stage"], SECONDS
)
STAGE_FAILURES: Final = _counter(
    "wirewatch_stage_failures_total", "Articles that an enrichment stage failed on.", ["stage"]
)
PAGES_WITHOUT_ARTICLE: Final = _counter(
    "wirewatch_pages_without_article_total",
    "Pages that held no article, by what they were instead: index, login, consent, video, or unknown.",
    ["kind"],
)
AGE_SECONDS: Final = _histogram(
    "wirewatch_record_age_seconds", "Age of a record when its step had committed it.", ["step"], AGES
)
REQUESTS: Final = _counter(
    "wirewatch_requests_total",
    "Requests sent, by what for and class of answer (2xx to 5xx, other, refused, failed).",
    ["purpose", "answer"],
)
LAG: Final = _gauge("wirewatch_lag_records", "Records published and not yet committed by the step.", ["step", "topic"])
OLDEST_SECONDS: Final = _gauge(
    "wirewatch_oldest_unacknowledged_seconds",
    "Age of the oldest record that the step has not committed; 0 when there is none.",
    ["step", "topic"],
)
FEEDS: Final = _gauge(
    "wirewatch_feeds", "Feeds, by how their last poll ended; due: those that wait for one.", ["status"]
)
QUEUED: Final = _gauge("wirewatch_queued", "Rows of a queue of the state, by status.", ["queue", "status"])
HELD: Final = _gauge("wirewatch_held", "1 while the step holds its work because something else is not well.", ["step"])
SILENT_SECONDS: Final = _gauge(
    "wirewatch_silent_seconds", "Time since the step gave a sign of life; 0 while it rests.", ["step"]
)
PROBLEM: Final = _gauge(
    "wirewatch_problem", "1 while the watch has told about this and it goes on.", ["kind", "subject"]
)
DISK_USED: Final = _gauge("wirewatch_disk_used_ratio", "How full the disk of the data folder is, 0 to 1.")
LAST_LOOK: Final = _gauge(
    "wirewatch_last_look_timestamp_seconds",
    "When lag, ages, feeds and queues were last looked up, in Unix seconds; they are as old as this.",
)
ALL: Final = (
    RECORDS, BATCH_SECONDS, STAGE_SECONDS, STAGE_FAILURES, PAGES_WITHOUT_ARTICLE, AGE_SECONDS, REQUESTS, LAG,
    OLDEST_SECONDS, FEEDS, QUEUED, HELD, SILENT_SECONDS, PROBLEM, DISK_USED, LAST_LOOK,
)  # fmt: skip

TRACE_HEADER: Final = "traceparent"
"""Of a record: which trace it belongs to, as https://www.w3.org/TR/trace-context/ (version 00) writes it."""

_TRACE: Final = re.compile(r"00-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")


def new_trace() -> dict[str, str]:
    """Return the header that begins a trace."""
    return {TRACE_HEADER: f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-01"}


def trace_id(headers: Mapping[str, str]) -> str:
    """Return the trace that a record belongs to, "" when it has none or a stranger wrote nonsense."""
    found = _TRACE.fullmatch(headers.get(TRACE_HEADER, ""))
    return found[1] if found else ""


def passed_on(headers: Mapping[str, str]) -> dict[str, str]:
    """Return the header for what is made of a record with ``headers``: the same trace, a new span."""
    trace = trace_id(headers)
    return {TRACE_HEADER: f"00-{trace}-{secrets.token_hex(8)}-01"} if trace else new_trace()


class Sign(Struct):
    """The last sign of life of one step."""

    at: float
    """In seconds of ``time.monotonic``; ahead of it while the step rests."""
    held_because: str = ""
    stands_by: bool = False


class Signs:
    """The signs of life of all steps in this process; written by their threads, read by whoever asks."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._by_step: dict[str, Sign] = {}

    def beat(self, step: str, rests_seconds: float = 0.0) -> None:
        """The step goes on, and means to be silent for ``rests_seconds`` now."""
        until = self._monotonic() + rests_seconds
        sign = self._by_step.get(step)
        if sign is None:
            self._by_step[step] = Sign(until)
        else:
            sign.at = until

    def hold(self, step: str, cause: str) -> None:
        """The step waits because something else is not well; an empty cause: no longer."""
        self.beat(step)
        self._by_step[step].held_because = cause
        HELD.labels(step).set(1 if cause else 0)

    def go_on(self, step: str) -> None:
        """The step has done what it wanted to: it holds no longer, nor does it stand by."""
        sign = self._by_step.get(step)
        if sign is not None and (sign.held_because or sign.stands_by):
            sign.stands_by = False
            self.hold(step, "")

    def stand_by(self, step: str) -> None:
        """Another process does the step's work, and this one is ready to take over."""
        self.hold(step, "")
        self._by_step[step].stands_by = True

    def forget(self, step: str) -> None:
        """The step has ended as it was told to."""
        if self._by_step.pop(step, None):
            HELD.labels(step).set(0)
            SILENT_SECONDS.labels(step).set(0)

    def silent(self, seconds: float) -> Mapping[str, float]:
        """Return the steps that gave no sign for longer than ``seconds``, with how long that is."""
        now = self._monotonic()
        return {step: now - sign.at for step, sign in dict(self._by_step).items() if now - sign.at > seconds}

    def held(self) -> Mapping[str, str]:
        """Return the steps that hold their work, with the cause."""
        return {step: sign.held_because for step, sign in dict(self._by_step).items() if sign.held_because}

    def steps(self) -> Mapping[str, str]:
        """Return each step with what it does now: works, stands by, or holds."""
        return {
            step: "holds" if sign.held_because else "stands by" if sign.stands_by else "works"
            for step, sign in dict(self._by_step).items()
        }


SIGNS: Final = Signs()
"""Of this process."""


W = Callable[[float], bool]
P = ParamSpec("P")
R = TypeVar("R")
X = TypeVar("X")


def beating(step: str, wait: W) -> W:
    """Return ``wait``, giving a sign of life of ``step`` whenever it is called: every loop asks it all the time."""

    def wait_and_beat(seconds: float) -> bool:
        SIGNS.beat(step, seconds)
        return wait(seconds)

    return wait_and_beat


def giving_signs(
    step: str,
) -> Callable[[Callable[Concatenate[X, W, P], R]], Callable[Concatenate[X, W, P], R]]:
    """Decorate a step's loop, ``run(ports, wait, …)``, so that each of its waits is a sign of life.

    A loop that returns is forgotten. One that raises is not: whoever starts it again makes it give signs again, and if
    nobody does, its silence is what has to be noticed.
    """

    def with_signs(run: Callable[Concatenate[X, W, P], R]) -> Callable[Concatenate[X, W, P], R]:
        @wraps(run)
        def signed(ports: X, wait: W, /, *args: P.args, **options: P.kwargs) -> R:
            result = run(ports, beating(step, wait), *args, **options)
            SIGNS.forget(step)
            return result

        return signed

    return with_signs


class _Answer(Protocol):
    @property
    def status(self) -> int: ...


A = TypeVar("A", bound=_Answer)


Purpose = Literal["feed", "page", "robots", "webhook", "heartbeat"]


async def counted(purpose: Purpose, request: Awaitable[A]) -> A:
    """Await the answer to a request and count it by class. Raises what the request does."""
    try:
        answer = await request
    except RequestRefused:
        REQUESTS.labels(purpose, "refused").inc()
        raise
    except RequestFailed:
        REQUESTS.labels(purpose, "failed").inc()
        raise
    kind = f"{answer.status // 100}xx" if 200 <= answer.status < 600 else "other"
    REQUESTS.labels(purpose, kind).inc()
    return answer
