"""What goes to whom, and which way: credentials and headers of a feed's own, and proxies."""

from __future__ import annotations

import asyncio
import base64
import re
import socket
import ssl
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from adapters.good_certificate import CERTIFICATE, KEY
from stub_proxy import StubProxy
from stub_server import Answer, StubServer

from pipeline.access import Access, Proxy, basic_login
from pipeline.adapters.http import HttpDoor
from pipeline.errors import RequestFailed, RequestRefused
from pipeline.loop import new_runner
from pipeline.outcomes import Trouble
from pipeline.ports import Response

LOGIN = "Basic " + base64.b64encode(b"desk:canary").decode()
AGENCY = Access(
    hosts=("127.0.0.1",),
    user="desk",
    password="canary",
    headers={"X-Key": "canary", "Accept": "a/b", "Cookie": "a=canary"},
)


@pytest.fixture
def server() -> Iterator[StubServer]:
    with StubServer() as stub:
        yield stub


@pytest.fixture
def tls_server(tmp_path: Path) -> Iterator[StubServer]:
    certificate = tmp_path / "certificate.pem"
    certificate.write_text(CERTIFICATE + KEY)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with StubServer(context) as stub:
        yield stub


@pytest.fixture
def proxy() -> Iterator[StubProxy]:
    with StubProxy({"good.example": "127.0.0.1"}) as stub:
        yield stub


async def nowhere(host: str) -> Sequence[str]:
    raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")


def fetch(url: str, *, door: dict[str, Any] | None = None, **options: Any) -> Response:
    """Send one request through a door that knows no names and permits nothing private, unless ``door`` says so."""

    async def run() -> Response:
        async with HttpDoor(user_agent="Wirewatch/test", **{"resolver": nowhere, **(door or {})}) as http:
            return await http.request("GET", url, **options)

    with new_runner() as loop:
        return loop.run(run())


def by(proxy: StubProxy, user: str = "", password: str = "") -> Proxy:
    return Proxy("127.0.0.1", proxy.port, user, password)


def login_to(proxy: StubProxy) -> list[str]:
    """Return who asked the proxy, each time."""
    found = re.findall(r"^proxy-authorization: (.*)\r$", "\n".join(proxy.heads), re.IGNORECASE | re.MULTILINE)
    assert len(found) == len(proxy.heads)
    return found


# --- credentials and headers ------------------------------------------------------------------------------------------


def test_credentials_and_headers_are_sent_to_the_host_they_are_for(server: StubServer) -> None:
    server.on("/feed", Answer(body=b"ok"))
    fetch(
        server.url("/feed"),
        door={"allowed": [server.address]},
        access=AGENCY,
        headers={"Accept": "x/y", "If-None-Match": '"1"'},
    )
    sent = server.requests[0].headers
    assert (sent["authorization"], sent["x-key"], sent["accept"], sent["if-none-match"]) == (
        LOGIN, "canary", "a/b", '"1"',
    )  # fmt: skip
    assert sent["cookie"] == "a=canary"


def test_they_do_not_follow_a_redirect_to_another_origin_nor_come_back(server: StubServer) -> None:
    with StubServer() as other:
        server.on("/feed", Answer(status=302, headers={"Location": "/here"}))
        server.on("/here", Answer(status=302, headers={"Location": other.url("/there")}))
        other.on("/there", Answer(status=302, headers={"Location": server.url("/back")}))
        server.on("/back", Answer(body=b"done"))
        answer = fetch(
            server.url("/feed"),
            door={"allowed": [server.address, other.address]},
            access=AGENCY,
            headers={"Accept": "x/y", "If-None-Match": '"1"'},
        )
    assert answer.body == b"done"
    assert [request.headers.get("authorization") for request in server.requests] == [LOGIN, LOGIN, None]
    for request in (other.requests[0], server.requests[2]):
        assert "canary" not in str(request.headers)
        assert (request.headers["accept"], request.headers["if-none-match"]) == ("x/y", '"1"')


def test_a_host_that_they_are_not_for_is_sent_nothing_at_all(server: StubServer) -> None:
    elsewhere = Access(hosts=("feeds.agency.example",), user="desk", password="canary")
    with pytest.raises(RequestRefused, match=r"its access is not for 127\.0\.0\.1; .* access\.toml") as caught:
        fetch(server.url("/feed"), door={"allowed": [server.address]}, access=elsewhere)
    assert "canary" not in str(caught.value)
    assert server.connections == 0


# --- proxies ----------------------------------------------------------------------------------------------------------


def test_everything_goes_through_the_proxy_which_looks_the_name_up(server: StubServer, proxy: StubProxy) -> None:
    server.on("/feed", Answer(status=301, headers={"Location": "/new"}))
    server.on("/new", Answer(body=b"ok"))
    answer = fetch(server.url("/feed", host="good.example"), door={"proxy": by(proxy, "me", "canary")})
    assert (answer.body, answer.permanent_url) == (b"ok", server.url("/new", host="good.example"))
    assert login_to(proxy) == [basic_login("me", "canary")]  # and again on the same connection
    assert proxy.heads[0].startswith(f"GET http://good.example:{server.port}/feed HTTP/1.1")


