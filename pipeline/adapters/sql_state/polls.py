"""Polls: due feeds claimed, each of another host, and what their polls brought saved together."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from msgspec.structs import asdict
from sqlalchemy import (
    BigInteger,
    Connection,
    Select,
    bindparam,
    delete,
    func,
    literal,
    or_,
    select,
    type_coerce,
    update,
)

from pipeline.adapters.sql_state import schema
from pipeline.adapters.sql_state.claims import GIVEN_BACK, Claimant, gone_holders, is_free
from pipeline.adapters.sql_state.database import Database, rows_where, slices
from pipeline.adapters.sql_state.feeds import columns, known_feed
from pipeline.adapters.sql_state.fetch_queue import add_pages
from pipeline.adapters.sql_state.hosts import add_hosts, close_hosts, is_open, open_hosts
from pipeline.adapters.sql_state.ledger import add_to_ledger
from pipeline.feed import FeedStatus, KnownFeed, SeenEntry
from pipeline.ports import PollResult

SHOWN_PRECISION: Final = timedelta(days=1)
"""What a feed still shows is noted once a day: retention counts in days, and 48 of 50 rows need no writing."""
_PRECISION: Final = literal(SHOWN_PRECISION // timedelta(microseconds=1), BigInteger)
CLAIM_TRIES: Final = 5
WINDOW: Final = 4
"""Feeds looked at for each one wanted, since several may be of one host."""

feeds, seen, hosts = schema.feeds, schema.seen_entries, schema.hosts

# Made once: each is wanted at every poll of a changed feed, and to make it costs more than to run it.
_ITEMS = select(seen.c.raw_hash, seen.c.key).where(seen.c.feed_id == bindparam("of_feed"), seen.c.raw_hash != 0)
_ENTRIES = select(seen.c.key, seen.c.article_id, seen.c.content_hash, seen.c.raw_hash).where(
    seen.c.feed_id == bindparam("of_feed"), seen.c.key.in_(bindparam("some_keys", expanding=True))
)


class SqlPolls:
    """The part of ``Feeds`` that polls use."""

    _db: Database

    def claim_due_feeds(
        self, now: datetime, limit: int, holder: str, lease_seconds: float, only: Collection[str] | None = None
    ) -> Sequence[KnownFeed]:
        """Claim feeds that are due, not paused and claimed by nobody, longest due first; ``only`` waives being due.

        Each is of another host, which nobody asks until this one is saved or given back, and then not before the pause
        that the result says. Who names feeds waives that pause as well.
        """
        claimant = Claimant(holder, now, lease_seconds)
        is_wanted = feeds.c.next_due <= now if only is None else feeds.c.id.in_(only)
        for _ in range(CLAIM_TRIES):
            with self._db.writing() as connection:
                wanted = (
                    select(feeds)
                    .select_from(feeds.join(hosts, hosts.c.host == feeds.c.host))
                    .where(
                        feeds.c.paused.is_(False),
                        feeds.c.status != FeedStatus.GONE.value,
                        is_wanted,
                        is_free(feeds, now, gone_holders(connection, feeds)),
                        is_open(connection, now, rested=only is None),
                    )
                    .order_by(feeds.c.next_due, feeds.c.id)
                )
                picked = _picked(connection, wanted, limit)
                if not picked:
                    return ()
                # Looked for without locks, for those of every row looked at would keep all others from claiming.
                rows = connection.execute(wanted.where(feeds.c.id.in_(picked)).with_for_update(skip_locked=True)).all()
                _claim(connection, [row.id for row in rows], claimant)
                close_hosts(connection, [row.host for row in rows], claimant)
            if rows:
                return [known_feed(row) for row in rows]
        return ()  # others were quicker each time

    def renew_claims(self, feed_ids: Collection[str], now: datetime, holder: str, lease_seconds: float) -> None:
        """Extend the claims of these feeds, and of all hosts, that are still this holder's."""
        until = Claimant(holder, now, lease_seconds).columns()
        with self._db.writing() as connection:
            for some in slices(feed_ids):
                mine = feeds.c.id.in_(some) & (feeds.c.claimed_by == holder)
                connection.execute(update(feeds).where(mine).values(until))
            connection.execute(update(hosts).where(hosts.c.claimed_by == holder).values(until))

    def save_poll(self, result: PollResult, holder: str) -> bool:
        """Save one poll, as ``save_polls`` does; return whether it was."""
        return result.feed_id in self.save_polls([result], holder)

    def save_polls(self, results: Sequence[PollResult], holder: str) -> Collection[str]:
        """Save polls and give the claims back, all in one transaction; return the ids of the feeds saved.

        Nothing is saved of a feed whose claim is another's by now, or that was removed.

        Raises:
            ValueError: a result shows entries but does not say when (``state.last_polled``).
        """
        changes = {result.feed_id: _changes(result) for result in results}
        with self._db.writing() as connection:
            mine = select(feeds.c.id, feeds.c.host).where(feeds.c.claimed_by == holder).with_for_update()
            held = {row.id: row.host for row in rows_where(connection, mine, feeds.c.id, changes)}
            saved = [result for result in results if result.feed_id in held]
            add_hosts(self._db, connection, [result.new_host for result in saved if result.new_host])
            _save_states(connection, [changes[result.feed_id] for result in saved])
            _save_entries(self._db, connection, saved)
            add_to_ledger(self._db, connection, saved)
            open_hosts(connection, {held[result.feed_id]: result.host_open_at for result in saved}, holder)
            pages = [page for result in saved for page in result.pages]
            add_pages(self._db, connection, pages, max((result.polled_at for result in saved), default=None))
        return set(held)

    def release_feed(self, feed_id: str, holder: str, host_open_at: datetime | None = None) -> None:
        """Give a claim back unpolled; its host may be asked again at ``host_open_at``, None: as before."""
        with self._db.writing() as connection:
            mine = feeds.c.id == feed_id, feeds.c.claimed_by == holder
            host = connection.scalar(select(feeds.c.host).where(*mine))
            connection.execute(update(feeds).where(*mine).values(GIVEN_BACK))
            open_hosts(connection, {host: host_open_at} if host is not None else {}, holder)

    def seen_entries(self, feed_id: str, keys: Collection[str]) -> Mapping[str, SeenEntry]:
        """Return those of the entries that the feed has shown before."""
        with self._db.reading() as connection:
            parameters = ({"of_feed": feed_id, "some_keys": some} for some in slices(keys))
            rows = [row for each in parameters for row in connection.execute(_ENTRIES, each)]
        return {
            key: SeenEntry(key=key, article_id=article_id, content_hash=content_hash, raw_hash=raw_hash)
            for key, article_id, content_hash, raw_hash in rows
        }

    def seen_items(self, feed_id: str) -> Mapping[int, str]:
        """Return the raw hash of every item the feed has shown, as it was last, with the entry's key."""
        with self._db.reading() as connection:
            rows = connection.execute(_ITEMS, {"of_feed": feed_id}).all()
        return {row[0]: row[1] for row in rows}

    def forget_seen(self, before: datetime) -> int:
        """Drop entries last shown before ``before``; return how many.

        What a feed listed last it still shows, however long it has answered "not modified" since: that stays.
        """
        last_shown = select(feeds.c.last_shown).where(feeds.c.id == seen.c.feed_id).scalar_subquery()
        # In stored microseconds, since one time minus a span is no operation of every database.
        is_past = type_coerce(seen.c.last_shown, BigInteger) < type_coerce(last_shown, BigInteger) - _PRECISION
        with self._db.writing() as connection:
            return connection.execute(delete(seen).where(seen.c.last_shown < before, is_past)).rowcount


