"""What the embedded broker does beyond the contract: its file, its leases by an injected clock, and its retention."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from pipeline.adapters.processes import holder_name
from pipeline.adapters.sqlite_broker import SqliteBroker
from pipeline.adapters.sqlite_broker.consumer import GroupConsumer
from pipeline.adapters.sqlite_broker.group import fair_share, to_release
from pipeline.adapters.sqlite_broker.log_file import read_records
from pipeline.errors import DataFolderError, MemberReplaced, PartitionLost, TryLater
from pipeline.ports import Consumer, Message, Record, TopicPartition, batched_records
from pipeline.topics import MAX_RECORD_BYTES, Topic


class Desk:
    """A folder with one broker file, a clock that stands still, and any number of brokers opened on the file."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "broker.db"
        self.now = datetime(2026, 3, 1, tzinfo=UTC)
        self.brokers: list[SqliteBroker] = []

    def open(self) -> SqliteBroker:
        broker = SqliteBroker(self.path, clock=lambda: self.now, lease_seconds=30)
        self.brokers.append(broker)
        return broker

    def later(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    def close(self) -> None:
        for broker in self.brokers:
            broker.close()


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path)
    yield desk
    desk.close()


@pytest.fixture
def broker(desk: Desk) -> SqliteBroker:
    """A broker with topic "t" of four partitions and topic "one" of one, kept for a day."""
    broker = desk.open()
    broker.create_topics([Topic("t", 4, timedelta(days=1)), Topic("one", 1, timedelta(days=1))])
    return broker


def put(broker: SqliteBroker, topic: str, count: int, size: int = 1) -> None:
    messages = [Message(topic=topic, key=f"k{n}", value=b"v" * size) for n in range(count)]
    assert set(broker.publish(messages)) == {None}


def commit(consumer: Consumer, records: list[Record]) -> None:
    consumer.commit({record.place: record.offset + 1 for record in records})


def partitions(consumer: GroupConsumer) -> int:
    consumer.poll(0, 0)
    return len(consumer.assignment())


# --- the file


def test_a_file_of_a_newer_version_is_refused_and_left_alone(desk: Desk, broker: SqliteBroker) -> None:
    broker.close()
    with closing(sqlite3.connect(desk.path)) as raw:
        raw.execute("PRAGMA user_version = 7")
    with pytest.raises(DataFolderError, match=r"newer Wirewatch \(schema 7"):
        desk.open()


def test_another_programs_database_is_refused_and_left_alone(desk: Desk) -> None:
    with closing(sqlite3.connect(desk.path)) as raw:
        raw.execute("CREATE TABLE theirs (a)")
    before = desk.path.read_bytes()
    with pytest.raises(DataFolderError, match="not a broker's"):
        desk.open()
    assert desk.path.read_bytes() == before


def test_a_file_that_is_no_database_is_refused(desk: Desk) -> None:
    desk.path.write_bytes(b"not a database, whatever its name says" * 100)
    with pytest.raises(DataFolderError, match="not a database"):
        desk.open()


def test_a_damaged_file_stops_whoever_meets_the_damage(desk: Desk, broker: SqliteBroker) -> None:
    # Given a file whose later pages were overwritten
    put(broker, "one", 50, size=4000)
    broker.close()
    content = bytearray(desk.path.read_bytes())
    content[4096 * 4 :] = b"\xa5" * (len(content) - 4096 * 4)
    desk.path.write_bytes(content)
    # Then opening or reading says so, and what to do
    with pytest.raises(DataFolderError, match=r"damaged.*backup"):
        desk.open().read(TopicPartition("one", 0), 0, 100)


@pytest.mark.parametrize("name", ["missing/broker.db", "."])
def test_a_place_where_no_file_can_be_is_named(desk: Desk, tmp_path: Path, name: str) -> None:
    desk.path = tmp_path / name
    with pytest.raises(DataFolderError, match="cannot be opened"):
        desk.open()


