from __future__ import annotations

import base64
import traceback
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rich.pretty import pretty_repr

from pipeline.access import Access, Proxy, is_open_to_others, read_access, read_proxy, secrets_in
from pipeline.errors import UsageError
from pipeline.redaction import Redactor

WHOLE = """
[agency]
hosts = ["Feeds.Agency.example", "bücher.example"]
user = "desk"
password = "canary-one"
headers = { "X-Client" = "canary-two", "Accept-Language" = "en" }
proxy = "http://me:canary-three@proxy.example:3128"
"""


def access_file(folder: Path, text: str) -> Path:
    path = folder / "access.toml"
    path.write_text(text, "utf-8")
    return path


def test_an_entry_is_read_by_its_name(tmp_path: Path) -> None:
    entry = read_access(access_file(tmp_path, WHOLE))["agency"]
    assert entry.hosts == ("feeds.agency.example", "xn--bcher-kva.example")
    assert (entry.user, entry.password) == ("desk", "canary-one")
    assert entry.proxy == Proxy("proxy.example", 3128, "me", "canary-three")
    assert entry.to_send() == {
        "x-client": "canary-two",
        "accept-language": "en",
        "authorization": "Basic " + base64.b64encode(b"desk:canary-one").decode(),
    }


def test_no_file_is_no_entry(tmp_path: Path) -> None:
    assert read_access(tmp_path / "access.toml") == {}
    assert secrets_in(tmp_path / "access.toml") == frozenset()


def test_secrets_may_lie_in_files_of_their_own(tmp_path: Path) -> None:
    for name in ("password", "key", "proxy"):
        (tmp_path / name).write_text(f"secret-{name}\n" if name != "proxy" else "http://u:secret-p@proxy.example:1\n")
    entry = read_access(access_file(tmp_path, f"""
[a]
hosts = ["h.example"]
user = "u"
password_file = "password"
headers_file = {{ "X-Key" = "{tmp_path}/key" }}
proxy_file = "proxy"
"""))["a"]  # fmt: skip
    assert (entry.password, entry.headers) == ("secret-password", {"x-key": "secret-key"})
    assert entry.proxy == Proxy("proxy.example", 1, "u", "secret-p")


def test_nothing_that_shows_an_entry_shows_a_secret(tmp_path: Path) -> None:
    path = access_file(tmp_path, WHOLE)
    entry = read_access(path)["agency"]
    assert "canary" not in f"{entry!r} {entry} {pretty_repr(entry)} {entry.proxy!r} {pretty_repr(entry.proxy)}"
    assert repr(entry) == (
        "Access(hosts=['feeds.agency.example', 'xn--bcher-kva.example'], with=['user', 'password', 'headers', 'proxy'])"
    )
    redacted = Redactor(secrets_in(path))(
        f"{entry.to_send()} {entry.password} http://me:canary-three@proxy.example:3128"
    )
    assert "canary" not in redacted
    assert base64.b64encode(b"desk:canary-one").decode() not in redacted
    assert "en" in redacted  # what everybody may know is not blotted out of every line


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[a]\nhosts = ["h"]\nuser = "u"\npasword = "canary"', r"\[a\] Object contains unknown field `pasword`"),
        ('[a]\nhosts = ["h"]\nuser = "u"\npassword = 7', r"\[a\] Expected `str`, got `int` - at `\$.password`"),
        ('[a]\nhosts = "canary"', r"\[a\] Expected `array`, got `str` - at `\$.hosts`"),
        ('a = "canary"', r"\[a\] Expected `object`, got `str`"),
        ("[a]", r"\[a\] says nothing"),
        ('[a]\nuser = "canary"\npassword = "canary"', r"\[a\] hosts: name the hosts"),
        ('[a]\nheaders = {"X-Key" = "canary"}', r"\[a\] hosts: name the hosts"),
        ('[a]\nhosts = ["http://canary/"]\nuser = "u"', r"\[a\] hosts: an entry is a host's name alone"),
        ('[a]\nhosts = ["canary:80"]\nuser = "u"', r"\[a\] hosts: an entry"),
        ('[a]\nhosts = [""]\nuser = "u"', r"\[a\] hosts: an entry"),
        ('[a]\nhosts = ["h"]\npassword = "canary"', r"\[a\] password: needs a user"),
        ('[a]\nhosts = ["h"]\nuser = "canary:x"', r"\[a\] user: must be without colons"),
        ('[a]\nhosts = ["h"]\nuser = "u"\npassword = "canary\\n"', r"\[a\] password: must be without control"),
        ('[a]\nhosts = ["h"]\nuser = "u"\nheaders = {"Authorization" = "canary"}', r"user: the header Authorization"),
        ('[a]\nhosts = ["h"]\nuser = "u"\npassword = "canary"\npassword_file = "x"', r"\[a\] password: is given twice"),
        ('[a]\nhosts = ["h"]\nuser = "u"\npassword_file = "none"', r"password_file: the file cannot be read"),
        ('[a]\nhosts = ["h"]\nheaders = {"Host" = "canary"}', r"\[a\] headers.Host: Wirewatch sets this header itself"),
        ('[a]\nhosts = ["h"]\nheaders = {"Content-Length" = "9"}', r"headers.Content-Length: Wirewatch sets"),
        ('[a]\nhosts = ["h"]\nheaders = {"transfer-encoding" = "canary"}', r"transfer-encoding: Wirewatch sets"),
        ('[a]\nhosts = ["h"]\nheaders = {"X-A" = "canary\\r\\nX-B: 1"}', r"headers.X-A: must be printable ASCII"),
        ('[a]\nhosts = ["h"]\nheaders = {"X-A" = ""}', r"headers.X-A: must be printable ASCII"),
        ('[a]\nhosts = ["h"]\nheaders = {"X-A" = "ü"}', r"headers.X-A: must be printable ASCII"),
        ('[a]\nhosts = ["h"]\nheaders = {"X A" = "canary"}', r"headers: a name is made of"),
        ('[a]\nhosts = ["h"]\nheaders = {"X-A" = "1", "x-a" = "canary"}', r"headers.x-a: is given twice"),
        ('[a]\nproxy = "socks5://u:canary@h:1"', r"\[a\] proxy: a proxy is written as http://host:port"),
        ('[a]\nproxy = "http://u:canary@h"', r"\[a\] proxy: a proxy is written as"),
        ('["a b"]\nuser = "canary"', r"\[a b\] is no name"),
        ('[a]\npassword = canary', r"access.toml is not TOML at line 2, column \d+"),
        ('[a]\npassword = "canary', r"access.toml is not TOML at "),
        ('[a]\nuser = "u"\nuser = "canary"', r"access.toml is not TOML at "),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_by_file_table_and_key_and_never_by_value(tmp_path: Path, text: str, said: str) -> None:
    path = access_file(tmp_path, text)
    with pytest.raises(UsageError, match=said) as caught:
        read_access(path)
    assert str(path) in str(caught.value)
    assert "canary" not in "".join(traceback.format_exception(caught.value))
    assert caught.value.__suppress_context__
    assert secrets_in(path) == frozenset()


