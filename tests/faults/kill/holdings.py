"""What stands in broker and state, read with nothing of Wirewatch between."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

READS = {
    "enrich": ("articles.raw", "backfill.raw"),
    "settle": ("articles.enriched", "backfill.enriched"),
    "index": ("articles.ready", "backfill.ready"),
    "alert": ("articles.ready",),
}

OPEN_CLAIMS = (
    ("lease held", "SELECT name FROM leases WHERE holder IS NOT NULL"),
    ("feed claimed", "SELECT id FROM feeds WHERE claimed_by IS NOT NULL"),
    ("feed failed", "SELECT id || ': ' || cause FROM feeds WHERE status NOT IN ('ok', 'empty')"),
    ("page not fetched", "SELECT article_id || ' ' || status || ' ' || cause FROM fetch_queue WHERE status <> 'again'"),
    ("page claimed", "SELECT article_id FROM fetch_queue WHERE claimed_by IS NOT NULL"),
    ("delivery not sent", "SELECT alert_id || ' ' || status || ' ' || cause FROM deliveries WHERE status <> 'sent'"),
    ("delivery claimed", "SELECT alert_id FROM deliveries WHERE claimed_by IS NOT NULL"),
)  # fmt: skip

Place = tuple[str, str, int]
"""Group, topic and partition."""


class Holdings(ABC):
    """Broker and state of one Wirewatch; an implementation says how each is asked."""

    @abstractmethod
    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Ask the state, without writing to it."""

    @abstractmethod
    def ends(self) -> Mapping[str, int]:
        """Return how many records each topic got."""

    @abstractmethod
    def committed(self) -> Mapping[Place, int]:
        """Return how far each group is, by partition."""

    @abstractmethod
    def members(self) -> list[str]:
        """Return who is in a group now, or has died in one a short while ago."""

    def forget_the_dead(self) -> None:  # noqa: B027 -- where the dead are known at once there is nothing to do
        """Return once no killed member keeps its share of a group from the living."""

    def close(self) -> None:  # noqa: B027
        """Let go of what is open."""

    def offsets(self) -> dict[str, tuple[int, int]]:
        """Return for each group how many records its topics got, and how many it has committed."""
        ends, committed = self.ends(), self.committed()
        return {
            group: (
                sum(ends.get(topic, 0) for topic in reads),
                sum(offset for (whose, topic, _), offset in committed.items() if whose == group and topic in reads),
            )
            for group, reads in READS.items()
        }

    def left_open(self) -> list[str]:
        """Return what is not finished: leases, claims, markers, members, and records not committed."""
        problems = [f"{what}: {' '.join(map(str, row))}" for what, query in OPEN_CLAIMS for row in self.rows(query)]
        problems += [f"batch in hand: {marker}" for marker in self.batches_in_hand()]
        problems += [f"member of a group: {member}" for member in self.members()]
        for group, (end, done) in self.offsets().items():
            if end != done:
                problems.append(f"{group} has committed {done} of {end} records")
        return problems

    def batches_in_hand(self) -> list[tuple[Any, ...]]:
        """Return the markers of batches that were not committed; a marker behind the offset says nothing any more."""
        committed = self.committed()
        markers = self.rows("SELECT consumer_group, topic, partition, last_offset FROM markers")
        return [marker for marker in markers if marker[3] >= committed.get(marker[:3], 0)]

    def outcomes(self) -> dict[str, int]:
        """Return the sum of the outcomes that each group has counted."""
        return {group: int(number) for group, number in self.rows(
            "SELECT consumer_group, sum(number) FROM counts GROUP BY 1"
        )}  # fmt: skip

    def in_flight(self) -> bool:
        """Whether there are records that were published and are not at the end of their way, or in somebody's hands.

        Neither a feed that was claimed and not yet read counts, nor a message that waits because its receiver refused
        it.
        """
        if any(done < end for end, done in self.offsets().values()):
            return True
        queries = (
            "SELECT 1 FROM fetch_queue WHERE status = 'waiting'",
            "SELECT 1 FROM deliveries WHERE status = 'waiting' AND (attempts = 0 OR claimed_by IS NOT NULL)",
        )
        return any(self.rows(query) for query in queries)

    def awaits_its_receiver(self) -> bool:
        """Whether a message waits to be sent again."""
        return bool(self.rows("SELECT 1 FROM deliveries WHERE status = 'waiting'"))
