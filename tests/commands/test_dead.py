"""wirewatch dead, when letters are many, unreadable, without their record, or buried again while they are replayed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from cli_parts import Cli
from msgspec.structs import replace

from pipeline import replay, topics, wiring
from pipeline.adapters.sqlite_broker.broker import SqliteBroker
from pipeline.dead import dead_letter
from pipeline.errors import PublishError
from pipeline.ports import Message, Record, TopicPartition, batched_records
from pipeline.settings import load_settings
from pipeline.wiring import Ports

NOW = datetime(2026, 3, 1, tzinfo=UTC)
RAW = topics.raw("live")
DEAD = topics.dead(RAW)


@pytest.fixture
def ports(cli: Cli) -> Iterator[Ports]:
    settings = load_settings(folder=cli.folder, environment={})
    wiring.create_data_folder(settings)
    with wiring.open_ports(settings) as ports:
        yield ports


def letter(
    number: int, *, topic: str = RAW, value: bytes = b"{}", offset: int | None = None, **more: object
) -> Message:
    """Return the dead letter of a record that stood at ``offset`` of partition 0."""
    at = number if offset is None else offset
    record = Record(topic=topic, partition=0, offset=at, key=f"key {number}", value=value, headers={}, timestamp=NOW)
    return dead_letter(replace(record, **more), step="enrich", reason="bad", detail="d", at=NOW)


def bury(ports: Ports, *letters: Message) -> None:
    assert ports.broker.publish(letters) == [None] * len(letters)


def sent(ports: Ports, topic: str = RAW) -> dict[str | None, Record]:
    places = [TopicPartition(topic, number) for number in range(topics.PARTITIONS)]
    return {record.key: record for place in places for record in batched_records(ports.broker, place)}


@pytest.mark.parametrize(
    "place", ["articles.raw.dead/0/" + "9" * 25, "articles.raw.dead/" + "9" * 25 + "/0", "articles.raw.dead/0/٣"]
)
@pytest.mark.parametrize("verb", ["show", "replay"])
def test_a_place_that_no_broker_can_have_is_a_usage_error(cli: Cli, ports: Ports, verb: str, place: str) -> None:
    ended = cli("dead", verb, place)
    assert (ended.code, ended.out, "is no dead letter's place" in ended.err) == (2, "", True)


@pytest.mark.parametrize(
    "unreadable",
    [
        Message(topic=DEAD, key="k", value=b"not a letter"),
        Message(topic=DEAD, key="k", value=None),
        replace(letter(1, topic="backfill.raw"), topic=DEAD),
    ],
    ids=["garbage", "null", "of another topic"],
)
def test_an_unreadable_letter_is_listed_by_its_place_and_the_others_are_replayed(
    cli: Cli, ports: Ports, unreadable: Message
) -> None:
    bury(ports, letter(0), unreadable, letter(2))
    listed = cli("dead", "list", "--json")
    assert [(row["place"], row["reason"]) for row in listed.lines] == [
        (f"{DEAD}/0/0", "bad"), (f"{DEAD}/0/1", "unreadable"), (f"{DEAD}/0/2", "bad"),
    ]  # fmt: skip
    assert [line.split("\t")[0] for line in cli("dead", "list").out.splitlines()] == [
        f"{DEAD}/0/{number}" for number in range(3)
    ]
    one = cli("dead", "replay", f"{DEAD}/0/1")
    assert (one.code, one.err) == (3, f"replayed 0\n1 not replayed, unreadable: {DEAD}/0/1\n")
    ended = cli("dead", "replay")
    assert (ended.code, ended.err) == (3, f"replayed 2\n1 not replayed, unreadable: {DEAD}/0/1\n")
    assert set(sent(ports)) == {"key 0", "key 2"}
    assert cli("dead", "list").err == "No dead letters.\n"
    assert len(cli("dead", "list", "--all", "--json").lines) == 3


@pytest.mark.parametrize("offset", [700, -1, 10**25], ids=["past retention", "never published", "nowhere"])
def test_a_letter_whose_record_is_gone_is_not_counted_as_replayed(cli: Cli, ports: Ports, offset: int) -> None:
    large = {"value": b"x" * 50_000}  # too large to be kept in the letter
    bury(ports, letter(0), letter(1, offset=offset, **large), letter(2))
    ended = cli("dead", "replay")
    assert (ended.code, ended.err) == (3, f"replayed 2\n1 not replayed, its record is past retention: {DEAD}/0/1\n")
    assert set(sent(ports)) == {"key 0", "key 2"}


def test_a_large_record_is_read_again_where_it_stood(cli: Cli, ports: Ports) -> None:
    value = b"x" * 50_000
    assert ports.broker.publish([Message(topic=RAW, key="key 0", value=value)]) == [None]
    stood = sent(ports)["key 0"]
    bury(ports, letter(0, value=value, partition=stood.partition))
    assert cli("dead", "replay").err == "replayed 1\n"
    assert (sent(ports)["key 0"].value, sent(ports)["key 0"].offset) == (value, 1)


@pytest.mark.parametrize(
    ("topic", "more", "headers"),
    [
        (RAW, {}, {"source": "articles.raw/0/4"}),
        ("backfill.raw", {}, {"source": "backfill.raw/0/4"}),
        (RAW, {"headers": {"a": "b"}}, {"a": "b", "source": "articles.raw/0/4"}),
        (RAW, {"headers": {"source": "articles.raw/0/1"}}, {"source": "articles.raw/0/1"}),  # it died twice
        (RAW, {"headers": {"source": "nonsense"}}, {"source": "articles.raw/0/4"}),
        (RAW, {"partition": -1, "offset": -1}, {}),  # poll could not publish it: it never stood anywhere
        ("articles.enriched", {"headers": {"source": "articles.raw/5/9"}}, {"source": "articles.raw/5/9"}),
        ("articles.ready", {"headers": {"kind": "deletion"}}, {"kind": "deletion"}),
    ],
)
def test_what_is_replayed_says_where_it_first_stood(
    cli: Cli, ports: Ports, topic: str, more: dict[str, object], headers: dict[str, str]
) -> None:
    bury(ports, replace(letter(0, topic=topic, **{"offset": 4} | more), topic=topics.dead(topic)))
    assert cli("dead", "replay").err == "replayed 1\n"
    assert sent(ports, topic)["key 0"].headers == headers


def test_many_letters_are_replayed_in_slices_and_each_slice_is_remembered(
    cli: Cli, ports: Ports, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replay, "SLICE", 4)
    bury(ports, *(letter(number) for number in range(10)))
    whole, sizes = SqliteBroker.publish, list[int]()

    def full_at_the_third(self: SqliteBroker, messages: list[Message]) -> object:
        sizes.append(len(messages))
        return [PublishError("disk full") for _ in messages] if len(sizes) == 3 else whole(self, messages)

    monkeypatch.setattr(SqliteBroker, "publish", full_at_the_third)
    ended = cli("dead", "replay")
    assert (ended.code, sizes) == (1, [4, 4, 2])
    assert ended.err == "wirewatch: replayed 8; 2 could not be published: disk full. Try again for the rest.\n"
    assert [row["key"] for row in cli("dead", "list", "--json").lines] == ["key 8", "key 9"]
    assert cli("dead", "replay").err == "replayed 2\n"
    assert sizes == [4, 4, 2, 2]


def test_a_letter_that_can_never_be_published_is_named_and_blocks_nothing(
    cli: Cli, ports: Ports, monkeypatch: pytest.MonkeyPatch
) -> None:
    bury(ports, letter(0), letter(1))
    whole = SqliteBroker.publish

    def refuse_the_first(self: SqliteBroker, messages: list[Message]) -> object:
        return [PublishError("too large", fatal=True), *whole(self, messages[1:])]

    monkeypatch.setattr(SqliteBroker, "publish", refuse_the_first)
    ended = cli("dead", "replay")
    assert (ended.code, ended.err) == (3, f"replayed 1\n1 not replayed, too large: {DEAD}/0/0\n")


def test_what_dies_again_while_letters_are_replayed_is_for_the_next_time(
    cli: Cli, ports: Ports, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replay, "SLICE", 2)
    bury(ports, *(letter(number) for number in range(4)))
    whole = SqliteBroker.publish

    def bury_again(self: SqliteBroker, messages: list[Message]) -> object:
        whole(self, [letter(100 + number) for number, _ in enumerate(messages)])
        return whole(self, messages)

    monkeypatch.setattr(SqliteBroker, "publish", bury_again)
    assert cli("dead", "replay").err == "replayed 4\n"
    assert len(cli("dead", "list", "--json").lines) == 4
