"""The alert step: match every live article against the rules; once for each rule and family, into the outbox."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from hashlib import blake2b

from msgspec import Struct

from pipeline import topics
from pipeline.article import DELETION_HEADER, Article, decode_article
from pipeline.errors import BadArticle
from pipeline.outcomes import DropReason, Status
from pipeline.ports import Clock, Outbox, Record, Records
from pipeline.query.matcher import MatchDocument, Matcher, compile_matcher
from pipeline.query.parse import parse
from pipeline.rule import Alert, Rule
from pipeline.worker import Handled

GROUP = "alert"
INPUTS = (topics.ready("live"),)
"""Only the live lane: what is backfilled never alerts."""


class CompiledRule(Struct, frozen=True):
    """A rule with its query ready to run."""

    rule: Rule
    matcher: Matcher


def compile_rules(rules: Sequence[Rule]) -> Sequence[CompiledRule]:
    """Compile the enabled rules. Raises ``QueryError`` for one that cannot be read (``load_rules`` checks before)."""
    return [CompiledRule(rule, compile_matcher(parse(rule.query))) for rule in rules if rule.enabled]


def alert_records(
    records: Sequence[Record], *, rules: Sequence[CompiledRule], outbox: Outbox, state: Records, clock: Clock
) -> Sequence[Handled]:
    """Match a batch and save its alerts with their deliveries; an alert that is there already is not saved again.

    Of an article that was deleted while it was on its way nobody is told, nor of one that stood in its feed when that
    was first read: who adds a feed wants its news, not forty messages about last week. The rules are asked all the
    same, so that what was held back is counted.
    """
    now = clock()
    matched: list[tuple[Article, Sequence[tuple[Alert, Sequence[str]]]] | Handled] = []
    for record in records:
        if record.headers.get("kind") == DELETION_HEADER["kind"]:
            matched.append(Handled(record, Status.DUPLICATE, reason="deletion"))
            continue
        try:
            article = decode_article(record.value)
        except BadArticle as bad:
            matched.append(Handled(record, Status.DEAD, reason=bad.reason, detail=bad.detail))
            continue
        raised = [(alert_of(rule, article, now), rule.channels) for rule in matching_rules(rules, article)]
        if raised and not article.first_poll:
            matched.append((article, raised))
        else:
            reason = DropReason.FIRST_POLL if raised else DropReason.NO_RULE
            matched.append(Handled(record, Status.DROPPED, reason=reason))
    matches = [one for one in matched if not isinstance(one, Handled)]
    buried = set(state.tombstoned({article.id for article, _ in matches})) if matches else set()
    told = [pair for article, raised in matches for pair in raised if article.id not in buried]
    new = set(outbox.save_alerts(told, now)) if told else set()
    handled = []
    for record, one in zip(records, matched, strict=True):
        if isinstance(one, Handled):
            handled.append(one)
        elif one[0].id in buried:
            handled.append(Handled(record, Status.DROPPED, reason=DropReason.TOMBSTONED))
        else:
            first = new.intersection(alert.id for alert, _ in one[1])
            new -= first  # of two copies in one batch the first raises it
            handled.append(Handled(record, Status.PUBLISHED if first else Status.DUPLICATE))
    return handled


def matching_rules(rules: Sequence[CompiledRule], article: Article) -> Sequence[Rule]:
    """Return the rules that select this article."""
    document = MatchDocument.of(article)
    return [compiled.rule for compiled in rules if compiled.matcher.matches(document)]


def alert_of(rule: Rule, article: Article, now: datetime) -> Alert:
    """Return the alert of a rule for an article's family; its id depends on those two alone."""
    family = article.family or article.id
    return Alert(
        id=blake2b(f"{rule.id}\n{family}".encode(), digest_size=16).hexdigest(),
        rule=rule.id,
        rule_name=rule.name or rule.id,
        family=family,
        article_id=article.id,
        title=article.title,
        url=article.url,
        outlet=article.outlet,
        published=article.published,
        first_seen=article.first_seen,
        raised_at=now,
    )
