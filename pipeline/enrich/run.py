"""Enrich what is raw: decode, run the configured stages in order, publish; the one door of this step.

    articles.raw --text--clean--language--> articles.enriched

A stage is a function ``enrich(article, tools) -> Article`` in a module of its own. To add one, write it, name it in
``STAGES`` with version 1 and list it in the setting ``stages``; raise the number when its results change.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Final, NamedTuple

import msgspec
import structlog
from lxml.etree import LxmlError

from pipeline import telemetry, topics
from pipeline.article import (
    DELETION_HEADER,
    SOURCE_HEADER,
    Article,
    Lane,
    decode_article,
    decode_deletion,
    encode_article,
)
from pipeline.enrich import clean, language, text
from pipeline.enrich.limits import fitted
from pipeline.enrich.times import with_utc_times
from pipeline.enrich.tools import Tools
from pipeline.errors import BadArticle, DropArticle, UsageError
from pipeline.outcomes import DropReason, Status
from pipeline.ports import Message, Record
from pipeline.worker import Handled

log = structlog.get_logger("wirewatch")

GROUP: Final = "enrich"


class Stage(NamedTuple):
    """What to call, and which edition of it an article went through."""

    enrich: Callable[[Article, Tools], Article]
    version: int


STAGES: Final[Mapping[str, Stage]] = MappingProxyType(
    {
        "text": Stage(text.enrich, 3),
        "clean": Stage(clean.enrich, 1),
        "language": Stage(language.enrich, 1),
    }
)

LIBRARY_FAILURES: Final = (ValueError, LookupError, ArithmeticError, RecursionError, LxmlError)
"""What the libraries raise on one strange text. Anything else is our bug and stops the worker."""


def check_stages(names: Sequence[str]) -> None:
    """Raise ``UsageError`` when ``names`` holds what is no stage, naming the nearest one."""
    for name in names:
        if name not in STAGES:
            near = difflib.get_close_matches(name, STAGES, n=1)
            hint = f"did you mean “{near[0]}”?" if near else f"there are: {', '.join(STAGES)}"
            raise UsageError(f"setting stages: there is no stage “{name}”; {hint}")


def enrich_article(article: Article, tools: Tools, stages: Sequence[str]) -> Article:
    """Return the article as ``stages`` make it, cleaned and cut to the size of a record.

    A stage that a library fails in leaves the article as it was, flagged ``failed:<stage>``; the others go on.

    Raises:
        DropArticle: neither title nor body is left (``NO_TEXT``), or a stage says so.
    """
    article = with_utc_times(msgspec.structs.replace(article, entities=(), quotes=(), main_place=""))
    done = []
    for name in stages:
        stage = STAGES[name]
        try:
            with telemetry.STAGE_SECONDS.labels(name).time():
                article = stage.enrich(article, tools)
            done.append(f"{name}/{stage.version}")
        except LIBRARY_FAILURES as failure:
            cause = f"{type(failure).__name__}: {failure}"[:200]
            log.warning("stage failed", step=GROUP, stage=name, id=article.id, cause=cause, next="passed on, flagged")
            article = article.flagged(f"failed:{name}")
    article = fitted(msgspec.structs.replace(article, html="", stages=tuple(done)))
    if not article.title and not article.body:
        raise DropArticle(DropReason.NO_TEXT, article.url or article.guid or article.source_path)
    return article


def enrich_records(records: Sequence[Record], tools: Tools, stages: Sequence[str]) -> list[Handled]:
    """Return the outcome of each record, in order; deletions pass through unchanged.

    Raises:
        TryLater: the pages cannot be read now.
    """
    return [_enrich_record(record, tools, stages) for record in records]


def _enrich_record(record: Record, tools: Tools, stages: Sequence[str]) -> Handled:
    try:
        if record.headers.get("kind") == DELETION_HEADER["kind"]:
            message = _passed_on(record)
        else:
            article = enrich_article(decode_article(record.value), tools, stages)
            message = Message(
                topic=topics.enriched(article.lane), key=article.id, value=encode_article(article),
                headers={SOURCE_HEADER: _source(record)},
            )  # fmt: skip
    except DropArticle as drop:
        return Handled(record, Status.DROPPED, reason=drop.reason.value, detail=drop.detail)
    except BadArticle as bad:
        return Handled(record, Status.DEAD, reason=bad.reason, detail=bad.detail)
    return Handled(record, Status.PUBLISHED, (message,))


def _source(record: Record) -> str:
    """Return where the record first stood, which a replayed one says itself: it must not pass for a newer edit."""
    first = record.headers.get(SOURCE_HEADER, "")
    return first if topics.read_place(first) else topics.place_name(record.topic, record.partition, record.offset)


def _passed_on(record: Record) -> Message:
    deletion = decode_deletion(record.value)
    lane: Lane = "backfill" if topics.is_backfill(record.topic) else "live"
    return Message(topic=topics.enriched(lane), key=deletion.id, value=record.value, headers=record.headers)
