"""From a path to raw articles: the files in it, in order, each by the reader for what it holds."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path

import msgspec

from pipeline.article import Article, Lane
from pipeline.enrich.effects import Explanation, explain
from pipeline.enrich.limits import fitted
from pipeline.enrich.run import enrich_article
from pipeline.enrich.tools import Tools
from pipeline.errors import DropArticle
from pipeline.ingest.content import kind_of, read_content, read_head
from pipeline.ingest.feed_file import read_feed
from pipeline.ingest.jsonl_file import read_lines, stream_lines
from pipeline.ingest.memory_pages import MemoryPages
from pipeline.ingest.page_file import read_page
from pipeline.ingest.problem import FileProblem, Skipped, UnreadableFile
from pipeline.ingest.text_file import read_text
from pipeline.ingest.warc_file import read_warc
from pipeline.ports import Pages
from pipeline.text.times import plausible

__all__ = ["Explanation", "FileProblem", "MemoryPages", "Skipped", "explain_path", "preview_path", "read_path"]


def read_path(
    path: Path, *, lane: Lane, now: datetime, pages: Pages, wants_article: bool = True, besides: Path | None = None
) -> Iterator[Article | FileProblem | Skipped]:
    """Yield the raw articles of a file, or of all files in a folder and below, and what gave none and why.

    Files are read in the order of their names; hidden ones are passed over. Pages go to ``pages``. Each article is cut
    to the size of a record and has ``first_seen`` = ``now``. The same file gives the same ids again. With
    ``wants_article`` a page in which no article is found is a problem; without, it is a record without text. The folder
    ``besides`` is passed over, wherever it is met.
    """
    for found in _files(path, besides):
        if isinstance(found, FileProblem):
            yield found
            continue
        try:
            for item in _read_file(found, lane=lane, now=now, pages=pages, wants_article=wants_article):
                yield _finished(item, found, now) if isinstance(item, Article) else item
        except UnreadableFile as unreadable:
            yield FileProblem(_shown(found), 0, str(unreadable))
        except DropArticle as drop:
            yield FileProblem(_shown(found), 0, drop.detail)


def preview_path(
    path: Path, *, tools: Tools, stages: Sequence[str], now: datetime
) -> Iterator[Article | FileProblem | Skipped]:
    """Yield what the path would make of a file or folder: read and enriched; only ``tools.pages`` is written to,
    and emptied again.

    A page without an article is a record with an empty body, flagged ``page_without_article``.
    """
    for item in _read_for_a_look(path, tools=tools, now=now):
        if not isinstance(item, Article):
            yield item
            continue
        try:
            yield enrich_article(item, tools, stages)
        except DropArticle as drop:
            if item.page:
                yield item.flagged("page_without_article")
            else:
                yield FileProblem(item.source_path, 0, f"{item.url or item.guid or item.id}: {drop}")


def explain_path(
    path: Path, *, tools: Tools, stages: Sequence[str], now: datetime
) -> Iterator[Explanation | FileProblem | Skipped]:
    """Yield what each stage would make of each article of a file or folder; as ``preview_path`` otherwise."""
    for item in _read_for_a_look(path, tools=tools, now=now):
        yield explain(item, tools, stages) if isinstance(item, Article) else item


def _read_for_a_look(path: Path, *, tools: Tools, now: datetime) -> Iterator[Article | FileProblem | Skipped]:
    """Yield what ``read_path`` does, and let go of each article's page when the next one is asked for."""
    for item in read_path(path, lane="live", now=now, pages=tools.pages, wants_article=False):
        yield item
        if isinstance(item, Article) and item.page:  # an archive's pages would fill the memory
            tools.pages.delete(item.page)


def _read_file(
    path: Path, *, lane: Lane, now: datetime, pages: Pages, wants_article: bool
) -> Iterator[Article | FileProblem | Skipped]:
    head = read_head(path)
    kind = kind_of(head, path)
    if kind == "warc":  # not read as a whole: many have a gigabyte; nor are lines
        try:
            yield from read_warc(path, shown=_shown(path), lane=lane, now=now, pages=pages, wants_article=wants_article)
        except OSError as error:  # of a disk that fails on the way
            raise UnreadableFile(f"cannot be read: {error.strerror or error}") from error
        return
    if kind == "jsonl" and head.lstrip().startswith(b"{"):
        yield from stream_lines(path, shown=_shown(path), lane=lane, now=now)
        return
    content = read_content(path)
    match kind_of(content, path):
        case "feed":
            yield from read_feed(content, path=_shown(path), lane=lane, now=now)
        case "jsonl":
            yield from read_lines(content, path=_shown(path), lane=lane, now=now)
        case "page":
            yield read_page(content, lane=lane, now=now, pages=pages, wants_article=wants_article)
        case "text":
            yield read_text(content, lane=lane, now=now)


def _finished(article: Article, path: Path, now: datetime) -> Article:
    """What is the same for all readers: where it came from, dates that can be, a size that fits."""
    published, flags = plausible(article.published, now)
    updated, more_flags = plausible(article.updated, now)
    article = msgspec.structs.replace(article, source_path=_shown(path), published=published, updated=updated)
    return fitted(article.flagged(*flags, *more_flags))


def _files(path: Path, besides: Path | None) -> Iterator[Path | FileProblem]:
    """Yield the files at and below ``path`` by name; each folder once, so that a loop of links ends."""
    waiting, entered = [path], set[tuple[int, int]]()
    if besides is not None and besides.is_dir():
        entered.add((besides.stat().st_dev, besides.stat().st_ino))
    while waiting:
        place = waiting.pop()
        if not os.path.isdir(place):
            yield place
            continue
        try:
            status = place.stat()
            if (status.st_dev, status.st_ino) in entered:
                continue
            entered.add((status.st_dev, status.st_ino))
            names = sorted(name for name in os.listdir(place) if not name.startswith("."))
        except OSError as error:
            yield FileProblem(_shown(place), 0, f"cannot be read: {error.strerror or error}")
            continue
        waiting.extend(place / name for name in reversed(names))


def _shown(path: Path) -> str:
    """Return a path as text; a name that is not UTF-8 is shown with U+FFFD."""
    return os.fsencode(path).decode("utf-8", "replace")
