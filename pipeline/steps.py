"""The steps as loops: what `wirewatch enrich`, `wirewatch run` and `wirewatch ingest` start.

Each function runs one step in the calling thread over ports opened there, until ``wait`` says stop or, with ``once``,
until there is nothing left for it to do.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Coroutine, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from functools import partial
from itertools import islice
from typing import Any, Final, TypeVar

import structlog

from pipeline import housekeeping, telemetry, topics, wiring
from pipeline.alert import deliver
from pipeline.alert import run as alert
from pipeline.article import Article
from pipeline.enrich import run as enrich
from pipeline.enrich.crew import Crew
from pipeline.enrich.meter import MetricsMeter
from pipeline.enrich.outlets import OutletProfiles
from pipeline.errors import TryLater
from pipeline.fetch.run import fetch_due_pages
from pipeline.housekeeping import AskedDrops
from pipeline.index import run as index
from pipeline.index.retention import is_past
from pipeline.leased import IDLE_SECONDS, LeaseHeld, LeaseKeeper, put_off, run_leased
from pipeline.loop import new_runner
from pipeline.poll.parsing_process import ParsingProcess
from pipeline.poll.run import Poller, PollReport, poll_feeds
from pipeline.ports import Consumer, Http, Record, SearchIndex, TopicPartition
from pipeline.rules_file import load_rules
from pipeline.settle import run as settle
from pipeline.unindexed import look_up_holdings
from pipeline.wiring import Ports
from pipeline.worker import Handled, Limits, Wait, Worker

log = structlog.get_logger("wirewatch")
T = TypeVar("T")

REBUILD_BATCH: Final = 500
STOP_LOOK_SECONDS: Final = 0.25
"""How often a stop is looked for while requests are under way."""
OTHERS_SECONDS: Final = 0.5
"""How long ``drain`` leaves work to another process before it looks again."""


@telemetry.giving_signs("poll")
def run_poll(
    ports: Ports,
    wait: Wait,
    *,
    once: bool = False,
    only: Collection[str] | None = None,
    on_report: Callable[[PollReport], None] = lambda _: None,
) -> None:
    """Poll due feeds; with ``once`` until none is due, with ``only`` those feeds, due or not, one time."""

    polled = 0

    def report_on(report: PollReport) -> None:
        nonlocal polled
        polled += report.polled
        telemetry.SIGNS.go_on("poll")
        on_report(report)

    with new_runner() as loop:
        http, parsing = loop.run(_open_http(ports)), ParsingProcess()
        access, access_fault = wiring.access_or_fault(ports.settings)
        poller = Poller(
            state=ports.state, broker=ports.broker, http=http, clock=ports.clock, holder=ports.holder,
            lease_seconds=ports.settings.poll_lease_seconds, host_delay_seconds=ports.settings.host_delay_seconds,
            only=only, access=access, access_fault=access_fault, parse=parsing,
            polls_per_feed_hour=ports.settings.polls_per_feed_hour, reach=ports.reach,
        )  # fmt: skip
        try:
            while not wait(0):
                polled = 0
                try:
                    done = loop.run(_unless_stopped(_polled(poller, report_on), wait))
                except TryLater as later:
                    put_off("poll", later, wait)
                    continue
                if done is None or only is not None or (once and not polled):
                    return
                telemetry.SIGNS.go_on("poll")
                if not polled:
                    wait(IDLE_SECONDS)
        finally:
            loop.run(parsing.close())
            loop.run(http.close())


async def _polled(poller: Poller, on_report: Callable[[PollReport], None]) -> bool:
    await poll_feeds(poller, on_report=on_report)
    return True


@telemetry.giving_signs("fetch")
def run_fetch(ports: Ports, wait: Wait, *, once: bool = False) -> None:
    """Fetch due pages; with ``once`` until none is due but those that are to be tried again later."""
    quiet_seconds = 0.0
    with new_runner() as loop:
        http = loop.run(_open_http(ports))
        try:
            while not wait(0):
                try:
                    report = loop.run(
                        _unless_stopped(fetch_due_pages(
                            state=ports.state, broker=ports.broker, pages=ports.pages, http=http, clock=ports.clock,
                            holder=ports.holder, host_delay_seconds=ports.settings.host_delay_seconds,
                            page_visits=ports.settings.page_visits, reach=ports.reach,
                        ), wait)
                    )  # fmt: skip
                    waiting = ports.state.queued_pages().get("waiting", 0)
                except TryLater as later:
                    put_off("fetch", later, wait)
                    continue
                if report is None:
                    return
                telemetry.SIGNS.go_on("fetch")
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


@telemetry.giving_signs("enrich")
def run_enrich(ports: Ports, wait: Wait, *, once: bool = False) -> None:
    """Enrich what is raw."""
    stages = ports.settings.stages
    enrich.check_stages(stages)
    profiles = OutletProfiles(ports.state, ports.clock)
    topics_in = tuple(topics.raw(lane) for lane in topics.LANES)
    consumer = _joined(ports, enrich.GROUP, topics_in, wait, once=once)
    if consumer is None:
        return
    with closing(consumer), _enriching(ports, profiles, once=once) as enriching:

        def handle(records: Sequence[Record]) -> Sequence[Handled]:
            handled = enriching(records)
            profiles.flush()
            return handled

        Worker(
            enrich.GROUP, broker=ports.broker, consumer=consumer, progress=ports.state, clock=ports.clock, wait=wait,
            handle=handle, reach=ports.reach, limits=_limits(once=once),
        ).run(once=once)  # fmt: skip


@contextmanager
def _enriching(
    ports: Ports, profiles: OutletProfiles, *, once: bool
) -> Iterator[Callable[[Sequence[Record]], Sequence[Handled]]]:
    """Yield what enriches a batch: in this process or, when the settings say so, in several that belong to it."""
    settings = ports.settings
    processes = 1 if once else settings.enrich_processes  # a drain is over before more of them had started
    if processes == 1:
        tools = wiring.open_tools(settings, profiles)
        yield lambda records: enrich.enrich_records(records, tools, settings.stages)
        return
    crew = Crew(
        processes, open_tools=partial(wiring.open_tools, settings), stages=settings.stages, profiles=profiles,
        meter=MetricsMeter(),
    )  # fmt: skip
    try:
        yield crew.enrich
    finally:
        crew.close()


@telemetry.giving_signs("settle")
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

    run_leased(ports, settle.LEASE, wait, work, once=once)


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
    # Said once, the consumer keeps them: on Kafka the offsets of a group without members expire.
    if done := {place: offset for place, offset in consumer.committed(places).items() if offset}:
        consumer.commit(done)


@telemetry.giving_signs("index")
def run_index(ports: Ports, wait: Wait, *, once: bool = False) -> None:
    """Index what is ready: into Elasticsearch with any number of others, else as the holder of the index lease."""
    if wiring.is_elasticsearch(ports.settings):
        _run_index_on_cluster(ports, wait, once=once)
        return

    def work(keeper: LeaseKeeper, waiting: Wait) -> None:
        with (
            closing(wiring.open_index(ports.settings, writer=True)) as target,
            closing(ports.broker.consumer(index.GROUP, index.INPUTS, _member(ports, once=once))) as consumer,
        ):
            _say_if_lost(ports, target)
            drops = AskedDrops(ports, target)

            def waiting_and_dropping(seconds: float) -> bool:
                drops.look()
                return waiting(seconds)

            _index_worker(
                ports, target, consumer, waiting_and_dropping, once=once, guard=keeper.check
            ).run(once=once)  # fmt: skip

    run_leased(ports, index.LEASE, wait, work, once=once)


def _run_index_on_cluster(ports: Ports, wait: Wait, *, once: bool) -> None:
    while not wait(0):
        try:
            wiring.require_index(ports.settings)
            break
        except TryLater as later:
            put_off("index", later, wait)
    consumer = _joined(ports, index.GROUP, index.INPUTS, wait, once=once)
    if consumer is None:
        return
    with closing(consumer), closing(wiring.open_index(ports.settings, writer=True)) as target:
        _say_if_lost(ports, target)
        _index_worker(ports, target, consumer, wait, once=once).run(once=once)


def _index_worker(
    ports: Ports, target: SearchIndex, consumer: Consumer, wait: Wait, *, once: bool,
    guard: Callable[[], None] = lambda: None,
) -> Worker:  # fmt: skip
    linger = 0.0 if once else ports.settings.index_linger_seconds
    return Worker(
        index.GROUP, broker=ports.broker, consumer=consumer, progress=ports.state, clock=ports.clock, wait=wait,
        guard=guard, reach=ports.reach, limits=_limits(once=once, max_records=500, linger_seconds=linger),
        handle=lambda records: index.index_records(records, index=target, state=ports.state),
    )  # fmt: skip


def _say_if_lost(ports: Ports, target: SearchIndex) -> None:
    """A new index beside an old state is half an index for good, unless somebody is told."""
    try:
        holdings = look_up_holdings(ports, target)
    except TryLater as later:  # the worker finds that out as well, and holds
        log.info("index not looked into", cause=later.cause)
        return
    if holdings.lacking:
        log.error(str(holdings), next="run `wirewatch index --rebuild`")


def rebuild_index(ports: Ports, wait: Wait) -> int:
    """Write the newest form of every article that is to be kept into the index; return how many.

    What the index holds already is compared by version as always, so this may be done at any time. An embedded index is
    written as the holder of its lease.

    Raises:
        LeaseHeld: another process writes to the index.
    """
    written = 0

    def work(check: Callable[[], None], waiting: Wait) -> None:
        nonlocal written
        written = 0
        articles = (article for article in ports.state.all_articles() if not _is_past(ports, article))
        with closing(wiring.open_index(ports.settings, writer=True)) as target:
            while not waiting(0) and (some := list(islice(articles, REBUILD_BATCH))):
                check()
                target.write(some)
                written += len(some)

    if wiring.is_elasticsearch(ports.settings):
        wiring.require_index(ports.settings)
        work(lambda: None, wait)
    else:
        run_leased(ports, index.LEASE, wait, lambda keeper, waiting: work(keeper.check, waiting), once=True)
    return written


def _is_past(ports: Ports, article: Article) -> bool:
    return is_past(f"{article.first_seen:%Y-%m}", ports.clock(), ports.settings.index_keep_days)


@telemetry.giving_signs("alert")
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


@telemetry.giving_signs("deliver")
def run_deliver(ports: Ports, wait: Wait, *, once: bool = False) -> None:
    """Empty the outbox into the channels; with ``once`` until nothing is due."""
    with new_runner() as loop:
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
                    put_off("deliver", later, wait)
                    continue
                if report is None:
                    return
                telemetry.SIGNS.go_on("deliver")
                if not report.handled:
                    if once:
                        return
                    wait(IDLE_SECONDS)
        finally:
            loop.run(http.close())


@telemetry.giving_signs("housekeeping")
def run_housekeeping(ports: Ports, wait: Wait, *, once: bool = False) -> None:
    """Let go of what is past its retention and make next month's index ahead, every hour."""
    while not wait(0):
        try:
            housekeeping.prune(ports, wait)
        except TryLater as later:
            put_off("housekeeping", later, wait)
            continue
        telemetry.SIGNS.go_on("housekeeping")
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


def _joined(ports: Ports, group: str, names: Collection[str], wait: Wait, *, once: bool) -> Consumer | None:
    """Join the group as soon as the broker allows; None when told to stop before."""
    while not wait(0):
        try:
            return ports.broker.consumer(group, names, _member(ports, once=once))
        except TryLater as later:
            put_off(group, later, wait)
    return None


def _member(ports: Ports, *, once: bool) -> str:
    """The lasting name is for one process at a time: who only helps out must not put out the one that has it."""
    return "" if once else ports.settings.member


def _limits(*, once: bool, max_records: int = 200, linger_seconds: float = 0.0) -> Limits:
    return Limits(max_records=max_records, poll_seconds=0.0 if once else 0.5, linger_seconds=linger_seconds)


def _places(ports: Ports, names: Collection[str]) -> Collection[TopicPartition]:
    partitions = ports.broker.topics()
    return [TopicPartition(name, number) for name in names for number in range(partitions[name])]


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
