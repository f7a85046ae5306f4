"""How things are told apart: the canonical form of a link, and the hashes that serve as ids.

An id is made by rules alone, without the network, and never from a date: dates in feeds are edited, re-stamped and
wrong, so neither an id nor the question "is this new" may hang on one.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from hashlib import blake2b
from urllib.parse import SplitResult, urlsplit

import idna

from pipeline.errors import DropArticle
from pipeline.outcomes import DropReason
from pipeline.text.characters import well_formed
from pipeline.text.limits import MAX_LINK_CHARACTERS
from pipeline.tracking import is_tracking, was_tracking
from pipeline.variants import is_amp, main_host, main_path, viewed

MAX_HOST_CHARACTERS = 253
"""RFC 1035 section 2.3.4, without the length bytes."""
MAX_VARIANTS = 8
"""A viewer of a cache of a mobile host is four; a link of 4,096 characters could be two hundred, at 20 ms."""

_HTTP = re.compile(r"(https?:[/\\]{2}[^?#]*)(.*)", re.IGNORECASE | re.DOTALL)
_DEFAULT_PORT = re.compile(r":(?:80|443)$")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_ESCAPE = re.compile(r"%([0-9A-Fa-f]{2})|%|[^!#$&'()*+,\-./0-9:;=?@A-Z\[\]_a-z~]")
_UNRESERVED = re.compile(r"[A-Za-z0-9\-._~]")
_NAMES = r"[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?)*"
_HOST = re.compile(rf"{_NAMES}|\[[0-9a-f:.]+\]")
_PLAIN = re.compile(rf"(https?)://({_NAMES})((?:/(?!\.)[A-Za-z0-9._~-]*+)*+)")
"""A link in which there is nothing to change: most are, and each is looked at several times on its way."""
_MAIN = re.compile(
    rf"https?://(?!m\.|mobile\.|amp\.)({_NAMES})(?<!ampproject\.org)"
    r"((?:/(?!\.|amp)[A-Za-z0-9._~-]*+)*+)(?<!\.amp\.html)"
)
"""A plain link that cannot be a variant either (see ``pipeline.variants``)."""


def article_id(*, link: str, feed_url: str, guid: str, content: str) -> str:
    """Return the id of an article: 128 bits in hexadecimal, of the first of link, guid within its feed, and content.

    Raises:
        DropArticle: there is nothing to know it by (``NO_IDENTITY``).
    """
    return _first_of(canonical_link(link), feed_url, guid, content)


def entry_key(guid: str, link: str, content: str) -> str:
    """Return an entry's identity within its feed; the empty string when it has none.

    The link goes first, as it does for the id: of feeds that make up a new guid at every fetch there are many, and
    feeds that show one guid with two links mean two articles. It goes in its plain form, not in the canonical one:
    keys are kept for as long as a feed shows the entry, and a rule that is added to the canonical form would make all
    it changes new, and news, once more.
    """
    try:
        return _first_of(plain_link(link), "", guid, content)
    except DropArticle:
        return ""


def _first_of(link: str, feed_url: str, guid: str, content: str) -> str:
    if link:
        return _digest("link", link)
    if guid := guid.strip():
        return _digest("guid", plain_link(feed_url) or feed_url, guid)
    if content.strip():
        return _digest("content", content)
    raise DropArticle(DropReason.NO_IDENTITY, "no link, no guid and no text")


def feed_id(url: str) -> str:
    """Return the id of a feed: 12 hexadecimal digits of its address's plain form (http and https are one)."""
    return _digest("feed", plain_link(url) or url.strip(), size=6)


def content_hash(*texts: str) -> str:
    """Return a 128-bit hash of texts, told apart by their places; equal only when all are equal."""
    return _digest("content", *texts)


def canonical_link(url: str) -> str:
    """Return the form of a link under which its article is known; the empty string for what is no http(s) link.

    The plain form, without any parameter that only tracks, and of AMP and mobile variants the address that they are
    variants of (``pipeline.variants`` says which rules are safe). Never raises; the form of a canonical form is itself.
    """
    main = _MAIN.fullmatch(url)
    if main and len(url) <= MAX_LINK_CHARACTERS and len(main[1]) <= MAX_HOST_CHARACTERS:
        return f"https://{main[1]}{main[2] or '/'}"
    found = _normal(url)
    if found is None:
        return ""
    host, path, pieces = _unfolded(*found)
    return _joined(host, path, [one for one in pieces if not (is_tracking(one) or is_amp(one))])


def _unfolded(host: str, path: str, pieces: list[str]) -> tuple[str, str, list[str]]:
    """Return the parts of the address that this one is a variant of, in the end; its own where there is no end."""
    given = host, path, pieces
    for _ in range(MAX_VARIANTS):
        if (inner := viewed(host, path)) and (shown := _normal(_joined(inner, "", pieces))):
            host, path, pieces = shown
        elif (folded := (main_host(host), main_path(path))) != (host, path):
            host, path = folded
        else:
            return host, path, pieces
    return given


