"""``SearchIndex`` on Elasticsearch 9."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime
from itertools import groupby
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec
from elasticsearch import ApiError, Elasticsearch

from pipeline.adapters.elasticsearch_index.bulk import Action, Bulk, Sleep, delete_action, index_action
from pipeline.adapters.elasticsearch_index.connection import REQUEST_SECONDS, Access, Connection
from pipeline.adapters.elasticsearch_index.document import MAX_ID_BYTES, build_document
from pipeline.adapters.elasticsearch_index.judge import item_fault, request_fault
from pipeline.adapters.elasticsearch_index.months import IndexSettings, Months, is_month, this_and_next_month
from pipeline.adapters.elasticsearch_index.pages import Page, find
from pipeline.adapters.indexable import CannotIndex
from pipeline.article import Article, decode_article
from pipeline.errors import BadArticle, WirewatchError
from pipeline.ports import CountField, Hit, Hits, IndexDelete, IndexOutcome, Sort
from pipeline.query.fields import is_utf8
from pipeline.query.to_elasticsearch import to_elasticsearch
from pipeline.query.tree import Everything, Query

T = TypeVar("T")

MANY_VALUES: Final = 10_000
"""Values of a field that each shard counts exactly; of a field with more, rare ones may be counted too low."""

MOST_BUCKETS: Final = 65_000
"""Below ``search.max_buckets`` (65,536)."""

IDS_AT_ONCE: Final = 2_000
_DAY_MILLISECONDS: Final = 86_400_000


class ElasticsearchIndex:
    """The index at ``url``: ``http(s)://[user:password@]host:port[/path]``; ``templates`` is the folder of templates.

    What this object wrote, it finds: it refreshes the months it wrote to before it searches them. Others find it at
    the next refresh, within ``IndexSettings.refresh_seconds``; ``get`` and deletes need no refresh anywhere. Nothing
    is sent before the first call, and no part of a secret is in any message.

    Raises:
        UsageError: the URL or what gives access cannot be used.
    """

    def __init__(
        self,
        url: str,
        *,
        templates: Path,
        access: Access = Access(),  # noqa: B008 -- frozen
        settings: IndexSettings = IndexSettings(),  # noqa: B008 -- frozen
        prefix: str = "wirewatch",
        request_seconds: float = REQUEST_SECONDS,
        sleep: Sleep = time.sleep,
    ) -> None:
        self._connection = Connection(url, access, request_seconds=request_seconds)
        self._months = Months(self._connection, prefix, templates)
        self._bulk = Bulk(self._connection, self._months, sleep=sleep)
        self._settings = settings
        self._unrefreshed: set[str] = set()
        self._checked = False

    def setup(self, now: datetime) -> None:
        """Install the templates, and make the indices of this month and the next.

        Raises:
            TryLater, WirewatchError: the cluster cannot, or will not.
        """
        self._months.install(self._settings)
        self.make_months(now)

    def is_set_up(self) -> bool:
        """Whether there are templates of ours, of whatever release."""
        return self._months.has_template()

    def problems(self, now: datetime | None = None) -> list[str]:
        """Return what keeps articles from being written, a phrase each: templates, foreign indices.

        With ``now``, also which of this month and the next is not there; writing makes a month when it needs it.
        """
        return self._months.problems(this_and_next_month(now.astimezone(UTC)) if now else ())

    def make_months(self, now: datetime) -> None:
        """Make the indices of this month and the next, so that no write has to wait for one; raises as ``setup``."""
        self._months.ensure(this_and_next_month(now.astimezone(UTC)))

    def write(self, items: Sequence[Article | IndexDelete]) -> Sequence[IndexOutcome]:
        """Write the items, in order; on return they are in the translog of every copy in sync, synced to disk.

        A delete that finds its article is ``updated``, one that does not is ``older``. For a minute Elasticsearch
        remembers a delete under the next higher version and takes only that or a higher one.

        Raises:
            TryLater: it cannot take all of it now; ``retry_seconds`` is set when a person has to act first.
            WirewatchError: sending again cannot help: no access, no templates, a foreign index under our name.
        """
        if items and not self._checked:
            self._months.check()
            self._checked = True
        outcomes: list[IndexOutcome] = []
        for kind, run in groupby(items, key=type):
            together: list[Any] = list(run)
            outcomes += self._deleted(together) if kind is IndexDelete else self._written(together)
        return outcomes

    def get(self, article_id: str) -> Article | None:
        """Return the indexed form of one article, by its id exactly as written, be it refreshed or not."""
        found = self._located([article_id], with_article=True)
        return _article(found[article_id][1]) if article_id in found else None

    def refresh(self) -> None:
        """Make all that was written, by whomever, findable by searches from now on."""
        self._connection.require(lambda client: client.indices.refresh(index=self._months.pattern))

    def search(self, query: Query, *, sort: Sort = "relevance", limit: int = 20, offset: int = 0) -> Hits:
        """Return a page of what ``query`` selects, and the exact number of all of it.

        Raises:
            TryLater: the cluster cannot answer now.
            WirewatchError: it refuses the query, for parentheses more than 30 deep for example.
        """
        asked = to_elasticsearch(query)
        total, found = self._read(lambda client: find(client, self._months.pattern, asked, Page(sort, limit, offset)))
        scored = sort == "relevance"
        return Hits(total, tuple(Hit(_article(hit), hit["_score"] if scored else None) for hit in found))

    def count_by(self, query: Query, field: CountField, limit: int = 10) -> Sequence[tuple[str, int]]:
        """Return the commonest values of ``field`` among the matches, most frequent first, then by value.

        Exact as long as no index holds more than ``MANY_VALUES`` of them. An article without a value is not counted.
        """
        if limit <= 0:
            return []
        order = [{"_count": "desc"}, {"_key": "asc"}]
        size = min(limit, MOST_BUCKETS)
        terms = {"field": field, "size": size, "shard_size": max(size, MANY_VALUES), "order": order, "exclude": [""]}
        return self._buckets(query, {"terms": terms})

    def count_by_day(self, query: Query) -> Sequence[tuple[date, int]]:
        """Return the number of matches per UTC day of the sort time, oldest first; days without any are left out."""
        days = {"field": "sort_time", "calendar_interval": "day", "time_zone": "UTC", "min_doc_count": 1}
        found = self._buckets(query, {"date_histogram": days})
        first = date(1970, 1, 1).toordinal()
        return [(date.fromordinal(first + key // _DAY_MILLISECONDS), number) for key, number in found]

    def months(self) -> Sequence[str]:
        """Return the months of ``first_seen`` that hold an article, as ``YYYY-MM``, oldest first."""
        terms = {"field": "month", "size": MANY_VALUES, "order": {"_key": "asc"}}
        return [month for month, _ in self._buckets(Everything(), {"terms": terms})]

    def drop_month(self, month: str) -> int:
        """Delete the index of ``month`` (``YYYY-MM``); return how many articles it held."""
        if not is_month(month) or month not in self._months.held():
            return 0
        alias = self._months.alias(month)
        self._connection.require(lambda client: client.indices.refresh(index=alias))
        number = self._connection.require(lambda client: client.count(index=alias))["count"]
        self._months.delete(month)
        self._unrefreshed.discard(alias)
        return int(number)

    def close(self) -> None:
        """Close the connections; all that was written is on disk."""
        self._connection.close()

    def _written(self, articles: Sequence[Article]) -> Sequence[IndexOutcome]:
        outcomes: list[IndexOutcome | None] = []
        actions: list[Action] = []
        for article in articles:
            try:
                document = build_document(article)
            except CannotIndex as error:
                outcomes.append(IndexOutcome("rejected", str(error)))
            else:
                outcomes.append(None)
                actions.append(index_action(document, self._months.alias(document.month)))
        done = iter(self._sent(actions))
        return [outcome or next(done) for outcome in outcomes]

    def _deleted(self, deletes: Sequence[IndexDelete]) -> Sequence[IndexOutcome]:
        """Delete by id, in whatever month: a delete carries no version, and no month either."""
        ids = [delete.id for delete in deletes]
        found = self._located(ids, with_article=False)
        known = [article_id for article_id in ids if article_id in found]
        months = [found[article_id][0] for article_id in known]
        aliases = map(self._months.alias, months)
        done = iter(self._sent([delete_action(*each) for each in zip(known, months, aliases, strict=True)]))
        return [next(done) if article_id in found else IndexOutcome("older") for article_id in ids]

    def _sent(self, actions: Sequence[Action]) -> Sequence[IndexOutcome]:
        self._unrefreshed |= {self._months.alias(action.month) for action in actions}
        return self._bulk.send(actions)

    def _located(self, ids: Sequence[str], *, with_article: bool) -> dict[str, tuple[str, dict[str, Any]]]:
        """Return the month and the document of those ``ids`` that are there.

        Asked with ``_mget`` over all months and not searched for: that sees what no refresh has shown yet, so that a
        delete right behind a write of another worker finds its article.
        """
        usable = [each for each in dict.fromkeys(ids) if each and is_utf8(each) and len(each.encode()) <= MAX_ID_BYTES]
        months = self._months.held() if usable else ()
        pairs = [(article_id, month) for article_id in usable for month in months]
        found: dict[str, tuple[str, dict[str, Any]]] = {}
        for start in range(0, len(pairs), IDS_AT_ONCE):
            some = pairs[start : start + IDS_AT_ONCE]
            for (article_id, month), answer in zip(some, self._fetched(some, with_article), strict=True):
                if answer.get("found"):
                    found[article_id] = (month, answer)
        return found

    def _fetched(self, pairs: Sequence[tuple[str, str]], with_article: bool) -> Iterator[dict[str, Any]]:
        wanted = [{"_index": self._months.alias(month), "_id": article_id} for article_id, month in pairs]
        answers = self._connection.require(lambda client: client.mget(docs=wanted, source=with_article))["docs"]
        for answer in answers:
            fault = item_fault({"status": 503, **answer})
            if fault is not None and fault.type != "index_not_found_exception":  # a month dropped just now
                raise self._connection.refusal(fault)
            yield answer

    def _buckets(self, query: Query, aggregation: dict[str, Any]) -> list[tuple[Any, int]]:
        asked = to_elasticsearch(query)
        found = self._read(
            lambda client: client.search(index=self._months.pattern, query=asked, size=0, aggs={"values": aggregation})
        )
        buckets = found.get("aggregations", {"values": {"buckets": []}})["values"]["buckets"]
        return [(bucket["key"], bucket["doc_count"]) for bucket in buckets]

    def _read(self, call: Callable[[Elasticsearch], T]) -> T:
        """Return what ``call`` returns, among everything this object wrote before."""
        if self._unrefreshed:
            self._connection.require(
                lambda client: client.indices.refresh(index=sorted(self._unrefreshed), ignore_unavailable=True)
            )
            self._unrefreshed.clear()
        try:
            return self._connection.ask(call)
        except ApiError as error:
            fault = request_fault(error)
            if fault.status == 400:
                raise WirewatchError(f"Elasticsearch at {self._connection.name} refused the query: {fault}") from None
            raise self._connection.refusal(fault) from None


def _article(found: dict[str, Any]) -> Article:
    try:
        return decode_article(msgspec.json.encode(found["_source"]))
    except (BadArticle, KeyError) as error:
        raise WirewatchError(
            f"Document {found.get('_id')} of index {found.get('_index')} is not an article of this release: {error}"
        ) from error
