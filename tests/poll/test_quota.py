"""How many feeds may be claimed, what there is to spend, and whose claims go on."""

from __future__ import annotations

from fakes import HOLDER, Newsstand
from msgspec.structs import replace

from pipeline.poll.quota import CONCURRENT, REFILL, Quota, Renewal, Spending
from pipeline.ports import PollResult


def is_free(stand: Newsstand) -> bool:
    """Whether another process gets the feed now."""
    claimed = stand.state.claim_due_feeds(stand.clock(), 1, "other", 1, [stand.feed.id])
    for known in claimed:
        stand.state.release_feed(known.feed.id, "other")
    return bool(claimed)


def test_what_is_under_way_stays_ours_past_its_lease(stand: Newsstand) -> None:
    renewal = Renewal(stand.state, stand.clock, HOLDER, 120)
    assert stand.state.claim_due_feeds(stand.clock(), 1, HOLDER, 120)

    for _ in range(10):
        stand.clock.forward(50)
        renewal.go_on([stand.feed.id])
        assert not is_free(stand)

    stand.clock.forward(121)
    assert is_free(stand)


def test_feeds_are_claimed_many_at_once_or_when_none_is_under_way() -> None:
    quota = Quota(None, None)

    assert quota.room(0) == CONCURRENT
    assert quota.room(CONCURRENT - REFILL) == REFILL
    assert quota.room(CONCURRENT - REFILL + 1) == 0
    assert Quota(3, None).room(0) == 3


def test_what_was_named_is_claimed_once(stand: Newsstand) -> None:
    quota = Quota(None, [stand.feed.id])

    quota.take([stand.known])

    assert not quota.is_open
    assert quota.room(0) == 0


def test_the_budget_goes_by_what_all_feeds_ask_for_a_minute_ago_at_most(stand: Newsstand) -> None:
    spending = Spending(stand.state, stand.clock, 2.0)
    assert (spending.budget().polls_per_feed_hour, spending.budget().mean_pace) == (2.0, 0.7)
    stand.state.claim_due_feeds(stand.clock(), 1, HOLDER, 60)
    polled = replace(stand.known.state, pace=3.0, last_polled=stand.clock())
    assert stand.state.save_poll(PollResult(feed_id=stand.feed.id, state=polled), HOLDER)

    stand.clock.forward(59)
    assert spending.budget().mean_pace == 0.7
    stand.clock.forward(1)
    assert spending.budget().mean_pace == 3.0
