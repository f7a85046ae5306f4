"""The one door out: every request that Wirewatch makes, to feeds, pages and webhooks, passes here.

URLs come from strangers, so each is checked when it is given or reached by a redirect, and each address again when a
connection is made to it. A name is looked up once for a connection, and the connection goes to the very addresses
that were checked: an answer that changes between check and use (DNS rebinding) changes nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import ssl
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, Self

import aiohttp
import msgspec
from yarl import URL

from pipeline.access import Access, Proxy, basic_login
from pipeline.adapters.addresses import Allowed, outgoing_url
from pipeline.adapters.decoding import ACCEPT_ENCODING, BodyDecoder
from pipeline.adapters.gate import Gate, LookUp, SystemLookUp
from pipeline.adapters.http_failures import failure_of
from pipeline.errors import RequestFailed, RequestRefused
from pipeline.ports import Response

_REDIRECTS = {301, 302, 303, 307, 308}
_PERMANENT = {301, 308}
_KEPT_ACROSS_ORIGINS = {"accept", "accept-language", "if-modified-since", "if-none-match", "user-agent"}
_CONTROLS = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_LOOK_SECONDS = 2.0  # how long a name is looked up that a proxy is to look up
_CONNECTIONS = 256  # open at once, over all hosts; who asks decides how many of one host


class _Ask(msgspec.Struct, frozen=True):
    """What stays the same over all hops of a request."""

    method: Literal["GET", "POST"]
    body: bytes | None
    max_bytes: int
    way: Proxy | None


class HttpDoor:
    """Adapter of the port ``Http``, on aiohttp. Use it within the loop that it was made in, and close it there.

    No cookies are kept, no proxy or netrc setting of the environment is read, and credentials stay with their origin.

    Through a proxy, every URL is judged as without one, but it is the proxy that looks names up and connects: no
    address can be pinned from here, so the proxy has to guard its own network. Where this machine can look a name up
    within ``_LOOK_SECONDS``, one with a private address is refused before the proxy is asked. The proxy's own address,
    if private, is open to its session alone, and no URL may name it.
    """

    def __init__(
        self,
        *,
        user_agent: str,
        allowed: Sequence[str] = (),
        resolver: LookUp | None = None,
        ssl_context: ssl.SSLContext | None = None,
        proxy: Proxy | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Open the door. ``allowed`` names the private addresses that may be reached (see ``Allowed``).

        Raises:
            UsageError: an entry of ``allowed`` cannot be read.
        """
        self._allowed = Allowed(allowed)
        self._proxy = proxy
        self._look_up = resolver or SystemLookUp()
        self._monotonic = monotonic
        self._ssl = ssl_context or True
        self._headers = {"User-Agent": user_agent, "Accept-Encoding": ACCEPT_ENCODING}
        self._gate = Gate(self._allowed, self._look_up, monotonic)
        self._session = self._open_session(self._gate)
        self._by_proxy: dict[Proxy, aiohttp.ClientSession] = {}

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
        """Send one request and return the answer, following the redirects of a GET (a POST's are returned as they are).

        The deadline covers everything, redirects and a slow body included. ``max_bytes`` counts the decoded body. What
        ``access`` gives to send goes to the origin of ``url`` alone; its proxy goes before the door's own.

        Raises:
            RequestRefused: by our own rules (address, scheme, hops, size, a host that ``access`` is not for); trying
                again cannot help.
            RequestFailed: DNS, TLS, no answer in time, or a broken one, as its ``trouble`` says; it may work later.
        """
        way = (access.proxy if access else None) or self._proxy
        ask = _Ask(method, body, max_bytes, way)
        target = outgoing_url(url, self._allowed)
        own = _checked_headers(headers or {})
        sent = own | (_credentials(access, target) if access else {})
        kept = {name: value for name, value in own.items() if name in _KEPT_ACROSS_ORIGINS}
        permanent_url, is_permanent = "", True
        visited = {target}
        try:
            async with asyncio.timeout(timeout_seconds):
                while True:
                    answer = await self._exchange(ask, target, sent)
                    if method == "POST" or answer.status not in _REDIRECTS or not answer.headers.get("location"):
                        return msgspec.structs.replace(answer, permanent_url=permanent_url)
                    following = self._next_hop(target, answer.headers["location"])
                    _check_trail(visited, following, max_redirects)
                    visited.add(following)
                    is_permanent = is_permanent and answer.status in _PERMANENT
                    permanent_url = str(following) if is_permanent else permanent_url
                    sent = sent if following.origin() == target.origin() else kept
                    target = following
        except TimeoutError:
            raise RequestFailed(f"no complete answer from {target.host} within {timeout_seconds:g} s") from None

    async def close(self) -> None:
        """Close all connections."""
        for session in (self._session, *self._by_proxy.values()):
            await session.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def _exchange(self, ask: _Ask, target: URL, headers: Mapping[str, str]) -> Response:
        """Send one request without following it; the body of a redirect to be followed is left unread."""
        session, options = self._session, {}
        if ask.way is not None:
            await self._check_behind_proxy(target, ask.way)
            session, options = self._session_by(ask.way), _through(ask.way, target)
            headers = {**headers, **options.pop("headers")}
        try:
            async with session.request(
                ask.method, target, headers=headers, data=ask.body, allow_redirects=False, **options
            ) as answer:
                received = _received_headers(answer)
                is_hop = ask.method == "GET" and answer.status in _REDIRECTS and received.get("location")
                content = b"" if is_hop else await _read_body(answer, ask.max_bytes)
                return Response(status=answer.status, url=str(target), headers=received, body=content)
        except (aiohttp.ClientError, OSError) as error:
            failure = failure_of(error, f"{target.raw_host}:{target.port}")
        # Raised out here, because aiohttp's errors carry the whole URL and its secrets into a traceback.
        raise failure

    async def _check_behind_proxy(self, target: URL, way: Proxy) -> None:
        """Refuse the proxy's own address, and a name that is known here to be private."""
        host, port = (target.raw_host or "").rstrip("."), target.port or 0
        if (host, port) == (way.host.rstrip("."), way.port):
            raise RequestRefused(f"{host}:{port} is the proxy itself")
        with contextlib.suppress(RequestFailed, TimeoutError):  # not known here: the proxy looks it up
            async with asyncio.timeout(_LOOK_SECONDS):
                await self._gate.check(target.raw_host or "", port)

    def _session_by(self, way: Proxy) -> aiohttp.ClientSession:
        if way not in self._by_proxy:
            place = f"[{way.host}]:{way.port}" if ":" in way.host else f"{way.host}:{way.port}"
            self._by_proxy[way] = self._open_session(Gate(Allowed([place]), self._look_up, self._monotonic))
        return self._by_proxy[way]

    def _open_session(self, gate: Gate) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                resolver=gate,
                socket_factory=gate.open_socket,
                use_dns_cache=False,
                limit=_CONNECTIONS,
                ssl=self._ssl,
            ),
            headers=self._headers,
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=None),  # one deadline, in request()
            auto_decompress=False,
            trust_env=False,
        )

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


def _credentials(access: Access, target: URL) -> dict[str, str]:
    """Return what to send to ``target`` beside the usual headers. Raises ``RequestRefused`` when it is not for that."""
    to_send = access.to_send()
    if to_send and (target.raw_host or "").rstrip(".") not in access.hosts:
        raise RequestRefused(
            f"its access is not for {target.host}; if it should be, add that to the hosts in access.toml"
        )
    return to_send


def _through(way: Proxy, target: URL) -> dict[str, Any]:
    """Return what sends a request to ``target`` through a proxy; its login goes to the proxy alone."""
    login = {"proxy-authorization": basic_login(way.user, way.password)} if way.user else {}
    is_tunnel = target.scheme == "https"
    return {
        "proxy": URL.build(scheme="http", host=way.host, port=way.port),
        "proxy_headers": login if is_tunnel else None,
        "headers": {} if is_tunnel else login,
    }


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
