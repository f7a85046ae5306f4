"""What every command shares: the settings of this invocation, the opened ports, and the signals that stop it."""

from __future__ import annotations

import _thread
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # importing these takes longer than `wirewatch --help` should
    from pipeline.settings import Settings
    from pipeline.wiring import Ports

EXIT_INTERRUPTED = 130
"""128 + SIGINT, as shells count it."""


class Context:
    """The settings of one invocation, read when first asked for, so that ``--help`` never fails on them."""

    def __init__(self, given: Mapping[str, Any]) -> None:
        self._given = dict(given)
        self._settings: Settings | None = None

    @property
    def settings(self) -> Settings:
        """The settings in force. Raises ``UsageError`` when they cannot be used."""
        if self._settings is None:
            from pipeline.settings import load_settings

            self._settings = load_settings(**self._given)
            configure_logging(self._settings.log_level)
        return self._settings

    def open(self, *, create: bool = False) -> AbstractContextManager[Ports]:
        """Open the ports for this thread; with ``create``, make the data folder first."""
        from pipeline import wiring

        if create:
            wiring.create_data_folder(self.settings)
        return wiring.open_ports(self.settings)


def configure_logging(level: str, write: Callable[[str], None] | None = None) -> None:
    """Send log lines as ``event key=value`` to ``write``, or to stderr."""
    import logging

    import structlog

    def to_stderr(line: str) -> None:
        sys.stderr.write(line + "\n")
        sys.stderr.flush()

    class Lines:
        def msg(self, message: str) -> None:
            (write or to_stderr)(message)

        log = debug = info = warning = warn = error = critical = exception = fatal = msg

    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.KeyValueRenderer(key_order=["timestamp", "level", "event"], drop_missing=True),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=lambda *_: Lines(),
        cache_logger_on_first_use=False,
    )


class Stop:
    """An event that a signal's handler may set: it is set at once, and wakes whoever waits.

    ``threading.Event`` alone cannot be: a handler runs in the main thread, which may hold the event's own lock at that
    moment, in ``wait``, and would then wait for itself. So another thread wakes the waiting; not a
    ``threading.Thread``, whose start takes a lock of that kind too.
    """

    def __init__(self) -> None:
        self._is_set = False
        self._woken = threading.Event()

    def is_set(self) -> bool:
        return self._is_set

    def set(self) -> None:
        self._is_set = True
        _thread.start_new_thread(self._woken.set, ())

    def wait(self, seconds: float | None = None) -> bool:
        """Wait until it is set, at most so many seconds; return whether it is."""
        if not self._is_set:
            self._woken.wait(seconds)
        return self._is_set


@contextmanager
def stop_on_signals() -> Iterator[Stop]:
    """Yield what Ctrl-C or SIGTERM sets; a second Ctrl-C interrupts at once."""
    stop = Stop()
    told = False

    def on_signal(number: int, _: object) -> None:
        nonlocal told
        if told and number == signal.SIGINT:
            raise KeyboardInterrupt
        told = True
        stop.set()

    before = {number: signal.signal(number, on_signal) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def one_line(text: str) -> str:
    """Return safe text on one line."""
    return " ".join(safe(text).split())


def safe(text: str) -> str:
    """Return text that cannot steer a terminal: controls, bidirectional ones too, and lone surrogates become spaces.

    The joiners of Persian and of emoji (U+200C, U+200D) are kept: they are letters' neighbours, not controls.
    """
    return "".join(c if c in "\n\t\u200c\u200d" or c.isprintable() else " " for c in text)
