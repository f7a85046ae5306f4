"""What a look sees of the real embedded parts, what the gauges then say, and that it survives whatever is away."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from prometheus_client import REGISTRY
from worker_parts import SettableClock

from pipeline import wiring
from pipeline.feed import Feed, FeedState
from pipeline.ports import Message, PollResult
from pipeline.settings import Settings, load_settings
from pipeline.telemetry import Signs
from pipeline.topics import ready
from pipeline.watch.look import Lookout
from pipeline.wiring import Ports

ALL_STEPS = ("poll", "enrich", "settle", "index", "alert", "deliver")


@pytest.fixture
def clock() -> SettableClock:
    return SettableClock()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    settings = load_settings(folder=tmp_path, environment={})
    wiring.create_data_folder(settings)
    return settings


@pytest.fixture
def ports(settings: Settings, clock: SettableClock) -> Iterator[Ports]:
    with wiring.open_ports(settings, clock=clock) as ports:
        yield ports


@pytest.fixture
def lookout(settings: Settings, clock: SettableClock, ports: Ports) -> Iterator[Lookout]:
    lookout = Lookout(settings, clock, ALL_STEPS, signs=Signs())
    yield lookout
    lookout.close()


def gauge(name: str, **labels: str) -> float | None:
    return REGISTRY.get_sample_value(name, labels)


def publish(ports: Ports, *keys: str, lane: str = "live") -> None:
    messages = [Message(topic=ready(lane), key=key, value=b"{}") for key in keys]  # type: ignore[arg-type]
    assert ports.broker.publish(messages) == [None] * len(messages)


def test_it_sees_how_far_each_step_is_and_how_old_its_oldest_record(
    lookout: Lookout, ports: Ports, clock: SettableClock
) -> None:
    publish(ports, "a")
    first = clock()
    clock.forward(60)
    publish(ports, "b", "c")
    clock.forward(30)
    by_step = {step.step: step for step in lookout.look().steps or ()}
    assert list(by_step) == ["enrich", "settle", "index", "alert"]
    assert (by_step["index"].lag, by_step["index"].committed, by_step["index"].oldest) == (3, 0, first)
    assert (by_step["enrich"].lag, by_step["enrich"].oldest) == (0, None)
    assert gauge("wirewatch_lag_records", step="index", topic="articles.ready") == 3
    assert gauge("wirewatch_oldest_unacknowledged_seconds", step="index", topic="articles.ready") == 90
    assert gauge("wirewatch_last_look_timestamp_seconds") == clock().timestamp()

    consumer = ports.broker.consumer("index", [ready("live")])
    records = consumer.poll(10, 0)
    consumer.commit({record.place: record.offset + 1 for record in records})
    consumer.close()
    index = next(step for step in lookout.look().steps or () if step.step == "index")
    assert (index.lag, index.committed, index.oldest) == (0, 3, None)
    assert gauge("wirewatch_lag_records", step="index", topic="articles.ready") == 0
    assert gauge("wirewatch_oldest_unacknowledged_seconds", step="index", topic="articles.ready") == 0


def test_a_backfill_counts_as_work_and_may_be_as_old_as_it_likes(lookout: Lookout, ports: Ports) -> None:
    publish(ports, "a", lane="backfill")
    index = next(step for step in lookout.look().steps or () if step.step == "index")
    assert (index.lag, index.oldest) == (1, None)
    assert gauge("wirewatch_lag_records", step="index", topic="backfill.ready") == 1


def test_it_sees_how_polling_goes(lookout: Lookout, ports: Ports, clock: SettableClock) -> None:
    ports.state.save_feeds([Feed(id=name, url=f"http://{name}.example/") for name in ("due", "new", "paused", "later")])
    ports.state.pause_feed("paused", True)
    now = clock()
    states = {
        "due": FeedState(last_polled=now - timedelta(hours=1), next_due=now - timedelta(minutes=5)),
        "later": FeedState(last_polled=now - timedelta(minutes=2), next_due=now + timedelta(minutes=5)),
    }
    for name, state in states.items():
        ports.state.claim_due_feeds(now, 10, "me", 60, [name])
        assert ports.state.save_poll(PollResult(feed_id=name, state=state), "me")
    polling = lookout.look().polling
    assert polling is not None
    assert (polling.due, polling.due_since, polling.last) == (2, now - timedelta(minutes=5), now - timedelta(minutes=2))
    assert (gauge("wirewatch_feeds", status="due"), gauge("wirewatch_feeds", status="paused")) == (2, 1)
    assert gauge("wirewatch_queued", queue="deliveries", status="waiting") == 0


def test_it_looks_only_at_what_it_was_asked_to(settings: Settings, clock: SettableClock, ports: Ports) -> None:
    lookout = Lookout(settings, clock, ["enrich"], signs=Signs())
    seen = lookout.look()
    assert [step.step for step in seen.steps or ()] == ["enrich"]
    assert (seen.polling, seen.deliveries) == (None, None)
    lookout.close()


def test_a_broker_that_is_away_does_not_hide_how_polling_goes_nor_what_this_process_knows(
    settings: Settings, clock: SettableClock, ports: Ports, tmp_path: Path
) -> None:
    (tmp_path / "broken.db").write_bytes(b"no database " * 100)
    signs = Signs()
    signs.hold("index", "the disk is full")
    broken = settings.model_copy(update={"broker": f"sqlite:///{tmp_path}/broken.db"})
    lookout = Lookout(broken, clock, ALL_STEPS, signs=signs)
    for _ in range(2):  # it is opened anew each time
        seen = lookout.look()
        assert seen.steps is None
        assert list(seen.unseen) == ["broker"]
        assert seen.polling is not None
        assert seen.held == {"index": "the disk is full"}
        assert (seen.disk, 0 < seen.disk_used < 1) == (str(settings.data_folder), True)
    lookout.close()


def test_a_fault_of_a_driver_is_something_seen_and_carries_no_secret(
    settings: Settings, clock: SettableClock, ports: Ports, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(*_: object) -> None:
        raise RuntimeError("cannot reach postgresql://me:c4n4ry@db.example/news")

    monkeypatch.setattr(wiring, "open_state", breaks)
    lookout = Lookout(settings, clock, ALL_STEPS, signs=Signs())
    seen = lookout.look()
    assert seen.unseen == {"state": "RuntimeError: cannot reach postgresql://[hidden]@db.example/news"}
    assert seen.steps
    lookout.close()
