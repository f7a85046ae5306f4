"""The bytes of a file, within bounds, and what kind of document they are: by content first, then by name."""

from __future__ import annotations

import re
import stat
import zlib
from contextlib import suppress
from pathlib import Path
from typing import Literal

import msgspec

from pipeline.ingest.problem import UnreadableFile

Kind = Literal["feed", "page", "jsonl", "text", "warc"]

MAX_FILE_BYTES = 100 * 1024 * 1024
MAX_UNPACKED_BYTES = 50 * 1024 * 1024

_HEAD_BYTES = 4096
_GZIP = b"\x1f\x8b"
_KNOWN_BINARIES = (
    (b"%PDF-", "a PDF"), (b"PK\x03\x04", "a ZIP archive or an office document"),
    (b"\xd0\xcf\x11\xe0", "an office document"), (b"SQLite format 3", "a database"),
    (b"\x89PNG", "an image"), (b"\xff\xd8\xff", "an image"), (b"GIF8", "an image"),
    (b"\x28\xb5\x2f\xfd", "packed with zstd"), (b"BZh", "packed with bzip2"), (b"\xfd7zXZ", "packed with xz"),
    (_GZIP, "gzip within gzip"),
)  # fmt: skip
_WIDE_MARKS = (b"\xff\xfe", b"\xfe\xff", b"\x00\x00\xfe\xff")
_PROLOG = re.compile(rb"\s*+(?:<\?.*?\?>|<!--.*?-->|<!DOCTYPE(?!\s+html)[^>\[]*(?:\[.*?\])?\s*>)", re.DOTALL | re.I)
_ROOT = re.compile(rb"\s*<(!doctype\s+html|[A-Za-z_][\w.-]*(?::[A-Za-z_][\w.-]*)?)", re.IGNORECASE)
_HTML_ROOTS = frozenset(
    (b"html", b"head", b"body", b"title", b"meta", b"link", b"script", b"style", b"div", b"p", b"article", b"main",
     b"section", b"table", b"h1", b"h2", b"center")
)  # fmt: skip
_SUFFIXES: dict[str, Kind] = {
    ".rss": "feed", ".atom": "feed", ".rdf": "feed", ".xml": "feed", ".html": "page", ".htm": "page", ".xhtml": "page",
    ".jsonl": "jsonl", ".ndjson": "jsonl", ".json": "jsonl",
}  # fmt: skip


def read_head(path: Path) -> bytes:
    """Return a few bytes of a file's beginning, unpacked when it is gzip, whatever its size.

    Raises:
        UnreadableFile: it cannot be read, or is no plain file.
    """
    try:
        _size_of(path)
        with path.open("rb") as file:
            head = file.read(_HEAD_BYTES)
    except OSError as error:
        raise UnreadableFile(f"cannot be read: {error.strerror or error}") from error
    return _start_of_packed(head) if head.startswith(_GZIP) else head


def _start_of_packed(content: bytes) -> bytes:
    """Return what gzip gives up to the first damage, fed a little at a time so that it gives something."""
    member, start = zlib.decompressobj(wbits=31), b""
    with suppress(zlib.error):
        for at in range(0, len(content), 64):
            start += member.decompress(content[at : at + 64], _HEAD_BYTES)
            if len(start) >= _HEAD_BYTES:
                break
    return start


def _size_of(path: Path) -> int:
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):  # a pipe or a device would block or never end
        raise UnreadableFile("not a plain file")
    return status.st_size


def read_content(path: Path) -> bytes:
    """Return the bytes of a file, unpacked when it is gzip.

    Raises:
        UnreadableFile: it cannot be read, is no plain file, is empty, too large, damaged, or of a kind without text.
    """
    try:
        if _size_of(path) > MAX_FILE_BYTES:
            raise UnreadableFile(f"larger than {MAX_FILE_BYTES // 1024**2} MiB; split it")
        with path.open("rb") as file:
            content = file.read(MAX_FILE_BYTES + 1)  # it may grow while it is read
    except OSError as error:
        raise UnreadableFile(f"cannot be read: {error.strerror or error}") from error
    if len(content) > MAX_FILE_BYTES:
        raise UnreadableFile(f"larger than {MAX_FILE_BYTES // 1024**2} MiB; split it")
    if content.startswith(_GZIP):
        content = _unpacked(content)
    _refuse_what_has_no_text(content)
    return content


def kind_of(content: bytes, path: Path) -> Kind:
    """Return what the content looks like; where that says nothing, what the name says; else ``text``.

    A page under a feed's name stays a feed, so that its reader says what came instead of one. Of a WARC file
    ``read_head`` gives enough to tell.
    """
    if content.startswith(b"WARC/"):
        return "warc"
    named = _SUFFIXES.get(_suffix(path))
    head = content[:65_536].removeprefix(b"\xef\xbb\xbf").lstrip()
    if head.startswith(_WIDE_MARKS):
        return named or "text"
    if head.startswith(b"{") and (named == "jsonl" or _is_json(head.partition(b"\n")[0])):
        return "jsonl"
    root = _root_of(head)
    if root.rpartition(b":")[2] in (b"rss", b"rdf", b"feed"):
        return "feed"
    if root.startswith(b"!doctype") or root in _HTML_ROOTS:
        return "feed" if named == "feed" else "page"
    return named or "text"


def _is_json(line: bytes) -> bool:
    try:
        msgspec.json.decode(line)
    except (msgspec.MsgspecError, RecursionError):
        return False
    return True


def _suffix(path: Path) -> str:
    name = path.name.lower().removesuffix(".gz")
    return Path(name).suffix


def _root_of(head: bytes) -> bytes:
    """Return the name of the first element, in lower case; empty when the text does not begin with one."""
    at = 0
    while found := _PROLOG.match(head, at):
        at = found.end()
    root = _ROOT.match(head, at)
    return root.group(1).lower() if root else b""


def _unpacked(content: bytes) -> bytes:
    """Return what gzip members hold, one after the other; never more than the bound is in memory."""
    unpacked = bytearray()
    while content:
        member = zlib.decompressobj(wbits=31)
        try:
            unpacked += member.decompress(content, MAX_UNPACKED_BYTES + 1 - len(unpacked))
        except zlib.error as error:
            raise UnreadableFile(f"damaged gzip: {error}") from error
        if len(unpacked) > MAX_UNPACKED_BYTES:
            raise UnreadableFile(f"larger than {MAX_UNPACKED_BYTES // 1024**2} MiB when unpacked; split it")
        if not member.eof:
            raise UnreadableFile("damaged gzip: it ends too early")
        content = member.unused_data.lstrip(b"\0")  # padding of tape blocks, as gzip(1) ignores it
    return bytes(unpacked)


def _refuse_what_has_no_text(content: bytes) -> None:
    if not content.strip():
        raise UnreadableFile("empty")
    for start, name in _KNOWN_BINARIES:
        if content.startswith(start):
            raise UnreadableFile(f"{name}, not text")
    if content.startswith(_WIDE_MARKS):
        return
    sample = content[:65_536]
    controls = len(sample) - len(sample.translate(None, bytes(range(9)) + bytes(range(14, 27)) + bytes(range(28, 32))))
    if sample.count(0) or controls * 100 > len(sample):
        raise UnreadableFile("binary data, not text")
