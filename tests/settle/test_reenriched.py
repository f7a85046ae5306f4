"""A settled form that newer stages went over, and forms without a text of their own: what changes, what does not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from pipeline.article import Article, Changes, Entity, Heading, Quote
from pipeline.outcomes import DropReason, Status
from pipeline.ports import ArticleRecord
from pipeline.settle.decide import Decision, Source, decide_known, decide_new, hash_of
from pipeline.settle.reenriched import decide_reenriched

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
TEXT = "A ferry ran aground off the northern breakwater this morning; all ninety passengers were brought ashore."
FERRY = Entity(kind="organisation", name="Northern Star", in_title=((0, 5),), in_body=((2, 7),))
PORT = Entity(kind="place", name="Port", id="geo:1", in_body=((20, 30),))


def article(**changes: object) -> Article:
    plain = Article(
        id="a" * 32, url="https://harbour.example/ferry", feed="f1", outlet="Harbour Times", title="Ferry aground",
        body=TEXT, published=NOW - timedelta(hours=1), first_seen=NOW, text_from="page", page="2026-03-01/" + "e" * 32,
        stages=("text/2",), entities=(FERRY, PORT), section="News", tags=("harbour",),
        quotes=(Quote(start=0, end=7),), headings=(Heading(0, "A ferry"),), flags=("paywalled",),
    )  # fmt: skip
    return replace(plain, **changes)


def record(**changes: object) -> ArticleRecord:
    decision = decide_new(article(**changes), source(0), family="", now=NOW)
    assert decision.record is not None
    return decision.record


def source(offset: int, place: str = "log/articles.raw/0") -> Source:
    return Source(place, offset)


def again(known: ArticleRecord | None, **changes: object) -> Decision:
    sent = known.article if known else article()
    return decide_reenriched(replace(sent, **changes), known, source(9, "log/backfill.raw/0"))


def later(known: ArticleRecord, **changes: object) -> Decision:
    return decide_known(article(**changes), known, source(5), family="", now=NOW)


def test_a_better_read_text_is_a_new_version_of_the_same_revision() -> None:
    known = record()
    found = again(known, body=TEXT + " Nobody was hurt.", stages=("text/3",), entities=(PORT,))
    assert found.status is Status.UPDATED
    assert found.publish == replace(
        known.article, body=TEXT + " Nobody was hurt.", stages=("text/3",), entities=(PORT,), version=2,
        content_hash=hash_of(replace(known.article, body=TEXT + " Nobody was hurt.")),
    )  # fmt: skip
    assert found.record is not None
    assert found.record.sources["log/backfill.raw/0"] == 9


def test_nothing_that_names_or_dates_the_article_can_be_changed_by_it() -> None:
    known = record(changes=Changes(title_before="Ferry missing"))
    hostile = {
        "lane": "backfill", "url": "https://evil.example/", "guid": "g", "feed": "f2", "outlet": "Evil", "page": "",
        "first_seen": NOW + timedelta(days=9), "fetched": NOW, "first_poll": True, "content_hash": "x", "revision": 7,
        "changes": None, "family": "f", "story": "s", "source_path": "/x",
    }  # fmt: skip
    assert again(known, **hostile).status is Status.DUPLICATE


def test_the_same_again_is_a_duplicate_that_publishes_nothing() -> None:
    found = again(record())
    assert (found.status, found.publish, found.reason) == (Status.DUPLICATE, None, "reenriched")
    assert found.record is not None


@pytest.mark.parametrize("known", [None, record()], ids=["forgotten", "moved on"])
def test_an_article_that_moved_on_meanwhile_is_left_alone(known: ArticleRecord | None) -> None:
    found = again(known, version=4, body="older text")
    assert (found.status, found.reason, found.record) == (Status.DROPPED, DropReason.SUPERSEDED, None)


def test_other_bytes_of_a_page_are_an_edit_and_the_same_bytes_read_otherwise_are_none() -> None:
    known = record()
    other_day = "2026-03-02/" + "e" * 32
    same = later(known, page=other_day, body=TEXT + " More.", stages=("text/3",))
    assert same.publish is not None
    assert (same.publish.revision, same.publish.version, same.publish.body) == (1, 2, TEXT + " More.")
    assert same.publish.content_hash == hash_of(same.publish)
    edited = later(known, page="2026-03-02/" + "f" * 32, body=TEXT + " More.")
    assert edited.publish is not None
    assert edited.publish.revision == 2
    retitled = later(known, page=other_day, title="Ferry afloat", body=TEXT + " More.")
    assert retitled.publish is not None
    assert retitled.publish.revision == 2


def test_a_feeds_teaser_leaves_the_pages_text_with_all_that_stands_in_it() -> None:
    known = record()
    teaser = {
        "text_from": "feed", "page": "", "body": "A ferry ran aground.", "entities": (FERRY,), "quotes": (),
        "stages": ("text/3",), "section": "", "tags": ("sea",), "headings": (), "flags": (),
    }  # fmt: skip
    found = later(known, **teaser)
    assert found.publish == replace(known.article, tags=("harbour", "sea"), version=2)
    assert found.record is not None
    assert later(found.record, **teaser).status is Status.DUPLICATE


def test_a_new_title_brings_its_own_names_and_the_kept_body_keeps_its() -> None:
    captain = Entity(kind="person", name="Ann Lee", in_title=((0, 7),), in_body=((0, 3),))
    found = later(record(), text_from="feed", page="", body="Teaser.", title="Ann Lee speaks", entities=(captain,))
    assert found.publish is not None
    assert found.publish.entities == (replace(FERRY, in_title=()), PORT, replace(captain, in_body=()))


def test_lines_that_an_outlet_repeats_leave_without_an_edit_and_other_editions_of_stages_tell_of_none() -> None:
    known = record(body=TEXT + "\n\nJoin our readers.\n\nIt was towed.")
    other = "2026-03-02/" + "f" * 32
    removed = later(known, page=other, body=TEXT + "\n\nIt was towed.", flags=("lines_removed",))
    assert removed.publish is not None
    assert (removed.publish.revision, removed.publish.changes) == (1, None)
    added = later(known, page=other, body=TEXT + "\n\nIt sank.", flags=("lines_removed",))
    assert added.publish is not None
    assert added.publish.revision == 2
    upgraded = later(known, page=other, body=TEXT + "\n\nIt sank.", stages=("text/3",))
    assert upgraded.publish is not None
    assert upgraded.publish.revision == 1


def test_what_a_feed_says_anew_counts_and_does_not_pile_up() -> None:
    known = record(origin="Reuters", origin_by="dateline", authors=("Old Name",), flags=("paywalled",))
    found = later(
        known, text_from="feed", page="", body="Teaser.", entities=(FERRY,), origin="AFP", origin_by="byline",
        authors=("New Name",), updated=NOW, flags=("language_unsure", "published_clamped"),
    )  # fmt: skip
    assert found.publish is not None
    assert (found.publish.origin, found.publish.origin_by) == ("Reuters", "dateline")
    assert (found.publish.authors, found.publish.updated) == (("New Name",), NOW)
    assert found.publish.flags == ("paywalled", "published_clamped")
    for number in range(300):
        assert found.record is not None
        teaser = article(text_from="feed", page="", body="Teaser.", entities=(FERRY,), tags=(f"tag {number}",))
        found = decide_known(teaser, found.record, source(10 + number), family="", now=NOW)
    assert found.publish is not None
    assert len(found.publish.tags) == 100
