"""JSON lines: one article a line, with the field names of ``Article``."""

from __future__ import annotations

import gzip
import io
import json
import sys
import zlib
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO

import msgspec
from msgspec import Struct

from pipeline.article import Article, Heading, Lane
from pipeline.identity import article_id, clean_link
from pipeline.ingest.problem import FileProblem, UnreadableFile
from pipeline.outcomes import FlagName
from pipeline.text.characters import well_formed
from pipeline.text.charset import decode
from pipeline.text.times import parse_time

MAX_LINE_BYTES = 20 * 1024 * 1024
MAX_PROBLEMS = 1_000
"""Of one file that are told one by one."""
HIGHEST_RATIO = 100
"""Unpacked over packed: JSON lines stay under 30, bombs reach 1,032."""
ALWAYS_ALLOWED_BYTES = 50 * 1024 * 1024


class Line(Struct, frozen=True, kw_only=True):
    """What is read of a line; at least ``title`` or ``body`` (or ``summary``, or ``html``) is wanted."""

    title: str = ""
    body: str = ""
    headings: tuple[Heading, ...] = ()
    html: str = ""
    summary: str = ""
    url: str = ""
    canonical_url: str = ""
    guid: str = ""
    outlet: str = ""
    origin: str = ""
    language: str = "und"
    authors: tuple[str, ...] | str = ()
    tags: tuple[str, ...] | str = ()
    published: str = ""
    updated: str = ""


_OURS = frozenset(Article.__struct_fields__) - frozenset(Line.__struct_fields__)
"""Fields that the path fills in; in a line that it wrote itself they are made anew, in any other they are strange."""


def read_lines(content: bytes, *, path: str, lane: Lane, now: datetime) -> Iterator[Article | FileProblem]:
    """Yield the article, or the problem, of every line that is not empty. A wrong line does not stop the others."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf", b"\x00\x00\xfe\xff")):
        content = decode(content)[0].encode("utf-8", "replace")
    return _read(io.BytesIO(content), path=path, lane=lane, now=now)


def stream_lines(path: Path, *, shown: str, lane: Lane, now: datetime) -> Iterator[Article | FileProblem]:
    """Do the same for a file of UTF-8 of any size, packed with gzip or not; one line is in memory at a time.

    Raises:
        UnreadableFile: a disk that fails, or gzip that is damaged or a bomb; the lines before it were yielded.
    """
    with path.open("rb") as file:
        is_packed = file.read(2) == b"\x1f\x8b"
        most = max(ALWAYS_ALLOWED_BYTES, HIGHEST_RATIO * path.stat().st_size)
        file.seek(0)
        lines: BinaryIO = gzip.GzipFile(fileobj=file) if is_packed else file  # type: ignore[assignment]
        try:
            yield from _read(lines, path=shown, lane=lane, now=now, most=most)
        except (OSError, EOFError, zlib.error) as error:  # gzip's own errors are among these
            raise UnreadableFile(f"cannot be read to its end: {error}") from error


def _read(
    file: BinaryIO, *, path: str, lane: Lane, now: datetime, most: int = sys.maxsize
) -> Iterator[Article | FileProblem]:
    number = problems = 0
    while line := file.readline(MAX_LINE_BYTES):
        number += 1
        if file.tell() > most:
            raise UnreadableFile(f"unpacks to more than {HIGHEST_RATIO} times its size")
        try:
            if len(line) == MAX_LINE_BYTES and not line.endswith(b"\n"):
                _skip_line(file)
                raise ValueError(f"longer than {MAX_LINE_BYTES // 1024**2} MiB")
            if line.strip():
                yield _article(line, lane=lane, now=now)
        except (msgspec.MsgspecError, RecursionError, ValueError) as error:
            problems += 1
            if problems <= MAX_PROBLEMS:
                yield FileProblem(path, number, f"not an article: {error}")
    if problems > MAX_PROBLEMS:
        yield FileProblem(path, 0, f"and {problems - MAX_PROBLEMS:,} more lines that are no articles")


def _skip_line(file: BinaryIO) -> None:
    while (rest := file.readline(1024 * 1024)) and not rest.endswith(b"\n"):
        pass


def _article(line: bytes, *, lane: Lane, now: datetime) -> Article:
    """Return the article of a line; raises ``ValueError`` or msgspec's errors, with words for a person."""
    found, flags = _decoded(line)
    if not isinstance(found, dict):
        raise ValueError(f"a JSON object is wanted on each line, this is {type(found).__name__}")
    values: dict[str, Any] = {key: value for key, value in found.items() if value is not None}
    read = msgspec.convert({key: values[key] for key in Line.__struct_fields__ if key in values}, Line)
    if not any(text.strip() for text in (read.title, read.body, read.html, read.summary)):
        raise ValueError("neither title nor body")
    return _made(read, _others(values), lane=lane, now=now).flagged(*flags)


def _decoded(line: bytes) -> tuple[Any, tuple[FlagName, ...]]:
    """Return what a line holds, and a flag when it had half a character (``\\ud83d`` alone), which becomes U+FFFD."""
    try:
        return msgspec.json.decode(line), ()
    except msgspec.DecodeError as error:
        try:
            mended = well_formed(json.dumps(json.loads(line), ensure_ascii=False))
        except ValueError:
            raise error from None
        return msgspec.json.decode(mended), ("controls_removed",)


def _others(values: dict[str, Any]) -> dict[str, Any]:
    known = set(Line.__struct_fields__) | (_OURS if "schema_version" in values else set())
    return {key: value for key, value in values.items() if key not in known}


def _made(read: Line, extra: dict[str, Any], *, lane: Lane, now: datetime) -> Article:
    published, updated = parse_time(read.published), parse_time(read.updated)
    url = clean_link(read.url)
    # A guid is unique within a feed only, and a file is none: without a link the content is the identity.
    ident = article_id(link=url, feed_url="", guid="", content=f"{read.title}\n{read.body}\n{read.html}{read.summary}")
    article = Article(
        id=ident,
        lane=lane,
        url=url,
        canonical_url=clean_link(read.canonical_url),
        guid=read.guid,
        outlet=read.outlet,
        origin=read.origin,
        title=read.title,
        summary=read.summary,
        body=read.body,
        headings=read.headings,
        html=read.html,
        text_from="file",
        authors=_several(read.authors),
        tags=_several(read.tags),
        language=read.language,
        published=published,
        updated=updated,
        first_seen=now,
        extra=extra,
    )
    if (read.published and not published) or (read.updated and not updated):
        article = article.flagged("published_unreadable")
    return article.flagged("link_removed") if read.url and not url else article


def _several(words: tuple[str, ...] | str) -> tuple[str, ...]:
    return (words,) if isinstance(words, str) else words
