"""Outgoing: the one door for requests, and the channels that alerts take."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, Protocol

from msgspec import Struct

from pipeline.access import Access
from pipeline.notice import Notice
from pipeline.rule import Delivery


class Response(Struct, frozen=True, kw_only=True):
    """An answer, whatever its status; ``body`` is decompressed and complete."""

    status: int
    url: str
    """After redirects."""
    headers: dict[str, str]
    """Names in lower case; repeated ones joined by ", "."""
    body: bytes
    permanent_url: str = ""
    """Where 301 and 308 alone led, when the first hops were such."""


class Http(Protocol):
    """The one door out. Every address is checked when the connection is made, at every hop."""

    async def request(
        self,
        method: Literal["GET", "POST"],
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        timeout_seconds: float = 30.0,
        max_bytes: int = 20 * 1024 * 1024,
        max_redirects: int = 5,
        access: Access | None = None,
    ) -> Response:
        """Send one request and return the answer.

        What ``access`` gives to send goes to the origin of ``url`` alone, never to where that redirects, and its proxy
        is taken in place of the general one.

        Raises:
            RequestRefused: by our own rules (address, scheme, hops, size, a host that ``access`` is not for); trying
                again cannot help.
            RequestFailed: DNS, TLS, no answer in time, or a broken one, as its ``trouble`` says; it may work later.
        """
        ...

    async def close(self) -> None: ...


class Channel(Protocol):
    """Where alerts go, and the watch's notices."""

    async def send(self, delivery: Delivery) -> None:
        """Deliver one alert, at least once; a receiver can drop repeats by the alert's id.

        Raises:
            TryLater: not taken now (``retry_seconds`` when the receiver said how long).
            ChannelGone: the receiver does not want any more (410), or the channel is misconfigured.
        """
        ...

    async def tell(self, notice: Notice) -> None:
        """Deliver one notice of the watch, as ``send`` does an alert and raising the same; no alert looks like it."""
        ...
