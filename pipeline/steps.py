"""The steps as loops: what `wirewatch enrich`, `wirewatch run` and `wirewatch ingest` start.

Each function runs one step in the calling thread over ports opened there, until ``wait`` says stop or, with ``once``,
until there is nothing left for it to do.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Coroutine, Mapping
from contextlib import closing, suppress
from datetime import datetime, timedelta
from functools import partial
from itertools import islice
from typing import Any, Final, TypeVar

import structlog

from pipeline import topics, wiring
from pipeline.alert import deliver
from pipeline.alert import run as alert
from pipeline.enrich import run as enrich
from pipeline.enrich.tools import Tools
from pipeline.errors import IndexInUse, LeaseLost, TryLater, WirewatchError
from pipeline.fetch.run import fetch_due_pages
from pipeline.index import run as index
from pipeline.poll.run import PollReport, poll_due_feeds
from pipeline.ports import Consumer, Http, Lease, TopicPartition
from pipeline.rules_file import load_rules
from pipeline.settle import run as settle
from pipeline.wiring import Ports
from pipeline.worker import Limits, Wait, Worker

log = structlog.get_logger("wirewatch")
T = TypeVar("T")

HOLD_SECONDS: Final = 5.0
REBUILD_BATCH: Final = 500
STOP_LOOK_SECONDS: Final = 0.25
"""How often a stop is looked for while requests are under way."""
OTHERS_SECONDS: Final = 0.5
"""How long ``drain`` leaves work to another process before it looks again."""
IDLE_SECONDS: Final = 1.0
"""How long a step that asks the state for work (poll, fetch, deliver) rests when there is none."""


class LeaseHeld(WirewatchError):
    """Another process does this work now; there is nothing to do here but wait for it."""


class LeaseKeeper:
    """Keeps a lease alive from within a worker's own loop, and notices when it was lost."""

    def __init__(self, ports: Ports, lease: Lease) -> None:
        self._ports = ports
        self._seconds = ports.settings.writer_lease_seconds
        self._lease = lease
        self._renewed = ports.clock()

    def lease(self) -> Lease:
        """Return the lease in force. Raises ``LeaseLost`` when it went to another while this process was paused."""
        now = self._ports.clock()
        # Also when the clock was set back: others take a lease from the future for one that has ended.
        if not self._renewed <= now < self._renewed + timedelta(seconds=self._seconds / 3):
            self._renew(now)
        return self._lease

    def _renew(self, now: datetime) -> None:
        """Extend the lease; a state that is busy or full may be asked again until the lease has run out."""
        try:
            self._lease = self._ports.state.renew_lease(self._lease, self._seconds, now)
        except TryLater as later:
            if now >= self._lease.expires:
                raise LeaseLost(f"{self._lease.name}: not renewed in time ({later.cause})") from later
        else:
            self._renewed = now

    def check(self) -> None:
        """Raise ``LeaseLost`` unless the lease is still ours; asks the state when the lease is due for renewal."""
        self.lease()


def run_poll(
    ports: Ports,
    wait: Wait,
    *,
    once: bool = False,
    only: Collection[str] | None = None,
    on_report: Callable[[PollReport], None] = lambda _: None,
) -> None:
    """Poll due feeds; with ``once`` until none is due, with ``only`` those feeds, due or not, one time."""
    with asyncio.Runner() as loop:
        http = loop.run(_open_http(ports))
        try:
            while not wait(0):
                try:
                    report = loop.run(
                        _unless_stopped(poll_due_feeds(
                            state=ports.state, broker=ports.broker, http=http, clock=ports.clock, holder=ports.holder,
                            limit=ports.settings.poll_batch, lease_seconds=ports.settings.poll_lease_seconds,
                            only=only, reach=ports.reach,
                        ), wait)
                    )  # fmt: skip
                except TryLater as later:
                    _put_off("poll", later, wait)
                    continue
                if report is None:
                    return
                on_report(report)
                if (once and not report.polled) or only is not None:
                    return
                if not report.polled:
                    wait(IDLE_SECONDS)
        finally:
            loop.run(http.close())


