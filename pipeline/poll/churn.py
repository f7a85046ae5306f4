"""Feeds whose guids or links do not stay: what each entry is known by, and what is to be said of such a feed.

An entry is known by its link (``pipeline.identity.entry_key``). That is right for guids that are used again for other
links, and for guids that are made up at every fetch. It is wrong where the links are made up at every fetch (session
ids) while the guids stay: everything would be new at every poll, and news. Such a feed shows itself at its second poll:
entries come under other links with the guids, and the very texts, of the last poll. From then on its entries are known
by their guids, and what the last poll showed keeps the id that it was published under.

What must be remembered for that stands in one more row among the entries that the feed has shown, under a key that no
entry can have: which key each guid had at the last poll, and whether guids are the keys.
"""

from __future__ import annotations

import base64
import binascii
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from hashlib import blake2b
from typing import Final

from msgspec import Struct, field

from pipeline.feed import SeenEntry
from pipeline.identity import article_id, entry_key
from pipeline.poll.articles import hash_of, id_of, key_of
from pipeline.poll.parse import Entry

NOTE_KEY: Final = "guids"
"""Of the row with the note; entries have 32 hexadecimal digits."""
MAX_REMEMBERED: Final = 100
"""Guids, those at the top of the feed: 22 bytes each."""
LEAST_MOVED: Final = 2
"""One entry whose link alone has changed is an article that has moved, or one of two with one guid (row 13)."""
MOST: Final = 0.75
"""Of the entries that can be compared: edits and moved articles are among them, in any feed."""
_GUID_BYTES, _KEY_BYTES = 6, 16


class Memory(Struct, frozen=True, kw_only=True):
    """What a poll leaves for the next one."""

    keyed_by_guid: bool = False
    guids_change: bool = False
    keys: Mapping[bytes, str] = field(default_factory=dict)
    """The key by its link of each guid (hashed) of the last poll; none of a guid that stood there twice, nor of one
    that is the link itself."""


class Churn(Struct, frozen=True, kw_only=True):
    """What a feed's entries are known by at this poll."""

    keys: tuple[str, ...]
    """One for each entry, in their order; empty: it has no identity, and is a counted drop."""
    ids: tuple[str, ...]
    """The article of each entry: the one it was published under before, whatever its link is now; empty as above."""
    known: Mapping[str, SeenEntry]
    """Which of ``keys`` the feed has shown before."""
    note: SeenEntry
    """To be saved with the entries at every poll that reads the feed."""
    guids_change: bool = False
    """Guids are made up at every fetch; the links stay, so that nothing is lost by it."""
    links_change: bool = False
    """Links are made up at every fetch; entries are known by their guids."""
    guids_reused: int = 0
    """Guids that stand in this poll with more than one link: each link is an article."""
    without_link_and_guid: int = 0
    """Entries known by their text alone: an edit makes each a new article."""


class _Shown(Struct, frozen=True, kw_only=True):
    """An entry and the names that it may be known by."""

    entry: Entry
    by_link: str
    by_guid: str
    """Empty: no guid, or one that stands here with another link too."""
    guid: bytes
    """Hashed; empty as above."""
    was: str
    """The key by the link that this guid had at the last poll."""


class _Compared(Struct):
    """How many entries of the last poll are here again, and how."""

    same: int = 0
    moved: int = 0  # the guid and the text under another link
    moved_texts: set[str] = field(default_factory=set)
    other: int = 0  # the guid under another link with another text
    renamed: int = 0  # the link with another guid


def churn_of(
    entries: Sequence[Entry],
    look_up: Callable[[Collection[str]], Mapping[str, SeenEntry]],
    *,
    feed_url: str,
    unchanged: int = 0,
) -> Churn:
    """Return what the entries of a poll are known by. Pure but for ``look_up``, which is asked once or twice.

    ``look_up`` is ``seen_entries`` of the feed. ``unchanged`` is the number of entries that stand in the feed as they
    did and are therefore not among ``entries``.
    """
    by_link = [key_of(entry) for entry in entries]
    seen = dict(look_up({*by_link, NOTE_KEY} - {""}))
    memory = read_memory(seen.pop(NOTE_KEY, None))
    reused = _reused(entries, by_link)
    shown = [_shown(entry, key, memory, reused) for entry, key in zip(entries, by_link, strict=True)]
    more = {one.was for one in shown if one.was != one.by_link}
    more |= {one.by_guid for one in shown} if memory.keyed_by_guid else set()
    if more := more - {""} - seen.keys():
        seen |= look_up(more)
    compared = _compare(shown, seen, memory)
    links_change = memory.keyed_by_guid or _is_most(compared, unchanged)
    comparable = compared.renamed + compared.same + unchanged
    guids_change = compared.renamed >= MOST * comparable if comparable else memory.guids_change
    keys = [one.by_guid if links_change and one.by_guid else one.by_link for one in shown]
    known: dict[str, SeenEntry] = {}
    for one, key in zip(shown, keys, strict=True):
        names = (key, one.by_link, one.was) if links_change else (key,)
        if found := next((seen[name] for name in names if name in seen), None):
            known.setdefault(key, found)
    carried = memory.keys if unchanged else {}
    return Churn(
        keys=tuple(keys),
        ids=tuple(_id(one, key, known.get(key), feed_url) for one, key in zip(shown, keys, strict=True)),
        known=known,
        note=_note(shown, carried, keyed_by_guid=links_change, guids_change=guids_change),
        guids_change=guids_change,
        links_change=links_change,
        guids_reused=len(reused),
        without_link_and_guid=sum(
            bool(one.by_link) and not one.entry.guid.strip() and not one.entry.identifying_link for one in shown
        ),
    )


