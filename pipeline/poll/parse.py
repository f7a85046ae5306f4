"""From the bytes of a feed to its entries, whatever those bytes are."""

from __future__ import annotations

import calendar
import html
import re
import time
from collections.abc import Collection, Iterable
from datetime import UTC, datetime
from typing import Any

from msgspec.structs import replace

from pipeline.identity import canonical_link
from pipeline.outcomes import FlagName
from pipeline.poll import bounds
from pipeline.poll.bounds import NotAFeed
from pipeline.poll.entry import Entry, KnownItem, ParsedFeed, primary_language
from pipeline.poll.hints import hints_in
from pipeline.poll.noted import Noted, cut, link_in
from pipeline.poll.reading import read_items
from pipeline.text.characters import one_line
from pipeline.text.charset import decode_feed
from pipeline.text.limits import (
    MAX_GUID_CHARACTERS,
    MAX_HTML_CHARACTERS,
    MAX_SUMMARY_CHARACTERS,
    MAX_TITLE_CHARACTERS,
)
from pipeline.text.markup import plain_text

__all__ = ["Entry", "KnownItem", "NotAFeed", "ParsedFeed", "parse_feed", "primary_language"]

_TEXT_TYPES = frozenset(("text/html", "application/xhtml+xml", "text/plain"))


def parse_feed(body: bytes, *, content_type: str = "", url: str = "", known: Collection[int] = ()) -> ParsedFeed:
    """Return what a feed says: RSS 0.9x to 2.0, RDF and Atom, in any encoding, well-formed or not.

    ``url`` is where it was found; relative links are resolved against it. Items with a ``raw_hash`` in ``known`` are
    not read but listed; the others are read exactly as they are without it. Nothing is opened or fetched.

    Raises:
        NotAFeed: it is something else, or built to exhaust its reader; the reason says which.
    """
    bounds.refuse_bytes(body)
    text, guessed = decode_feed(body, content_type)
    root = bounds.root_of(text)
    read = read_items(text, root, known)
    raw = read.raw
    if not raw.entries and not read.known and not raw.version:
        raise NotAFeed(f"not a feed: its root element is <{root[:80]}>")
    site = link_in(_raw(raw.feed, "link"), url)
    homes = {canonical_link(site), canonical_link(url)}
    language = primary_language(_raw(raw.feed, "language"))
    charset: tuple[FlagName, ...] = ("charset_guessed",) if guessed else ()
    return ParsedFeed(
        title=Noted(()).plain(_raw(raw.feed, "title"), MAX_TITLE_CHARACTERS, "title_truncated"),
        link=site,
        language=language,
        entries=tuple(
            replace(_entry(entry, url, homes, language, charset), place=item.place, raw_hash=item.raw_hash)
            for entry, item in zip(raw.entries, read.items, strict=True)
        ),
        known=read.known,
        total=len(read.known) + len(read.items),
        hints=hints_in(text),
        cut=read.cut,
    )


def _entry(raw: Any, url: str, homes: set[str], feed_language: str, flags: tuple[FlagName, ...]) -> Entry:
    noted = Noted(flags)
    link = _entry_link(raw, url, noted)
    markup, other = _markups(raw)
    text, had_more = cut(noted.clean(markup), MAX_HTML_CHARACTERS)
    summary = noted.plain(other, MAX_SUMMARY_CHARACTERS, "body_truncated") if other else ""
    if had_more:
        noted.add("body_truncated")
    language = next(
        (code for part in _details(raw) if (code := primary_language(_raw(part, "language"))) != "und"), "und"
    )
    return Entry(
        guid=one_line(_raw(raw, "id")[:MAX_GUID_CHARACTERS]),
        link=link,
        identifying_link="" if canonical_link(link) in homes else link,
        title=noted.plain(_raw(raw, "title"), MAX_TITLE_CHARACTERS, "title_truncated"),
        summary=summary if summary and summary != plain_text(text) else "",
        html=text,
        authors=noted.listed(_authors(raw)),
        tags=noted.listed(_raw(tag, "label") or _raw(tag, "term") for tag in dict.get(raw, "tags") or ()),
        language=language if language != "und" else feed_language,
        # Atom's entries need only "updated", and dc:date of RSS counts as such.
        published=_date(raw, ("published", "created"), noted) or _date(raw, ("updated",), noted),
        updated=_date(raw, ("updated",), noted),
        flags=tuple(noted.flags),
    )


def _raw(values: Any, name: str) -> str:
    """Return a text as feedparser stored it, past its own lookup, which falls back from one name to another."""
    value = dict.get(values, name)
    return value if isinstance(value, str) else ""


def _entry_link(raw: Any, url: str, noted: Noted) -> str:
    # FeedBurner and its kin put the publisher's own address beside that of their redirect.
    written = _raw(raw, "feedburner_origlink") or _raw(raw, "link")
    if not written:
        return ""
    if written == _raw(raw, "id") and not re.match(r"https?:", written.strip(), re.IGNORECASE):
        return ""  # a guid that was not marked as opaque and is no address either
    link = link_in(written, url)
    if not link:
        noted.add("link_removed")
    return link


def _details(raw: Any) -> list[Any]:
    """Return the texts of an entry with their types: contents, summary and title."""
    found = [*(dict.get(raw, "content") or ()), dict.get(raw, "summary_detail"), dict.get(raw, "title_detail")]
    return [detail for detail in found if isinstance(detail, dict)]


def _markups(raw: Any) -> tuple[str, str]:
    """Return the richest text of an entry as markup, and the first other one."""
    contents = [*(dict.get(raw, "content") or ()), dict.get(raw, "summary_detail") or {}]
    texts = [
        html.escape(_raw(part, "value"), quote=False) if _raw(part, "type") == "text/plain" else _raw(part, "value")
        for part in contents
        if _raw(part, "type") in _TEXT_TYPES
    ]
    texts = list(dict.fromkeys(text for text in (*texts, *([] if any(texts) else [_raw(raw, "summary")])) if text))
    if not texts:
        return "", ""
    richest = max(texts, key=len)
    return richest, next((text for text in reversed(texts) if text != richest), "")


def _authors(raw: Any) -> list[str]:
    names = [_raw(author, "name") for author in dict.get(raw, "authors") or ()]
    return names if any(names) else [_raw(raw, "author")]


def _date(raw: Any, names: Iterable[str], noted: Noted) -> datetime | None:
    for name in names:
        moment = dict.get(raw, f"{name}_parsed")
        if isinstance(moment, time.struct_time):
            try:
                return datetime.fromtimestamp(calendar.timegm(moment), UTC)
            except (ValueError, OverflowError, OSError):
                moment = None
        if moment is None and _raw(raw, name).strip():
            noted.add("published_unreadable")
    return None