def test_a_handle_does_not_cross_a_fork(desk: Desk, broker: SqliteBroker) -> None:
    # Given a broker opened before a fork
    put(broker, "t", 1)
    child = os.fork()
    if child == 0:
        try:
            broker.publish([Message(topic="t", key="a", value=b"")])
        except RuntimeError as error:
            os._exit(42 if "must not cross a fork" in str(error) else 1)
        os._exit(0)
    # Then the child is told, and the parent goes on
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 42
    put(broker, "t", 1)


def test_a_handle_does_not_cross_threads(broker: SqliteBroker) -> None:
    errors: list[Exception] = []

    def use() -> None:
        try:
            broker.topics()
        except sqlite3.ProgrammingError as error:
            errors.append(error)

    thread = threading.Thread(target=use)
    thread.start()
    thread.join()
    assert "thread" in str(errors[0])


def test_a_busy_file_fails_the_whole_batch_for_now(desk: Desk, broker: SqliteBroker) -> None:
    # Given another program that holds the write lock
    broker._file.sql.execute("PRAGMA busy_timeout = 1")
    with closing(sqlite3.connect(desk.path, isolation_level=None)) as raw:
        raw.execute("BEGIN IMMEDIATE")
        outcomes = broker.publish([Message(topic="t", key="a", value=b"1"), Message(topic="t", key="b", value=b"2")])
    # Then every message may be tried again, and none was stored
    assert [(outcome.fatal, "locked" in outcome.cause) for outcome in outcomes if outcome] == [(False, True)] * 2
    assert set(broker.end_offsets(["t"]).values()) == {0}
    put(broker, "t", 2)


def test_a_full_disk_fails_the_whole_batch_for_now_and_stops_no_reader(desk: Desk, broker: SqliteBroker) -> None:
    # Given a file that cannot grow, and a consumer with a record in hand
    put(broker, "one", 1)
    consumer = broker.consumer("g", ["one"])
    pages = broker._file.sql.execute("PRAGMA page_count").fetchone()[0]
    broker._file.sql.execute(f"PRAGMA max_page_count = {pages}")
    messages = [Message(topic="one", key="a", value=b"x" * 800_000) for _ in range(3)]
    # When a batch is published
    outcomes = broker.publish(messages)
    # Then all of it may be tried again, none of it is there, and reading goes on
    assert [(outcome.fatal, "full" in outcome.cause) for outcome in outcomes if outcome] == [(False, True)] * 3
    assert broker.end_offsets(["one"]) == {TopicPartition("one", 0): 1}
    assert len(consumer.poll(10, 0)) == 1
    # And when there is room again, it is stored
    broker._file.sql.execute("PRAGMA max_page_count = 1000000")
    assert set(broker.publish(messages)) == {None}


def test_a_commit_that_cannot_be_written_says_try_later_and_a_lease_waits(desk: Desk, broker: SqliteBroker) -> None:
    put(broker, "one", 1)
    consumer = broker.consumer("g", ["one"])
    records = list(consumer.poll(10, 0))
    broker._file.sql.execute("PRAGMA busy_timeout = 1")
    with closing(sqlite3.connect(desk.path, isolation_level=None)) as raw:
        raw.execute("BEGIN IMMEDIATE")
        with pytest.raises(TryLater, match="locked"):
            commit(consumer, records)
        desk.later(15)
        with capture_logs() as logs:
            consumer.heartbeat()
            assert not consumer.poll(10, 0)
        assert {entry["event"] for entry in logs} == {"group not told"}
    commit(consumer, records)


def test_a_key_or_headers_that_a_stranger_left_out_are_missing(desk: Desk, broker: SqliteBroker) -> None:
    with closing(sqlite3.connect(desk.path)) as raw, raw:
        topic_id = raw.execute("SELECT id FROM topics WHERE name = 'one'").fetchone()[0]
        raw.execute("INSERT INTO records VALUES (?, 0, 0, 0, NULL, NULL, NULL)", (topic_id,))
        raw.execute("UPDATE partitions SET next_offset = 1 WHERE topic_id = ?", (topic_id,))
    [record] = broker.read(TopicPartition("one", 0), 0, 10)
    assert (record.key, record.value, record.headers) == (None, None, {})


