"""Feeds: their settings and what their polls left behind. Claiming and saving polls is in ``polls``."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
from msgspec.structs import asdict, fields
from sqlalchemy import Connection, Row, case, delete, func, select, update

from pipeline.adapters.sql_state import schema
from pipeline.adapters.sql_state.columns import EPOCH
from pipeline.adapters.sql_state.database import Database, rows_where
from pipeline.adapters.sql_state.hosts import add_hosts
from pipeline.feed import Feed, FeedHints, FeedState, FeedStatus, KnownFeed, Rhythm
from pipeline.identity import feed_id, link_host
from pipeline.outcomes import Trouble
from pipeline.ports import FeedNumbers

SETTINGS = tuple(field.name for field in fields(Feed))
POLL_STATE = tuple(field.name for field in fields(FeedState))

feeds = schema.feeds


class SqlFeeds:
    """The ``Feeds`` part of the state."""

    _db: Database

    def save_feeds(self, feeds: Sequence[Feed]) -> int:
        """Add feeds or change their settings, by id; return how many were new. Poll state is kept.

        A feed that has moved keeps its new address; one that is added under that address again is the same feed.
        """
        with self._db.writing() as connection:
            named = _ids_by_address(connection, [feed.url for feed in feeds])
            given = {ident: feed for feed in feeds if (ident := named.get(feed.url, feed.id))}
            places = select(schema.feeds.c.id, schema.feeds.c.url)
            known = {row.id: row.url for row in rows_where(connection, places, schema.feeds.c.id, given)}
            rows = []
            for ident, feed in given.items():
                # One that is not where its id says has moved since it was added, and stays where it is.
                url = known[ident] if ident in known and feed_id(known[ident]) != ident else feed.url
                place = {"id": ident, "url": url, "host": link_host(url)}
                rows.append(asdict(feed) | columns(FeedState()) | place)
            add_hosts(self._db, connection, [row["host"] for row in rows])
            _upsert(self._db, connection, rows)
        return len(given) - len(known)

    def remove_feed(self, feed_id: str) -> bool:
        """Remove a feed with the entries it showed; return whether it was there. Its articles stay."""
        with self._db.writing() as connection:
            return connection.execute(delete(feeds).where(feeds.c.id == feed_id)).rowcount > 0

    def feeds(self) -> Sequence[KnownFeed]:
        """Return all feeds, by title, then url."""
        with self._db.reading() as connection:
            known = [known_feed(row) for row in connection.execute(select(schema.feeds))]
        return sorted(known, key=lambda it: (it.feed.title, it.feed.url))  # databases do not sort text alike

    def feed(self, feed_id: str) -> KnownFeed | None:
        """Return one feed."""
        with self._db.reading() as connection:
            row = connection.execute(select(feeds).where(feeds.c.id == feed_id)).one_or_none()
        return None if row is None else known_feed(row)

    def feed_at(self, url: str) -> KnownFeed | None:
        """Return the feed that is polled at this address now, wherever it was when it was added."""
        with self._db.reading() as connection:
            row = connection.execute(select(feeds).where(feeds.c.url == url).limit(1)).one_or_none()
        return None if row is None else known_feed(row)

    def pause_feed(self, feed_id: str, paused: bool) -> bool:
        """Pause or resume; return whether there is such a feed. One that was gone (410) is new again when resumed."""
        with self._db.writing() as connection:
            change = update(feeds).where(feeds.c.id == feed_id).values(paused=paused)
            found = connection.execute(change).rowcount > 0
            if not paused:
                revived = {"status": FeedStatus.NEW.value, "cause": "", "trouble": "", "failures": 0, "next_due": EPOCH}
                is_gone = (feeds.c.id == feed_id) & (feeds.c.status == FeedStatus.GONE.value)
                connection.execute(update(feeds).where(is_gone).values(revived))
        return found

    def feed_numbers(self, now: datetime) -> FeedNumbers:
        """Return how many feeds there are by status, how many are due, since when, and when one was polled last."""
        is_polled = feeds.c.paused.is_(False) & (feeds.c.status != FeedStatus.GONE.value)
        is_due = is_polled & (feeds.c.next_due <= now)
        status = case((feeds.c.paused, "paused"), else_=feeds.c.status).label("shown")
        with self._db.reading() as connection:
            by_status = connection.execute(select(status, func.count().label("rows")).group_by(status)).all()
            due = connection.execute(
                select(func.count().label("rows"), func.min(case((feeds.c.next_due > EPOCH, feeds.c.next_due)))).where(
                    is_due
                )
            ).one()
            last, pace = connection.execute(
                select(func.max(feeds.c.last_polled), func.avg(func.nullif(feeds.c.pace, 0.0))).where(is_polled)
            ).one()
        return FeedNumbers(
            by_status={row.shown: row.rows for row in by_status}, due=due.rows, due_since=_time(due[1]),
            last_polled=_time(last), mean_pace=float(pace or 0.0),
        )  # fmt: skip


def _upsert(db: Database, connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
    if not rows:
        return
    insert = db.insert(feeds)
    changes = {name: insert.excluded[name] for name in (*SETTINGS, "host") if name != "id"}
    connection.execute(insert.on_conflict_do_update(index_elements=[feeds.c.id], set_=changes), rows)


def _ids_by_address(connection: Connection, urls: Sequence[str]) -> dict[str, str]:
    """Return, for those addresses at which a feed is polled now, the id it was added under."""
    there = select(feeds.c.id, feeds.c.url)
    return {row.url: row.id for row in rows_where(connection, there, feeds.c.url, set(urls))}


def _time(value: Any) -> datetime | None:
    """An aggregate of times may come as the number that is stored."""
    return EPOCH + timedelta(microseconds=value) if isinstance(value, int) else value


def columns(state: FeedState) -> dict[str, Any]:
    """Return a feed's poll state as it is stored: due now is due since 1970, so that an index finds it."""
    return asdict(state) | {
        "status": state.status.value,
        "trouble": state.trouble.value,
        "next_due": state.next_due or EPOCH,
        "hints": msgspec.to_builtins(state.hints),
        "rhythm": msgspec.to_builtins(state.rhythm),
    }


def known_feed(row: Row[Any]) -> KnownFeed:
    """Return the feed of a row."""
    values = row._mapping
    settings = {name: values[name] for name in SETTINGS} | {"tags": tuple(row.tags)}
    state = {name: values[name] for name in POLL_STATE} | {
        "status": FeedStatus(row.status),
        "trouble": Trouble(row.trouble),
        "next_due": None if row.next_due == EPOCH else row.next_due,
        "hints": msgspec.convert(row.hints, FeedHints),
        "rhythm": msgspec.convert(row.rhythm, Rhythm),
    }
    return KnownFeed(feed=Feed(**settings), state=FeedState(**state))
