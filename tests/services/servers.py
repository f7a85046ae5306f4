"""How each server is started, when it is ready, and how it is stopped. Every one lives in a folder of its own."""

from __future__ import annotations

import base64
import http.client
import os
import shutil
import socket
import subprocess
import time
import uuid
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from services import java
from services.java import Missing

START_SECONDS = 120.0
STOP_SECONDS = 20.0


class Server(NamedTuple):
    """A started server: its main process, and the address to give to whoever uses it."""

    process: subprocess.Popen[bytes]
    address: str

    def stop(self) -> None:
        """Ask it to end, and kill it when it does not."""
        self.process.terminate()
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def start_kafka(folder: Path) -> Server:
    """Start one Kafka node that is broker and controller at once."""
    class_path = java.jars("kafka")
    port, controller_port = free_ports(2)
    settings = folder / "server.properties"
    settings.write_text(_kafka_settings(folder / "data", port, controller_port), "ascii")
    cluster = base64.urlsafe_b64encode(b"\0" + uuid.uuid4().bytes[1:]).decode().rstrip("=")  # never begins with "-"
    quick = ["-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]
    java.run(
        java.java(), *quick, "-cp", java.joined(class_path), "kafka.tools.StorageTool", "format",
        "--cluster-id", cluster, "--config", settings, why="preparing Kafka's folder",
    )  # fmt: skip
    process = _spawn(
        folder, [java.java(), "-Xmx512m", "-XX:+UseSerialGC", "-cp", java.joined(class_path), "kafka.Kafka", settings]
    )
    return _ready(Server(process, f"127.0.0.1:{port}"), lambda: _listens(port), folder)


def start_elasticsearch(folder: Path) -> Server:
    """Start one Elasticsearch node, without the parts that are not published as jars (security, ILM, scripts)."""
    every = java.jars("elasticsearch")
    transport = [jar for jar in every if jar.name.startswith(("transport-netty4", "netty-"))]
    class_path = [jar for jar in every if jar not in transport]
    version = next(
        jar.stem.removeprefix("elasticsearch-") for jar in class_path if jar.name.startswith("elasticsearch-9")
    )
    for name in ("config", "plugins", "data", "logs"):
        (folder / name).mkdir()
    analyzers = [java.compiled(["LanguageAnalyzers.java"], class_path)]
    _module(folder, "transport-netty4", "org.elasticsearch.transport.netty4.Netty4Plugin", version, transport)
    _module(folder, "language-analyzers", "LanguageAnalyzers", version, analyzers)
    port, transport_port = free_ports(2)
    program = java.compiled(["SingleNode.java"], class_path)
    process = _spawn(
        folder,
        [java.java(), "-Xms512m", "-Xmx1g", "-XX:+UseSerialGC", "--enable-native-access=ALL-UNNAMED",
         "-cp", java.joined([*class_path, program]), "SingleNode", folder, str(port), str(transport_port)],
    )  # fmt: skip
    return _ready(Server(process, f"http://127.0.0.1:{port}"), lambda: _is_healthy(port), folder)


def start_postgres(folder: Path) -> Server:
    """Start a PostgreSQL cluster of its own that trusts whoever connects on 127.0.0.1."""
    programs = _postgres_programs()
    as_user = _as_postgres(folder)
    data = folder / "data"
    java.run(
        *as_user, programs / "initdb", "--auth=trust", "--username=wirewatch", "--encoding=UTF8", "--locale=C.UTF-8",
        f"--pgdata={data}", "--no-sync", why="preparing PostgreSQL's folder",
    )  # fmt: skip
    [port] = free_ports(1)
    process = _spawn(
        folder,
        [*as_user, programs / "postgres", "-D", data, "-p", str(port), "-k", "", "-c", "listen_addresses=127.0.0.1"],
    )
    check = [programs / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(port)]
    address = f"postgresql://wirewatch@127.0.0.1:{port}/postgres"
    return _ready(Server(process, address), lambda: subprocess.run(check, check=False).returncode == 0, folder)


START: dict[str, Callable[[Path], Server]] = {
    "kafka": start_kafka,
    "elasticsearch": start_elasticsearch,
    "postgres": start_postgres,
}


def free_ports(count: int) -> list[int]:
    """Return ports that nothing listens on now."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    try:
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()


def _kafka_settings(data: Path, port: int, controller_port: int) -> str:
    """Settings that differ from the defaults: one node, its addresses, and groups that form at once."""
    return f"""\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller_port}
controller.listener.names=CONTROLLER
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}
log.dirs={data}
auto.create.topics.enable=false
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=500
log.cleaner.dedupe.buffer.size=2097152
"""


def _module(home: Path, name: str, plugin: str, version: str, jars: Sequence[Path]) -> None:
    """Lay out a module as Elasticsearch looks for it: a folder with a descriptor and jars."""
    folder = home / "modules" / name
    folder.mkdir(parents=True)
    for jar in jars:
        (folder / jar.name).symlink_to(jar)
    lines = {
        "name": name, "description": name, "classname": plugin, "version": version, "elasticsearch.version": version,
        "java.version": java.LEAST_VERSION, "has.native.controller": "false",
    }  # fmt: skip
    text = "".join(f"{key}={value}\n" for key, value in lines.items())
    (folder / "plugin-descriptor.properties").write_text(text, "ascii")


def _postgres_programs() -> Path:
    """Return the folder of the newest PostgreSQL server. Debian keeps it off the PATH."""
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
    if found := shutil.which("postgres"):
        folders.append(Path(found).resolve().parent)
    for folder in reversed(folders):
        if (folder / "initdb").exists() and (folder / "postgres").exists():
            return folder
    raise Missing("PostgreSQL's server is not installed (Debian: apt-get install postgresql)")


def _as_postgres(folder: Path) -> list[str | Path]:
    """Return what to put before PostgreSQL's commands: the server refuses to run as root."""
    if os.geteuid() != 0:
        return []
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        raise Missing("PostgreSQL does not run as root, and setpriv is missing (Debian: apt-get install util-linux)")
    shutil.chown(folder, "postgres", "postgres")
    return [setpriv, "--reuid=postgres", "--regid=postgres", "--init-groups"]


def _spawn(folder: Path, command: Sequence[str | Path]) -> subprocess.Popen[bytes]:
    with (folder / "output.log").open("ab") as output:
        return subprocess.Popen(command, cwd=folder, stdin=subprocess.DEVNULL, stdout=output, stderr=output)


def _ready(server: Server, is_ready: Callable[[], bool], folder: Path) -> Server:
    deadline = time.monotonic() + START_SECONDS
    while not is_ready():
        ended = server.process.poll() is not None
        if ended or time.monotonic() > deadline:
            server.stop()
            said = (folder / "output.log").read_text("utf-8", "replace")[-4000:]
            raise RuntimeError(f"{server.address} {'ended early' if ended else 'did not become ready'}:\n{said}")
        time.sleep(0.1)
    return server


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def _is_healthy(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/_cluster/health?wait_for_status=yellow&timeout=1s")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
