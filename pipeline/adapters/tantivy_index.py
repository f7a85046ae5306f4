"""The embedded search index: a folder of tantivy, with one writing process and any number of readers."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any, Final

import tantivy
import zstandard

from pipeline.adapters.indexable import CannotIndex
from pipeline.adapters.tantivy_document import (
    article_of,
    build_document,
    build_schema,
    count_field,
    day_of,
)
from pipeline.adapters.tantivy_folder import damaged, find_index, make_index, sync_folder, uninterrupted
from pipeline.article import Article
from pipeline.errors import IndexInUse, TryLater, WirewatchError
from pipeline.ports import CountField, Hit, Hits, IndexDelete, IndexOutcome, Sort
from pipeline.query.fields import is_utf8
from pipeline.query.to_tantivy import to_tantivy
from pipeline.query.tree import Everything, Query

DEFAULT_HEAP_BYTES: Final = 64_000_000
"""Memory for documents that are not in a segment yet; tantivy takes no less than 15 MB."""

MAX_DOCUMENTS_TO_MERGE_AT_CLOSE: Final = 50_000
"""Merging 28,000 articles of 3.4 kB took 2.1 s; a stop must not take more than some seconds, so larger ones wait."""

_OLDER = IndexOutcome("older")
_UPDATED = IndexOutcome("updated")
_WRITTEN = IndexOutcome("written")
_MAX_BUCKETS = date.max.toordinal()
_TANTIVY_ERRORS = (OSError, ValueError, RuntimeError)
"""What tantivy raises when it cannot write, for a full disk among others; it has no exception of its own."""


class TantivyIndex:
    """A ``SearchIndex`` in the folder ``path``. Readers need no lock and see each commit made before their call.

    A reader of a folder that does not exist yet finds nothing, until a writer has made it. A writer holds tantivy's
    lock (``flock``, so a killed process leaves none behind) until ``close``; only it may ``write`` and ``drop_month``.

    Raises:
        IndexInUse: ``writer`` is wanted while another process writes to it.
        DataFolderError: the folder is damaged, of another release, or no index of ours.
    """

    def __init__(self, path: Path, *, writer: bool, heap_bytes: int = DEFAULT_HEAP_BYTES) -> None:
        self._path = path
        self._process = os.getpid()
        self._schema = build_schema()
        self._heap_bytes = heap_bytes
        # Made once: making one costs as much as using it. At level 3 an article of 3 kB takes half its size.
        self._compress = zstandard.ZstdCompressor(level=3).compress
        self._decompress = zstandard.ZstdDecompressor().decompress
        self._may_write = writer
        self._index = make_index(path, self._schema) if writer else find_index(path, self._schema)
        self._writer = self._open_writer() if writer else None

    def write(self, items: Sequence[Article | IndexDelete]) -> Sequence[IndexOutcome]:
        """Write the items with one commit for all of them; on return they are on disk.

        Of two forms of an id the one with the higher version stays, and an equal one replaces. A delete that finds
        its article is ``updated``, one that does not is ``older``: nothing was left to do. It leaves no trace here, so
        whoever deletes keeps the tombstone.

        Raises:
            TryLater: the disk or tantivy refuses. Nothing since the last commit is kept; the next call starts anew.
        """
        self._check_may_write()
        held = self._held_versions({item.id for item in items})
        decided = [self._decide(item, held) for item in items]
        outcomes = [outcome for outcome, _ in decided]
        if _WRITTEN in outcomes or _UPDATED in outcomes:
            with self._committing() as writer:
                for item, (outcome, document) in zip(items, decided, strict=True):
                    if outcome is _UPDATED:
                        writer.delete_documents_by_term("key", item.id)
                    if document is not None:
                        writer.add_document(document)
        return outcomes

    def get(self, article_id: str) -> Article | None:
        """Return the indexed form of one article, by its id exactly as written."""
        searcher = self._searcher()
        if searcher is None or not is_utf8(article_id):
            return None
        hits = searcher.search(tantivy.Query.term_query(self._schema, "key", article_id), 1, count=False).hits
        return self._article(searcher, hits[0][1]) if hits else None

    def refresh(self) -> None:
        """Nothing: each search looks at the newest commit."""

    def search(self, query: Query, *, sort: Sort = "relevance", limit: int = 20, offset: int = 0) -> Hits:
        """Return a page of what ``query`` selects, and the exact number of all of it.

        ``oldest`` is by sort time, then id; ``newest`` is the same list from its other end. Articles of one relevance
        keep their order from page to page as long as nothing is written.
        """
        searcher = self._searcher()
        if searcher is None:
            return Hits(0, ())
        # tantivy sets memory aside for limit + offset hits, and stops the process when asked for none.
        offset = min(offset, searcher.num_docs)
        wanted = min(limit, searcher.num_docs - offset)
        by_score = sort == "relevance"
        found: Any = searcher.search(  # the stub forgets ``count``
            to_tantivy(query, self._schema),
            max(wanted, 1),
            offset=offset,
            order_by_field=None if by_score else "order",
            order=tantivy.Order.Asc if sort == "oldest" else tantivy.Order.Desc,
        )
        hits = (Hit(self._article(searcher, at), key if by_score else None) for key, at in found.hits[: max(wanted, 0)])
        return Hits(found.count, tuple(hits))

    def count_by(self, query: Query, field: CountField, limit: int = 10) -> Sequence[tuple[str, int]]:
        """Return the commonest values of ``field`` among the matches, most frequent first, then by value.

        An article without a value (``feed`` of one from a file, say) is not counted.
        """
        return self._buckets(query, count_field(field), limit) if limit > 0 else []

    def count_by_day(self, query: Query) -> Sequence[tuple[date, int]]:
        """Return the number of matches per UTC day of the sort time, oldest first; days without any are left out."""
        days = self._buckets(query, "day", _MAX_BUCKETS, order={"_key": "asc"})
        return [(day_of(day), number) for day, number in days]

    def months(self) -> Sequence[str]:
        """Return the months of ``first_seen`` held, as ``YYYY-MM``, oldest first."""
        return [month for month, _ in self._buckets(Everything(), "month", _MAX_BUCKETS, order={"_key": "asc"})]

    def drop_month(self, month: str) -> int:
        """Remove every article first seen in ``month`` (``YYYY-MM``); return how many there were.

        Raises:
            TryLater: as ``write``.
        """
        self._check_may_write()
        held: dict[str, int] = dict(self._buckets(Everything(), "month", _MAX_BUCKETS))
        number = held.get(month, 0)
        if number:
            with self._committing() as writer:
                writer.delete_documents_by_term("month", month)
        return number

    def close(self) -> None:
        """Give the writer lock back; all that was written is on disk. Merges under way end, or start again later."""
        self._check_process()
        writer, self._writer = self._writer, None
        searcher = self._searcher()
        if writer is not None and searcher is not None and searcher.num_docs <= MAX_DOCUMENTS_TO_MERGE_AT_CLOSE:
            writer.wait_merging_threads()
        self._index, self._may_write = None, False

    def _article(self, searcher: tantivy.Searcher, address: tantivy.DocAddress) -> Article:
        return article_of(searcher.doc(address), self._decompress)

    def _buckets(self, query: Query, field: str, size: int, **rule: Any) -> list[tuple[Any, int]]:
        """Return values of ``field`` with their number of documents, the commonest first unless ``rule`` orders.

        Equal numbers come in the order of the values. That is tantivy's habit, not its promise: a test watches it.
        """
        searcher = self._searcher()
        if searcher is None:
            return []
        # Each segment hands on its ``segment_size`` commonest values; all of them, or the sums would be too low.
        terms = {"field": field, "size": size, "segment_size": max(searcher.num_docs, size), **rule}
        found = searcher.aggregate(to_tantivy(query, self._schema), {"values": {"terms": terms}})
        return [(bucket["key"], bucket["doc_count"]) for bucket in found["values"]["buckets"]]

    def _held_versions(self, ids: Collection[str]) -> dict[str, int]:
        searcher = self._searcher()
        asked = [article_id for article_id in ids if is_utf8(article_id)]
        if searcher is None or not asked:
            return {}
        known = tantivy.Query.term_set_query(self._schema, "key", asked)
        hits = searcher.search(known, len(asked), count=False, order_by_field="key").hits
        versions = searcher.fast_field_values("version", [address for _, address in hits])
        return dict(zip((key for key, _ in hits), versions, strict=True))

    def _decide(
        self, item: Article | IndexDelete, held: dict[str, int]
    ) -> tuple[IndexOutcome, tantivy.Document | None]:
        """Return what becomes of one item, with its document if it is to be added; ``held`` is brought up to date."""
        version = held.get(item.id)
        if isinstance(item, IndexDelete):
            held.pop(item.id, None)
            return _OLDER if version is None else _UPDATED, None
        if version is not None and item.version < version:
            return _OLDER, None
        try:
            document = build_document(item, self._compress)
        except CannotIndex as error:
            return IndexOutcome("rejected", str(error)), None
        held[item.id] = item.version
        return _WRITTEN if version is None else _UPDATED, document

    @contextmanager
    def _committing(self) -> Iterator[tantivy.IndexWriter]:
        """Commit what the body does, or nothing of it."""
        try:
            if self._writer is None:
                self._writer = self._open_writer()
            yield self._writer
            self._writer.commit()
            sync_folder(self._path)
        except BaseException as error:  # an interrupt too: what was added must not come with a later commit
            self._roll_back()
            if isinstance(error, _TANTIVY_ERRORS):
                raise TryLater(f"the index in {self._path} cannot be written: {error}") from error
            raise

    def _roll_back(self) -> None:
        """Go back to the last commit under the same lock. This also replaces threads that died with a write error."""
        try:
            if self._writer is not None:
                self._writer.rollback()
                _skip_one_number(self._writer)
        except _TANTIVY_ERRORS:  # still full or gone; the next write opens a new writer, and says so if it cannot
            self._writer = None

    def _open_writer(self) -> tantivy.IndexWriter:
        assert self._index is not None
        index = self._index
        try:
            writer = uninterrupted(lambda: index.writer(self._heap_bytes, num_threads=1))
            _skip_one_number(writer)
            return writer
        except ValueError as error:
            if "LockBusy" not in str(error):
                raise
            raise IndexInUse(
                f"the index in {self._path} is in use by another process, and only one can write to it; "
                "stop that one (wirewatch run or wirewatch index), or let it do the work"
            ) from error

    def _searcher(self) -> tantivy.Searcher | None:
        """Return a view of the last commit; None while no writer has made the index."""
        self._check_process()
        if self._index is None:
            self._index = find_index(self._path, self._schema)
        if self._index is None:
            return None
        try:
            uninterrupted(self._index.reload)
        except (OSError, ValueError) as error:
            raise damaged(self._path, error) from error
        return self._index.searcher()

    def _check_may_write(self) -> None:
        self._check_process()
        if not self._may_write:
            raise WirewatchError(f"the index in {self._path} is open for reading only, or closed")

    def _check_process(self) -> None:
        if os.getpid() != self._process:
            raise WirewatchError(
                f"the index in {self._path} was opened by process {self._process} and used by its fork {os.getpid()}; "
                "open it again after the fork"
            )


def _skip_one_number(writer: tantivy.IndexWriter) -> None:
    """Spend the first number of a writer on a deletion of nothing.

    tantivy numbers operations, and a writer begins (and begins again after a roll-back) with the number of the last
    commit. A segment whose deletions are of that commit counts as up to date with that number, so a merge that starts
    then would leave out a real first deletion, and the deleted form of the article would be back beside the new one.
    """
    writer.delete_documents_by_term("key", "")  # no article has an empty id
