"""What stood in a feed when it was first read is no news; what another feed brings, or what changes soon, is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from pipeline.article import SCHEMA_VERSION, Article, Changes, encode_article
from pipeline.outcomes import Status
from pipeline.ports import ArticleRecord
from pipeline.settle.decide import ROOM_BYTES, Decision, Source, decide_known, decide_new
from pipeline.topics import MAX_ARTICLE_BYTES

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
TEXT = "A ferry ran aground off the northern breakwater this morning; all 90 passengers were brought ashore safely."


def article(**changes: object) -> Article:
    plain = Article(
        id="a" * 32, feed="f1", outlet="Harbour Times", title="Ferry aground", body=TEXT, published=NOW - HOUR,
        first_seen=NOW, first_poll=True,
    )  # fmt: skip
    return replace(plain, **changes)


def settled(**changes: object) -> ArticleRecord:
    record = decide_new(article(**changes), Source("log/articles.raw/0", 0), family="", now=NOW).record
    assert record is not None
    return record


def then(record: ArticleRecord, at: timedelta = HOUR, offset: int = 1, **changes: object) -> Decision:
    """What comes of a later poll's article."""
    later = article(**{"first_poll": False, "first_seen": NOW + at} | changes)
    return decide_known(later, record, Source("log/articles.raw/0", offset), family="", now=NOW + at)


def is_news(decision: Decision) -> bool:
    """Whether a form is published of which rules may tell."""
    return decision.publish is not None and not decision.publish.first_poll


def test_it_is_kept_with_the_record_and_published() -> None:
    decision = decide_new(article(), Source("p", 0), family="", now=NOW)
    assert decision.publish is not None
    assert decision.publish.first_poll
    assert decision.record is not None
    assert decision.record.article.first_poll


@pytest.mark.parametrize("outlet", ["Mirror", "Harbour Times"])
def test_another_feed_that_was_read_before_makes_it_news_within_48_hours(outlet: str) -> None:
    decision = then(settled(), feed="f2", outlet=outlet)
    assert is_news(decision)
    assert decision.status is Status.UPDATED
    assert decision.publish is not None
    assert (decision.publish.revision, decision.publish.version, decision.publish.feed) == (1, 2, "f1")


@pytest.mark.parametrize("outlet", ["Mirror", "Harbour Times"])
def test_another_feed_makes_no_news_of_it_later(outlet: str) -> None:
    assert not is_news(then(settled(), at=48 * HOUR, feed="f2", outlet=outlet))


@pytest.mark.parametrize("outlet", ["Mirror", "Harbour Times"])
def test_another_feed_that_is_itself_read_for_the_first_time_makes_no_news_of_it(outlet: str) -> None:
    assert not is_news(then(settled(), feed="f2", outlet=outlet, first_poll=True))


def test_a_file_that_is_ingested_as_live_makes_it_news_and_one_of_the_backfill_does_not() -> None:
    assert is_news(then(settled(), feed="", outlet="", source_path="a.jsonl"))
    assert not is_news(then(settled(), feed="", outlet="", source_path="a.jsonl", lane="backfill"))


def test_an_edit_by_its_own_feed_within_48_hours_is_news() -> None:
    decision = then(settled(), body=TEXT.replace("90", "80"))
    assert is_news(decision)
    assert decision.publish is not None
    assert decision.publish.revision == 2


@pytest.mark.parametrize(
    "changes",
    [
        {"at": 48 * HOUR, "body": TEXT + " More."},
        {"tags": ("harbour",)},
        {"published": NOW},
        {},
        {"first_poll": True, "body": TEXT + " More."},
    ],
    ids=["an edit of what is old", "new tags", "another date", "the same again", "its page, or the poll done again"],
)
def test_nothing_else_from_its_own_feed_is(changes: dict[str, object]) -> None:
    assert not is_news(then(settled(), **changes))


def test_an_edit_of_what_has_no_date_is_no_news_since_nobody_knows_how_old_it_is() -> None:
    undated = settled(published=None)
    assert not is_news(then(undated, published=None, body=TEXT + " More."))
    assert is_news(then(undated, published=None, feed="f2", outlet="Mirror"))


def test_what_is_news_already_stays_news_when_a_feed_that_is_new_shows_it() -> None:
    record = settled(first_poll=False)
    for changes in ({"feed": "f2", "outlet": "Mirror"}, {"feed": "f2", "title": "Ferry afloat"}):
        decision = then(record, first_poll=True, **changes)
        assert decision.record is not None
        assert not decision.record.article.first_poll


def test_once_it_is_news_it_stays_so() -> None:
    record = then(settled(), title="Ferry afloat").record
    assert record is not None
    decision = then(record, at=100 * HOUR, offset=2, title="Ferry in dock")
    assert is_news(decision)


def test_what_is_known_from_the_backfill_does_not_go_live_by_a_first_poll_but_by_a_later_one() -> None:
    archived = settled(lane="backfill", first_poll=False)
    first = then(archived, first_poll=True)
    assert first.record is not None
    assert (first.record.went_live, first.record.article.lane) == (False, "backfill")
    second = then(first.record, offset=2, feed="f2", outlet="Mirror")
    assert second.record is not None
    assert (second.record.went_live, second.record.article.lane) == (True, "live")


def test_a_record_of_the_former_schema_is_no_other_form_and_its_next_one_is_of_this_schema() -> None:
    record = settled(first_poll=False, schema_version="1.0")
    assert then(record).status is Status.DUPLICATE
    edited = then(record, title="Ferry afloat")
    assert edited.publish is not None
    assert edited.publish.schema_version == SCHEMA_VERSION


def test_a_revision_says_what_it_changed_and_keeps_saying_so_until_the_next() -> None:
    assert settled().article.changes is None
    record = then(settled(first_poll=False), title="Ferry aground, 90 safe").record
    assert record is not None
    changes = record.article.changes
    assert changes is not None
    assert (changes.title_before, changes.title_after) == ("Ferry aground", "Ferry aground, 90 safe")
    tagged = then(record, offset=2, title="Ferry aground, 90 safe", tags=("harbour",)).record
    assert tagged is not None
    assert (tagged.article.revision, tagged.article.changes) == (2, changes)
    again = then(tagged, offset=3, title="Ferry aground, 80 safe", tags=("harbour",)).record
    assert again is not None
    assert again.article.changes is not None
    assert [(figure.before, figure.after) for figure in again.article.changes.figures] == [("90", "80")]


def test_what_an_article_claims_of_its_own_changes_is_not_believed() -> None:
    assert settled(changes=Changes(title_before="x")).article.changes is None


def test_the_changes_of_an_article_of_the_largest_size_leave_it_within_its_record() -> None:
    sentences = "".join(f"Town {number:06} has 1 ship and {'ä' * 60}. " for number in range(4_500))
    spare = MAX_ARTICLE_BYTES - len(encode_article(article(body=sentences)))
    record = settled(first_poll=False, body=sentences + "x" * (spare - 10))
    decision = then(record, body=record.article.body.replace("1 ship", "2 ship"))
    assert decision.publish is not None
    assert decision.publish.changes is not None
    assert decision.publish.changes.share > 0.5
    assert len(encode_article(decision.publish)) <= MAX_ARTICLE_BYTES + ROOM_BYTES
