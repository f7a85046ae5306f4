"""Log lines on stderr: as ``event key=value`` or JSON, without secrets, the libraries' own lines among them."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from typing import Any, Literal

import structlog
from structlog.typing import Processor

from pipeline.redaction import Redactor

CLIENTS = ("kafka", "elastic_transport", "elasticsearch")
"""They tell of each attempt, and of closing too; what comes of it our own lines say. Shown at the level debug."""

Write = Callable[[str], None]
Format = Literal["text", "json"]


def configure_logging(
    level: str, write: Write | None = None, *, log_format: Format = "text", redacted: Callable[[str], str] | None = None
) -> None:
    """Send log lines of at least ``level`` to ``write``, or to stderr; ``redacted`` takes the secrets out of each.

    What libraries say with ``logging`` becomes lines of the same kind, from warnings on; what clients of a cluster say
    only at the level debug.
    """
    processors: list[Processor] = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        _renderer(log_format),
        _Redacting(redacted or Redactor()),
    ]
    least = logging.getLevelNamesMapping()[level.upper()]
    wrapper = structlog.make_filtering_bound_logger(least)
    lines = _Lines(write or to_stderr)
    structlog.configure(
        processors=processors, wrapper_class=wrapper, logger_factory=lambda *_: lines, cache_logger_on_first_use=False
    )
    for name in CLIENTS:
        logging.getLogger(name).setLevel(logging.NOTSET if level == "debug" else logging.CRITICAL)
    root = logging.getLogger()
    for handler in [handler for handler in root.handlers if isinstance(handler, _Forwarding)]:
        root.removeHandler(handler)
    root.addHandler(_Forwarding(structlog.wrap_logger(lines, processors=processors, wrapper_class=wrapper)))


def to_stderr(line: str) -> None:
    """Write one line to whatever stderr is now."""
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


class _Redacting:
    """The last processor: it sees the whole line, whatever in it came from where."""

    def __init__(self, redacted: Callable[[str], str]) -> None:
        self._redacted = redacted

    def __call__(self, _logger: Any, _method: str, line: Any) -> str:
        return self._redacted(str(line))


class _Lines:
    def __init__(self, write: Write) -> None:
        self._write = write

    def msg(self, message: str) -> None:
        self._write(message)

    log = debug = info = warning = warn = error = critical = exception = fatal = msg


class _Forwarding(logging.Handler):
    def __init__(self, log: Any) -> None:
        super().__init__(logging.WARNING)
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self._log.log(record.levelno, record.getMessage(), logger=record.name, exc_info=record.exc_info)
        except Exception:  # as every handler does: a line that cannot be written must not stop the work
            self.handleError(record)


def _renderer(log_format: Format) -> Processor:
    if log_format == "json":
        return structlog.processors.JSONRenderer()
    return structlog.processors.KeyValueRenderer(key_order=["timestamp", "level", "event"], drop_missing=True)
