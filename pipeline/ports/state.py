"""State: what must survive a restart and is not in the broker, the index or the pages."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any, Literal, Protocol

from msgspec import Struct

from pipeline.article import Article
from pipeline.feed import Feed, FeedState, KnownFeed, SeenEntry
from pipeline.ports.broker import TopicPartition
from pipeline.ports.outlets import OutletPages
from pipeline.ports.robots import RobotsCache
from pipeline.rule import Alert, Delivery, DeliveryState


class Lease(Struct, frozen=True):
    """A right that one holder has until ``expires``. ``epoch`` grows each time it changes hands."""

    name: str
    holder: str
    epoch: int
    expires: datetime


class Leases(Protocol):
    """Named rights with an end. A holder on this host whose process is gone counts as expired at once."""

    def acquire_lease(self, name: str, holder: str, seconds: float, now: datetime) -> Lease | None:
        """Take a free or expired lease, or extend one's own; None while another holds it."""
        ...

    def renew_lease(self, lease: Lease, seconds: float, now: datetime) -> Lease:
        """Extend a lease. Raises ``LeaseLost`` when its epoch moved on."""
        ...

    def release_lease(self, lease: Lease) -> None:
        """Give it up at once; nothing happens when it was lost already."""
        ...

    def lease_holder(self, name: str, now: datetime) -> Lease | None:
        """Return the lease in force, if any."""
        ...


class Gap(Struct, frozen=True, kw_only=True):
    """A time between two polls in which a feed has shown more than it still shows: something was missed."""

    began: datetime
    """When the feed was polled before."""
    ended: datetime
    missed: int
    """How many items, by the feed's usual rate; at least 1."""
    filled: int = 0
    """How many of them were found elsewhere since."""
    filled_from: str = ""
    id: int = 0
    feed_id: str = ""


class PollTally(Struct, frozen=True, kw_only=True):
    """What one poll counted, for the ledger. ``seen`` is the sum of new, known, updated and dropped."""

    unchanged: bool = False
    failed: bool = False
    seen: int = 0
    new: int = 0
    known: int = 0
    updated: int = 0
    dropped: Mapping[str, int] = {}
    """By reason."""
    overlap: float | None = None
    """Share of the items shown that were known before; None when none is shown or none was known at all."""
    gap: Gap | None = None


class PollDay(Struct, frozen=True, kw_only=True):
    """What the polls of one feed brought on one day (UTC)."""

    feed_id: str
    day: str
    polls: int
    unchanged: int
    failed: int
    seen: int
    new: int
    known: int
    updated: int
    dropped: int
    gaps: int
    missed: int
    dropped_by: dict[str, int]


class FeedNumbers(Struct, frozen=True, kw_only=True):
    """All feeds at a glance."""

    by_status: Mapping[str, int]
    """Number by status; a paused feed counts as ``paused`` alone."""
    due: int
    due_since: datetime | None
    """When the first of those was due; None when none is, or when they were never polled."""
    last_polled: datetime | None
    mean_pace: float
    """Mean of ``FeedState.pace`` over the feeds that were polled and still are; 0.0 when there are none."""


class PollResult(Struct, frozen=True, kw_only=True):
    """What one poll of one feed leaves behind, saved in one transaction."""

    feed_id: str
    state: FeedState
    entries: tuple[SeenEntry, ...] = ()
    """Entries that are new, changed or read again; each is seen at ``state.last_polled``."""
    shown_again: tuple[int, ...] = ()
    """Raw hashes of the items that stand in the feed as they did before."""
    pages: tuple[PageRequest, ...] = ()
    tally: PollTally | None = None
    """None: nothing for the ledger."""
    host_open_at: datetime | None = None
    """When the feed's host may be asked again; None: at once."""
    new_url: str = ""
    """Where the feed is polled from now on; empty: where it was."""
    new_host: str = ""

    @property
    def polled_at(self) -> datetime:
        """When it was polled."""
        return self.state.last_polled or datetime.min.replace(tzinfo=UTC)


