"""A known form that newer stages went over again: the same edition of the outlet's article, better read."""

from __future__ import annotations

from msgspec.structs import replace

from pipeline.article import SCHEMA_VERSION, Article
from pipeline.outcomes import DropReason, Status
from pipeline.ports import ArticleRecord
from pipeline.settle.decide import Decision, Source, hash_of

REASON = "reenriched"
"""What settle counts these under, beside their status."""


def decide_reenriched(article: Article, known: ArticleRecord | None, source: Source) -> Decision:
    """Take what enrichment found, and nothing else: identity, times, revision and its changes stay as recorded.

    Nobody edited anything, so it is no revision; ``version`` grows, so that the index takes it. Where the article has
    moved on since it was sent (or was never known), this form of it is superseded.
    """
    if known is None or known.article.version != article.version:
        return Decision(status=Status.DROPPED, reason=DropReason.SUPERSEDED)
    last = known.article
    record = replace(known, sources=known.sources | {source.place: source.offset})
    settled = replace(
        article,
        schema_version=last.schema_version,
        id=last.id,
        lane=last.lane,
        url=last.url,
        guid=last.guid,
        feed=last.feed,
        outlet=last.outlet,
        page=last.page,
        first_seen=last.first_seen,
        fetched=last.fetched,
        first_poll=last.first_poll,
        content_hash=hash_of(article),
        revision=last.revision,
        version=last.version,
        changes=last.changes,
        family=last.family,
        story=last.story,
        source_path=last.source_path,
    )
    if settled == last:
        return Decision(status=Status.DUPLICATE, record=record, reason=REASON)
    settled = replace(settled, schema_version=SCHEMA_VERSION, version=last.version + 1)
    return Decision(
        status=Status.UPDATED, record=replace(record, article=settled), is_new_form=True, publish=settled, reason=REASON
    )
