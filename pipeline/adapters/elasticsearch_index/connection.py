"""The way to one Elasticsearch: who we are there, how long we wait, and what its failures are called here."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from typing import Any, Final, TypeVar
from urllib.parse import unquote, urlsplit, urlunsplit

from elasticsearch import ApiError, ConnectionTimeout, Elasticsearch, SerializationError, SSLError, TransportError
from elasticsearch import UnsupportedProductError as NotElasticsearch
from msgspec import Struct

from pipeline.adapters.elasticsearch_index.judge import HOLD_SECONDS, Fault, Verdict, judge, request_fault
from pipeline.errors import TryLater, UsageError, WirewatchError

T = TypeVar("T")

REQUEST_SECONDS: Final = 30.0
"""A bulk of 10 MB took under 4 s on one busy core; a server silent for this long is taken for away."""


class Access(Struct, frozen=True):
    """Who we are to the server, and how we know it; the values are secrets but for ``ca_file``."""

    api_key: str = ""
    user: str = ""
    password: str = ""
    ca_file: str = ""
    """Certificates to trust for https, in PEM; empty: those of the system."""

    def __repr__(self) -> str:
        return "Access(…)"


class Connection:
    """A client of the server at ``url``, whose own retries are off: what to send again is decided item by item.

    A user and password may stand in ``url``; they are taken out of it and never shown.

    Raises:
        UsageError: the URL names no server, both an API key and a user are given, or the CA file cannot be read.
    """

    def __init__(self, url: str, access: Access, *, request_seconds: float = REQUEST_SECONDS) -> None:
        bare, user, password = _split(url)
        user, password = access.user or user, access.password or password
        if access.api_key and user:
            raise UsageError(f"Give Elasticsearch at {bare} either an API key or a user, not both.")
        options: dict[str, Any] = {}
        if access.api_key:
            options["api_key"] = access.api_key
        elif user:
            options["basic_auth"] = (user, password)
        if access.ca_file and bare.startswith("https:"):
            options["ssl_context"] = _trusting(access.ca_file)
        self.name = bare
        try:
            self.client = Elasticsearch(
                bare, max_retries=0, retry_on_timeout=False, request_timeout=request_seconds, **options
            )
        except (ValueError, OSError) as error:
            raise UsageError(f"Elasticsearch at {bare} cannot be set up: {error}") from None

    def ask(self, call: Callable[[Elasticsearch], T]) -> T:
        """Return what ``call`` returns.

        Raises:
            ApiError: the server, or a proxy, answered with an error.
            TryLater: it did not answer, or not in JSON.
            WirewatchError: what answers is not Elasticsearch 9, or its certificate is not to be trusted.
        """
        try:
            return call(self.client)
        except NotElasticsearch:
            raise WirewatchError(
                f"What answers at {self.name} is not Elasticsearch (or a proxy removes its header "
                "X-Elastic-Product). Set WIREWATCH_INDEX to the address of an Elasticsearch 9."
            ) from None
        except SSLError as error:
            if "certificate" not in str(error).lower():
                raise TryLater(f"Elasticsearch at {self.name} broke off TLS: {_short(error)}") from None
            raise WirewatchError(
                f"The certificate of Elasticsearch at {self.name} is not trusted: {_short(error)} Name the file of its "
                "certificate authority in WIREWATCH_INDEX_CA, or check the host in WIREWATCH_INDEX."
            ) from None
        except ConnectionTimeout:
            raise TryLater(f"Elasticsearch at {self.name} did not answer in time") from None
        except SerializationError:
            raise TryLater(f"Elasticsearch at {self.name} answered with something that is not JSON") from None
        except ApiError:
            raise
        except TransportError as error:
            raise Unreachable(f"Elasticsearch at {self.name} cannot be reached: {_short(error)}") from None

    def require(self, call: Callable[[Elasticsearch], T]) -> T:
        """Return what ``call`` returns; an error it answered with becomes one of ours.

        Raises:
            TryLater: it is busy, away or blocked.
            WirewatchError: it refuses.
        """
        try:
            return self.ask(call)
        except ApiError as error:
            raise self.refusal(request_fault(error)) from None

    def refusal(self, fault: Fault) -> WirewatchError | TryLater:
        """Return the exception that says ``fault``, and what to do about it, to whoever asked."""
        verdict = judge(fault)
        if verdict is Verdict.RETRY:
            return TryLater(self.busy(fault))
        if verdict is Verdict.HOLD:
            return TryLater(f"Elasticsearch at {self.name} takes nothing until this is mended: {fault}", HOLD_SECONDS)
        if fault.type == "media_type_header_exception":
            return WirewatchError(f"Elasticsearch at {self.name} is not of release 9 or later ({fault}).")
        if fault.status in {401, 403}:
            return WirewatchError(
                f"Elasticsearch at {self.name} does not let us in ({fault}). Check WIREWATCH_INDEX_API_KEY, or the "
                "user and password in WIREWATCH_INDEX, and what that key or user is allowed to do."
            )
        return WirewatchError(f"Elasticsearch at {self.name} refused: {fault}")

    def busy(self, fault: Fault) -> str:
        """Say that the server may take this soon."""
        return f"Elasticsearch at {self.name} is busy or away: {fault}"

    def close(self) -> None:
        """Close the connections."""
        self.client.close()


class Unreachable(TryLater):
    """No connection, or it broke: unlike silence this is known at once, so a quick second attempt costs little."""


def _split(url: str) -> tuple[str, str, str]:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        host = ""
    if not host:
        # Nothing of it is shown: it may hold a password.
        raise UsageError("The index URL names no server; write it as http://host:9200 or https://host:9200.")
    host = f"[{host}]" if ":" in host else host
    port = port or (443 if parts.scheme == "https" else 9200)
    bare = urlunsplit((parts.scheme, f"{host}:{port}", parts.path.rstrip("/"), "", ""))
    return bare, unquote(parts.username or ""), unquote(parts.password or "")


def _trusting(ca_file: str) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=ca_file)
    except OSError as error:  # ssl.SSLError is one: no certificates in the file
        raise UsageError(f"WIREWATCH_INDEX_CA: {ca_file} cannot be used: {error.strerror or error}") from None


def _short(error: Exception) -> str:
    return str(error).split("\n", maxsplit=1)[0][:200]