class PageRequest(Struct, frozen=True, kw_only=True):
    """A page to fetch for an article."""

    article_id: str
    url: str
    host: str
    article: bytes
    """The article as published by poll, to be published again with its page; with the last page once it has had one."""
    attempts: int = 0
    visits: int = 0
    """How often the page was fetched well."""


class PageTrouble(Struct, frozen=True, kw_only=True):
    """A page that could not be fetched. Its host only: an address may hold what is not to be shown."""

    article_id: str
    host: str
    status: Literal["waiting", "failed", "again"]
    """``waiting``: it is tried again at ``due``; ``again``: so is a page that was fetched well before."""
    attempts: int
    cause: str
    due: datetime


class Feeds(Protocol):
    def save_feeds(self, feeds: Sequence[Feed]) -> int:
        """Add feeds or change their settings, by id; return how many were new. Poll state is kept."""
        ...

    def remove_feed(self, feed_id: str) -> bool: ...

    def feeds(self) -> Sequence[KnownFeed]:
        """Return all feeds, by title, then url."""
        ...

    def feed(self, feed_id: str) -> KnownFeed | None: ...

    def feed_at(self, url: str) -> KnownFeed | None:
        """Return the feed that is polled at this address now, wherever it was when it was added."""
        ...

    def pause_feed(self, feed_id: str, paused: bool) -> bool:
        """Pause or resume; return whether there is such a feed. One that was gone (410) is new again when resumed."""
        ...

    def feed_numbers(self, now: datetime) -> FeedNumbers:
        """Return how many feeds there are by status, how many are due, since when, and when one was polled last."""
        ...

    def claim_due_feeds(
        self, now: datetime, limit: int, holder: str, lease_seconds: float, only: Collection[str] | None = None
    ) -> Sequence[KnownFeed]:
        """Claim feeds that are due, not paused and claimed by nobody, longest due first; ``only`` waives being due.

        Each is of another host, which nobody asks until this one is saved or given back, and then not before the pause
        that the result says. Who names feeds waives that pause as well.
        """
        ...

    def save_poll(self, result: PollResult, holder: str) -> bool:
        """Save one poll, as ``save_polls`` does; return whether it was."""
        ...

    def save_polls(self, results: Sequence[PollResult], holder: str) -> Collection[str]:
        """Save polls and give the claims back, all in one transaction; return the ids of the feeds saved.

        Nothing is saved of a feed whose claim is another's by now, or that was removed.

        Raises:
            ValueError: a result shows entries but does not say when (``state.last_polled``).
        """
        ...

    def renew_claims(self, feed_ids: Collection[str], now: datetime, holder: str, lease_seconds: float) -> None:
        """Extend the claims of these feeds, and of all hosts, that are still this holder's."""
        ...

    def release_feed(self, feed_id: str, holder: str, host_open_at: datetime | None = None) -> None:
        """Give a claim back unpolled; its host may be asked again at ``host_open_at``, None: as before."""
        ...

    def seen_entries(self, feed_id: str, keys: Collection[str]) -> Mapping[str, SeenEntry]: ...

    def seen_items(self, feed_id: str) -> Mapping[int, str]:
        """Return the raw hash of every item the feed has shown, as it was last, with the entry's key."""
        ...

    def forget_seen(self, before: datetime) -> int:
        """Drop entries last shown before ``before``; return how many."""
        ...


class Ledger(Protocol):
    """What polls brought, by feed and day, and where something was missed."""

    def poll_days(self, since: date, feed_id: str | None = None) -> Sequence[PollDay]:
        """Return the days from ``since`` on (UTC), of one feed or of all, by feed, then day."""
        ...

    def gaps(self, since: datetime, feed_id: str | None = None) -> Sequence[Gap]:
        """Return the gaps that ended since then, oldest first."""
        ...

    def fill_gap(self, gap_id: int, filled: int, filled_from: str) -> None:
        """Note how many of a gap's items were found elsewhere, and where."""
        ...

    def forget_polls(self, before: datetime) -> int:
        """Drop days and gaps that ended before then; return how many."""
        ...


