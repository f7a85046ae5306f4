from __future__ import annotations

import asyncio
import gzip
import itertools
import secrets
import socket
import ssl
import threading
import tracemalloc
import zlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import zstandard
from adapters.good_certificate import CERTIFICATE, KEY
from adapters.hostile_urls import private_hosts
from stub_server import Answer, StubServer

from pipeline.adapters.decoding import BodyDecoder
from pipeline.adapters.gate import SystemLookUp
from pipeline.adapters.http import HttpDoor
from pipeline.errors import RequestFailed, RequestRefused, UsageError
from pipeline.loop import new_runner
from pipeline.outcomes import Trouble
from pipeline.ports import Response

MIB = 1024 * 1024
FEED = b"<rss><channel><title>News</title></channel></rss>" * 200
NAMES = {"good.example": ["127.0.0.1"], "evil.example": ["10.0.0.1"], "mixed.example": ["8.8.8.8", "127.0.0.1"]}


@pytest.fixture
def server() -> Iterator[StubServer]:
    with StubServer() as stub:
        yield stub


async def look_up(host: str) -> Sequence[str]:
    if host not in NAMES:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
    return NAMES[host]


def fetch(
    url: str, *servers: StubServer, method: Any = "GET", door: dict[str, Any] | None = None, **options: Any
) -> Response:
    """Send one request through a door that permits the addresses of ``servers`` and knows ``NAMES``."""

    async def run() -> Response:
        options_of_door = {"resolver": look_up, "allowed": [server.address for server in servers], **(door or {})}
        async with HttpDoor(user_agent="Wirewatch/test", **options_of_door) as http:
            return await http.request(method, url, **options)

    with new_runner() as loop:  # the loop of the steps; what follows packets runs on asyncio's own
        return loop.run(run())


# --- answers ----------------------------------------------------------------------------------------------------------


def test_an_answer_comes_back_whole_with_lower_case_headers(server: StubServer) -> None:
    server.on("/feed", Answer(body=FEED, headers=[("ETag", '"1"'), ("X-A", "1"), ("X-A", "2"), ("Set-Cookie", "a=b")]))
    answer = fetch(server.url("/feed?x=1#part"), server, headers={"If-None-Match": '"0"'})
    assert (answer.status, answer.body, answer.url) == (200, FEED, server.url("/feed?x=1"))
    assert answer.headers["etag"] == '"1"'
    assert answer.headers["x-a"] == "1, 2"
    assert answer.permanent_url == ""
    sent = server.requests[0].headers
    assert sent["if-none-match"] == '"0"'
    assert sent["user-agent"] == "Wirewatch/test"


@pytest.mark.parametrize("status", [204, 304, 400, 403, 404, 410, 429, 500, 503])
def test_any_status_is_an_answer(server: StubServer, status: int) -> None:
    server.on("/feed", Answer(status=status, headers={"Retry-After": "7", "Content-Encoding": "gzip"}))
    answer = fetch(server.url("/feed"), server)
    assert (answer.status, answer.body, answer.headers["retry-after"]) == (status, b"", "7")


def test_a_post_carries_its_body_and_its_redirect_is_not_followed(server: StubServer) -> None:
    for status in (301, 302, 303, 307, 308):
        server.on("/hook", Answer(status=status, body=b"moved", headers={"Location": "/elsewhere"}))
        answer = fetch(
            server.url("/hook"), server, method="POST", body=b"{}", headers={"Content-Type": "application/json"}
        )
        assert (answer.status, answer.headers["location"], answer.body) == (status, "/elsewhere", b"moved")
    assert server.requests[0].body == b"{}"
    assert server.requests[0].headers["content-type"] == "application/json"
    assert not server.requests_for("/elsewhere")


def test_cookies_are_neither_kept_nor_sent(server: StubServer) -> None:
    server.on("/a", Answer(status=302, headers={"Location": "/b", "Set-Cookie": "id=1; Path=/"}))
    server.on("/b", Answer(body=b"b", headers={"Set-Cookie": "id=2; Path=/"}))

    async def run() -> None:
        async with HttpDoor(user_agent="test", allowed=[server.address], resolver=look_up) as http:
            await http.request("GET", server.url("/a", host="good.example"))
            await http.request("GET", server.url("/a", host="good.example"))

    asyncio.run(run())
    assert not any("cookie" in request.headers for request in server.requests)


