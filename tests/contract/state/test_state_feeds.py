"""Feeds: settings, polls, claims and the entries they have shown."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from pipeline.feed import Feed, FeedState, FeedStatus, KnownFeed, SeenEntry
from pipeline.ports import PageRequest, PollResult, State

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
FULL = Feed(
    id="f1",
    url="https://example.org/feed",
    title="Example",
    outlet="The Example",
    language="en",
    tags=("world", "北京"),
    full_page=True,
    interval_seconds=600,
)
POLLED = FeedState(
    etag='"x1"',
    last_modified="Sun, 01 Mar 2026 12:00:00 GMT",
    body_hash="b1",
    status=FeedStatus.OK,
    cause="",
    failures=0,
    last_polled=NOW,
    last_ok=NOW,
    next_due=NOW + HOUR,
    items=2,
)


def a_feed(feed_id: str, title: str = "") -> Feed:
    return Feed(id=feed_id, url=f"https://{feed_id}.example.org/feed", title=title)


def an_entry(key: str, content_hash: str = "h1") -> SeenEntry:
    return SeenEntry(key=key, article_id=f"a-{key}", content_hash=content_hash)


def claim(state: State, now: datetime = NOW, holder: str = "ann", limit: int = 10, **only: Sequence[str]) -> list[str]:
    return [known.feed.id for known in state.claim_due_feeds(now, limit, holder, 120, **only)]


def poll(state: State, feed_id: str, result: FeedState = POLLED, entries: Sequence[SeenEntry] = ()) -> None:
    """Claim a feed and save a poll of it."""
    assert claim(state, result.last_polled or NOW, only=[feed_id]) == [feed_id]
    assert state.save_poll(PollResult(feed_id=feed_id, state=result, entries=tuple(entries)), "ann")


def test_a_feed_comes_back_as_it_was_saved(state: State) -> None:
    assert state.save_feeds([FULL]) == 1

    assert state.feed("f1") == KnownFeed(feed=FULL, state=FeedState())


def test_an_unknown_feed_is_none(state: State) -> None:
    assert state.feed("f1") is None


def test_only_new_feeds_are_counted(state: State) -> None:
    state.save_feeds([a_feed("f1")])

    assert state.save_feeds([a_feed("f1"), a_feed("f2"), a_feed("f2")]) == 1
    assert state.save_feeds([]) == 0


def test_changing_settings_keeps_the_poll_state(state: State) -> None:
    state.save_feeds([FULL])
    poll(state, "f1")

    state.save_feeds([replace(FULL, title="New", tags=())])

    assert state.feed("f1") == KnownFeed(feed=replace(FULL, title="New", tags=()), state=POLLED)


def test_feeds_are_listed_by_title_then_url(state: State) -> None:
    state.save_feeds([a_feed("f3", "b"), a_feed("f2", "a"), a_feed("f1", "a"), a_feed("f4", "B"), a_feed("f5", "é")])

    assert [known.feed.id for known in state.feeds()] == ["f4", "f1", "f2", "f3", "f5"]


def test_many_feeds_are_saved_at_once(state: State) -> None:
    assert state.save_feeds([a_feed(f"f{i}") for i in range(1200)]) == 1200
    assert len(state.feeds()) == 1200


def test_a_removed_feed_is_gone_with_its_entries(state: State) -> None:
    state.save_feeds([a_feed("f1")])
    poll(state, "f1", entries=[an_entry("k1")])

    assert state.remove_feed("f1") is True

    assert state.feed("f1") is None
    assert state.seen_entries("f1", ["k1"]) == {}
    assert state.remove_feed("f1") is False


# --- due and claimed --------------------------------------------------------------------------------------------------


def test_a_new_feed_is_due_at_once(state: State) -> None:
    state.save_feeds([a_feed("f1")])

    assert claim(state) == ["f1"]


def test_a_feed_is_due_when_its_time_has_come(state: State) -> None:
    state.save_feeds([a_feed("f1")])
    poll(state, "f1")

    assert claim(state, NOW + HOUR - timedelta(microseconds=1)) == []
    assert claim(state, NOW + HOUR) == ["f1"]


def test_the_longest_due_come_first_and_no_more_than_wanted(state: State) -> None:
    state.save_feeds([a_feed(f"f{i}") for i in range(1, 5)])
    for feed_id, due in {"f1": 3, "f2": 1, "f3": 2}.items():
        poll(state, feed_id, replace(POLLED, next_due=NOW + due * MINUTE))

    assert claim(state, NOW + HOUR, limit=3) == ["f4", "f2", "f3"]


def test_a_claimed_feed_is_not_given_again(state: State) -> None:
    state.save_feeds([a_feed("f1"), a_feed("f2")])

    assert claim(state, limit=1) == ["f1"]
    assert claim(state, holder="bob") == ["f2"]
    assert claim(state) == []


def test_a_claim_ends_with_its_time(state: State) -> None:
    state.save_feeds([a_feed("f1")])
    claim(state)

    assert claim(state, NOW + timedelta(seconds=119), holder="bob") == []
    assert claim(state, NOW + timedelta(seconds=120), holder="bob") == ["f1"]


def test_a_claim_made_before_the_clock_went_back_an_hour_is_void(state: State) -> None:
    state.save_feeds([a_feed("f1")])
    claim(state)

    assert claim(state, NOW - HOUR, holder="bob") == ["f1"]


def test_a_clock_a_little_behind_takes_no_claim_away(state: State) -> None:
    state.save_feeds([a_feed("f1")])
    claim(state)

    assert claim(state, NOW - timedelta(seconds=45), holder="bob") == []


def test_a_feed_due_before_the_clock_went_back_is_due_again_when_that_time_comes(state: State) -> None:
    state.save_feeds([a_feed("f1")])
    poll(state, "f1", replace(POLLED, next_due=NOW + MINUTE))
    back = NOW - HOUR

    assert claim(state, back) == []
    assert claim(state, back + HOUR + MINUTE) == ["f1"]


def test_a_feed_given_back_unpolled_is_due_as_before(state: State) -> None:
    state.save_feeds([a_feed("f1")])
    claim(state)

    state.release_feed("f1", "ann")

    assert claim(state, holder="bob") == ["f1"]


def test_nobody_gives_back_what_another_claimed(state: State) -> None:
    state.save_feeds([a_feed("f1")])
    claim(state)

    state.release_feed("f1", "bob")

    assert claim(state, holder="bob") == []


def test_naming_a_feed_waives_being_due_but_not_being_claimed(state: State) -> None:
    state.save_feeds([a_feed("f1"), a_feed("f2"), a_feed("f3")])
    poll(state, "f1")
    poll(state, "f2")

    assert claim(state, only=["f1", "unknown"]) == ["f1"]
    assert claim(state, holder="bob", only=["f1"]) == []
    assert claim(state, only=[]) == []


def test_a_paused_feed_is_not_claimed_until_it_is_resumed(state: State) -> None:
    state.save_feeds([a_feed("f1")])

    assert state.pause_feed("f1", True) is True
    assert claim(state) == []
    assert claim(state, only=["f1"]) == []
    assert state.pause_feed("f1", False) is True
    assert claim(state) == ["f1"]


def test_pausing_an_unknown_feed_says_so(state: State) -> None:
    assert state.pause_feed("f1", True) is False


# --- polls ------------------------------------------------------------------------------------------------------------


def test_a_poll_is_saved_and_its_claim_given_back(state: State) -> None:
    state.save_feeds([FULL])

    poll(state, "f1", entries=[an_entry("k1"), an_entry("k2")])

    assert state.feed("f1") == KnownFeed(feed=FULL, state=POLLED)
    assert state.seen_entries("f1", ["k1", "k2", "k3"]) == {"k1": an_entry("k1"), "k2": an_entry("k2")}
    assert claim(state, NOW + HOUR, holder="bob") == ["f1"]


def test_entries_belong_to_their_feed(state: State) -> None:
    state.save_feeds([a_feed("f1"), a_feed("f2")])
    poll(state, "f1", entries=[an_entry("k1")])

    assert state.seen_entries("f2", ["k1"]) == {}


def test_an_entry_shown_again_takes_its_new_hash(state: State) -> None:
    state.save_feeds([a_feed("f1")])
    poll(state, "f1", entries=[an_entry("k1")])
    poll(state, "f1", entries=[an_entry("k1", "h2")])

    assert state.seen_entries("f1", ["k1"])["k1"].content_hash == "h2"


def test_a_feed_of_many_entries_is_looked_up_at_once(state: State) -> None:
    state.save_feeds([a_feed("f1")])
    keys = [f"k{i}" for i in range(1201)]
    poll(state, "f1", entries=[an_entry(key) for key in keys])

    assert len(state.seen_entries("f1", keys)) == 1201


def test_nothing_of_a_poll_is_saved_when_the_claim_is_anothers(state: State) -> None:
    state.save_feeds([a_feed("f1")])
    claim(state)
    claim(state, NOW + 3 * MINUTE, holder="bob")
    page = PageRequest(article_id="a1", url="https://example.org/1", host="example.org", article=b"1")
    late = PollResult(feed_id="f1", state=POLLED, entries=(an_entry("k1"),), pages=(page,))

    assert state.save_poll(late, "ann") is False

    assert state.feed("f1") == KnownFeed(feed=a_feed("f1"), state=FeedState())
    assert state.seen_entries("f1", ["k1"]) == {}
    assert state.queued_pages() == {"waiting": 0, "failed": 0, "again": 0}
    assert state.save_poll(late, "bob") is True


def test_a_poll_whose_claim_is_over_counts_while_nobody_took_the_feed(state: State) -> None:
    state.save_feeds([a_feed("f1")])
    claim(state)

    assert state.save_poll(PollResult(feed_id="f1", state=replace(POLLED, last_polled=NOW + HOUR)), "ann") is True


def test_a_poll_is_not_saved_twice_under_one_claim(state: State) -> None:
    state.save_feeds([a_feed("f1")])
    poll(state, "f1")

    assert state.save_poll(PollResult(feed_id="f1", state=POLLED), "ann") is False


def test_a_poll_of_a_feed_removed_meanwhile_is_not_saved(state: State) -> None:
    state.save_feeds([a_feed("f1")])
    claim(state)
    state.remove_feed("f1")

    assert state.save_poll(PollResult(feed_id="f1", state=POLLED, entries=(an_entry("k1"),)), "ann") is False


def test_a_feed_that_a_person_pauses_during_its_poll_stays_paused(state: State) -> None:
    state.save_feeds([a_feed("f1")])
    claim(state)
    state.pause_feed("f1", True)

    state.save_poll(PollResult(feed_id="f1", state=POLLED), "ann")

    known = state.feed("f1")
    assert known is not None
    assert known.state.paused is True


def test_a_poll_can_pause_its_feed(state: State) -> None:
    state.save_feeds([a_feed("f1")])
    poll(state, "f1", replace(POLLED, paused=True, status=FeedStatus.FAILED, cause="410 Gone"))

    assert claim(state, NOW + 2 * HOUR) == []


def test_a_poll_that_shows_entries_must_say_when(state: State) -> None:
    state.save_feeds([a_feed("f1")])
    claim(state)

    with pytest.raises(ValueError, match="f1"):
        state.save_poll(
            PollResult(feed_id="f1", state=replace(POLLED, last_polled=None), entries=(an_entry("k"),)), "ann"
        )


def test_old_entries_that_the_feed_shows_no_more_are_forgotten(state: State) -> None:
    state.save_feeds([a_feed("f1")])
    poll(state, "f1", entries=[an_entry("old"), an_entry("kept")])
    poll(state, "f1", replace(POLLED, last_polled=NOW + 48 * HOUR), entries=[an_entry("kept"), an_entry("new")])

    assert state.forget_seen(NOW) == 0
    assert state.forget_seen(NOW + MINUTE) == 1
    assert sorted(state.seen_entries("f1", ["old", "kept", "new"])) == ["kept", "new"]


def test_what_a_feed_listed_last_is_not_forgotten_while_it_answers_not_modified(state: State) -> None:
    state.save_feeds([a_feed("f1")])
    poll(state, "f1", entries=[an_entry("k1")])
    poll(state, "f1", replace(POLLED, last_polled=NOW + 100 * 24 * HOUR))

    assert state.forget_seen(NOW + 99 * 24 * HOUR) == 0
    assert "k1" in state.seen_entries("f1", ["k1"])


# --- hostile input ----------------------------------------------------------------------------------------------------


def test_a_cause_is_cut(state: State) -> None:
    state.save_feeds([a_feed("f1")])
    poll(state, "f1", replace(POLLED, status=FeedStatus.FAILED, cause="ö" * 1_000_000))

    known = state.feed("f1")
    assert known is not None
    assert known.state.cause == "ö" * 2_000


def test_text_loses_what_cannot_be_stored_and_nothing_else(state: State) -> None:
    state.save_feeds(
        [Feed(id="f1", url="https://example.org/\udcff", title="N\x00UL 🗞 \ud800", tags=("a\x00b\udcff",))]
    )
    poll(state, "f1", replace(POLLED, etag='"\x00\udc80"', cause="\x00"))

    known = state.feed("f1")
    assert known is not None
    assert (known.feed.url, known.feed.title) == ("https://example.org/?", "NUL 🗞 ?")
    assert known.feed.tags == ("a\x00b\udcff",)
    assert (known.state.etag, known.state.cause) == ('"?"', "")


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(title=st.text(), cause=st.text(max_size=50), tag=st.text(), key=st.text(min_size=1))
def test_no_text_is_refused(state: State, title: str, cause: str, tag: str, key: str) -> None:
    state.save_feeds([replace(a_feed("f1"), title=title, tags=(tag,))])
    poll(state, "f1", replace(POLLED, cause=cause), entries=[an_entry(key)])

    known = state.feed("f1")
    assert known is not None
    assert known.feed.tags == (tag,)
    if "\x00" not in title:
        assert known.feed.title == title
    if "\x00" not in key:
        assert state.seen_entries("f1", [key]) == {key: an_entry(key)}


def test_a_time_without_a_zone_is_refused_and_nothing_saved(state: State) -> None:
    state.save_feeds([a_feed("f1")])
    claim(state)
    naive = replace(POLLED, next_due=NOW.replace(tzinfo=None))

    with pytest.raises(ValueError, match="time zone"):
        state.save_poll(PollResult(feed_id="f1", state=naive), "ann")
    assert state.save_poll(PollResult(feed_id="f1", state=POLLED), "ann") is True


def test_times_keep_their_microseconds_in_any_zone(state: State) -> None:
    state.save_feeds([a_feed("f1")])
    east = datetime(2026, 3, 1, 17, 45, 0, 123_457, tzinfo=UTC).astimezone()
    poll(state, "f1", replace(POLLED, next_due=east, last_ok=datetime(1901, 1, 1, tzinfo=UTC)))

    known = state.feed("f1")
    assert known is not None
    assert (known.state.next_due, known.state.last_ok) == (east, datetime(1901, 1, 1, tzinfo=UTC))


# --- one host at a time -----------------------------------------------------------------------------------------------


def of_host(feed_id: str, host: str = "one.example") -> Feed:
    return Feed(id=feed_id, url=f"https://{host}/{feed_id}")


def test_of_several_due_feeds_of_one_host_one_is_claimed_until_it_is_saved_and_the_pause_is_over(state: State) -> None:
    state.save_feeds([of_host("f1"), of_host("f2"), of_host("f3", "two.example")])

    assert claim(state) == ["f1", "f3"]
    assert claim(state, NOW + MINUTE, holder="bob") == []
    state.save_poll(PollResult(feed_id="f1", state=POLLED, host_open_at=NOW + 1.5 * MINUTE), "ann")
    assert claim(state, NOW + MINUTE, holder="bob") == []
    assert claim(state, NOW + 1.5 * MINUTE, holder="bob") == ["f2"]


def test_many_due_feeds_of_one_host_do_not_hide_the_others(state: State) -> None:
    state.save_feeds([of_host(f"a{i:03}") for i in range(200)] + [of_host("z1", "two.example")])

    assert claim(state, limit=3) == ["a000", "z1"]


def test_a_feed_given_back_unpolled_opens_its_host(state: State) -> None:
    state.save_feeds([of_host("f1"), of_host("f2")])
    assert claim(state) == ["f1"]

    state.release_feed("f1", "ann")

    assert claim(state, holder="bob") == ["f1"]


def test_who_names_a_feed_waives_the_pause_of_its_host_but_not_another_request(state: State) -> None:
    state.save_feeds([of_host("f1"), of_host("f2")])
    claim(state, only=["f1"])
    assert claim(state, only=["f2"], holder="bob") == []

    state.save_poll(PollResult(feed_id="f1", state=POLLED, host_open_at=NOW + HOUR), "ann")

    assert claim(state) == []
    assert claim(state, only=["f2"]) == ["f2"]


# --- several polls at once --------------------------------------------------------------------------------------------


def test_polls_are_saved_together_but_for_those_whose_claim_is_lost(state: State) -> None:
    state.save_feeds([a_feed("f1"), a_feed("f2"), a_feed("f3")])
    claim(state)
    state.release_feed("f2", "ann")

    saved = state.save_polls([PollResult(feed_id=each, state=POLLED) for each in ("f1", "f2", "f3")], "ann")

    assert set(saved) == {"f1", "f3"}
    assert claim(state) == ["f2"]


def test_items_are_known_by_their_raw_hash(state: State) -> None:
    state.save_feeds([a_feed("f1")])
    entries = [replace(an_entry("k1"), raw_hash=-5), an_entry("k2"), replace(an_entry("k3"), raw_hash=2**63 - 1)]
    poll(state, "f1", entries=entries)

    assert state.seen_items("f1") == {-5: "k1", 2**63 - 1: "k3"}
    assert state.seen_entries("f1", ["k1"])["k1"].raw_hash == -5


def test_an_item_shown_again_as_it_was_is_not_forgotten(state: State) -> None:
    state.save_feeds([a_feed("f1")])
    poll(state, "f1", entries=[replace(an_entry("k1"), raw_hash=5), replace(an_entry("k2"), raw_hash=6)])
    assert claim(state, NOW + 48 * HOUR) == ["f1"]
    again = PollResult(feed_id="f1", state=replace(POLLED, last_polled=NOW + 48 * HOUR), shown_again=(5,))
    assert state.save_poll(again, "ann")

    assert state.forget_seen(NOW + 47 * HOUR) == 1
    assert state.seen_items("f1") == {5: "k1"}


# --- where a feed is --------------------------------------------------------------------------------------------------

NEW_URL = "https://new.example/feed"


def move(state: State) -> None:
    assert claim(state, only=["f1"]) == ["f1"]
    moved = replace(POLLED, moved_to=NEW_URL)
    assert state.save_poll(PollResult(feed_id="f1", state=moved, new_url=NEW_URL, new_host="new.example"), "ann")


def test_a_feed_that_moved_is_polled_at_its_new_address_under_its_id(state: State) -> None:
    state.save_feeds([a_feed("f1")])
    poll(state, "f1", entries=[an_entry("k1")])

    move(state)

    known = state.feed("f1")
    assert known is not None
    assert known.feed.url == NEW_URL
    assert state.feed_at(NEW_URL) == known
    assert state.feed_at(a_feed("f1").url) is None
    assert "k1" in state.seen_entries("f1", ["k1"])


def test_a_list_with_either_address_of_a_moved_feed_changes_nothing(state: State) -> None:
    state.save_feeds([a_feed("f1")])
    move(state)
    before = state.feeds()

    assert state.save_feeds([a_feed("f1")]) == 0
    assert state.save_feeds([Feed(id="f9", url=NEW_URL)]) == 0

    assert state.feeds() == before


def test_a_feed_that_is_gone_is_not_polled_until_a_person_resumes_it(state: State) -> None:
    state.save_feeds([a_feed("f1")])
    poll(state, "f1", replace(POLLED, status=FeedStatus.GONE, cause="HTTP 410 Gone", failures=1))
    assert claim(state, NOW + 1000 * HOUR) == []
    assert claim(state, NOW + 1000 * HOUR, only=["f1"]) == []

    assert state.pause_feed("f1", paused=False) is True

    assert claim(state) == ["f1"]
    known = state.feed("f1")
    assert known is not None
    assert (known.state.status, known.state.cause) == (FeedStatus.NEW, "")


def test_all_feeds_are_numbered_at_a_glance(state: State) -> None:
    state.save_feeds([a_feed(f"f{i}") for i in range(1, 7)])
    poll(state, "f1", replace(POLLED, pace=2.0))
    poll(state, "f2", replace(POLLED, status=FeedStatus.FAILED, next_due=NOW + MINUTE, pace=4.0))
    poll(state, "f3", replace(POLLED, status=FeedStatus.GONE, pace=100.0))
    state.pause_feed("f4", paused=True)

    numbers = state.feed_numbers(NOW + 2 * MINUTE)

    assert numbers.by_status == {"ok": 1, "failed": 1, "gone": 1, "paused": 1, "new": 2}
    assert (numbers.due, numbers.due_since, numbers.last_polled) == (3, NOW + MINUTE, NOW)
    assert numbers.mean_pace == (2.0 + 4.0) / 2  # of those that were polled


def test_a_claim_that_is_renewed_keeps_feed_and_host(state: State) -> None:
    state.save_feeds([of_host("f1"), of_host("f2")])
    assert claim(state) == ["f1"]

    state.renew_claims(["f1"], NOW + MINUTE, "ann", 120)
    state.renew_claims(["f2"], NOW + MINUTE, "bob", 120)

    assert claim(state, NOW + 2.5 * MINUTE, holder="bob") == []
    assert claim(state, NOW + 3 * MINUTE, holder="bob") == ["f1"]


def test_a_claim_given_back_can_leave_its_host_a_pause(state: State) -> None:
    state.save_feeds([of_host("f1")])
    claim(state)

    state.release_feed("f1", "ann", NOW + MINUTE)

    assert claim(state, NOW + 0.9 * MINUTE) == []
    assert claim(state, NOW + MINUTE) == ["f1"]


def test_a_second_move_that_is_not_believed_yet_does_not_undo_the_first(state: State) -> None:
    state.save_feeds([a_feed("f1")])
    move(state)
    assert claim(state, only=["f1"]) == ["f1"]
    state.save_poll(
        PollResult(feed_id="f1", state=replace(POLLED, moved_to="https://third.example/", moved_since=NOW)), "ann"
    )

    assert state.save_feeds([a_feed("f1")]) == 0
    assert state.save_feeds([Feed(id="f9", url=NEW_URL)]) == 0

    assert [known.feed.url for known in state.feeds()] == [NEW_URL]
