"""Several processes on one state: nothing is given to two, and what a killed one held is free at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from pipeline.errors import LeaseLost
from pipeline.feed import Feed, FeedState
from pipeline.ports import Lease, PageRequest, PollResult, State
from pipeline.rule import Alert

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)

PROLOGUE = """
import sys
from datetime import UTC, datetime, timedelta
from pipeline.adapters.processes import holder_name
from pipeline.adapters.sql_state import SqlState
from pipeline.errors import LeaseLost

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
state = SqlState.open(sys.argv[1], migrate=False)
me = holder_name()
print("ready", flush=True)
input()
finished = list
claims = {
    "feed": lambda: [known.feed.id for known in state.claim_due_feeds(NOW, 3, me, 600)],
    "page": lambda: finished(page.article_id for page in state.claim_pages(NOW, 3, me, 600, 0)),
    "delivery": lambda: [delivery.id for delivery in state.claim_deliveries(NOW, 3, me, 600)],
    "request": lambda: [request.id for request in state.claim_requests(["prune"], NOW, 3, me, 600)],
}
"""
CLAIM_ALL = """
def finished(pages):  # a host is free for its next page only then
    return [page for page in pages if state.finish_page(page, me, retry_at=NOW + timedelta(hours=1))]

for kind, claim in claims.items():
    while claimed := claim():
        print(*(f"{kind}/{key}" for key in claimed))
"""
CLAIM_AND_HANG = """
claimed = [f"{kind}/{key}" for kind, claim in claims.items() for key in claim()]
lease = state.acquire_lease("settle", me, 600, NOW)
print(lease.holder, lease.epoch, *claimed, flush=True)
input()
"""
COUNT = """
for _ in range(20):
    state.mark_batch("enrich", [], {("published", ""): 1, ("dead", "x"): 2}, NOW)
"""
TAKE_AND_SETTLE = """
for step in range(10):
    lease = state.acquire_lease("settle", me, 600, NOW + step * timedelta(hours=1))
    try:
        if lease is not None:
            state.settle(lease, NOW, lambda tx: print(lease.epoch))
    except LeaseLost:
        pass
"""


@pytest.fixture
def at_once(elsewhere: Callable[..., Any], state_url: str) -> Callable[[str, int], list[list[str]]]:
    """Run a program in several processes that start together; return the words that each printed."""

    def run(program: str, number: int) -> list[list[str]]:
        whole = f"{PROLOGUE}\n{program}\nprint('end', flush=True)\ninput()"  # an ended one's claims would be free
        started = [elsewhere(whole, state_url) for _ in range(number)]
        for each in started:
            assert each.is_ready() == "ready"
        for each in started:
            each.go_on()
        return [each.words() for each in started]

    return run


def fill(state: State, number: int) -> None:
    """Put ``number`` feeds, pages, deliveries and requests there, all of them due; few hosts, many pages."""
    state.save_feeds([Feed(id=f"f{i}", url=f"https://f{i}.example.org/") for i in range(number)])
    state.save_feeds([Feed(id="adder", url="https://example.org/adder")])
    state.claim_due_feeds(NOW, 1, "filler", 60, only=["adder"])
    pages = [PageRequest(article_id=f"a{i}", url="u", host=f"h{i % 7}", article=b"x") for i in range(number)]
    waiting = FeedState(last_polled=NOW, next_due=NOW + timedelta(hours=1))
    state.save_poll(PollResult(feed_id="adder", state=waiting, pages=tuple(pages)), "filler")
    for _ in range(number):
        state.add_request("prune", {}, NOW)
    alert = Alert(
        id="", rule="r", rule_name="", family="", article_id="", title="", url="", outlet="",
        published=None, first_seen=None, raised_at=NOW,
    )  # fmt: skip
    state.save_alerts([(replace(alert, id=f"x{i}"), ["log"]) for i in range(number)], NOW)


def claim_three(state: State) -> list[str]:
    """Claim up to three of each kind in this process."""
    return [
        *(f"feed/{known.feed.id}" for known in state.claim_due_feeds(NOW, 3, "ann", 600)),
        *(f"page/{page.article_id}" for page in state.claim_pages(NOW, 3, "ann", 600, 0)),
        *(f"delivery/{delivery.id}" for delivery in state.claim_deliveries(NOW, 3, "ann", 600)),
        *(f"request/{request.id}" for request in state.claim_requests(["prune"], NOW, 3, "ann", 600)),
    ]


def test_processes_that_claim_at_once_share_everything_and_nothing_twice(
    state: State, at_once: Callable[[str, int], list[list[str]]]
) -> None:
    fill(state, 60)

    claimed = Counter(key for words in at_once(CLAIM_ALL, 4) for key in words)

    kinds = Counter(key.partition("/")[0] for key in claimed)
    assert kinds == {"feed": 60, "page": 60, "delivery": 60, "request": 60}
    assert set(claimed.values()) == {1}


def test_what_a_killed_process_had_claimed_is_free_at_once(
    state: State, state_url: str, elsewhere: Callable[..., Any]
) -> None:
    fill(state, 3)
    victim = elsewhere(PROLOGUE + CLAIM_AND_HANG, state_url)
    victim.go_on()
    assert victim.is_ready() == "ready"
    holder, epoch, *held = victim.is_ready().split()
    assert len(held) == 12
    assert claim_three(state) == []
    assert state.acquire_lease("settle", "ann", 30, NOW) is None

    victim.kill()

    assert sorted(claim_three(state)) == sorted(held)
    assert state.lease_holder("settle", NOW) is None
    mine = state.acquire_lease("settle", "ann", 30, NOW)
    assert mine is not None
    with pytest.raises(LeaseLost):
        state.settle(Lease("settle", holder, int(epoch), NOW), NOW, lambda tx: None)
    state.settle(mine, NOW, lambda tx: None)


def test_processes_that_count_at_once_lose_no_count(
    state: State, at_once: Callable[[str, int], list[list[str]]]
) -> None:
    at_once(COUNT, 3)

    assert state.counts() == {"enrich": {("published", ""): 60, ("dead", "x"): 120}}


def test_processes_that_take_a_lease_from_each_other_never_settle_in_one_epoch(
    at_once: Callable[[str, int], list[list[str]]],
) -> None:
    epochs = [set(words) for words in at_once(TAKE_AND_SETTLE, 3)]

    assert any(epochs)
    assert sum(map(len, epochs)) == len(set().union(*epochs))
