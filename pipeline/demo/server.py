"""The demo's web server: a thin shell around ``answers.answer``, in a thread of its own."""

from __future__ import annotations

from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from math import floor
from threading import Lock, Thread
from types import TracebackType

from pipeline.demo.answers import Answer, ServedItem, answer
from pipeline.demo.render import Place
from pipeline.demo.timetable import load_timetable
from pipeline.feed import Feed
from pipeline.identity import feed_id

INTERVAL_SECONDS = 3
"""How often the demo's feeds are to be polled; no real feed should be asked that often."""


class DemoServer:
    """Serves the demo's feeds and pages, and keeps a list of what it gave away.

    Listens from construction on (connections wait), answers between ``__enter__`` and ``close``. The world begins at
    the second of construction.
    """

    def __init__(self, *, clock: Callable[[], float], host: str = "127.0.0.1", port: int = 0) -> None:
        """``clock`` gives seconds of Unix time; port 0 takes a free one. Raises ``OSError`` when it cannot listen."""
        self._clock = clock
        self._timetable = load_timetable()
        self._served: dict[ServedItem, None] = {}
        self._lock = Lock()
        self._listener = _Listener((host, port), self)
        self.url = f"http://{host}:{self._listener.server_port}"
        self._place = Place(self.url, floor(clock()))
        self._thread: Thread | None = None

    def __enter__(self) -> DemoServer:
        self._thread = Thread(target=self._listener.serve_forever, args=(0.05,), name="demo-server", daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    @property
    def elapsed(self) -> float:
        """Seconds since the start of this world."""
        return self._clock() - self._place.started

    @property
    def served(self) -> list[ServedItem]:
        """Every form of every article handed out so far, each once, in the order of its first time.

        What a client has read is here; what is here may have been sent to a client that hung up before the end.
        """
        with self._lock:
            return list(self._served)

    def feeds(self) -> list[Feed]:
        """Return the feeds to watch, the faulty ones among them."""
        return [
            Feed(
                id=feed_id(url := f"{self.url}/{outlet.slug}/feed.xml"),
                url=url,
                title=outlet.title,
                outlet=outlet.title,
                language=outlet.language,
                tags=("demo",),
                full_page=outlet.full_page,
                interval_seconds=INTERVAL_SECONDS,
            )
            for outlet in self._timetable.outlets
        ]

    def answer(self, path: str, headers: dict[str, str]) -> Answer:
        """Return what the server says now to a GET; nothing is noted as served."""
        return answer(path, headers, self._timetable, self.elapsed, self._place)

    def note_served(self, items: tuple[ServedItem, ...]) -> None:
        """Remember items that a client is about to receive."""
        with self._lock:
            self._served |= dict.fromkeys(items)

    def close(self) -> None:
        """Stop answering, wait for the answers under way (2 seconds at most) and free the port."""
        if self._thread:
            self._listener.shutdown()
            self._thread.join()
            self._thread = None
        self._listener.server_close()


class _Listener(ThreadingHTTPServer):
    daemon_threads = False  # so that server_close waits for them and leaves no open socket behind

    def __init__(self, address: tuple[str, int], demo: DemoServer) -> None:
        self.demo = demo
        super().__init__(address, _Handler)


class _Handler(BaseHTTPRequestHandler):
    """HTTP/1.0, one answer a connection: nothing is kept open that would hold up ``close``."""

    timeout = 2
    """Seconds that a connection may wait before it says what it wants; ``close`` waits for it as long."""

    server_version = "WirewatchDemo"
    sys_version = ""
    server: _Listener

    def do_GET(self) -> None:
        self._send(with_body=True)

    def do_HEAD(self) -> None:
        self._send(with_body=False)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: the terminal belongs to the watcher, which reports each poll."""

    def _send(self, *, with_body: bool) -> None:
        try:
            self._answer(with_body=with_body)
        except ConnectionError:
            self.close_connection = True  # the client went away, as clients do; it will ask again

    def _answer(self, *, with_body: bool) -> None:
        said = self.server.demo.answer(self.path, {name.lower(): value for name, value in self.headers.items()})
        self.send_response(said.status)
        for name, value in said.headers.items():
            self.send_header(name, value)
        if said.status != 304:
            self.send_header("Content-Length", str(len(said.body)))
        self.end_headers()
        if with_body:
            self.server.demo.note_served(said.items)  # first, so that what a client has is on the list
            self.wfile.write(said.body)
