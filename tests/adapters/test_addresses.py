from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from adapters.hostile_urls import MALFORMED, PRIVATE_V4, PRIVATE_V6, PUBLIC, private_hosts
from hypothesis import given
from hypothesis import strategies as st
from yarl import URL

from pipeline.adapters.addresses import Allowed, check_address, not_public, outgoing_url
from pipeline.errors import RequestRefused, UsageError

NOTHING = Allowed()
PRIVATE_HOSTS = tuple(dict.fromkeys(private_hosts()))


def test_there_are_enough_vectors_to_mean_something() -> None:
    assert len(PRIVATE_HOSTS) > 300


@pytest.mark.parametrize("host", PRIVATE_HOSTS)
def test_a_private_address_is_refused_in_every_spelling(host: str) -> None:
    with pytest.raises(RequestRefused):
        outgoing_url(f"http://{host}/latest/meta-data", NOTHING)
    with pytest.raises(RequestRefused):
        outgoing_url(f"https://{host}:8443/", NOTHING)
    with pytest.raises(RequestRefused):
        outgoing_url(f"//{host}/", NOTHING, base=URL("http://news.example/feed"))


@pytest.mark.parametrize("url", MALFORMED)
def test_a_url_that_is_not_plainly_http_is_refused(url: str) -> None:
    with pytest.raises(RequestRefused):
        outgoing_url(url, NOTHING)


@pytest.mark.parametrize("host", PUBLIC)
def test_a_public_address_passes(host: str) -> None:
    assert str(outgoing_url(f"http://{host}/feed", NOTHING)).endswith("/feed")


@pytest.mark.parametrize(
    ("given_url", "requested"),
    [
        ("http://News.Example/Feed?a=1&b=ü#part", "http://news.example/Feed?a=1&b=%C3%BC"),
        ("HTTPS://bücher.example:8443", "https://xn--bcher-kva.example:8443"),
        ("https://news_1.example./feed", "https://news_1.example./feed"),
        ("http://news.example/?@10.0.0.1/", "http://news.example/?@10.0.0.1/"),
    ],
)
def test_a_usual_url_is_requested_as_it_is_without_its_fragment(given_url: str, requested: str) -> None:
    assert str(outgoing_url(given_url, NOTHING)) == requested


def test_a_redirect_is_resolved_against_the_page_that_sends_it() -> None:
    base = URL("https://news.example/a/feed")
    assert str(outgoing_url("../b?x=1", NOTHING, base)) == "https://news.example/b?x=1"
    assert str(outgoing_url("//other.example/c", NOTHING, base)) == "https://other.example/c"
    assert str(outgoing_url("http://third.example", NOTHING, base)) == "http://third.example"


@pytest.mark.parametrize("text", [*PRIVATE_V4, *PRIVATE_V6])
def test_no_private_address_counts_as_public(text: str) -> None:
    assert not_public(ip_address(text))


@given(st.ip_addresses(v=4) | st.ip_addresses(v=6))
def test_whatever_python_knows_to_be_special_is_not_public(address: IPv4Address | IPv6Address) -> None:
    carries_another = isinstance(address, IPv6Address) and str(address).startswith(("::ffff:", "64:ff9b::"))
    if not carries_another and (not address.is_global or address.is_multicast or address.is_reserved):
        assert not_public(address)


@given(st.text(max_size=60), st.sampled_from(["", "http://", "https://", "http://news.example/", "//", "http://["]))
def test_any_text_is_either_refused_or_a_url_with_a_host(text: str, start: str) -> None:
    try:
        url = outgoing_url(start + text, NOTHING)
    except RequestRefused:
        return
    assert url.scheme in {"http", "https"}
    assert url.host
    assert url.user is None


def test_the_reason_names_the_host_the_address_and_the_next_move() -> None:
    with pytest.raises(RequestRefused) as caught:
        check_address("intranet.example", ip_address("10.0.0.1"), 80, NOTHING)
    assert str(caught.value) == (
        "intranet.example resolves to 10.0.0.1, a private address; allow it with allow_addresses if it is yours"
    )
    with pytest.raises(RequestRefused, match=r"^169\.254\.169\.254 is a link-local address; allow"):
        outgoing_url("http://169.254.169.254/latest", NOTHING)


@pytest.mark.parametrize(
    "url",
    [
        "http://user:canary@news.example/?token=canary",
        "ftp://news.example/?token=canary",
        "http://127.0.0.1/canary?key=canary",
        "http://news.example:99999/?key=canary",
        "http://news.example/canary \\",
        "http://canary:canary@[::1/",
    ],
)
def test_no_secret_of_the_url_gets_into_the_reason(url: str) -> None:
    with pytest.raises(RequestRefused) as caught:
        outgoing_url(url, NOTHING)
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize(
    ("entry", "url"),
    [
        ("127.0.0.1:8901", "http://127.0.0.1:8901/"),
        ("127.0.0.1:8901", "http://[::ffff:127.0.0.1]:8901/"),
        ("127.0.0.1", "http://127.0.0.1:1234/"),
        ("10.1.0.0/16", "http://10.1.255.1/"),
        ("10.1.0.0/16:443", "https://10.1.0.1/"),
        ("[::1]:8901", "http://[::1]:8901/"),
        ("::1", "http://[::1]/"),
        ("fd00::/8", "https://[fd12::1]:9/"),
        ("[fd00::/8]:8080", "http://[fd12::1]:8080/"),
    ],
)
def test_a_permitted_private_address_passes(entry: str, url: str) -> None:
    assert outgoing_url(url, Allowed([entry]))


@pytest.mark.parametrize(
    ("entry", "url"),
    [
        ("127.0.0.1:8901", "http://127.0.0.1:8902/"),
        ("127.0.0.1:8901", "http://127.0.0.2:8901/"),
        ("10.1.0.0/16", "http://10.2.0.1/"),
        ("[::1]:8901", "http://[::1]/"),
        ("localhost", "http://127.0.0.1/"),
    ],
)
def test_a_permit_goes_no_further_than_it_says(entry: str, url: str) -> None:
    with pytest.raises(RequestRefused):
        outgoing_url(url, Allowed([entry]))


def test_a_permitted_name_may_resolve_to_a_private_address_and_others_may_not() -> None:
    allowed = Allowed(["Intranet.example:8080"])
    address = ip_address("10.0.0.1")
    check_address("intranet.example", address, 8080, allowed)
    check_address("intranet.example.", address, 8080, allowed)
    for host, port in [("intranet.example", 80), ("other.example", 8080), ("10.0.0.1", 8080)]:
        with pytest.raises(RequestRefused):
            check_address(host, address, port, allowed)


@pytest.mark.parametrize(
    "entry",
    [
        *("", "10.0.0.1/8", "10.0.0.0/40", "127.0.0.1:", "127.0.0.1:0", "127.0.0.1:65536", "127.0.0.1:" + "9" * 5000),
        *("127.1", "[::1", "[::1]8901", "fd00::/200", "a b", "http://127.0.0.1/", "intranet.example/8", "*", "a:b"),
    ],
)
def test_a_permit_that_cannot_be_read_is_a_usage_error_that_shows_how(entry: str) -> None:
    with pytest.raises(UsageError, match=r"^allow_addresses: .*Write a host, host:port"):
        Allowed([entry])
