"""/metrics, /healthz and /readyz of a running process, on an address of its own; they never wait for a neighbour.

Whoever reaches the address may read them: they hold names, numbers and causes, and no secrets.
"""

from __future__ import annotations

import re
import socket
import socketserver
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final, Self

import structlog
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, generate_latest

from pipeline.errors import UsageError
from pipeline.redaction import Redactor
from pipeline.settings import Settings
from pipeline.telemetry import SIGNS, Signs

log = structlog.get_logger("wirewatch")

DEADLINE_SECONDS: Final = 5.0
"""For a whole request; a scrape on the same network takes milliseconds."""
CONNECTIONS: Final = 16
"""At once; more are closed unanswered, so that who drips requests cannot eat this process's threads."""
PLAIN: Final = "text/plain; charset=utf-8"

Page = Callable[[], tuple[int, str, bytes]]
"""Returns status, content type and body."""


def read_address(text: str) -> tuple[str, int]:
    """Return host and port of ``host:port``, ``[::1]:port`` or a port alone, which means 127.0.0.1.

    Raises:
        UsageError: it is neither.
    """
    found = re.fullmatch(r"(?:(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]*):)?([0-9]{1,5})", text.strip())
    if not found or int(found[2]) > 65_535:
        raise UsageError(f"The setting metrics is “{text}”: it must be host:port, or a port of 127.0.0.1, as 9100.")
    return (found[1] or "127.0.0.1").strip("[]"), int(found[2])


class Endpoints:
    """The server, in threads of its own, from ``with`` to its end."""

    def __init__(self, settings: Settings, *, signs: Signs = SIGNS) -> None:
        """Take the address of the setting ``metrics``. Raises ``UsageError`` when it cannot be served on."""
        host, port = read_address(settings.metrics)
        self._signs = signs
        self._silence_seconds = settings.health_seconds
        self._redacted = Redactor(settings.secrets())
        pages: dict[str, Page] = {"/metrics": _metrics, "/healthz": self._health, "/readyz": self._readiness}
        try:
            self._server = _Server((host, port), pages)
        except OSError as error:
            raise UsageError(
                f"Metrics cannot be served on {settings.metrics}: {error.strerror or error}. "
                "Set WIREWATCH_METRICS to a free address; each process needs one of its own."
            ) from None
        self.host, self.port = host, self._server.server_port

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._server.serve_forever, name="metrics", daemon=True)
        self._thread.start()
        log.info("serving", metrics=f"{self.host}:{self.port}", paths="/metrics /healthz /readyz")
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _health(self) -> tuple[int, str, bytes]:
        """503 when a step has given no sign of life for too long: whoever supervises the process may restart it."""
        silent = self._signs.silent(self._silence_seconds)
        lines = [f"{step}: silent for {seconds:.0f} s" for step, seconds in sorted(silent.items())]
        return self._told(503 if silent else 200, lines or ["ok"])

    def _readiness(self) -> tuple[int, str, bytes]:
        """503 while a step holds its work or is silent, or none has begun."""
        steps, held = self._signs.steps(), self._signs.held()
        silent = self._signs.silent(self._silence_seconds)
        lines = [
            f"{step}: {'is silent' if step in silent else doing}" + (f": {held[step]}" if step in held else "")
            for step, doing in sorted(steps.items())
        ]
        return self._told(503 if held or silent or not steps else 200, lines or ["no step has begun yet"])

    def _told(self, status: int, lines: list[str]) -> tuple[int, str, bytes]:
        text = "".join(" ".join(self._redacted(line).split())[:300] + "\n" for line in lines)
        return status, PLAIN, text.encode("utf-8", "replace")


def _metrics() -> tuple[int, str, bytes]:
    return 200, CONTENT_TYPE_LATEST, generate_latest(REGISTRY)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, address: tuple[str, int], pages: dict[str, Page]) -> None:
        self.pages = pages
        self._open: dict[socket.socket, float] = {}
        self._lock = threading.Lock()
        if ":" in address[0]:
            self.address_family = socket.AF_INET6
        super().__init__(address, _Handler)

    def server_bind(self) -> None:
        """Bind without asking the DNS for this machine's name, as ``HTTPServer`` does: nobody needs it here."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._lock:
            is_full = len(self._open) >= CONNECTIONS
            if not is_full:
                self._open[request] = time.monotonic() + DEADLINE_SECONDS
        if is_full:
            self.shutdown_request(request)
        else:
            super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._lock:
            self._open.pop(request, None)
        super().shutdown_request(request)

    def service_actions(self) -> None:
        """Cut off who takes too long; called twice a second. The socket's own time-out restarts with every byte."""
        now = time.monotonic()
        with self._lock:
            late = [request for request, end in self._open.items() if now > end]
        for request in late:
            with suppress(OSError):
                request.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002 - the library's signature
        """A client that went away is nobody's fault; anything else is logged, and only this answer is lost."""
        log.info("request to the metrics address failed", exc_info=True)


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    timeout = DEADLINE_SECONDS
    server_version = "wirewatch"
    sys_version = ""

    def do_GET(self) -> None:
        page = self.server.pages.get(self.path.partition("?")[0])
        self._answer(*(page() if page else (404, PLAIN, b"/metrics, /healthz, /readyz\n")))

    def send_error(self, code: int, *_: Any, **__: Any) -> None:
        """Answer what cannot be read or is no GET in a word; nothing of the request is repeated."""
        self.close_connection = True
        self._answer(405 if code == 501 else code, PLAIN, b"only GET\n" if code == 501 else b"not understood\n")

    def _answer(self, status: int, kind: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-Content-Type-Options", "nosniff")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: probes come every few seconds."""