def test_the_write_ahead_log_is_bounded_though_sqlite_never_gets_to_it(desk: Desk, broker: SqliteBroker) -> None:
    # Given a load under which SQLite's own checkpoints never come to an end
    broker._file.sql.execute("PRAGMA wal_autocheckpoint = 0")
    broker._file._wal_limit = broker._file._wal_allowed = 2_000_000
    sizes = []
    for _ in range(40):
        put(broker, "t", 50, size=4000)
        sizes.append(desk.path.with_name("broker.db-wal").stat().st_size)
    # Then the log is moved into the file each time it has grown too far
    assert max(sizes) < 2_500_000


def test_one_poll_brings_a_bounded_number_of_bytes(broker: SqliteBroker) -> None:
    put(broker, "one", 24, size=MAX_RECORD_BYTES - 10)
    consumer = broker.consumer("g", ["one"])
    polls = [len(consumer.poll(500, 0)) for _ in range(3)]
    assert 10 < polls[0] < 24
    assert sum(polls) == 24


def test_a_read_that_fails_half_way_skips_nothing(broker: SqliteBroker, monkeypatch: pytest.MonkeyPatch) -> None:
    # Given a disk that fails after the first partition was read
    put(broker, "t", 40)
    consumer = broker.consumer("g", ["t"])
    reads: list[TopicPartition] = []

    def failing(sql: sqlite3.Connection, place: TopicPartition, *rest: int, **limits: int) -> list[Record]:
        reads.append(place)
        if len(reads) == 2:
            raise TryLater("input/output error")
        return read_records(sql, place, *rest, **limits)

    monkeypatch.setattr("pipeline.adapters.sqlite_broker.consumer.read_records", failing)
    with pytest.raises(TryLater):
        consumer.poll(100, 0)
    # Then the next poll brings everything
    assert len(consumer.poll(100, 0)) == 40


# --- leases


def test_a_lease_is_renewed_by_polling_and_seldom_written(desk: Desk, broker: SqliteBroker) -> None:
    # Given a member that polls every second, and one that only looks on
    consumer = broker.consumer("g", ["t"])
    with closing(sqlite3.connect(desk.path)) as onlooker:
        seen = [onlooker.execute("PRAGMA data_version").fetchone()[0]]
        for _ in range(60):
            desk.later(1)
            consumer.poll(10, 0)
            seen.append(onlooker.execute("PRAGMA data_version").fetchone()[0])
    # Then a minute has cost a handful of writes
    assert 4 <= sum(a != b for a, b in pairwise(seen)) <= 6
    assert len(consumer.assignment()) == 4


def test_a_live_member_is_not_robbed_and_a_silent_one_is(desk: Desk, broker: SqliteBroker) -> None:
    # Given a member with all partitions and records in hand, and a newcomer
    put(broker, "t", 20)
    silent = desk.open().consumer("g", ["t"])
    records = list(silent.poll(20, 0))
    newcomer = broker.consumer("g", ["t"])
    assert partitions(newcomer) == 0
    # When the silent one's lease still runs, it keeps them all
    for _ in range(2):
        desk.later(14)
        assert partitions(newcomer) == 0
    # When it has run out, they go to the newcomer, and the commit of the silent one is refused
    desk.later(3)
    assert partitions(newcomer) == 4
    with pytest.raises(PartitionLost):
        silent.heartbeat()
    assert silent.assignment() == frozenset()
    with pytest.raises(PartitionLost):
        commit(silent, records)
    assert len(newcomer.poll(50, 0)) == 20


def test_a_heartbeat_alone_keeps_the_lease(desk: Desk, broker: SqliteBroker) -> None:
    put(broker, "t", 20)
    busy = desk.open().consumer("g", ["t"])
    records = list(busy.poll(20, 0))
    newcomer = broker.consumer("g", ["t"])
    for _ in range(30):
        desk.later(3)
        busy.heartbeat()
        assert partitions(newcomer) == 0
    commit(busy, records)


