"""Access to feeds that are not open to everybody: credentials, headers and proxies, from access.toml.

One table for each name that a feed can refer to::

    [agency]
    hosts = ["feeds.agency.example"]    # who may be sent what follows, and nobody else
    user = "desk"
    password_file = "/run/secrets/agency"    # or password = "…"
    headers = { "X-Client" = "desk" }
    headers_file = { "X-Api-Key" = "/run/secrets/agency-key" }
    proxy = "http://proxy.example:3128"    # or proxy_file, where it holds a password

A feed names its entry (``Feed.access``); the secrets stay in this file, or in those that it names.
"""

from __future__ import annotations

import base64
import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import msgspec
from msgspec import Struct
from yarl import URL

from pipeline.errors import UsageError

FILE_NAME: Final = "access.toml"
NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")

_LARGEST_FILE = 64 * 1024
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}")  # RFC 9110 section 5.6.2
_VALUE = re.compile(r"[\x21-\x7e]([\x20-\x7e\t]*[\x21-\x7e])?")  # RFC 9110 section 5.5, without bytes beyond ASCII
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_PLACE_IN_TOML = re.compile(r"\(at ([a-z0-9 ,]+)\)")
_OURS: Final = frozenset((
    "host", "content-length", "transfer-encoding", "connection", "te", "trailer", "upgrade", "expect", "keep-alive",
    "accept-encoding", "proxy-authorization", "proxy-connection", "if-none-match", "if-modified-since", "range",
))  # fmt: skip
"""Headers that say how a message is sent; one of a person's own would break or smuggle it (RFC 9112)."""
_NO_SECRETS: Final = frozenset(("accept", "accept-language", "user-agent", "referer"))


class Proxy(Struct, frozen=True):
    """An HTTP proxy, reached without TLS; requests to https addresses go through it by CONNECT."""

    host: str
    port: int
    user: str = ""
    password: str = ""

    def secrets(self) -> Iterator[str]:
        """Yield what must never be shown."""
        if self.password:
            yield from _spelled(self.user, self.password)

    def __repr__(self) -> str:
        """Name the place alone."""
        return f"Proxy({self.host}:{self.port})"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        return [("host", self.host), ("port", self.port)]


class Access(Struct, frozen=True, kw_only=True):
    """What one entry allows to send, to whom, and which way."""

    hosts: tuple[str, ...] = ()
    """The only hosts that are sent credentials and headers: a feed may move, and lists of feeds come from strangers."""
    user: str = ""
    password: str = ""
    headers: Mapping[str, str] = {}
    proxy: Proxy | None = None

    def for_url(self, url: str) -> Access | None:
        """Return what of this goes to an address that a feed names: all for its hosts, for others the way alone."""
        if (URL(url).raw_host or "").rstrip(".") in self.hosts:
            return self
        return Access(proxy=self.proxy) if self.proxy else None

    def to_send(self) -> dict[str, str]:
        """Return the headers to send, credentials among them (RFC 7617, in UTF-8), names in lower case."""
        headers = {name.lower(): value for name, value in self.headers.items()}
        return headers | ({"authorization": basic_login(self.user, self.password)} if self.user else {})

    def secrets(self) -> Iterator[str]:
        """Yield what must never be shown, in every form in which it is sent."""
        if self.password:
            yield from _spelled(self.user, self.password)
        yield from (value for name, value in self.headers.items() if name.lower() not in _NO_SECRETS)
        yield from self.proxy.secrets() if self.proxy else ()

    def __repr__(self) -> str:
        """Say what there is, and no value of it."""
        return f"Access(hosts={list(self.hosts)}, with={self._given()})"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        return [("hosts", list(self.hosts)), ("with", self._given())]

    def _given(self) -> list[str]:
        return [name for name in ("user", "password", "headers", "proxy") if getattr(self, name)]


class _Entry(Struct, forbid_unknown_fields=True):
    """A table as it is written."""

    hosts: tuple[str, ...] = ()
    user: str = ""
    password: str = ""
    password_file: str = ""
    headers: dict[str, str] = {}
    headers_file: dict[str, str] = {}
    proxy: str = ""
    proxy_file: str = ""

    def __repr__(self) -> str:
        return "_Entry(…)"


class _Wrong(Exception):
    """What is wrong with an entry, by its key; never a value."""


def read_access(path: Path) -> Mapping[str, Access]:
    """Return the entries of ``path`` by name; none when there is no such file.

    Raises:
        UsageError: it cannot be read or used. The message names file, table and key, and never a value.
    """
    try:
        tables = tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        cause = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise UsageError(f"{path} cannot be read: {cause}.") from None
    except tomllib.TOMLDecodeError as error:  # its text may show what stands there
        place = _PLACE_IN_TOML.search(str(error))
        raise UsageError(f"{path} is not TOML{f' at {place[1]}' if place else ''}; values stand in quotes.") from None
    entries = {}
    for name, table in tables.items():
        try:
            entries[name] = _entry(name, table, path.parent)
        except _Wrong as wrong:
            raise UsageError(f"{path}: [{name[:64]}] {wrong}") from None
    return entries


