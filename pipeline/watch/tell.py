"""Tell people: send notices through the channels, again when one cannot take it now, and never without end."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

import structlog
from msgspec import Struct

from pipeline.errors import ChannelGone, TryLater, UsageError
from pipeline.notice import Notice
from pipeline.ports import Channel, Clock

log = structlog.get_logger("wirewatch")

GIVEN_UP_AFTER: Final = timedelta(hours=6)
"""As long as an alert is tried; after that the notice is repeated anyway if its problem goes on."""
FIRST_WAIT_SECONDS: Final = 10.0
LONGEST_WAIT_SECONDS: Final = 600.0
WAITING_AT_MOST: Final = 200
"""Notices; of more than that the oldest are forgotten. The heartbeat tells that they do not arrive."""


class _Waiting(Struct):
    notice: Notice
    channel: str
    attempts: int = 0
    due: datetime | None = None


def check_names(names: Sequence[str], channels: Mapping[str, object]) -> None:
    """Raise ``UsageError`` when the setting ``watch_channels`` names a channel that is not set up."""
    for name in names:
        if name not in channels:
            more = "; it needs WIREWATCH_WEBHOOK_URL" if name == "webhook" else ""
            raise UsageError(
                f"watch_channels: no channel “{name}” is set up{more}; there are: {', '.join(sorted(channels))}"
            )


class Teller:
    """Sends notices; what a channel cannot take now waits in memory."""

    def __init__(self, channels: Mapping[str, Channel], names: Sequence[str], clock: Clock) -> None:
        """Tell the channels of these names. Raises ``UsageError`` when one is not set up."""
        check_names(names, channels)
        self._channels = {name: channels[name] for name in names}
        self._clock = clock
        self._waiting: deque[_Waiting] = deque(maxlen=WAITING_AT_MOST)

    @property
    def is_done(self) -> bool:
        """Whether every notice was taken, or given up."""
        return not self._waiting

    def add(self, notices: Sequence[Notice]) -> None:
        """Have these sent to every channel."""
        self._waiting.extend(_Waiting(notice, name) for notice in notices for name in self._channels)

    async def send(self) -> None:
        """Send what is due, in order. Never raises for a channel that cannot or will not take it."""
        for _ in range(len(self._waiting)):
            waiting = self._waiting.popleft()
            if waiting.due and waiting.due > self._clock():
                self._waiting.append(waiting)
            elif wait := await self._seconds_until_next(waiting):
                waiting.attempts += 1
                waiting.due = self._clock() + timedelta(seconds=wait)
                self._waiting.append(waiting)

    async def _seconds_until_next(self, waiting: _Waiting) -> float | None:
        """Try once; return when to try again, None when that is not needed."""
        words = {"notice": str(waiting.notice), "channel": waiting.channel}
        try:
            await self._channels[waiting.channel].tell(waiting.notice)
        except TryLater as later:
            if self._clock() - waiting.notice.at < GIVEN_UP_AFTER:
                wait = later.retry_seconds or min(FIRST_WAIT_SECONDS * 2.0**waiting.attempts, LONGEST_WAIT_SECONDS)
                log.warning("notice put off", **words, cause=later.cause, next=f"again in {wait:.0f} s")
                return wait
            log.error("notice given up", **words, cause=later.cause)
        except ChannelGone as gone:
            log.error("notice given up", **words, cause=str(gone))
        return None
