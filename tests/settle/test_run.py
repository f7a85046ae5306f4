"""Settle over a real state: one transaction a batch, one writer, and the recorded result again for what comes again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace
from worker_parts import SettableClock

from pipeline import topics
from pipeline.adapters.sql_state import SqlState
from pipeline.article import (
    DELETION_HEADER,
    Article,
    Deletion,
    decode_article,
    decode_deletion,
    encode_article,
    encode_deletion,
)
from pipeline.errors import LeaseLost
from pipeline.identity import article_id
from pipeline.outcomes import Status
from pipeline.ports import Lease, Record
from pipeline.settle.aliases import alias_of
from pipeline.settle.run import pass_over, settle_records
from pipeline.worker import Handled

TEXT = "The lighthouse keeper's daughter has written the first history of the harbour, from four hundred logbooks. "


class Log:
    """Only what settle asks of a broker: which log this is."""

    cluster_id = "log"


class Settler:
    """Settles articles as if they came from a raw partition, one offset after the other."""

    def __init__(self, folder: Path) -> None:
        self.clock = SettableClock()
        self.state = SqlState.open(f"sqlite:///{folder / 'state.db'}", migrate=True)
        self.lease = self.acquire("writer")
        self._offset = 0

    def acquire(self, holder: str, seconds: float = 30) -> Lease:
        lease = self.state.acquire_lease("settle", holder, seconds, self.clock())
        assert lease is not None
        return lease

    def record(self, article: Article, *, source: int | None = None, lane: str = "live") -> Record:
        offset = self._offset
        self._offset += 1
        return Record(
            topic=topics.enriched("live" if lane == "live" else "backfill"), partition=0, offset=offset,
            key=article.id, value=encode_article(article), timestamp=self.clock(),
            headers={"source": f"{topics.raw('live')}/0/{offset if source is None else source}"},
        )  # fmt: skip

    def settle(self, *records: Record, lease: Lease | None = None) -> Sequence[Handled]:
        return settle_records(
            records,
            state=self.state,
            broker=Log(),
            lease=lambda: lease or self.lease,
            clock=self.clock,  # type: ignore[arg-type]
        )


@pytest.fixture
def settler(tmp_path: Path) -> Iterator[Settler]:
    settler = Settler(tmp_path)
    yield settler
    settler.state.close()


def article(name: str = "logbooks", **changes: object) -> Article:
    link = f"https://harbour.example/{name}"
    plain = Article(
        id=article_id(link=link, feed_url="", guid="", content=""), url=link, feed="f1", outlet="Harbour Times",
        title=f"About {name}", body=TEXT * 3,
    )  # fmt: skip
    return replace(plain, **changes)


def published(handled: Handled) -> Article:
    (message,) = handled.messages
    return decode_article(message.value)


def test_settles_a_batch_and_keeps_records_revisions_and_families(settler: Settler) -> None:
    first, copy = article("one"), article("two", outlet="Mirror", feed="f2")
    one, two = settler.settle(settler.record(first), settler.record(copy))
    assert (one.status, two.status) == (Status.PUBLISHED, Status.PUBLISHED)
    assert published(two).family == published(one).id
    assert settler.state.record(first.id).article == published(one)
    assert [r.article.revision for r in settler.state.revisions(first.id)] == [1]


def test_two_edits_of_one_article_in_one_batch_are_two_revisions_in_order(settler: Settler) -> None:
    handled = settler.settle(*(settler.record(article(title=title)) for title in ("first", "second", "third")))
    assert [published(h).version for h in handled] == [1, 2, 3]
    assert [r.article.title for r in settler.state.revisions(article().id)] == ["first", "second", "third"]


def test_a_copy_in_a_later_batch_finds_its_family(settler: Settler) -> None:
    settler.settle(settler.record(article("one")))
    (copy,) = settler.settle(settler.record(article("two", feed="f2", outlet="Mirror")))
    assert published(copy).family == article("one").id


def test_a_redelivered_batch_publishes_the_very_same_again(settler: Settler) -> None:
    records = [settler.record(article(title=title)) for title in ("first", "second")]
    before = settler.settle(*records)
    again = settler.settle(*records)
    assert [h.status for h in again] == [Status.DUPLICATE] * 2
    assert [h.messages for h in again] == [h.messages for h in before]
    assert len(settler.state.revisions(article().id)) == 2


def test_what_enrich_published_twice_is_settled_once(settler: Settler) -> None:
    first, second = article(title="first"), article(title="second")
    settler.settle(settler.record(first, source=1), settler.record(second, source=2))
    again = settler.settle(settler.record(first, source=1), settler.record(second, source=2))
    assert [published(h).title for h in again] == ["first", "second"]
    assert [r.article.version for r in settler.state.revisions(first.id)] == [1, 2]


def test_an_old_repeat_delivered_after_an_edit_does_not_bring_the_old_text_back(settler: Settler) -> None:
    old, repeat, edit = (settler.record(article(title=t)) for t in ("old", "old", "new"))
    settler.settle(old, repeat, edit)
    (again,) = settler.settle(repeat)
    assert again.status is Status.DUPLICATE
    assert settler.state.record(article().id).article.title == "new"


def test_another_log_under_the_same_offsets_is_not_taken_for_a_redelivery(settler: Settler) -> None:
    settler.settle(settler.record(article(title="old"), source=7))
    record = settler.record(article(title="new"), source=0)
    Log.cluster_id = "another log"
    try:
        (handled,) = settler.settle(record)
    finally:
        Log.cluster_id = "log"
    assert handled.status is Status.UPDATED


def test_the_first_recorded_first_seen_wins_across_a_month(settler: Settler) -> None:
    seen = settler.clock()
    settler.settle(settler.record(article(first_seen=seen)))
    settler.clock.forward(40 * 86_400)
    (edit,) = settler.settle(settler.record(article(title="edited", first_seen=settler.clock())))
    assert published(edit).first_seen == seen


def test_a_writer_whose_lease_went_to_another_saves_nothing(settler: Settler) -> None:
    settler.clock.forward(31)
    settler.acquire("standby")
    with pytest.raises(LeaseLost):
        settler.settle(settler.record(article()))
    assert settler.state.record(article().id) is None


def test_a_buried_article_stays_buried(settler: Settler) -> None:
    settler.settle(settler.record(article()))
    settler.state.bury([article().id], "asked to", settler.clock())
    (handled,) = settler.settle(settler.record(article(title="edited")))
    assert (handled.status, handled.reason, handled.messages) == (Status.DROPPED, "tombstoned", ())


def test_a_deletion_goes_on_to_both_lanes_behind_what_came_before(settler: Settler) -> None:
    gone = Deletion(id=article().id, reason="asked to", deleted_at=settler.clock())
    record = replace(settler.record(article()), value=encode_deletion(gone), headers=dict(DELETION_HEADER))
    (handled,) = settler.settle(record)
    assert [m.topic for m in handled.messages] == [topics.ready("live"), topics.ready("backfill")]
    assert {m.key for m in handled.messages} == {article().id}


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (None, "null value"),
        (b"not json", "not an article"),
        (b'{"id": 1}', "not an article"),
        (encode_article(replace(article(), schema_version="2.0")), "unknown schema version"),
    ],
)
def test_what_is_no_article_is_dead_and_the_others_of_its_batch_are_settled(
    settler: Settler, value: bytes | None, reason: str
) -> None:
    good = settler.record(article())
    bad, fine = settler.settle(replace(settler.record(article("two")), value=value), good)
    assert (bad.status, bad.reason) == (Status.DEAD, reason)
    assert fine.status is Status.PUBLISHED


def test_a_bad_deletion_is_dead(settler: Settler) -> None:
    record = replace(settler.record(article()), value=b"{}", headers=dict(DELETION_HEADER))
    assert settler.settle(record)[0].status is Status.DEAD


def test_backfill_goes_to_its_own_lane_until_a_live_feed_shows_it(settler: Settler) -> None:
    now = settler.clock()
    old = article(lane="backfill", published=now - timedelta(hours=1))
    (first,) = settler.settle(settler.record(old, lane="backfill"))
    assert first.messages[0].topic == topics.ready("backfill")
    (live,) = settler.settle(settler.record(article(published=now - timedelta(hours=1))))
    assert live.messages[0].topic == topics.ready("live")
    assert published(live).lane == "live"


def test_backfill_over_live_data_changes_nothing_and_alerts_nobody(settler: Settler) -> None:
    settler.settle(settler.record(article()))
    (again,) = settler.settle(settler.record(article(lane="backfill"), lane="backfill"))
    assert again.status is Status.DUPLICATE
    assert all(m.topic == topics.ready("backfill") for m in again.messages)


def test_two_addresses_of_one_page_are_one_article(settler: Settler) -> None:
    canonical = "https://harbour.example/logbooks"
    amp = article("amp/logbooks", canonical_url=canonical)
    settler.settle(settler.record(article()))
    (second,) = settler.settle(settler.record(amp))
    assert second.status in {Status.DUPLICATE, Status.UPDATED}
    assert settler.state.record(amp.id) is None
    assert settler.state.record(article().id) is not None


def test_the_first_address_seen_stays_the_name(settler: Settler) -> None:
    amp = article("amp/logbooks", canonical_url="https://harbour.example/logbooks")
    settler.settle(settler.record(amp))
    settler.settle(settler.record(article()))
    assert settler.state.record(article().id) is None
    assert settler.state.record(amp.id) is not None


def test_a_page_cannot_speak_for_another_site(settler: Settler) -> None:
    theirs = article("exclusive", outlet="Harbour Times")
    settler.settle(settler.record(theirs))
    thief = replace(
        article(), url="https://mirror.example.org/copy", canonical_url=theirs.url, outlet="Mirror", feed="f2",
        id=article_id(link="https://mirror.example.org/copy", feed_url="", guid="", content=""), title="Stolen",
    )  # fmt: skip
    (handled,) = settler.settle(settler.record(thief))
    assert handled.status is Status.PUBLISHED
    assert settler.state.record(theirs.id).article.title == theirs.title


def test_an_empty_path_names_no_article() -> None:
    assert alias_of(article(canonical_url="https://harbour.example/")) == ""
    assert alias_of(article(canonical_url="https://harbour.example/other")) != ""
    assert alias_of(article(canonical_url="javascript:alert(1)//x")) == ""


def deletion(settler: Settler, ident: str) -> Record:
    gone = Deletion(id=ident, reason="asked to", deleted_at=settler.clock())
    return replace(settler.record(article()), value=encode_deletion(gone), headers=dict(DELETION_HEADER))


CANONICAL = "https://harbour.example/logbooks"


def test_what_was_deleted_under_one_name_stays_away_under_the_other(settler: Settler) -> None:
    # Given an article that was deleted before anybody knew its second name
    settler.settle(settler.record(article()))
    settler.state.bury([article().id], "asked to", settler.clock())
    # When the second name arrives, and claims the first
    (handled,) = settler.settle(settler.record(article("amp/logbooks", canonical_url=CANONICAL)))
    assert (handled.status, handled.reason, handled.messages) == (Status.DROPPED, "tombstoned", ())
    # Then the first does not come back as a name of the second either
    (handled,) = settler.settle(settler.record(article()))
    assert handled.status is Status.DROPPED


def test_a_deleted_second_name_does_not_revise_the_first(settler: Settler) -> None:
    amp = article("amp/logbooks", canonical_url=CANONICAL, title="by another name")
    settler.state.bury([amp.id], "asked to", settler.clock())
    settler.settle(settler.record(article()))
    (handled,) = settler.settle(settler.record(amp))
    assert handled.status is Status.DROPPED
    assert settler.state.record(article().id).article.title == article().title


def test_a_deletion_by_the_second_name_takes_the_article_with_it(settler: Settler) -> None:
    amp = article("amp/logbooks", canonical_url=CANONICAL)
    settler.settle(settler.record(article()), settler.record(amp))
    settler.state.bury([amp.id], "asked to", settler.clock())
    (handled,) = settler.settle(deletion(settler, amp.id))
    assert {message.key for message in handled.messages} == {amp.id, article().id}
    assert {decode_deletion(message.value).id for message in handled.messages} == {amp.id, article().id}
    assert settler.state.record(article().id) is None
    assert [h.status for h in settler.settle(settler.record(article()), settler.record(amp))] == [Status.DROPPED] * 2


def test_a_page_that_claims_a_deleted_address_keeps_a_record_of_its_own(settler: Settler) -> None:
    """Some sites give all their pages one canonical address: to delete that must not delete them all."""
    other = article("other")
    settler.settle(settler.record(article()), settler.record(other))
    settler.state.bury([article().id], "asked to", settler.clock())
    (handled,) = settler.settle(settler.record(replace(other, canonical_url=CANONICAL, title="Edited")))
    assert handled.status is Status.UPDATED


@pytest.mark.parametrize("source", ["", "nonsense", "a/b/c", "articles.raw/0/" + "9" * 5000, "articles.raw/x/1", "//1"])
def test_a_source_that_is_none_is_not_trusted(settler: Settler, source: str) -> None:
    record = replace(settler.record(article()), headers={"source": source})
    (handled,) = settler.settle(record)
    assert handled.status is Status.PUBLISHED
    known = settler.state.record(article().id)
    assert known.sources == {"log/articles.enriched/0": record.offset}


def test_what_is_passed_over_is_not_gone_back_to(settler: Settler) -> None:
    record = settler.record(article())
    pass_over(record, state=settler.state, broker=Log(), lease=lambda: settler.lease, clock=settler.clock)
    seen: dict[object, int] = {}
    settler.state.settle(settler.lease, settler.clock(), lambda tx: seen.update(tx.input_offsets("log")))
    assert seen == {record.place: record.offset + 1}
    assert settler.state.record(article().id) is None
