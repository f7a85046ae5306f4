"""The body of an answer, decompressed while it arrives and cut off before it can fill the memory.

A kilobyte of gzip can hold a megabyte, a kilobyte of zstd thirty: so input is fed to the decompressor in small slices,
and both the size and the ratio are checked after each.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import Protocol

import zstandard

from pipeline.errors import RequestFailed, RequestRefused
from pipeline.outcomes import Trouble

ACCEPT_ENCODING = "gzip, deflate, zstd"
HIGHEST_RATIO = 100
"""Decoded over received. News feeds and pages stay under 30; bombs reach 1,032 in deflate and 30,000 in zstd."""

_RATIO_COUNTS_FROM = 64 * 1024  # decoded bytes; a short repetitive body may have any ratio and does no harm
_SLICE = 256  # bytes in; at most 264 kB out of deflate, 8 MiB out of zstd
_ZSTD_WINDOW = 8 * 1024 * 1024  # the largest that a server may ask for in HTTP (RFC 9659)
_ENOUGH_TO_TELL = 4  # bytes; the longest magic number below
_CODINGS = {"gzip": "gzip", "x-gzip": "gzip", "deflate": "deflate", "zstd": "zstd"}
_NEVER_ASKED_FOR = {"br", "compress", "x-compress", "dcb", "dcz"}


class _Decompressor(Protocol):
    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, /) -> bytes: ...


class BodyDecoder:
    """Takes the pieces of one body as they come and holds the decoded form, never more than ``max_bytes`` of it."""

    def __init__(self, content_encoding: str, max_bytes: int) -> None:
        """Prepare for a body with this Content-Encoding header.

        Raises:
            RequestRefused: compressed more than once, or in a way that was not asked for.
        """
        self._coding = _single_coding(content_encoding)
        self._max_bytes = max_bytes
        self._head: bytes | None = b""  # None once there was enough of it to tell how the body is compressed
        self._unpacker: _Unpacker | None = None
        self._received = 0
        self._decoded = bytearray()

    def feed(self, piece: bytes) -> None:
        """Decode a further piece.

        Raises:
            RequestRefused: decoded, the body is larger than allowed, or it grows by more than ``HIGHEST_RATIO``.
            RequestFailed: the body is damaged.
        """
        if self._head is not None:
            self._head += piece
            if len(self._head) < _ENOUGH_TO_TELL:
                return
            piece = self._begin(self._head)
        self._decode(piece)

    def finish(self) -> bytes:
        """Return the whole decoded body. Raises ``RequestFailed`` when its compressed form is cut short."""
        if self._head is not None:
            self._decode(self._begin(self._head))
        if self._unpacker is not None and self._received and not self._unpacker.is_complete:
            raise RequestFailed(f"the answer's {self._coding} body is cut short", Trouble.BROKEN)
        return bytes(self._decoded)

    def _begin(self, head: bytes) -> bytes:
        self._head = None
        create = _decompressor_for(self._coding, head)
        self._unpacker = _Unpacker(create) if create else None
        return head

    def _decode(self, piece: bytes) -> None:
        if self._unpacker is None:
            self._decoded += piece
            self._check_size()
            return
        for start in range(0, len(piece), _SLICE):
            data = piece[start : start + _SLICE]
            self._received += len(data)
            try:
                self._decoded += self._unpacker.unpack(data)
            except (zlib.error, zstandard.ZstdError) as error:
                raise RequestFailed(f"the answer's {self._coding} body is damaged: {error}", Trouble.BROKEN) from error
            self._check_size()
            if len(self._decoded) > max(_RATIO_COUNTS_FROM, HIGHEST_RATIO * self._received):
                raise RequestRefused(f"the answer unpacks to more than {HIGHEST_RATIO} times its size")

    def _check_size(self) -> None:
        if len(self._decoded) > self._max_bytes:
            raise RequestRefused(f"the answer is larger than {self._max_bytes:,} bytes")


class _Unpacker:
    """Unpacks a sequence of members (RFC 1952 section 2.2); what follows the last one is padding."""

    def __init__(self, create: Callable[[], _Decompressor]) -> None:
        self._create = create
        self._member = create()
        self._complete_members = 0
        self._is_padding = False

    @property
    def is_complete(self) -> bool:
        return self._member.eof or self._complete_members > 0

    def unpack(self, data: bytes) -> bytes:
        unpacked = b""
        while data and not self._is_padding:
            if self._member.eof:
                self._complete_members += 1
                self._member = self._create()
            try:
                unpacked += self._member.decompress(data)
            except (zlib.error, zstandard.ZstdError):
                if not self._complete_members:
                    raise
                self._is_padding = True
            data = self._member.unused_data
        return unpacked


def _single_coding(content_encoding: str) -> str:
    """Return gzip, deflate, zstd, or nothing for a plain body; unknown words ("utf-8") are a server's mistake."""
    named = [word.strip().lower() for word in content_encoding.split(",")]
    codings = [word for word in named if word in _CODINGS or word in _NEVER_ASKED_FOR]
    if len(codings) > 1:
        raise RequestRefused(f"the answer is compressed {len(codings)} times over")
    if codings and codings[0] in _NEVER_ASKED_FOR:
        raise RequestRefused(f"the answer is compressed with {codings[0]}, which was not asked for")
    return _CODINGS[codings[0]] if codings else ""


def _decompressor_for(coding: str, head: bytes) -> Callable[[], _Decompressor] | None:
    """Return what unpacks a body that starts with ``head``; None for a plain one, which some servers call gzip."""
    if coding == "gzip" and head.startswith(b"\x1f\x8b"):
        return lambda: zlib.decompressobj(zlib.MAX_WBITS | 16)
    if coding == "zstd" and head.startswith(b"\x28\xb5\x2f\xfd"):
        return lambda: zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW).decompressobj()
    if coding == "deflate" and head:
        # zlib by RFC 9110 section 8.4.1.2, but raw from old servers. A zlib head is divisible by 31 (RFC 1950).
        is_zlib = head[0] & 0x0F == 8 and int.from_bytes(head[:2], "big") % 31 == 0
        return lambda: zlib.decompressobj(zlib.MAX_WBITS if is_zlib else -zlib.MAX_WBITS)
    return None