def run_fetch(ports: Ports, wait: Wait, *, once: bool = False) -> None:
    """Fetch due pages; with ``once`` until none is due but those that are to be tried again later."""
    quiet_seconds = 0.0
    with asyncio.Runner() as loop:
        http = loop.run(_open_http(ports))
        try:
            while not wait(0):
                try:
                    report = loop.run(
                        _unless_stopped(fetch_due_pages(
                            state=ports.state, broker=ports.broker, pages=ports.pages, http=http, clock=ports.clock,
                            holder=ports.holder, host_delay_seconds=ports.settings.host_delay_seconds,
                            reach=ports.reach,
                        ), wait)
                    )  # fmt: skip
                    waiting = ports.state.queued_pages().get("waiting", 0)
                except TryLater as later:
                    _put_off("fetch", later, wait)
                    continue
                if report is None:
                    return
                if report.claimed:
                    quiet_seconds = 0.0
                    continue
                # A due page may wait for its host, but no longer than this.
                if once and (not waiting or quiet_seconds > ports.settings.host_delay_seconds):
                    return
                quiet_seconds += IDLE_SECONDS
                wait(IDLE_SECONDS)
        finally:
            loop.run(http.close())


def run_enrich(ports: Ports, wait: Wait, *, once: bool = False) -> None:
    """Enrich what is raw."""
    tools = Tools(pages=ports.pages)
    stages = ports.settings.stages
    enrich.check_stages(stages)
    topics_in = tuple(topics.raw(lane) for lane in topics.LANES)
    consumer = _joined(ports, enrich.GROUP, topics_in, wait, once=once)
    if consumer is None:
        return
    with closing(consumer):
        Worker(
            enrich.GROUP, broker=ports.broker, consumer=consumer, progress=ports.state, clock=ports.clock, wait=wait,
            handle=lambda records: enrich.enrich_records(records, tools, stages), reach=ports.reach,
            limits=_limits(once=once),
        ).run(once=once)  # fmt: skip


def run_settle(ports: Ports, wait: Wait, *, once: bool = False) -> None:
    """Settle what is enriched, as the one writer, or stand by until the writer is gone."""
    places = _places(ports, settle.INPUTS)

    def work(keeper: LeaseKeeper, waiting: Wait) -> None:
        with closing(ports.broker.assigned_consumer(settle.GROUP, places)) as consumer:
            _go_back_to_settled(ports, keeper, consumer, places)
            Worker(
                settle.GROUP, broker=ports.broker, consumer=consumer, progress=ports.state, clock=ports.clock,
                wait=waiting, guard=keeper.check, reach=ports.reach, limits=_limits(once=once),
                handle=lambda records: settle.settle_records(
                    records, state=ports.state, broker=ports.broker, lease=keeper.lease, clock=ports.clock,
                    forget_page=partial(_forget_page, ports),
                ),
                pass_over=lambda record: settle.pass_over(
                    record, state=ports.state, broker=ports.broker, lease=keeper.lease, clock=ports.clock
                ),
            ).run(once=once)  # fmt: skip

    _run_leased(ports, settle.LEASE, wait, work, once=once)


def _forget_page(ports: Ports, key: str) -> None:
    with suppress(ValueError):  # no key of this store: a stranger wrote the record
        ports.pages.delete(key)


def _go_back_to_settled(
    ports: Ports, keeper: LeaseKeeper, consumer: Consumer, places: Collection[TopicPartition]
) -> None:
    """Where the state knows less than the log has committed (a state put back from a backup), settle that again."""
    settled: dict[TopicPartition, int] = {}
    cluster_id = ports.broker.cluster_id
    ports.state.settle(keeper.lease(), ports.clock(), lambda tx: settled.update(tx.input_offsets(cluster_id)))
    for place, committed in consumer.committed(places).items():
        if (known := settled.get(place, 0)) < committed:
            log.warning("settling again", topic=place.topic, partition=place.partition, offsets=f"{known}-{committed}")
            consumer.commit({place: known})  # a marker counts only from the committed offset on, and so does `drain`
            consumer.seek(place, known)


def run_index(ports: Ports, wait: Wait, *, once: bool = False) -> None:
    """Index what is ready, as the holder of the index lease, or stand by."""

    def work(keeper: LeaseKeeper, waiting: Wait) -> None:
        with (
            closing(wiring.open_index(ports.settings, writer=True)) as target,
            closing(ports.broker.consumer(index.GROUP, index.INPUTS, _member(ports, once=once))) as consumer,
        ):
            linger = 0.0 if once else ports.settings.index_linger_seconds
            Worker(
                index.GROUP, broker=ports.broker, consumer=consumer, progress=ports.state, clock=ports.clock,
                wait=waiting, guard=keeper.check, reach=ports.reach,
                limits=_limits(once=once, max_records=500, linger_seconds=linger),
                handle=lambda records: index.index_records(records, index=target, state=ports.state),
            ).run(once=once)  # fmt: skip

    _run_leased(ports, index.LEASE, wait, work, once=once)


