"""What the DAGs do, as plain functions over opened ports; the doors in ``dags/`` hold no logic.

    due_batches ─▶ poll_batch, once for each batch ─▶ report

A batch is a number of feeds and no list of them: the task that polls them claims them, at its start. A claim made one
task earlier would bear the name of a process that has ended, which is nobody's claim; and if it held, the feeds of a
killed task, or of one that waits for its pool, would be kept from everybody until the lease ran out. As it is, nothing
that happens to a task can do more than leave feeds due. Overlapping runs, retries, a backfill, `wirewatch run` and
`wirewatch poll` share what is due, each feed to one of them; who comes too late finds nothing, which is no failure.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

import msgspec
import structlog

from pipeline import housekeeping, wiring
from pipeline.errors import WirewatchError
from pipeline.feeds_report import look_at_feeds
from pipeline.loop import new_runner
from pipeline.outcomes import Status
from pipeline.poll.parsing_process import ParsingProcess
from pipeline.poll.run import PollReport, poll_due_feeds
from pipeline.replay import replay_dead_letters
from pipeline.settings import load_settings
from pipeline.wiring import Ports

log = structlog.get_logger("wirewatch")

MOST_BATCHES: Final = 1000
"""Of one run; the rest is the next run's. Airflow maps a task over at most 1,024 values (core.max_map_length)."""

MOST_UNWELL: Final = 200
"""Named in one report: what a task returns is a row of Airflow's database."""


@contextmanager
def open_ports() -> Iterator[Ports]:
    """Open the ports over the settings in force, for one task: nothing opened crosses a fork.

    Raises:
        UsageError, DataFolderError, NotSetUp: as ``wiring.open_ports``.
        TryLater: a part cannot be reached.
    """
    with wiring.open_ports(load_settings()) as ports:
        yield ports


def due_batches(ports: Ports) -> list[int]:
    """Return how many feeds each batch of this run is to poll; none when nothing is due.

    Raises:
        TryLater: the state cannot be reached.
    """
    size, due = ports.settings.poll_batch, ports.state.feed_numbers(ports.clock()).due
    return [min(size, due - start) for start in range(0, due, size)][:MOST_BATCHES]


def poll_batch(ports: Ports, size: int) -> dict[str, int]:
    """Poll up to ``size`` of the feeds that are due now, and return how it went.

    A feed that fails is counted, and comes again when its back-off or its Retry-After says.

    Raises:
        TryLater: the state cannot be reached; what was claimed is free again when this process ends.
        WirewatchError: the broker did not take what a feed brought; that feed is due again in a minute.
    """
    with new_runner() as loop:
        report = loop.run(_poll(ports, size))
    if report.unpublished:
        cause = next(result.cause for result in report.results if result.unpublished)
        raise WirewatchError(
            f"What {report.unpublished} of {report.polled} feeds brought was not published: {cause}. "
            "They are polled again in a minute, and nothing of theirs is lost."
        )
    return {
        "polled": report.polled,
        "unchanged": report.unchanged,
        "failed": report.failed,
        "new": report.number(Status.PUBLISHED),
        "changed": report.number(Status.UPDATED),
    }


async def _poll(ports: Ports, size: int) -> PollReport:
    access, access_fault = wiring.access_or_fault(ports.settings)
    http, parsing = wiring.open_http(ports.settings), ParsingProcess()
    try:
        return await poll_due_feeds(
            state=ports.state, broker=ports.broker, http=http, clock=ports.clock, holder=ports.holder, limit=size,
            lease_seconds=ports.settings.poll_lease_seconds, host_delay_seconds=ports.settings.host_delay_seconds,
            access=access, access_fault=access_fault, parse=parsing,
            polls_per_feed_hour=ports.settings.polls_per_feed_hour, reach=ports.reach,
        )  # fmt: skip
    finally:
        await parsing.close()
        await http.close()


def report(batches: Iterable[Mapping[str, int]]) -> dict[str, int]:
    """Add up the batches of one run, and say so in one line of the log."""
    total: dict[str, int] = {}
    for batch in batches:
        for name, number in batch.items():
            total[name] = total.get(name, 0) + number
    log.info("feeds polled", **total)
    return total


def check_feeds(ports: Ports) -> dict[str, Any]:
    """Return how the feeds are and what the polls of the last day brought, and log who is unwell.

    Raises:
        TryLater: the state cannot be reached.
    """
    report = look_at_feeds(ports.state, ports.clock(), days=1, most=MOST_UNWELL)
    for one in report.unwell:
        log.warning("feed unwell", feed=one.id, title=one.title, health=one.health.value, cause=one.cause)
    found: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(report))
    log.info("feeds checked", **{name: value for name, value in found.items() if name != "unwell"})
    return found


def prune(ports: Ports) -> dict[str, Any]:
    """Let go of what is past its retention and make next month's index; return what went. Raises as `prune` does."""
    pruned: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(housekeeping.prune(ports)))
    log.info("pruned", **pruned)
    return pruned


def replay(ports: Ports, place: str | None) -> int:
    """Send the dead letter at ``place`` again, or all that were not when none is named; return how many.

    Raises:
        UsageError: there is no dead letter at that place.
        WirewatchError: some can never be sent again, or the broker does not take them now; what was sent stays sent.
    """
    replayed = replay_dead_letters(ports.broker, place)
    if replayed.left:
        raise WirewatchError("; ".join([f"replayed {replayed.sent}", *replayed.reasons()]))
    log.info("dead letters replayed", number=replayed.sent)
    return replayed.sent
