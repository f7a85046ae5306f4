"""Feeds: their settings, what their polls left behind, and the entries that they have shown."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
from msgspec.structs import asdict, fields
from sqlalchemy import Row, delete, literal, or_, select, update

from pipeline.adapters.sql_state import schema
from pipeline.adapters.sql_state.claims import GIVEN_BACK, Claimant, claim_rows, is_held
from pipeline.adapters.sql_state.columns import EPOCH
from pipeline.adapters.sql_state.database import Database, rows_where
from pipeline.adapters.sql_state.fetch_queue import add_pages
from pipeline.feed import Feed, FeedHints, FeedState, FeedStatus, KnownFeed, Rhythm, SeenEntry
from pipeline.identity import link_host
from pipeline.outcomes import Trouble
from pipeline.ports import PollResult

SETTINGS = tuple(field.name for field in fields(Feed))
POLL_STATE = tuple(field.name for field in fields(FeedState))

feeds, seen = schema.feeds, schema.seen_entries


class SqlFeeds:
    """The ``Feeds`` part of the state."""

    _db: Database

    def save_feeds(self, feeds: Sequence[Feed]) -> int:
        """Add feeds or change their settings, by id; return how many were new. Poll state is kept."""
        ids = {feed.id for feed in feeds}
        new = [asdict(feed) | {"host": link_host(feed.url)} | _columns(FeedState()) for feed in feeds]
        with self._db.writing() as connection:
            known = list(rows_where(connection, select(schema.feeds.c.id), schema.feeds.c.id, ids))
            self._db.upsert(connection, schema.feeds, new, changing=(*SETTINGS, "host"))
            hosts = sorted({row["host"] for row in new})
            self._db.insert_new(connection, schema.hosts, [{"host": host, "open_at": EPOCH} for host in hosts])
        return len(ids) - len(known)

    def remove_feed(self, feed_id: str) -> bool:
        """Remove a feed with the entries it showed; return whether it was there. Its articles stay."""
        with self._db.writing() as connection:
            return connection.execute(delete(feeds).where(feeds.c.id == feed_id)).rowcount > 0

    def feeds(self) -> Sequence[KnownFeed]:
        """Return all feeds, by title, then url."""
        with self._db.reading() as connection:
            known = [_known_feed(row) for row in connection.execute(select(schema.feeds))]
        return sorted(known, key=lambda it: (it.feed.title, it.feed.url))  # databases do not sort text alike

    def feed(self, feed_id: str) -> KnownFeed | None:
        """Return one feed."""
        with self._db.reading() as connection:
            row = connection.execute(select(feeds).where(feeds.c.id == feed_id)).one_or_none()
        return None if row is None else _known_feed(row)

    def pause_feed(self, feed_id: str, paused: bool) -> bool:
        """Pause or resume; return whether there is such a feed."""
        with self._db.writing() as connection:
            change = update(feeds).where(feeds.c.id == feed_id).values(paused=paused)
            return connection.execute(change).rowcount > 0

    def claim_due_feeds(
        self, now: datetime, limit: int, holder: str, lease_seconds: float, only: Collection[str] | None = None
    ) -> Sequence[KnownFeed]:
        """Claim feeds that are due, not paused and claimed by nobody, longest due first; ``only`` waives being due."""
        is_wanted = or_(feeds.c.next_due.is_(None), feeds.c.next_due <= now) if only is None else feeds.c.id.in_(only)
        wanted = (
            select(feeds)
            .where(feeds.c.paused.is_(False), is_wanted)
            .order_by(feeds.c.next_due.nulls_first(), feeds.c.id)
            .limit(limit)
        )
        with self._db.writing() as connection:
            rows = claim_rows(connection, feeds, wanted, Claimant(holder, now, lease_seconds))
        return [_known_feed(row) for row in rows]

    def save_poll(self, result: PollResult, holder: str) -> bool:
        """Save a poll and give the claim back. False, and nothing saved, when the claim is another's by now.

        Raises:
            ValueError: the result shows entries but does not say when (``state.last_polled``).
        """
        shown_at = result.state.last_polled
        changes = _columns(result.state) | GIVEN_BACK
        # A person may have paused the feed while the poll was under way.
        changes["paused"] = or_(feeds.c.paused, literal(result.state.paused))
        if result.entries:
            if shown_at is None:
                raise ValueError(f"the poll of feed {result.feed_id} shows entries but not when it was")
            changes["last_shown"] = shown_at
        entries = [asdict(entry) | {"feed_id": result.feed_id, "last_shown": shown_at} for entry in result.entries]
        with self._db.writing() as connection:
            held = update(feeds).where(is_held(feeds, result.feed_id, holder))
            if not connection.execute(held.values(changes)).rowcount:
                return False
            self._db.upsert(connection, seen, entries)
            add_pages(self._db, connection, result.pages, shown_at)
        return True

    def release_feed(self, feed_id: str, holder: str) -> None:
        """Give a claim back unpolled."""
        with self._db.writing() as connection:
            connection.execute(update(feeds).where(is_held(feeds, feed_id, holder)).values(GIVEN_BACK))

    def seen_entries(self, feed_id: str, keys: Collection[str]) -> Mapping[str, SeenEntry]:
        """Return those of the entries that the feed has shown before."""
        with self._db.reading() as connection:
            rows = list(rows_where(connection, select(seen).where(seen.c.feed_id == feed_id), seen.c.key, keys))
        return {
            row.key: SeenEntry(
                key=row.key, article_id=row.article_id, content_hash=row.content_hash, raw_hash=row.raw_hash
            )
            for row in rows
        }

    def forget_seen(self, before: datetime) -> int:
        """Drop entries last shown before ``before``; return how many.

        What a feed listed last it still shows, however long it has answered "not modified" since: that stays.
        """
        last_shown = select(feeds.c.last_shown).where(feeds.c.id == seen.c.feed_id).scalar_subquery()
        old = delete(seen).where(seen.c.last_shown < before, seen.c.last_shown < last_shown)
        with self._db.writing() as connection:
            return connection.execute(old).rowcount


def _columns(state: FeedState) -> dict[str, Any]:
    return asdict(state) | {
        "status": state.status.value,
        "trouble": state.trouble.value,
        "hints": msgspec.to_builtins(state.hints),
        "rhythm": msgspec.to_builtins(state.rhythm),
    }


def _known_feed(row: Row[Any]) -> KnownFeed:
    values = row._mapping
    settings = {name: values[name] for name in SETTINGS} | {"tags": tuple(row.tags)}
    state = {name: values[name] for name in POLL_STATE} | {
        "status": FeedStatus(row.status),
        "trouble": Trouble(row.trouble),
        "hints": msgspec.convert(row.hints, FeedHints),
        "rhythm": msgspec.convert(row.rhythm, Rhythm),
    }
    return KnownFeed(feed=Feed(**settings), state=FeedState(**state))