def rebuild_index(ports: Ports, wait: Wait) -> int:
    """Write the newest form of every article into the index, as the holder of its lease; return how many.

    What the index holds already is compared by version as always, so this may be done at any time.

    Raises:
        LeaseHeld: another process writes to the index.
    """
    written = 0

    def work(keeper: LeaseKeeper, waiting: Wait) -> None:
        nonlocal written
        written = 0
        articles = iter(ports.state.all_articles())
        with closing(wiring.open_index(ports.settings, writer=True)) as target:
            while not waiting(0) and (some := list(islice(articles, REBUILD_BATCH))):
                keeper.check()
                target.write(some)
                written += len(some)

    _run_leased(ports, index.LEASE, wait, work, once=True)
    return written


def run_alert(ports: Ports, wait: Wait, *, once: bool = False) -> None:
    """Match what is ready in the live lane against the rules, into the outbox."""
    rules = alert.compile_rules(load_rules(ports.settings.config_folder / "rules.yml"))
    consumer = _joined(ports, alert.GROUP, alert.INPUTS, wait, once=once)
    if consumer is None:
        return
    with closing(consumer):
        Worker(
            alert.GROUP, broker=ports.broker, consumer=consumer, progress=ports.state, clock=ports.clock, wait=wait,
            handle=lambda records: alert.alert_records(
                records, rules=rules, outbox=ports.state, state=ports.state, clock=ports.clock
            ),
            reach=ports.reach, limits=_limits(once=once),
        ).run(once=once)  # fmt: skip


def run_deliver(ports: Ports, wait: Wait, *, once: bool = False) -> None:
    """Empty the outbox into the channels; with ``once`` until nothing is due."""
    with asyncio.Runner() as loop:
        http = loop.run(_open_http(ports))
        try:
            channels = wiring.open_channels(ports.settings, http, ports.clock)
            while not wait(0):
                try:
                    report = loop.run(
                        _unless_stopped(deliver.deliver_alerts(
                            outbox=ports.state, channels=channels, clock=ports.clock, holder=ports.holder,
                            reach=ports.reach,
                        ), wait)
                    )  # fmt: skip
                except TryLater as later:
                    _put_off("deliver", later, wait)
                    continue
                if report is None:
                    return
                if not report.handled:
                    if once:
                        return
                    wait(IDLE_SECONDS)
        finally:
            loop.run(http.close())


def run_housekeeping(ports: Ports, wait: Wait, *, once: bool = False) -> None:
    """Let go of what is past its retention, every hour: broker records, pages, seen entries."""
    while not wait(0):
        now = ports.clock()
        try:
            ports.broker.prune(now)
            keep_bytes = int(ports.settings.pages_keep_gb * 1e9)
            ports.pages.prune(now.date(), ports.settings.pages_keep_days, keep_bytes)
            ports.state.forget_seen(now - timedelta(days=90))
        except TryLater as later:
            _put_off("housekeeping", later, wait)
            continue
        if once or wait(3600):
            return


STEPS: Final[Mapping[str, Callable[..., None]]] = {
    "poll": run_poll,
    "fetch": run_fetch,
    "enrich": run_enrich,
    "settle": run_settle,
    "index": run_index,
    "alert": run_alert,
    "deliver": run_deliver,
    "housekeeping": run_housekeeping,
}


def drain(ports: Ports, wait: Wait, *, on_wait: Callable[[str], None] = lambda _: None) -> None:
    """Bring everything published so far to the end of the path, here or wherever its steps run already.

    Each step in turn: note where its input ends now, then work (or wait for the process that does) until the group has
    committed that far. Commits follow publishes, so the next step's input is then complete.
    """
    inputs = {
        enrich.GROUP: tuple(topics.raw(lane) for lane in topics.LANES),
        settle.GROUP: settle.INPUTS,
        index.GROUP: index.INPUTS,
        alert.GROUP: alert.INPUTS,
    }
    for group, topics_in in inputs.items():
        ends = ports.broker.end_offsets(topics_in)
        while not wait(0) and not _is_done(ports, group, ends):
            try:
                STEPS[group](ports, wait, once=True)
            except LeaseHeld as held:
                on_wait(str(held))
            if not _is_done(
                ports, group, ends
            ):  # another process has the rest in hand; each visit costs it a rebalance
                wait(OTHERS_SECONDS)


