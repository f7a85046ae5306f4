"""The rules of polling, as functions of values."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from pipeline.feed import Feed, FeedState, FeedStatus, SeenEntry
from pipeline.outcomes import Status, Trouble
from pipeline.poll import decide, waits
from pipeline.poll.articles import hash_of, key_of
from pipeline.poll.decide import Failure
from pipeline.poll.parse import Entry, ParsedFeed
from pipeline.ports import PollTally, Response

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
FEED = Feed(id="f00d", url="https://stand.example/feed", interval_seconds=600)
GOOD = FeedState(etag='"1"', last_modified="then", body_hash="h", status=FeedStatus.OK, items=3, last_ok=NOW)


def answer(status: int = 200, body: bytes = b"", **headers: str) -> Response:
    return Response(status=status, url=FEED.url, headers=headers, body=body)


def failed_with(cause: str) -> Failure:
    return Failure(cause, Trouble.STATUS)


def parsed(*entries: Entry, body: bytes = b"", state: FeedState = GOOD) -> FeedState:
    """Return the state after a poll that read these entries."""
    feed, tally = ParsedFeed(entries=entries), PollTally(seen=len(entries))
    return decide.after_parse(FEED, state, answer(body=body), feed, NOW, tally=tally, budget=decide.Budget())


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
    failed = decide.after_failure(FEED, GOOD, failed_with("timed out"), NOW)

    assert decide.conditional_headers(failed) == {}


# --- what an answer means


def test_an_empty_feed_that_was_read_is_not_a_failed_one() -> None:
    assert parsed().status is FeedStatus.EMPTY
    assert parsed(entry()).status is FeedStatus.OK
    assert decide.after_unchanged(FEED, parsed(), answer(304), NOW, budget=decide.Budget()).status is FeedStatus.EMPTY


def test_a_parse_forgets_the_etag_of_the_body_before() -> None:
    after = parsed(body=b"new")

    assert (after.etag, after.last_modified, after.body_hash) == ("", "", decide.body_hash(b"new"))


def test_only_a_body_that_parses_or_is_known_to_parse_ends_a_failure() -> None:
    failed = decide.after_failure(FEED, GOOD, decide.not_a_feed("JSON"), NOW)

    assert decide.failure_in(answer(304), failed) == Failure("not a feed: JSON", Trouble.NOT_A_FEED)
    assert not decide.is_unchanged(answer(304), failed)
    known = parsed(entry(), body=b"x")
    assert decide.is_unchanged(answer(body=b"x"), decide.after_failure(FEED, known, failed_with("HTTP 500"), NOW))


def test_not_modified_without_anything_to_modify_is_a_failure() -> None:
    failure = decide.failure_in(answer(304), FeedState())

    assert failure is not None
    assert failure.cause == "HTTP 304 Not Modified, though the feed was never read"


def test_a_failure_keeps_everything_of_the_last_good_poll() -> None:
    failed = decide.after_failure(FEED, GOOD, failed_with("HTTP 500"), NOW)

    assert (failed.etag, failed.last_modified, failed.body_hash, failed.items) == ('"1"', "then", "h", 3)
    assert (failed.status, failed.cause, failed.failures) == (FeedStatus.FAILED, "HTTP 500", 1)
    assert (failed.last_polled, failed.last_ok) == (NOW, GOOD.last_ok)


# --- when to come again


def test_a_good_poll_of_a_feed_without_an_interval_is_followed_by_one_within_a_day_that_it_has_earned() -> None:
    feed = replace(FEED, interval_seconds=0)
    quiet = decide.after_unchanged(feed, GOOD, answer(304), NOW, budget=decide.Budget())
    busy = quiet
    for minute in range(1, 600):
        now = NOW + timedelta(minutes=minute)
        tally = PollTally(seen=30, new=2, known=28, overlap=28 / 30)
        busy = decide.after_parse(feed, busy, answer(), ParsedFeed(), now, tally=tally, budget=decide.Budget())

    assert quiet.next_due is not None
    assert busy.next_due is not None
    assert busy.last_ok is not None
    assert timedelta(minutes=1) <= busy.next_due - busy.last_ok < quiet.next_due - NOW <= timedelta(hours=24)
    assert busy.pace > quiet.pace


def test_a_good_poll_is_followed_by_the_feeds_interval() -> None:
    assert decide.after_unchanged(FEED, GOOD, answer(304), NOW, budget=decide.Budget()).next_due == NOW + timedelta(
        seconds=600
    )


@given(st.integers(1, 30), st.integers(10, 604_800), st.text("0123456789abcdef", min_size=12, max_size=12))
def test_waits_double_up_to_a_day_less_a_tenth_at_most(failures: int, interval: int, feed_id: str) -> None:
    feed = Feed(id=feed_id, url="", interval_seconds=interval)
    full = min(interval * 2**failures, 24 * 3600)

    wait = decide.backoff_seconds(feed, failures)

    assert 0.9 * full <= wait <= full
    assert decide.backoff_seconds(feed, failures) == wait


def test_a_feed_that_fails_for_weeks_decays_to_a_look_a_month_and_never_dies() -> None:
    days = [decide.backoff_seconds(FEED, failures) / 86_400 for failures in range(1, 200)]

    assert max(days[:30]) <= 1.0
    assert 1.0 < days[34] < 3.0
    assert all(27.0 <= wait <= 30.0 for wait in days[50:])


@pytest.mark.parametrize(
    ("failures", "minutes"), [(1, 1), (2, 2), (3, 4), (4, 8), (5, 16), (6, 32), (7, 60), (8, 60), (24, 60)]
)
def test_a_feed_that_could_not_be_reached_is_asked_again_soon_and_never_much_later(failures: int, minutes: int) -> None:
    feed = Feed(id="a" * 12, url="", interval_seconds=900)
    assert 0.9 * minutes * 60 <= decide.no_answer_seconds(feed, failures) <= minutes * 60
    state = decide.after_no_answer(
        feed, FeedState(failures=failures - 1), Failure("no route to host", Trouble.NO_ANSWER), NOW
    )
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
        refusal = answer(429, **{"retry-after": str(int(asked))})
        after = decide.after_failure(FEED, FeedState(), failed_with("HTTP 429"), NOW, response=refusal)
        assert after.next_due is not None
        return after.next_due - NOW

    assert due(7200) == timedelta(hours=2)
    assert due(1e9) == timedelta(days=1)
    assert due(1) == timedelta(seconds=decide.backoff_seconds(FEED, 1))


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, 0.0),
        ({"cache-control": "max-age=600"}, 600.0),
        ({"cache-control": "public, MAX-AGE = 600", "age": "100"}, 500.0),
        ({"cache-control": "max-age=60", "age": "100"}, 0.0),
        ({"cache-control": "no-cache, max-age=600"}, 0.0),
        ({"cache-control": "s-maxage=600"}, 0.0),
        ({"cache-control": "max-age=31536000"}, 4 * 3600.0),
        ({"cache-control": "max-age=600", "expires": "Sun, 01 Mar 2026 15:00:00 GMT"}, 600.0),
        ({"expires": "Sun, 01 Mar 2026 13:00:00 GMT", "date": "Sun, 01 Mar 2026 12:30:00 GMT"}, 1800.0),
        ({"expires": "Sun, 01 Mar 2026 13:00:00 GMT"}, 3600.0),
        ({"expires": "0"}, 0.0),
        ({"expires": "Sun, 01 Mar 2020 13:00:00 GMT"}, 0.0),
    ],
)
def test_an_answer_is_fresh_as_long_as_it_says_up_to_four_hours(headers: dict[str, str], seconds: float) -> None:
    assert waits.fresh_seconds(headers, NOW) == seconds


@given(st.text(max_size=60), st.text(max_size=20), st.text(max_size=40))
def test_no_header_makes_a_wait_that_cannot_be(control: str, age: str, expires: str) -> None:
    seconds = waits.fresh_seconds({"cache-control": control, "age": age, "expires": expires}, NOW)

    assert 0 <= seconds <= 4 * 3600


def test_a_fresh_answer_is_not_asked_for_again_before_its_time() -> None:
    fresh = answer(304, **{"cache-control": "max-age=3600"})

    assert decide.after_unchanged(FEED, GOOD, fresh, NOW, budget=decide.Budget()).next_due == NOW + timedelta(hours=1)


def test_410_ends_the_polls() -> None:
    gone = decide.after_failure(FEED, GOOD, failed_with("HTTP 410 Gone"), NOW, response=answer(410))

    assert (gone.status, gone.cause) == (FeedStatus.GONE, "HTTP 410 Gone")


def test_a_host_that_says_too_many_is_left_alone_for_longer() -> None:
    assert decide.host_pause_seconds(answer(200), 2.0, NOW) == 2.0
    assert decide.host_pause_seconds(None, 2.0, NOW) == 2.0
    assert decide.host_pause_seconds(answer(429), 2.0, NOW) == 30.0
    assert decide.host_pause_seconds(answer(503, **{"retry-after": "600"}), 2.0, NOW) == 600.0
    assert decide.host_pause_seconds(answer(429, **{"retry-after": "9999999"}), 2.0, NOW) == 86_400.0


# --- where it is


def moving(state: FeedState, to: str, days: float, feed: Feed = FEED) -> tuple[FeedState, str]:
    there = Response(status=200, url=to, headers={}, body=b"", permanent_url=to)
    return decide.after_redirect(feed, state, there, NOW + timedelta(days=days))


def test_an_address_that_leads_elsewhere_for_good_is_believed_after_seven_days() -> None:
    first, none = moving(GOOD, "https://new.example/feed", 0)
    later, neither = moving(first, "https://new.example/feed", 6.9)
    moved, adopted = moving(later, "https://new.example/feed", 7)

    assert (none, neither, adopted) == ("", "", "https://new.example/feed")
    assert (first.moved_to, first.moved_since) == ("https://new.example/feed", NOW)
    assert (moved.moved_to, moved.moved_since) == ("https://new.example/feed", None)


def test_the_seven_days_begin_again_when_it_leads_to_a_third_place_or_back() -> None:
    first, _ = moving(GOOD, "https://new.example/feed", 0)
    other, adopted = moving(first, "https://other.example/feed", 7)
    assert (adopted, other.moved_since) == ("", NOW + timedelta(days=7))

    back, _ = decide.after_redirect(FEED, first, answer(200), NOW)
    assert (back.moved_to, back.moved_since) == ("", None)


def test_a_feed_with_credentials_is_not_followed_to_another_host() -> None:
    private = replace(FEED, access="agency")
    first, _ = moving(GOOD, "https://new.example/feed", 0, private)

    assert moving(first, "https://new.example/feed", 30, private)[1] == ""
    within, _ = moving(GOOD, "https://stand.example/new", 0, private)
    assert moving(within, "https://stand.example/new", 7, private)[1] == "https://stand.example/new"


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
