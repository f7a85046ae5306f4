"""Serves feeds to the polling benchmark from a process of its own, over HTTP and HTTPS.

``/same/N`` answers 304 once its ETag is shown; ``/two/N`` has 2 of its 50 items new at each request, ``/all/N`` all 50.
A feed is 28 kB. It speaks as much HTTP/1.1 as the benchmark's clients need, so that it is never what is measured.
"""

from __future__ import annotations

import asyncio
import ssl
import sys

import uvloop

ITEMS = 50
WORDS = (
    "The harbour office said on Monday that the ferry would sail again once the storm had passed and the pier was "
    "checked by engineers from the ministry, who had come on the first train of the day to look at what the sea left. "
    "Fishermen who had waited since the weekend told reporters that they had lost nets and two boats, and that nobody "
    "had warned them before the water came over the wall &amp; into the market hall."
)


def item(feed: int, number: int) -> str:
    """Return one item; its text is the same whenever it is served."""
    day, hour = 1 + number // 24 % 28, number % 24
    return (
        f"<item><title>Storm report {number} from harbour {feed}</title>"
        f"<link>https://h{feed}.bench.test/news/{number}</link><guid>https://h{feed}.bench.test/news/{number}</guid>"
        f"<pubDate>{day:02} Mar 2026 {hour:02}:00:00 GMT</pubDate><description>{WORDS[number % 7 :]}</description>"
        "</item>\n"
    )


def body(feed: int, newest: int) -> bytes:
    """Return a feed of the 50 items up to ``newest``, newest first."""
    items = "".join(item(feed, number) for number in range(newest, newest - ITEMS, -1))
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<rss version="2.0"><channel><title>Harbour {feed}</title>'
        f"<link>https://h{feed}.bench.test/</link><description>News</description>{items}</channel></rss>"
    ).encode()


class Server(asyncio.Protocol):
    """One connection."""

    newest: dict[str, int] = {}  # noqa: RUF012 - one for all connections

    def __init__(self) -> None:
        self.received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.received += data
        while (end := self.received.find(b"\r\n\r\n")) >= 0:
            request, self.received = self.received[:end], self.received[end + 4 :]
            self.transport.write(self.answer(request))  # type: ignore[attr-defined]

    def answer(self, request: bytes) -> bytes:
        path = request.split(b" ", 2)[1].decode()
        _, kind, number = path.split("/")
        if kind == "same":
            if b"if-none-match" in request.lower():
                return b'HTTP/1.1 304 Not Modified\r\nETag: "1"\r\n\r\n'
            return self.found(body(int(number), ITEMS), b'ETag: "1"\r\n')
        step = 2 if kind == "two" else ITEMS
        newest = self.newest[path] = self.newest.get(path, ITEMS) + step
        return self.found(body(int(number), newest))

    def found(self, content: bytes, more: bytes = b"") -> bytes:
        head = b"HTTP/1.1 200 OK\r\nContent-Type: application/rss+xml\r\n" + more
        return head + b"Content-Length: %d\r\n\r\n" % len(content) + content


async def main() -> None:
    """Print the ports of HTTP and HTTPS, then serve."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[1], sys.argv[2])
    loop = asyncio.get_running_loop()
    plain = await loop.create_server(Server, "0.0.0.0", 0, backlog=1024)
    secure = await loop.create_server(Server, "127.0.0.1", 0, backlog=1024, ssl=context)
    print(*(server.sockets[0].getsockname()[1] for server in (plain, secure)), flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(main())
