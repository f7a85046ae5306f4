"""The steps as loops, over real embedded parts and a clock moved by hand: leases, standing by, draining, holding."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace
from worker_parts import SettableClock

from pipeline import leased, steps, topics, wiring
from pipeline.adapters.sql_state import SqlState
from pipeline.article import Article, encode_article
from pipeline.dead import read_dead_letter
from pipeline.errors import LeaseLost, MemberReplaced, TryLater
from pipeline.identity import article_id
from pipeline.leased import LeaseHeld, LeaseKeeper
from pipeline.ports import Lease, Message, PageRequest, TopicPartition, batched_records
from pipeline.settings import load_settings
from pipeline.settle import run as settle
from pipeline.wiring import Ports


class Killed(BaseException):
    """Stands for SIGKILL."""


class Waits:
    """A ``wait`` that never sleeps: it moves the clock, does what is planned for its turn, and stops in time."""

    def __init__(
        self, clock: SettableClock, *plan: Callable[[], object], stop_after: int = 200,
        until: Callable[[], bool] = lambda: False,
    ) -> None:  # fmt: skip
        self.clock = clock
        self.plan = list(plan)
        self.stop_after = stop_after
        self.until = until
        self.seconds: list[float] = []

    def __call__(self, seconds: float) -> bool:
        if seconds:
            self.seconds.append(seconds)
            self.clock.forward(seconds)
            if self.plan:
                self.plan.pop(0)()
        return len(self.seconds) >= self.stop_after or self.until()


class Desk:
    """A data folder, and as many processes' ports on it as are asked for."""

    def __init__(self, folder: Path) -> None:
        self.clock = SettableClock()
        (folder / "config").mkdir()
        (folder / "config" / "rules.yml").write_text("- id: ferry\n  query: ferry\n", "utf-8")
        self.settings = load_settings(
            folder=folder, environment={}, data=str(folder / "data"), config=str(folder / "config"),
            stages=("text", "clean"), index_linger_seconds=0.0,
        )  # fmt: skip
        wiring.create_data_folder(self.settings)

    def ports(self) -> AbstractContextManager[Ports]:
        return wiring.open_ports(self.settings, clock=self.clock)

    def waits(
        self, *plan: Callable[[], object], stop_after: int = 200, until: Callable[[], bool] = lambda: False
    ) -> Waits:
        return Waits(self.clock, *plan, stop_after=stop_after, until=until)


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.setattr(steps, "Tools", _Tools)
    return Desk(tmp_path)


class _Tools:
    """Without the language model and the names, which the stages here do not need."""

    def __init__(self, pages: object, own_names: object) -> None:
        self.pages = pages

    def prepare(self, stages: object) -> None:
        pass


@pytest.fixture
def ports(desk: Desk) -> Iterator[Ports]:
    with desk.ports() as ports:
        yield ports


def article(number: int = 1, **changes: object) -> Article:
    link = f"https://harbour.example/{number}"
    plain = Article(
        id=article_id(link=link, feed_url="", guid="", content=""), url=link, feed="f1", outlet="Harbour Times",
        title=f"Ferry {number} aground", body=f"Ferry number {number} ran aground off the northern breakwater.",
    )  # fmt: skip
    return replace(plain, **changes)


def send(ports: Ports, *articles: Article, topic: str = "articles.raw") -> None:
    messages = [Message(topic=topic, key=one.id, value=encode_article(one)) for one in articles]
    assert ports.broker.publish(messages) == [None] * len(articles)


def records(ports: Ports, topic: str) -> list[bytes | None]:
    places = [TopicPartition(topic, n) for n in range(ports.broker.topics()[topic])]
    return [record.value for place in places for record in batched_records(ports.broker, place)]


def lag(ports: Ports, group: str, names: Sequence[str]) -> int:
    ends, done = ports.broker.end_offsets(names), ports.broker.committed(group, names)
    return sum(end - done.get(place, 0) for place, end in ends.items())


class Refusing:
    """What it wraps, but the next calls of one method raise ``TryLater``."""

    def __init__(self, real: object, name: str, times: int) -> None:
        self._real, self._name, self.left = real, name, times

    def __getattr__(self, name: str) -> object:
        found = getattr(self._real, name)
        if name != self._name:
            return found

        def call(*given: object, **named: object) -> object:
            if self.left:
                self.left -= 1
                raise TryLater("busy")
            return found(*given, **named)

        return call


# --- the lease keeper


