"""A WARC file (ISO 28500): the pages and feeds that a crawler kept, as fetch and poll would have found them."""

from __future__ import annotations

from base64 import b16decode, b32decode
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from hashlib import md5, sha1, sha256
from io import BytesIO
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace
from warcio.statusandheaders import StatusAndHeaders, StatusAndHeadersParser

from pipeline.article import Article, Lane
from pipeline.identity import clean_link
from pipeline.ingest.content import kind_of
from pipeline.ingest.feed_file import read_feed
from pipeline.ingest.http_body import plain_body
from pipeline.ingest.page_file import MAX_PAGE_FILE_BYTES, NoArticle, read_page
from pipeline.ingest.problem import FileProblem, Skipped, UnreadableFile
from pipeline.ingest.warc_stream import MAX_HEADER_BYTES, Damage, Damaged, WarcRecord, warc_records
from pipeline.ports import Pages
from pipeline.text.times import parse_time, plausible

MAX_PROBLEMS = 100
"""Of one file that are told one by one; an archive may have millions of records."""
MAX_KINDS = 200
"""Of records passed over that are counted apart: their names are a stranger's."""

_PAGE_TYPES = frozenset(("text/html", "application/xhtml+xml"))
_FEED_TYPES = frozenset(
    ("application/rss+xml", "application/atom+xml", "application/rdf+xml", "application/feed+json", "application/xml",
     "text/xml")
)  # fmt: skip
_HASHES = {"sha1": sha1, "sha256": sha256, "md5": md5}
_http_headers = StatusAndHeadersParser(["HTTP/"], verify=False)


class PassedOver(Exception):
    """This record holds no article and nothing is wrong with it; the message is the kind that it is counted under."""


class Capture(Struct, frozen=True, kw_only=True):
    """An answer as the archive has it."""

    url: str
    at: datetime
    """When it was fetched."""
    kind: str
    """Its media type, in lower case; empty when it names none."""
    body: bytes
    is_cut: bool
    """Whether the crawler says that it did not keep all of it."""


def read_warc(
    path: Path, *, shown: str, lane: Lane, now: datetime, pages: Pages, wants_article: bool
) -> Iterator[Article | FileProblem | Skipped]:
    """Yield the articles of a WARC file record by record, what is wrong with it, and last what was passed over.

    Pages and feeds of answers with status 200 are read; the address is the one that was asked for, and the time of the
    record is ``fetched``. Never more than one record is in memory.
    """
    tally = _Tally(shown)
    with path.open("rb") as file:
        for record in warc_records(file):
            if isinstance(record, Damage):
                yield from tally.problem(record.offset, record.cause)
                continue
            try:
                yield from _articles(record, lane=lane, now=now, pages=pages, wants_article=wants_article, path=shown)
            except PassedOver as kind:
                tally.passed_over(str(kind))
            except UnreadableFile as cause:
                yield from tally.problem(record.offset, str(cause))
            except Damaged:
                continue  # it comes next
    yield from tally.summary()


def _articles(
    record: WarcRecord, *, lane: Lane, now: datetime, pages: Pages, wants_article: bool, path: str
) -> Iterator[Article | FileProblem]:
    """Yield what one record holds. Raises ``PassedOver``, ``UnreadableFile`` and ``Damaged``."""
    capture = _capture(record, now)
    if kind_of(capture.body, Path()) == "feed":
        for item in read_feed(capture.body, path=path, lane=lane, now=now, feed_url=capture.url):
            yield replace(item, fetched=capture.at) if isinstance(item, Article) else item
        return
    if capture.kind in _FEED_TYPES:
        raise PassedOver(capture.kind)
    try:
        article = read_page(
            capture.body, lane=lane, now=now, pages=pages, wants_article=wants_article, url=capture.url,
            fetched=capture.at,
        )  # fmt: skip
    except NoArticle:
        raise PassedOver("page without an article") from None
    yield article.flagged("body_truncated") if capture.is_cut else article


