"""The topics at which steps meet. A step knows topics, never another step."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Final

from msgspec import Struct

from pipeline.article import Lane

PARTITIONS: Final = 8
"""Partitions of every article topic. Fixed at setup: a key's partition must not move while records are in flight."""

DEAD_SUFFIX: Final = ".dead"
MAX_RECORD_BYTES: Final = 900_000
"""Kafka refuses records over 1 MiB by default (``message.max.bytes`` = 1048588); the rest is room for headers."""
MAX_ARTICLE_BYTES: Final = MAX_RECORD_BYTES - 4096
"""Of an article as poll, ingest and enrich write it; the rest is the key, the headers, and what settle adds to it."""
MAX_DEAD_LETTER_BYTES: Final = 64 * 1024

_PLACE: Final = re.compile(r"([^/]{1,249})/([0-9]{1,9})/([0-9]{1,18})")
"""A broker's offsets have 63 bits, so that these always fit; a topic's name has at most 249 characters in Kafka."""


class Topic(Struct, frozen=True):
    """A named log, kept for ``retention``; its records are ordered within a partition."""

    name: str
    partitions: int = PARTITIONS
    retention: timedelta = timedelta(days=7)


def raw(lane: Lane) -> str:
    """Articles as they were found: from poll, fetch and ingest to enrich."""
    return "articles.raw" if lane == "live" else "backfill.raw"


def enriched(lane: Lane) -> str:
    """Articles with clean text: from enrich to settle."""
    return "articles.enriched" if lane == "live" else "backfill.enriched"


def ready(lane: Lane) -> str:
    """Articles with identity, revision and family: from settle to index and alert."""
    return "articles.ready" if lane == "live" else "backfill.ready"


def dead(topic: str) -> str:
    """The dead letters of ``topic``."""
    return topic + DEAD_SUFFIX


def is_backfill(topic: str) -> bool:
    """Whether ``topic`` belongs to the backfill lane."""
    return topic.startswith("backfill.")


def place_name(topic: str, partition: int, offset: int) -> str:
    """Return the place of a record as people and headers name it: ``topic/partition/offset``."""
    return f"{topic}/{partition}/{offset}"


def read_place(text: str) -> tuple[str, int, int] | None:
    """Return topic, partition and offset of a place; None when ``text``, which may be a stranger's, names none."""
    found = _PLACE.fullmatch(text)
    return (found[1], int(found[2]), int(found[3])) if found else None


LANES: Final[tuple[Lane, Lane]] = ("live", "backfill")
STEP_INPUTS: Final[Mapping[str, Sequence[str]]] = {
    "enrich": tuple(raw(lane) for lane in LANES),
    "settle": tuple(enriched(lane) for lane in LANES),
    "index": tuple(ready(lane) for lane in LANES),
    "alert": (ready("live"),),
}
"""What each step reads, by the name of its group: for whoever looks at the steps from outside."""
POLLS: Final = "polls.done"
"""How each poll of each feed went. Nothing on the path reads it."""
LIVE_FIRST: Final = tuple(name(lane) for name in (raw, enriched, ready) for lane in LANES)
ALL: Final = (
    *(Topic(name) for name in LIVE_FIRST),
    *(Topic(dead(name), partitions=1, retention=timedelta(days=90)) for name in LIVE_FIRST),
    Topic(POLLS, partitions=1),
)
