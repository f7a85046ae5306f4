"""Rules against articles: once for each rule and family, live lane only, into the outbox."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from msgspec.structs import replace
from worker_parts import SettableClock

from pipeline import topics
from pipeline.adapters.sql_state import SqlState
from pipeline.alert.run import INPUTS, alert_of, alert_records, compile_rules
from pipeline.article import DELETION_HEADER, Article, encode_article
from pipeline.errors import QueryError
from pipeline.outcomes import Status
from pipeline.ports import Record
from pipeline.rule import Rule
from pipeline.worker import Handled

CLOCK = SettableClock()
RULES = compile_rules(
    [
        Rule(id="ferry", query="ferry", channels=("log", "webhook")),
        Rule(id="harbour", query='"harbour office"', name="Harbour"),
        Rule(id="off", query="*", enabled=False),
    ]
)


@pytest.fixture
def state(tmp_path: Path) -> Iterator[SqlState]:
    state = SqlState.open(f"sqlite:///{tmp_path / 'state.db'}", migrate=True)
    yield state
    state.close()


def record(article: Article, **headers: str) -> Record:
    return Record(
        topic="articles.ready", partition=0, offset=0, key=article.id, value=encode_article(article),
        headers=headers, timestamp=CLOCK(),
    )  # fmt: skip


def article(ident: str = "a", family: str = "", title: str = "Ferry aground", body: str = "") -> Article:
    return Article(id=ident * 32, family=(family or ident) * 32, title=title, body=body, first_seen=CLOCK())


def run(state: SqlState, *records: Record) -> Sequence[Handled]:
    return alert_records(records, rules=RULES, outbox=state, state=state, clock=CLOCK)


def test_each_matching_rule_raises_one_alert_with_a_delivery_for_each_channel(state: SqlState) -> None:
    (handled,) = run(state, record(article(body="The harbour office said so.")))
    assert handled.status is Status.PUBLISHED
    assert {(a.rule, a.rule_name) for a in state.alerts()} == {("ferry", "ferry"), ("harbour", "Harbour")}
    assert state.queued_deliveries()["waiting"] == 3


def test_copies_redelivery_and_edits_raise_nothing_more(state: SqlState) -> None:
    run(state, record(article()))
    again = run(state, record(article()), record(article("b", family="a")), record(article(title="Ferry afloat")))
    assert [handled.status for handled in again] == [Status.DUPLICATE] * 3
    assert len(state.alerts()) == 1


def test_two_copies_in_one_batch_are_one_alert(state: SqlState) -> None:
    both = run(state, record(article()), record(article("b", family="a")))
    assert [handled.status for handled in both] == [Status.PUBLISHED, Status.DUPLICATE]
    assert len(state.alerts()) == 1


def test_what_no_rule_selects_raises_nothing(state: SqlState) -> None:
    (handled,) = run(state, record(article(title="Weather")))
    assert (handled.status, handled.reason) == (Status.DROPPED, "no rule")
    assert state.alerts() == []


def test_what_stood_in_a_feed_when_it_was_first_read_raises_nothing_and_is_counted_when_a_rule_selects_it(
    state: SqlState,
) -> None:
    old, unmatched = replace(article(), first_poll=True), replace(article("b", title="Weather"), first_poll=True)
    handled = run(state, record(old), record(unmatched))
    assert [(each.status, each.reason) for each in handled] == [
        (Status.DROPPED, "first poll"), (Status.DROPPED, "no rule")
    ]  # fmt: skip
    assert state.alerts() == []
    (copy,) = run(state, record(article("c", family="a")))
    assert copy.status is Status.PUBLISHED


def test_a_bad_record_is_dead_and_a_deletion_is_passed_over(state: SqlState) -> None:
    bad = Record(topic="articles.ready", partition=0, offset=0, key="k", value=b"?", timestamp=CLOCK())
    dead, deletion = run(state, bad, record(article(), **DELETION_HEADER))
    assert dead.status is Status.DEAD
    assert deletion.status is Status.DUPLICATE
    assert state.alerts() == []


def test_nobody_is_told_of_an_article_that_was_deleted_on_its_way(state: SqlState) -> None:
    state.bury(["a" * 32], "asked to", CLOCK())
    gone, other, unmatched = run(
        state, record(article()), record(article("b", title="Ferry afloat")), record(article("c", title="Weather"))
    )
    assert (gone.status, gone.reason) == (Status.DROPPED, "tombstoned")
    assert (other.status, unmatched.status) == (Status.PUBLISHED, Status.DROPPED)
    assert [alert.article_id for alert in state.alerts()] == ["b" * 32]


def test_only_the_live_lane_is_read() -> None:
    assert [topic for topic in INPUTS if topics.is_backfill(topic)] == []


def test_the_id_depends_on_rule_and_family_alone() -> None:
    rule = Rule(id="ferry", query="ferry")
    ids = {alert_of(rule, a, CLOCK()).id for a in (article(), article("b", family="a", title="other"))}
    assert len(ids) == 1
    assert alert_of(Rule(id="other", query="x"), article(), CLOCK()).id not in ids


def test_a_rule_that_cannot_be_read_is_refused_before_anything_runs() -> None:
    with pytest.raises(QueryError):
        compile_rules([Rule(id="bad", query="(")])
