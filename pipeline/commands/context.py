"""What every command shares: the settings of this invocation, the opened ports, and the signals that stop it."""

from __future__ import annotations

import _thread
import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Any

from pipeline.redaction import Redactor

if TYPE_CHECKING:  # importing these takes longer than `wirewatch --help` should
    from pipeline.settings import Settings
    from pipeline.wiring import Ports

EXIT_INTERRUPTED = 130
"""128 + SIGINT, as shells count it."""


class Context:
    """The settings of one invocation, read when first asked for, so that ``--help`` never fails on them."""

    def __init__(self) -> None:
        self._given: dict[str, Any] = {}
        self._settings: Settings | None = None
        self._redactor = Redactor()

    @property
    def settings(self) -> Settings:
        """The settings in force. Raises ``UsageError`` when they cannot be used."""
        if self._settings is None:
            from pipeline.settings import load_settings

            self._settings = load_settings(**self._given)
            self._redactor = Redactor(self._settings.secrets())
            self.log_to(None)
        return self._settings

    @property
    def logs_json(self) -> bool:
        """Whether everything said on stderr is to be JSON; False as long as no setting was read."""
        return self._settings is not None and self._settings.log_format == "json"

    def take(self, given: Mapping[str, Any]) -> None:
        """Set what the command line said of settings."""
        self._given = dict(given)

    def redacted(self, text: str) -> str:
        """Return text that may be shown; the secrets of the settings are known once these were read."""
        return self._redactor(text)

    def say(self, text: str) -> None:
        """Say something about the work on stderr, which is no log line unless all of them are to be JSON."""
        from pipeline.commands.log_lines import to_stderr

        if self.logs_json:
            import structlog

            structlog.get_logger("wirewatch").info("said", text=text)
        else:
            to_stderr(self.redacted(text))

    def log_to(self, write: Callable[[str], None] | None) -> None:
        """Send log lines there from now on; None: to stderr."""
        from pipeline.commands.log_lines import configure_logging

        settings = self.settings
        configure_logging(settings.log_level, write, log_format=settings.log_format, redacted=self.redacted)

    def open(self, *, create: bool = False) -> AbstractContextManager[Ports]:
        """Open the ports for this thread; with ``create``, make the data folder and what belongs in it first."""
        from pipeline import wiring

        if create:
            wiring.create_data_folder(self.settings)
        return wiring.open_ports(self.settings, create=create)


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