class FetchQueue(Protocol):
    def claim_pages(
        self, now: datetime, limit: int, holder: str, lease_seconds: float, host_delay_seconds: float
    ) -> Sequence[PageRequest]:
        """Claim due pages, at most one a host, which nobody asks until this one is finished.

        From the claim on it stays closed for ``host_delay_seconds`` at least. Pages that were never fetched go before
        those that are visited again.
        """
        ...

    def finish_page(
        self,
        article_id: str,
        holder: str,
        *,
        cause: str = "",
        retry_at: datetime | None = None,
        again_at: datetime | None = None,
        article: bytes = b"",
        host_open_at: datetime | None = None,
    ) -> bool:
        """End a claim: done (no cause), to be tried at ``retry_at``, or failed for good. False when claim was lost.

        With ``again_at`` the visit is over, well or (with a cause) not, and the page is due once more then; ``article``
        is the form that waits for that, unless poll has brought a newer one meanwhile, which is due at once. Its host
        may be asked again at ``host_open_at``; None: at once.
        """
        ...

    def add_backfill_pages(self, pages: Sequence[PageRequest], now: datetime) -> int:
        """Add pages that wait until no other page of their host is due; return how many.

        Deleted articles are left out, and a row that is there stays as it is, unless it had failed.
        """
        ...

    def page_troubles(self, limit: int = 1_000, article_id: str | None = None) -> Sequence[PageTrouble]:
        """Return the pages whose last attempt failed, those given up first, then by host; or that of one article."""
        ...

    def queued_pages(self) -> Mapping[str, int]:
        """Return the number of rows by status: waiting, failed, again (fetched well, and to be visited once more)."""
        ...


class Revision(Struct, frozen=True, kw_only=True):
    """One published form of an article, with the input record it came from."""

    article: Article
    place: TopicPartition
    offset: int
    at: datetime


class ArticleRecord(Struct, frozen=True, kw_only=True):
    """The identity record of an id. It holds the newest form, so that this can be published again at any time."""

    article: Article
    went_live: bool
    """Whether any form was published in the live lane."""
    seen_in: tuple[str, ...] = ()
    """Feeds of other outlets that showed this id (sightings)."""
    sources: dict[str, int] = {}
    """Last input offset handled for this id, by place (``cluster/topic/partition``): what is not above it is a
    redelivery."""


class Settling(Protocol):
    """One open transaction of the settle step; everything in it commits together or not at all."""

    def records(self, ids: Collection[str]) -> Mapping[str, ArticleRecord]: ...

    def revisions_at(
        self, inputs: Collection[tuple[TopicPartition, int]]
    ) -> Mapping[tuple[TopicPartition, int], Revision]:
        """Return the revisions that these input records made when they were first handled."""
        ...

    def families(self, text_hashes: Collection[str]) -> Mapping[str, str]:
        """Return the family of each text hash that has one."""
        ...

    def aliases(self, ids: Collection[str]) -> Mapping[str, str]:
        """Return the id that each of these is another name of."""
        ...

    def tombstoned(self, ids: Collection[str]) -> Collection[str]: ...

    def input_offsets(self, cluster_id: str) -> Mapping[TopicPartition, int]:
        """Return the next input offset per partition, as of the last commit of such a transaction."""
        ...

    def save(
        self,
        *,
        records: Sequence[ArticleRecord],
        revisions: Sequence[Revision],
        families: Mapping[str, str],
        aliases: Mapping[str, str],
        cluster_id: str,
        input_offsets: Mapping[TopicPartition, int],
    ) -> None: ...


class Records(Protocol):
    def settle(self, lease: Lease, now: datetime, decide: Callable[[Settling], None]) -> None:
        """Run ``decide`` in one transaction. Raises ``LeaseLost``, with nothing saved, when the epoch moved on."""
        ...

    def record(self, article_id: str) -> ArticleRecord | None: ...

    def first_name(self, article_id: str) -> str:
        """Return the id that this one is another name of, or itself."""
        ...

    def revisions(self, article_id: str) -> Sequence[Revision]:
        """Return every published form of an article, oldest first."""
        ...

    def count_articles(self) -> int:
        """Return how many articles are known, deleted ones not among them."""
        ...

    def all_articles(self) -> Iterator[Article]:
        """Yield the newest form of every article, by id; others may write meanwhile, deleted ones are not there."""
        ...

    def bury(self, ids: Collection[str], reason: str, now: datetime) -> Sequence[str]:
        """Put up tombstones; remove records and revisions; return the keys of pages to delete."""
        ...

    def tombstoned(self, ids: Collection[str]) -> Collection[str]: ...


