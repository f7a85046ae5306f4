"""The rules of polling, as functions of values."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.feed import Feed, FeedState, FeedStatus, SeenEntry
from pipeline.outcomes import Status
from pipeline.poll import decide
from pipeline.poll.articles import hash_of, key_of
from pipeline.poll.parse import Entry, ParsedFeed
from pipeline.ports import Response

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
FEED = Feed(id="f00d", url="https://stand.example/feed", interval_seconds=600)
GOOD = FeedState(etag='"1"', last_modified="then", body_hash="h", status=FeedStatus.OK, items=3, last_ok=NOW)


def answer(status: int = 200, body: bytes = b"", **headers: str) -> Response:
    return Response(status=status, url=FEED.url, headers=headers, body=body)


def entry(link: str = "https://stand.example/1", title: str = "One", **more: str) -> Entry:
    return Entry(link=link, identifying_link=link, title=title, **more)


def seen(*entries: Entry) -> dict[str, SeenEntry]:
    return {key_of(one): SeenEntry(key=key_of(one), article_id="", content_hash=hash_of(one)) for one in entries}


def statuses(*entries: Entry, before: dict[str, SeenEntry] | None = None) -> list[Status]:
    return [sort.status for sort in decide.sorted_entries(entries, before or {})]


# --- what to ask


def test_what_the_last_good_answer_gave_is_shown_to_the_server() -> None:
    assert decide.conditional_headers(GOOD) == {"If-None-Match": '"1"', "If-Modified-Since": "then"}
    assert decide.conditional_headers(FeedState()) == {}


def test_after_a_failure_a_body_is_asked_for() -> None:
    failed = decide.after_failure(FEED, GOOD, "timed out", NOW)

    assert decide.conditional_headers(failed) == {}


# --- what an answer means


def test_an_empty_feed_that_was_read_is_not_a_failed_one() -> None:
    assert decide.after_parse(FEED, GOOD, answer(), ParsedFeed(), NOW).status is FeedStatus.EMPTY
    assert decide.after_parse(FEED, GOOD, answer(), ParsedFeed(entries=(entry(),)), NOW).status is FeedStatus.OK
    empty = decide.after_parse(FEED, GOOD, answer(), ParsedFeed(), NOW)
    assert decide.after_unchanged(FEED, empty, NOW).status is FeedStatus.EMPTY


def test_a_parse_forgets_the_etag_of_the_body_before() -> None:
    after = decide.after_parse(FEED, GOOD, answer(body=b"new"), ParsedFeed(), NOW)

    assert (after.etag, after.last_modified, after.body_hash) == ("", "", decide.body_hash(b"new"))


def test_only_a_body_that_parses_or_is_known_to_parse_ends_a_failure() -> None:
    failed = decide.after_failure(FEED, GOOD, "not a feed: JSON", NOW)

    assert decide.failure_in(answer(304), failed) == "not a feed: JSON"
    assert not decide.is_unchanged(answer(304), failed)
    known = decide.after_parse(FEED, GOOD, answer(body=b"x"), ParsedFeed(entries=(entry(),)), NOW)
    assert decide.is_unchanged(answer(body=b"x"), decide.after_failure(FEED, known, "HTTP 500", NOW))


def test_not_modified_without_anything_to_modify_is_a_failure() -> None:
    assert decide.failure_in(answer(304), FeedState()) == "HTTP 304 Not Modified, though the feed was never read"


def test_a_failure_keeps_everything_of_the_last_good_poll() -> None:
    failed = decide.after_failure(FEED, GOOD, "HTTP 500", NOW)

    assert (failed.etag, failed.last_modified, failed.body_hash, failed.items) == ('"1"', "then", "h", 3)
    assert (failed.status, failed.cause, failed.failures) == (FeedStatus.FAILED, "HTTP 500", 1)
    assert (failed.last_polled, failed.last_ok) == (NOW, GOOD.last_ok)


# --- when to come again


def test_a_good_poll_is_followed_by_the_feeds_interval() -> None:
    assert decide.after_unchanged(FEED, GOOD, NOW).next_due == NOW + timedelta(seconds=600)


@given(st.integers(1, 10_000), st.integers(10, 604_800), st.text("0123456789abcdef", min_size=12, max_size=12))
def test_waits_double_up_to_a_day_less_a_tenth_at_most(failures: int, interval: int, feed_id: str) -> None:
    feed = Feed(id=feed_id, url="", interval_seconds=interval)
    full = min(interval * 2**failures, 24 * 3600)

    wait = decide.backoff_seconds(feed, failures)

    assert 0.9 * full <= wait <= full
    assert decide.backoff_seconds(feed, failures) == wait


@pytest.mark.parametrize(
    ("failures", "minutes"), [(1, 1), (2, 2), (3, 4), (4, 8), (5, 16), (6, 32), (7, 60), (8, 60), (10_000, 60)]
)
def test_a_feed_that_could_not_be_reached_is_asked_again_soon_and_never_much_later(failures: int, minutes: int) -> None:
    feed = Feed(id="a" * 12, url="", interval_seconds=900)
    assert 0.9 * minutes * 60 <= decide.no_answer_seconds(feed, failures) <= minutes * 60
    state = decide.after_no_answer(feed, FeedState(failures=failures - 1), "no route to host", NOW)
    assert (state.failures, state.cause, state.status) == (failures, "no route to host", FeedStatus.FAILED)
    assert state.next_due == NOW + timedelta(seconds=decide.no_answer_seconds(feed, failures))


@given(st.integers(1, 10_000), st.integers(10, 604_800))
def test_no_answer_never_costs_a_longer_wait_than_a_bad_one(failures: int, interval: int) -> None:
    feed = Feed(id="a" * 12, url="", interval_seconds=interval)
    assert decide.no_answer_seconds(feed, failures) <= decide.backoff_seconds(feed, failures)


def test_feeds_that_fail_together_do_not_come_back_together() -> None:
    feeds = [Feed(id=f"{number:012x}", url="") for number in range(50)]

    assert len({decide.backoff_seconds(feed, 1) for feed in feeds}) > 40


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120.0),
        (" 0 ", 0.0),
        ("9" * 30, 999_999_999.0),
        ("Sun, 01 Mar 2026 13:00:00 GMT", 3600.0),
        ("Sun, 01 Mar 2026 13:00:00 -0000", 3600.0),
        ("Sun, 01 Mar 2026 11:00:00 GMT", 0.0),
        ("-5", None),
        ("soon", None),
        ("١٢", None),
        ("", None),
    ],
)
def test_a_retry_after_is_seconds_or_a_date(value: str, seconds: float | None) -> None:
    assert decide.retry_after_seconds(value, NOW) == seconds


@given(st.text(max_size=40))
def test_no_retry_after_breaks_the_poll(value: str) -> None:
    decide.retry_after_seconds(value, NOW)


def test_the_servers_wish_is_granted_up_to_a_day_and_never_shortens_our_wait() -> None:
    def due(asked: float) -> timedelta:
        after = decide.after_failure(FEED, FeedState(), "HTTP 429", NOW, asked_seconds=asked)
        assert after.next_due is not None
        return after.next_due - NOW

    assert due(7200) == timedelta(hours=2)
    assert due(1e9) == timedelta(days=1)
    assert due(1) == timedelta(seconds=decide.backoff_seconds(FEED, 1))


# --- what is new


def test_an_entry_is_new_then_known_then_changed() -> None:
    first, edited = entry(), entry(title="Two")

    assert statuses(first) == [Status.PUBLISHED]
    assert statuses(first, before=seen(first)) == [Status.DUPLICATE]
    assert statuses(edited, before=seen(first)) == [Status.UPDATED]


@pytest.mark.parametrize("part", ["title", "summary", "html"])
def test_a_change_of_any_text_is_a_change(part: str) -> None:
    assert statuses(entry(**{part: "other"}), before=seen(entry())) == [Status.UPDATED]


def test_dates_guid_tags_and_authors_alone_make_no_change() -> None:
    restamped = Entry(
        link="https://stand.example/1", identifying_link="https://stand.example/1", title="One", guid="new",
        published=NOW, updated=NOW, tags=("t",), authors=("a",),
    )  # fmt: skip

    assert statuses(restamped, before=seen(entry())) == [Status.DUPLICATE]


def test_of_two_entries_with_one_link_the_first_counts() -> None:
    newest, older = entry(title="Newest"), entry(title="Older")

    assert statuses(newest, older) == [Status.PUBLISHED, Status.DUPLICATE]
    assert statuses(newest, older, before=seen(newest)) == [Status.DUPLICATE, Status.DUPLICATE]


def test_an_entry_without_identity_is_dropped_each_time() -> None:
    assert statuses(Entry(), Entry(), entry()) == [Status.DROPPED, Status.DROPPED, Status.PUBLISHED]
