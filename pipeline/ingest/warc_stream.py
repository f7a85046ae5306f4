"""The records of a WARC file, one at a time and unpacked in small pieces; after damage, on from the next good one.

A ``.warc.gz`` is a row of gzip members, one a record (ISO 28500, annex D), which is what lets a reader go on behind a
broken one. warcio parses the headers; the framing is here, since its iterator reads lines of any length, writes to
stderr and gives a file up at the first fault.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import BinaryIO

from msgspec import Struct
from warcio.recordloader import ArcWarcRecordLoader
from warcio.statusandheaders import StatusAndHeaders, StatusAndHeadersParser, StatusAndHeadersParserException

MAX_HEADER_BYTES = 64 * 1024
"""Of a record's own header, or of the HTTP header in it; real ones have a few kB."""
MOST_FALSE_STARTS = 1_000
"""Places behind damage that look like a gzip member and are none: by chance there is one in 16 MB."""
_PIECE = 64 * 1024
_MEMBER = b"\x1f\x8b\x08"
_RECORD = b"WARC/"
_warc_headers = StatusAndHeadersParser(ArcWarcRecordLoader.WARC_TYPES)


class Damaged(Exception):
    """The bytes from here on are no WARC record; the message says why."""


class Damage(Struct, frozen=True):
    """What is wrong with the record that begins at byte ``offset`` of the file (with gzip: its member does)."""

    offset: int
    cause: str


class WarcRecord:
    """One record; what is not read of its block before the next one is asked for is passed over."""

    def __init__(self, source: WarcBytes, offset: int, headers: StatusAndHeaders, length: int) -> None:
        self.offset = offset
        self.length = length
        """Bytes in its block, as its header says."""
        self.left = length
        self._source = source
        self._headers = headers
        self._damage: Damaged | None = None

    def header(self, name: str) -> str:
        """Return a named field of the record's header, empty when it has none."""
        return (self._headers.get_header(name) or "").strip()

    def read(self, size: int) -> bytes:
        """Return up to ``size`` bytes of the block. Raises ``Damaged`` when the file ends before the block does."""
        wanted = min(size, self.left)
        try:
            block = self._source.read(wanted)
            self.left -= len(block)
            if len(block) < wanted:
                raise Damaged(f"cut short: {self.length - self.left:,} of {self.length:,} bytes are there")
        except Damaged as damage:
            self._damage = damage
            raise
        return block

    def finish(self) -> None:
        """Pass over the rest of the block. Raises ``Damaged`` as ``read`` does or did."""
        while self.left and self._damage is None:
            self.read(_PIECE)
        if self._damage is not None:
            raise self._damage


def warc_records(file: BinaryIO) -> Iterator[WarcRecord | Damage]:
    """Yield the records of a WARC file, packed or not, in order, and what is damaged of it, each fault once.

    Whoever reads a block and meets damage need say nothing of it: it is yielded next. No more than a few pieces of
    64 KiB and one header are in memory at a time.
    """
    source = WarcBytes(file)
    while True:
        offset = None
        try:
            if not source.skip_blank_lines():
                return
            offset = source.offset
            record = _record(source, offset)
            yield record
            record.finish()
        except Damaged as damage:
            yield Damage(source.offset if offset is None else offset, str(damage))
            if not source.find_record():
                return


def _record(source: WarcBytes, offset: int) -> WarcRecord:
    """Read one header. Raises ``Damaged``."""
    source.header_bytes_left = MAX_HEADER_BYTES
    try:
        headers = _warc_headers.parse(source)
    except StatusAndHeadersParserException:
        raise Damaged("no WARC record begins here") from None
    except EOFError:
        raise Damaged("cut short in its header") from None
    length = (headers.get_header("Content-Length") or "").strip()
    if not (length.isascii() and length.isdecimal() and len(length) < 16):
        raise Damaged("its header names no length")
    return WarcRecord(source, offset, headers, int(length))


