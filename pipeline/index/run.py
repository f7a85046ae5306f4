"""The index step: write ready articles of both lanes into the search index, and take deleted ones out."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline import topics
from pipeline.article import DELETION_HEADER, Article, decode_article, decode_deletion
from pipeline.errors import BadArticle
from pipeline.outcomes import DropReason, Status
from pipeline.ports import IndexDelete, IndexOutcome, Record, Records, SearchIndex
from pipeline.worker import Handled

GROUP = "index"
LEASE = "index"
INPUTS = tuple(topics.ready(lane) for lane in topics.LANES)

_STATUS = {"written": Status.PUBLISHED, "updated": Status.UPDATED, "older": Status.DUPLICATE}


def index_records(records: Sequence[Record], *, index: SearchIndex, state: Records) -> Sequence[Handled]:
    """Write a batch into the index, durably, and return an outcome for each record.

    Tombstones are looked up here as well as in settle: a settle writer that was paused between its transaction and
    its publish may hand out an article that was deleted meanwhile.

    Raises:
        TryLater: the index cannot take the batch now; all of it may be sent again.
    """
    decoded = [_decoded(record) for record in records]
    buried = set(state.tombstoned({item.id for item in decoded if isinstance(item, Article)}))
    items = [IndexDelete(i.id) if isinstance(i, Article) and i.id in buried else i for i in decoded]
    writable = [item for item in items if not isinstance(item, Handled)]
    outcomes = iter(index.write(writable) if writable else ())
    handled = []
    for record, before, item in zip(records, decoded, items, strict=True):
        if isinstance(item, Handled):
            handled.append(item)
        elif isinstance(before, Article) and isinstance(item, IndexDelete):
            next(outcomes)
            handled.append(Handled(record, Status.DROPPED, reason=DropReason.TOMBSTONED))
        else:
            handled.append(_judged(record, next(outcomes)))
    return handled


def _decoded(record: Record) -> Article | IndexDelete | Handled:
    try:
        if record.headers.get("kind") == DELETION_HEADER["kind"]:
            return IndexDelete(decode_deletion(record.value).id)
        return decode_article(record.value)
    except BadArticle as bad:
        return Handled(record, Status.DEAD, reason=bad.reason, detail=bad.detail)


def _judged(record: Record, outcome: IndexOutcome) -> Handled:
    if outcome.status == "rejected":
        return Handled(record, Status.DEAD, reason="refused by the index", detail=outcome.reason)
    return Handled(record, _STATUS[outcome.status])
