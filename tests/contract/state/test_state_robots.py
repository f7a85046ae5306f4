"""What origins allow is kept, and a host can be held."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from pipeline.feed import Feed, FeedState
from pipeline.ports import PageRequest, PollResult, RobotsAnswer, State

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
RULES = RobotsAnswer(
    origin="https://news.example",
    answer="rules",
    text="User-agent: *\nDisallow: /ü",
    fetched=NOW,
    expires=NOW + timedelta(hours=24),
)


def test_what_was_kept_comes_back_as_it_was(state: State) -> None:
    state.save_robots(RULES)
    assert state.robots("https://news.example") == RULES
    assert state.robots("http://news.example") is None


def test_a_new_answer_takes_the_place_of_the_former(state: State) -> None:
    other = replace(RULES, origin="https://other.example")
    closed = replace(RULES, answer="closed", text="", expires=NOW + timedelta(minutes=15))
    for answer in (RULES, other, closed):
        state.save_robots(answer)
    assert state.robots("https://news.example") == closed
    assert state.robots("https://other.example") == other


def test_what_no_database_takes_is_taken_out_of_the_text(state: State) -> None:
    state.save_robots(replace(RULES, text="Disallow: /a\0b\ud800"))
    kept = state.robots("https://news.example")
    assert kept is not None
    assert "\0" not in kept.text


@pytest.mark.parametrize("seconds", [30, 60])
def test_a_host_that_is_held_gives_no_page_until_then(state: State, seconds: int) -> None:
    pages = tuple(
        PageRequest(article_id=name, url=f"https://one.example/{name}", host="one.example", article=b"")
        for name in ("a", "b")
    )
    state.save_feeds([Feed(id="f1", url="https://example.org/feed")])
    state.claim_due_feeds(NOW, 1, "poller", 60, only=["f1"])
    assert state.save_poll(PollResult(feed_id="f1", state=FeedState(last_polled=NOW), pages=pages), "poller")
    (page,) = state.claim_pages(NOW, 10, "ann", 600, 2.0)

    until = NOW + timedelta(seconds=seconds)
    state.hold_host("one.example", until)
    state.hold_host("one.example", NOW + timedelta(seconds=5))  # never sooner than it was
    state.hold_host("nobody.example", until)
    state.finish_page(page.article_id, "ann", host_open_at=NOW + timedelta(seconds=2))

    assert not state.claim_pages(until - timedelta(seconds=1), 10, "ann", 600, 2.0)
    assert len(state.claim_pages(until, 10, "ann", 600, 2.0)) == 1
