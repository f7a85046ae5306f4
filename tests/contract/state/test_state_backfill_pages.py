"""Pages of a backfill in the fetch queue: fetched like all others, and behind all others of their host."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from pipeline.feed import Feed, FeedState
from pipeline.ports import PageRequest, PollResult, State

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def a_page(article_id: str, host: str = "one.example", form: bytes = b"old") -> PageRequest:
    return PageRequest(article_id=article_id, url=f"https://{host}/{article_id}", host=host, article=form)


def add_live(state: State, *pages: PageRequest, at: datetime = NOW) -> None:
    """Add pages as a poll does."""
    state.save_feeds([Feed(id="f1", url="https://example.org/feed")])
    state.claim_due_feeds(at, 1, "poller", 60, only=["f1"])
    assert state.save_poll(PollResult(feed_id="f1", state=FeedState(last_polled=at), pages=pages), "poller")


def fetched(state: State, now: datetime = NOW, limit: int = 10) -> list[str]:
    """Claim what is due, and be done with it."""
    claimed = [page.article_id for page in state.claim_pages(now, limit, "ann", 60, 0)]
    for article_id in claimed:
        assert state.finish_page(article_id, "ann")
    return claimed


def test_they_are_claimed_as_they_were_added_in_the_order_of_their_coming(state: State) -> None:
    assert state.add_backfill_pages([a_page("a2")], NOW) == 1
    assert state.add_backfill_pages([a_page("a1"), a_page("a3")], NOW + HOUR) == 2
    assert state.claim_pages(NOW + HOUR, 10, "ann", 60, 0) == [a_page("a2")]
    state.finish_page("a2", "ann")
    assert [fetched(state, NOW + HOUR) for _ in range(3)] == [["a1"], ["a3"], []]


def test_a_live_page_of_the_host_goes_first_however_long_they_have_waited(state: State) -> None:
    state.add_backfill_pages([a_page("a1"), a_page("a2")], NOW)
    add_live(state, a_page("z9"), at=NOW + HOUR)
    assert [fetched(state, NOW + HOUR) for _ in range(3)] == [["z9"], ["a1"], ["a2"]]


def test_live_pages_of_all_hosts_go_first_where_a_batch_is_too_small_for_both(state: State) -> None:
    state.add_backfill_pages([a_page("a1", "one.example"), a_page("b1", "two.example")], NOW)
    add_live(state, a_page("c1", "three.example"), a_page("d1", "four.example"), at=NOW + HOUR)
    assert sorted(fetched(state, NOW + HOUR, limit=2)) == ["c1", "d1"]
    assert sorted(fetched(state, NOW + HOUR, limit=2)) == ["a1", "b1"]


def test_live_pages_that_are_to_be_tried_later_do_not_keep_them_waiting(state: State) -> None:
    add_live(state, a_page("z9"))
    state.claim_pages(NOW, 1, "ann", 60, 0)
    state.finish_page("z9", "ann", cause="HTTP 503", retry_at=NOW + HOUR)
    state.add_backfill_pages([a_page("a1"), a_page("a2")], NOW)
    assert fetched(state) == ["a1"]
    assert [fetched(state, NOW + HOUR) for _ in range(2)] == [["z9"], ["a2"]]


def test_tried_again_they_wait_their_time_and_stay_behind(state: State) -> None:
    state.add_backfill_pages([a_page("a1")], NOW)
    state.claim_pages(NOW, 1, "ann", 60, 0)
    state.finish_page("a1", "ann", cause="HTTP 503", retry_at=NOW + HOUR)
    (trouble,) = state.page_troubles()
    assert (trouble.due, trouble.cause) == (NOW + HOUR, "HTTP 503")
    assert fetched(state, NOW + HOUR - timedelta(seconds=1)) == []
    add_live(state, a_page("z9"), at=NOW + HOUR)
    assert [fetched(state, NOW + HOUR) for _ in range(2)] == [["z9"], ["a1"]]


def test_a_page_that_waits_for_the_news_is_left_to_it(state: State) -> None:
    add_live(state, a_page("a1", form=b"live"))
    assert state.add_backfill_pages([a_page("a1"), a_page("a2")], NOW) == 1
    assert state.claim_pages(NOW, 1, "ann", 60, 0) == [a_page("a1", form=b"live")]


def test_a_page_that_a_feed_shows_meanwhile_is_fetched_for_the_news(state: State) -> None:
    state.add_backfill_pages([a_page("a1"), a_page("a2")], NOW)
    add_live(state, a_page("a2", form=b"live"), at=NOW + HOUR)
    assert state.claim_pages(NOW + HOUR, 1, "ann", 60, 0) == [a_page("a2", form=b"live")]


def test_one_that_failed_is_tried_again_when_it_is_added_again(state: State) -> None:
    state.add_backfill_pages([a_page("a1")], NOW)
    state.claim_pages(NOW, 1, "ann", 60, 0)
    state.finish_page("a1", "ann", cause="HTTP 404")
    assert fetched(state, NOW + HOUR) == []
    assert state.add_backfill_pages([a_page("a1")], NOW + HOUR) == 1
    assert (fetched(state, NOW + HOUR), state.queued_pages()) == (["a1"], {"waiting": 0, "failed": 0, "again": 0})


def test_the_page_of_a_deleted_article_is_not_fetched(state: State) -> None:
    state.bury(["a1"], "asked to", NOW)
    assert state.add_backfill_pages([a_page("a1"), a_page("a2")], NOW) == 1
    assert [fetched(state) for _ in range(2)] == [["a2"], []]


def test_none_is_none(state: State) -> None:
    assert state.add_backfill_pages([], NOW) == 0