def test_a_file_that_cannot_be_read_is_a_usage_error(tmp_path: Path) -> None:
    path = tmp_path / "access.toml"
    path.write_bytes(b"\xff")
    with pytest.raises(UsageError, match="not UTF-8"):
        read_access(path)
    path.unlink()
    path.mkdir()
    with pytest.raises(UsageError, match="cannot be read: Is a directory"):
        read_access(path)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=200))
def test_any_text_is_either_read_or_a_usage_error(tmp_path: Path, text: str) -> None:
    path = tmp_path / "access.toml"
    path.write_bytes(text.encode())
    try:
        entries = read_access(path)
    except UsageError:
        return
    assert all(isinstance(entry, Access) for entry in entries.values())


def test_a_file_that_others_may_read_is_known_for_it(tmp_path: Path) -> None:
    path = access_file(tmp_path, WHOLE)
    path.chmod(0o644)
    assert is_open_to_others(path)
    path.chmod(0o640)
    assert not is_open_to_others(path)
    assert not is_open_to_others(tmp_path / "none")


@pytest.mark.parametrize(
    ("text", "proxy"),
    [
        ("http://proxy.example:3128", Proxy("proxy.example", 3128)),
        ("http://proxy.example:80/", Proxy("proxy.example", 80)),
        ("http://u:p%40ss@10.0.0.1:3128", Proxy("10.0.0.1", 3128, "u", "p@ss")),
        ("http://[fd00::1]:3128", Proxy("fd00::1", 3128)),
    ],
)
def test_a_proxy_is_read(text: str, proxy: Proxy) -> None:
    assert read_proxy(text) == proxy


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "proxy.example:3128",
            "http://proxy.example",
            "https://proxy.example:1",
            "socks5://canary:1",
            "http://:1",
        ),
        *(
            "http://h:0",
            "http://h:99999",
            "http://h:1/canary",
            "http://h:1?canary",
            "http://h:1#canary",
            "http://h:1\n",
        ),
    ],
)
def test_what_is_no_proxy_is_refused_without_being_shown(text: str) -> None:
    with pytest.raises(UsageError, match="a proxy is written as") as caught:
        read_proxy(text)
    assert "canary" not in str(caught.value)


def test_to_an_address_that_a_feed_names_go_secrets_only_where_they_are_for_and_the_proxy_always() -> None:
    proxy = read_proxy("http://proxy.example:3128")
    access = Access(hosts=("feeds.example",), user="desk", password="secret", proxy=proxy)

    assert access.for_url("https://feeds.example/news.xml") is access
    assert access.for_url("https://other.example/news.xml") == Access(proxy=proxy)
    assert Access(hosts=("feeds.example",), user="desk").for_url("https://other.example/") is None
