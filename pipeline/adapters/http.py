"""The one door out: every request that Wirewatch makes, to feeds, pages and webhooks, passes here.

URLs come from strangers, so each is checked when it is given or reached by a redirect, and each address again when a
connection is made to it. A name is looked up once for a connection, and the connection goes to the very addresses
that were checked: an answer that changes between check and use (DNS rebinding) changes nothing.
"""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import Mapping, Sequence
from typing import Literal, Self

import aiohttp
import msgspec
from yarl import URL

from pipeline.adapters.addresses import Allowed, outgoing_url
from pipeline.adapters.decoding import ACCEPT_ENCODING, BodyDecoder
from pipeline.adapters.gate import Gate, LookUp, system_look_up
from pipeline.adapters.http_failures import failure_of
from pipeline.errors import RequestFailed, RequestRefused
from pipeline.ports import Response

_REDIRECTS = {301, 302, 303, 307, 308}
_PERMANENT = {301, 308}
_KEPT_ACROSS_ORIGINS = {"accept", "accept-language", "if-modified-since", "if-none-match", "user-agent"}
_CONTROLS = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_CONNECTIONS = 256  # open at once, over all hosts; who asks decides how many of one host


class HttpDoor:
    """Adapter of the port ``Http``, on aiohttp. Use it within the loop that it was made in, and close it there.

    No cookies are kept, no proxy or netrc setting of the environment is read, and credentials stay with their origin.
    """

    def __init__(
        self,
        *,
        user_agent: str,
        allowed: Sequence[str] = (),
        resolver: LookUp | None = None,
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        """Open the door. ``allowed`` names the private addresses that may be reached (see ``Allowed``).

        Raises:
            UsageError: an entry of ``allowed`` cannot be read.
        """
        self._allowed = Allowed(allowed)
        gate = Gate(self._allowed, resolver or system_look_up)
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                resolver=gate,
                socket_factory=gate.open_socket,
                use_dns_cache=False,
                limit=_CONNECTIONS,
                ssl=ssl_context or True,
            ),
            headers={"User-Agent": user_agent, "Accept-Encoding": ACCEPT_ENCODING},
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=None),  # one deadline, in request()
            auto_decompress=False,
            trust_env=False,
        )

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
    ) -> Response:
        """Send one request and return the answer, following the redirects of a GET (a POST's are returned as they are).

        The deadline covers everything, redirects and a slow body included. ``max_bytes`` counts the decoded body.

        Raises:
            RequestRefused: by our own rules (address, scheme, too many hops, too large); trying again cannot help.
            RequestFailed: DNS, TLS, no answer in time, or a broken one, as its ``trouble`` says; it may work later.
        """
        target = outgoing_url(url, self._allowed)
        sent = _checked_headers(headers or {})
        permanent_url, is_permanent = "", True
        visited = {target}
        try:
            async with asyncio.timeout(timeout_seconds):
                while True:
                    answer = await self._exchange(method, target, sent, body, max_bytes)
                    if method == "POST" or answer.status not in _REDIRECTS or not answer.headers.get("location"):
                        return msgspec.structs.replace(answer, permanent_url=permanent_url)
                    following = self._next_hop(target, answer.headers["location"])
                    _check_trail(visited, following, max_redirects)
                    visited.add(following)
                    is_permanent = is_permanent and answer.status in _PERMANENT
                    permanent_url = str(following) if is_permanent else permanent_url
                    if following.origin() != target.origin():
                        sent = {name: value for name, value in sent.items() if name in _KEPT_ACROSS_ORIGINS}
                    target = following
        except TimeoutError:
            raise RequestFailed(f"no complete answer from {target.host} within {timeout_seconds:g} s") from None

    async def close(self) -> None:
        """Close all connections."""
        await self._session.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def _exchange(
        self, method: str, target: URL, headers: Mapping[str, str], body: bytes | None, max_bytes: int
    ) -> Response:
        """Send one request without following it; the body of a redirect to be followed is left unread."""
        answered = False
        try:
            async with self._session.request(
                method, target, headers=headers, data=body, allow_redirects=False
            ) as answer:
                answered = True
                received = _received_headers(answer)
                is_hop = method == "GET" and answer.status in _REDIRECTS and received.get("location")
                content = b"" if is_hop else await _read_body(answer, max_bytes)
                return Response(status=answer.status, url=str(target), headers=received, body=content)
        except (aiohttp.ClientError, OSError) as error:
            failure = failure_of(error, f"{target.raw_host}:{target.port}", answered=answered)
        # Raised out here, because aiohttp's errors carry the whole URL and its secrets into a traceback.
        raise failure

    def _next_hop(self, target: URL, location: str) -> URL:
        try:
            following = outgoing_url(location, self._allowed, base=target)
        except RequestRefused as error:
            raise RequestRefused(f"{target.host} redirects to a refused address: {error}") from None
        if target.scheme == "https" and following.scheme == "http":
            raise RequestRefused(f"{target.host} redirects from https to http, on {following.host}")
        return following


def _checked_headers(headers: Mapping[str, str]) -> dict[str, str]:
    for name, value in headers.items():
        if _CONTROLS.search(name + value):
            raise RequestRefused(f"the header {name!r} holds a control character")
    return {name.lower(): value for name, value in headers.items()}


def _check_trail(visited: set[URL], following: URL, max_redirects: int) -> None:
    """Refuse a hop that goes in a circle or is one too many; ``visited`` holds the start and the hops so far."""
    if following in visited:
        raise RequestRefused(f"{following.host} redirects in a circle; it may insist on cookies")
    if len(visited) > max_redirects:
        raise RequestRefused(f"more than {max_redirects} redirects, the last to {following.host}")


def _received_headers(answer: aiohttp.ClientResponse) -> dict[str, str]:
    headers: dict[str, str] = {}
    for name, value in answer.headers.items():
        key, text = name.lower(), value.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
        headers[key] = f"{headers[key]}, {text}" if key in headers else text
    return headers


async def _read_body(answer: aiohttp.ClientResponse, max_bytes: int) -> bytes:
    if (answer.content_length or 0) > max_bytes:
        raise RequestRefused(f"the answer is larger than {max_bytes:,} bytes")
    decoder = BodyDecoder(answer.headers.get("Content-Encoding", ""), max_bytes)
    async for piece in answer.content.iter_any():
        decoder.feed(piece)
    return decoder.finish()
