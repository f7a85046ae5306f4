"""/metrics, /healthz and /readyz over real sockets, asked by probes and by strangers."""

from __future__ import annotations

import http.client
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.errors import UsageError
from pipeline.settings import load_settings
from pipeline.telemetry import RECORDS, Signs
from pipeline.watch import server
from pipeline.watch.server import Endpoints, read_address

CANARY = "c4n4ry-of-the-state"


class Probed:
    """Endpoints on a port of their own, signs of life, and a clock for these."""

    def __init__(self, folder: Path) -> None:
        self.now = 1000.0
        self.signs = Signs(lambda: self.now)
        state = f"postgresql://me:{CANARY}@db.example/news"
        settings = load_settings(folder=folder, environment={}, metrics="0", state=state)
        self.endpoints = Endpoints(settings, signs=self.signs)

    def ask(self, path: str, method: str = "GET") -> tuple[int, str]:
        connection = http.client.HTTPConnection("127.0.0.1", self.endpoints.port, timeout=10)
        connection.request(method, path)
        answer = connection.getresponse()
        body = answer.read().decode()
        connection.close()
        return answer.status, body

    def send(self, request: bytes) -> bytes:
        """Send bytes as they are and return all that comes back until the connection ends."""
        with socket.create_connection(("127.0.0.1", self.endpoints.port), timeout=10) as client:
            try:
                client.sendall(request)
                client.shutdown(socket.SHUT_WR)
                return b"".join(iter(lambda: client.recv(65_536), b""))
            except ConnectionError:  # it did not care to read to the end
                return b""


@pytest.fixture
def probed(tmp_path: Path) -> Iterator[Probed]:
    probed = Probed(tmp_path)
    with probed.endpoints:
        yield probed


def test_metrics_are_what_prometheus_reads(probed: Probed) -> None:
    RECORDS.labels("index", "published", "").inc()
    status, text = probed.ask("/metrics")
    assert status == 200
    assert 'wirewatch_records_total{outcome="published",reason="",step="index"}' in text
    assert "# TYPE wirewatch_lag_records gauge" in text


def test_health_names_the_steps_that_are_silent_for_too_long(probed: Probed) -> None:
    assert probed.ask("/healthz") == (200, "ok\n")
    probed.signs.beat("index")
    probed.signs.beat("housekeeping", rests_seconds=3600)
    probed.now += 120
    assert probed.ask("/healthz") == (200, "ok\n")
    probed.now += 1
    assert probed.ask("/healthz") == (503, "index: silent for 121 s\n")
    assert probed.ask("/readyz") == (503, "housekeeping: works\nindex: is silent\n")
    probed.signs.beat("index")
    assert probed.ask("/healthz") == (200, "ok\n")


def test_a_step_that_has_ended_as_it_was_told_to_is_not_missed(probed: Probed) -> None:
    probed.signs.beat("index")
    probed.signs.forget("index")
    probed.now += 1000
    assert probed.ask("/healthz") == (200, "ok\n")


def test_readiness_names_the_step_that_holds_its_work_and_why_without_secrets(probed: Probed) -> None:
    assert probed.ask("/readyz") == (503, "no step has begun yet\n")
    probed.signs.beat("index")
    probed.signs.stand_by("settle")
    assert probed.ask("/readyz") == (200, "index: works\nsettle: stands by\n")
    probed.signs.hold("index", f"state: password {CANARY}\r\nrefused")
    assert probed.ask("/readyz") == (503, "index: holds: state: password [hidden] refused\nsettle: stands by\n")
    assert probed.ask("/healthz")[0] == 200
    probed.signs.go_on("index")
    assert probed.ask("/readyz")[0] == 200


@pytest.mark.parametrize("path", ["/", "/metrics/", "/../etc/passwd", "//evil.example/", "/<script>", "/%00"])
def test_other_paths_are_answered_with_those_that_there_are(probed: Probed, path: str) -> None:
    assert probed.ask(path) == (404, "/metrics, /healthz, /readyz\n")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "TRACE", "BREW"])
def test_only_get_is_answered(probed: Probed, method: str) -> None:
    assert probed.ask("/metrics", method) == (405, "only GET\n")


@pytest.mark.parametrize(
    "request_",
    [
        b"",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc" + bytes(200),
        b"GET\r\n\r\n",
        b"GET /metrics HTTP/9.9\r\n\r\n",
        b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\n\r\n",
        b"GET /metrics HTTP/1.1\r\n" + b"X: y\r\n" * 200 + b"\r\n",
        b"GET /metrics HTTP/1.1\r\nX: " + b"y" * 70_000 + b"\r\n\r\n",
        b"<script>alert(1)</script> / HTTP/1.1\r\n\r\n",
    ],
    ids=["nothing", "tls", "one word", "version", "long path", "many headers", "long header", "script"],
)
def test_nonsense_gets_a_short_answer_that_repeats_nothing_and_the_next_is_served(
    probed: Probed, request_: bytes
) -> None:
    answer = probed.send(request_)
    assert len(answer) < 500
    assert b"script" not in answer
    assert probed.ask("/healthz") == (200, "ok\n")


def test_who_never_finishes_a_request_is_cut_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "DEADLINE_SECONDS", 0.0)
    monkeypatch.setattr(server._Handler, "timeout", 600.0)  # which starts anew with every byte
    probed = Probed(tmp_path)
    with probed.endpoints, socket.create_connection(("127.0.0.1", probed.endpoints.port), timeout=30) as client:
        client.sendall(b"GET /metrics HTTP/1.1\r\nX: ")
        assert client.recv(1000) == b""


def test_more_connections_than_it_has_room_for_are_closed_and_room_comes_back(
    probed: Probed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "DEADLINE_SECONDS", 600.0)
    monkeypatch.setattr(server._Handler, "timeout", 600.0)
    address = ("127.0.0.1", probed.endpoints.port)
    idle = [socket.create_connection(address, timeout=10) for _ in range(server.CONNECTIONS)]
    with socket.create_connection(address, timeout=10) as one_more:
        assert one_more.recv(1000) == b""
    for client in idle:
        client.close()
    while True:
        try:
            assert probed.ask("/healthz") == (200, "ok\n")
        except (ConnectionError, http.client.HTTPException):
            continue  # its thread has not seen yet that a client went away
        break


def test_a_taken_address_is_a_usage_error_that_says_what_to_set(probed: Probed, tmp_path: Path) -> None:
    settings = load_settings(folder=tmp_path, environment={}, metrics=str(probed.endpoints.port))
    with pytest.raises(UsageError, match=r"cannot be served on \d+: Address already in use\. Set WIREWATCH_METRICS"):
        Endpoints(settings)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("9100", ("127.0.0.1", 9100)), ("0.0.0.0:9100", ("0.0.0.0", 9100)), ("[::1]:9100", ("::1", 9100)),
        (":9100", ("127.0.0.1", 9100)), ("metrics.example:1", ("metrics.example", 1)),
    ],
)  # fmt: skip
def test_an_address_is_host_and_port_or_a_port_of_this_machine(text: str, place: tuple[str, int]) -> None:
    assert read_address(text) == place


@pytest.mark.parametrize("text", ["here", "1:2:3", "70000", "-1", "http://127.0.0.1:9100/", "::1:9100", "9100/metrics"])
def test_what_is_no_address_is_a_usage_error(text: str) -> None:
    with pytest.raises(UsageError, match="must be host:port"):
        read_address(text)
