"""How fast an archive is sent, simulated: a broker whose live lag is set by hand and a clock that waits move on."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from worker_parts import BACK, IN, Bench, SettableClock, passed_on

from pipeline.adapters.sqlite_broker import SqliteBroker
from pipeline.ingest.throttle import LOOK_SECONDS, PATIENCE_SECONDS, Lag, Pace, Throttle, look_at_lag, records_now
from pipeline.ports import Message, Record
from pipeline.topics import ALL
from pipeline.worker import Handled

PACE = Pace()
HOUR = 3_600.0


class Simulation:
    """Workers that take ``speed`` backfill records a second, and live records that lag as ``live`` says."""

    def __init__(self, *, live: Callable[[float], int], speed: float, others: bool = True) -> None:
        self.now = 0.0
        self.waiting = 0.0
        self.most_waiting = 0.0
        self.done = 0
        self.worked_here = 0
        self.batches: list[tuple[float, int]] = []
        self.others = others
        self._live, self._speed = live, speed
        self._throttle = Throttle(look=self._look, work=self._work, clock=lambda: self.now, wait=self._wait)
        self._until = 0.0

    def run(self, seconds: float, sending_takes: float = 0.1) -> None:
        """Send as much as the throttle lets through."""
        self._until = self.now + seconds
        while number := self._throttle.next_batch():
            self.batches.append((self.now, number))
            self.waiting += number
            self.most_waiting = max(self.most_waiting, self.waiting)
            self._pass(sending_takes)

    def _look(self) -> Lag:
        return Lag(live=self._live(self.now), backfill=math.ceil(self.waiting), done=self.done)

    def _work(self) -> bool:
        self.worked_here += 1
        self.done += round(self.waiting)
        self.waiting = 0.0
        return self.others

    def _wait(self, seconds: float) -> bool:
        self._pass(seconds)
        return self.now >= self._until

    def _pass(self, seconds: float) -> None:
        self.now += seconds
        if self.others:
            self.waiting = max(0.0, self.waiting - self._speed * seconds)
            self.done += 1


def test_while_the_news_lags_for_an_hour_an_archive_gets_one_slot_in_twenty() -> None:
    world = Simulation(live=lambda _: 5_000, speed=1_000)
    world.run(HOUR)
    slots = HOUR / PACE.slot_seconds
    assert len(world.batches) == pytest.approx(slots * PACE.least_share, abs=5)
    gaps = [later - sooner for (sooner, _), (later, _) in zip(world.batches, world.batches[1:], strict=False)]
    assert min(gaps) >= PACE.slot_seconds / PACE.least_share
    assert max(gaps) <= PACE.slot_seconds / PACE.least_share + LOOK_SECONDS


def test_while_the_news_is_on_time_an_archive_goes_as_fast_as_it_is_worked_off() -> None:
    world = Simulation(live=lambda _: PACE.live_limit, speed=1_000)
    world.run(600)
    sent = sum(number for _, number in world.batches)
    assert sent == pytest.approx(600 * 1_000, rel=0.02)
    assert world.worked_here == 0


def test_when_the_news_catches_up_the_archive_goes_on_at_once() -> None:
    world = Simulation(live=lambda now: 5_000 if now < HOUR else 0, speed=1_000)
    world.run(HOUR + 60)
    after = [at for at, _ in world.batches if at >= HOUR]
    assert after[0] <= HOUR + LOOK_SECONDS
    assert len(after) > 200


def test_the_backfill_lane_never_holds_more_than_its_limit() -> None:
    for live in (0, 5_000):
        world = Simulation(live=lambda _, live=live: live, speed=1)
        world.run(HOUR)
        assert world.most_waiting <= PACE.backfill_limit


def test_where_nobody_works_the_work_is_done_here_after_some_patience_and_then_without() -> None:
    world = Simulation(live=lambda _: 0, speed=0, others=False)
    world.run(60)
    assert world.worked_here > 10
    first_stop = world.batches[PACE.backfill_limit // PACE.batch - 1][0]
    assert world.batches[PACE.backfill_limit // PACE.batch][0] - first_stop >= PATIENCE_SECONDS
    assert world.batches[-1][0] > 59


def test_a_live_lag_that_nobody_works_off_is_worked_off_here() -> None:
    lag = [5_000]
    throttle = Throttle(
        look=lambda: Lag(live=lag[0]), work=lambda: bool(lag.clear() or lag.append(0)), clock=iter(range(100)).__next__,
        wait=lambda _: False,
    )  # fmt: skip
    assert throttle.next_batch() == PACE.batch  # its first slot
    assert throttle.next_batch() == PACE.batch
    assert lag == [0]


def test_told_to_stop_it_lets_nothing_through() -> None:
    assert Throttle(look=Lag, work=bool, clock=float, wait=lambda _: True).next_batch() == 0


@given(
    live=st.integers(0, 10**9), backfill=st.integers(0, 10**9), seconds=st.floats(0, 10**9),
    batch=st.integers(1, 1_000), limit=st.integers(1, 10_000),
)  # fmt: skip
def test_what_may_be_sent_fits_and_after_twenty_slots_there_is_always_some_unless_the_lane_is_full(
    live: int, backfill: int, seconds: float, batch: int, limit: int
) -> None:
    pace = Pace(batch=batch, backfill_limit=limit)
    number = records_now(Lag(live, backfill), seconds, pace)
    assert 0 <= number <= batch
    assert number == 0 or backfill + number <= limit
    if backfill < limit and (seconds >= 20 or live <= pace.live_limit):
        assert number > 0


def test_the_lag_of_each_lane_is_what_its_steps_have_not_committed(tmp_path: Path) -> None:
    broker = SqliteBroker(tmp_path / "broker.db", clock=SettableClock())
    broker.create_topics(ALL)
    sent = {"articles.raw": 3, "articles.ready": 2, "backfill.raw": 4, "backfill.ready": 1}
    for topic, number in sent.items():
        broker.publish([Message(topic=topic, key="k", value=b"x")] * number)
    # The articles that are ready wait for index and for alert.
    assert look_at_lag(broker) == Lag(live=3 + 2 * 2, backfill=4 + 1, done=0)
    consumer = broker.consumer("enrich", ["backfill.raw"])
    (*_, last) = consumer.poll(10, 0)
    consumer.commit({last.place: last.offset + 1})
    assert look_at_lag(broker) == Lag(live=7, backfill=1, done=4)
    consumer.close()
    broker.close()


def test_a_live_record_waits_for_no_more_backfill_than_a_batch_or_two_however_much_there_is(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.send(*[b"old"] * 1_000, topic=BACK)
    order: list[bytes | None] = []

    def handle(records: list[Record]) -> list[Handled]:
        order.extend(record.value for record in records)
        if len(order) // 90 > sum(value != b"old" for value in order):
            bench.send(b"new %d" % len(order))
        return list(passed_on(records))

    try:
        bench.worker(handle, inputs=(IN, BACK), max_records=10).run(once=True)
    finally:
        bench.close()
    news = [(at, int(value.split()[1])) for at, value in enumerate(order) if value and value.startswith(b"new")]
    assert len(news) >= 10
    assert max(handled_at - sent_at for handled_at, sent_at in news) <= 2 * 10
    assert len(order) == 1_000 + len(news)
