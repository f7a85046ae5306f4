"""Rows 3, 5, 6 and 8 on a real Kafka: it goes away, members come and go, a handler is slow, a topic is missing."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from uuid import uuid4

import pytest
from fault_parts import FaultyWorld, faulty_world, storm
from faults.kill.cluster import Cluster
from faults.kill.long_running import PATIENCE_SECONDS, OwnServer, has_found, running, until
from faults.kill.parts import Parts
from faults.kill.processes import Zygote
from faults.kill.run import ALL_STEPS
from faults.kill.scene import scene
from faults.oracle import judge
from kafka import KafkaAdminClient, errors
from services.servers import start_kafka

from pipeline import steps, wiring
from pipeline.adapters.kafka_broker import KafkaBroker, parse_location
from pipeline.adapters.kafka_broker import consumer as consumer_module
from pipeline.errors import EXIT_DEAD_LETTERS_UNAVAILABLE, DeadLettersUnavailable
from pipeline.feed import FeedStatus
from pipeline.outcomes import Status
from pipeline.ports import Message, Record, TopicPartition
from pipeline.topics import Topic
from pipeline.worker import Handled, Limits, Worker


class OwnKafka(OwnServer):
    def answers(self) -> bool:
        try:
            settings = parse_location(f"kafka://{self.address}").client_settings()
            with closing(KafkaAdminClient(**settings, bootstrap_timeout_ms=2_000)) as admin:
                return bool(admin.list_topics())
        except errors.KafkaError:
            return False


@pytest.fixture(scope="module")
def own_kafka(tmp_path_factory: pytest.TempPathFactory, kafka: str) -> Iterator[OwnKafka]:
    """A second broker; ``kafka`` says, by skipping or failing, when there can be none."""
    with closing(OwnKafka(start_kafka, tmp_path_factory.mktemp("own-kafka"))) as own:
        yield own


@pytest.fixture
def shaky(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, own_kafka: OwnKafka, elasticsearch: str, postgres: str
) -> Iterator[FaultyWorld]:
    """A world on the broker that can be stopped."""
    with (
        closing(Cluster(own_kafka.address, elasticsearch, postgres)) as parts,
        faulty_world(tmp_path, monkeypatch, parts, group_lease_seconds=10.0) as world,
    ):
        yield world


def test_a_broker_away_for_longer_than_a_delivery_fails_the_poll_and_nothing_of_it_is_saved(
    shaky: FaultyWorld, own_kafka: OwnKafka
) -> None:
    feed = shaky.feed("/a.rss", storm(1), storm(2))
    with running(shaky, "enrich", "settle", "index"), shaky.ports() as ports:
        own_kafka.kill()
        try:
            steps.run_poll(ports, lambda _: False, only=[feed.id])
        finally:
            own_kafka.start()
        known = ports.state.feed(feed.id)
        assert known is not None
        assert known.state.status is FeedStatus.FAILED
        assert "broker" in known.state.cause.lower()
        assert (known.state.etag, known.state.body_hash) == ("", "")
        until(partial(is_polled, ports, feed.id), "the broker did not come back")
        polls = [request for request in shaky.server.requests if request.path == "/a.rss"]
        assert "if-none-match" not in polls[-1].headers
        # The workers were there all the time, without a broker: they go on by themselves.
        until(partial(has_found, shaky, 2), "the workers did not go on within a minute")
    assert shaky.dead_letters() == []


def is_polled(ports: wiring.Ports, feed_id: str) -> bool:
    steps.run_poll(ports, lambda _: False, only=[feed_id])
    known = ports.state.feed(feed_id)
    return known is not None and known.state.status is FeedStatus.OK


def test_a_broker_restarted_while_workers_read_loses_nothing_and_doubles_nothing(
    shaky: FaultyWorld, own_kafka: OwnKafka
) -> None:
    with running(shaky, "enrich", "settle", "index"), shaky.ports() as ports:
        for round_ in range(3):
            items = [storm(100 * round_ + number) for number in range(40)]
            shaky.show(f"/{round_}.rss", *items)
            feed = shaky.watch(f"/{round_}.rss", outlet=f"Outlet {round_}")
            until(partial(is_polled, ports, feed.id), "the broker did not come back")
            if round_ < 2:
                own_kafka.kill()
                own_kafka.start()
                until(own_kafka.answers, "the broker did not come back")
        until(partial(has_found, shaky, 120), "not everything arrived within a minute")
    shaky.run("enrich", "settle", "index")
    shaky.check_nothing_lost()


@pytest.mark.parametrize("parts", ["cluster"], indirect=True)
class TestMembers:
    ROUNDS = 6

    def test_workers_that_join_and_leave_lose_nothing(self, tmp_path: Path, zygote: Zygote, parts: Parts) -> None:
        """In every round one joins, with work under way, and the one that is there longest leaves."""
        with scene(tmp_path, zygote, feeds=("a", "b", "c", "pages"), parts=parts) as there:
            workers = [there.lives.start("enrich", "index", "alert", stays=True)]
            for _ in range(self.ROUNDS):
                for _ in range(4):
                    there.world.publish_news()
                there.lives.run("poll", "fetch")
                workers.append(there.lives.start("enrich", "settle", "index", "alert", "deliver", stays=True))
                leaver = workers.pop(0)
                leaver.stop()
                assert not leaver.wait(), leaver.said()
                there.world.clock.forward(61)
            for worker in workers:
                worker.stop()
                assert not worker.wait(), worker.said()
            there.lives.run(*ALL_STEPS)
            ledger = judge(there.world)
            assert ledger.problems == []
            assert ledger.indexed == ledger.articles >= 8 * self.ROUNDS

    def test_a_handler_slower_than_the_group_allows_gives_way_and_goes_on(self, parts: Parts, tmp_path: Path) -> None:
        with faulty_world(tmp_path, pytest.MonkeyPatch(), parts) as world, world.ports() as one, world.ports() as other:
            sent = [Message(topic="articles.raw", key=f"key {n}", value=b"%d" % n) for n in range(20)]
            assert set(one.broker.publish(sent)) == {None}
            handled: list[bytes | None] = []
            successor = Successor(other)

            def slow(records: Sequence[Record]) -> Sequence[Handled]:
                if not successor.has_joined:
                    successor.join_and_wait_for_all()  # this member is silent for so long that the group goes on
                handled.extend(record.value for record in records)
                return [Handled(record, Status.PUBLISHED) for record in records]

            with closing(one.broker.consumer("slow", ["articles.raw"])) as consumer:
                worker = Worker(
                    "slow", broker=one.broker, consumer=consumer, progress=one.state, handle=slow, clock=one.clock,
                    wait=lambda _: False, limits=Limits(poll_seconds=5.0),
                )  # fmt: skip
                assert worker.turn()  # the commit was refused: the records are another's, and this is no error
                successor.leave()
                worker.run(once=True)
            assert sorted(set(handled)) == sorted(message.value for message in sent)
            done = one.broker.committed("slow", ["articles.raw"])
            assert done == one.broker.end_offsets(["articles.raw"])


class Successor:
    """Another member of the group, in a thread of its own; it reads and commits nothing."""

    def __init__(self, ports: wiring.Ports) -> None:
        self._ports = ports
        self._stop = threading.Event()
        self._has_all = threading.Event()
        self._thread = threading.Thread(target=self._poll)
        self.has_joined = False

    def join_and_wait_for_all(self) -> None:
        self.has_joined = True
        self._thread.start()
        assert self._has_all.wait(PATIENCE_SECONDS), "the silent member keeps its partitions"

    def leave(self) -> None:
        self._stop.set()
        self._thread.join()

    def _poll(self) -> None:
        with closing(self._ports.broker.consumer("slow", ["articles.raw"])) as consumer:
            while not self._stop.is_set():
                consumer.poll(1, 0.1, topics=())
                if len(consumer.assignment()) == 8:
                    self._has_all.set()


@pytest.mark.parametrize("parts", ["cluster"], indirect=True)
def test_a_dead_letter_that_has_no_topic_stops_the_step_with_its_offset_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, parts: Parts, kafka: str
) -> None:
    with faulty_world(tmp_path, monkeypatch, parts) as world:
        world.show("/a.rss", *(storm(number) for number in range(4)))
        world.watch("/a.rss")
        world.publish("articles.raw", b"not JSON")
        world.run("poll")
        prefix = str(parts.settings["broker"]).rpartition("prefix=")[2]
        with world.ports() as ports, closing(KafkaAdminClient(bootstrap_servers=kafka)) as admin:
            admin.delete_topics([f"{prefix}articles.raw.dead"])
            until(lambda: "articles.raw.dead" not in ports.broker.topics(), "the topic was not deleted")
            with pytest.raises(DeadLettersUnavailable, match="No record was skipped") as stopped:
                steps.run_enrich(ports, lambda _: False, once=True)
            assert stopped.value.exit_code == EXIT_DEAD_LETTERS_UNAVAILABLE
            [poison] = [record for record in world_records(ports) if record.value == b"not JSON"]
            assert ports.broker.committed("enrich", ["articles.raw"])[poison.place] <= poison.offset
            ports.broker.create_topics(steps.topics.ALL)
        world.run("enrich", "settle", "index", "alert", "deliver")
        (letter,) = world.dead_letters()
        assert (letter.value, letter.reason) == (b"not JSON", "not an article")
        world.check_nothing_lost()
        assert len(world.documents()) == len(world.hooks()) == 4


def world_records(ports: wiring.Ports) -> list[Record]:
    places = ports.broker.end_offsets(["articles.raw"])
    return [record for place in places for record in ports.broker.read(place, 0, 100)]


@pytest.mark.parametrize("parts", ["cluster"], indirect=True)
def test_offsets_that_have_expired_cost_work_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, parts: Parts, kafka: str
) -> None:
    """Kafka forgets the offsets of a group without members after ``offsets.retention.minutes``, here at once."""
    with faulty_world(tmp_path, monkeypatch, parts) as world:
        world.show("/a.rss", *(storm(number) for number in range(4)))
        world.watch("/a.rss")
        world.poll()
        before = world.documents()
        prefix = str(parts.settings["broker"]).rpartition("prefix=")[2]
        with closing(KafkaAdminClient(bootstrap_servers=kafka)) as admin:
            admin.delete_groups([f"{prefix}settle"])
        world.run("settle", "index", "alert", "deliver")
        assert world.documents() == before
        assert len(world.hooks()) == 4
        world.check_nothing_lost()


def test_a_reader_without_members_commits_again_what_it_has_committed(
    kafka: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consumer_module, "KEEP_SECONDS", 0.0)
    location = parse_location(f"kafka://{kafka}?replication=1&prefix=test-{uuid4().hex[:8]}.")
    place = TopicPartition("t", 0)
    with (
        closing(KafkaBroker(location, clock=lambda: datetime.now(UTC))) as broker,
        closing(KafkaAdminClient(bootstrap_servers=kafka)) as admin,
    ):
        broker.create_topics([Topic("t", 1)])
        assert broker.publish([Message(topic="t", key="k", value=b"1")]) == [None]
        with closing(broker.assigned_consumer("g", [place])) as consumer:
            until(lambda: bool(consumer.poll(1, 1.0)), "no record came")
            consumer.commit({place: 1})
            admin.delete_groups([location.group("g")])
            assert broker.committed("g", ["t"]) == {place: 0}
            assert consumer.poll(1, 0.2) == []
            assert broker.committed("g", ["t"]) == {place: 1}
        admin.delete_topics([location.topic("t")])
