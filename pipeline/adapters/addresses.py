"""Which addresses Wirewatch may open: public ones, and the private ones that a person has permitted.

Feeds, redirects and webhooks name the hosts, so the names are hostile: an address may point at this machine, at the
local network or at a cloud's metadata service. Everything here is a function of values; ``adapters.http`` calls it for
every URL it is given and again for every address it is about to connect to.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from msgspec import Struct
from yarl import URL

from pipeline.errors import RequestRefused, UsageError

IPAddress = IPv4Address | IPv6Address
IPNetwork = IPv4Network | IPv6Network

LONGEST_URL = 8000  # servers refuse request lines past 8 kB (RFC 9110 section 4.1 asks for at least 8,000 octets)

_FORBIDDEN_CHARACTERS = re.compile(r"[\s\\\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_HOST_NAME = re.compile(
    r"(?=.{1,253}\.?\Z)[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*\.?"
)
_ENDS_IN_A_NUMBER = re.compile(r"(.*\.)?([0-9]+|0x[0-9a-f]*)\.*")  # WHATWG URL, "ends in a number checker"

# IANA special-purpose address registries (RFC 6890 and what followed). The AS112 and AMT blocks in them are public.
_NOT_PUBLIC_V4: tuple[tuple[IPv4Network, str], ...] = tuple(
    (IPv4Network(network), kind)
    for network, kind in (
        ("0.0.0.0/8", "an address of this machine"),
        ("10.0.0.0/8", "a private address"),
        ("100.64.0.0/10", "a carrier's shared address"),
        ("127.0.0.0/8", "an address of this machine"),
        ("169.254.0.0/16", "a link-local address"),
        ("172.16.0.0/12", "a private address"),
        ("192.0.0.0/24", "a reserved address"),
        ("192.0.2.0/24", "a documentation address"),
        ("192.88.99.0/24", "a 6to4 relay address"),
        ("192.168.0.0/16", "a private address"),
        ("198.18.0.0/15", "a benchmarking address"),
        ("198.51.100.0/24", "a documentation address"),
        ("203.0.113.0/24", "a documentation address"),
        ("224.0.0.0/4", "a multicast address"),
        ("255.255.255.255/32", "the broadcast address"),
        ("240.0.0.0/4", "a reserved address"),
    )
)
_NOT_PUBLIC_V6: tuple[tuple[IPv6Network, str], ...] = tuple(
    (IPv6Network(network), kind)
    for network, kind in (
        ("::/128", "an address of this machine"),
        ("::1/128", "an address of this machine"),
        ("fc00::/7", "a private address"),
        ("fe80::/10", "a link-local address"),
        ("ff00::/8", "a multicast address"),
        ("2001::/23", "a reserved address"),  # Teredo, ORCHID, benchmarking
        ("2001:db8::/32", "a documentation address"),
        ("3fff::/20", "a documentation address"),
        ("2002::/16", "a 6to4 address"),  # carries any IPv4 address inside; deprecated by RFC 7526
    )
)
_GLOBAL_UNICAST = IPv6Network("2000::/3")  # all that IANA has given out; whatever lies outside is not the public net
_NAT64 = IPv6Network("64:ff9b::/96")  # RFC 6052: behind DNS64 every public name resolves to one of these


class Permit(Struct, frozen=True):
    """One permitted exception: a name or a network, on one port or on all."""

    host: str = ""
    network: IPNetwork | None = None
    port: int | None = None


class Allowed:
    """The private addresses that a person has permitted, from the setting ``allow_addresses``."""

    def __init__(self, entries: Sequence[str] = ()) -> None:
        """Read entries like ``intranet.example``, ``127.0.0.1:8901``, ``10.1.0.0/16``, ``[fd00::/8]:8080``.

        Raises:
            UsageError: an entry is none of these.
        """
        self._permits = tuple(_read_permit(entry) for entry in entries)

    def permits(self, host: str, address: IPAddress, port: int) -> bool:
        """Return whether ``address``, reached under the name ``host``, is permitted on ``port``."""
        return any(
            (permit.host == host.rstrip(".") if permit.network is None else address in permit.network)
            and permit.port in (None, port)
            for permit in self._permits
        )


def outgoing_url(text: str, allowed: Allowed, base: URL | None = None) -> URL:
    """Return ``text`` as the URL to request, resolved against ``base`` (the page that redirects), without fragment.

    Nothing is looked up: names are judged when they are resolved, addresses here and again when connecting.

    Raises:
        RequestRefused: not http or https, with user name or password, malformed, or a private address. The message
            never carries more of the URL than its host, because the rest may hold secrets.
    """
    if len(text) > LONGEST_URL:
        raise RequestRefused(f"the URL is longer than {LONGEST_URL} characters")
    if found := _FORBIDDEN_CHARACTERS.search(text):
        raise RequestRefused(f"the URL holds {_character_name(found[0])}, which no URL may")
    try:
        url = URL(text) if base is None else base.join(URL(text))
        host, port = url.raw_host or "", url.port
    except ValueError:  # its message repeats the URL
        raise RequestRefused("the URL is malformed") from None
    if url.scheme not in {"http", "https"}:
        raise RequestRefused(f"only http and https are requested, not {url.scheme[:20] or 'a URL without a scheme'}")
    if url.raw_user is not None or url.raw_password is not None:
        raise RequestRefused(f"the URL for {host} carries a user name or password; send credentials as a header")
    if not host or not port:
        raise RequestRefused("the URL names no host" if not host else f"the URL for {host} names port 0")
    address = _literal_address(host)
    if address is not None:
        check_address(host, address, port, allowed)
    return url.with_fragment(None)


def check_address(host: str, address: IPAddress, port: int, allowed: Allowed) -> None:
    """Do nothing when ``address`` is public or permitted; ``host`` is the name it was reached under, or itself.

    Raises:
        RequestRefused: it is neither.
    """
    inner = _inner_address(address)
    kind = not_public(inner)
    if not kind or allowed.permits(host, inner, port):
        return
    subject = f"{address} is" if _is_same(host, address) else f"{host} resolves to {address},"
    raise RequestRefused(f"{subject} {kind}; allow it with allow_addresses if it is yours")


def not_public(address: IPAddress) -> str:
    """Return what kind of address this is, in words, or nothing when it belongs to the public network."""
    address = _inner_address(address)
    if isinstance(address, IPv4Address):
        return next((kind for network, kind in _NOT_PUBLIC_V4 if address in network), "")
    named = next((kind for network, kind in _NOT_PUBLIC_V6 if address in network), "")
    return named or ("" if address in _GLOBAL_UNICAST else "a reserved address")


def _inner_address(address: IPAddress) -> IPAddress:
    """Return the IPv4 address that packets to ``address`` end at, where it is a mapped or a NAT64 one."""
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return address.ipv4_mapped
        if address in _NAT64:
            return IPv4Address(int(address) & 0xFFFFFFFF)
    return address


def _literal_address(host: str) -> IPAddress | None:
    """Return the address that ``host`` spells, or None for a name.

    Raises:
        RequestRefused: ``127.1``, ``0x7f.1``, ``2130706433`` and the like, which only the C library reads as an
            address; or what is neither a name nor an address.
    """
    if ":" in host or _ENDS_IN_A_NUMBER.fullmatch(host):
        try:
            address = ip_address(host)
        except ValueError:
            raise RequestRefused(f"{host[:80]} is not an address in its usual form") from None
        if isinstance(address, IPv6Address) and address.scope_id is not None:
            raise RequestRefused(f"{host[:80]} names a network interface")
        return address
    if not _HOST_NAME.fullmatch(host):
        raise RequestRefused(f"{host[:80]!r} is not a host name")
    return None


def _is_same(host: str, address: IPAddress) -> bool:
    try:
        return ip_address(host) == address
    except ValueError:
        return False


def _character_name(character: str) -> str:
    if character == "\\":
        return "a backslash"
    return "white space" if character.isspace() else f"the control character U+{ord(character):04X}"


def _read_permit(entry: str) -> Permit:
    host, port = _split_port(entry.strip())
    try:
        return Permit(network=ip_network(host), port=port)
    except ValueError as error:
        if "/" in host or ":" in host or _ENDS_IN_A_NUMBER.fullmatch(host) or not _HOST_NAME.fullmatch(host.lower()):
            raise _bad_permit(entry, str(error)) from error
    return Permit(host=host.lower().rstrip("."), port=port)


def _split_port(entry: str) -> tuple[str, int | None]:
    if entry.startswith("["):
        host, bracket, rest = entry[1:].partition("]")
        if not bracket or (rest and not rest.startswith(":")):
            raise _bad_permit(entry, "the brackets do not match")
        port = rest[1:] if rest else None
    elif entry.count(":") == 1:
        host, _, port = entry.partition(":")
    else:
        host, port = entry, None
    if port is None:
        return host, None
    if not re.fullmatch(r"[0-9]{1,5}", port) or not 0 < int(port) < 65536:
        raise _bad_permit(entry, f"{port!r} is not a port")
    return host, int(port)


def _bad_permit(entry: str, reason: str) -> UsageError:
    return UsageError(
        f"allow_addresses: {entry!r} cannot be read ({reason}). "
        "Write a host, host:port, network or network:port, as in 127.0.0.1:8901, 10.1.0.0/16 or [fd00::/8]:8080"
    )
