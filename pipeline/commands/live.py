"""The live display of a run: steps with their counts, the latest alerts, the latest articles."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from types import TracebackType
from typing import Self

from rich.console import Console, Group
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from pipeline.commands.context import one_line, safe
from pipeline.commands.progress import Arrival, Snapshot
from pipeline.rule import Alert
from pipeline.topics import STEP_INPUTS

try:
    import termios
except ImportError:  # not a Unix
    termios = None  # type: ignore[assignment]

SHOWN_ARTICLES = 14
SHOWN_ALERTS = 5
FRAME_LINES = 2
STEPS_LINES = len(STEP_INPUTS) + 1 + FRAME_LINES
COLUMNS = {
    "new": "published", "updated": "updated", "repeats": "duplicate", "dropped": "dropped", "dead": "dead",
}  # fmt: skip


class LiveProgress:
    """Draws the newest snapshot in place; log lines scroll by above it."""

    def __init__(self, title: str, console: Console, log_to: Callable[[Callable[[str], None] | None], None]) -> None:
        """Prepare a display. ``log_to`` says where log lines go: past it while it is there, None afterwards."""
        self._title = title
        self._console = console
        self._log_to = log_to
        self._articles: deque[tuple[datetime, Arrival]] = deque(maxlen=SHOWN_ARTICLES)
        self._alerts: deque[Alert] = deque(maxlen=SHOWN_ALERTS)
        self._live = Live(console=console, auto_refresh=False)
        self._keys = _unechoed_keys()

    def __enter__(self) -> Self:
        self._keys.__enter__()
        self._log_to(lambda line: self._console.print(Text(safe(line))))
        self._live.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.__exit__(kind, error, trace)
        self._keys.__exit__(kind, error, trace)
        self._log_to(None)

    def update(self, now: Snapshot) -> None:
        """Draw the display anew."""
        self._articles.extend((now.at, arrival) for arrival in now.articles)
        self._alerts.extend(now.alerts)
        parts = [self._steps(now)]
        if self._alerts:
            parts.append(self._raised())
        self._live.update(Group(*parts, self._latest()), refresh=True)

    def _steps(self, now: Snapshot) -> Panel:
        table = Table(box=None, expand=True, header_style="dim", pad_edge=False)
        table.add_column("step")
        for column in ("waiting", *COLUMNS):
            table.add_column(column, justify="right")
        for group in STEP_INPUTS:
            numbers = [now.number(status, group) for status in COLUMNS.values()]
            cells = [Text(f"{number:,}") for number in (now.waiting.get(group, 0), *numbers)]
            if numbers[-1]:
                cells[-1].stylize("bold red")
            table.add_row(Text(group), *cells)
        feeds = ", ".join(f"{number} {status}" for status, number in sorted(now.feeds.items()))
        why = "“wirewatch feeds list” says why feeds fail" if now.feeds.get("failed") else ""
        return _framed(table, f"{self._title}  ·  feeds: {feeds or 'none'}  ·  Ctrl-C stops", "dim", below=why)

    def _raised(self) -> Panel:
        table = _lines()
        for alert in self._alerts:
            table.add_row(
                Text(f"{alert.raised_at:%H:%M:%S}", "dim"),
                Text.assemble((one_line(alert.rule_name), "bold"), "  ", one_line(alert.title)),
            )
        return _framed(table, "alerts", "red")

    def _latest(self) -> Panel:
        alerts = len(self._alerts) + FRAME_LINES if self._alerts else 0
        room = self._console.height - 1 - STEPS_LINES - alerts - FRAME_LINES
        table = _lines()
        for at, arrival in list(self._articles)[-max(room, 1) :]:
            style = {"article": "", "copy": "dim"}.get(arrival.kind, "cyan")
            table.add_row(Text(f"{at:%H:%M:%S}", "dim"), Text(f"{arrival.kind:9} {arrival}", style))
        return _framed(table, "latest articles", "dim")


@contextmanager
def _unechoed_keys() -> Iterator[None]:
    """Keep typed keys from being shown: the ``^C`` of Ctrl-C would move the display by a line."""
    if termios is None or not sys.stdin.isatty():
        yield
        return
    keyboard = sys.stdin.fileno()
    before = termios.tcgetattr(keyboard)
    silent = [*before[:3], before[3] & ~termios.ECHO, *before[4:]]
    termios.tcsetattr(keyboard, termios.TCSANOW, silent)
    try:
        yield
    finally:
        termios.tcsetattr(keyboard, termios.TCSANOW, before)


def _lines() -> Table:
    """A table of a time and a line that is cut, not wrapped: a wrapped line would push the others about."""
    table = Table(box=None, show_header=False, expand=True, pad_edge=False)
    table.add_column(width=8)
    table.add_column(ratio=1, no_wrap=True, overflow="ellipsis")
    return table


def _framed(table: Table, title: str, style: str, *, below: str = "") -> Panel:
    return Panel(
        table, title=Text(title), title_align="left", border_style=style,
        subtitle=Text(below) if below else None, subtitle_align="left",
    )  # fmt: skip