class Outbox(Protocol):
    def save_alerts(self, alerts: Sequence[tuple[Alert, Sequence[str]]], now: datetime) -> Collection[str]:
        """Add alerts not there yet, each with a delivery for every channel named; return the ids of the new ones."""
        ...

    def alerts(self, limit: int = 50, rule: str | None = None) -> Sequence[Alert]:
        """Return alerts, newest first."""
        ...

    def claim_deliveries(self, now: datetime, limit: int, holder: str, lease_seconds: float) -> Sequence[Delivery]: ...

    def finish_delivery(
        self,
        delivery_id: int,
        holder: str,
        *,
        cause: str = "",
        retry_at: datetime | None = None,
        is_attempt: bool = True,
    ) -> bool:
        """End a claim: sent (no cause), to be tried at ``retry_at``, or given up. False when the claim was lost.

        One that is no attempt does not count as one.
        """
        ...

    def deliveries(self, alert_ids: Collection[str]) -> Sequence[DeliveryState]:
        """Return how far the deliveries of these alerts have come, by alert, then channel."""
        ...

    def send_again(self, now: datetime, alert_ids: Collection[str] | None = None) -> int:
        """Make what was not sent of these alerts due now, or, without ids, all that failed; return how many."""
        ...

    def queued_deliveries(self) -> Mapping[str, int]:
        """Return the number of rows by status: waiting, sent, failed."""
        ...


class Request(Struct, frozen=True, kw_only=True):
    """Work put on a table for whichever process holds the index lease."""

    id: int
    kind: str
    payload: dict[str, Any]
    result: dict[str, Any] | None = None
    """Set when it is done."""


class Requests(Protocol):
    def add_request(self, kind: str, payload: Mapping[str, Any], now: datetime) -> int: ...

    def claim_requests(
        self, kinds: Collection[str], now: datetime, limit: int, holder: str, lease_seconds: float
    ) -> Sequence[Request]: ...

    def finish_request(self, request_id: int, holder: str, result: Mapping[str, Any]) -> bool: ...

    def request(self, request_id: int) -> Request | None: ...


class Marker(Struct, frozen=True, kw_only=True):
    """The range of records that a worker has in its hands, so that an unclean end leaves a trace."""

    place: TopicPartition
    first: int
    last: int
    replay_until: int = -1
    """Last offset still to be handled one record at a time; -1 when there was no unclean end."""
    tries: int = 0
    """How often exactly this one record was in a worker's hands alone when that worker died."""


class Progress(Protocol):
    def mark_batch(
        self, group: str, markers: Sequence[Marker], counts: Mapping[tuple[str, str], int], now: datetime
    ) -> None:
        """Replace the markers of these partitions and add ``counts`` ((status, reason) → number), in one commit."""
        ...

    def markers(self, group: str, places: Collection[TopicPartition]) -> Mapping[TopicPartition, Marker]: ...

    def clear_markers(self, group: str, places: Collection[TopicPartition]) -> None:
        """Forget markers after a clean stop."""
        ...

    def counts(self) -> Mapping[str, Mapping[tuple[str, str], int]]:
        """Return all outcomes so far: group → (status, reason) → number."""
        ...


class State(Leases, Feeds, Ledger, FetchQueue, Records, Outbox, Requests, Progress, RobotsCache, OutletPages, Protocol):
    """Everything that must survive a restart and is not in the broker, the index or the pages."""

    def schema_version(self) -> str: ...

    def backup(self, path: str) -> None:
        """Write a consistent copy to ``path``, while others go on writing. Raises ``UsageError`` where unsupported."""
        ...

    def close(self) -> None: ...