def keeper_of(ports: Ports, name: str = "settle") -> tuple[LeaseKeeper, Lease]:
    lease = ports.state.acquire_lease(name, ports.holder, 30, ports.clock())
    assert lease is not None
    return LeaseKeeper(ports, lease), lease


def test_a_lease_is_renewed_when_a_third_of_its_time_has_passed(desk: Desk, ports: Ports) -> None:
    keeper, lease = keeper_of(ports)
    desk.clock.forward(9)
    assert keeper.lease() == lease
    desk.clock.forward(2)
    assert keeper.lease().expires == desk.clock() + timedelta(seconds=30)


def test_a_clock_that_was_set_back_renews_the_lease_at_once(desk: Desk, ports: Ports) -> None:
    keeper, _ = keeper_of(ports)
    desk.clock.forward(-3600)
    keeper.check()
    assert ports.state.acquire_lease("settle", "another", 30, desk.clock()) is None


def test_a_lease_that_went_to_another_is_noticed_after_a_pause(desk: Desk, ports: Ports) -> None:
    keeper, _ = keeper_of(ports)
    desk.clock.forward(31)
    assert ports.state.acquire_lease("settle", "another", 30, desk.clock())
    with pytest.raises(LeaseLost):
        keeper.check()


def test_a_busy_state_is_asked_again_until_the_lease_has_run_out(desk: Desk, ports: Ports) -> None:
    refusing = Refusing(ports.state, "renew_lease", 2)
    keeper = LeaseKeeper(replace(ports, state=refusing), keeper_of(ports)[1])
    desk.clock.forward(11)
    keeper.check()
    assert refusing.left == 1
    desk.clock.forward(20)
    with pytest.raises(LeaseLost, match="not renewed in time"):
        keeper.check()


# --- one writer, others standing by


def test_a_standby_takes_over_when_the_lease_has_ended(desk: Desk, ports: Ports) -> None:
    ports.state.acquire_lease("settle", "another", 30, desk.clock())
    send(ports, article(), topic="articles.enriched")
    steps.run_settle(ports, desk.waits(until=lambda: lag(ports, "settle", settle.INPUTS) == 0))
    assert ports.state.record(article().id) is not None
    assert ports.state.lease_holder("settle", desk.clock()) is None


def test_with_once_a_lease_that_another_holds_is_said_so(desk: Desk, ports: Ports) -> None:
    ports.state.acquire_lease("index", "another", 30, desk.clock())
    with pytest.raises(LeaseHeld, match="index is being done by another"):
        steps.run_index(ports, desk.waits(), once=True)


def test_an_index_that_a_paused_holder_has_still_open_is_waited_for(desk: Desk, ports: Ports) -> None:
    # Given a holder that was paused for so long that its lease ended; its lock on the folder did not
    send(ports, article(version=1), topic="articles.ready")
    paused = wiring.open_index(desk.settings, writer=True)
    # When a standby takes the lease, then it stands by all the same, until the lock is free
    waits = desk.waits(
        lambda: None, lambda: None, paused.close, until=lambda: lag(ports, "index", ["articles.ready"]) == 0
    )
    steps.run_index(ports, waits)
    assert len(waits.seconds) == 3
    # And a single run says why it does nothing
    again = wiring.open_index(desk.settings, writer=True)
    with pytest.raises(LeaseHeld, match="in use by another process"):
        steps.run_index(ports, desk.waits(), once=True)
    again.close()


def test_a_writer_that_lost_its_lease_stands_by_and_comes_back(desk: Desk, ports: Ports) -> None:
    send(ports, article(), topic="articles.enriched")

    def take() -> None:
        desk.clock.forward(31)
        assert ports.state.acquire_lease("settle", "another", 30, desk.clock())

    busy = Refusing(ports.state, "settle", 1)  # so that the writer waits once, with its batch in hand
    waits = desk.waits(take, until=lambda: lag(ports, "settle", settle.INPUTS) == 0)
    steps.run_settle(replace(ports, state=busy), waits)
    assert ports.state.record(article().id) is not None


# --- a state or broker that is busy


@pytest.mark.parametrize("name", ["enrich", "alert"])
def test_a_broker_that_is_busy_when_a_step_starts_is_waited_for(desk: Desk, ports: Ports, name: str) -> None:
    topic = {"enrich": "articles.raw", "alert": "articles.ready"}[name]
    send(ports, article(version=1), topic=topic)
    refusing = Refusing(ports.broker, "consumer", 2)
    waits = desk.waits()
    steps.STEPS[name](replace(ports, broker=refusing), waits, once=True)
    assert waits.seconds == [leased.HOLD_SECONDS] * 2
    assert lag(ports, name, [topic]) == 0
    steps.STEPS[name](replace(ports, broker=Refusing(ports.broker, "consumer", 9)), desk.waits(stop_after=1))


