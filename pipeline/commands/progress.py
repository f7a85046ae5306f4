"""Progress of a run, looked up in state, broker and index from outside the steps; and how it reads as plain lines."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from types import TracebackType
from typing import Protocol, Self

from msgspec import Struct

from pipeline.article import Article
from pipeline.commands.context import one_line
from pipeline.commands.log_lines import to_stderr
from pipeline.commands.printing import counted
from pipeline.commands.status import waiting_for
from pipeline.outcomes import DropReason, Status
from pipeline.ports import SearchIndex
from pipeline.query.tree import Everything
from pipeline.rule import Alert
from pipeline.topics import STEP_INPUTS
from pipeline.wiring import Ports

LOOKED_AT = 50
"""Newest articles and alerts that one look reads; two looks a second show a hundred arrivals a second."""
REMEMBERED = 100_000
TOTALS_EVERY = timedelta(seconds=5)


class Arrival(Struct, frozen=True):
    """An article that became searchable since the last look, and a word for what it is."""

    kind: str
    article: Article

    def __str__(self) -> str:
        article = self.article
        return f"{one_line(article.outlet) or '-'}  [{article.language}]  {one_line(article.title)[:200]}"


class Snapshot(Struct, frozen=True, kw_only=True):
    """What a look found: totals, and what is new since the last look (oldest first)."""

    at: datetime
    feeds: Mapping[str, int]
    counts: Mapping[str, Mapping[str, int]]
    """Step → status → records, since the beginning of the data folder."""
    waiting: Mapping[str, int]
    articles: Sequence[Arrival] = ()
    alerts: Sequence[Alert] = ()

    def number(self, status: str, *steps: str) -> int:
        """Return how many records ended in ``status``, in these steps or in all."""
        return sum(self.counts.get(step, {}).get(status, 0) for step in steps or STEP_INPUTS)


class Progress(Protocol):
    """Shows snapshots to somebody."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def update(self, now: Snapshot) -> None:
        """Show what is new."""
        ...


class Watcher:
    """Looks at a running system from outside its steps. What is there when it is made is not new."""

    def __init__(self, ports: Ports, index: SearchIndex) -> None:
        self._ports = ports
        self._index = index
        self._revisions: dict[str, int] = {}
        self._alerts: set[str] = {alert.id for alert in ports.state.alerts(limit=1_000)}
        self._raised = 0
        self.first = self.newest = self.look()

    def look(self) -> Snapshot:
        """Return the totals now and what has come since the last call. Raises ``TryLater`` when the state is busy."""
        state = self._ports.state
        alerts = self._new_alerts()
        self.newest = Snapshot(
            at=self._ports.clock(),
            feeds=state.feed_numbers(self._ports.clock()).by_status,
            counts={
                group: {
                    status.value: sum(n for (s, why), n in by.items() if s == status and why != DropReason.NO_RULE)
                    for status in Status
                }
                for group, by in state.counts().items()
            },
            waiting={group: waiting_for(self._ports.broker, group, names) for group, names in STEP_INPUTS.items()},
            articles=self._arrivals(),
            alerts=alerts,
        )
        self._raised += len(alerts)
        return self.newest

    def summary(self) -> str:
        """Return one line on the whole time watched."""
        first, last = self.first, self.newest
        done = {s: last.number(s, "settle") - first.number(s, "settle") for s in ("published", "updated")}
        dead = last.number("dead") - first.number("dead")
        parts = [counted(done["published"], "article"), f"{done['updated']:,} updated", counted(self._raised, "alert")]
        if dead:
            parts.append(f"{counted(dead, 'dead letter')} (`wirewatch dead list`)")
        if waiting := max(last.waiting.values(), default=0):
            parts.append(f"{waiting:,} on their way, done when started again")
        return f"stopped after {(last.at - first.at).total_seconds():.0f} s: {', '.join(parts)}"

    def _arrivals(self) -> Sequence[Arrival]:
        newest = [hit.article for hit in self._index.search(Everything(), sort="newest", limit=LOOKED_AT).hits]
        new = [article for article in reversed(newest) if self._revisions.get(article.id, 0) < article.revision]
        arrivals = [Arrival(_kind(article, is_known=article.id in self._revisions), article) for article in new]
        self._revisions |= {article.id: article.revision for article in new}
        if len(self._revisions) > REMEMBERED:  # a run of weeks: forget all but what can show up among the newest
            self._revisions = {article.id: article.revision for article in newest}
        return arrivals

    def _new_alerts(self) -> Sequence[Alert]:
        new = [a for a in reversed(self._ports.state.alerts(limit=LOOKED_AT)) if a.id not in self._alerts]
        self._alerts |= {alert.id for alert in new}
        return new


class PlainProgress:
    """One line for each article and alert, and one of totals every few seconds if they changed; for logs and pipes."""

    def __init__(self, write: Callable[[str], None] = to_stderr) -> None:
        self._write = write
        self._newest: Snapshot | None = None
        self._totals = ""
        self._said_at: datetime | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._newest is not None:
            self._say_totals(self._newest)

    def update(self, now: Snapshot) -> None:
        """Print what is new."""
        for arrival in now.articles:
            self._say(now, f"{arrival.kind:9} {arrival}")
        for alert in now.alerts:
            self._say(now, f"{'ALERT':9} {one_line(alert.rule_name)}: {one_line(alert.title)}")
        if self._said_at is None or now.at - self._said_at >= TOTALS_EVERY:
            self._say_totals(now)
        self._newest = now

    def _say_totals(self, now: Snapshot) -> None:
        totals = _totals(now)
        if totals != self._totals:
            self._say(now, f"{'totals':9} {totals}")
            self._totals, self._said_at = totals, now.at

    def _say(self, now: Snapshot, line: str) -> None:
        self._write(f"{now.at:%H:%M:%S}  {line}")


def _kind(article: Article, *, is_known: bool) -> str:
    if is_known:
        return f"update {article.revision}"
    return "copy" if article.family != article.id else "article"


def _totals(now: Snapshot) -> str:
    feeds = " ".join(f"{status}={number}" for status, number in sorted(now.feeds.items()))
    numbers = {
        "articles": now.number("published", "settle"),
        "updated": now.number("updated", "settle"),
        "dropped": now.number("dropped"),
        "dead": now.number("dead"),
        "waiting": sum(now.waiting.values()),
    }
    why = " (`wirewatch feeds list` says why)" if now.feeds.get("failed") else ""
    return f"feeds: {feeds or 'none'}{why}; " + " ".join(f"{name}={number}" for name, number in numbers.items())
