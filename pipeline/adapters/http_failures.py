"""Why there was no answer, in words for a person, from what aiohttp raises; of the URL only its host and port."""

from __future__ import annotations

import os
import re
import ssl

import aiohttp

from pipeline.errors import RequestFailed
from pipeline.outcomes import Trouble

_CONTROLS = re.compile(r"[\x00-\x1f\x7f]")


def failure_of(error: aiohttp.ClientError | OSError, place: str) -> RequestFailed:
    """Return the failure to raise when ``error`` ended a request to ``place`` (``host:port``).

    Whatever broke an answer that had begun reaches the reader of its body as a ``ClientPayloadError``.
    """
    trouble, cause = _judged(error, place)
    return RequestFailed(cause, trouble)


def _judged(error: aiohttp.ClientError | OSError, place: str) -> tuple[Trouble, str]:  # noqa: PLR0911 - one a cause
    match error:
        case aiohttp.ClientConnectorCertificateError():
            reason = getattr(error.certificate_error, "verify_message", "") or str(error.certificate_error)
            return Trouble.TLS, f"TLS: the certificate of {place} is not valid: {_tame(reason)}"
        case aiohttp.ClientSSLError():
            return Trouble.TLS, f"TLS: no secure connection to {place}: {_reason(error.os_error)}"
        case aiohttp.ClientProxyConnectionError():
            return Trouble.NO_ANSWER, f"no connection to the proxy for {place}: {_reason(error.os_error)}"
        case aiohttp.ClientHttpProxyError():
            return Trouble.NO_ANSWER, f"the proxy does not connect to {place}: HTTP {error.status}"
        case aiohttp.ClientConnectorError(os_error=ConnectionRefusedError()):
            return Trouble.NO_ANSWER, f"connection refused by {place}"
        case aiohttp.ClientConnectorError():
            return Trouble.NO_ANSWER, f"no connection to {place}: {_reason(error.os_error)}"
        case aiohttp.ServerDisconnectedError():
            return Trouble.NO_ANSWER, f"{place} closed the connection without an answer"
        case aiohttp.ClientPayloadError():
            return Trouble.BROKEN, f"{place} broke off its answer"
        case aiohttp.ClientResponseError():
            return Trouble.BROKEN, f"{place} sent a broken answer: {_tame(error.message)}"
        case ssl.SSLError():
            return Trouble.TLS, f"TLS: the connection to {place} broke: {_reason(error)}"
        case OSError():
            return Trouble.NO_ANSWER, f"the connection to {place} broke: {_reason(error)}"
        case _:
            return Trouble.NO_ANSWER, f"no answer from {place}: {type(error).__name__}"


def _reason(error: OSError) -> str:
    if isinstance(error, ssl.SSLError):
        return _tame((error.reason or "handshake failed").replace("_", " ").lower())
    return os.strerror(error.errno).lower() if error.errno else _tame(str(error)) or "it was closed"


def _tame(text: str) -> str:
    """Return what a server caused a library to say, on one line and short."""
    return " ".join(_CONTROLS.sub(" ", text).split())[:160]
