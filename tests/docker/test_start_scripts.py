"""What starts the servers in their containers, with stand-ins for the programs of the images."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from container_files import DOCKER, certificate_of_elasticsearch
from stub_server import Answer, StubServer

ACCOUNTS = DOCKER / "elasticsearch/accounts.py"
PATHS = (
    "/_security/role/wirewatch",
    "/_security/user/wirewatch",
    "/_security/user/kibana_system/_password",
)


@pytest.fixture
def kafka_home(tmp_path: Path) -> Path:
    """A Kafka whose programs only write down how they were called."""
    (tmp_path / "bin").mkdir()
    for name in ("kafka-storage.sh", "kafka-server-start.sh"):
        program = tmp_path / "bin" / name
        program.write_text(f'#!/bin/sh\n[ "$1" = random-uuid ] && echo an-id && exit\necho {name} "$@" >>"$CALLS"\n')
        program.chmod(0o755)
    return tmp_path


def start_kafka(home: Path) -> list[str]:
    settings = home / "server.properties"
    settings.write_text(f"node.id=1\nlog.dirs={home}/data\n")
    (home / "password").write_text("abc123")
    environment = {"KAFKA_HOME": home, "KAFKA_SETTINGS": settings, "KAFKA_PASSWORD_FILE": home / "password"}
    calls = home / "calls"
    subprocess.run(
        ["sh", DOCKER / "kafka/start.sh"],
        env=os.environ | {"CALLS": str(calls)} | environment_of(environment),
        check=True,
    )
    return calls.read_text().splitlines()


def environment_of(given: dict[str, Path]) -> dict[str, str]:
    return {name: str(value) for name, value in given.items()}


def test_kafka_prepares_an_empty_volume_with_the_user_of_wirewatch(kafka_home: Path) -> None:
    prepared, started = start_kafka(kafka_home)
    assert "--cluster-id an-id --add-scram SCRAM-SHA-512=[name=wirewatch,password=abc123]" in prepared
    assert started == f"kafka-server-start.sh {kafka_home}/server.properties"


def test_kafka_leaves_a_prepared_volume_as_it_is(kafka_home: Path) -> None:
    (kafka_home / "data").mkdir()
    (kafka_home / "data/meta.properties").touch()
    assert [line.split()[0] for line in start_kafka(kafka_home)] == ["kafka-server-start.sh"]


def test_kafka_does_not_start_without_its_password(kafka_home: Path) -> None:
    environment = {"KAFKA_HOME": str(kafka_home), "KAFKA_SETTINGS": str(DOCKER / "kafka/server.properties")}
    environment |= {"KAFKA_PASSWORD_FILE": str(kafka_home / "missing"), "CALLS": str(kafka_home / "calls")}
    ran = subprocess.run(
        ["sh", DOCKER / "kafka/start.sh"], env=os.environ | environment, capture_output=True, check=False
    )
    assert b"missing" in ran.stderr


def test_elasticsearch_starts_from_a_copy_with_its_certificates_below_it(
    tmp_path: Path, container_secrets: Path
) -> None:
    image, live, start = tmp_path / "image", tmp_path / "live", tmp_path / "start"
    image.mkdir()
    live.mkdir()
    (image / "jvm.options").touch()
    (image / "elasticsearch.yml").write_text("cluster.name: docker-cluster\n")
    start.write_text('#!/bin/sh\necho "$@"\n')
    start.chmod(0o755)
    settings = DOCKER / "elasticsearch/elasticsearch.yml"
    environment = {
        "ELASTICSEARCH_IMAGE_CONFIG": image, "SECRETS_FOLDER": container_secrets, "ES_PATH_CONF": live,
        "ELASTICSEARCH_SETTINGS": settings, "ELASTICSEARCH_START": start,
    }  # fmt: skip
    ran = subprocess.run(
        ["bash", DOCKER / "elasticsearch/start.sh"],
        env=os.environ | environment_of(environment),
        capture_output=True,
        text=True,
        check=True,
    )
    assert ran.stdout == "eswrapper\n", "the image's own start goes on from here"
    assert (live / "jvm.options").exists()
    assert (live / "elasticsearch.yml").read_text() == settings.read_text()
    named = {line.split()[-1].strip("[]") for line in settings.read_text().splitlines() if "certs/" in line}
    assert {f"certs/{path.name}" for path in (live / "certs").iterdir()} == named
    assert (live / "certs/elasticsearch.key").stat().st_mode & 0o777 == 0o600


def make_accounts(server: StubServer, secrets: Path, host: str = "localhost") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, ACCOUNTS, server.url("/", host=host), secrets]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_accounts_are_made_in_order_with_the_passwords_of_the_files(
    container_secrets: Path, tls_server: StubServer
) -> None:
    for path in PATHS:
        tls_server.on(path, Answer(body="{}"))
    ran = make_accounts(tls_server, container_secrets)
    assert ran.returncode == 0, ran.stderr
    assert tuple(request.path for request in tls_server.requests) == PATHS
    role, user, kibana = (json.loads(request.body) for request in tls_server.requests)
    assert role["indices"] == [{"names": ["wirewatch-*"], "privileges": ["all"]}]
    assert user == {"password": (container_secrets / "index_password").read_text(), "roles": ["wirewatch"]}
    assert kibana == {"password": (container_secrets / "kibana_password").read_text()}


def test_an_account_that_is_refused_ends_with_a_sentence_and_no_password(
    container_secrets: Path, tls_server: StubServer
) -> None:
    tls_server.on(PATHS[0], Answer(body="{}"))
    tls_server.on(PATHS[1], Answer(status=403, body="no right"))
    ran = make_accounts(tls_server, container_secrets)
    assert ran.returncode == 1
    assert ran.stderr == "/_security/user/wirewatch: Elasticsearch answered 403: no right\n"
    assert len(tls_server.requests) == 2


def test_no_password_is_sent_to_a_server_with_another_name(container_secrets: Path) -> None:
    with StubServer(certificate_of_elasticsearch(container_secrets), host="127.0.0.2") as server:
        ran = make_accounts(server, container_secrets, host="127.0.0.2")
        assert ran.returncode == 1
        assert "cannot be reached" in ran.stderr
        assert server.requests == []
