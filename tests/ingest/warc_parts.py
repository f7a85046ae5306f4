"""WARC files as crawlers write them, for tests."""

from __future__ import annotations

import gzip
from base64 import b32encode
from collections.abc import Mapping
from hashlib import sha1
from typing import Self

PROSE = "The council met on Monday to discuss the new bridge over the river, and it will decide about it next week. "


def page(number: int = 1, text: str = PROSE, head: str = "") -> bytes:
    """Return an article's page."""
    return (
        f'<!DOCTYPE html><html lang="en"><head><title>Bridge {number}</title>{head}</head><body><article>'
        f"<h1>Bridge {number}</h1><p>Of the bridge number {number}. {text * 3}</p></article></body></html>"
    ).encode()


class Warc:
    """A WARC in memory, each record a gzip member or none of them; ``bytes(warc)`` is what was written so far."""

    def __init__(self, *, packed: bool = True) -> None:
        self._content = b""
        self._packed = packed

    def __bytes__(self) -> bytes:
        return self._content

    def __len__(self) -> int:
        return len(self._content)

    def add(
        self, url: str, body: bytes, content_type: str = "text/html; charset=utf-8", *, status: str = "200 OK",
        kind: str = "response", http: Mapping[str, str] | None = None, warc: Mapping[str, str] | None = None,
    ) -> Self:  # fmt: skip
        """Write a record: the answer ``body`` to a request for ``url``."""
        head = _lines(f"HTTP/1.1 {status}", {"Content-Type": content_type, **(http or {})})
        block = (head if kind in {"response", "revisit"} else b"") + body
        fields = {
            "WARC-Type": kind, "WARC-Target-URI": url, "WARC-Date": "2024-03-15T10:00:00Z",
            "WARC-Payload-Digest": _digest(body), "WARC-Block-Digest": _digest(block),
            "Content-Type": "application/http; msgtype=response" if kind == "response" else content_type,
            **(warc or {}), "Content-Length": str(len(block)),
        }  # fmt: skip
        return self.raw(_lines("WARC/1.1", fields).removesuffix(b"\r\n\r\n"), block)

    def raw(self, header: bytes, block: bytes = b"") -> Self:
        """Write a record as a stranger might."""
        record = header + b"\r\n\r\n" + block + b"\r\n\r\n"
        self._content += gzip.compress(record, mtime=0) if self._packed else record
        return self


def _lines(first: str, fields: Mapping[str, str]) -> bytes:
    return "\r\n".join([first, *(f"{name}: {value}" for name, value in fields.items()), "\r\n"]).encode()


def _digest(body: bytes) -> str:
    return f"sha1:{b32encode(sha1(body).digest()).decode()}"