def secrets_in(path: Path) -> frozenset[str]:
    """Return every secret of ``path``; none when it cannot be used, because then nothing of it is."""
    try:
        return frozenset(secret for entry in read_access(path).values() for secret in entry.secrets())
    except UsageError:
        return frozenset()


def is_open_to_others(path: Path) -> bool:
    """Whether anybody on this machine may read ``path``, and so what it holds."""
    try:
        return bool(path.stat().st_mode & 0o004)
    except OSError:
        return False


def read_proxy(text: str) -> Proxy:
    """Return the proxy at ``http://[user:password@]host:port``.

    Raises:
        UsageError: it is no such address. The message shows nothing of it.
    """
    try:
        url = URL(text)
        host, port = url.raw_host or "", url.explicit_port
    except ValueError:
        host, port, url = "", None, URL()
    is_bare = url.raw_path in {"", "/"} and not url.raw_query_string and not url.raw_fragment
    if url.scheme != "http" or not host or not port or not is_bare or _CONTROLS.search(text):
        raise UsageError("a proxy is written as http://host:port or http://user:password@host:port")
    return Proxy(host=host, port=port, user=url.user or "", password=url.password or "")


def basic_login(user: str, password: str) -> str:
    """Return the value of a header Authorization with these (RFC 7617, in UTF-8)."""
    return f"Basic {base64.b64encode(f'{user}:{password}'.encode()).decode()}"


def _entry(name: str, table: Any, folder: Path) -> Access:
    if not NAME.fullmatch(name):
        raise _Wrong("is no name: letters, digits, dots, dashes and underscores, at most 64")
    try:
        written = msgspec.convert(table, _Entry)
    except msgspec.ValidationError as error:
        raise _Wrong(str(error)) from None
    password = _one_of("password", written.password, written.password_file, folder)
    proxy = _one_of("proxy", written.proxy, written.proxy_file, folder)
    headers = _headers(written, folder)
    _check_login(written.user, password, headers)
    if (written.user or headers) and not written.hosts:
        raise _Wrong("hosts: name the hosts that may be sent this; nobody else is")
    if not written.user and not headers and not proxy:
        raise _Wrong("says nothing: give user and password, headers, or proxy")
    return Access(
        hosts=tuple(_host(host) for host in written.hosts),
        user=written.user,
        password=password,
        headers=headers,
        proxy=_proxy(proxy) if proxy else None,
    )


def _headers(written: _Entry, folder: Path) -> dict[str, str]:
    headers: dict[str, str] = {}
    for name in (*written.headers, *written.headers_file):
        key = f"headers.{name[:100]}"
        if not _TOKEN.fullmatch(name):
            raise _Wrong("headers: a name is made of letters, digits and dashes")
        if name.lower() in _OURS:
            raise _Wrong(f"{key}: Wirewatch sets this header itself")
        if name.lower() in headers:
            raise _Wrong(f"{key}: is given twice")
        in_file = written.headers_file.get(name, "") if name not in written.headers else ""
        value = _secret(f"headers_file.{name}", in_file, folder) if in_file else written.headers.get(name, "")
        if not _VALUE.fullmatch(value):
            raise _Wrong(f"{key}: must be printable ASCII on one line, and not empty")
        headers[name.lower()] = value
    return headers


def _check_login(user: str, password: str, headers: Mapping[str, str]) -> None:
    if _CONTROLS.search(user) or ":" in user:
        raise _Wrong("user: must be without colons and control characters (RFC 7617)")
    if _CONTROLS.search(password):
        raise _Wrong("password: must be without control characters (RFC 7617)")
    if password and not user:
        raise _Wrong("password: needs a user")
    if user and "authorization" in headers:
        raise _Wrong("user: the header Authorization says who asks already; give one of the two")


def _proxy(text: str) -> Proxy:
    try:
        return read_proxy(text)
    except UsageError as error:
        raise _Wrong(f"proxy: {error}") from None


def _host(text: str) -> str:
    try:
        url = URL(f"http://{text.strip()}/")
        host = url.raw_host or ""
    except ValueError:
        host, url = "", URL()
    if not host or url.explicit_port or url.raw_path != "/" or url.raw_user is not None or url.raw_query_string:
        raise _Wrong("hosts: an entry is a host's name alone, as in feeds.agency.example")
    return host.rstrip(".")


def _one_of(key: str, value: str, file: str, folder: Path) -> str:
    if value and file:
        raise _Wrong(f"{key}: is given twice, by {key} and {key}_file")
    return _secret(f"{key}_file", file, folder) if file else value


def _secret(key: str, file: str, folder: Path) -> str:
    try:
        with (folder / file).open(encoding="utf-8") as opened:
            text = opened.read(_LARGEST_FILE + 1).rstrip("\r\n")
    except (OSError, ValueError) as error:
        cause = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise _Wrong(f"{key}: the file cannot be read: {cause}") from None
    if not text or len(text) > _LARGEST_FILE:
        raise _Wrong(f"{key}: the file is {'too large' if text else 'empty'}")
    return text


def _spelled(user: str, password: str) -> Iterator[str]:
    yield password
    yield f"{user}:{password}"
    yield basic_login(user, password).removeprefix("Basic ")
