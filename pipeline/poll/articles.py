"""From an entry of a feed to a raw article: identity, dates that can be, and a size that fits a record."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from pipeline.article import Article, Lane, encode_article
from pipeline.identity import article_id, content_hash, entry_key, link_host
from pipeline.poll.parse import Entry, ParsedFeed, primary_language
from pipeline.text.times import plausible
from pipeline.topics import MAX_ARTICLE_BYTES


class Source(Struct, frozen=True, kw_only=True):
    """What an article inherits from where it was found."""

    feed_url: str
    feed: str = ""
    """Id of the feed; empty for a file."""
    outlet: str = ""
    language: str = ""
    lane: Lane = "live"
    first_poll: bool = False
    """Whether the feed was never read before, so that what it shows is no news."""
    source_path: str = ""


def key_of(entry: Entry) -> str:
    """Return the entry's identity within its feed; empty when it has none."""
    return entry_key(entry.guid, entry.identifying_link, _content(entry))


def id_of(entry: Entry, feed_url: str) -> str:
    """Return the id of the entry's article. Raises ``DropArticle`` when there is nothing to know it by."""
    return article_id(link=entry.identifying_link, feed_url=feed_url, guid=entry.guid, content=_content(entry))


def hash_of(entry: Entry) -> str:
    """Return the hash of what the entry says. Dates and guid are no part of it: feeds re-stamp both at will."""
    return content_hash(entry.title, entry.summary, entry.html)


def article_of(entry: Entry, parsed: ParsedFeed, source: Source, now: datetime, *, known_as: str = "") -> Article:
    """Return the raw article of an entry; it encodes to at most ``topics.MAX_ARTICLE_BYTES``.

    ``known_as`` is the id under which the entry was published before (``SeenEntry.article_id``): an id is fixed, even
    where the feed has moved, the link has changed or a rule for links was added since.

    Raises:
        DropArticle: there is nothing to know it by.
    """
    published, flags = plausible(entry.published, now)
    updated, more_flags = plausible(entry.updated, now)
    article = Article(
        id=known_as or id_of(entry, source.feed_url),
        lane=source.lane,
        url=entry.link,
        guid=entry.guid,
        feed=source.feed,
        outlet=source.outlet or link_host(parsed.link) or link_host(source.feed_url),
        title=entry.title,
        summary=entry.summary,
        html=entry.html,
        authors=entry.authors,
        tags=entry.tags,
        language=primary_language(source.language) if source.language else entry.language,
        published=published,
        updated=updated,
        first_seen=now,
        fetched=now,
        first_poll=source.first_poll,
        source_path=source.source_path,
    )
    return fitting(article.flagged(*entry.flags, *flags, *more_flags))


def fitting(article: Article) -> Article:
    """Return the article with as much of its markup as a record can carry."""
    while len(encode_article(article)) > MAX_ARTICLE_BYTES and article.html:
        article = replace(article, html=article.html[: len(article.html) * 3 // 4]).flagged("body_truncated")
    return article


def _content(entry: Entry) -> str:
    return "\n".join((entry.title, entry.summary, entry.html)).strip()
