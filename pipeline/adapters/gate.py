"""The gate in the one door out: it turns names into addresses and lets connections through to judged ones only."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
import time
from collections.abc import Awaitable, Callable, Sequence
from ipaddress import IPv6Address, ip_address
from queue import Empty, SimpleQueue
from typing import Any

from aiohttp.abc import AbstractResolver, ResolveResult

from pipeline.adapters.addresses import Allowed, IPAddress, check_address, not_public
from pipeline.errors import RequestFailed
from pipeline.outcomes import Trouble

LookUp = Callable[[str], Awaitable[Sequence[str]]]
"""Returns the addresses of a host name. Raises ``OSError`` when there are none."""


_KEPT_SECONDS = 5.0
"""Short beside any name's time to live (a minute at the least, as a rule), and long enough for a batch of polls."""
_KEPT_NAMES = 4096
_IDLE_SECONDS = 10.0


class Gate(AbstractResolver):
    """Looks names up and opens sockets only to addresses that it has judged.

    An answer is kept for ``_KEPT_SECONDS``, so that many connections to one host cost one look-up. It is judged anew
    for each of them, and a connection goes to the very addresses that were judged.
    """

    def __init__(self, allowed: Allowed, look_up: LookUp, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._allowed = allowed
        self._look_up = look_up
        self._monotonic = monotonic
        self._permitted_by_name: set[tuple[str, int]] = set()
        self._known: dict[str, tuple[float, tuple[IPAddress, ...]]] = {}

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Return the addresses of ``host``. One that is refused refuses the name, whatever the others are."""
        del family  # both, always
        addresses = await self.check(host, port)
        for address in addresses:
            if not_public(address):
                self._permitted_by_name.add((str(address), port))
        return [_resolved(host, str(address), port, isinstance(address, IPv6Address)) for address in addresses]

    async def check(self, host: str, port: int) -> Sequence[IPAddress]:
        """Return the addresses of ``host``, each of them judged.

        Raises:
            RequestRefused: one of them is private and not permitted.
            RequestFailed: it has none, or cannot be looked up.
        """
        addresses = await self._addresses(host)
        for address in addresses:
            check_address(host, address, port, self._allowed)
        return addresses

    async def _addresses(self, host: str) -> Sequence[IPAddress]:
        expires, addresses = self._known.get(host, (0.0, ()))
        if self._monotonic() < expires:
            return addresses
        try:
            addresses = tuple(ip_address(text) for text in await self._look_up(host))
        except (OSError, ValueError) as error:
            raise RequestFailed(f"DNS: {_cause(host, error)}", Trouble.DNS) from None
        if not addresses:
            raise RequestFailed(f"DNS: {host} has no address", Trouble.DNS)
        if len(self._known) >= _KEPT_NAMES:
            self._known.clear()
        self._known[host] = (self._monotonic() + _KEPT_SECONDS, addresses)
        return addresses

    def open_socket(self, address_info: tuple[Any, ...]) -> socket.socket:
        """Return a socket for a connection to this address, which is judged once more: nothing gets round the gate."""
        family, kind, protocol, _, (address, port, *_rest) = address_info
        if (address, port) not in self._permitted_by_name:
            check_address(address, ip_address(address), port, self._allowed)
        return socket.socket(family, kind, protocol)

    async def close(self) -> None:
        """Nothing is held."""


class SystemLookUp:
    """Asks the operating system, in threads that nobody waits for once a deadline has passed.

    A dead name server holds ``getaddrinfo`` for half a minute. In the loop's own few threads such names would hold up
    all others, and the end of the process too. So there is a thread for each look-up under way; done, it waits for the
    next one for a while, because to start a thread takes ten times as long as most look-ups.
    """

    def __init__(self) -> None:
        self._idle: list[SimpleQueue[Callable[[], None]]] = []

    async def __call__(self, host: str) -> Sequence[str]:
        """Return the addresses of ``host``. Raises ``OSError`` or ``UnicodeError`` when there are none."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Sequence[str]] = loop.create_future()

        def deliver(addresses: Sequence[str], error: Exception | None) -> None:
            if answer.done():
                return
            if error is None:
                answer.set_result(addresses)
            else:
                answer.set_exception(error)

        def ask() -> None:
            addresses: list[str] = []
            failure: Exception | None = None
            try:
                addresses = [str(found[4][0]) for found in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)]
            except (OSError, UnicodeError) as error:
                failure = error
            with contextlib.suppress(RuntimeError):  # the loop was closed meanwhile
                loop.call_soon_threadsafe(deliver, addresses, failure)

        try:
            self._idle.pop().put(ask)
        except IndexError:
            threading.Thread(target=self._work, args=(ask,), name="dns", daemon=True).start()
        return await answer

    def _work(self, ask: Callable[[], None]) -> None:
        """Do one look-up after another. Who takes the inbox out of ``_idle`` puts something into it, or is this."""
        inbox: SimpleQueue[Callable[[], None]] = SimpleQueue()
        while True:
            ask()
            self._idle.append(inbox)
            try:
                ask = inbox.get(timeout=_IDLE_SECONDS)
            except Empty:
                try:
                    self._idle.remove(inbox)
                    return
                except ValueError:  # taken just now
                    ask = inbox.get()


def _cause(host: str, error: Exception) -> str:
    if not isinstance(error, socket.gaierror):
        return f"{host} cannot be looked up: {error}"
    if error.errno in {socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME)}:
        return f"no such name {host}"
    return f"{host} cannot be looked up now: {error.strerror}"


def _resolved(host: str, address: str, port: int, is_ipv6: bool) -> ResolveResult:
    family = socket.AF_INET6 if is_ipv6 else socket.AF_INET
    return ResolveResult(hostname=host, host=address, port=port, family=family, proto=0, flags=socket.AI_NUMERICHOST)
