"""Row 16: answers that look well and are not. Only a body that parses ends a failure; the last good state is kept."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fault_parts import FaultyWorld, faulty_world, feed_of, storm
from journey_parts import rss
from stub_server import Answer

from pipeline.feed import Feed, FeedState, FeedStatus

ITEMS = [storm(1), storm(2)]
RSS = {"Content-Type": "application/rss+xml"}
GOOD = Answer(body=rss(ITEMS), headers={**RSS, "ETag": '"good"', "Last-Modified": "Sun, 01 Mar 2026 10:00:00 GMT"})
NOT_A_FEED = {
    "HTML": ("<!DOCTYPE html><html><head><title>Sorry</title></head><body>Back soon</body></html>", "text/html"),
    "HTML under a feed's type": ("<html><body><item><title>Sorry</title></item></body></html>", "application/rss+xml"),
    "XHTML": ('<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml"><body/></html>', "application/xml"),
    "JSON": ('{"version": "2.1", "items": []}', "application/json"),
    "PDF": (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj", "application/pdf"),
    "nothing": (b"", "application/rss+xml"),
    "white space": (b" \r\n\t", "application/rss+xml"),
    "text": ("Service unavailable", "text/plain"),
    "another XML": ('<?xml version="1.0"?><error><code>500</code></error>', "application/xml"),
    "an image": (b"\x89PNG\r\n\x1a\n", "image/png"),
}


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultyWorld]:
    with faulty_world(tmp_path, monkeypatch) as world:
        yield world


def polled(world: FaultyWorld, feed: Feed, *answers: Answer) -> list[FeedState]:
    """Poll once for each answer, when the feed is due; return the feed's state after each."""
    states = []
    for answer in answers:
        world.server.on("/a.rss", answer)
        world.run("poll")
        states.append(world.known(feed).state)
        world.clock.now = states[-1].next_due
    return states


def lasting(state: FeedState) -> tuple[object, ...]:
    return state.etag, state.last_modified, state.body_hash, state.last_ok, state.items


@pytest.mark.parametrize("what", NOT_A_FEED)
def test_what_is_no_feed_fails_with_the_last_good_state_kept(world: FaultyWorld, what: str) -> None:
    feed = world.watch("/a.rss")
    body, kind = NOT_A_FEED[what]
    bad = Answer(
        body=body, headers={"Content-Type": kind, "ETag": '"bad"', "Last-Modified": "Mon, 02 Mar 2026 10:00:00 GMT"}
    )

    good, failed, again = polled(world, feed, GOOD, bad, bad)

    assert (good.status, good.etag, good.items) == (FeedStatus.OK, '"good"', 2)
    assert (failed.status, failed.failures, again.failures) == (FeedStatus.FAILED, 1, 2)
    assert "not a feed" in failed.cause
    assert lasting(failed) == lasting(again) == lasting(good)
    restored, *_ = polled(world, feed, GOOD)
    assert (restored.status, restored.cause, restored.failures) == (FeedStatus.OK, "", 0)
    assert len(world.records("articles.raw")) == 2  # what was seen before the failure is still known


def test_304_after_a_failure_stays_failed_with_its_cause(world: FaultyWorld) -> None:
    feed = world.watch("/a.rss")
    states = polled(
        world, feed, GOOD, Answer(status=500), Answer(status=304, headers={"ETag": '"good"'}),
        Answer(status=304, headers={"ETag": '"good"'}), GOOD,
    )  # fmt: skip
    assert [state.status.value for state in states] == ["ok", "failed", "failed", "failed", "ok"]
    assert {state.cause for state in states[1:4]} == {"HTTP 500 Internal Server Error"}
    assert [state.failures for state in states] == [0, 1, 2, 3, 0]
    assert len({lasting(state) for state in states[:4]}) == 1
    conditional = ["if-none-match" in request.headers for request in world.server.requests_for("/a.rss")]
    assert conditional == [False, True, False, False, False]


def test_304_without_a_failure_is_well_and_304_to_a_feed_never_read_is_a_failure(world: FaultyWorld) -> None:
    feed = world.watch("/a.rss")
    (never_read,) = polled(world, feed, Answer(status=304))
    assert (never_read.status, "never read" in never_read.cause) == (FeedStatus.FAILED, True)
    _, well = polled(world, feed, GOOD, Answer(status=304))
    assert (well.status, well.items) == (FeedStatus.OK, 2)


def test_a_valid_feed_without_items_is_a_state_of_its_own(world: FaultyWorld) -> None:
    feed = world.watch("/a.rss")
    empty = Answer(body=feed_of(), headers={**RSS, "ETag": '"empty"'})
    states = polled(world, feed, empty, Answer(status=304), GOOD, empty, Answer(status=500), empty)
    assert [state.status.value for state in states] == ["empty", "empty", "ok", "empty", "failed", "empty"]
    assert [state.items for state in states] == [0, 0, 2, 0, 0, 0]
    assert [bool(state.cause) for state in states] == [False, False, False, False, True, False]


def test_after_any_of_these_the_feed_s_articles_are_all_there_once(world: FaultyWorld) -> None:
    feed = world.watch("/a.rss")
    for body, kind in NOT_A_FEED.values():
        polled(world, feed, Answer(body=body, headers={"Content-Type": kind}))
    world.show("/a.rss", *ITEMS)
    world.poll()
    world.check_nothing_lost()
    assert len(world.documents()) == len(world.hooks()) == 2
