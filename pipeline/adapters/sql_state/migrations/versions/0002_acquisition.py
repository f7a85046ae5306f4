"""What acquisition learns: hosts of feeds, rhythm and hints, a ledger of polls, gaps, robots.txt, visits to pages."""

from __future__ import annotations

from urllib.parse import urlsplit

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

SERIAL = sa.BigInteger().with_variant(sa.Integer, "sqlite")
FORMER_DEFAULT_SECONDS = 900
"""What an interval was when nobody had said any; from now on it is learned."""


def upgrade() -> None:
    """Add what is new; feeds that nobody gave an interval learn theirs."""
    _feeds()
    _hosts_and_pages()
    _ledger()


def _feeds() -> None:
    for column in (
        sa.Column("host", sa.Text, nullable=False, server_default=""),
        sa.Column("access", sa.Text, nullable=False, server_default=""),
        sa.Column("trouble", sa.Text, nullable=False, server_default=""),
        sa.Column("last_new", sa.BigInteger),
        sa.Column("moved_to", sa.Text, nullable=False, server_default=""),
        sa.Column("moved_since", sa.BigInteger),
        sa.Column("pace", sa.Float, nullable=False, server_default="0"),
        sa.Column("hints", sa.Text, nullable=False, server_default="{}"),
        sa.Column("rhythm", sa.Text, nullable=False, server_default="{}"),
    ):
        op.add_column("feeds", column)
    op.add_column("seen_entries", sa.Column("raw_hash", sa.BigInteger, nullable=False, server_default="0"))
    feeds = sa.table("feeds", sa.column("id"), sa.column("url"), sa.column("host"), sa.column("interval_seconds"))
    connection = op.get_bind()
    connection.execute(
        sa.update(feeds).where(feeds.c.interval_seconds == FORMER_DEFAULT_SECONDS).values(interval_seconds=0)
    )
    for ident, url in connection.execute(sa.select(feeds.c.id, feeds.c.url)).all():
        host = (urlsplit(url).hostname or "").removeprefix("www.")
        connection.execute(sa.update(feeds).where(feeds.c.id == ident).values(host=host))


def _hosts_and_pages() -> None:
    op.add_column("hosts", sa.Column("claimed_by", sa.Text))
    op.add_column("hosts", sa.Column("claimed_at", sa.BigInteger))
    op.add_column("hosts", sa.Column("claim_until", sa.BigInteger))
    op.create_index("hosts_claimed", "hosts", ["claimed_by"])
    op.get_bind().execute(
        sa.text(
            "INSERT INTO hosts (host, open_at) SELECT DISTINCT host, 0 FROM feeds WHERE true ON CONFLICT DO NOTHING"
        )
    )
    op.add_column("fetch_queue", sa.Column("visits", sa.BigInteger, nullable=False, server_default="0"))
    op.create_table(
        "robots",
        sa.Column("origin", sa.Text, primary_key=True),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("answer", sa.Text, nullable=False),
        sa.Column("fetched", sa.BigInteger, nullable=False),
        sa.Column("expires", sa.BigInteger, nullable=False),
    )


def _ledger() -> None:
    numbers = ("polls", "unchanged", "failed", "seen", "new", "known", "updated", "dropped", "gaps", "missed")
    op.create_table(
        "poll_days",
        sa.Column("feed_id", sa.Text, sa.ForeignKey("feeds.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("day", sa.Text, primary_key=True),
        *(sa.Column(name, sa.BigInteger, nullable=False) for name in numbers),
        sa.Column("dropped_by", sa.Text, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "gaps",
        sa.Column("id", SERIAL, primary_key=True),
        sa.Column("feed_id", sa.Text, sa.ForeignKey("feeds.id", ondelete="CASCADE"), nullable=False),
        sa.Column("began", sa.BigInteger, nullable=False),
        sa.Column("ended", sa.BigInteger, nullable=False),
        sa.Column("missed", sa.BigInteger, nullable=False),
        sa.Column("filled", sa.BigInteger, nullable=False),
        sa.Column("filled_from", sa.Text, nullable=False),
    )
    op.create_index("gaps_feed", "gaps", ["feed_id", "ended"])