def test_a_proxy_of_the_environment_is_not_used(server: StubServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    server.on("/feed", Answer(body=b"ok"))
    assert fetch(server.url("/feed"), server).body == b"ok"


# --- redirects --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("statuses", "permanent"),
    [([301], "/1"), ([308], "/1"), ([302], ""), ([307], ""), ([301, 302], "/1"), ([302, 301], ""), ([301, 308], "/2")],
)
def test_redirects_are_followed_and_the_permanent_ones_remembered(
    server: StubServer, statuses: list[int], permanent: str
) -> None:
    for number, status in enumerate(statuses):
        server.on(f"/{number}", Answer(status=status, body=b"moved", headers={"Location": f"/{number + 1}"}))
    server.on(f"/{len(statuses)}", Answer(body=b"here"))
    answer = fetch(server.url("/0"), server)
    assert (answer.body, answer.url) == (b"here", server.url(f"/{len(statuses)}"))
    assert answer.permanent_url == (server.url(permanent) if permanent else "")


def test_five_hops_are_followed_and_the_sixth_is_refused(server: StubServer) -> None:
    for number in range(20):
        server.on(f"/{number}", Answer(status=302, headers={"Location": f"/{number + 1}"}))
    server.on("/20", Answer(body=b"end"))
    assert fetch(server.url("/15"), server).body == b"end"
    server.requests.clear()
    with pytest.raises(RequestRefused, match="more than 5 redirects"):
        fetch(server.url("/0"), server)
    assert len(server.requests) == 6


def test_a_circle_is_refused_at_once(server: StubServer) -> None:
    server.on("/a", Answer(status=302, headers={"Location": "/b"}))
    server.on("/b", Answer(status=302, headers={"Location": "/a"}))
    with pytest.raises(RequestRefused, match="redirects in a circle"):
        fetch(server.url("/a"), server)
    assert len(server.requests) == 2


def test_a_redirect_without_a_target_is_an_answer(server: StubServer) -> None:
    server.on("/a", Answer(status=302, body=b"lost"))
    assert fetch(server.url("/a"), server).body == b"lost"


def test_the_endless_body_of_a_redirect_is_not_read(server: StubServer) -> None:
    server.on("/a", Answer(status=302, headers={"Location": "/b"}, chunks=itertools.repeat(b"x" * 1000)))
    server.on("/b", Answer(body=b"b"))
    assert fetch(server.url("/a"), server).body == b"b"


def test_credentials_stay_with_their_origin_and_do_not_come_back(server: StubServer) -> None:
    with StubServer() as other:
        server.on("/same", Answer(status=302, headers={"Location": "/start"}))
        server.on("/start", Answer(status=302, headers={"Location": other.url("/there")}))
        other.on("/there", Answer(status=302, headers={"Location": server.url("/back")}))
        server.on("/back", Answer(body=b"done"))
        secret = {"Authorization": "Bearer canary", "Cookie": "canary", "X-Api-Key": "canary", "If-None-Match": '"1"'}
        assert fetch(server.url("/same"), server, other, headers=secret).body == b"done"
    same, start, back = server.requests
    assert same.headers["authorization"] == start.headers["authorization"] == "Bearer canary"
    assert start.headers["x-api-key"] == "canary"
    for request in (other.requests[0], back):
        assert "canary" not in str(request.headers)
        assert request.headers["if-none-match"] == '"1"'


# --- addresses --------------------------------------------------------------------------------------------------------