def kill(desk: Desk) -> None:
    """Make every present member look as if its process had been killed."""
    host, _, rest = holder_name().partition(":")
    nobody = f"{host}:{2**22 + 1}.1:{rest}"  # past the highest process id
    with closing(sqlite3.connect(desk.path)) as raw, raw:
        raw.execute("UPDATE members SET holder = ?", (nobody,))


def test_a_killed_members_partitions_are_free_at_once(desk: Desk, broker: SqliteBroker) -> None:
    # Given a member that was killed, and no time that passed
    desk.open().consumer("g", ["t"])
    kill(desk)
    # Then a newcomer has all it had
    assert partitions(broker.consumer("g", ["t"])) == 4


def test_a_killed_members_partitions_go_to_those_who_stay_even_when_the_clock_was_set_back(
    desk: Desk, broker: SqliteBroker
) -> None:
    one, two = broker.consumer("g", ["t"]), desk.open().consumer("g", ["t"])
    assert (partitions(one), partitions(two), partitions(one)) == (2, 2, 2)
    kill(desk)
    desk.later(-10)
    assert partitions(two) == 4


def test_members_that_all_overslept_do_not_put_each_other_out(desk: Desk, broker: SqliteBroker) -> None:
    # Given two members, and a machine that slept for an hour
    one, two = broker.consumer("g", ["t"]), desk.open().consumer("g", ["t"])
    assert (partitions(one), partitions(two), partitions(one)) == (2, 2, 2)
    desk.later(3600)
    # When the first wakes, it leaves the second its share
    assert (partitions(one), partitions(two)) == (2, 2)
    # But when the second does not wake, its share is given away
    for _ in range(3):
        desk.later(15)
        partitions(one)
    assert partitions(one) == 4


def test_a_clock_set_back_costs_nobody_the_partitions(desk: Desk, broker: SqliteBroker) -> None:
    one, two = broker.consumer("g", ["t"]), desk.open().consumer("g", ["t"])
    partitions(one)
    desk.later(-3600)
    assert (partitions(one), partitions(two)) == (2, 2)
    for _ in range(5):
        desk.later(14)
        assert (partitions(one), partitions(two)) == (2, 2)


def test_what_is_in_hand_is_given_up_after_its_commit(desk: Desk, broker: SqliteBroker) -> None:
    # Given a member with records of every partition in hand when another joins
    put(broker, "t", 20)
    first = broker.consumer("g", ["t"])
    records = list(first.poll(20, 0))
    second = desk.open().consumer("g", ["t"])
    first.poll(20, 0)
    assert (partitions(first), partitions(second)) == (4, 0)
    # When it has committed
    commit(first, records)
    # Then it gives up half at its next poll
    assert (partitions(first), partitions(second)) == (2, 2)
    assert not second.poll(20, 0)


def test_what_is_never_committed_is_given_up_after_one_lease(desk: Desk, broker: SqliteBroker) -> None:
    put(broker, "t", 20)
    first = broker.consumer("g", ["t"])
    records = list(first.poll(20, 0))
    second = desk.open().consumer("g", ["t"])
    for _ in range(4):
        desk.later(10)
        partitions(first), partitions(second)
    assert (partitions(first), partitions(second)) == (2, 2)
    # Then committing all of it is refused as a whole; what remains can be committed
    with pytest.raises(PartitionLost, match="in hand"):
        commit(first, records)
    assert set(broker.committed("g", ["t"]).values()) == {0}
    commit(first, [record for record in records if record.place in first.assignment()])


def test_a_commit_is_refused_though_the_partition_came_back_meanwhile(desk: Desk, broker: SqliteBroker) -> None:
    # Given a member that overslept with records in hand; another got them, committed all and left
    put(broker, "one", 10)
    slow = broker.consumer("g", ["one"])
    records = list(slow.poll(5, 0))
    other = desk.open().consumer("g", ["one"])
    for _ in range(3):
        desk.later(15)
        other.poll(0, 0)
    commit(other, list(other.poll(10, 0)))
    other.close()
    # When it polls, it has its partition again
    assert not slow.poll(10, 0)
    assert slow.assignment() == {TopicPartition("one", 0)}
    # Then it cannot set the group back with what it had from before
    with pytest.raises(PartitionLost):
        commit(slow, records)
    assert broker.committed("g", ["one"]) == {TopicPartition("one", 0): 10}


