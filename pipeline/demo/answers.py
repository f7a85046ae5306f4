"""What the demo server answers: a pure function of the request and the second."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from hashlib import blake2b, sha256
from html import escape
from typing import Literal

from msgspec import Struct

from pipeline.demo import world
from pipeline.demo.render import Place, feed_text, feed_xml, page_html, plain_page
from pipeline.demo.timetable import Timetable
from pipeline.demo.world import Item, OutletView

HTML = "text/html; charset=utf-8"
_FEED_TYPES = {
    "rss": "application/rss+xml; charset=utf-8",
    "atom": "application/atom+xml; charset=utf-8",
    "rdf": "application/rdf+xml; charset=utf-8",
}


class ServedItem(Struct, frozen=True, kw_only=True):
    """One form of one article that the server has handed out, in its feed or as a page."""

    kind: Literal["feed", "page"]
    feed: str
    """Address of the outlet's feed."""
    link: str
    title: str
    text: str
    """All the text that was given away, paragraphs separated by an empty line."""
    revision: int

    @property
    def text_hash(self) -> str:
        """SHA-256 of ``text`` in UTF-8, in hexadecimal."""
        return sha256(self.text.encode()).hexdigest()


class Answer(Struct, frozen=True, kw_only=True):
    """One response, and what a client that reads it to its end has been given."""

    status: int
    headers: dict[str, str]
    body: bytes = b""
    items: tuple[ServedItem, ...] = ()


def answer(path: str, headers: Mapping[str, str], timetable: Timetable, elapsed: float, place: Place) -> Answer:
    """Return the answer to a GET of ``path`` (query included, ignored) with ``headers``, names in lower case."""
    slug, _, name = path.partition("?")[0].strip("/").partition("/")
    if not slug:
        return _index(timetable, elapsed, place)
    view = world.outlet_at(timetable, slug, elapsed)
    if view is None:
        return _page(404, "Not found", "There is no such outlet in this demo.")
    if name != "feed.xml":
        item = world.item_at(timetable, slug, name, elapsed)
        missing = "There is no such article, or it is not out yet."
        return _article(view, item, headers, place) if item else _page(404, "Not found", missing)
    if view.fault == "error 500":
        return _page(500, "Internal server error", "This feed fails for the first seconds of the demo, then works.")
    if view.fault == "web page":
        return _page(200, view.outlet.title, "We have moved! Our feed is now a newsletter.")
    return _feed(view, headers, place)


def is_not_modified(headers: Mapping[str, str], etag: str, changed: datetime) -> bool:
    """Whether the client's copy is current (RFC 9110 section 13.1): If-None-Match decides alone where it is sent."""
    if (tags := headers.get("if-none-match")) is not None:
        known = [tag.strip().removeprefix("W/") for tag in tags.split(",")]
        return etag in known or "*" in known
    try:
        since = parsedate_to_datetime(headers.get("if-modified-since", ""))
    except ValueError:
        return False
    if since.tzinfo is None:  # "-0000" says: UTC, of an unknown place
        since = since.replace(tzinfo=UTC)
    return changed <= since


def _feed(view: OutletView, headers: Mapping[str, str], place: Place) -> Answer:
    feed_url = f"{place.url}/{view.outlet.slug}/feed.xml"
    items = tuple(
        ServedItem(
            kind="feed",
            feed=feed_url,
            link=place.url + item.path,
            title=item.title,
            text=feed_text(item, view.outlet),
            revision=item.revision,
        )
        for item in view.items
    )
    body = feed_xml(view, place)
    return _conditional(body, _FEED_TYPES[view.outlet.format], headers, place.time(view.changed), items)


def _article(view: OutletView, item: Item, headers: Mapping[str, str], place: Place) -> Answer:
    served = ServedItem(
        kind="page",
        feed=f"{place.url}/{view.outlet.slug}/feed.xml",
        link=place.url + item.path,
        title=item.title,
        text="\n\n".join(item.paragraphs),
        revision=item.revision,
    )
    body = page_html(item, view.outlet, place)
    return _conditional(body, HTML, headers, place.time(item.updated), (served,))


def _index(timetable: Timetable, elapsed: float, place: Place) -> Answer:
    lines = [
        f'<a href="{place.url}/{view.outlet.slug}/feed.xml">{escape(view.outlet.title)}</a>'
        f" ({view.outlet.language}, {view.outlet.format}): {len(view.items)} items"
        for view in world.at(timetable, elapsed).outlets
    ]
    return Answer(status=200, headers={"Content-Type": HTML}, body=plain_page("The world of the demo", lines))


def _page(status: int, title: str, line: str) -> Answer:
    return Answer(status=status, headers={"Content-Type": HTML}, body=plain_page(title, [escape(line)]))


def _conditional(
    body: bytes, content_type: str, headers: Mapping[str, str], changed: datetime, items: tuple[ServedItem, ...]
) -> Answer:
    etag = f'"{blake2b(body, digest_size=12).hexdigest()}"'
    validators = {"ETag": etag, "Last-Modified": format_datetime(changed, usegmt=True), "Cache-Control": "no-cache"}
    if is_not_modified(headers, etag, changed):
        return Answer(status=304, headers=validators)
    return Answer(status=200, headers={"Content-Type": content_type, **validators}, body=body, items=items)