def _shown(entry: Entry, by_link: str, memory: Memory, reused: Collection[str]) -> _Shown:
    guid = entry.guid.strip()
    if not guid or guid in reused:
        return _Shown(entry=entry, by_link=by_link, by_guid="", guid=b"", was="")
    hashed = blake2b(guid.encode("utf-8", "replace"), digest_size=_GUID_BYTES).digest()
    was = memory.keys.get(hashed, "")
    return _Shown(entry=entry, by_link=by_link, by_guid=entry_key(guid, "", ""), guid=hashed, was=was)


def read_memory(note: SeenEntry | None) -> Memory:
    """Return what a note says; one that cannot be read says nothing."""
    if note is None:
        return Memory()
    signs, _, packed = note.content_hash.partition(":")
    try:
        data = base64.b64decode(packed, validate=True)
    except (binascii.Error, ValueError):
        data = b""
    size = _GUID_BYTES + _KEY_BYTES
    rows = [data[start : start + size] for start in range(0, len(data) // size * size, size)]
    keys = {row[:_GUID_BYTES]: row[_GUID_BYTES:].hex() for row in rows}
    return Memory(keyed_by_guid="g" in signs, guids_change="c" in signs, keys=keys)


def _reused(entries: Sequence[Entry], by_link: Sequence[str]) -> set[str]:
    """Return the guids that stand here with more than one link."""
    links: dict[str, set[str]] = defaultdict(set)
    for entry, key in zip(entries, by_link, strict=True):
        links[entry.guid.strip()].add(key)
    return {guid for guid, keys in links.items() if guid and len(keys) > 1}


def _compare(shown: Sequence[_Shown], seen: Mapping[str, SeenEntry], memory: Memory) -> _Compared:
    compared, former = _Compared(), set(memory.keys.values())
    for one in shown:
        if one.was and one.was == one.by_link:
            compared.same += 1
        elif one.was and one.was in seen and seen[one.was].content_hash == hash_of(one.entry):
            compared.moved += 1
            compared.moved_texts.add(seen[one.was].content_hash)
        elif one.was:
            compared.other += 1
        elif one.guid and one.by_link in former:
            compared.renamed += 1
    return compared


def _is_most(compared: _Compared, unchanged: int) -> bool:
    """Whether links are made up at every fetch. Equal texts prove nothing: "Photo of the day" is one every day."""
    total = compared.same + compared.moved + compared.other + compared.renamed + unchanged
    return len(compared.moved_texts) >= LEAST_MOVED and compared.moved >= MOST * total


def _id(one: _Shown, key: str, before: SeenEntry | None, feed_url: str) -> str:
    if not key:
        return ""
    if before and before.article_id:
        return before.article_id
    if key == one.by_guid:
        # By its guid, or a poll that dies before it is saved would publish it once more under its next link.
        return article_id(link="", feed_url=feed_url, guid=one.entry.guid, content="")
    return id_of(one.entry, feed_url)


def _note(
    shown: Sequence[_Shown], carried: Mapping[bytes, str], *, keyed_by_guid: bool, guids_change: bool
) -> SeenEntry:
    """Return the note of this poll; ``carried`` is what the last one knew of entries that were not read again."""
    keys = {
        one.guid: one.by_link
        for one in shown
        if one.guid and one.entry.identifying_link and one.entry.guid.strip() != one.entry.link
    }
    keys |= {guid: key for guid, key in carried.items() if guid not in keys}
    packed = b"".join(guid + bytes.fromhex(key) for guid, key in list(keys.items())[:MAX_REMEMBERED])
    signs = "g" * keyed_by_guid + "c" * guids_change
    return SeenEntry(
        key=NOTE_KEY, article_id="", content_hash=f"{signs}:{base64.b64encode(packed).decode('ascii')}"
    )  # fmt: skip
