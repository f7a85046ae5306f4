"""The settle step: decide for a batch in one state transaction, under a lease whose epoch the transaction checks."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence

from msgspec.structs import replace

from pipeline import topics
from pipeline.article import (
    DELETION_HEADER,
    REENRICH_HEADER,
    SOURCE_HEADER,
    Article,
    Deletion,
    decode_article,
    decode_deletion,
    encode_article,
    encode_deletion,
)
from pipeline.errors import BadArticle
from pipeline.outcomes import DropReason, Status
from pipeline.ports import (
    ArticleRecord,
    Broker,
    Clock,
    Lease,
    Message,
    Record,
    Revision,
    Settling,
    State,
    TopicPartition,
)
from pipeline.settle.aliases import alias_of
from pipeline.settle.decide import Decision, Source, copy_key, decide_known, decide_new, is_redelivery
from pipeline.settle.reenriched import decide_reenriched
from pipeline.worker import Handled

GROUP = "settle"
LEASE = "settle"
INPUTS = tuple(topics.enriched(lane) for lane in topics.LANES)


def settle_records(
    records: Sequence[Record],
    *,
    state: State,
    broker: Broker,
    lease: Callable[[], Lease],
    clock: Clock,
    forget_page: Callable[[str], object] = lambda _: None,
) -> Sequence[Handled]:
    """Settle a batch and return, for each record, what to publish. Everything decided is saved when this returns.

    ``forget_page`` is called with the key of each page that came, again or too late, for a deleted article.

    Raises:
        LeaseLost: another writer took over; nothing of this batch was saved.
    """
    handled: list[Handled] = []

    def decide(tx: Settling) -> None:
        handled[:] = _Batch(tx, records, broker.cluster_id, clock, forget_page).settle()

    state.settle(lease(), clock(), decide)
    return handled


def pass_over(record: Record, *, state: State, broker: Broker, lease: Callable[[], Lease], clock: Clock) -> None:
    """Note that a record is done with though it was never settled, so that a restart does not go back to it."""
    done = _next_offsets([record])
    state.settle(
        lease(),
        clock(),
        lambda tx: tx.save(
            records=(), revisions=(), families={}, aliases={}, cluster_id=broker.cluster_id, input_offsets=done
        ),
    )


class _Batch:
    """One transaction's work: look everything up in a few queries, decide in order, save once."""

    def __init__(
        self,
        tx: Settling,
        records: Sequence[Record],
        cluster_id: str,
        clock: Clock,
        forget_page: Callable[[str], object],
    ) -> None:
        self._tx = tx
        self._inputs = records
        self._cluster_id = cluster_id
        self._now = clock()
        self._forget_page = forget_page
        self._records: dict[str, ArticleRecord] = {}
        self._families: dict[str, str] = {}
        self._changed: dict[str, ArticleRecord] = {}
        self._revisions: list[Revision] = []
        self._new_families: dict[str, str] = {}
        self._new_aliases: dict[str, str] = {}

    def settle(self) -> list[Handled]:
        """Decide for every record in order and save the outcome."""
        articles = [_decoded(record) for record in self._inputs]
        self._look_up(
            [article for article in articles if isinstance(article, Article)],
            [article.id for article in articles if isinstance(article, Deletion)],
        )
        handled = [self._settle_one(record, article) for record, article in zip(self._inputs, articles, strict=True)]
        self._tx.save(
            records=list(self._changed.values()),
            revisions=self._revisions,
            families=self._new_families,
            aliases=self._new_aliases,
            cluster_id=self._cluster_id,
            input_offsets=_next_offsets(self._inputs),
        )
        return handled

    def _look_up(self, articles: Collection[Article], deleted: Collection[str]) -> None:
        self._other_names = {id(article): alias_of(article) for article in articles}
        ids = {article.id for article in articles} | set(self._other_names.values()) - {""} | set(deleted)
        self._aliases = dict(self._tx.aliases(ids))
        ids |= set(self._aliases.values())
        self._buried = set(self._tx.tombstoned(ids))
        self._records = dict(self._tx.records(ids))
        self._copy_keys = {id(article): copy_key(article) for article in articles}
        self._families = dict(self._tx.families({key for key in self._copy_keys.values() if key}))

    def _settle_one(self, record: Record, article: Article | Deletion | Handled) -> Handled:
        if isinstance(article, Handled):
            return article
        if isinstance(article, Deletion):
            return self._passed_on(record, article)
        if self._is_deleted(article):
            if article.page:
                self._forget_page(article.page)
            return Handled(record, Status.DROPPED, reason=DropReason.TOMBSTONED)
        key = self._copy_keys[id(article)]
        article = self._under_its_first_name(article)
        source = self._source(record)
        known = self._records.get(article.id)
        family = self._families.get(key, "") if key else ""
        if known is not None and is_redelivery(known, source):
            decision = Decision(status=Status.DUPLICATE, publish=self._recorded(known, source))
        elif record.headers.get("kind") == REENRICH_HEADER["kind"]:
            decision = decide_reenriched(article, known, source)
        elif known is None:
            decision = decide_new(article, source, family=family, now=self._now)
        else:
            decision = decide_known(article, known, source, family=family, now=self._now)
        self._keep(decision, source, key)
        return Handled(record, decision.status, self._messages(record, decision), reason=decision.reason)

    def _passed_on(self, record: Record, gone: Deletion) -> Handled:
        """A deletion goes on to both lanes, behind all that came before, under every name it may be indexed by."""
        names = dict.fromkeys((gone.id, self._aliases.get(gone.id, gone.id)))
        messages = [
            Message(
                topic=topics.ready(lane), key=name, value=encode_deletion(replace(gone, id=name)),
                headers=DELETION_HEADER,
            )
            for name in names
            for lane in topics.LANES
        ]  # fmt: skip
        return Handled(record, Status.UPDATED, messages, reason="deleted")

    def _is_deleted(self, article: Article) -> bool:
        """Whether it was deleted under this name or another; a canonical address counts only for what is new here."""
        name = self._aliases.get(article.id, article.id)
        names = {article.id, name}
        if name not in self._records and (other := self._other_names[id(article)]):
            names |= {other, self._aliases.get(other, other)}
        return not names.isdisjoint(self._buried)

    def _under_its_first_name(self, article: Article) -> Article:
        """Return the article under the id that it, or the canonical address of its page, was first known by."""
        name = self._aliases.get(article.id, article.id)
        other = self._other_names[id(article)]
        if other and name == article.id:
            first = self._aliases.get(other, other)
            if first != name and name not in self._records and first in self._records:
                self._aliases[name] = self._new_aliases[name] = name = first
            elif first == other and other not in self._records:
                self._aliases[other] = self._new_aliases[other] = name
        return article if name == article.id else replace(article, id=name)

    def _recorded(self, known: ArticleRecord, source: Source) -> Article:
        """Return the form that this redelivered input made, which may be older than the newest."""
        at = (_place(source), source.offset)
        in_batch = next((r for r in self._revisions if (r.place, r.offset) == at), None)
        made = in_batch or self._tx.revisions_at([at]).get(at)
        return made.article if made and made.article.id == known.article.id else known.article

    def _keep(self, decision: Decision, source: Source, key: str) -> None:
        if decision.record is None:
            return
        article = decision.record.article
        self._records[article.id] = self._changed[article.id] = decision.record
        if not decision.is_new_form:
            return
        self._revisions.append(Revision(article=article, place=_place(source), offset=source.offset, at=self._now))
        if key and key not in self._families:
            self._families[key] = self._new_families[key] = article.family

    def _messages(self, record: Record, decision: Decision) -> Sequence[Message]:
        if decision.publish is None:
            return ()
        article = decision.publish
        known = self._records.get(article.id)
        is_live = not topics.is_backfill(record.topic) and (known is None or known.went_live)
        topic = topics.ready("live" if is_live else "backfill")
        return (Message(topic=topic, key=article.id, value=encode_article(article)),)

    def _source(self, record: Record) -> Source:
        place = topics.read_place(record.headers.get(SOURCE_HEADER, ""))
        # None: from a stranger, or from no raw record
        topic, partition, offset = place or (record.topic, record.partition, record.offset)
        return Source(f"{self._cluster_id}/{topic}/{partition}", offset)


def _decoded(record: Record) -> Article | Deletion | Handled:
    """Return what the record holds, or the outcome of a record that holds neither."""
    try:
        if record.headers.get("kind") == DELETION_HEADER["kind"]:
            return decode_deletion(record.value)
        return decode_article(record.value)
    except BadArticle as bad:
        return Handled(record, Status.DEAD, reason=bad.reason, detail=bad.detail)


def _place(source: Source) -> TopicPartition:
    log_name, _, partition = source.place.rpartition("/")
    return TopicPartition(log_name, int(partition))


def _next_offsets(records: Sequence[Record]) -> Mapping[TopicPartition, int]:
    offsets: dict[TopicPartition, int] = {}
    for record in records:
        offsets[record.place] = max(offsets.get(record.place, 0), record.offset + 1)
    return offsets
