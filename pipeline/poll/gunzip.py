"""Files that are packed themselves, not on their way: sitemap.xml.gz."""

from __future__ import annotations

import zlib

from pipeline.poll.bounds import MAX_BODY_BYTES, NotAFeed

MAGIC = b"\x1f\x8b"
MAX_RATIO = 100


def gunzip(body: bytes) -> bytes:
    """Return what a gzip file (RFC 1952) holds, its first member.

    Raises:
        NotAFeed: it is damaged, or unpacks to more than ``MAX_BODY_BYTES`` or to 100 times its size.
    """
    allowed = min(MAX_BODY_BYTES, MAX_RATIO * len(body) + 1024)
    unpacker = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    try:
        plain = unpacker.decompress(body, allowed + 1)
    except zlib.error as error:
        raise NotAFeed(f"a gzip file that is damaged ({error})") from error
    if len(plain) > allowed:
        raise NotAFeed(f"a gzip file that unpacks to more than {allowed:,} bytes")
    if not unpacker.eof:
        raise NotAFeed("a gzip file without its end")
    return plain
