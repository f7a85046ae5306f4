"""What stands in the files of broker and state, read with nothing of Wirewatch between."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

READS = {
    "enrich": ("articles.raw", "backfill.raw"),
    "settle": ("articles.enriched", "backfill.enriched"),
    "index": ("articles.ready", "backfill.ready"),
    "alert": ("articles.ready",),
}

COMMITTED = "FROM offsets o JOIN groups g ON g.id = o.group_id JOIN topics t ON t.id = o.topic_id"
OPEN_CLAIMS = (
    ("lease held", "SELECT name FROM leases WHERE holder IS NOT NULL"),
    ("feed claimed", "SELECT id FROM feeds WHERE claimed_by IS NOT NULL"),
    ("feed failed", "SELECT id || ': ' || cause FROM feeds WHERE status NOT IN ('ok', 'empty')"),
    ("page not fetched", "SELECT article_id || ' ' || status || ' ' || cause FROM fetch_queue"),
    ("delivery not sent", "SELECT alert_id || ' ' || status || ' ' || cause FROM deliveries WHERE status <> 'sent'"),
    ("delivery claimed", "SELECT alert_id FROM deliveries WHERE claimed_by IS NOT NULL"),
)  # fmt: skip


def rows(path: Path, query: str) -> list[tuple[Any, ...]]:
    """Ask a SQLite file, without writing to it."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=30)) as sql:
        return sql.execute(query).fetchall()


def numbers(path: Path, query: str) -> dict[tuple[Any, ...], int]:
    """Return the last column of each row by the others."""
    return {tuple(key): number for *key, number in rows(path, query)}


def offsets(data: Path) -> dict[str, tuple[int, int]]:
    """Return for each group how many records its topics got, and how many it has committed."""
    ends = numbers(
        data / "broker.db",
        "SELECT t.name, sum(next_offset) FROM partitions p JOIN topics t ON t.id = p.topic_id GROUP BY 1",
    )
    done = numbers(data / "broker.db", f"SELECT g.name, t.name, sum(next_offset) {COMMITTED} GROUP BY 1, 2")
    return {
        group: (sum(ends.get((topic,), 0) for topic in reads), sum(done.get((group, topic), 0) for topic in reads))
        for group, reads in READS.items()
    }


def left_open(data: Path) -> list[str]:
    """Return what is not finished: leases, claims, markers, members, and records not committed."""
    problems = [
        f"{what}: {' '.join(map(str, row))}" for what, query in OPEN_CLAIMS for row in rows(data / "state.db", query)
    ]
    problems += [f"batch in hand: {marker}" for marker in batches_in_hand(data)]
    problems += [f"member of a group: {row}" for row in rows(data / "broker.db", "SELECT name, holder FROM members")]
    for group, (end, done) in offsets(data).items():
        if end != done:
            problems.append(f"{group} has committed {done} of {end} records")
    return problems


def batches_in_hand(data: Path) -> list[tuple[Any, ...]]:
    """Return the markers of batches that were not committed; a marker behind the offset says nothing any more."""
    committed = numbers(data / "broker.db", f"SELECT g.name, t.name, partition, next_offset {COMMITTED}")
    markers = rows(data / "state.db", "SELECT consumer_group, topic, partition, last_offset FROM markers")
    return [marker for marker in markers if marker[3] >= committed.get(marker[:3], 0)]


def outcomes(data: Path) -> dict[str, int]:
    """Return the sum of the outcomes that each group has counted."""
    return dict(rows(data / "state.db", "SELECT consumer_group, sum(number) FROM counts GROUP BY 1"))


def in_flight(data: Path) -> bool:
    """Whether there are records that were published and are not at the end of their way, or work in somebody's hands.

    Neither a feed that was claimed and not yet read counts, nor a message that waits because its receiver refused it.
    """
    if any(done < end for end, done in offsets(data).values()):
        return True
    queries = (
        "SELECT 1 FROM fetch_queue WHERE status = 'waiting'",
        "SELECT 1 FROM deliveries WHERE status = 'waiting' AND (attempts = 0 OR claimed_by IS NOT NULL)",
    )
    return any(rows(data / "state.db", query) for query in queries)


def awaits_its_receiver(data: Path) -> bool:
    """Whether a message waits to be sent again."""
    return bool(rows(data / "state.db", "SELECT 1 FROM deliveries WHERE status = 'waiting'"))
