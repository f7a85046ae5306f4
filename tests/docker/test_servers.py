"""Real servers with the settings, scripts and certificates of the containers: only paths and ports are replaced."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from container_files import DOCKER, initialised, services
from kafka import KafkaAdminClient
from kafka.admin import NewTopic
from kafka.errors import KafkaTimeoutError
from services import java, servers
from services.java import Missing

from pipeline.adapters.kafka_broker import parse_location

pytestmark = pytest.mark.services
START_SECONDS = 120.0


@contextmanager
def running(
    command: Sequence[str | Path], log: Path, environment: dict[str, str], is_ready: Callable[[], bool]
) -> Iterator[None]:
    with log.open("ab") as output:
        process = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
    try:
        deadline = time.monotonic() + START_SECONDS
        while not is_ready():
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"it did not start:\n{log.read_text('utf-8', 'replace')[-4000:]}")
            time.sleep(0.1)
        yield
    finally:
        process.send_signal(signal.SIGINT)  # to PostgreSQL that means: do not wait for who is still connected
        process.wait(30)


def listens(port: int) -> bool:
    with socket.socket() as attempt:
        return attempt.connect_ex(("127.0.0.1", port)) == 0


def needed(find: Callable[[], Any]) -> Any:
    """Return what was found; skip here and fail where everything must be tested when it is missing."""
    try:
        return find()
    except Missing as missing:
        if os.environ.get("CI") == "true":
            pytest.fail(str(missing))
        pytest.skip(str(missing))


@pytest.fixture(scope="module")
def secrets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return initialised(tmp_path_factory.mktemp("servers")) / "secrets"


def kafka_home(folder: Path) -> Path:
    """Return a folder with the programs of Kafka's image that start.sh calls, made of the jars."""
    jars = java.joined(needed(lambda: java.jars("kafka")))
    programs = {"kafka-storage.sh": "kafka.tools.StorageTool", "kafka-server-start.sh": "kafka.Kafka"}
    (folder / "bin").mkdir(parents=True)
    for name, main in programs.items():
        program = folder / "bin" / name
        program.write_text(
            f'#!/bin/sh\nexec "{needed(java.java)}" -Xmx512m -XX:+UseSerialGC -cp "{jars}" {main} "$@"\n'
        )
        program.chmod(0o755)
    return folder


@pytest.fixture(scope="module")
def kafka_ports(secrets: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, int]]:
    """The ports for clients and for the node itself of a Kafka that start.sh started."""
    folder = tmp_path_factory.mktemp("kafka")
    client, controller, internal = servers.free_ports(3)
    text = (DOCKER / "kafka/server.properties").read_text("utf-8")
    for old, new in {
        "/run/secrets": str(secrets),
        "/var/lib/kafka/data": str(folder / "data"),
        "kafka:9092": f"localhost:{client}",
        "://:9092": f"://127.0.0.1:{client}",
        "9093": str(controller),
        "9094": str(internal),
    }.items():
        assert old in text
        text = text.replace(old, new)
    settings = folder / "server.properties"
    settings.write_text(text + "log.cleaner.dedupe.buffer.size=2097152\noffsets.topic.num.partitions=1\n")
    environment = os.environ | {
        "KAFKA_HOME": str(kafka_home(folder / "home")),
        "KAFKA_SETTINGS": str(settings),
        "KAFKA_PASSWORD_FILE": str(secrets / "kafka_password"),
    }
    with running(["sh", DOCKER / "kafka/start.sh"], folder / "log", environment, lambda: listens(client)):
        yield client, internal


def log_in(url: str, secrets: Path, port: int, seconds: float = 30.0) -> set[str]:
    """Log in with a broker setting, make a topic, return the topics that can be seen."""
    url = url.replace("kafka:9092", f"localhost:{port}").replace("/run/secrets", str(secrets))
    admin = KafkaAdminClient(**parse_location(url).client_settings(), bootstrap_timeout_ms=round(seconds * 1000))
    try:
        if "articles" not in admin.list_topics():
            admin.create_topics([NewTopic(name="articles", num_partitions=1, replication_factor=1)])
        return set(admin.list_topics())
    finally:
        admin.close()


def test_kafka_takes_the_setting_that_was_made_for_wirewatch(kafka_ports: tuple[int, int], secrets: Path) -> None:
    assert "articles" in log_in((secrets / "broker").read_text(), secrets, kafka_ports[0])


@pytest.mark.parametrize("change", ["another password", "another user", "no login", "no tls"])
def test_kafka_refuses_everybody_else(change: str, kafka_ports: tuple[int, int], secrets: Path) -> None:
    password = (secrets / "kafka_password").read_text()
    url = (secrets / "broker").read_text()
    url = {
        "another password": url.replace(password, "0" * 48),
        "another user": url.replace("//wirewatch:", "//somebody:"),
        "no login": url.replace(f"wirewatch:{password}@", ""),
        "no tls": url.replace("ca=/run/secrets/ca.crt", "tls=no"),
    }[change]
    with pytest.raises(KafkaTimeoutError):  # kafka-python tries again for as long as it may, whatever the refusal
        log_in(url, secrets, kafka_ports[0], seconds=3.0)


