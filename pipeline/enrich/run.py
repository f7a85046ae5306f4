"""Enrich what is raw: decode, run the configured stages in order, publish; the one door of this step.

    articles.raw --text--metadata--origin--clean--language--entities--quotes--> articles.enriched

A stage is a function ``enrich(article, tools) -> Article`` in a module of its own. To add one, write it, name it in
``STAGES`` with version 1 and list it in the setting ``stages``; raise the number when its results change.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator, Mapping, Sequence
from time import perf_counter
from types import MappingProxyType
from typing import Final, NamedTuple

import msgspec
import structlog
from lxml.etree import LxmlError

from pipeline import topics
from pipeline.article import (
    DELETION_HEADER,
    REENRICH_HEADER,
    SOURCE_HEADER,
    Article,
    Lane,
    decode_article,
    decode_deletion,
    encode_article,
)
from pipeline.enrich import clean, entities, language, metadata, origin, quotes, text
from pipeline.enrich.again import enrich_again
from pipeline.enrich.limits import fitted
from pipeline.enrich.times import with_utc_times
from pipeline.enrich.tools import Tools
from pipeline.errors import BadArticle, DropArticle, UsageError
from pipeline.outcomes import DropReason, FlagName, Status
from pipeline.ports import Message, Record
from pipeline.worker import Handled

log = structlog.get_logger("wirewatch")

GROUP: Final = "enrich"
READ: Final = "read"
FITTED: Final = "fitted"
"""What ``enrichment`` calls the article before the first stage and after the last."""


class Stage(NamedTuple):
    """What to call, and which edition of it an article went through."""

    enrich: Callable[[Article, Tools], Article]
    version: int
    flags: tuple[FlagName, ...] = ()
    """What it may say of an article. They are taken away before it looks at one: an article may come again."""
    may_fail: bool = True
    """Whether an article passes without it. One that must not goes to the dead letters when the stage fails."""


TEXT_FLAGS: Final[tuple[FlagName, ...]] = (
    "page_missing", "page_without_article", "page_is_index", "page_is_login", "page_is_consent", "page_is_video",
    "extraction_broken",
)  # fmt: skip

STAGES: Final[Mapping[str, Stage]] = MappingProxyType(
    {
        "text": Stage(text.enrich, 3, TEXT_FLAGS),
        "metadata": Stage(metadata.enrich, 1, ("paywalled", "corrected")),
        "origin": Stage(origin.enrich, 1),
        "clean": Stage(clean.enrich, 2),
        "language": Stage(language.enrich, 2, ("language_unsure",)),
        "entities": Stage(entities.enrich, 1),
        "quotes": Stage(quotes.enrich, 1),
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
        BadArticle: a stage failed that no article may do without.
    """
    *_, (_, enriched) = enrichment(article, tools, stages)
    if not enriched.title and not enriched.body:
        raise DropArticle(DropReason.NO_TEXT, enriched.url or enriched.guid or enriched.source_path)
    return enriched


def enrichment(article: Article, tools: Tools, stages: Sequence[str]) -> Iterator[tuple[str, Article]]:
    """Yield the article as it is read, after each stage (``name/version``), and as it fits into a record.

    Raises:
        DropArticle: a stage says so.
    """
    article = with_utc_times(msgspec.structs.replace(article, entities=(), quotes=(), main_place=""))
    yield READ, article
    done = []
    for name in stages:
        stage = STAGES[name]
        label = f"{name}/{stage.version}"
        article = article.unflagged(*stage.flags, f"failed:{name}")
        began = perf_counter()
        try:
            article = stage.enrich(article, tools)
            done.append(label)
        except LIBRARY_FAILURES as failure:
            tools.meter.failed(name)
            article = _failed(article, name, stage, f"{type(failure).__name__}: {failure}"[:200])
        tools.meter.took(name, perf_counter() - began)
        yield label, article
    article = fitted(msgspec.structs.replace(article, html="", stages=tuple(done)))
    yield FITTED, _with_flags_in_order(article) if len(article.flags) > 1 else article


def _with_flags_in_order(article: Article) -> Article:
    """Put what stages say last: they say it anew each time, and an article that comes again is to be the same."""
    of_stages = {flag for stage in STAGES.values() for flag in stage.flags}
    return msgspec.structs.replace(article, flags=tuple(sorted(article.flags, key=of_stages.__contains__)))


def _failed(article: Article, name: str, stage: Stage, cause: str) -> Article:
    if not stage.may_fail:
        raise BadArticle(f"stage {name} failed", cause)
    log.warning("stage failed", step=GROUP, stage=name, id=article.id, cause=cause, next="passed on, flagged")
    return article.flagged(f"failed:{name}")


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
            message = _enriched(record, tools, stages)
    except DropArticle as drop:
        return Handled(record, Status.DROPPED, reason=drop.reason.value, detail=drop.detail)
    except BadArticle as bad:
        return Handled(record, Status.DEAD, reason=bad.reason, detail=bad.detail)
    return Handled(record, Status.PUBLISHED, (message,))


def _enriched(record: Record, tools: Tools, stages: Sequence[str]) -> Message:
    article = decode_article(record.value)
    headers = {SOURCE_HEADER: _source(record)}
    if record.headers.get("kind") == REENRICH_HEADER["kind"]:
        article, lane = enrich_again(article, tools, stages, enrich_article), _lane(record)
        headers |= REENRICH_HEADER
    else:
        article = enrich_article(article, tools, stages)
        lane = article.lane
    return Message(topic=topics.enriched(lane), key=article.id, value=encode_article(article), headers=headers)


def _source(record: Record) -> str:
    """Return where the record first stood, which a replayed one says itself: it must not pass for a newer edit."""
    first = record.headers.get(SOURCE_HEADER, "")
    return first if topics.read_place(first) else topics.place_name(record.topic, record.partition, record.offset)


def _passed_on(record: Record) -> Message:
    deletion = decode_deletion(record.value)
    return Message(topic=topics.enriched(_lane(record)), key=deletion.id, value=record.value, headers=record.headers)


def _lane(record: Record) -> Lane:
    return "backfill" if topics.is_backfill(record.topic) else "live"
