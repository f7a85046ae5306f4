"""The tables of the first release. Times are microseconds since 1970 UTC, JSON is text."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

SERIAL = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Create everything."""
    _feeds()
    _pages()
    _articles()
    _outbox()
    _work()


def _feeds() -> None:
    """Feeds and what they have shown."""
    op.create_table(
        "feeds",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("url", sa.Text, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("outlet", sa.Text, nullable=False),
        sa.Column("language", sa.Text, nullable=False),
        sa.Column("tags", sa.Text, nullable=False),
        sa.Column("full_page", sa.Boolean, nullable=False),
        sa.Column("interval_seconds", sa.BigInteger, nullable=False),
        sa.Column("etag", sa.Text, nullable=False),
        sa.Column("last_modified", sa.Text, nullable=False),
        sa.Column("body_hash", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("cause", sa.Text, nullable=False),
        sa.Column("failures", sa.BigInteger, nullable=False),
        sa.Column("last_polled", sa.BigInteger),
        sa.Column("last_ok", sa.BigInteger),
        sa.Column("next_due", sa.BigInteger),
        sa.Column("paused", sa.Boolean, nullable=False),
        sa.Column("items", sa.BigInteger, nullable=False),
        sa.Column("last_shown", sa.BigInteger),
        sa.Column("claimed_by", sa.Text),
        sa.Column("claimed_at", sa.BigInteger),
        sa.Column("claim_until", sa.BigInteger),
    )
    op.create_index("feeds_due", "feeds", ["next_due"])
    op.create_index("feeds_claimed", "feeds", ["claimed_by"])
    op.create_table(
        "seen_entries",
        sa.Column("feed_id", sa.Text, sa.ForeignKey("feeds.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("article_id", sa.Text, nullable=False),
        sa.Column("content_hash", sa.Text, nullable=False),
        sa.Column("last_shown", sa.BigInteger, nullable=False),
        sqlite_with_rowid=False,
    )


def _pages() -> None:
    """Pages to fetch."""
    op.create_table(
        "fetch_queue",
        sa.Column("article_id", sa.Text, primary_key=True),
        sa.Column("url", sa.Text, nullable=False),
        sa.Column("host", sa.Text, nullable=False),
        sa.Column("attempts", sa.BigInteger, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("cause", sa.Text, nullable=False),
        sa.Column("due", sa.BigInteger, nullable=False),
        sa.Column("added_again", sa.Boolean, nullable=False),
        sa.Column("claimed_by", sa.Text),
        sa.Column("claimed_at", sa.BigInteger),
        sa.Column("claim_until", sa.BigInteger),
        sa.Column("article", sa.LargeBinary, nullable=False),
    )
    op.create_index("fetch_queue_due", "fetch_queue", ["host", "status", "due", "article_id"])
    op.create_index("fetch_queue_claimed", "fetch_queue", ["claimed_by"])
    op.create_table(
        "hosts",
        sa.Column("host", sa.Text, primary_key=True),
        sa.Column("open_at", sa.BigInteger, nullable=False),
        sqlite_with_rowid=False,
    )


def _articles() -> None:
    """Articles."""
    op.create_table(
        "records",
        sa.Column("article_id", sa.Text, primary_key=True),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("went_live", sa.Boolean, nullable=False),
        sa.Column("seen_in", sa.Text, nullable=False),
        sa.Column("sources", sa.Text, nullable=False),
        sa.Column("article", sa.LargeBinary),
    )
    op.create_table(
        "revisions",
        sa.Column("article_id", sa.Text, primary_key=True),
        sa.Column("version", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("topic", sa.Text, nullable=False),
        sa.Column("partition", sa.BigInteger, nullable=False),
        sa.Column("input_offset", sa.BigInteger, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("article", sa.LargeBinary, nullable=False),
    )
    op.create_index("revisions_input", "revisions", ["topic", "partition", "input_offset"])
    op.create_table(
        "families",
        sa.Column("text_hash", sa.Text, primary_key=True),
        sa.Column("family", sa.Text, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "aliases",
        sa.Column("alias", sa.Text, primary_key=True),
        sa.Column("article_id", sa.Text, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "tombstones",
        sa.Column("article_id", sa.Text, primary_key=True),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("buried_at", sa.BigInteger, nullable=False),
    )


def _outbox() -> None:
    """Alerts and where they go."""
    op.create_table(
        "alerts",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("rule", sa.Text, nullable=False),
        sa.Column("rule_name", sa.Text, nullable=False),
        sa.Column("family", sa.Text, nullable=False),
        sa.Column("article_id", sa.Text, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("url", sa.Text, nullable=False),
        sa.Column("outlet", sa.Text, nullable=False),
        sa.Column("published", sa.BigInteger),
        sa.Column("first_seen", sa.BigInteger),
        sa.Column("raised_at", sa.BigInteger, nullable=False),
    )
    op.create_index("alerts_raised", "alerts", ["raised_at"])
    op.create_index("alerts_rule", "alerts", ["rule", "raised_at"])
    op.create_table(
        "deliveries",
        sa.Column("id", SERIAL, primary_key=True),
        sa.Column("alert_id", sa.Text, sa.ForeignKey("alerts.id", ondelete="CASCADE"), nullable=False),
        sa.Column("channel", sa.Text, nullable=False),
        sa.Column("attempts", sa.BigInteger, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("cause", sa.Text, nullable=False),
        sa.Column("due", sa.BigInteger, nullable=False),
        sa.Column("claimed_by", sa.Text),
        sa.Column("claimed_at", sa.BigInteger),
        sa.Column("claim_until", sa.BigInteger),
        sa.UniqueConstraint("alert_id", "channel", name="deliveries_once"),
    )
    op.create_index("deliveries_due", "deliveries", ["status", "due"])
    op.create_index("deliveries_claimed", "deliveries", ["claimed_by"])


def _work() -> None:
    """Who does what, and how far it has come."""
    op.create_table(
        "leases",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("holder", sa.Text),
        sa.Column("epoch", sa.BigInteger, nullable=False),
        sa.Column("taken", sa.BigInteger, nullable=False),
        sa.Column("expires", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "requests",
        sa.Column("id", SERIAL, primary_key=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("payload", sa.Text, nullable=False),
        sa.Column("result", sa.Text),
        sa.Column("added_at", sa.BigInteger, nullable=False),
        sa.Column("claimed_by", sa.Text),
        sa.Column("claimed_at", sa.BigInteger),
        sa.Column("claim_until", sa.BigInteger),
    )
    op.create_index("requests_claimed", "requests", ["claimed_by"])
    op.create_table(
        "input_offsets",
        sa.Column("cluster_id", sa.Text, primary_key=True),
        sa.Column("topic", sa.Text, primary_key=True),
        sa.Column("partition", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("next_offset", sa.BigInteger, nullable=False),
        sa.Column("settled_at", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "markers",
        sa.Column("consumer_group", sa.Text, primary_key=True),
        sa.Column("topic", sa.Text, primary_key=True),
        sa.Column("partition", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("first_offset", sa.BigInteger, nullable=False),
        sa.Column("last_offset", sa.BigInteger, nullable=False),
        sa.Column("replay_until", sa.BigInteger, nullable=False),
        sa.Column("tries", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "counts",
        sa.Column("consumer_group", sa.Text, primary_key=True),
        sa.Column("status", sa.Text, primary_key=True),
        sa.Column("reason", sa.Text, primary_key=True),
        sa.Column("number", sa.BigInteger, nullable=False),
        sa.Column("counted_at", sa.BigInteger, nullable=False),
    )