def _is_done(ports: Ports, group: str, ends: Mapping[TopicPartition, int]) -> bool:
    done = ports.broker.committed(group, {place.topic for place in ends})
    return all(done.get(place, 0) >= end for place, end in ends.items())


def _run_leased(ports: Ports, name: str, wait: Wait, work: Callable[[LeaseKeeper, Wait], None], *, once: bool) -> None:
    """Do ``work`` while holding the lease; stand by while another holds it. With ``once``: ``LeaseHeld`` instead."""
    seconds = ports.settings.writer_lease_seconds
    stands_by = False
    while not wait(0):
        try:
            lease = ports.state.acquire_lease(name, ports.holder, seconds, ports.clock())
        except TryLater as later:
            _put_off(name, later, wait)
            continue
        if lease is None:
            other = ports.state.lease_holder(name, ports.clock())
            who = other.holder if other else "another process"
            if once:
                raise LeaseHeld(f"{name} is being done by {who}")
            if not stands_by:
                log.warning("standing by", step=name, writer=who)
            stands_by = True
            wait(min(IDLE_SECONDS, seconds / 3))
            continue
        stands_by = False
        try:
            _work_under(ports, lease, wait, work)
        except LeaseLost as lost:
            log.warning("lease lost", step=name, cause=str(lost), next="standing by")
            continue
        except IndexInUse as busy:  # by a holder that was paused for so long that its lease ended, but not its lock
            if once:
                raise LeaseHeld(str(busy)) from busy
            log.warning("standing by", step=name, cause=str(busy))
            wait(min(IDLE_SECONDS, seconds / 3))
            continue
        except TryLater as later:
            _put_off(name, later, wait)
            continue
        if once:
            return


def _work_under(ports: Ports, lease: Lease, wait: Wait, work: Callable[[LeaseKeeper, Wait], None]) -> None:
    keeper = LeaseKeeper(ports, lease)

    def waiting(seconds: float) -> bool:
        keeper.check()
        return wait(seconds)

    try:
        work(keeper, waiting)
    finally:
        try:
            ports.state.release_lease(lease)
        except TryLater as later:
            log.warning("lease left to run out", step=lease.name, cause=later.cause)


def _joined(ports: Ports, group: str, names: Collection[str], wait: Wait, *, once: bool) -> Consumer | None:
    """Join the group as soon as the broker allows; None when told to stop before."""
    while not wait(0):
        try:
            return ports.broker.consumer(group, names, _member(ports, once=once))
        except TryLater as later:
            _put_off(group, later, wait)
    return None


def _member(ports: Ports, *, once: bool) -> str:
    """The lasting name is for one process at a time: who only helps out must not put out the one that has it."""
    return "" if once else ports.settings.member


def _limits(*, once: bool, max_records: int = 200, linger_seconds: float = 0.0) -> Limits:
    return Limits(max_records=max_records, poll_seconds=0.0 if once else 0.5, linger_seconds=linger_seconds)


def _places(ports: Ports, names: Collection[str]) -> Collection[TopicPartition]:
    partitions = ports.broker.topics()
    return [TopicPartition(name, number) for name in names for number in range(partitions[name])]


def _put_off(step: str, later: TryLater, wait: Wait) -> None:
    """The state or broker is busy, full or away: say so, rest, and let the step ask again."""
    log.warning("holding", step=step, cause=later.cause, next=f"tried again in {HOLD_SECONDS:.0f} s")
    wait(later.retry_seconds or HOLD_SECONDS)


async def _unless_stopped(work: Coroutine[Any, Any, T], wait: Wait) -> T | None:
    """Return what ``work`` returns, or None when it was cancelled because ``wait`` said stop: requests may hang."""
    task = asyncio.create_task(work)
    while not (await asyncio.wait([task], timeout=STOP_LOOK_SECONDS))[0]:
        if wait(0):
            task.cancel()
            await asyncio.wait([task])
            break
    return None if task.cancelled() else task.result()


async def _open_http(ports: Ports) -> Http:
    """The door belongs to the event loop it is opened in."""
    return wiring.open_http(ports.settings)