class WarcBytes:
    """A file's bytes, unpacked when it is gzip, in a buffer that never reaches over the end of a gzip member."""

    def __init__(self, file: BinaryIO) -> None:
        self.header_bytes_left = MAX_HEADER_BYTES
        self._file = file
        self._start = file.tell()  # of the buffer in the file; of the member when packed
        self._raw = file.read(_PIECE)  # read, and not yet unpacked
        self._is_packed = self._raw.startswith(_MEMBER)
        self._member = zlib.decompressobj(wbits=31)
        self._buffer, self._at = b"", 0

    @property
    def offset(self) -> int:
        """Where in the file the next byte stands, or the member that it is in."""
        return self._start + (0 if self._is_packed else self._at)

    def read(self, size: int) -> bytes:
        """Return ``size`` bytes; fewer when there are no more, or when a record begins where a gzip member ends."""
        pieces, missing = [], size
        while missing and self._has_more():
            piece = self._buffer[self._at : self._at + missing]
            self._at += len(piece)
            missing -= len(piece)
            pieces.append(piece)
        return b"".join(pieces)

    def readline(self) -> bytes:
        """Return a line of a header with its end. Raises ``Damaged`` when the header is too long."""
        line = b""
        while True:
            end = self._buffer.find(b"\n", self._at) + 1 or len(self._buffer)
            line += self._buffer[self._at : end]
            self._at = end
            if len(line) > self.header_bytes_left:
                raise Damaged(f"a header of more than {MAX_HEADER_BYTES // 1024} KiB")
            if line.endswith(b"\n") or not self._has_more():
                self.header_bytes_left -= len(line)
                return line

    def skip_blank_lines(self) -> bool:
        """Go on to where the next record should begin; False at the end of the file. Raises ``Damaged``."""
        while True:
            rest = self._buffer[self._at :].lstrip(b"\r\n")
            self._at = len(self._buffer) - len(rest)
            if rest:
                return True
            if not (self._extend() or self._next_member()):
                return False

    def find_record(self) -> bool:
        """Go on behind damage to the next place where a record begins; False when there is none."""
        try:
            if self._is_packed and self._at == 0 and self._starts_record():  # the former record was cut short by it
                return True
            while True:
                found = self._buffer.find(b"\n" + _RECORD, self._at)
                if found >= 0:
                    self._at = found + 1
                    return True
                self._at = max(self._at, len(self._buffer) - len(_RECORD))
                if self._extend():
                    continue
                self._at = len(self._buffer)
                if not self._next_member():
                    return False
                if self._starts_record():
                    return True
        except Damaged:
            return self._find_member()

    def _starts_record(self) -> bool:
        try:
            while len(self._buffer) - self._at < len(_RECORD) and self._extend():
                pass
        except Damaged:
            return False
        return self._buffer.startswith(_RECORD, self._at)

    def _has_more(self) -> bool:
        """Whether the buffer holds a byte of the current record, after filling it."""
        while self._at >= len(self._buffer):
            if self._extend():
                continue
            if not self._next_member() or self._starts_record():
                return False
        return True

    def _extend(self) -> bool:
        """Put more of the file, or of the member, behind what is in the buffer; False when there is no more."""
        piece = self._unpacked() if self._is_packed else self._plain()
        if not self._is_packed:
            self._start += self._at
        self._buffer, self._at = self._buffer[self._at :] + piece, 0
        return bool(piece)

    def _plain(self) -> bytes:
        piece, self._raw = self._raw or self._file.read(_PIECE), b""
        return piece

    def _unpacked(self) -> bytes:
        """Return the next piece of the member, empty at its end. Raises ``Damaged``."""
        while not self._member.eof:
            self._raw = self._raw or self._file.read(_PIECE)
            if not self._raw:
                raise Damaged("the file ends in the middle of a gzip member")
            try:
                piece = self._member.decompress(self._raw, _PIECE)
            except zlib.error as error:
                raise Damaged(f"damaged gzip: {error}") from None
            self._raw = self._member.unused_data if self._member.eof else self._member.unconsumed_tail
            if piece:
                return piece
        return b""

    def _next_member(self) -> bool:
        """Begin the gzip member behind the one that has ended; False at the end of the file. Raises ``Damaged``."""
        if not self._is_packed:
            return False
        while not self._raw.lstrip(b"\0"):  # padding of tape blocks, as gzip(1) ignores it
            self._raw = self._file.read(_PIECE)
            if not self._raw:
                return False
        self._raw = self._raw.lstrip(b"\0")
        if len(self._raw) < len(_MEMBER):
            self._raw += self._file.read(_PIECE)
        self._start = self._file.tell() - len(self._raw)
        self._buffer, self._at, self._member = b"", 0, zlib.decompressobj(wbits=31)
        if not self._raw.startswith(_MEMBER):
            raise Damaged("what follows is not gzip")
        return True

    def _find_member(self) -> bool:
        """Look behind the start of a damaged gzip member for one in which a record begins."""
        for _ in range(MOST_FALSE_STARTS):
            if not self._seek_member():
                return False
            if self._starts_record():
                return True
        return False

    def _seek_member(self) -> bool:
        """Go to the next place that looks like the start of a gzip member; packed bytes may by chance."""
        at, kept = self._start + 1, b""
        self._file.seek(at)
        while piece := self._file.read(_PIECE):
            found = (kept + piece).find(_MEMBER)
            if found >= 0:
                self._start = at - len(kept) + found
                self._file.seek(self._start)
                self._raw, self._buffer, self._at = b"", b"", 0
                self._member = zlib.decompressobj(wbits=31)
                return True
            at += len(piece)
            kept = (kept + piece)[-len(_MEMBER) + 1 :]
        return False