def plain_link(url: str) -> str:
    """Return the normal form of a link, in which nothing is folded: for feeds, and for keys that must never change.

    RFC 3986 section 6.2.2 and 6.2.3 (case, percent-encoding, dot segments, port, empty path), IDNA for the host, and
    beyond them: no userinfo, no fragment, http counts as https, and no tracking parameters of a list that stays as it
    is. It names, it is not for fetching: ``clean_link`` is. Never raises; the form of a plain form is itself.
    """
    if plain := _plain(url):
        return f"https://{plain[2]}{plain[3] or '/'}"
    split = _normal(url)
    return _joined(split[0], split[1], [one for one in split[2] if not was_tracking(one)]) if split else ""


def _normal(url: str) -> tuple[str, str, list[str]] | None:
    """Return host, path and pieces of the query in their normal form, or None for what is no http(s) link."""
    parts = _split(url)
    if parts is None:
        return None
    path = _remove_dot_segments(_normalise_escapes(parts.path))
    pieces = [piece for piece in _normalise_escapes(parts.query).split("&") if piece]
    # Both default ports go whatever the scheme, since the scheme itself is dropped from the comparison.
    return _DEFAULT_PORT.sub("", parts.netloc), path or "/", pieces


def _joined(host: str, path: str, pieces: Sequence[str]) -> str:
    return f"https://{host}{path}" + ("?" + "&".join(pieces) if pieces else "")


def clean_link(url: str) -> str:
    """Return a link that is safe to show and to request, or the empty string when there is none.

    Only http and https; userinfo dropped, host in lower case and punycode, characters that no URL may hold escaped,
    backslashes read as slashes (as browsers do). Path, query and fragment stay as they were.
    """
    if plain := _plain(url):
        return f"{plain[1]}://{plain[2]}{plain[3] or '/'}"
    parts = _split(url)
    if parts is None:
        return ""
    host = parts.netloc.removesuffix(":443" if parts.scheme == "https" else ":80")
    path, query, fragment = (_escape_illegal(part) for part in (parts.path, parts.query, parts.fragment))
    return f"{parts.scheme}://{host}{path or '/'}{'?' if query else ''}{query}{'#' if fragment else ''}{fragment}"


def link_host(url: str) -> str:
    """Return the host of a link, without a leading ``www.`` and without port; empty when it is no link."""
    parts = _split(url)
    return re.sub(r":\d+$", "", parts.netloc).removeprefix("www.") if parts else ""


def _plain(url: str) -> re.Match[str] | None:
    found = _PLAIN.fullmatch(url) if len(url) <= MAX_LINK_CHARACTERS else None
    return found if found and len(found[2]) <= MAX_HOST_CHARACTERS else None


def _split(url: str) -> SplitResult | None:
    """Return the parts of an http(s) link with ``netloc`` reduced to host and port, or None."""
    url = well_formed(url.strip())
    # Checked before urlsplit, which silently removes tabs and line ends: "java\nscript:" must not pass as a name.
    found = _HTTP.fullmatch(url)
    if found is None or len(url) > MAX_LINK_CHARACTERS or _CONTROL.search(url):
        return None
    try:
        parts = urlsplit(found[1].replace("\\", "/") + found[2])
        host, port = _ascii_host(parts.hostname or ""), parts.port
    except ValueError:  # brackets that do not match, a port out of range, a name that IDNA forbids
        return None
    if not host:
        return None
    return parts._replace(netloc=host if port is None else f"{host}:{port}")


def _ascii_host(host: str) -> str:
    """Return a host (in lower case, as urlsplit gives it) in ASCII, as browsers do: UTS 46; empty when malformed."""
    if ":" in host:
        host = f"[{host}]"
    elif not host.isascii():
        host = idna.encode(host, uts46=True, transitional=False).decode("ascii")  # IDNAError is a ValueError
    host = host.rstrip(".")
    return host if len(host) <= MAX_HOST_CHARACTERS and _HOST.fullmatch(host) else ""


def _normalise_escapes(part: str) -> str:
    """RFC 3986 6.2.2.1 and 6.2.2.2: escapes in upper case, none for unreserved characters, illegal ones escaped."""

    def replace(found: re.Match[str]) -> str:
        if digits := found[1]:
            character = chr(int(digits, 16))
            return character if _UNRESERVED.fullmatch(character) else f"%{digits.upper()}"
        return _escaped(found[0])

    return _ESCAPE.sub(replace, part)


def _escape_illegal(part: str) -> str:
    return _ESCAPE.sub(lambda found: found[0] if found[1] else _escaped(found[0]), part)


def _escaped(character: str) -> str:
    return "".join(f"%{byte:02X}" for byte in character.encode("utf-8"))


def _remove_dot_segments(path: str) -> str:
    """RFC 3986 section 5.2.4, for a path that is empty or starts with a slash."""
    if "/." not in path:
        return path
    kept: list[str] = []
    segments = path.split("/")[1:]
    for segment in segments:
        if segment == "..":
            del kept[-1:]
        elif segment != ".":
            kept.append(segment)
    if segments and segments[-1] in {".", ".."}:
        kept.append("")
    return "/" + "/".join(kept)


def _digest(kind: str, *texts: str, size: int = 16) -> str:
    """Hash texts so that neither their borders nor their kind can be confused: each is preceded by its length."""
    digest = blake2b(digest_size=size, person=kind.encode())
    for text in texts:
        data = well_formed(text).encode()
        digest.update(len(data).to_bytes(8, "big") + data)
    return digest.hexdigest()
