"""The watch as a loop, in a thread of its own: look, decide, tell, and beat while all is well."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from datetime import datetime, timedelta
from typing import Any, Final

import structlog

from pipeline import telemetry, wiring
from pipeline.errors import RequestFailed, RequestRefused, UsageError
from pipeline.notice import Notice, Problem
from pipeline.ports import Clock, Http
from pipeline.redaction import Redactor
from pipeline.settings import Settings
from pipeline.watch.decide import Remembered, Seen, Thresholds, decide, notice
from pipeline.watch.look import Lookout
from pipeline.watch.server import Endpoints
from pipeline.watch.tell import Teller, check_names

log = structlog.get_logger("wirewatch")

LOOK_SECONDS: Final = 10.0
JOIN_SECONDS: Final = 2.0
"""A look at a broker that does not answer may hang for longer; its thread ends with the process."""
HEARTBEAT_DEADLINE_SECONDS: Final = 10.0

Wait = Callable[[float], bool]


def thresholds(settings: Settings) -> Thresholds:
    """Return the limits that the settings name."""
    return Thresholds(
        stopped=timedelta(minutes=settings.watch_stopped_minutes),
        oldest=timedelta(minutes=settings.watch_oldest_minutes),
        held=timedelta(minutes=settings.watch_held_minutes),
        disk_used=settings.watch_disk_percent / 100,
        repeat=timedelta(hours=settings.watch_repeat_hours),
    )


class Watch:
    """Judges what is seen, tells people, and keeps what it remembers in this process."""

    def __init__(self, settings: Settings, look: Callable[[], Seen], teller: Teller, http: Http, clock: Clock) -> None:
        self._settings = settings
        self._limits = thresholds(settings)
        self._look = look
        self._teller = teller
        self._http = http
        self._clock = clock
        self._remembered = Remembered()
        self._beat_at: datetime | None = None

    async def turn(self) -> Sequence[Notice]:
        """Look once, send what there is to tell, and the heartbeat when it is time; return what was new."""
        seen = self._look()
        now = self._clock()
        before = self._remembered
        notices, self._remembered = decide(seen, self._limits, now, before)
        _show(before, self._remembered)
        self._teller.add(notices)
        await self._teller.send()
        if not (self._remembered.told or seen.unseen) and self._teller.is_done:
            await self._beat(now)
        return notices

    async def _beat(self, now: datetime) -> None:
        """Ask for the heartbeat URL when it is time. Its owner notices when that ends, for whatever reason."""
        url = self._settings.heartbeat_url.get_secret_value()
        every = timedelta(seconds=self._settings.heartbeat_seconds)
        if not url or (self._beat_at is not None and timedelta(0) <= now - self._beat_at < every):
            return
        self._beat_at = now
        try:
            request = self._http.request("GET", url, timeout_seconds=HEARTBEAT_DEADLINE_SECONDS, max_bytes=1_000_000)
            answer = await telemetry.counted("heartbeat", request)
        except (RequestFailed, RequestRefused) as error:
            log.warning("no heartbeat", cause=str(error))
        else:
            if not 200 <= answer.status < 300:
                log.warning("no heartbeat", cause=f"its receiver answers {answer.status}")


def _show(before: Remembered, now: Remembered) -> None:
    for kind, subject in before.told.keys() - now.told.keys():
        telemetry.PROBLEM.labels(kind, subject).set(0)
    for kind, subject in now.told:
        telemetry.PROBLEM.labels(kind, subject).set(1)


def run_watch(settings: Settings, steps: Collection[str], wait: Wait, *, clock: Clock = wiring.utc_now) -> None:
    """Watch these steps until ``wait`` says stop.

    Raises:
        UsageError: a channel to tell is not set up.
    """
    wait = telemetry.beating("watch", wait)
    with ExitStack() as stack:
        loop = stack.enter_context(asyncio.Runner())
        http = loop.run(_open_http(settings))
        stack.callback(lambda: loop.run(http.close()))
        lookout = Lookout(settings, clock, steps)
        stack.callback(lookout.close)
        teller = Teller(wiring.open_channels(settings, http, clock), settings.watch_channels, clock)
        watch = Watch(settings, lookout.look, teller, http, clock)
        while not wait(0):
            try:
                loop.run(watch.turn())
            except Exception:  # a fault of ours must not end the watch: the next look may be well again
                log.exception("watch failed")
            wait(min(LOOK_SECONDS, settings.heartbeat_seconds))
    telemetry.SIGNS.forget("watch")


def refresh(settings: Settings, steps: Collection[str], wait: Wait, *, clock: Clock = wiring.utc_now) -> None:
    """Keep the gauges of these steps fresh until ``wait`` says stop; nobody is told anything."""
    lookout = Lookout(settings, clock, steps)
    try:
        while not wait(0):
            lookout.look()
            wait(LOOK_SECONDS)
    finally:
        lookout.close()


@contextmanager
def watched(settings: Settings, steps: Collection[str], *, tells: bool = False, serves: bool = True) -> Iterator[None]:
    """While the body runs these steps: serve what the setting ``metrics`` asks for, and with ``tells`` watch them.

    What only drains and exits is none of this: it has ``serves`` False.

    Raises:
        UsageError: the address cannot be served on, or a channel to tell is not set up.
    """
    if tells:
        check_names(settings.watch_channels, dict.fromkeys(wiring.check_channels(settings)))
    with ExitStack() as stack:
        if settings.metrics and serves:
            stack.enter_context(Endpoints(settings))
        if tells or (settings.metrics and serves and steps):
            stack.enter_context(_beside(run_watch if tells else refresh, settings, steps))
        yield


@contextmanager
def _beside(work: Callable[[Settings, Collection[str], Wait], None], *args: Any) -> Iterator[None]:
    """Do ``work`` in a thread of its own until the body ends."""
    ended = threading.Event()
    thread = threading.Thread(target=work, args=(*args, ended.wait), name="watch", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join(JOIN_SECONDS)


def say_ended(settings: Settings, cause: str, *, clock: Clock = wiring.utc_now) -> None:
    """Tell people, once, that a run has ended by itself; a channel that cannot take it now is not asked again."""

    async def say() -> None:
        http = await _open_http(settings)
        try:
            now = clock()
            teller = Teller(wiring.open_channels(settings, http, clock), settings.watch_channels, clock)
            teller.add([notice(Problem("run ended", "run", Redactor(settings.secrets())(cause)), "began", now, now)])
            await teller.send()
        finally:
            await http.close()

    with suppress(UsageError):  # a channel that cannot be opened may be why it ended
        asyncio.run(say())


async def _open_http(settings: Settings) -> Http:
    return wiring.open_http(settings)
