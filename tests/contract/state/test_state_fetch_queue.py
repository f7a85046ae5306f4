"""The fetch queue: pages waiting, one at a time for each host."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from pipeline.feed import Feed, FeedState
from pipeline.ports import PageRequest, PollResult, State

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
HOUR = timedelta(hours=1)


def a_page(article_id: str, host: str = "", form: bytes = b"first") -> PageRequest:
    host = host or f"{article_id}.example.org"
    return PageRequest(article_id=article_id, url=f"https://{host}/{article_id}", host=host, article=form)


def add(state: State, *pages: PageRequest, at: datetime = NOW) -> None:
    """Add pages as a poll does."""
    state.save_feeds([Feed(id="f1", url="https://example.org/feed")])
    state.claim_due_feeds(at, 1, "poller", 60, only=["f1"])
    assert state.save_poll(PollResult(feed_id="f1", state=FeedState(last_polled=at), pages=pages), "poller")


def claim(
    state: State, now: datetime = NOW, holder: str = "ann", limit: int = 10, delay: float = 2.0
) -> list[PageRequest]:
    return list(state.claim_pages(now, limit, holder, 60, delay))


def claimed(state: State, now: datetime = NOW, holder: str = "ann", limit: int = 10, delay: float = 2.0) -> list[str]:
    return [page.article_id for page in claim(state, now, holder, limit, delay)]


def test_a_page_is_claimed_as_it_was_added(state: State) -> None:
    add(state, a_page("a1"))

    assert claim(state) == [a_page("a1")]


def test_pages_are_claimed_in_the_order_of_their_coming(state: State) -> None:
    add(state, a_page("a2"), at=NOW)
    add(state, a_page("a1"), at=NOW + SECOND)
    add(state, a_page("a3"), at=NOW + 2 * SECOND)

    assert claimed(state, NOW + HOUR, limit=2) == ["a2", "a1"]
    assert claimed(state, NOW + HOUR, limit=2) == ["a3"]


def test_a_host_is_asked_for_one_page_at_a_time(state: State) -> None:
    add(state, a_page("a1", "one.example"), a_page("a2", "one.example"), a_page("b1", "two.example"))

    assert claimed(state) == ["a1", "b1"]
    assert claimed(state, NOW + 9 * SECOND, holder="bob") == []
    state.finish_page("a1", "ann")
    assert claimed(state, NOW + 9 * SECOND, holder="bob") == ["a2"]


def test_the_pause_of_a_host_begins_when_its_page_is_done(state: State) -> None:
    add(state, a_page("a1", "one.example"), a_page("a2", "one.example"))
    claimed(state)
    state.finish_page("a1", "ann", host_open_at=NOW + 7 * SECOND)

    assert claimed(state, NOW + 6.9 * SECOND) == []
    assert claimed(state, NOW + 7 * SECOND) == ["a2"]


def test_a_feed_and_a_page_of_one_host_are_not_asked_for_at_once(state: State) -> None:
    add(state, a_page("a1", "example.org"))
    state.pause_feed("f1", paused=True)
    state.save_feeds([Feed(id="f2", url="https://example.org/other")])

    assert [known.feed.id for known in state.claim_due_feeds(NOW, 10, "ann", 60)] == ["f2"]
    assert claimed(state, holder="bob") == []
    state.save_poll(PollResult(feed_id="f2", state=FeedState(last_polled=NOW), host_open_at=NOW + 2 * SECOND), "ann")
    assert claimed(state, NOW + SECOND, holder="bob") == []
    assert claimed(state, NOW + 2 * SECOND, holder="bob") == ["a1"]


def test_a_host_stays_closed_after_its_page_is_done(state: State) -> None:
    add(state, a_page("a1", "one.example"), a_page("a2", "one.example"))
    claimed(state)
    state.finish_page("a1", "ann")

    assert claimed(state, NOW + SECOND) == []
    assert claimed(state, NOW + 2 * SECOND) == ["a2"]


def test_without_a_delay_a_host_still_gives_one_page_a_call(state: State) -> None:
    add(state, a_page("a1", "one.example"), a_page("a2", "one.example"))

    assert claimed(state, delay=0) == ["a1"]
    assert claimed(state, delay=0) == []
    state.finish_page("a1", "ann")
    assert claimed(state, delay=0) == ["a2"]


def test_a_host_closed_before_the_clock_went_back_an_hour_is_open(state: State) -> None:
    add(state, a_page("a1", "one.example"), a_page("a2", "one.example"), at=NOW - 2 * HOUR)
    claimed(state)
    state.finish_page("a1", "ann", host_open_at=NOW + HOUR)

    assert len(claimed(state, NOW - HOUR, holder="bob")) == 1


def test_a_page_that_is_not_due_yet_waits(state: State) -> None:
    add(state, a_page("a1"), at=NOW + SECOND)

    assert claimed(state) == []
    assert claimed(state, NOW + SECOND) == ["a1"]


def test_a_claim_ends_with_its_time_and_counts_as_an_attempt(state: State) -> None:
    add(state, a_page("a1"))
    claim(state)

    assert claimed(state, NOW + 59 * SECOND, holder="bob") == []
    (again,) = claim(state, NOW + 60 * SECOND, holder="bob")
    assert again.attempts == 1


def test_a_page_that_is_done_leaves_the_queue(state: State) -> None:
    add(state, a_page("a1"))
    claim(state)
    assert state.queued_pages() == {"waiting": 1, "failed": 0, "again": 0}

    assert state.finish_page("a1", "ann") is True

    assert state.queued_pages() == {"waiting": 0, "failed": 0, "again": 0}
    assert state.finish_page("a1", "ann") is False


def test_a_page_to_be_tried_again_waits_until_then(state: State) -> None:
    add(state, a_page("a1"))
    claim(state)

    assert state.finish_page("a1", "ann", cause="503", retry_at=NOW + HOUR) is True

    assert claimed(state, NOW + HOUR - SECOND) == []
    (again,) = claim(state, NOW + HOUR)
    assert again.attempts == 1


def test_a_page_that_failed_for_good_is_kept_and_not_given_again(state: State) -> None:
    add(state, a_page("a1"))
    claim(state)

    assert state.finish_page("a1", "ann", cause="404 Not Found" + "\x00" * 3_000_000) is True

    assert state.queued_pages() == {"waiting": 0, "failed": 1, "again": 0}
    assert claimed(state, NOW + 1000 * HOUR) == []


def test_a_lost_claim_cannot_be_finished(state: State) -> None:
    add(state, a_page("a1"))
    claim(state)
    claim(state, NOW + 61 * SECOND, holder="bob")

    assert state.finish_page("a1", "ann", cause="time-out") is False
    assert state.finish_page("a1", "bob") is True


def test_a_waiting_page_that_comes_again_takes_the_new_form_and_is_due(state: State) -> None:
    add(state, a_page("a1"))
    claim(state)
    state.finish_page("a1", "ann", cause="503", retry_at=NOW + 24 * HOUR)

    add(state, a_page("a1", "new.example", b"second"), at=NOW + HOUR)

    assert claim(state, NOW + HOUR) == [a_page("a1", "new.example", b"second")]
    assert state.queued_pages() == {"waiting": 1, "failed": 0, "again": 0}


def test_a_failed_page_that_comes_again_is_tried_afresh(state: State) -> None:
    add(state, a_page("a1"))
    claim(state)
    state.finish_page("a1", "ann", cause="404")

    add(state, a_page("a1", form=b"second"), at=NOW + HOUR)

    assert claim(state, NOW + HOUR) == [a_page("a1", form=b"second")]


def test_a_page_that_comes_again_while_it_is_fetched_is_not_given_to_a_second(state: State) -> None:
    add(state, a_page("a1"))
    claim(state)

    add(state, a_page("a1", form=b"second"), at=NOW + SECOND)

    assert claimed(state, NOW + 10 * SECOND, holder="bob") == []


def test_a_page_that_came_again_while_it_was_fetched_is_due_afterwards_in_its_new_form(state: State) -> None:
    add(state, a_page("a1"))
    claim(state)
    add(state, a_page("a1", form=b"second"), at=NOW + SECOND)

    assert state.finish_page("a1", "ann") is True

    assert claim(state, NOW + 10 * SECOND) == [a_page("a1", form=b"second")]
    assert state.finish_page("a1", "ann") is True
    assert state.queued_pages() == {"waiting": 0, "failed": 0, "again": 0}


def test_the_failure_of_the_former_form_does_not_condemn_the_new_one(state: State) -> None:
    add(state, a_page("a1"))
    claim(state)
    add(state, a_page("a1", form=b"second"), at=NOW + SECOND)

    state.finish_page("a1", "ann", cause="404")

    assert claim(state, NOW + 10 * SECOND) == [a_page("a1", form=b"second")]


def test_a_wait_that_the_server_asked_for_holds_for_the_new_form_too(state: State) -> None:
    add(state, a_page("a1"))
    claim(state)
    add(state, a_page("a1", form=b"second"), at=NOW + SECOND)

    state.finish_page("a1", "ann", cause="429", retry_at=NOW + HOUR)

    assert claimed(state, NOW + HOUR - SECOND) == []
    (again,) = claim(state, NOW + HOUR)
    assert again.article == b"second"


def test_who_claims_after_an_expired_claim_gets_the_new_form_and_finishes_it(state: State) -> None:
    add(state, a_page("a1"))
    claim(state)
    add(state, a_page("a1", form=b"second"), at=NOW + SECOND)

    (again,) = claim(state, NOW + 61 * SECOND, holder="bob")
    state.finish_page("a1", "bob")

    assert again.article == b"second"
    assert state.queued_pages() == {"waiting": 0, "failed": 0, "again": 0}


def test_no_page_is_queued_for_a_deleted_article(state: State) -> None:
    state.bury(["a1"], "asked for", NOW)

    add(state, a_page("a1"), a_page("a2"))

    assert claimed(state) == ["a2"]


def test_hosts_and_urls_of_any_text_are_queued(state: State) -> None:
    odd = PageRequest(article_id="a1", url="https://x\x00\udcff/", host="x\x00\udcff", article=b"\x00\xff")
    add(state, odd, a_page("a2", "x?"))

    (page,) = claim(state)  # both are of the host "x?" now
    assert (page.url, page.host, page.article) == ("https://x?/", "x?", b"\x00\xff")


def test_a_long_queue_is_worked_off_to_the_end(state: State) -> None:
    add(state, *(a_page(f"a{i:04}", f"h{i % 300}.example") for i in range(1200)))
    done: set[str] = set()

    for step in range(4):
        pages = claimed(state, NOW + step * 2 * SECOND, limit=1000)
        assert len(pages) == 300
        done.update(pages)
        for page in pages:
            state.finish_page(page, "ann")

    assert len(done) == 1200


def test_pages_that_could_not_be_fetched_are_told_with_the_reason(state: State) -> None:
    add(state, a_page("a1"), a_page("a2"), a_page("a3"), a_page("a4"))
    claim(state)
    state.finish_page("a1", "ann", cause="HTTP 503", retry_at=NOW + HOUR)
    state.finish_page("a2", "ann", cause="HTTP 410: the page is gone")
    state.finish_page("a3", "ann")

    told = [(each.article_id, each.host, each.status, each.attempts, each.cause) for each in state.page_troubles()]

    assert told == [
        ("a2", "a2.example.org", "failed", 1, "HTTP 410: the page is gone"),
        ("a1", "a1.example.org", "waiting", 1, "HTTP 503"),
    ]
    assert [each.article_id for each in state.page_troubles(limit=1)] == ["a2"]
    assert [each.cause for each in state.page_troubles(article_id="a1")] == ["HTTP 503"]
    assert list(state.page_troubles(article_id="a4")) == []


# --- pages that are visited again


def fetched_well(state: State, *ids: str, again_at: datetime = NOW + HOUR) -> None:
    """Pages that were fetched and are due again in an hour."""
    for ident in ids:
        assert state.finish_page(ident, "ann", again_at=again_at, article=b"with its page") is True


def test_a_page_to_be_visited_again_is_due_then_with_the_form_that_has_its_page(state: State) -> None:
    add(state, a_page("a1"))
    claim(state)

    fetched_well(state, "a1")

    assert state.queued_pages() == {"waiting": 0, "failed": 0, "again": 1}
    assert claimed(state, NOW + HOUR - SECOND) == []
    (again,) = claim(state, NOW + HOUR)
    assert (again.article, again.attempts, again.visits) == (b"with its page", 0, 1)
    assert state.finish_page("a1", "ann") is True
    assert state.queued_pages() == {"waiting": 0, "failed": 0, "again": 0}


def test_pages_that_were_never_fetched_go_before_those_visited_again(state: State) -> None:
    add(state, a_page("a1", "one.example"), a_page("b1", "two.example"))
    claim(state)
    fetched_well(state, "a1", "b1")
    add(state, a_page("a2", "one.example"), a_page("c1", "three.example"), at=NOW + 2 * HOUR)

    assert claimed(state, NOW + 3 * HOUR) == ["a2", "c1", "b1"]
    state.finish_page("a2", "ann")
    assert claimed(state, NOW + 4 * HOUR, holder="bob", limit=1) == ["c1"]
    assert claimed(state, NOW + 4 * HOUR, holder="bob", limit=1) == ["a1"]


def test_a_page_that_fails_when_it_is_visited_again_is_still_no_page_that_waits(state: State) -> None:
    add(state, a_page("a1"))
    claim(state)
    fetched_well(state, "a1")
    claim(state, NOW + HOUR)

    assert state.finish_page("a1", "ann", cause="HTTP 503", retry_at=NOW + 2 * HOUR) is True

    assert state.queued_pages() == {"waiting": 0, "failed": 0, "again": 1}
    assert [(each.status, each.cause) for each in state.page_troubles()] == [("again", "HTTP 503")]
    (again,) = claim(state, NOW + 2 * HOUR)
    assert (again.attempts, again.visits) == (1, 1)
    fetched_well(state, "a1", again_at=NOW + 9 * HOUR)
    assert state.page_troubles() == []


def test_a_visit_that_failed_for_good_is_left_to_the_next(state: State) -> None:
    add(state, a_page("a1"))
    claim(state)
    fetched_well(state, "a1")
    claim(state, NOW + HOUR)

    assert state.finish_page("a1", "ann", cause="HTTP 503", again_at=NOW + 4 * HOUR, article=b"") is True

    (again,) = claim(state, NOW + 4 * HOUR)
    assert (again.article, again.attempts, again.visits) == (b"with its page", 0, 1)


def test_a_form_that_came_during_a_visit_is_the_one_that_waits_and_is_due_at_once(state: State) -> None:
    add(state, a_page("a1"))
    claim(state)
    add(state, a_page("a1", form=b"second"), at=NOW + SECOND)

    fetched_well(state, "a1")

    assert state.queued_pages() == {"waiting": 1, "failed": 0, "again": 0}
    (page,) = claim(state, NOW + 10 * SECOND)
    assert (page.article, page.visits) == (b"second", 1)


def test_a_form_that_comes_between_two_visits_is_due_at_once(state: State) -> None:
    add(state, a_page("a1"))
    claim(state)
    fetched_well(state, "a1")

    add(state, a_page("a1", form=b"second"), at=NOW + 10 * SECOND)

    assert state.queued_pages() == {"waiting": 1, "failed": 0, "again": 0}
    assert [page.article for page in claim(state, NOW + 10 * SECOND)] == [b"second"]


def test_a_visit_whose_fetcher_died_is_made_again(state: State) -> None:
    add(state, a_page("a1"))
    claim(state)
    fetched_well(state, "a1")
    claim(state, NOW + HOUR)

    assert claimed(state, NOW + HOUR + 61 * SECOND, holder="bob") == ["a1"]
    assert state.finish_page("a1", "ann", again_at=NOW + 9 * HOUR, article=b"x") is False


def test_a_deleted_article_is_not_visited_again(state: State) -> None:
    add(state, a_page("a1"))
    claim(state)
    fetched_well(state, "a1")

    state.bury(["a1"], "asked for", NOW)

    assert state.queued_pages() == {"waiting": 0, "failed": 0, "again": 0}
    assert claimed(state, NOW + HOUR) == []