def test_https_goes_through_a_tunnel_and_is_verified_by_name(tls_server: StubServer, proxy: StubProxy) -> None:
    tls_server.on("/feed", Answer(body=b"secure"))
    trusting = ssl.create_default_context(cadata=CERTIFICATE)
    url = tls_server.url("/feed?key=canary", host="good.example")
    answer = fetch(
        url,
        door={"proxy": by(proxy, "me", "secret"), "ssl_context": trusting},
        access=Access(hosts=("good.example",), user="desk", password="canary"),
    )
    assert answer.body == b"secure"
    assert tls_server.requests[0].headers["authorization"] == LOGIN
    assert "proxy-authorization" not in tls_server.requests[0].headers
    assert login_to(proxy) == [basic_login("me", "secret")]
    assert proxy.heads[0].startswith(f"CONNECT good.example:{tls_server.port} HTTP/1.1")
    assert "canary" not in proxy.heads[0]
    with pytest.raises(RequestFailed, match=r"^TLS: the certificate of good\.example:\d+ is not valid") as caught:
        fetch(url, door={"proxy": by(proxy)})
    assert caught.value.trouble is Trouble.TLS


def test_the_proxy_of_an_access_goes_before_the_doors_own(server: StubServer, proxy: StubProxy) -> None:
    server.on("/feed", Answer(body=b"ok"))
    url = server.url("/feed", host="good.example")
    with StubProxy({"good.example": "127.0.0.1"}) as own:
        fetch(url, door={"proxy": by(proxy)}, access=Access(proxy=by(own)))
        assert (len(own.heads), len(proxy.heads)) == (1, 0)
    fetch(url, door={"proxy": by(proxy)})
    assert len(proxy.heads) == 1


@pytest.mark.parametrize(
    "host", ["10.0.0.1", "127.0.0.1", "127.1", "[::1]", "169.254.169.254", "[::ffff:10.0.0.1]", "0x7f.1", "2130706433"]
)
def test_a_private_address_is_refused_behind_a_proxy_too(proxy: StubProxy, host: str) -> None:
    for scheme in ("http", "https"):
        with pytest.raises(RequestRefused):
            fetch(f"{scheme}://{host}/", door={"proxy": by(proxy)})
    assert proxy.heads == []


def test_no_address_names_the_proxy_itself(proxy: StubProxy) -> None:
    async def everything_here(host: str) -> Sequence[str]:
        return ["127.0.0.1"]

    named = Proxy("Proxy.example".lower(), proxy.port)
    for host in ("proxy.example", "PROXY.example", "proxy.example."):
        with pytest.raises(RequestRefused, match="is the proxy itself"):
            fetch(f"http://{host}:{proxy.port}/", door={"proxy": named, "resolver": everything_here})
    with pytest.raises(RequestRefused):
        fetch(f"http://127.0.0.1:{proxy.port}/", door={"proxy": by(proxy)})
    with pytest.raises(RequestRefused, match="is the proxy itself"):
        fetch(f"http://127.0.0.1:{proxy.port}/", door={"proxy": by(proxy), "allowed": ["127.0.0.1"]})
    assert proxy.heads == []


def test_the_proxys_own_private_address_is_open_to_no_request_without_it() -> None:
    async def run(proxy: StubProxy) -> None:
        async with HttpDoor(user_agent="test", resolver=nowhere) as http:
            assert (await http.request("GET", "http://good.example:1/", access=Access(proxy=by(proxy)))).status == 403
            with pytest.raises(RequestRefused):
                await http.request("GET", f"http://127.0.0.1:{proxy.port}/")
            with pytest.raises(RequestRefused):
                await http._session.get(f"http://127.0.0.1:{proxy.port}/")
            with pytest.raises(RequestRefused):  # nor anything else private to the requests with it
                await http._session_by(by(proxy)).get("http://127.0.0.1:9/")

    with StubProxy(refuse=True) as proxy:
        asyncio.run(run(proxy))
        assert len(proxy.heads) == 1


def test_a_name_known_here_to_be_private_is_refused_before_the_proxy_is_asked(proxy: StubProxy) -> None:
    async def private(host: str) -> Sequence[str]:
        return ["8.8.8.8", "10.0.0.1"]

    with pytest.raises(RequestRefused, match=r"evil\.example resolves to 10\.0\.0\.1"):
        fetch("http://evil.example/", door={"proxy": by(proxy), "resolver": private})
    assert proxy.heads == []


def test_a_redirect_behind_a_proxy_to_a_private_address_is_refused(server: StubServer, proxy: StubProxy) -> None:
    server.on("/feed", Answer(status=302, headers={"Location": "http://169.254.169.254/latest"}))
    with pytest.raises(RequestRefused, match="redirects to a refused address"):
        fetch(server.url("/feed", host="good.example"), door={"proxy": by(proxy)})
    assert len(proxy.heads) == 1


def test_a_proxy_that_is_away_or_unwilling_is_named_without_its_password(server: StubServer) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        away = Proxy("127.0.0.1", unused.getsockname()[1], "me", "canary")
        with pytest.raises(RequestFailed, match=r"^no connection to the proxy for good\.example:80: ") as caught:
            fetch("http://good.example/", door={"proxy": away})
        assert "canary" not in str(caught.value)
    with (
        StubProxy(refuse=True) as proxy,
        pytest.raises(RequestFailed, match=r"^the proxy does not connect to good\.example:443: HTTP 403$") as caught,
    ):
        fetch("https://good.example/", door={"proxy": by(proxy, "me", "canary")})
    assert caught.value.trouble is Trouble.NO_ANSWER
