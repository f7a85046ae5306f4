"""JSON Feed 1.0 and 1.1 (https://www.jsonfeed.org/version/1.1/).

``next_url`` is not followed: it leads to what is older, and a poll wants what is new. Attachments are not read.
"""

from __future__ import annotations

import html
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from msgspec.structs import replace

from pipeline.identity import canonical_link
from pipeline.outcomes import FlagName
from pipeline.poll import bounds
from pipeline.poll.bounds import NotAFeed
from pipeline.poll.json_text import BrokenJson, Number, elements, members, value
from pipeline.poll.noted import Noted, cut, link_in
from pipeline.poll.parse import Entry, ParsedFeed, primary_language
from pipeline.text.characters import one_line
from pipeline.text.charset import decode_feed
from pipeline.text.limits import (
    MAX_GUID_CHARACTERS,
    MAX_HTML_CHARACTERS,
    MAX_LIST_LENGTH,
    MAX_SUMMARY_CHARACTERS,
    MAX_TITLE_CHARACTERS,
)
from pipeline.text.markup import plain_text
from pipeline.text.times import parse_time

_WANTED = frozenset(("version", "title", "home_page_url", "language", "expired"))
_VERSION = "jsonfeed.org/version/1"
MAX_NAMES_READ = 4 * MAX_LIST_LENGTH
MAX_DATE_CHARACTERS = 100


def is_json(body: bytes) -> bool:
    """Whether a body begins as a JSON object or list does."""
    return body[:1_000].lstrip(b"\xef\xbb\xbf \t\r\n\0")[:1] in {b"{", b"["}


def parse_json_feed(body: bytes, *, content_type: str = "", url: str = "") -> ParsedFeed:
    """Return what a JSON Feed says, by the rules and limits of ``parse_feed``.

    A field of the wrong type is as if it were not there; of JSON that breaks off, the items before the fault count.

    Raises:
        NotAFeed: it is other JSON, or built to exhaust its reader.
    """
    bounds.refuse_bytes(body)
    text, guessed = decode_feed(body, content_type)
    feed, items, was_cut = _read(text.lstrip("\ufeff \t\r\n\0"))
    home = link_in(_text(feed, "home_page_url"), url)
    homes = {canonical_link(home), canonical_link(url)}
    language = primary_language(_text(feed, "language"))
    charset: tuple[FlagName, ...] = ("charset_guessed",) if guessed else ()
    return ParsedFeed(
        title=Noted(()).plain(_escaped(_text(feed, "title")), MAX_TITLE_CHARACTERS, "title_truncated"),
        link=home,
        language=language,
        entries=tuple(
            replace(_entry(item, url, homes, language, charset), place=place) for place, item in enumerate(items)
        ),
        total=len(items),
        cut=was_cut,
    )


def _read(text: str) -> tuple[dict[str, Any], list[Mapping[str, Any]], bool]:
    """Return the feed's own members, its items, and whether there were more."""
    feed: dict[str, Any] = {}
    items: list[Mapping[str, Any]] | None = None
    fault, was_cut = "", False
    try:
        for name, at in members(text):
            if name == "items" and items is None:
                items = []
                for item in elements(text, at):
                    if was_cut := len(items) >= bounds.MAX_ITEMS:
                        break
                    if isinstance(item, dict):
                        items.append(item)
                if was_cut:
                    break
            elif name in _WANTED and name not in feed:
                feed[name] = value(text, at)
    except BrokenJson as error:
        fault = str(error)
    is_feed = _VERSION in _text(feed, "version")
    if not is_feed or items is None or (fault and not items):
        raise NotAFeed(f"JSON that cannot be read: {fault}" if fault else "JSON that is not a JSON Feed")
    return feed, items, was_cut or bool(fault)


def _entry(
    item: Mapping[str, Any], url: str, homes: set[str], feed_language: str, flags: tuple[FlagName, ...]
) -> Entry:
    noted = Noted(flags)
    link = _link(item, url, noted)
    markup = _text(item, "content_html") or _escaped(_text(item, "content_text"))
    short = _escaped(_text(item, "summary"))
    markup, short = (markup, short) if markup else (short, "")
    content, had_more = cut(noted.clean(markup), MAX_HTML_CHARACTERS)
    if had_more:
        noted.add("body_truncated")
    summary = noted.plain(short, MAX_SUMMARY_CHARACTERS, "body_truncated") if short else ""
    language = primary_language(_text(item, "language"))
    return Entry(
        guid=one_line(_guid(item)[:MAX_GUID_CHARACTERS]),
        link=link,
        identifying_link="" if canonical_link(link) in homes else link,
        title=noted.plain(_escaped(_text(item, "title")), MAX_TITLE_CHARACTERS, "title_truncated"),
        summary=summary if summary != plain_text(content) else "",
        html=content,
        authors=noted.listed(_escaped(name) for name in _authors(item)),
        tags=noted.listed(
            _escaped(tag) for tag in _list(item, "tags") if isinstance(tag, str) and not isinstance(tag, Number)
        ),
        language=language if language != "und" else feed_language,
        published=_date(item, ("date_published", "date_modified"), noted),
        updated=_date(item, ("date_modified",), noted),
        flags=tuple(noted.flags),
    )


def _link(item: Mapping[str, Any], url: str, noted: Noted) -> str:
    """Return the item's own address; without one, the page that it is about, as a linkblog has it."""
    written = _text(item, "url") or _text(item, "external_url")
    guid = _text(item, "id")
    if not written and guid.lower().startswith(("http://", "https://")):
        written = guid  # "Ideally, the id is the full URL of the resource described by the item"
    link = link_in(written, url)
    if written and not link:
        noted.add("link_removed")
    return link


def _guid(item: Mapping[str, Any]) -> str:
    """Return the id; a number is to be taken as text (1.1, "Items")."""
    found = item.get("id")
    return str(found) if isinstance(found, Number) else _text(item, "id")


def _authors(item: Mapping[str, Any]) -> list[str]:
    listed = [author for author in _list(item, "authors") if isinstance(author, dict)]
    single = item.get("author")  # of version 1.0
    found = listed or ([single] if isinstance(single, dict) else [])
    return [name for author in found if (name := _text(author, "name"))]


def _list(values: Mapping[str, Any], name: str) -> list[Any]:
    found = values.get(name)
    return found[:MAX_NAMES_READ] if isinstance(found, list) else []


def _text(values: Mapping[str, Any], name: str) -> str:
    return _as_text(values.get(name))


def _as_text(found: Any) -> str:
    return found if isinstance(found, str) and not isinstance(found, Number) else ""


def _escaped(text: str) -> str:
    """Return plain text as markup, which is what all texts of an entry are cleaned as."""
    return html.escape(text, quote=False)


def _date(item: Mapping[str, Any], names: tuple[str, ...], noted: Noted) -> datetime | None:
    for name in names:
        written = _text(item, name)
        if not written.strip():
            continue
        if moment := parse_time(written[:MAX_DATE_CHARACTERS]):
            return moment
        noted.add("published_unreadable")
    return None