@pytest.fixture
def connected(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Every address that a packet was sent to."""
    addresses: list[Any] = []
    original = asyncio.SelectorEventLoop.sock_connect

    async def record(self: Any, sock: Any, address: Any) -> None:
        addresses.append(address)
        await original(self, sock, address)

    monkeypatch.setattr(asyncio.SelectorEventLoop, "sock_connect", record)
    return addresses


def refusals(urls: Sequence[str], **door: Any) -> list[str]:
    """Return the reasons why these were refused, all through one door; fails when one was not."""

    async def run() -> list[str]:
        reasons = []
        async with HttpDoor(user_agent="test", **{"resolver": look_up, **door}) as http:
            for url in urls:
                with pytest.raises(RequestRefused) as caught:
                    await http.request("GET", url, timeout_seconds=5)
                reasons.append(str(caught.value))
        return reasons

    return asyncio.run(run())


def test_no_packet_leaves_for_a_private_address_in_any_spelling(connected: list[Any]) -> None:
    urls = [f"http://{host}/" for host in private_hosts()]
    assert len(refusals(urls)) == len(urls) > 300
    assert connected == []


def test_no_packet_leaves_when_a_redirect_names_a_private_address(server: StubServer, connected: list[Any]) -> None:
    hosts = list(private_hosts())[::3]
    for number, host in enumerate(hosts):
        location = f"http://{host}/secret".encode().decode("latin-1")
        server.on(f"/{number}", Answer(status=302, headers={"Location": location}))
    reasons = refusals([server.url(f"/{number}") for number in range(len(hosts))], allowed=[server.address])
    assert all(reason.startswith("127.0.0.1 redirects to a refused address") for reason in reasons)
    assert set(connected) == {("127.0.0.1", server.port)}
    assert not server.requests_for("/secret")


@pytest.mark.parametrize(
    "private", ["10.0.0.1", "127.0.0.1", "::1", "::ffff:10.0.0.1", "fe80::1%eth0", "64:ff9b::a00:1"]
)
def test_a_name_with_one_private_address_is_refused_whatever_the_others_are(private: str, connected: list[Any]) -> None:
    async def mixed(host: str) -> Sequence[str]:
        return ["8.8.8.8", "2606:4700::1111", private]

    for host in ("evil.example", "localhost", "evil.example.", "ｅvil.example", "bücher.example"):
        assert "resolves to" in refusals([f"http://{host}/"], resolver=mixed)[0]
    assert connected == []


def test_a_name_that_resolves_private_is_refused_after_a_redirect_too(server: StubServer) -> None:
    server.on("/a", Answer(status=301, headers={"Location": f"http://evil.example:{server.port}/"}))
    reason = refusals([server.url("/a")], allowed=[server.address])[0]
    assert reason.startswith("evil.example resolves to 10.0.0.1, a private address")


def test_a_name_is_looked_up_now_and_then_and_each_connection_goes_to_the_checked_address(
    server: StubServer, connected: list[Any]
) -> None:
    answers = iter([["127.0.0.1"], ["10.0.0.1"], ["127.0.0.1"]])
    asked = []

    async def rebinding(host: str) -> Sequence[str]:
        asked.append(host)
        return next(answers)

    server.on("/", Answer(body=b"first", headers={"Connection": "close"}))

    now = 1000.0

    async def run() -> None:
        nonlocal now
        async with HttpDoor(
            user_agent="test", allowed=[server.address], resolver=rebinding, monotonic=lambda: now
        ) as http:
            for _ in range(3):  # each a connection of its own
                answer = await http.request("GET", server.url("/", host="rebind.example"))
                assert answer.body == b"first"
            now += 5
            with pytest.raises(RequestRefused, match=r"resolves to 10\.0\.0\.1"):
                await http.request("GET", server.url("/", host="rebind.example"))

    asyncio.run(run())
    assert asked == ["rebind.example"] * 2
    assert connected == [("127.0.0.1", server.port)] * 3


def test_the_gate_judges_an_address_that_got_past_every_other_check(connected: list[Any]) -> None:
    async def run() -> None:
        async with HttpDoor(user_agent="test") as http:
            with pytest.raises(RequestRefused, match=r"127\.0\.0\.1 is an address of this machine"):
                await http._session.get("http://127.0.0.1:9/")
            with pytest.raises(RequestRefused):
                await http._session.get("http://[::1]:9/")

    asyncio.run(run())
    assert connected == []


def test_a_permitted_name_is_reached_at_its_private_address_and_no_other_name_is(server: StubServer) -> None:
    server.on("/", Answer(body=b"ok"))

    async def everything_here(host: str) -> Sequence[str]:
        return ["127.0.0.1"]

    async def run() -> None:
        permit = f"intranet.example:{server.port}"
        async with HttpDoor(user_agent="test", allowed=[permit], resolver=everything_here) as http:
            assert (await http.request("GET", server.url("/", host="intranet.example"))).body == b"ok"
            for host in ("other.example", "127.0.0.1"):
                with pytest.raises(RequestRefused):
                    await http.request("GET", server.url("/", host=host))

    asyncio.run(run())


def test_a_permit_that_cannot_be_read_closes_the_door() -> None:
    async def run() -> None:
        with pytest.raises(UsageError, match="allow_addresses"):
            HttpDoor(user_agent="test", allowed=["10.0.0.1/8"])

    asyncio.run(run())


def test_a_header_with_a_line_break_is_refused(server: StubServer) -> None:
    with pytest.raises(RequestRefused, match="control character"):
        fetch(server.url("/"), server, headers={"If-None-Match": '"1"\r\nX-Evil: 1'})
    assert server.requests == []


# --- bodies -----------------------------------------------------------------------------------------------------------


def raw_deflate(body: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(body) + packer.flush()


@pytest.mark.parametrize(
    ("encoding", "pack"),
    [
        ("gzip", gzip.compress),
        ("X-GZIP", gzip.compress),
        ("gzip, identity", gzip.compress),
        ("gzip", lambda body: gzip.compress(body[:100]) + gzip.compress(body[100:])),
        ("gzip", lambda body: gzip.compress(body) + b"\0" * 600),
        ("gzip", lambda body: body),  # says so and is not
        ("deflate", zlib.compress),
        ("deflate", raw_deflate),
        ("zstd", zstandard.compress),
        ("zstd", lambda body: zstandard.compress(body[:100]) + zstandard.compress(body[100:])),
        ("identity", lambda body: body),
        ("utf-8", lambda body: body),  # seen in the wild
        ("", lambda body: body),
    ],
)
def test_a_body_is_unpacked_by_what_it_is(server: StubServer, encoding: str, pack: Callable[[bytes], bytes]) -> None:
    packed = pack(FEED)
    server.on("/whole", Answer(body=packed, headers={"Content-Encoding": encoding}))
    pieces = [*(packed[start : start + 1] for start in range(20)), packed[20:]]
    server.on("/drip", Answer(chunks=pieces, headers={"Content-Encoding": encoding}))
    assert fetch(server.url("/whole"), server).body == FEED
    assert fetch(server.url("/drip"), server).body == FEED


@pytest.mark.parametrize("encoding", ["gzip", "zstd", "deflate"])
@pytest.mark.parametrize("body", [b"", b"x", b"<a>"])
def test_a_tiny_plain_body_under_a_wrong_encoding_is_taken_or_called_damaged(
    server: StubServer, encoding: str, body: bytes
) -> None:
    server.on("/", Answer(body=body, headers={"Content-Encoding": encoding}))
    if encoding == "deflate" and body:  # has no mark by which to tell
        with pytest.raises(RequestFailed, match=r"damaged|cut short"):
            fetch(server.url("/"), server)
    else:
        assert fetch(server.url("/"), server).body == body


@pytest.mark.parametrize("pack", [gzip.compress, zlib.compress, zstandard.compress])
def test_a_bomb_is_refused_by_its_ratio(server: StubServer, pack: Callable[[bytes], bytes]) -> None:
    encoding = {gzip.compress: "gzip", zlib.compress: "deflate", zstandard.compress: "zstd"}[pack]
    server.on("/", Answer(body=pack(bytes(10_000_000)), headers={"Content-Encoding": encoding}))
    with pytest.raises(RequestRefused, match="more than 100 times its size"):
        fetch(server.url("/"), server)


@pytest.mark.parametrize("encoding", ["gzip", "zstd"])
def test_neither_a_bomb_nor_the_largest_body_takes_64_mib_of_memory(encoding: str) -> None:
    pack = {"gzip": gzip.compress, "zstd": zstandard.compress}[encoding]
    bomb, largest = pack(bytes(100 * MIB), 1), pack(secrets.token_bytes(100_000) * 200, 1)
    tracemalloc.start()
    with pytest.raises(RequestRefused):
        decode(bomb, encoding)
    if encoding == "gzip":
        assert len(decode(largest, encoding)) == 20_000_000
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 64 * MIB


def decode(body: bytes, encoding: str) -> bytes:
    decoder = BodyDecoder(encoding, 20 * MIB)
    for start in range(0, len(body), 65536):
        decoder.feed(body[start : start + 65536])
    return decoder.finish()


def test_a_short_repetitive_body_is_no_bomb(server: StubServer) -> None:
    server.on("/", Answer(body=gzip.compress(b" " * 60_000), headers={"Content-Encoding": "gzip"}))
    assert fetch(server.url("/"), server).body == b" " * 60_000


@pytest.mark.parametrize("encoding", ["gzip, gzip", "deflate, gzip", "zstd,zstd", "br", "gzip, br", "compress"])
def test_nested_and_unasked_encodings_are_refused(server: StubServer, encoding: str) -> None:
    server.on("/", Answer(body=gzip.compress(gzip.compress(FEED)), headers={"Content-Encoding": encoding}))
    with pytest.raises(RequestRefused, match=r"times over|not asked for"):
        fetch(server.url("/"), server)


@pytest.mark.parametrize(
    "answer",
    [
        Answer(body=b"x" * 5001),
        Answer(chunks=itertools.repeat(b"x" * 1000)),
        Answer(body=gzip.compress(bytes(range(256)) * 20), headers={"Content-Encoding": "gzip"}),
        Answer(raw=b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 5001),
    ],
    ids=["long", "endless", "packed", "unframed"],
)
def test_a_body_over_the_limit_is_refused(server: StubServer, answer: Answer) -> None:
    server.on("/", answer)
    with pytest.raises(RequestRefused, match="larger than 5,000 bytes"):
        fetch(server.url("/"), server, max_bytes=5000)


def test_a_body_of_just_the_limit_is_taken(server: StubServer) -> None:
    server.on("/", Answer(body=b"x" * 5000))
    assert len(fetch(server.url("/"), server, max_bytes=5000).body) == 5000


@pytest.mark.parametrize(
    ("body", "reason"),
    [(gzip.compress(FEED)[:-9], "cut short"), (b"\x1f\x8b\x08\x00" + b"\xff" * 99, "damaged")],
    ids=["cut short", "damaged"],  # gzip carries the second it was made in: no name for a test
)
def test_a_broken_compressed_body_is_a_failure(server: StubServer, body: bytes, reason: str) -> None:
    server.on("/", Answer(body=body, headers={"Content-Encoding": "gzip"}))
    with pytest.raises(RequestFailed, match=reason) as caught:
        fetch(server.url("/"), server)
    assert caught.value.trouble is Trouble.BROKEN


# --- failures ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "answer",
    [
        Answer(hang=True),
        Answer(chunks=itertools.repeat(b"x"), pause_seconds=0.01),
        Answer(raw=b"HTTP/1.1 100 Continue\r\n\r\n" * 3 + b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", hang=True),
    ],
    ids=["hangs", "drips", "continues"],
)
def test_the_deadline_covers_the_whole_answer(server: StubServer, answer: Answer) -> None:
    server.on("/", answer)
    with pytest.raises(RequestFailed, match=r"^no complete answer from 127\.0\.0\.1 within 0\.3 s$") as caught:
        fetch(server.url("/"), server, timeout_seconds=0.3)
    assert caught.value.trouble is Trouble.NO_ANSWER


def test_the_deadline_covers_all_redirects_together(server: StubServer) -> None:
    for number in range(5):
        server.on(f"/{number}", Answer(status=302, headers={"Location": f"/{number + 1}"}, pause_seconds=0.1))
    server.on("/5", Answer(hang=True))
    with pytest.raises(RequestFailed, match=r"within 0\.3 s"):
        fetch(server.url("/0"), server, timeout_seconds=0.3)


@pytest.mark.parametrize(
    ("answer", "trouble", "reason"),
    [
        (Answer(reset=True), Trouble.NO_ANSWER, "broke: connection reset by peer|closed the connection"),
        (Answer(raw=b""), Trouble.NO_ANSWER, "closed the connection without an answer"),
        (Answer(body=FEED, cut=True), Trouble.BROKEN, "broke off its answer"),
        (Answer(chunks=[FEED], cut=True), Trouble.BROKEN, "broke off its answer"),
        (Answer(chunks=[FEED], reset_after=True), Trouble.BROKEN, "broke"),
        (Answer(raw=b"SSH-2.0-OpenSSH_9.2\r\n"), Trouble.BROKEN, "sent a broken answer"),
        (
            Answer(raw=b"HTTP/1.1 200 OK\r\nX: " + b"x" * 70_000 + b"\r\n\r\n"),
            Trouble.BROKEN,
            "sent a broken answer",
        ),
        (Answer(headers=[(f"X-{number}", "x") for number in range(500)]), Trouble.BROKEN, "sent a broken answer"),
        (
            Answer(raw=b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"),
            Trouble.BROKEN,
            "broke off its answer|broken answer",
        ),
    ],
    ids=[
        "reset",
        "closed",
        "cut",
        "cut chunks",
        "reset midway",
        "no http",
        "large header",
        "many headers",
        "bad chunk",
    ],
)
def test_a_broken_answer_is_a_failure_with_its_cause(
    server: StubServer, answer: Answer, trouble: Trouble, reason: str
) -> None:
    server.on("/", answer)
    with pytest.raises(RequestFailed, match=reason) as caught:
        fetch(server.url("/?token=canary"), server)
    assert caught.value.trouble is trouble
    assert "canary" not in str(caught.value)
    assert f"127.0.0.1:{server.port}" in str(caught.value)
    assert caught.value.__context__ is None


def test_each_kind_of_failure_carries_its_trouble(server: StubServer, tls_server: StubServer) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        urls = {
            "http://nowhere.example/": (RequestFailed, Trouble.DNS),
            f"http://127.0.0.1:{unused.getsockname()[1]}/": (RequestFailed, Trouble.NO_ANSWER),
            tls_server.url("/"): (RequestFailed, Trouble.TLS),
            server.url("/").replace("http:", "https:"): (RequestFailed, Trouble.TLS),
            "http://10.0.0.1/": (RequestRefused, Trouble.REFUSED),
            "ftp://news.example/": (RequestRefused, Trouble.REFUSED),
        }
        for url, (kind, trouble) in urls.items():
            with pytest.raises(kind) as caught:
                fetch(url, door={"allowed": ["127.0.0.1"]})
            assert caught.value.trouble is trouble, url


def test_an_unknown_name_a_closed_port_and_a_broken_resolver_are_named(server: StubServer) -> None:
    async def down(host: str) -> Sequence[str]:
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

    async def empty(host: str) -> Sequence[str]:
        return []

    with pytest.raises(RequestFailed, match=r"^DNS: no such name nowhere\.example$"):
        fetch("http://nowhere.example/")
    with pytest.raises(RequestFailed, match=r"^DNS: slow\.example cannot be looked up now: Temporary failure"):
        fetch("http://slow.example/", door={"resolver": down})
    with pytest.raises(RequestFailed, match=r"^DNS: empty\.example has no address$"):
        fetch("http://empty.example/", door={"resolver": empty})
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        with pytest.raises(RequestFailed, match=f"^connection refused by 127.0.0.1:{port}$"):
            fetch(f"http://127.0.0.1:{port}/", door={"allowed": ["127.0.0.1"]})


def test_a_dead_name_server_holds_up_neither_the_deadline_nor_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    answered = threading.Event()

    def hang(*_: object, **__: object) -> list[Any]:
        answered.wait()
        raise socket.gaierror(socket.EAI_AGAIN, "too late")

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    with pytest.raises(RequestFailed, match=r"^no complete answer from slow\.example within 0\.1 s$"):
        fetch("http://slow.example/", door={"resolver": None}, timeout_seconds=0.1)
    assert not answered.is_set()  # the loop has ended all the same
    answered.set()


def test_a_thread_serves_one_look_up_after_another_and_a_slow_name_holds_up_no_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked, released = threading.Event(), threading.Event()
    threads: dict[str, int] = {}

    def answer(host: str, *_: object, **__: object) -> list[Any]:
        threads[host] = threading.get_ident()
        if host == "slow.example":
            asked.set()
            released.wait()
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("8.8.8.8", 0))]

    async def run() -> None:
        look_up = SystemLookUp()
        slow = asyncio.create_task(look_up("slow.example"))
        await asyncio.to_thread(asked.wait)
        for number in range(20):
            assert await look_up(f"{number}.example") == ["8.8.8.8"]
            await asyncio.to_thread(wait_until, lambda: len(look_up._idle) == 1)
        released.set()
        assert await slow == ["8.8.8.8"]

    monkeypatch.setattr(socket, "getaddrinfo", answer)
    asyncio.run(run())
    assert len({thread for host, thread in threads.items() if host != "slow.example"}) == 1
    assert len(set(threads.values())) == 2


def wait_until(is_so: Callable[[], bool]) -> None:
    while not is_so():
        threading.Event().wait(0.001)


def test_many_look_ups_at_once_are_each_answered_with_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    def answer(host: str, *_: object, **__: object) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (host, 0))]

    async def run() -> None:
        look_up = SystemLookUp()
        hosts = [f"{number}.example" for number in range(200)]
        for _ in range(5):
            assert await asyncio.gather(*(look_up(host) for host in hosts)) == [[host] for host in hosts]

    monkeypatch.setattr(socket, "getaddrinfo", answer)
    asyncio.run(run())


def test_the_systems_resolver_is_the_default(server: StubServer) -> None:
    server.on("/", Answer(body=b"ok"))
    door = {"resolver": None, "allowed": ["127.0.0.1", "::1"]}
    assert fetch(server.url("/", host="localhost"), door=door).body == b"ok"
    with pytest.raises(RequestRefused, match=r"^localhost resolves to"):
        fetch(server.url("/", host="localhost"), door={"resolver": None})


# --- TLS --------------------------------------------------------------------------------------------------------------


@pytest.fixture
def tls_server(tmp_path: Path) -> Iterator[StubServer]:
    certificate = tmp_path / "certificate.pem"
    certificate.write_text(CERTIFICATE + KEY)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with StubServer(context) as stub:
        yield stub


def trusting() -> dict[str, Any]:
    return {"ssl_context": ssl.create_default_context(cadata=CERTIFICATE)}


def test_tls_is_verified_by_name_while_the_connection_goes_to_the_checked_address(tls_server: StubServer) -> None:
    tls_server.on("/", Answer(body=b"secure"))
    url = tls_server.url("/", host="good.example")
    assert fetch(url, tls_server, door=trusting()).body == b"secure"
    with pytest.raises(RequestFailed, match=r"^TLS: the certificate of good\.example:\d+ is not valid: self"):
        fetch(url, tls_server)
    with pytest.raises(RequestFailed, match=r"^TLS: the certificate of 127\.0\.0\.1:\d+ is not valid: IP address mism"):
        fetch(tls_server.url("/"), tls_server, door=trusting())
    assert len(tls_server.requests) == 1


def test_plain_http_behind_an_https_address_is_named(server: StubServer) -> None:
    with pytest.raises(RequestFailed, match=r"^TLS: no secure connection to 127\.0\.0\.1"):
        fetch(server.url("/").replace("http:", "https:"), server)


def test_a_redirect_from_https_to_http_is_refused_and_the_other_way_followed(
    server: StubServer, tls_server: StubServer
) -> None:
    secure = tls_server.url("/", host="good.example")
    tls_server.on("/", Answer(status=301, headers={"Location": server.url("/")}))
    server.on("/", Answer(status=301, headers={"Location": secure}))
    with pytest.raises(RequestRefused, match="redirects from https to http"):
        fetch(secure, server, tls_server, door=trusting())
    assert server.requests == []
    tls_server.on("/", Answer(body=b"secure"))
    answer = fetch(server.url("/"), server, tls_server, door=trusting())
    assert (answer.body, answer.permanent_url) == (b"secure", secure)
