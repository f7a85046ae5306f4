"""A small HTTP proxy on 127.0.0.1: it forwards absolute requests and opens tunnels, for names that it alone knows."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Mapping
from typing import Self
from urllib.parse import urlsplit


class StubProxy:
    """Records the head of each request that it gets. Start and stop it with ``with``."""

    def __init__(self, names: Mapping[str, str] | None = None, *, refuse: bool = False) -> None:
        self.heads: list[str] = []
        self.port = 0
        self._names = names or {}
        self._refuse = refuse
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), name="stub-proxy", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self._ready.wait()
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        await self._stop.wait()
        server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await server.wait_closed()

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = self._loop.create_task(self._pass_on(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        upstream = None
        try:
            with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
                head = await reader.readuntil(b"\r\n\r\n")
                self.heads.append(head.decode("latin-1"))
                method, target, _ = head.split(b" ", 2)
                if self._refuse:
                    writer.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
                    return
                is_tunnel = method == b"CONNECT"
                place = urlsplit(f"//{target.decode()}" if is_tunnel else target.decode())
                host = self._names.get(place.hostname or "", place.hostname)
                back, upstream = await asyncio.open_connection(host, place.port)
                if is_tunnel:
                    writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
                else:
                    upstream.write(head.replace(target, (place.path or "/").encode(), 1))
                await asyncio.wait(
                    [asyncio.create_task(_copy(reader, upstream)), asyncio.create_task(_copy(back, writer))],
                    return_when=asyncio.FIRST_COMPLETED,
                )
        finally:
            for each in filter(None, (writer, upstream)):
                each.close()


async def _copy(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        while data := await source.read(65536):
            target.write(data)
            await target.drain()
