"""Which items of a feed are read at all, and that they are read as they would be among all the others."""

from __future__ import annotations

import re
from collections.abc import Collection

from msgspec import Struct

from pipeline.poll import bounds
from pipeline.poll.bounds import NotAFeed
from pipeline.poll.items import Block, Sliced, slice_feed
from pipeline.poll.raw_feed import RawFeed, read_raw_feed

# feedparser raises on references to what is no character (a lone surrogate), in the midst of a feed.
_REFERENCE = re.compile(r"&#(?:x([0-9A-Fa-f]+)|([0-9]+));")


class KnownItem(Struct, frozen=True):
    """An item by its place among all of its feed, from 0, and the hash of its bytes; 0: it cannot be known again."""

    place: int
    raw_hash: int


class Read(Struct, frozen=True):
    """What feedparser made of a feed, or of that part of it that was not known."""

    raw: RawFeed
    items: tuple[KnownItem, ...]
    """One for each entry."""
    known: tuple[KnownItem, ...] = ()
    """Those that were passed over."""
    cut: bool = False


def read_items(text: str, root: str, known: Collection[int] = ()) -> Read:
    """Return the items of a feed less those in ``known``; all of them when it cannot be told which are which.

    An item gets a hash, by which it can be known, only after it was read and was found to be one item, not dependent
    on others: so what is passed over changes nothing in what is read.

    Raises:
        NotAFeed: it is built to exhaust its reader, or feedparser fails on it.
    """
    text = _REFERENCE.sub(_valid_reference, text.lstrip("\ufeff \t\r\n\0"))
    sliced = slice_feed(text)
    if sliced and known and any(block.raw_hash in known for block in sliced.blocks):
        rest = sliced.without(known)
        read = _read_rest(rest, sliced.blocks, root, known) if rest else None
        if read:
            return read
    whole, cut = bounds.bounded(text, root)
    raw = _read(whole)
    if sliced and not cut and _are_items(raw, sliced):
        return Read(raw, tuple(KnownItem(at, block.raw_hash) for at, block in enumerate(sliced.blocks)))
    cut = cut or len(raw.entries) > bounds.MAX_ITEMS
    del raw.entries[bounds.MAX_ITEMS :]
    return Read(raw, tuple(KnownItem(at, 0) for at in range(len(raw.entries))), cut=cut)


def _read_rest(rest: Sliced, blocks: tuple[Block, ...], root: str, known: Collection[int]) -> Read | None:
    """Return what is read of a feed without its known items; None when it must be read whole."""
    text, cut = bounds.bounded(rest.data.decode(), root)
    raw = _read(text)
    if cut or not _are_items(raw, rest):
        return None
    items = tuple(KnownItem(at, block.raw_hash) for at, block in enumerate(blocks))
    return Read(
        raw,
        tuple(item for item in items if item.raw_hash not in known),
        tuple(item for item in items if item.raw_hash in known),
    )


def _are_items(raw: RawFeed, sliced: Sliced) -> bool:
    """Whether each piece that was cut out is one entry of the parser's, and all of them are."""
    return raw.starts == tuple(len(sliced.data) - block.start for block in sliced.blocks)


def _read(text: str) -> RawFeed:
    """Return the feed of a text."""
    try:
        return read_raw_feed(text)
    except Exception as error:  # a boundary: feedparser documents no errors, and its handlers raise whatever they meet
        raise NotAFeed(f"feedparser cannot read it ({type(error).__name__}: {str(error)[:200]})") from error


def _valid_reference(found: re.Match[str]) -> str:
    hexadecimal, decimal = found.groups()
    digits = (hexadecimal or decimal).lstrip("0")
    code = int(digits or "0", 16 if hexadecimal else 10) if len(digits) < 8 else -1
    return found[0] if 0 <= code < 0xD800 or 0xDFFF < code < 0x110000 else "\ufffd"
