"""What the stages count, so that it can be counted where the metrics are served, whichever process they run in."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, Protocol

from pipeline import telemetry

Event = tuple[Literal["took", "failed", "no_article"], str, float]
"""What happened, of which stage or kind, and, where that has one, its size."""


class Meter(Protocol):
    """Takes note of what happens to articles on their way through the stages."""

    def took(self, stage: str, seconds: float) -> None:
        """A stage was gone through."""
        ...

    def failed(self, stage: str) -> None:
        """A stage failed on an article."""
        ...

    def no_article(self, kind: str) -> None:
        """A page held no article, but something of this kind."""
        ...


class MetricsMeter:
    """Counts in the metrics of this process."""

    def took(self, stage: str, seconds: float) -> None:
        """Observe the time of a stage."""
        telemetry.STAGE_SECONDS.labels(stage).observe(seconds)

    def failed(self, stage: str) -> None:
        """Count a failure of a stage."""
        telemetry.STAGE_FAILURES.labels(stage).inc()

    def no_article(self, kind: str) -> None:
        """Count a page without an article."""
        telemetry.PAGES_WITHOUT_ARTICLE.labels(kind).inc()


class NotedMeter:
    """Keeps what happens, for another process to count."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def took(self, stage: str, seconds: float) -> None:
        """Note the time of a stage."""
        self.events.append(("took", stage, seconds))

    def failed(self, stage: str) -> None:
        """Note a failure of a stage."""
        self.events.append(("failed", stage, 1.0))

    def no_article(self, kind: str) -> None:
        """Note a page without an article."""
        self.events.append(("no_article", kind, 1.0))


def replay(events: Iterable[Event], meter: Meter) -> None:
    """Tell ``meter`` what another one noted."""
    for what, name, size in events:
        match what:
            case "took":
                meter.took(name, size)
            case "failed":
                meter.failed(name)
            case "no_article":
                meter.no_article(name)
