"""What origins allow in their robots.txt, each once."""

from __future__ import annotations

from datetime import datetime

from msgspec.structs import asdict
from sqlalchemy import select, update

from pipeline.adapters.sql_state.database import Database
from pipeline.adapters.sql_state.schema import hosts, robots
from pipeline.ports import RobotsAnswer


class SqlRobots:
    """The ``RobotsCache`` part of the state."""

    _db: Database

    def robots(self, origin: str) -> RobotsAnswer | None:
        """Return what is known of an origin, expired or not."""
        with self._db.reading() as connection:
            row = connection.execute(select(robots).where(robots.c.origin == origin)).one_or_none()
        return None if row is None else RobotsAnswer(**row._mapping)

    def save_robots(self, answer: RobotsAnswer) -> None:
        """Keep an answer in place of the former one."""
        with self._db.writing() as connection:
            self._db.upsert(connection, robots, [asdict(answer)])

    def hold_host(self, host: str, until: datetime) -> None:
        """Keep a host's pages from being claimed until then at the least."""
        with self._db.writing() as connection:
            connection.execute(update(hosts).where(hosts.c.host == host, hosts.c.open_at < until).values(open_at=until))
