"""A small world under full control, for the tests that kill or pause one process at one line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from faults.kill.parts import EMBEDDED, Parts
from faults.kill.processes import Clock, Lives, Zygote
from faults.kill.world import World
from stub_server import StubServer

from pipeline import topics, wiring
from pipeline.article import Article, decode_article
from pipeline.ports import Record, TopicPartition, batched_records
from pipeline.query.parse import parse


class Scene:
    """A world, processes in it, and looks at what Wirewatch holds."""

    def __init__(self, world: World, lives: Lives) -> None:
        self.world = world
        self.lives = lives

    def indexed(self) -> list[Article]:
        self.world.parts.show_all()
        with closing(wiring.open_index(self.world.settings, writer=False)) as index:
            return [hit.article for hit in index.search(parse("*"), sort="oldest", limit=10_000).hits]

    def months(self) -> list[str]:
        self.world.parts.show_all()
        with closing(wiring.open_index(self.world.settings, writer=False)) as index:
            return list(index.months())

    def records(self, topic: str) -> list[Record]:
        """Return everything that stands in a topic, in order within a partition."""
        with closing(wiring.open_broker(self.world.settings, self.world.clock)) as broker:
            places = [TopicPartition(topic, number) for number in range(broker.topics()[topic])]
            return [record for place in places for record in batched_records(broker, place)]

    def raw_ids(self) -> list[str]:
        return sorted(decode_article(record.value).id for record in self.records(topics.raw("live")))

    def clock(self, name: str, now: datetime) -> Clock:
        """Return a clock of its own, for a process whose time stands still while that of the others goes on."""
        return Clock(self.world.folder / name, now)


@contextmanager
def scene(
    folder: Path, zygote: Zygote, feeds: tuple[str, ...] = ("a",), *, parts: Parts = EMBEDDED, **settings: Any
) -> Iterator[Scene]:
    """Set up a world of these feeds in ``folder``, for a Wirewatch on these parts with these settings."""
    with StubServer() as server:
        world = World(folder, server, feeds=feeds, parts=parts, **settings)
        yield Scene(world, Lives(zygote, folder, world.given, world.clock))
