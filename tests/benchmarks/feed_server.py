"""Serves the benchmark's feeds from a process of its own: 50 items a feed, RSS 2.0 with the whole text."""

from __future__ import annotations

import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from xml.sax.saxutils import escape

sys.path.insert(0, str(Path(__file__).parent))
from texts import Story, edited, stories

ITEMS = 50


def rss(items: list[Story], number: int) -> bytes:
    """Return a feed of stories as publishers send it: the text as escaped HTML paragraphs."""
    body = "".join(
        f"<item><title>{escape(s.title)}</title><link>http://news{number}.example/{s.number}</link>"
        f"<guid>http://news{number}.example/{s.number}</guid><pubDate>Mon, 02 Mar 2026 08:00:00 GMT</pubDate>"
        f"<description>{escape(''.join(f'<p>{escape(p)}</p>' for p in s.text.split(chr(10) * 2)))}</description></item>"
        for s in items
    )
    return (
        f'<?xml version="1.0" encoding="utf-8"?><rss version="2.0"><channel><title>News {number}</title>'
        f"<link>http://news{number}.example/</link><description>b</description>{body}</channel></rss>"
    ).encode()


def main() -> None:
    """Print the port, then serve ``/round/number.rss``: round 1 as it was, round 2 with the edits."""
    number = int(sys.argv[1])
    first = list(stories(number))
    second = list(first)
    for story in edited(first):
        second[story.number] = story
    rounds = {"1": first, "2": second}
    bodies = {
        f"/{name}/{n}.rss": rss(items[n * ITEMS : (n + 1) * ITEMS], n)
        for name, items in rounds.items()
        for n in range((number + ITEMS - 1) // ITEMS)
    }
    current = "1"

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            nonlocal current
            if self.path.startswith("/round/"):
                current = self.path[-1]
            body = bodies.get(f"/{current}{self.path}", b"")
            self.send_response(200 if body or self.path.startswith("/round/") else 404)
            self.send_header("Content-Type", "application/rss+xml")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    print(server.server_port, flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