@pytest.mark.parametrize(
    ("part", "call"), [("state", "acquire_lease"), ("state", "settle"), ("broker", "assigned_consumer")]
)
def test_what_is_busy_when_a_writer_starts_is_waited_for(desk: Desk, ports: Ports, part: str, call: str) -> None:
    send(ports, article(), topic="articles.enriched")
    refusing = Refusing(getattr(ports, part), call, 2)
    steps.run_settle(replace(ports, **{part: refusing}), desk.waits(), once=True)
    assert refusing.left == 0
    assert ports.state.record(article().id) is not None


def test_a_lease_that_cannot_be_given_back_runs_out_by_itself(desk: Desk, ports: Ports) -> None:
    refusing = Refusing(ports.state, "release_lease", 1)
    steps.run_settle(replace(ports, state=refusing), desk.waits(), once=True)
    assert refusing.left == 0


@pytest.mark.parametrize(
    ("step", "part", "call"),
    [
        ("poll", "state", "claim_due_feeds"), ("fetch", "state", "claim_pages"), ("fetch", "state", "queued_pages"),
        ("deliver", "state", "claim_deliveries"), ("housekeeping", "broker", "prune"),
    ],
)  # fmt: skip
def test_steps_that_ask_the_state_for_work_ask_again(desk: Desk, ports: Ports, step: str, part: str, call: str) -> None:
    refusing = Refusing(getattr(ports, part), call, 2)
    waits = desk.waits()
    steps.STEPS[step](replace(ports, **{part: refusing}), waits, once=True)
    assert refusing.left == 0
    assert waits.seconds == [leased.HOLD_SECONDS] * 2


# --- settle goes back to what the state knows


def test_a_state_put_back_from_a_backup_settles_again_what_came_after_it(
    desk: Desk, ports: Ports, tmp_path: Path
) -> None:
    # Given a backup, and an article that was settled after it
    send(ports, article(1), topic="articles.enriched")
    steps.run_settle(ports, desk.waits(), once=True)
    ports.state.backup(str(tmp_path / "backup.db"))
    send(ports, article(2), article(1, title="Ferry 1 afloat"), topic="articles.enriched")
    steps.run_settle(ports, desk.waits(), once=True)
    # When the backup is put back
    restored = SqlState.open(f"sqlite:///{tmp_path / 'backup.db'}", migrate=True)
    try:
        steps.run_settle(replace(ports, state=restored), desk.waits(), once=True)
        # Then it knows all of it again, as the same revisions
        assert restored.record(article(2).id).article == ports.state.record(article(2).id).article
        assert [r.article.version for r in restored.revisions(article(1).id)] == [1, 2]
        assert lag(ports, "settle", settle.INPUTS) == 0
    finally:
        restored.close()


