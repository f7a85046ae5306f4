"""The commands on a real cluster: set up, looked at, half set up, and with each of its servers away."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from cli_parts import Cli
from elasticsearch import Elasticsearch
from elasticsearch_parts import remove_indices, remove_templates
from kafka import KafkaAdminClient
from kafka.admin import ConfigResource, ConfigResourceType
from services.servers import free_ports

from pipeline import topics

PASSWORD = "canary-7f3a"


@pytest.fixture
def cluster(cli: Cli, kafka: str, elasticsearch: str, postgres: str) -> Iterator[Cli]:
    """Three servers on which nothing is set up yet, and a command line that is told of them."""
    name = f"test-{uuid4().hex[:12]}"
    database = name.replace("-", "_")
    with psycopg.connect(postgres, autocommit=True) as server:
        server.execute(f'CREATE DATABASE "{database}"')
    cli.environment = {
        "WIREWATCH_BROKER": f"kafka://{kafka}?replication=1&prefix={name}.",
        "WIREWATCH_INDEX": elasticsearch,
        "WIREWATCH_INDEX_PREFIX": name,
        "WIREWATCH_INDEX_REPLICAS": "0",
        "WIREWATCH_STATE": f"{postgres.rpartition('/')[0]}/{database}",
        "WIREWATCH_PAGES": f"file:///{cli.folder}/pages",
        "WIREWATCH_GROUP_LEASE_SECONDS": "5",
    }
    yield cli
    with psycopg.connect(postgres, autocommit=True) as server:
        server.execute(f'DROP DATABASE "{database}" WITH (FORCE)')
    remove_indices(elasticsearch, name)
    remove_templates(elasticsearch, name)
    with closing(KafkaAdminClient(bootstrap_servers=kafka)) as admin:
        ours = {f"{name}.{topic.name}" for topic in topics.ALL}
        if there := sorted(ours.intersection(admin.list_topics())):
            admin.delete_topics(there)


def found(cli: Cli) -> dict[str, Any]:
    return {finding["what"]: finding for finding in cli("doctor", "--json").lines}


def outcomes(cli: Cli) -> dict[str, str]:
    return {part["what"]: part["outcome"] for part in cli("setup", "--json").lines}


def test_setup_makes_everything_once_and_the_doctor_finds_it_well(cluster: Cli) -> None:
    before = found(cluster)
    assert {before[part]["verdict"] for part in ("broker", "state", "index")} == {"bad"}
    assert all("wirewatch setup" in before[part]["detail"] for part in ("broker", "state", "index"))
    assert outcomes(cluster) == {"state": "made", "topics": "made", "index": "made"}
    assert outcomes(cluster) == {"state": "there", "topics": "there", "index": "there"}
    after = found(cluster)
    assert {after[part]["verdict"] for part in ("broker", "state", "pages", "index")} == {"ok"}
    assert "13 topics" in after["broker"]["detail"]


@pytest.mark.parametrize("step", ["poll", "fetch", "enrich", "settle", "index", "alert"])
def test_a_worker_of_a_cluster_that_is_not_set_up_says_what_is_missing_and_ends_with_6(cluster: Cli, step: str) -> None:
    ended = cluster(step, "--once")
    assert ended.code == 6
    assert "wirewatch setup" in ended.err


def test_the_whole_path_from_the_command_line(cluster: Cli) -> None:
    assert cluster("setup").code == 0
    path = cluster.folder / "a.jsonl"
    path.write_text('{"title": "Ferry aground", "body": "The Northern Star ran aground off the breakwater."}\n')
    ingested = cluster("ingest", path)
    assert (ingested.code, ingested.err.partition(",")[0]) == (0, "1 article read")
    searched = cluster("search", "breakwater", "--json")
    assert [line["title"] for line in searched.lines] == ["Ferry aground"], "searchable as soon as ingest has returned"
    ident = searched.lines[0]["id"]
    assert cluster("show", ident).code == 0
    assert cluster("delete", ident, "--reason", "asked to", "--yes").code == 0
    for step in ("settle", "index"):
        assert cluster(step, "--once").code == 0
    assert cluster("show", ident).code == 1
    assert cluster("prune").code == 0
    assert cluster("status").code == 0
    assert cluster("index", "--rebuild").code == 0
    refused = cluster("backup", cluster.folder / "backup")
    assert refused.code == 2
    assert "pg_dump" in refused.err


@pytest.mark.parametrize(
    ("setting", "away", "part"),
    [
        ("BROKER", f"kafka://me:{PASSWORD}@127.0.0.1:{{port}}?tls=no&mechanism=PLAIN", "broker"),
        ("STATE", f"postgresql://me:{PASSWORD}@127.0.0.1:{{port}}/x", "state"),
        ("INDEX", f"http://me:{PASSWORD}@127.0.0.1:{{port}}", "index"),
    ],
)
def test_a_server_that_is_away_is_named_and_the_others_are_looked_at_all_the_same(
    cluster: Cli, setting: str, away: str, part: str
) -> None:
    assert cluster("setup").code == 0
    [port] = free_ports(1)
    cluster.environment[f"WIREWATCH_{setting}"] = away.format(port=port)
    findings = found(cluster)
    assert findings[part]["verdict"] == "bad"
    assert f"127.0.0.1:{port}" in findings[part]["detail"]
    assert {findings[other]["verdict"] for other in {"broker", "state", "index"} - {part}} == {"ok"}
    assert PASSWORD not in str(findings)
    ended = cluster("setup")
    assert ended.code == 1
    assert PASSWORD not in ended.out + ended.err
    worker = cluster("settle" if part != "index" else "search", *(["--once"] if part != "index" else ["x"]))
    assert worker.code == 1
    assert str(port) in worker.err
    assert PASSWORD not in worker.err


def test_a_broker_that_refuses_large_records_is_said_by_doctor_setup_and_workers(cluster: Cli, kafka: str) -> None:
    assert cluster("setup").code == 0
    name = cluster.environment["WIREWATCH_INDEX_PREFIX"]
    small = ConfigResource(ConfigResourceType.TOPIC, f"{name}.articles.raw", {"max.message.bytes": "100000"})
    with closing(KafkaAdminClient(bootstrap_servers=kafka)) as admin:
        admin.alter_configs([small])
    deadline = time.monotonic() + 60
    while "max.message.bytes" not in found(cluster)["broker"]["detail"]:  # a node learns of it a moment later
        assert time.monotonic() < deadline
    assert cluster("setup").code == 1
    ended = cluster("enrich", "--once")
    assert (ended.code, "max.message.bytes" in ended.err) == (6, True)


def test_a_topic_that_is_missing_is_made_by_setup_and_by_nothing_else(cluster: Cli, kafka: str) -> None:
    assert cluster("setup").code == 0
    name = f"{cluster.environment['WIREWATCH_INDEX_PREFIX']}.articles.raw.dead"
    with closing(KafkaAdminClient(bootstrap_servers=kafka)) as admin:
        admin.delete_topics([name])
        while name in admin.list_topics():
            pass
    ended = cluster("enrich", "--once")
    assert (ended.code, name in ended.err) == (6, True)
    assert outcomes(cluster)["topics"] == "updated"
    assert cluster("enrich", "--once").code == 0


def test_an_index_with_foreign_fields_is_left_alone_and_named(cluster: Cli, elasticsearch: str) -> None:
    assert cluster("setup").code == 0
    foreign = f"{cluster.environment['WIREWATCH_INDEX_PREFIX']}-articles-2020-01-000001"
    with Elasticsearch(elasticsearch) as server:
        server.indices.delete_index_template(name=f"{cluster.environment['WIREWATCH_INDEX_PREFIX']}-articles")
        server.indices.create(index=foreign, mappings={"properties": {"title": {"type": "keyword"}}})
    assert cluster("setup").code == 1
    assert foreign in found(cluster)["index"]["detail"]
    ended = cluster("index", "--once")
    assert (ended.code, foreign in ended.err) == (6, True)


def test_a_state_of_a_newer_release_is_left_alone_and_named(cluster: Cli) -> None:
    assert cluster("setup").code == 0
    with psycopg.connect(cluster.environment["WIREWATCH_STATE"], autocommit=True) as state:
        state.execute("UPDATE alembic_version SET version_num = '9999'")
    assert "newer" in found(cluster)["state"]["detail"]
    ended = cluster("settle", "--once")
    assert (ended.code, "newer" in ended.err) == (1, True)
