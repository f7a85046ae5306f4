"""A body as an archive keeps it, as it came over the wire, to the bytes of the page."""

from __future__ import annotations

import importlib
from typing import Any

from pipeline import wiring
from pipeline.errors import RequestFailed, RequestRefused
from pipeline.ingest.problem import UnreadableFile

HIGHEST_RATIO = 100
"""As for answers that we fetch ourselves."""
_RATIO_COUNTS_FROM = 64 * 1024


def plain_body(body: bytes, *, transfer_encoding: str, content_encoding: str, max_bytes: int) -> bytes:
    """Return a body without chunks and unpacked.

    Raises:
        UnreadableFile: damaged, packed in a way that is not known here, or it unpacks to more than ``max_bytes`` or to
            more than 100 times its size.
    """
    if "chunked" in transfer_encoding.lower():
        body = dechunked(body)
    if content_encoding.strip().lower() == "br":
        return _without_brotli(body, max_bytes)
    try:
        return wiring.unpacked(body, content_encoding, max_bytes)
    except (RequestRefused, RequestFailed) as error:
        raise UnreadableFile(str(error)) from error


def dechunked(body: bytes) -> bytes:
    """Return a body without its chunks' heads (RFC 9112 section 7.1), as far as they can be read.

    Many crawlers take the chunks apart and keep the header, so a body that does not begin with a chunk is not chunked.
    """
    plain, at = bytearray(), 0
    while (end := body.find(b"\r\n", at, at + 100)) > 0:
        size = body[at:end].partition(b";")[0].strip()
        if not size or len(size) > 15 or size.translate(None, b"0123456789abcdefABCDEF"):
            break
        length = int(size, 16)
        if length == 0:
            return bytes(plain)
        plain += body[end + 2 : end + 2 + length]
        at = end + 2 + length + 2
    return bytes(plain) if at else body


def _without_brotli(body: bytes, max_bytes: int) -> bytes:
    """Return what Brotli packed; needs the package ``brotli``, from the release on that can be told where to stop."""
    try:
        brotli: Any = importlib.import_module("brotli")
        unpacker = brotli.Decompressor()
        allowed = min(max_bytes, max(_RATIO_COUNTS_FROM, HIGHEST_RATIO * len(body)))
        plain = bytearray(unpacker.process(body, output_buffer_limit=allowed + 1))
        while len(plain) <= allowed and not unpacker.is_finished():
            piece = unpacker.process(b"", output_buffer_limit=allowed + 1 - len(plain))
            if not piece:
                raise UnreadableFile("the answer's br body is cut short")
            plain += piece
    except (ImportError, TypeError):
        raise UnreadableFile(
            "packed with Brotli, which needs the package brotli 1.2 or newer: pip install brotli"
        ) from None
    except brotli.error as error:
        raise UnreadableFile(f"the answer's br body is damaged: {error}") from None
    if len(plain) > allowed:
        raise UnreadableFile(f"the answer is larger than {allowed:,} bytes when unpacked")
    return bytes(plain)
