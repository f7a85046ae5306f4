"""A feed file: its items as poll would publish them, but for a feed that nobody subscribed to."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from pipeline.article import Article, Lane
from pipeline.errors import DropArticle
from pipeline.ingest.problem import FileProblem, UnreadableFile
from pipeline.poll import formats
from pipeline.poll.articles import Source, article_of
from pipeline.poll.bounds import NotAFeed


def read_feed(
    content: bytes, *, path: str, lane: Lane, now: datetime, feed_url: str = ""
) -> Iterator[Article | FileProblem]:
    """Yield the items of a feed; one without text, or with no identity, is a problem of its own.

    A guid is taken as unique within ``feed_url``, as poll takes it, or within the feed's site when the file does not
    say where the feed was.

    Raises:
        UnreadableFile: it is not a feed, or has no items.
    """
    try:
        feed = formats.read_feed(content)
    except NotAFeed as refusal:
        raise UnreadableFile(f"not a feed: {refusal.reason.removeprefix('not a feed: ')}") from refusal
    if not feed.entries:
        raise UnreadableFile("a feed without items")
    source = Source(feed_url=feed_url or feed.link, lane=lane, source_path=path)
    for number, entry in enumerate(feed.entries, start=1):
        if not (entry.title or entry.summary or entry.html):
            yield FileProblem(path, 0, f"item {number}: neither title nor text")
            continue
        try:
            yield article_of(entry, feed, source, now)
        except DropArticle as drop:
            yield FileProblem(path, 0, f"item {number}: {drop.detail}")
    if feed.cut:
        yield FileProblem(path, 0, f"only its first {len(feed.entries):,} items were read")