def _capture(record: WarcRecord, now: datetime) -> Capture:
    """Read a record's answer. Raises ``PassedOver``, ``UnreadableFile`` and ``Damaged``."""
    url = clean_link(record.header("WARC-Target-URI").removeprefix("<").removesuffix(">"))  # Wget 1.19 wrote brackets
    kind = record.header("WARC-Type")
    if kind == "resource" and url:
        headers, start = StatusAndHeaders("200 OK", [("Content-Type", record.header("Content-Type"))]), b""
        head_bytes = 0
    elif kind == "response" and url:
        start = record.read(MAX_HEADER_BYTES)
        headers, head_bytes = _http_head(start)
    else:
        raise PassedOver(kind or "without a type")
    media_type = (headers.get_header("Content-Type") or "").partition(";")[0].strip().lower()
    if headers.get_statuscode() != "200":
        raise PassedOver(f"HTTP {headers.get_statuscode()}")
    if media_type and media_type not in _PAGE_TYPES | _FEED_TYPES:
        raise PassedOver(media_type)
    if record.length - head_bytes > MAX_PAGE_FILE_BYTES:
        raise UnreadableFile(f"a page larger than {MAX_PAGE_FILE_BYTES // 1024**2} MiB")
    block = start + record.read(record.left)
    _check_digests(record, block, block[head_bytes:])
    body = plain_body(
        block[head_bytes:],
        transfer_encoding=headers.get_header("Transfer-Encoding") or "",
        content_encoding=headers.get_header("Content-Encoding") or "",
        max_bytes=MAX_PAGE_FILE_BYTES,
    )
    if not body.strip() or (not media_type and not body.lstrip().startswith(b"<")):
        raise PassedOver("empty" if not body.strip() else "without a type")
    at, _ = plausible(parse_time(record.header("WARC-Date")), now)
    is_cut = bool(record.header("WARC-Truncated"))
    return Capture(url=url, at=at or now, kind=media_type, body=body, is_cut=is_cut)


def _http_head(start: bytes) -> tuple[StatusAndHeaders, int]:
    """Return the HTTP header at the start of a block, and how many bytes it has. Raises ``UnreadableFile``."""
    ends = [at + len(gap) for gap in (b"\r\n\r\n", b"\n\n") if (at := start.find(gap)) >= 0]
    if not ends or start[:5].upper() != b"HTTP/":
        raise UnreadableFile("its answer has no HTTP header")
    return _http_headers.parse(BytesIO(start[: min(ends)])), min(ends)


def _check_digests(record: WarcRecord, block: bytes, payload: bytes) -> None:
    """Raise ``UnreadableFile`` when the block is not what the crawler wrote.

    A payload's digest alone proves nothing: crawlers disagree on whether it is made before or after the body's codings
    are taken off. It counts when no digest of the block vouches for it, and only where there are no codings.
    """
    if (right := _matches(record.header("WARC-Block-Digest"), block)) is None:
        is_coded = _is_coded(block[: len(block) - len(payload)])
        right = None if is_coded else _matches(record.header("WARC-Payload-Digest"), payload)
    if right is False:
        raise UnreadableFile("damaged: its digest is another")


def _is_coded(head: bytes) -> bool:
    lowered = head.lower()
    return b"\ntransfer-encoding:" in lowered or b"\ncontent-encoding:" in lowered


def _matches(digest: str, body: bytes) -> bool | None:
    """Return whether ``sha1:BASE32`` (or hexadecimal) is that of ``body``; None for a digest that cannot be read."""
    name, _, value = digest.partition(":")
    make = _HASHES.get(name.lower().replace("-", ""))
    if make is None:
        return None
    found = make(body, usedforsecurity=False).digest()
    for decode in (b32decode, b16decode):
        with suppress(ValueError):
            claimed = decode(value + "=" * (-len(value) % 8) * (decode is b32decode), casefold=True)
            if len(claimed) == len(found):
                return claimed == found
    return None


class _Tally:
    """Counts what was passed over in one file, and tells its first problems."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._kinds: dict[str, int] = {}
        self._problems = 0

    def passed_over(self, kind: str) -> None:
        kind = kind[:60]
        if kind not in self._kinds and len(self._kinds) >= MAX_KINDS:
            kind = "others"
        self._kinds[kind] = self._kinds.get(kind, 0) + 1

    def problem(self, offset: int, cause: str) -> Iterator[FileProblem]:
        self._problems += 1
        if self._problems <= MAX_PROBLEMS:
            yield FileProblem(self._path, 0, f"record at byte {offset:,}: {cause}")

    def summary(self) -> Iterator[FileProblem | Skipped]:
        if (more := self._problems - MAX_PROBLEMS) > 0:
            yield FileProblem(self._path, 0, f"and {more:,} more records with problems")
        if self._kinds:
            yield Skipped(self._path, self._kinds)
