"""A real Kafka, Elasticsearch and PostgreSQL, made fresh for one test, and looks into them with their own clients."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import psycopg
from elasticsearch import Elasticsearch
from elasticsearch_parts import SETTINGS, TEMPLATES, remove_indices, remove_templates
from faults.kill.holdings import READS, Holdings, Place
from kafka import KafkaAdminClient, TopicPartition, errors
from kafka.admin import OffsetSpec

from pipeline import topics
from pipeline.adapters.elasticsearch_index.connection import Access, Connection
from pipeline.adapters.elasticsearch_index.months import Months
from pipeline.adapters.kafka_broker import KafkaBroker, parse_location
from pipeline.adapters.sql_state import SqlState

T = TypeVar("T")

PATIENCE_SECONDS = 60.0
GROUP_LEASE_SECONDS = 2.0
"""A killed member keeps its partitions from the others for so long."""
NAMES = tuple(topic.name for topic in topics.ALL)


class Cluster:
    """One Wirewatch's place on the servers at these addresses, apart from all others by its names.

    ``kafka`` is host:port, ``postgres`` a database from which others can be made.
    """

    def __init__(self, kafka: str, elasticsearch: str, postgres: str) -> None:
        self._elasticsearch = elasticsearch
        self._prefix = f"test-{uuid.uuid4().hex[:12]}"
        self._broker = f"kafka://{kafka}?replication=1&prefix={self._prefix}."
        self._databases = postgres
        self._database = f"wirewatch_{uuid.uuid4().hex}"
        self._looks: list[Holdings] = []
        self._kafka = kafka
        self._state = f"{postgres.rpartition('/')[0]}/{self._database}"
        self._set_up()
        self.settings: Mapping[str, Any] = {
            "broker": self._broker,
            "index": elasticsearch,
            "state": self._state,
            "index_prefix": self._prefix,
            "group_lease_seconds": GROUP_LEASE_SECONDS,
        }

    def _set_up(self) -> None:
        """Make topics, database and templates, as ``wirewatch setup`` does."""
        with closing(KafkaBroker(parse_location(self._broker), clock=lambda: datetime.now(UTC))) as broker:
            broker.create_topics(topics.ALL)
        with psycopg.connect(self._databases, autocommit=True) as server:
            server.execute(f'CREATE DATABASE "{self._database}"')
        SqlState.open(self._state, migrate=True).close()
        with closing(Connection(self._elasticsearch, Access())) as connection:
            Months(connection, self._prefix, TEMPLATES).install(SETTINGS)

    def holdings(self, data: Path) -> Holdings:
        self._looks.append(Servers(self._kafka, self._state, f"{self._prefix}."))
        return self._looks[-1]

    def show_all(self) -> None:
        with Elasticsearch(self._elasticsearch) as client:
            client.indices.refresh(index=f"{self._prefix}-articles-*")

    def mapping(self, data: Path) -> dict[str, Any]:
        with Elasticsearch(self._elasticsearch) as client:
            return {name: found["mappings"] for name, found in client.indices.get_mapping(
                index=f"{self._prefix}-articles-*"
            ).body.items()}  # fmt: skip

    def close(self) -> None:
        for look in self._looks:
            look.close()
        with closing(KafkaAdminClient(bootstrap_servers=self._kafka)) as admin:
            admin.delete_topics([f"{self._prefix}.{name}" for name in NAMES])
        with psycopg.connect(self._databases, autocommit=True) as server:
            server.execute(f'DROP DATABASE "{self._database}" WITH (FORCE)')
        remove_indices(self._elasticsearch, self._prefix)
        remove_templates(self._elasticsearch, self._prefix)


class Servers(Holdings):
    """Kafka and PostgreSQL, each asked over one connection of its own; names on Kafka begin with ``prefix``."""

    def __init__(self, kafka: str, state: str, prefix: str) -> None:
        self._kafka = KafkaAdminClient(bootstrap_servers=kafka)
        self._state = psycopg.connect(state, autocommit=True)
        self._prefix = prefix

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        return self._state.execute(query).fetchall()

    def ends(self) -> dict[str, int]:
        found = self._kafka.list_partition_offsets(dict.fromkeys(self._places(), OffsetSpec.LATEST))
        ends = dict.fromkeys(NAMES, 0)
        for place, at in found.items():
            ends[place.topic.removeprefix(self._prefix)] += at.offset
        return ends

    def committed(self) -> dict[Place, int]:
        return {
            (group, place.topic.removeprefix(self._prefix), place.partition): at.offset
            for group in READS
            for place, at in self._offsets_of(group).items()
            if at.offset >= 0
        }

    def members(self) -> list[str]:
        """Return the members of Wirewatch's groups, as group and client."""
        found = []
        for group in READS:
            name = self._prefix + group
            try:
                answer = asked(lambda name=name: self._kafka.describe_groups([name]))[name]
            except errors.GroupIdNotFoundError:
                continue
            found += [f"{group} {member['member_id']}" for member in answer["members"]]
        return found

    def forget_the_dead(self) -> None:
        wait_until(lambda: not self.members(), "a killed member is still in its group")

    def _offsets_of(self, group: str) -> Mapping[TopicPartition, Any]:
        """Return what a group has committed, nothing when there is none of the name."""
        name = self._prefix + group
        try:
            return asked(lambda: self._kafka.list_group_offsets({name: None}))[name]
        except errors.GroupIdNotFoundError:
            return {}

    def _places(self) -> Iterator[TopicPartition]:
        for topic in self._kafka.describe_topics([self._prefix + name for name in NAMES]):
            for partition in topic["partitions"]:
                yield TopicPartition(topic["name"], partition["partition_index"])

    def close(self) -> None:
        self._kafka.close()
        self._state.close()


def asked(ask: Callable[[], T]) -> T:
    """Return the answer of a Kafka whose groups may only just be coming up."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            return ask()
        except (errors.CoordinatorNotAvailableError, errors.CoordinatorLoadInProgressError, errors.NotCoordinatorError):
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def wait_until(is_so: Callable[[], bool], otherwise: str) -> None:
    """Return as soon as it is so; fail after a minute."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not is_so():
        if time.monotonic() > deadline:
            raise AssertionError(otherwise)
        time.sleep(0.02)