def test_a_name_taken_over_is_not_taken_back(desk: Desk, broker: SqliteBroker) -> None:
    former = broker.consumer("g", ["t", "one"], member="m")
    again = desk.open().consumer("g", ["t"], member="m")
    assert again.assignment() == {TopicPartition("t", n) for n in range(4)}
    with pytest.raises(MemberReplaced, match="joined g as m"):
        former.poll(1, 0)
    former.close()
    assert partitions(again) == 4
    # And the topic that the new one does not read is free for others
    assert partitions(broker.consumer("g", ["one"])) == 1


def test_a_topic_made_later_is_read_as_well(desk: Desk, broker: SqliteBroker) -> None:
    consumer = broker.consumer("g", ["later"])
    assert partitions(consumer) == 0
    desk.open().create_topics([Topic("later", 2)])
    assert partitions(consumer) == 2


def test_a_closed_consumer_does_not_join_again(broker: SqliteBroker) -> None:
    consumer = broker.consumer("g", ["t"])
    consumer.close()
    consumer.close()
    with pytest.raises(RuntimeError, match="closed"):
        consumer.poll(1, 0)


@given(st.integers(0, 40), st.sets(st.text(max_size=3), min_size=1, max_size=12), st.integers(0, 50))
def test_shares_are_even_and_make_up_the_whole(count: int, names: set[str], turn: int) -> None:
    shares = [fair_share(count, names, name, turn) for name in names]
    assert sum(shares) == count
    assert max(shares) - min(shares) <= 1


def test_what_is_idle_is_released_first() -> None:
    assert to_release([0, 1, 2, 3], 2, {0, 1}, overdue=False) == [2, 3]
    assert to_release([0, 1, 2, 3], 1, {0, 1, 3}, overdue=False) == [2]
    assert to_release([0, 1, 2, 3], 1, {0, 1, 3}, overdue=True) == [2, 0, 1]
    assert to_release([0, 1], 2, set(), overdue=True) == []


STEP = st.sampled_from(["publish", "poll", "poll", "commit", "commit", "close", "tick", "sleep"])
STEPS = st.lists(st.tuples(STEP, st.integers(0, 2)), max_size=40)


@settings(max_examples=60, deadline=None)
@given(STEPS)
def test_whatever_members_do_no_record_is_skipped_and_no_offset_goes_back(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, int]]
) -> None:
    # Given three members that come, go, oversleep, poll and commit in any order
    desk = Desk(tmp_path_factory.mktemp("broker"))
    broker = desk.open()
    broker.create_topics([Topic("t", 3)])
    members: dict[int, GroupConsumer] = {}
    in_hand: dict[int, list[Record]] = {0: [], 1: [], 2: []}
    handled: Counter[tuple[int, int]] = Counter()
    before = broker.committed("g", ["t"])

    def commit_all(who: int) -> None:
        try:
            if who in members:
                commit(members[who], in_hand[who])
                handled.update((record.partition, record.offset) for record in in_hand[who])
        except PartitionLost:
            for place, offset in members[who].committed(members[who].assignment()).items():
                members[who].seek(place, offset)
        in_hand[who] = []

    for step, who in steps:
        if step == "publish":
            put(broker, "t", 5)
        elif step == "poll":
            members.setdefault(who, broker.consumer("g", ["t"]) if who not in members else members[who])
            in_hand[who] += members[who].poll(4, 0)
        elif step == "commit":
            commit_all(who)
        elif step == "close" and who in members:
            members.pop(who).close()
            in_hand[who] = []
        else:
            desk.later({"tick": 5, "sleep": 31}.get(step, 0))
        # Then at no time do two members read one partition, and committed offsets only grow
        owned = [place for member in members.values() for place in member._roster.owned(member._membership.standing.id)]
        assert len(owned) == len(set(owned))
        after = broker.committed("g", ["t"])
        assert all(after[place] >= before[place] for place in after)
        before = after
    # And when the last one standing reads on, every record has been handled
    for member in members.values():
        member.close()
    members, in_hand[0] = {0: broker.consumer("g", ["t"])}, []
    while records := list(members[0].poll(100, 0)):
        in_hand[0] = records
        commit_all(0)
    ends = broker.end_offsets(["t"])
    desk.close()
    assert set(handled) == {(place.partition, offset) for place, end in ends.items() for offset in range(end)}
    assert set(handled.values()) <= {1}