def test_a_killer_in_what_is_settled_again_is_found(
    desk: Desk, ports: Ports, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a state put back from a backup that knows nothing of the records the log has committed
    ports.state.backup(str(tmp_path / "backup.db"))
    send(ports, article(1), article(2), topic="articles.enriched")
    steps.run_settle(ports, desk.waits(), once=True)
    restored = SqlState.open(f"sqlite:///{tmp_path / 'backup.db'}", migrate=True)
    try:
        deaths = deaths_in_settle(replace(ports, state=restored), desk, monkeypatch)
        # When one of them kills its worker, then it is found all the same
        assert deaths <= 4
        assert [read_dead_letter(value).reason for value in records(ports, "articles.enriched.dead")] == [
            "killed its worker"
        ]
        assert lag(ports, "settle", settle.INPUTS) == 0
    finally:
        restored.close()


def test_settle_does_not_go_back_to_a_killer_that_was_the_last_of_its_partition(
    desk: Desk, ports: Ports, monkeypatch: pytest.MonkeyPatch
) -> None:
    send(ports, article(2), topic="articles.enriched")
    assert deaths_in_settle(ports, desk, monkeypatch) == 3
    # When settle is started again, then it has nothing to do with that record any more
    assert deaths_in_settle(ports, desk, monkeypatch) == 0
    assert len(records(ports, "articles.enriched.dead")) == 1


def deaths_in_settle(ports: Ports, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> int:
    """Run settle, which article 2 kills, until it ends well; return how often it was killed."""
    decode = settle.decode_article

    def deadly(value: bytes | None) -> Article:
        if decode(value).id == article(2).id:
            raise Killed
        return decode(value)

    with monkeypatch.context() as patch:
        patch.setattr(settle, "decode_article", deadly)
        for deaths in range(10):
            try:
                steps.run_settle(ports, desk.waits(), once=True)
            except Killed:
                continue
            return deaths
    raise AssertionError("no end of deaths")


# --- one folder, several processes


def test_who_helps_out_does_not_put_out_the_worker_that_has_the_name(desk: Desk, ports: Ports) -> None:
    named = desk.settings.model_copy(update={"member": "laptop"})
    running = ports.broker.consumer("enrich", ["articles.raw", "backfill.raw"], "laptop")
    send(ports, article())
    with desk.ports() as others:
        steps.run_enrich(replace(others, settings=named), desk.waits(), once=True)
    running.poll(1, 0)
    running.close()
    # But a second one that is to stay under that name does
    former = ports.broker.consumer("enrich", ["articles.raw", "backfill.raw"], "laptop")
    with desk.ports() as others:
        steps.run_enrich(replace(others, settings=named), desk.waits(stop_after=0))
        later = others.broker.consumer("enrich", ["articles.raw"], "laptop")
        with pytest.raises(MemberReplaced, match="setting member"):
            former.poll(1, 0)
        later.close()


def test_drain_brings_everything_to_the_end(desk: Desk, ports: Ports) -> None:
    send(ports, *map(article, range(20)))
    waits = desk.waits()
    steps.drain(ports, waits)
    assert waits.seconds == []
    for group, names in {"enrich": ["articles.raw"], "settle": settle.INPUTS, "index": ["articles.ready"]}.items():
        assert lag(ports, group, names) == 0
    assert len(ports.state.alerts(limit=100)) == 20


def test_drain_waits_for_what_another_worker_has_in_hand(desk: Desk, ports: Ports) -> None:
    send(ports, *map(article, range(20)))
    with desk.ports() as others:
        consumer = others.broker.consumer("enrich", ["articles.raw", "backfill.raw"])
        in_hand = consumer.poll(100, 0)
        assert len(in_hand) == 20
        offsets = {r.place: r.offset + 1 for r in in_hand}
        waits = desk.waits(lambda: None, lambda: None, lambda: consumer.commit(offsets))
        steps.drain(ports, waits)
        assert waits.seconds == [steps.OTHERS_SECONDS] * 3  # and not one turn of a busy loop between them


def test_drain_says_who_does_the_work_and_stops_when_told(desk: Desk, ports: Ports) -> None:
    send(ports, article(), topic="articles.enriched")
    ports.state.acquire_lease("settle", "another", 3600, desk.clock())
    said: list[str] = []
    steps.drain(ports, desk.waits(stop_after=3), on_wait=said.append)
    assert set(said) == {"settle is being done by another"}


def test_fetch_once_does_not_wait_for_pages_that_are_to_be_tried_in_an_hour(desk: Desk, ports: Ports) -> None:
    request = PageRequest(article_id="a" * 32, url="https://h.example/1", host="h.example", article=b"{}")
    queue(ports, request)
    (claimed,) = ports.state.claim_pages(desk.clock(), 1, "h", 60, 0.0)
    ports.state.finish_page(claimed.article_id, "h", cause="down", retry_at=desk.clock() + timedelta(hours=1))
    waits = desk.waits()
    steps.run_fetch(ports, waits, once=True)
    assert sum(waits.seconds) <= desk.settings.host_delay_seconds + 2


def queue(ports: Ports, request: PageRequest) -> None:
    from pipeline.feed import Feed, FeedState
    from pipeline.ports import PollResult

    ports.state.save_feeds([Feed(id="f", url="https://h.example/feed", title="F")])
    ports.state.claim_due_feeds(ports.clock(), 1, "h", 60)
    assert ports.state.save_poll(PollResult(feed_id="f", state=FeedState(), pages=(request,)), "h")


def test_every_step_ends_when_told_to_before_it_begins(desk: Desk, ports: Ports) -> None:
    stop = threading.Event()
    stop.set()
    for name, run in steps.STEPS.items():
        run(ports, stop.wait)
        assert ports.state.lease_holder(name, desk.clock()) is None


def test_topics_of_both_lanes_have_as_many_partitions(ports: Ports) -> None:
    """Settle tells a redelivery by the raw partition, so a key must stand in the same one all along its way."""
    assert {ports.broker.topics()[name] for name in topics.LIVE_FIRST} == {topics.PARTITIONS}
