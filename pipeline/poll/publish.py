"""Publish what a group of polls brought, before any of it is remembered."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime

import structlog
from msgspec.structs import replace

from pipeline import telemetry, topics
from pipeline.article import encode_article
from pipeline.dead import unstored_letter
from pipeline.errors import PublishError
from pipeline.outcomes import Status
from pipeline.poll.answers import Brought, unpublished
from pipeline.ports import Broker, Message

log = structlog.get_logger("wirewatch")

UNPUBLISHABLE = "cannot be published"
"""The reason of a dead letter for an article that the broker will never take."""


def publish_brought(broker: Broker, brought: Sequence[Brought]) -> list[Brought]:
    """Publish all articles; return what the polls come to, those as unpublished whose articles the broker put off.

    What the broker will never take goes to the dead letters.
    """
    messages = [
        (place, Message(
            topic=topics.raw(article.lane), key=article.id, value=encode_article(article), headers=telemetry.new_trace()
        ))
        for place, one in enumerate(brought)
        for article in one.articles
    ]  # fmt: skip
    if not messages:
        return list(brought)
    outcomes = broker.publish([message for _, message in messages])
    put_off: dict[int, str] = {}
    letters: list[tuple[int, Message]] = []
    for (place, message), failure in zip(messages, outcomes, strict=True):
        if failure is not None and not failure.fatal:
            put_off.setdefault(place, failure.cause)
        elif failure is not None:
            letters.append((place, _dead_letter(message, failure.cause, brought[place].result.polled_at)))
    dead = _bury(broker, letters, put_off)
    _log_published([(message, outcome) for (place, message), outcome in zip(messages, outcomes, strict=True)
                    if place not in put_off])  # fmt: skip
    return [
        unpublished(one, put_off[place]) if place in put_off else _with_dead(one, dead.get(place, 0))
        for place, one in enumerate(brought)
    ]


def _bury(broker: Broker, letters: Sequence[tuple[int, Message]], put_off: dict[int, str]) -> dict[int, int]:
    """Publish dead letters; return their number by poll. A poll whose letter is not stored is put off."""
    dead: dict[int, int] = {}
    outcomes = broker.publish([letter for _, letter in letters]) if letters else ()
    for (place, _), failure in zip(letters, outcomes, strict=True):
        if failure is not None:
            put_off[place] = f"an article {UNPUBLISHABLE}, nor can its dead letter: {failure.cause}"
        dead[place] = dead.get(place, 0) + 1
    return dead


def _with_dead(brought: Brought, dead: int) -> Brought:
    return replace(brought, counts=brought.counts | {(Status.DEAD.value, UNPUBLISHABLE): dead}) if dead else brought


def _log_published(published: Sequence[tuple[Message, PublishError | None]]) -> None:
    for message, failure in published if log.is_enabled_for(logging.INFO) else ():
        status, trace = Status.DEAD if failure else Status.PUBLISHED, telemetry.trace_id(message.headers)
        log.info("handled", step="poll", id=message.key, status=status.value, trace=trace)


def _dead_letter(message: Message, cause: str, now: datetime) -> Message:
    log.warning("dead letter", step="poll", key=message.key, reason=UNPUBLISHABLE, detail=cause[:300])
    return unstored_letter(message, step="poll", reason=UNPUBLISHABLE, detail=cause, at=now)
