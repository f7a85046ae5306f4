"""The URL of a Kafka cluster, and what kafka-python is told of it."""

from __future__ import annotations

import re
from typing import Any, Final
from urllib.parse import parse_qs, unquote, urlsplit

from kafka import TopicPartition as KafkaPlace
from msgspec import Struct

from pipeline.adapters.kafka_broker.sockets import PROXY_URL
from pipeline.errors import UsageError
from pipeline.ports import TopicPartition

MECHANISMS: Final = ("SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN")
OPTIONS: Final = ("tls", "ca", "cert", "key", "mechanism", "replication", "prefix")
_PREFIX: Final = re.compile(r"[A-Za-z0-9._-]{0,80}")


class KafkaLocation(Struct, frozen=True, kw_only=True):
    """Where the cluster is and how it is spoken to."""

    servers: tuple[str, ...]
    user: str = ""
    password: str = ""
    mechanism: str = MECHANISMS[0]
    tls: bool = False
    ca_file: str = ""
    cert_file: str = ""
    key_file: str = ""
    replication: int = -1
    """Copies of each partition of a new topic; -1 is the cluster's default."""
    prefix: str = ""
    """Before the names of topics and groups, so that several Wirewatches can share one cluster."""

    def __repr__(self) -> str:
        """Name the servers alone: the rest may be secret."""
        return f"KafkaLocation({','.join(self.servers)})"

    def topic(self, name: str) -> str:
        """Return the name that a topic of ours has on the cluster."""
        return self.prefix + name

    def group(self, name: str) -> str:
        """Return the name that a group of ours has on the cluster."""
        return self.prefix + name

    def place(self, place: TopicPartition) -> KafkaPlace:
        """Return a partition of ours as kafka-python names it."""
        return KafkaPlace(self.prefix + place.topic, place.partition)

    def ours(self, place: Any) -> TopicPartition:
        """Return a partition that kafka-python names as ours."""
        return TopicPartition(place.topic[len(self.prefix) :], place.partition)

    def client_settings(self) -> dict[str, Any]:
        """Return the settings that every client of kafka-python shares."""
        protocol = ("SASL_" if self.user else "") + ("SSL" if self.tls else "PLAINTEXT")
        settings: dict[str, Any] = {
            "bootstrap_servers": list(self.servers), "security_protocol": protocol, "proxy_url": PROXY_URL,
        }  # fmt: skip
        if self.user:
            settings |= {
                "sasl_mechanism": self.mechanism,
                "sasl_plain_username": self.user,
                "sasl_plain_password": self.password,
            }
        if self.tls:
            files = {"ssl_cafile": self.ca_file, "ssl_certfile": self.cert_file, "ssl_keyfile": self.key_file}
            settings |= {name: path for name, path in files.items() if path}
        return settings


def parse_location(url: str) -> KafkaLocation:
    """Read ``kafka://[user:password@]host:port[,host:port…][?option=value&…]``.

    Options: ``tls`` (yes or no), ``ca``, ``cert`` and ``key`` (PEM files; any of them means TLS), ``mechanism``
    (SCRAM-SHA-512, SCRAM-SHA-256 or PLAIN), ``replication`` (copies of new topics), ``prefix`` (before the names of
    topics and groups). User and password are
    percent-encoded. PLAIN shows the password to the network, so without TLS it must be asked for by ``tls=no``.

    Raises:
        UsageError: it cannot be read; the message never shows the password.
    """
    try:
        parts = urlsplit(url)
        options = {name: values[-1] for name, values in parse_qs(parts.query, strict_parsing=bool(parts.query)).items()}
    except ValueError:
        raise UsageError("The broker's URL cannot be read; write it as kafka://host:9092.") from None
    if unknown := sorted(options.keys() - set(OPTIONS)):
        raise UsageError(f"The broker's URL has an unknown option “{unknown[0]}”; known: {', '.join(OPTIONS)}.")
    if parts.path.strip("/") or parts.fragment:
        raise UsageError("The broker's URL ends after its hosts and options; write it as kafka://host:9092.")
    login, _, hosts = parts.netloc.rpartition("@")
    user, _, password = (unquote(part) for part in login.partition(":"))
    location = KafkaLocation(
        servers=tuple(_server(host) for host in hosts.split(",")),
        user=user, password=password,
        mechanism=options.get("mechanism", MECHANISMS[0]).upper(), tls=_is_tls(options),
        ca_file=options.get("ca", ""), cert_file=options.get("cert", ""), key_file=options.get("key", ""),
        replication=_replication(options.get("replication", "-1")), prefix=_prefix(options.get("prefix", "")),
    )  # fmt: skip
    _check_login(location, options)
    return location


def _server(text: str) -> str:
    host, colon, port = text.rpartition(":")
    if not colon or text.endswith("]"):
        host, port = text, "9092"
    if not host or not port.isascii() or not port.isdigit() or not 0 < int(port) < 65536:
        raise UsageError("The broker's URL names no host and port; write it as kafka://host:9092[,host:9092].")
    return f"{host}:{int(port)}"


def _is_tls(options: dict[str, str]) -> bool:
    given = options.get("tls", "yes" if options.keys() & {"ca", "cert", "key"} else "no").lower()
    if given not in {"yes", "no"}:
        raise UsageError("In the broker's URL tls is yes or no.")
    return given == "yes"


def _replication(text: str) -> int:
    if text == "-1" or (text.isascii() and text.isdigit() and 1 <= int(text) <= 9):
        return int(text)
    raise UsageError("In the broker's URL replication is a number from 1 to 9.")


def _prefix(text: str) -> str:
    if _PREFIX.fullmatch(text):
        return text
    raise UsageError("In the broker's URL prefix has at most 80 ASCII letters, digits, dots, underscores and hyphens.")


def _check_login(location: KafkaLocation, options: dict[str, str]) -> None:
    if location.mechanism not in MECHANISMS:
        raise UsageError(f"In the broker's URL mechanism is one of {', '.join(MECHANISMS)}.")
    if bool(location.user) != bool(location.password):
        raise UsageError("The broker's URL needs both a user and a password, or neither.")
    if location.user and location.mechanism == "PLAIN" and not location.tls and options.get("tls") != "no":
        raise UsageError(
            "mechanism=PLAIN would show the password to the network: add tls=yes to the broker's URL, "
            "or tls=no if that is meant."
        )