def test_the_nodes_own_listener_asks_for_its_certificate(kafka_ports: tuple[int, int], secrets: Path) -> None:
    address = f"localhost:{kafka_ports[1]}"
    trust = {"bootstrap_servers": address, "security_protocol": "SSL", "ssl_cafile": str(secrets / "ca.crt")}
    own = KafkaAdminClient(**trust, ssl_certfile=str(secrets / "kafka.pem"), bootstrap_timeout_ms=20_000)
    assert own.describe_cluster()["brokers"]
    own.close()
    with pytest.raises(KafkaTimeoutError):
        KafkaAdminClient(**trust, bootstrap_timeout_ms=3_000).list_topics()


@pytest.fixture(scope="module")
def postgres_port(secrets: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of a PostgreSQL prepared as its image does it, with the options of compose.yaml."""
    folder = Path(shutil.copytree(secrets, Path(tmp_path_factory.mktemp("postgres"), "secrets"))).parent
    for path in (folder, *folder.parents):
        if path.stat().st_uid == os.getuid() and path != Path("/"):
            path.chmod(path.stat().st_mode | 0o111)  # another user goes through, when this is root
    as_user = needed(lambda: servers._as_postgres(folder))
    programs = needed(servers._postgres_programs)
    if as_user:
        for path in (folder / "secrets", *(folder / "secrets").iterdir()):
            shutil.chown(path, "postgres", "postgres")
    service = services()["postgres"]
    [port] = servers.free_ports(1)
    prepare = service["environment"]["POSTGRES_INITDB_ARGS"].split()
    java.run(
        *as_user, programs / "initdb", *prepare, "--username=postgres", f"--pgdata={folder / 'data'}", "--no-sync",
        f"--pwfile={folder / 'secrets/postgres_password'}", why="preparing PostgreSQL's folder",
    )  # fmt: skip
    hba = Path(shutil.copy(DOCKER / "postgres/pg_hba.conf", folder))
    hba.chmod(0o644)
    options = [
        each.replace("/run/secrets", str(folder / "secrets")).replace("/etc/wirewatch/pg_hba.conf", str(hba))
        for each in service["command"][1:]
    ]
    command = [*as_user, programs / "postgres", "-D", folder / "data", "-p", str(port), "-k", folder, *options]
    password = (secrets / "postgres_password").read_text()
    environment = os.environ | {
        "POSTGRES_USER": "postgres", "POSTGRES_DB": "postgres", "PGPASSWORD": password, "PGHOST": str(folder),
        "PGPORT": str(port), "SECRETS_FOLDER": str(secrets), "PATH": f"{programs}:{os.environ['PATH']}",
    }  # fmt: skip
    check = [programs / "pg_isready", "--quiet", *service["healthcheck"]["test"][3:], f"--port={port}"]

    def is_ready() -> bool:
        return subprocess.run(check, check=False).returncode == 0

    with running(command, folder / "log", dict(os.environ), is_ready):
        subprocess.run(["bash", DOCKER / "postgres/databases.sh"], env=environment, check=True, capture_output=True)
        yield port


def address(secrets: Path, name: str, port: int) -> str:
    text = (secrets / name).read_text().replace("postgresql+psycopg://", "postgresql://")
    return text.replace("@postgres/", f"@localhost:{port}/").replace("/run/secrets", str(secrets))


@pytest.mark.parametrize(("name", "database"), [("state", "wirewatch"), ("airflow_database", "airflow")])
def test_each_has_a_database_of_its_own_over_verified_tls(
    name: str, database: str, postgres_port: int, secrets: Path
) -> None:
    with psycopg.connect(address(secrets, name, postgres_port)) as connection:
        row = connection.execute(
            "SELECT current_user, current_database(), ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"
        ).fetchone()
        assert row == (database, database, True)
        connection.execute("CREATE TABLE proof (id integer)")
        assert connection.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user").fetchone() == (False,)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (("sslmode=verify-full", "sslmode=disable"), "no encryption"),
        (("/wirewatch?", "/airflow?"), "permission denied for database"),
        (("wirewatch:", "wirewatch:0"), "password authentication failed"),
    ],
)
def test_postgres_refuses_plain_connections_wrong_passwords_and_other_databases(
    change: tuple[str, str], says: str, postgres_port: int, secrets: Path
) -> None:
    url = address(secrets, "state", postgres_port).replace(*change)
    with pytest.raises(psycopg.OperationalError, match=says):
        psycopg.connect(url)