# --- retention


def test_prune_deletes_what_is_old_and_read_and_keeps_what_is_unread(desk: Desk, broker: SqliteBroker) -> None:
    # Given ten old records, of which one group has committed six and another four; and a young one
    put(broker, "one", 10)
    consumer = broker.consumer("g", ["one"])
    commit(consumer, list(consumer.poll(6, 0)))
    other = broker.consumer("h", ["one"])
    commit(other, list(other.poll(4, 0)))
    desk.later(2 * 86400)
    put(broker, "one", 1)
    # When the log is pruned
    with capture_logs() as logs:
        deleted = broker.prune(desk.now)
    # Then the four that all have read are gone, the six others are kept and named
    assert deleted == 4
    assert [record.offset for record in broker.read(TopicPartition("one", 0), 0, 100)] == list(range(4, 11))
    assert [(entry["event"], entry["topic"]) for entry in logs] == [("unread records kept past their retention", "one")]


def test_prune_deletes_everything_old_and_offsets_go_on(desk: Desk, broker: SqliteBroker) -> None:
    # Given more old records than one slice, read by nobody's group
    put(broker, "one", 1200)
    desk.later(2 * 86400)
    # When all are pruned
    assert broker.prune(desk.now) == 1200
    assert broker.prune(desk.now) == 0
    # Then the next record does not get a used offset, and a new group starts at the oldest kept
    put(broker, "one", 1)
    assert broker.end_offsets(["one"]) == {TopicPartition("one", 0): 1201}
    consumer = broker.consumer("g", ["one"])
    assert [record.offset for record in consumer.poll(10, 0)] == [1200]


def test_a_consumer_whose_place_was_pruned_goes_on_behind_it(desk: Desk, broker: SqliteBroker) -> None:
    put(broker, "one", 3)
    desk.later(2 * 86400)
    broker.prune(desk.now)
    consumer = broker.consumer("g", ["one"])
    assert not consumer.poll(10, 0)
    put(broker, "one", 1)
    consumer.seek(TopicPartition("one", 0), 1)
    assert [record.offset for record in consumer.poll(10, 0)] == [3]


def test_a_group_that_joined_and_never_committed_loses_nothing(desk: Desk, broker: SqliteBroker) -> None:
    put(broker, "t", 20)
    put(broker, "one", 5)
    broker.consumer("g", ["t"]).close()
    broker.assigned_consumer("h", [TopicPartition("one", 0)])
    desk.later(2 * 86400)
    assert broker.prune(desk.now) == 0


def test_a_group_that_has_read_but_one_partition_loses_nothing_of_the_others(desk: Desk, broker: SqliteBroker) -> None:
    put(broker, "t", 20)
    consumer = broker.assigned_consumer("g", [TopicPartition("t", 0)])
    records = list(consumer.poll(100, 0))
    commit(consumer, records)
    desk.later(2 * 86400)
    assert broker.prune(desk.now) == len(records)
    assert sum(1 for n in range(4) for _ in batched_records(broker, TopicPartition("t", n))) == 20 - len(records)


def test_one_record_of_a_clock_set_back_does_not_take_younger_ones_with_it(desk: Desk, broker: SqliteBroker) -> None:
    put(broker, "one", 1)
    desk.later(-30 * 86400)
    put(broker, "one", 1)
    desk.later(30 * 86400 + 60)
    assert broker.prune(desk.now) == 0


def test_a_new_retention_is_taken(desk: Desk, broker: SqliteBroker) -> None:
    put(broker, "one", 1)
    broker.create_topics([Topic("one", 1, timedelta(minutes=1))])
    desk.later(61)
    assert broker.prune(desk.now) == 1
