"""Where the items of a feed begin and end, so that those read before are passed over before a parser sees them.

Reading is the cost of a feed that has changed, and of 50 items one or two have. An item is known again by the hash of
its bytes. This file only cuts; that the pieces are what feedparser takes for items is checked where both are known
(``pipeline.poll.parse``), and wherever anything is in doubt the whole feed is read.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from hashlib import blake2b
from xml.parsers import expat

from msgspec import Struct

from pipeline.poll.bounds import MAX_ITEMS, MAX_TAGS

_ITEM = rb"(?:[Ii][Tt][Ee][Mm]|[Ee][Nn][Tt][Rr][Yy])"
# In XML that is well-formed "<" begins markup and nothing else, so this finds every item but those in what it skips.
# What is never closed takes all the rest, so that each byte is looked at once.
_PLACES = re.compile(
    rb"<(?:(/?)(?:%b|[\w.-]++:%b)(?=[\s/>])|!--(?:.*?-->|.*)"
    rb"|!\[CDATA\[(?:[^\]]*+(?:\](?!\]>)[^\]]*+)*+\]\]>|.*)|\?(?:.*?\?>|.*))" % (_ITEM, _ITEM),
    re.DOTALL,
)
_TAG_END = re.compile(rb"""(?:[^<>"']++|"[^"<]*+"|'[^'<]*+')*+>""")
_NOTHING = re.compile(rb"(?:\s|<!--.*?-->)*+", re.DOTALL)
_TAIL = re.compile(rb"(?:\s|<!--.*?-->|</[^<>]*>)*+", re.DOTALL)
_DOCTYPE = re.compile(rb"<!DOCTYPE", re.IGNORECASE)


class Block(Struct, frozen=True, gc=False):
    """One item as it stands in the feed: ``data[start:end]``, and its hash."""

    start: int
    end: int
    raw_hash: int


class Sliced(Struct, frozen=True):
    """A feed in UTF-8 and its items, in their order; nothing but white space and comments is between them."""

    data: bytes
    blocks: tuple[Block, ...]

    def without(self, known: Collection[int]) -> Sliced | None:
        """Return the feed less the items with a hash in ``known``; None when the whole is not well-formed.

        What is left would be well-formed even if the fault is in an item that is left out, and a parser that reads on
        behind a fault reads everything differently.
        """
        pieces: list[bytes] = []
        blocks: list[Block] = []
        at = length = 0
        for block in self.blocks:
            if block.raw_hash in known:
                pieces.append(self.data[at : block.start])
                length += block.start - at
                at = block.end
            else:
                shift = length - at
                blocks.append(Block(block.start + shift, block.end + shift, block.raw_hash))
        if not is_well_formed(self.data):
            return None
        pieces.append(self.data[at:])
        return Sliced(b"".join(pieces), tuple(blocks))


def slice_feed(text: str) -> Sliced | None:
    """Return the items of a feed, or None where they cannot be told apart without reading it.

    Items within items, elements of the feed between or behind its items, a document type, and more of anything than
    is read at all: each of these is left to the parser. Linear in the size of the text.
    """
    data = text.encode("utf-8", "replace")
    found = _spans(data)
    if not found or len(found) > MAX_ITEMS or data.count(b"<") > MAX_TAGS:
        return None
    if _DOCTYPE.search(data, 0, found[0][0]) or _TAIL.fullmatch(data, found[-1][1]) is None:
        return None
    ends = [end for _, end in found[:-1]]
    starts = [start for start, _ in found[1:]]
    if any(not _NOTHING.fullmatch(data, end, start) for end, start in zip(ends, starts, strict=True)):
        return None
    return Sliced(data, tuple(Block(start, end, raw_hash_of(data[start:end])) for start, end in found))


def raw_hash_of(block: bytes) -> int:
    """Return a 64-bit hash of an item as it stands in its feed, signed, and never 0."""
    return int.from_bytes(blake2b(block, digest_size=8, person=b"raw item").digest(), "big", signed=True) or 1


def is_well_formed(data: bytes) -> bool:
    """Whether a document is well-formed XML with namespaces; nothing is opened. 0.1 ms for 28 kB."""
    try:
        expat.ParserCreate("utf-8", " ").Parse(data, True)
    except expat.ExpatError:
        return False
    return True


def _spans(data: bytes) -> list[tuple[int, int]] | None:
    """Return where each item starts and ends; None where one is within another or is not closed."""
    spans: list[tuple[int, int]] = []
    start = -1
    for found in _PLACES.finditer(data):
        closing = found[1]
        if closing is None:
            continue  # a comment, a section of plain text or an instruction
        tag = _TAG_END.match(data, found.end())
        if tag is None or bool(closing) == (start < 0):
            return None
        if closing:
            spans.append((start, tag.end()))
            start = -1
        elif data[tag.end() - 2] == ord("/"):
            spans.append((found.start(), tag.end()))
        else:
            start = found.start()
    return spans if start < 0 else None
