"""What the workers have in their hands, and how everything that they had ended."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from sqlalchemy import delete, select

from pipeline.adapters.sql_state import schema
from pipeline.adapters.sql_state.database import Database
from pipeline.ports import Marker, TopicPartition

markers, outcomes = schema.markers, schema.counts


class SqlProgress:
    """The ``Progress`` part of the state."""

    _db: Database

    def mark_batch(
        self, group: str, markers: Sequence[Marker], counts: Mapping[tuple[str, str], int], now: datetime
    ) -> None:
        """Replace the markers of these partitions and add ``counts`` ((status, reason) → number), in one commit."""
        marked = [
            {
                "consumer_group": group,
                "topic": marker.place.topic,
                "partition": marker.place.partition,
                "first_offset": marker.first,
                "last_offset": marker.last,
                "replay_until": marker.replay_until,
                "tries": marker.tries,
            }
            for marker in markers
        ]
        # In one order, so that two workers that count the same outcomes never wait for each other in a ring.
        counted = [
            {"consumer_group": group, "status": status, "reason": reason, "number": number, "counted_at": now}
            for (status, reason), number in sorted(counts.items())
        ]
        insert = self._db.insert(outcomes)
        added = {"number": outcomes.c.number + insert.excluded.number, "counted_at": insert.excluded.counted_at}
        with self._db.writing() as connection:
            self._db.upsert(connection, schema.markers, marked)
            if counted:
                add = insert.on_conflict_do_update(index_elements=outcomes.primary_key, set_=added)
                connection.execute(add, counted)

    def markers(self, group: str, places: Collection[TopicPartition]) -> Mapping[TopicPartition, Marker]:
        """Return the markers there are for these partitions."""
        with self._db.reading() as connection:
            rows = connection.execute(select(markers).where(markers.c.consumer_group == group)).all()
        found = [
            Marker(
                place=TopicPartition(row.topic, row.partition),
                first=row.first_offset,
                last=row.last_offset,
                replay_until=row.replay_until,
                tries=row.tries,
            )
            for row in rows
        ]
        return {marker.place: marker for marker in found if marker.place in places}

    def clear_markers(self, group: str, places: Collection[TopicPartition]) -> None:
        """Forget markers after a clean stop."""
        with self._db.writing() as connection:
            for place in places:
                is_marked = (markers.c.consumer_group == group) & (markers.c.topic == place.topic)
                connection.execute(delete(markers).where(is_marked, markers.c.partition == place.partition))

    def counts(self) -> Mapping[str, Mapping[tuple[str, str], int]]:
        """Return all outcomes so far: group → (status, reason) → number."""
        totals: dict[str, dict[tuple[str, str], int]] = {}
        with self._db.reading() as connection:
            for row in connection.execute(select(outcomes)):
                totals.setdefault(row.consumer_group, {})[row.status, row.reason] = row.number
        return totals
