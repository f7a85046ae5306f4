"""Identity, revision, version, family: what settle makes of an article, case by case."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from pipeline.article import Article
from pipeline.outcomes import Status
from pipeline.ports import ArticleRecord
from pipeline.settle.decide import MAX_SEEN_IN, Decision, Source, copy_key, decide_known, decide_new, hash_of

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
TEXT = "A ferry ran aground off the northern breakwater this morning; all ninety passengers were brought ashore safely."


def article(**changes: object) -> Article:
    plain = Article(
        id="a" * 32, url="https://harbour.example/ferry", feed="f1", outlet="Harbour Times", title="Ferry aground",
        body=TEXT, published=NOW - timedelta(hours=1), first_seen=NOW,
    )  # fmt: skip
    return replace(plain, **changes)


def settled(incoming: Article | None = None, offset: int = 0) -> ArticleRecord:
    decision = decide_new(incoming or article(), source(offset), family="", now=NOW)
    assert decision.record is not None
    return decision.record


def source(offset: int, place: str = "log/articles.raw/0") -> Source:
    return Source(place, offset)


def known(incoming: Article, record: ArticleRecord, offset: int = 1, family: str = "", now: datetime = NOW) -> Decision:
    return decide_known(incoming, record, source(offset), family=family, now=now)


def test_the_first_form_is_revision_one_of_its_own_family() -> None:
    decision = decide_new(article(), source(0), family="", now=NOW)
    assert decision.status is Status.PUBLISHED
    assert decision.publish is not None
    assert (decision.publish.revision, decision.publish.version) == (1, 1)
    assert decision.publish.family == decision.publish.id
    assert decision.publish.content_hash == hash_of(article())
    assert decision.record is not None
    assert decision.record.went_live


def test_a_copy_joins_the_family_of_the_first() -> None:
    decision = decide_new(article(id="b" * 32), source(0), family="a" * 32, now=NOW)
    assert decision.publish is not None
    assert decision.publish.family == "a" * 32


def test_the_same_again_is_a_duplicate_that_publishes_the_recorded_form() -> None:
    record = settled()
    decision = known(article(first_seen=NOW + timedelta(days=2), fetched=NOW + timedelta(days=2)), record)
    assert decision.status is Status.DUPLICATE
    assert decision.publish == record.article
    assert not decision.is_new_form


def test_an_edit_is_a_new_revision_under_the_first_first_seen() -> None:
    later = NOW + timedelta(days=40)
    decision = known(article(title="Ferry afloat again", first_seen=later), settled(), now=later)
    assert decision.status is Status.UPDATED
    assert decision.publish is not None
    assert (decision.publish.revision, decision.publish.version) == (2, 2)
    assert decision.publish.first_seen == NOW
    assert decision.publish.title == "Ferry afloat again"


def test_new_tags_are_a_new_version_but_no_new_revision() -> None:
    decision = known(article(tags=("harbour",)), settled())
    assert decision.publish is not None
    assert (decision.publish.revision, decision.publish.version) == (1, 2)


def test_an_edit_keeps_the_family_it_has() -> None:
    copy = settled(article(id="b" * 32))
    copy = replace(copy, article=replace(copy.article, family="a" * 32))
    decision = known(article(id="b" * 32, body=TEXT + " More follows."), copy)
    assert decision.publish is not None
    assert decision.publish.family == "a" * 32


def test_an_article_alone_in_its_family_joins_another_when_its_text_becomes_the_same() -> None:
    decision = known(article(body=TEXT + " Now in full."), settled(), family="c" * 32)
    assert decision.publish is not None
    assert decision.publish.family == "c" * 32


def test_another_outlets_feed_is_a_sighting_that_changes_nothing() -> None:
    record = settled()
    decision = known(article(feed="f2", outlet="Mirror", title="Stolen", body="Other words."), record)
    assert decision.status is Status.DUPLICATE
    assert decision.publish is None
    assert decision.record is not None
    assert decision.record.article == record.article
    assert decision.record.seen_in == ("f2",)


def test_the_same_sighting_again_saves_nothing() -> None:
    seen = known(article(feed="f2", outlet="Mirror"), settled()).record
    assert seen is not None
    assert known(article(feed="f2", outlet="Mirror"), seen, offset=2).record is None


def test_another_feed_of_the_same_outlet_may_revise_but_the_same_text_is_no_news() -> None:
    record = settled()
    same = known(article(feed="f2", tags=("front page",)), record)
    assert same.status is Status.DUPLICATE
    edited = known(article(feed="f2", title="Ferry afloat"), record)
    assert edited.status is Status.UPDATED
    assert edited.publish is not None
    assert edited.publish.feed == "f1"


def test_without_an_outlet_only_the_first_feed_may_revise() -> None:
    decision = known(article(feed="f2", outlet="", title="x"), settled(article(outlet="")))
    assert decision.status is Status.DUPLICATE


def test_the_page_replaces_the_feeds_teaser() -> None:
    teaser = settled(article(body="A ferry ran aground."))
    decision = known(article(text_from="page", page="2026-03-01/aa"), teaser)
    assert decision.publish is not None
    assert (decision.publish.body, decision.publish.text_from, decision.publish.revision) == (TEXT, "page", 2)


def test_a_later_teaser_does_not_replace_the_page_but_its_title_counts() -> None:
    page = settled(article(text_from="page", page="2026-03-01/aa"))
    same = known(article(body="A ferry ran aground."), page)
    assert same.status is Status.DUPLICATE
    retitled = known(article(body="A ferry ran aground.", title="Ferry afloat"), page)
    assert retitled.publish is not None
    assert (retitled.publish.title, retitled.publish.body, retitled.publish.revision) == ("Ferry afloat", TEXT, 2)


def test_a_redelivered_input_is_a_duplicate_whatever_it_says() -> None:
    edited = known(article(title="second"), settled(), offset=5).record
    assert edited is not None
    again = known(article(title="first"), edited, offset=0)
    assert again.status is Status.DUPLICATE
    assert again.record is None
    elsewhere = decide_known(article(title="third"), edited, source(0, "log/articles.raw/1"), family="", now=NOW)
    assert elsewhere.status is Status.UPDATED


def test_an_old_text_that_comes_again_as_a_new_input_is_a_revision() -> None:
    edited = known(article(title="second"), settled(), offset=1).record
    assert edited is not None
    back = known(article(), edited, offset=2)
    assert back.publish is not None
    assert (back.publish.revision, back.publish.title) == (3, "Ferry aground")


def test_a_backfilled_article_seen_live_within_48_hours_goes_live() -> None:
    record = settled(article(lane="backfill"))
    assert not record.went_live
    decision = known(article(), record, now=NOW + timedelta(hours=46))
    assert decision.publish is not None
    assert decision.publish.lane == "live"
    assert decision.record is not None
    assert decision.record.went_live
    assert (decision.publish.revision, decision.publish.version) == (1, 2)


def test_a_backfilled_article_seen_live_later_stays_where_it_is() -> None:
    late = NOW + timedelta(hours=48)
    decision = known(article(first_seen=late), settled(article(lane="backfill")), now=late)
    assert decision.status is Status.DUPLICATE
    assert decision.publish is not None
    assert decision.publish.lane == "backfill"


def test_a_live_feed_of_anybody_makes_a_backfilled_article_news() -> None:
    archived = settled(article(lane="backfill", feed="", outlet="", source_path="archive.jsonl"))
    decision = known(article(title="Ferry on rocks"), archived)
    assert decision.publish is not None
    assert (decision.publish.lane, decision.publish.title, decision.publish.version) == ("live", "Ferry aground", 2)
    assert decision.record is not None
    assert (decision.record.went_live, decision.record.seen_in) == (True, ("f1",))


def test_what_was_polled_in_time_is_news_however_late_it_is_settled() -> None:
    decision = known(article(), settled(article(lane="backfill")), now=NOW + timedelta(days=5))
    assert decision.publish is not None
    assert decision.publish.lane == "live"


def test_sightings_name_others_only_and_not_without_end() -> None:
    own = known(article(lane="backfill", title="from an archive"), settled())
    assert own.record is None
    nameless = known(article(lane="backfill", feed="", source_path=""), settled())
    assert nameless.record is None
    full = replace(settled(), seen_in=tuple(f"file {n}" for n in range(MAX_SEEN_IN)))
    assert known(article(lane="backfill", feed="", source_path="one more"), full).record is None


def test_backfill_never_revises_what_went_live() -> None:
    decision = known(article(lane="backfill", title="from an archive"), settled())
    assert decision.status is Status.DUPLICATE
    assert decision.publish is None


def test_copies_share_a_key_whatever_their_case_and_white_space() -> None:
    assert copy_key(article()) == copy_key(article(title="Other title", body=TEXT.upper().replace(" ", "\n\n ")))
    assert copy_key(article()) != copy_key(article(body=TEXT.replace("ninety", "eighty")))


def test_short_bodies_are_copies_only_with_the_same_title() -> None:
    short = article(body="More to follow shortly; this page will be updated.", title="Ferry aground")
    assert copy_key(short) != copy_key(replace(short, title="Bridge closed"))
    assert copy_key(article(body="Photos.", title="Gallery")) == ""


@given(st.lists(st.sampled_from(["one", "two", "three"]), min_size=1, max_size=12))
def test_versions_only_grow_and_revisions_follow_the_text(titles: list[str]) -> None:
    record = settled(article(title="zero"))
    changes = 0
    for offset, title in enumerate(titles, start=1):
        last = record.article
        decision = known(article(title=title), record, offset=offset)
        record = decision.record or record
        changes += title != last.title
        assert record.article.version >= last.version
        assert (record.article.revision > last.revision) == (title != last.title)
    assert record.article.revision == 1 + changes
    assert record.article.title == titles[-1]


def test_of_two_archives_the_later_capture_stands_whichever_is_read_last() -> None:
    captures = [article(lane="backfill", title=f"Day {day}", fetched=NOW - timedelta(days=9 - day)) for day in (1, 2)]
    earlier, later = captures
    assert known(later, settled(earlier)).status is Status.UPDATED
    again = known(earlier, settled(later))
    assert (again.status, again.publish) == (Status.DUPLICATE, None)


def test_a_form_with_a_title_alone_takes_no_text_away() -> None:
    record = settled(article(body="The whole text of it.", summary="Short."))

    own = known(article(title="Another title", body="", summary=""), record)
    assert own.publish is not None
    assert (own.publish.title, own.publish.body, own.publish.summary) == (
        "Another title", "The whole text of it.", "Short."
    )  # fmt: skip
    other = known(article(feed="f2", title="A sitemap's title", body="", summary=""), record)
    assert (other.status, other.publish) == (Status.DUPLICATE, None)
