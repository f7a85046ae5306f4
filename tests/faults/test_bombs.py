"""Row 19: what would fill the memory or hold a connection is cut off, and memory rises by less than 64 MiB."""

from __future__ import annotations

import gzip
import itertools
import secrets
import subprocess
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
import zstandard
from stub_server import Answer, StubServer

MIB = 1024 * 1024
HIGHEST_RISE = 64 * MIB
PROGRAM = Path(__file__).parent.parent / "peak_memory.py"

pytestmark = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is read from /proc")


@pytest.fixture
def server() -> Iterator[StubServer]:
    with StubServer() as stub:
        yield stub


def fetched(server: StubServer, answer: Answer, timeout_seconds: float = 30) -> tuple[int, str]:
    """Return by how many bytes the memory of a process that fetches this rose, and how that ended."""
    server.on("/", answer)
    done = subprocess.run(
        [sys.executable, str(PROGRAM), server.url("/"), server.address, str(timeout_seconds)],
        check=True, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    rise, ended = done.stdout.split(" ", 1)
    return int(rise), ended.strip()


def packed(coding: str, body: bytes) -> Answer:
    pack = {"gzip": gzip.compress, "deflate": zlib.compress, "zstd": zstandard.compress}[coding]
    return Answer(body=pack(body), headers={"Content-Encoding": coding})


ZEROS = bytes(200 * MIB)
DENSE = secrets.token_bytes(100_000) * 200


@pytest.mark.parametrize(
    ("answer", "ended"),
    [
        pytest.param(lambda: packed("gzip", ZEROS), "unpacks to more than 100 times", id="gzip bomb"),
        pytest.param(lambda: packed("deflate", ZEROS), "unpacks to more than 100 times", id="deflate bomb"),
        pytest.param(lambda: packed("zstd", ZEROS), "unpacks to more than 100 times", id="zstd bomb"),
        pytest.param(
            lambda: Answer(body=gzip.compress(gzip.compress(ZEROS)), headers={"Content-Encoding": "gzip, gzip"}),
            "compressed 2 times over", id="nested",
        ),
        pytest.param(
            lambda: Answer(body=gzip.compress(ZEROS), headers={"Content-Encoding": "br"}), "not asked for", id="other",
        ),
        pytest.param(
            lambda: Answer(body=gzip.compress(ZEROS), headers={"Content-Encoding": "deflate"}),
            "deflate body is damaged", id="wrong coding",
        ),
        pytest.param(
            lambda: Answer(chunks=itertools.repeat(b"x" * 65_536)), "larger than 20,971,520 bytes", id="endless chunks"
        ),
        pytest.param(
            lambda: Answer(raw=b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n" + b"x" * MIB),
            "larger than 20,971,520 bytes", id="a great length",
        ),
        pytest.param(
            lambda: Answer(raw=b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 40 * MIB), "larger than 20,971,520 bytes",
            id="unframed",
        ),
        pytest.param(
            lambda: Answer(raw=b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 4_000_000), "sent a broken answer", id="headers"
        ),
        pytest.param(lambda: Answer(raw=b"HTTP/1.1 200 " + b"x" * 40 * MIB), "broken answer", id="a great first line"),
        pytest.param(lambda: Answer(body=b"x" * 20 * MIB), "200 20971520", id="the largest"),
        pytest.param(lambda: packed("gzip", DENSE), f"200 {len(DENSE)}", id="the largest, packed"),
    ],
)  # fmt: skip
def test_row_19_the_memory_rises_by_less_than_64_mib(server: StubServer, answer, ended: str) -> None:
    rise, how = fetched(server, answer(), 10)
    print(f"\n{rise / MIB:.1f} MiB: {how}")  # noqa: T201
    assert any(part in how for part in ended.split("|")), how
    assert rise < HIGHEST_RISE


@pytest.mark.parametrize("pause_seconds", [0, 0.05])
def test_row_19_a_body_that_comes_byte_by_byte_is_cut_by_the_deadline(server: StubServer, pause_seconds: float) -> None:
    rise, how = fetched(server, Answer(chunks=itertools.repeat(b"x"), pause_seconds=pause_seconds), 0.5)
    assert how.startswith("RequestFailed: no complete answer from 127.0.0.1 within 0.5 s")
    assert rise < HIGHEST_RISE
