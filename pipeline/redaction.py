"""Keeping secrets out of everything that is shown: log lines, tracebacks, errors, dead letters, answers to probes.

Two nets. The values of this installation's secrets are known and are taken out wherever they stand, in every way in
which they may be written there. What belongs to others (the key in a feed's address) is not known, so logins and
parameters with a telling name are taken out of every URL.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator
from typing import Final
from urllib.parse import parse_qsl, quote, quote_plus, unquote, urlsplit

HIDDEN: Final = "[hidden]"

_LOGIN: Final = re.compile(r"(?<![\w+.-])([a-z][a-z0-9+.-]{1,20}://)[^\s/?#\"'<>]*@", re.IGNORECASE)
_TELLING: Final = re.compile(
    r"([?&;](?:[\w.-]{0,40}(?:key|token|secret|passw(?:or)?d|signature|credentials?)|auth|sig|pwd)=)[^&#;\s\"'<>\\]+",
    re.IGNORECASE,
)
_SHORTEST: Final = 4
"""Characters of a secret that is looked for: a shorter one would blank out half of every line and hide nothing."""


def hide_in_urls(text: str) -> str:
    """Return ``text`` without logins and telling parameters of the URLs in it."""
    if "://" in text:
        text = _LOGIN.sub(rf"\1{HIDDEN}@", text)
    return _TELLING.sub(rf"\1{HIDDEN}", text) if "=" in text else text


class Redactor:
    """Takes secrets out of text. Made once for an installation; a call costs microseconds."""

    def __init__(self, secrets: Collection[str] = ()) -> None:
        spellings = {form for secret in secrets if len(secret) >= _SHORTEST for form in _spellings(secret)}
        # The longest first: one secret may be a part of another.
        ordered = sorted(spellings, key=lambda form: (-len(form), form))
        self._known = re.compile("|".join(map(re.escape, ordered))) if ordered else None

    def __call__(self, text: str) -> str:
        """Return ``text`` without secrets."""
        return hide_in_urls(self._known.sub(HIDDEN, text) if self._known else text)


def secrets_in(url: str) -> Iterator[str]:
    """Yield what of a URL in a setting gives a right to whoever reads it: password, keys in path and parameters."""
    rest = url.partition("://")[2]
    login, at, _ = rest.rpartition("@")
    user, colon, password = login.partition(":")
    if at and (colon or _is_like_a_key(user)):  # a user's name alone is no secret, and may be any word
        yield login
        yield password
    try:
        parts = urlsplit(url)
        parameters = parse_qsl(parts.query)
    except ValueError:
        yield url
        return
    if not parts.scheme:
        yield url  # no URL at all, and so perhaps the secret alone
    elif parts.scheme not in {"http", "https"}:
        yield from (value for name, value in parameters if _TELLING.match(f"?{name}=x"))
    else:
        yield from (piece for piece in parts.path.split("/") if _is_like_a_key(piece))
        yield from (value for _, value in parameters if len(value) > _SHORTEST)
        yield from (piece for piece in (parts.query, parts.fragment) if len(piece) > _SHORTEST)


def _is_like_a_key(piece: str) -> bool:
    """Whether a piece of a path was made by a machine: “alerts” was not, “T0AB12CD34” and a UUID were."""
    return len(piece) >= 20 or (len(piece) >= 6 and any(c.isdigit() for c in piece) and any(c.isalpha() for c in piece))


def _spellings(secret: str) -> set[str]:
    """Return the ways in which a secret may be written: as it is, in a URL, in JSON, in a traceback."""
    plain = {secret, unquote(secret)}
    plain |= {line for form in plain for line in form.splitlines() if len(line) >= _SHORTEST}
    written = {way(form) for form in plain for way in (quote, quote_plus, _in_url)}
    escaped = {json.dumps(form)[1:-1] for form in plain} | {repr(form)[1:-1] for form in plain}
    escaped |= {json.dumps(form, ensure_ascii=False)[1:-1] for form in plain}
    return {form for form in plain | written | escaped if len(form) >= _SHORTEST}


def _in_url(text: str) -> str:
    return quote(text, safe="")
