"""The tables of the state, as this release has them. The migrations lead here; a test holds the two together.

A table that is changed here needs a migration of the next number under ``migrations/versions`` and a new ``HEAD``.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
)

from pipeline.adapters.sql_state.columns import CleanText, Json, UtcTime

HEAD: Final = "0003"
"""Revision of the newest migration; a constant, so that opening an up-to-date state need not import Alembic."""

MAX_CAUSE_CHARS: Final = 2_000
"""A cause is for a person to read; servers have sent whole pages as one."""

SERIAL = BigInteger().with_variant(Integer, "sqlite")
"""A number the database gives out; SQLite does so for INTEGER alone."""

metadata = MetaData()


def _claim() -> tuple[Column[str], Column[object], Column[object]]:
    """Who works on a row now, since when, until when (see claims.py)."""
    return Column("claimed_by", Text), Column("claimed_at", UtcTime), Column("claim_until", UtcTime)


leases = Table(
    "leases",
    metadata,
    Column("name", Text, primary_key=True),
    Column("holder", Text),  # NULL: given up
    Column("epoch", BigInteger, nullable=False),
    Column("taken", UtcTime, nullable=False),
    Column("expires", UtcTime, nullable=False),
)

feeds = Table(
    "feeds",
    metadata,
    Column("id", CleanText, primary_key=True),
    Column("url", CleanText, nullable=False),
    Column("title", CleanText, nullable=False),
    Column("outlet", CleanText, nullable=False),
    Column("language", CleanText, nullable=False),
    Column("tags", Json, nullable=False),
    Column("full_page", Boolean, nullable=False),
    Column("interval_seconds", BigInteger, nullable=False),
    Column("etag", CleanText, nullable=False),
    Column("last_modified", CleanText, nullable=False),
    Column("body_hash", CleanText, nullable=False),
    Column("status", Text, nullable=False),
    Column("cause", CleanText(MAX_CAUSE_CHARS), nullable=False),
    Column("failures", BigInteger, nullable=False),
    Column("last_polled", UtcTime),
    Column("last_ok", UtcTime),
    Column("next_due", UtcTime),
    Column("paused", Boolean, nullable=False),
    Column("items", BigInteger, nullable=False),
    Column("last_shown", UtcTime),  # when its entries were last listed, which a 304 does not do
    *_claim(),
    Column("host", CleanText, nullable=False, server_default=""),  # of the address: one request at a time for each
    Column("access", CleanText, nullable=False, server_default=""),
    Column("trouble", Text, nullable=False, server_default=""),
    Column("last_new", UtcTime),
    Column("moved_to", CleanText, nullable=False, server_default=""),
    Column("moved_since", UtcTime),
    Column("pace", Float, nullable=False, server_default="0"),
    Column("hints", Json, nullable=False, server_default="{}"),
    Column("rhythm", Json, nullable=False, server_default="{}"),
    Index("feeds_due", "next_due"),
    Index("feeds_claimed", "claimed_by"),
)

seen_entries = Table(
    "seen_entries",
    metadata,
    Column("feed_id", CleanText, ForeignKey("feeds.id", ondelete="CASCADE"), primary_key=True),
    Column("key", CleanText, primary_key=True),
    Column("article_id", CleanText, nullable=False),
    Column("content_hash", CleanText, nullable=False),
    Column("last_shown", UtcTime, nullable=False),
    Column("raw_hash", BigInteger, nullable=False, server_default="0"),
    sqlite_with_rowid=False,
)

poll_days = Table(
    "poll_days",
    metadata,
    Column("feed_id", CleanText, ForeignKey("feeds.id", ondelete="CASCADE"), primary_key=True),
    Column("day", Text, primary_key=True),  # UTC, as 2026-03-01
    *(Column(name, BigInteger, nullable=False) for name in
      ("polls", "unchanged", "failed", "seen", "new", "known", "updated", "dropped", "gaps", "missed")),
    Column("dropped_by", Json, nullable=False),  # reason -> number
    sqlite_with_rowid=False,
)  # fmt: skip

gaps = Table(
    "gaps",
    metadata,
    Column("id", SERIAL, primary_key=True),
    Column("feed_id", CleanText, ForeignKey("feeds.id", ondelete="CASCADE"), nullable=False),
    Column("began", UtcTime, nullable=False),
    Column("ended", UtcTime, nullable=False),
    Column("missed", BigInteger, nullable=False),
    Column("filled", BigInteger, nullable=False),
    Column("filled_from", CleanText, nullable=False),
    Index("gaps_feed", "feed_id", "ended"),
)

fetch_queue = Table(
    "fetch_queue",
    metadata,
    Column("article_id", CleanText, primary_key=True),
    Column("url", CleanText, nullable=False),
    Column("host", CleanText, nullable=False),
    Column("attempts", BigInteger, nullable=False),
    Column("status", Text, nullable=False),
    Column("cause", CleanText(MAX_CAUSE_CHARS), nullable=False),
    Column("due", UtcTime, nullable=False),
    Column("added_again", Boolean, nullable=False),  # while it was claimed
    Column("visits", BigInteger, nullable=False, server_default="0"),  # how often the page was fetched well
    *_claim(),
    Column("article", LargeBinary, nullable=False),  # last: what stands after a long value is slow to read
    Index("fetch_queue_due", "host", "status", "due", "article_id"),
    Index("fetch_queue_claimed", "claimed_by"),
)

hosts = Table(
    "hosts",
    metadata,
    Column("host", CleanText, primary_key=True),
    Column("open_at", UtcTime, nullable=False),
    *_claim(),
    Index("hosts_claimed", "claimed_by"),
    sqlite_with_rowid=False,
)

robots = Table(
    "robots",
    metadata,
    Column("origin", CleanText, primary_key=True),  # https://host:port
    Column("text", CleanText, nullable=False),
    Column("answer", Text, nullable=False),  # rules, none, closed
    Column("fetched", UtcTime, nullable=False),
    Column("expires", UtcTime, nullable=False),
)

outlet_pages = Table(
    "outlet_pages",
    metadata,
    Column("outlet", CleanText, primary_key=True),
    Column("article", CleanText, primary_key=True),
    Column("read_at", UtcTime, nullable=False),
    Column("characters", BigInteger, nullable=False),
    Column("page_bytes", BigInteger, nullable=False),
    Column("lines", LargeBinary, nullable=False),  # 64-bit numbers, one behind the other
    sqlite_with_rowid=False,
)

outlet_breaks = Table(
    "outlet_breaks",
    metadata,
    Column("outlet", CleanText, primary_key=True),
    Column("since", UtcTime, nullable=False),
    Column("cause", CleanText(MAX_CAUSE_CHARS), nullable=False),
    Column("norm", Json, nullable=False),
)

records = Table(
    "records",
    metadata,
    Column("article_id", Text, primary_key=True),
    Column("version", BigInteger, nullable=False),
    Column("went_live", Boolean, nullable=False),
    Column("seen_in", Json, nullable=False),
    Column("sources", Json, nullable=False),
    Column("article", LargeBinary),  # NULL: the revision of this version holds it
)

revisions = Table(
    "revisions",
    metadata,
    Column("article_id", Text, primary_key=True),
    Column("version", BigInteger, primary_key=True, autoincrement=False),
    Column("topic", Text, nullable=False),
    Column("partition", BigInteger, nullable=False),
    Column("input_offset", BigInteger, nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("article", LargeBinary, nullable=False),
    Index("revisions_input", "topic", "partition", "input_offset"),
)

families = Table(
    "families",
    metadata,
    Column("text_hash", Text, primary_key=True),
    Column("family", Text, nullable=False),
    sqlite_with_rowid=False,
)

aliases = Table(
    "aliases",
    metadata,
    Column("alias", Text, primary_key=True),
    Column("article_id", Text, nullable=False),
    sqlite_with_rowid=False,
)

tombstones = Table(
    "tombstones",
    metadata,
    Column("article_id", CleanText, primary_key=True),
    Column("reason", CleanText(MAX_CAUSE_CHARS), nullable=False),
    Column("buried_at", UtcTime, nullable=False),
)

input_offsets = Table(
    "input_offsets",
    metadata,
    Column("cluster_id", Text, primary_key=True),
    Column("topic", Text, primary_key=True),
    Column("partition", BigInteger, primary_key=True, autoincrement=False),
    Column("next_offset", BigInteger, nullable=False),
    Column("settled_at", UtcTime, nullable=False),
)

alerts = Table(
    "alerts",
    metadata,
    Column("id", CleanText, primary_key=True),
    Column("rule", CleanText, nullable=False),
    Column("rule_name", CleanText, nullable=False),
    Column("family", CleanText, nullable=False),
    Column("article_id", CleanText, nullable=False),
    Column("title", CleanText, nullable=False),
    Column("url", CleanText, nullable=False),
    Column("outlet", CleanText, nullable=False),
    Column("published", UtcTime),
    Column("first_seen", UtcTime),
    Column("raised_at", UtcTime, nullable=False),
    Index("alerts_raised", "raised_at"),
    Index("alerts_rule", "rule", "raised_at"),
)

deliveries = Table(
    "deliveries",
    metadata,
    Column("id", SERIAL, primary_key=True),
    Column("alert_id", CleanText, ForeignKey("alerts.id", ondelete="CASCADE"), nullable=False),
    Column("channel", CleanText, nullable=False),
    Column("attempts", BigInteger, nullable=False),
    Column("status", Text, nullable=False),
    Column("cause", CleanText(MAX_CAUSE_CHARS), nullable=False),
    Column("due", UtcTime, nullable=False),
    *_claim(),
    UniqueConstraint("alert_id", "channel", name="deliveries_once"),
    Index("deliveries_due", "status", "due"),
    Index("deliveries_claimed", "claimed_by"),
)

requests = Table(
    "requests",
    metadata,
    Column("id", SERIAL, primary_key=True),
    Column("kind", CleanText, nullable=False),
    Column("payload", Json, nullable=False),
    Column("result", Json),  # NULL: not done
    Column("added_at", UtcTime, nullable=False),
    *_claim(),
    Index("requests_claimed", "claimed_by"),
)

markers = Table(
    "markers",
    metadata,
    Column("consumer_group", Text, primary_key=True),
    Column("topic", Text, primary_key=True),
    Column("partition", BigInteger, primary_key=True, autoincrement=False),
    Column("first_offset", BigInteger, nullable=False),
    Column("last_offset", BigInteger, nullable=False),
    Column("replay_until", BigInteger, nullable=False),
    Column("tries", BigInteger, nullable=False),
)

counts = Table(
    "counts",
    metadata,
    Column("consumer_group", Text, primary_key=True),
    Column("status", CleanText, primary_key=True),
    Column("reason", CleanText, primary_key=True),
    Column("number", BigInteger, nullable=False),
    Column("counted_at", UtcTime, nullable=False),
)