def _picked(connection: Connection, wanted: Select[Any], limit: int) -> Collection[str]:
    """Return the ids of the first of these feeds, each of another host."""
    picked: dict[str, str] = {}
    while (missing := limit - len(picked)) > 0:
        rows = connection.execute(wanted.where(feeds.c.host.not_in(picked)).limit(missing * WINDOW)).all()
        for row in rows:
            if len(picked) < limit:
                picked.setdefault(row.host, row.id)
        if len(rows) < missing * WINDOW:
            break
    return picked.values()


def _claim(connection: Connection, ids: Sequence[str], claimant: Claimant) -> None:
    if ids:
        claim = update(feeds).where(feeds.c.id == bindparam("claimed_id")).values(**claimant.columns())
        connection.execute(claim, [{"claimed_id": ident} for ident in ids])


def _changes(result: PollResult) -> dict[str, Any]:
    """Return the parameters of the statement that saves a feed's state."""
    if result.state.last_polled is None and (result.entries or result.shown_again):
        raise ValueError(f"the poll of feed {result.feed_id} shows entries but not when it was")
    values = columns(result.state)
    values["saved_id"], values["was_paused"] = result.feed_id, values.pop("paused")
    values["shown_at"] = result.state.last_polled if result.entries or result.shown_again else None
    values["new_url"], values["new_host"] = result.new_url, result.new_host
    return values


def _save_states(connection: Connection, changes: Sequence[dict[str, Any]]) -> None:
    if not changes:
        return
    own = {"saved_id", "was_paused", "shown_at", "new_url", "new_host"}
    values: dict[str, Any] = {name: bindparam(name) for name in changes[0] if name not in own}
    # A person may have paused the feed while the poll was under way.
    values["paused"] = or_(feeds.c.paused, bindparam("was_paused", type_=feeds.c.paused.type))
    values["last_shown"] = func.coalesce(bindparam("shown_at", type_=feeds.c.last_shown.type), feeds.c.last_shown)
    values["url"] = func.coalesce(func.nullif(bindparam("new_url"), ""), feeds.c.url)
    values["host"] = func.coalesce(func.nullif(bindparam("new_host"), ""), feeds.c.host)
    save = update(feeds).where(feeds.c.id == bindparam("saved_id")).values(values | GIVEN_BACK)
    connection.execute(save, changes)


def _save_entries(db: Database, connection: Connection, saved: Sequence[PollResult]) -> None:
    rows = [
        asdict(entry) | {"feed_id": result.feed_id, "last_shown": result.state.last_polled}
        for result in saved
        for entry in result.entries
    ]
    db.upsert(connection, seen, rows)
    for result in saved:
        at = result.state.last_polled
        if not result.shown_again or at is None:
            continue
        stale = update(seen).where(seen.c.feed_id == result.feed_id, seen.c.last_shown < at - SHOWN_PRECISION)
        for some in slices(result.shown_again):
            connection.execute(stale.where(seen.c.raw_hash.in_(some)).values(last_shown=at))
