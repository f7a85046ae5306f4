"""A process that reads feeds, so that a hostile one costs neither the poller's time nor its memory."""

from __future__ import annotations

import asyncio
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Collection

import msgspec

from pipeline.poll.bounds import NotAFeed
from pipeline.poll.parse import ParsedFeed
from pipeline.poll.parsing import LENGTH_BYTES, Reply, Request

SECONDS = 20.0
"""For one feed: five times what the worst of 20 MiB took that the bounds let pass."""
START_SECONDS = 60.0
"""For the process to come up, which takes 0.1 s on an idle core; no feed's fault, so no part of its time."""
MEMORY_BYTES = 768 * 1024 * 1024
FEEDS_PER_PROCESS = 10_000
"""After so many there is a new one: what years of feeds leave lying about must not be held against the next."""


class ParsingProcess:
    """Reads feeds one at a time, in the order asked for, in a process of its own; a ``Parse``.

    The process is started when first needed, as a fresh interpreter: a fork would take along what is open here. One
    that exceeds a limit or dies costs the feed in hand, and the next feed gets a new one. It sees no signal of the
    terminal's, none of our files and nothing of our environment, and it ends when we do. Belongs to one event loop.
    """

    def __init__(
        self, *, seconds: float = SECONDS, memory_bytes: int = MEMORY_BYTES, feeds: int = FEEDS_PER_PROCESS
    ) -> None:
        self._seconds = seconds
        self._feeds = feeds
        self._read = 0
        self._memory_bytes = memory_bytes
        self._turn = asyncio.Lock()
        self._process: Process | None = None
        self._encoder = msgspec.msgpack.Encoder()
        self._decoder = msgspec.msgpack.Decoder(Reply)

    async def __call__(
        self, body: bytes, *, content_type: str = "", url: str = "", known: Collection[int] = ()
    ) -> ParsedFeed:
        """The same as ``parse``."""
        return await self.parse(body, content_type=content_type, url=url, known=known)

    async def parse(
        self, body: bytes, *, content_type: str = "", url: str = "", known: Collection[int] = ()
    ) -> ParsedFeed:
        """Return what a feed says, as ``parse_feed`` does.

        Raises:
            NotAFeed: as there; or it took too long, too much memory, or the life of the process.
        """
        async with self._turn:
            reply = await self._ask(self._encoder.encode(Request(body, content_type, url, list(known))))
        if reply.feed is None:
            raise NotAFeed(reply.reason)
        return reply.feed

    async def close(self) -> None:
        """End the process, if there is one."""
        async with self._turn:
            await self._end()

    async def _ask(self, message: bytes) -> Reply:
        done = False
        try:
            process = await self._ready()
            try:
                async with asyncio.timeout(self._seconds):
                    reply = await self._exchange(process, message)
            except TimeoutError:
                raise NotAFeed(f"it took more than {self._seconds:g} s to read") from None
            self._read += 1
            done = not reply.spent and self._read % self._feeds != 0
        except (asyncio.IncompleteReadError, ConnectionError):
            raise NotAFeed("the process that read it died") from None
        except (TimeoutError, OSError) as error:
            raise NotAFeed(
                f"the process that reads feeds cannot be started now ({error or 'it took too long'})"
            ) from None
        finally:
            if not done:  # cancelled too: an answer that nobody waited for must not be taken for the next one's
                await self._end()
        return reply

    async def _exchange(self, process: Process, message: bytes) -> Reply:
        assert process.stdin is not None
        process.stdin.write(len(message).to_bytes(LENGTH_BYTES, "big"))
        process.stdin.write(message)
        await process.stdin.drain()
        return self._decoder.decode(await self._heard(process))

    async def _heard(self, process: Process) -> bytes:
        assert process.stdout is not None
        length = int.from_bytes(await process.stdout.readexactly(LENGTH_BYTES), "big")
        return await process.stdout.readexactly(length)

    async def _ready(self) -> Process:
        """Return a process that waits for a feed: the one there is, or a new one."""
        if self._process is not None and self._process.returncode is not None:
            await self._end()  # it died while it had nothing to do
        if self._process is None:
            self._process = await self._started()
            async with asyncio.timeout(START_SECONDS):
                await self._heard(self._process)
        return self._process

    async def _started(self) -> Process:
        # Its own alarm is for when we are gone: it goes off later than ours.
        arguments = (str(self._seconds * 1.5), str(self._memory_bytes))
        return await asyncio.create_subprocess_exec(
            sys.executable, "-P", "-m", "pipeline.poll.parsing_worker", *arguments, stdin=PIPE, stdout=PIPE,
            stderr=DEVNULL, start_new_session=True, cwd="/",
            env=_environment(),
        )  # fmt: skip

    async def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        if process.returncode is None:
            process.kill()
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.close()
        await process.stdout.read()  # to its end, so that nothing of it is left open
        await process.wait()


def _environment() -> dict[str, str]:
    """Return what the process needs to import what we can import, and nothing that is nobody's business but ours."""
    return {"PYTHONPATH": os.pathsep.join(os.path.abspath(path) for path in sys.path if path)}
