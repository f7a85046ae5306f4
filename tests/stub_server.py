"""A programmable HTTP server on 127.0.0.1, for tests that need an answering, hanging or lying neighbour.

It speaks HTTP/1.1 by hand, because half of its work is to break the protocol::

    with StubServer() as server:
        server.on("/feed", Answer(body=b"<rss/>", headers={"ETag": '"1"'}), Answer(status=503))  # then 503 for ever
        server.on("/slow", Answer(chunks=itertools.repeat(b"x"), pause_seconds=1))
        server.on("/echo", lambda request: Answer(body=request.body))
        ...  # anything, sync or asyncio: the server runs in a thread of its own
        assert server.requests[0].headers["user-agent"] == "wirewatch"
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Self
from urllib.parse import parse_qsl, urlsplit

_TLS_HANDSHAKE = b"\x16"  # the first byte of a client that takes this for an https server
_LINGER_ZERO = struct.pack("ii", 1, 0)  # close() sends RST instead of FIN


@dataclass(frozen=True)
class Request:
    """What a client sent; header names in lower case, repeated ones joined by ", "."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def path(self) -> str:
        return urlsplit(self.target).path

    @property
    def query(self) -> dict[str, str]:
        return dict(parse_qsl(urlsplit(self.target).query, keep_blank_values=True))


@dataclass(frozen=True)
class Answer:
    """What the server does with one request."""

    status: int = 200
    body: bytes | str = b""
    headers: Mapping[str, str] | Sequence[tuple[str, str]] = field(default_factory=dict)
    """A list of pairs may repeat a name. Content-Length and Content-Type are added where missing."""
    chunks: Iterable[bytes] | None = None
    """Sent instead of ``body``, each as one chunk of a chunked answer; may be endless."""
    pause_seconds: float = 0.0
    """Waited before the head and before each chunk."""
    hang: bool = False
    """Read the request, send ``raw`` if there is any, and never say more."""
    reset: bool = False
    """Reset the connection instead of answering."""
    cut: bool = False
    """Promise the whole body, send half of it, close."""
    reset_after: bool = False
    """Send the head and all chunks, and reset the connection in place of the end."""
    raw: bytes | None = None
    """Sent as it is, in place of a whole answer; then the connection is closed, unless it shall ``hang``."""


class StubServer:
    """Answers by path, records every request. Start and stop it with ``with``."""

    def __init__(self, ssl_context: ssl.SSLContext | None = None, *, host: str = "127.0.0.1") -> None:
        self.requests: list[Request] = []
        self.connections = 0
        """Connections accepted so far, whether or not a request came."""
        self.port = 0
        self._host = host
        self._ssl_context = ssl_context
        self._answers: dict[str, list[Answer] | Callable[[Request], Answer]] = {}
        self._changed = threading.Condition()
        self._ready = threading.Event()
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="stub-server", daemon=True)

    def on(self, path: str, *answers: Answer | Callable[[Request], Answer]) -> None:
        """Answer requests for ``path`` with these in turn, then with the last one for ever; or by one function."""
        first = answers[0]
        if callable(first):
            self._answers[path] = first
        else:
            self._answers[path] = [answer for answer in answers if isinstance(answer, Answer)]

    def url(self, path: str = "/", host: str = "") -> str:
        """Return the address of ``path``; ``host`` may be a name that the client's resolver maps to 127.0.0.1."""
        return f"{'https' if self._ssl_context else 'http'}://{host or self._host}:{self.port}{path}"

    @property
    def address(self) -> str:
        """``host:port``, as the setting of permitted private addresses takes it."""
        return f"{self._host}:{self.port}"

    def requests_for(self, path: str) -> list[Request]:
        return [request for request in self.requests if request.path == path]

    def wait_for_requests(self, count: int, deadline_seconds: float = 10.0) -> None:
        """Return once ``count`` requests have come in all; fail after the deadline."""
        with self._changed:
            if not self._changed.wait_for(lambda: len(self.requests) >= count, deadline_seconds):
                raise AssertionError(f"{len(self.requests)} of {count} requests came within {deadline_seconds} s")

    def __enter__(self) -> Self:
        self._thread.start()
        self._ready.wait()
        if self._failure:
            raise self._failure
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as error:
            self._failure = error
            self._ready.set()
            raise

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        server = await asyncio.start_server(self._connected, self._host, 0, ssl=self._ssl_context)
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        await self._stop.wait()
        server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await server.wait_closed()

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = self._loop.create_task(self._converse(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
                while request := await _read_request(reader, writer):
                    answer = self._record_and_choose(request)
                    if not await _send(answer, request, reader, writer):
                        break
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError, ssl.SSLError, asyncio.CancelledError):
                await writer.wait_closed()

    def _record_and_choose(self, request: Request) -> Answer:
        programmed = self._answers.get(request.path, self._answers.get("*"))
        with self._changed:
            self.requests.append(request)
            self._changed.notify_all()
        if programmed is None:
            return Answer(status=404, body=f"no answer was programmed for {request.path}")
        if callable(programmed):
            return programmed(request)
        return programmed.pop(0) if len(programmed) > 1 else programmed[0]


async def _read_request(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Request | None:
    """Return the next request; None when the client has closed the connection or speaks TLS to a plain server."""
    start = await reader.read(1)
    if start == _TLS_HANDSHAKE:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")  # in plain text, as real servers do
    if start in {b"", _TLS_HANDSHAKE}:
        return None
    head = start + await reader.readuntil(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").rstrip("\r\n").split("\r\n")
    method, target, _version = first.split(" ", 2)
    headers: dict[str, str] = {}
    for line in lines:
        name, _, value = line.partition(":")
        name, value = name.strip().lower(), value.strip()
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    if headers.get("transfer-encoding", "").lower() == "chunked":
        body = await _read_chunks(reader)
    else:
        body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Request(method=method, target=target, headers=headers, body=body)


async def _read_chunks(reader: asyncio.StreamReader) -> bytes:
    body = b""
    while size := int((await reader.readuntil(b"\r\n")).split(b";")[0], 16):
        body += (await reader.readexactly(size + 2))[:-2]
    await reader.readuntil(b"\r\n")
    return body


async def _send(answer: Answer, request: Request, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
    """Return whether the connection may serve another request."""
    if answer.hang:
        writer.write(answer.raw or b"")
        await reader.read()  # until the client gives up or the server stops
        return False
    if answer.pause_seconds:
        await asyncio.sleep(answer.pause_seconds)
    if answer.reset:
        return _reset(writer)
    if answer.raw is not None:
        writer.write(answer.raw)
        await writer.drain()
        return False
    body = answer.body.encode() if isinstance(answer.body, str) else answer.body
    writer.write(_head(answer, len(body)))
    if request.method != "HEAD" and answer.chunks is not None:
        for chunk in answer.chunks:
            await asyncio.sleep(answer.pause_seconds)
            writer.write(b"%x\r\n%b\r\n" % (len(chunk), chunk))
            await writer.drain()
        if answer.reset_after:
            return _reset(writer)
        if not answer.cut:
            writer.write(b"0\r\n\r\n")
    elif request.method != "HEAD":
        writer.write(body[: len(body) // 2] if answer.cut else body)
    await writer.drain()
    return not answer.cut and request.headers.get("connection", "").lower() != "close"


def _reset(writer: asyncio.StreamWriter) -> bool:
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_ZERO)
    writer.transport.abort()
    return False


def _head(answer: Answer, length: int) -> bytes:
    pairs = list(answer.headers.items() if isinstance(answer.headers, Mapping) else answer.headers)
    names = {name.lower() for name, _ in pairs}
    if "content-type" not in names:
        pairs.append(("Content-Type", "application/octet-stream"))
    if answer.chunks is not None:
        pairs.append(("Transfer-Encoding", "chunked"))
    elif "content-length" not in names and answer.status not in {204, 304}:
        pairs.append(("Content-Length", str(length)))
    phrase = HTTPStatus(answer.status).phrase if answer.status in set(HTTPStatus) else "Odd"
    lines = [f"HTTP/1.1 {answer.status} {phrase}", *(f"{name}: {value}" for name, value in pairs), "", ""]
    return "\r\n".join(lines).encode("latin-1", "replace")
