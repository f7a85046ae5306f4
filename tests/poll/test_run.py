"""A poll publishes what is new or changed, and remembers it only when it is stored."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from fakes import HOLDER, Killed, Newsstand, ScriptedHttp, item, rss
from stub_server import Answer

from pipeline.dead import read_dead_letter
from pipeline.errors import PublishError, RequestFailed, RequestRefused
from pipeline.feed import Feed, FeedState, FeedStatus
from pipeline.identity import feed_id
from pipeline.outcomes import Status
from pipeline.poll.run import poll_due_feeds
from pipeline.ports import Response

ONE = item("One", "https://stand.example/1", "g1", "First text")
TWO = item("Two", "https://stand.example/2", "g2", "Second text")
HTML = Answer(body="<!doctype html><html><body>Sorry</body></html>", headers={"Content-Type": "text/html"})


def tagged(body: str, etag: str = '"v1"') -> Answer:
    return Answer(body=body, headers={"ETag": etag, "Last-Modified": "Sun, 01 Mar 2026 11:00:00 GMT"})


def statuses(stand: Newsstand) -> tuple[int, int, int]:
    """Poll, and return how many entries were new, changed and known."""
    result = stand.poll_again()
    return tuple(result.number(status) for status in (Status.PUBLISHED, Status.UPDATED, Status.DUPLICATE))


# --- what is published


def test_every_item_of_a_new_feed_is_published_raw_under_its_id_in_the_live_lane(stand: Newsstand) -> None:
    stand.set_feed(outlet="", language="de")
    stand.serve(rss(ONE, TWO))

    report = stand.poll()

    assert (report.polled, report.number(Status.PUBLISHED)) == (1, 2)
    one, two = sorted(stand.published(), key=lambda article: article.title)
    assert (one.title, one.html, one.url, one.guid) == ("One", "First text", "https://stand.example/1", "g1")
    assert (one.lane, one.feed, one.outlet, one.language) == ("live", stand.feed.id, "stand.example", "de")
    assert one.first_seen == one.fetched == stand.clock()
    assert two.id != one.id


def test_row_12_the_same_poll_twice_publishes_nothing_new(stand: Newsstand) -> None:
    stand.serve(rss(ONE, TWO), rss(ONE, TWO, extra="<ttl>5</ttl>"))
    stand.poll()

    assert statuses(stand) == (0, 0, 2)
    assert len(stand.published()) == 2


def test_a_changed_text_is_published_again_under_the_same_id(stand: Newsstand) -> None:
    stand.serve(rss(ONE), rss(item("One, corrected", "https://stand.example/1", "g1", "First text")))
    stand.poll()

    assert statuses(stand) == (0, 1, 0)
    first, second = stand.published()
    assert first.id == second.id
    assert second.title == "One, corrected"


def test_a_date_alone_makes_nothing_new(stand: Newsstand) -> None:
    stand.serve(
        rss(item("One", "https://stand.example/1", date="Sun, 01 Mar 2026 10:00:00 GMT")),
        rss(item("One", "https://stand.example/1", date="Mon, 02 Mar 2026 10:00:00 GMT")),
    )
    stand.poll()

    assert statuses(stand) == (0, 0, 1)


def test_an_old_date_keeps_nothing_from_being_new(stand: Newsstand) -> None:
    late = item("Late", "https://stand.example/0", date="Sun, 01 Feb 2026 10:00:00 GMT")
    stand.serve(rss(ONE), rss(ONE, late))
    stand.poll()

    assert statuses(stand) == (1, 0, 1)


def test_row_13_one_guid_with_two_links_is_two_articles(stand: Newsstand) -> None:
    stand.serve(rss(item("A", "https://stand.example/a", "same"), item("B", "https://stand.example/b", "same")))

    stand.poll()

    assert len({article.id for article in stand.published()}) == 2


def test_row_13_a_guid_that_changes_at_every_fetch_is_one_article(stand: Newsstand) -> None:
    stand.serve(*(rss(item("A", "https://stand.example/a", f"session-{n}")) for n in range(3)))
    stand.poll()

    assert [statuses(stand), statuses(stand)] == [(0, 0, 1), (0, 0, 1)]
    assert len(stand.published()) == 1


def test_row_13_no_guid_and_no_link_goes_by_content_and_nothing_at_all_is_a_counted_drop(stand: Newsstand) -> None:
    stand.serve(rss(item("Only a title"), item(), extra="<ttl>1</ttl>"), rss(item("Only a title"), item()))

    (result,) = stand.poll().results

    assert result.counts == {("published", ""): 1, ("dropped", "no_identity"): 1}
    assert statuses(stand) == (0, 0, 1)


def test_two_items_of_one_link_are_one_article_and_do_not_replace_each_other_at_every_poll(stand: Newsstand) -> None:
    live = [item("Newest", "https://stand.example/live", "1"), item("Older", "https://stand.example/live", "2")]
    stand.serve(rss(*live), rss(*live, extra="<ttl>1</ttl>"))
    stand.poll()

    assert statuses(stand) == (0, 0, 2)
    assert [article.title for article in stand.published()] == ["Newest"]


def test_items_that_all_link_the_front_page_are_told_apart_by_guid(stand: Newsstand) -> None:
    stand.serve(rss(item("A", "https://stand.example/", "a"), item("B", "http://stand.example", "b")))

    stand.poll()

    assert len({article.id for article in stand.published()}) == 2


def test_every_entry_counts_once(stand: Newsstand) -> None:
    stand.serve(rss(ONE, TWO, item(), ONE))

    (result,) = stand.poll().results

    assert sum(result.counts.values()) == result.state.items == 4


# --- the order of publishing and saving


@pytest.mark.parametrize("point", ["poll:claimed", "poll:fetched", "poll:published"])
def test_row_2_a_poll_killed_before_it_saved_is_repeated_with_the_same_ids(stand: Newsstand, point: str) -> None:
    stand.serve(tagged(rss(ONE, TWO)))
    with pytest.raises(Killed):
        stand.poll(kill_at=point)
    assert stand.known.state == FeedState()

    result = stand.poll_again()

    assert result.number(Status.PUBLISHED) == 2
    copies = 2 if point == "poll:published" else 1
    assert sorted(article.title for article in stand.published()) == sorted(["One", "Two"] * copies)
    assert len({article.id for article in stand.published()}) == 2


def test_a_poll_killed_after_it_saved_is_not_repeated(stand: Newsstand) -> None:
    stand.serve(tagged(rss(ONE)))
    with pytest.raises(Killed):
        stand.poll(kill_at="poll:saved")

    assert stand.poll_again().unchanged
    assert len(stand.published()) == 1


def test_row_3_when_the_broker_refuses_nothing_is_remembered_and_the_feed_is_due_again_soon(stand: Newsstand) -> None:
    stand.serve(tagged(rss(ONE, TWO)))
    stand.broker.failures["articles.raw"] = [None, PublishError("out of reach")]

    (result,) = stand.poll().results

    assert result.cause == "broker: out of reach"
    assert (stand.known.state.etag, stand.known.state.body_hash, stand.known.state.items) == ("", "", 0)
    assert stand.known.state.next_due == stand.clock() + timedelta(seconds=60)
    stand.clock.forward(61)
    (result,) = stand.poll().results
    assert result.number(Status.PUBLISHED) == 2
    assert stand.known.state.status is FeedStatus.OK


def test_an_article_that_the_broker_will_never_take_is_buried_and_does_not_block_its_feed(stand: Newsstand) -> None:
    stand.serve(tagged(rss(ONE, TWO)))
    stand.broker.failures["articles.raw"] = [PublishError("too large", fatal=True)]

    (result,) = stand.poll().results

    assert result.number(Status.DEAD) == 1
    assert stand.known.state.etag == '"v1"'
    (letter,) = [read_dead_letter(value) for value in stand.values("articles.raw.dead")]
    assert (letter.step, letter.reason, letter.detail) == ("poll", "cannot be published", "too large")
    assert [article.title for article in stand.published()] == ["Two"]


@pytest.mark.parametrize("fatal", [True, False])
def test_when_the_dead_letter_cannot_be_written_either_nothing_is_remembered(stand: Newsstand, fatal: bool) -> None:
    stand.serve(tagged(rss(ONE)))
    stand.broker.failures["articles.raw"] = [PublishError("too large", fatal=True)]
    stand.broker.failures["articles.raw.dead"] = [PublishError("no room", fatal=fatal)]

    (result,) = stand.poll().results

    assert "no room" in result.cause
    assert stand.known.state.etag == ""


def test_a_claim_lost_meanwhile_saves_nothing_and_is_counted(stand: Newsstand) -> None:
    stand.serve(tagged(rss(ONE)))

    def take_the_claim(point: str) -> None:
        if point == "poll:published":
            later = stand.clock() + timedelta(hours=1)
            assert stand.state.claim_due_feeds(later, 1, "other", 60)

    report = stand.poll(on_reach=take_the_claim, limit=1)

    assert report.lost_claims == 1
    assert stand.known.state == FeedState()


# --- what an answer means


def test_an_unchanged_feed_is_asked_for_conditionally_and_costs_no_parse(stand: Newsstand) -> None:
    stand.serve(tagged(rss(ONE)), Answer(status=304))
    stand.poll()

    result = stand.poll_again()

    assert result.unchanged
    assert result.state.status is FeedStatus.OK
    assert result.state.items == 1
    asked = stand.server.requests[-1].headers
    assert asked["if-none-match"] == '"v1"'
    assert asked["if-modified-since"] == "Sun, 01 Mar 2026 11:00:00 GMT"


def test_an_equal_body_is_not_parsed_again(stand: Newsstand, monkeypatch: pytest.MonkeyPatch) -> None:
    stand.serve(rss(ONE))
    stand.poll()
    monkeypatch.setattr("pipeline.poll.parsing.read_feed", None)

    assert stand.poll_again().unchanged


@pytest.mark.parametrize(
    ("answer", "cause"),
    [
        (HTML, "not a feed: an HTML page"),
        (Answer(body='{"items": []}'), "not a feed: JSON that is not a JSON Feed"),
        (Answer(body=b"%PDF-1.7 \0"), "not a feed: a PDF document"),
        (Answer(body=b""), "not a feed: an empty body"),
        (Answer(status=404), "HTTP 404 Not Found"),
        (Answer(status=599), "HTTP 599"),
    ],
)
def test_row_16_what_is_no_feed_fails_the_poll_and_keeps_the_last_good_state(
    stand: Newsstand, answer: Answer, cause: str
) -> None:
    stand.serve(tagged(rss(ONE)), answer)
    stand.poll()
    good = stand.known.state

    result = stand.poll_again()

    assert result.cause == cause
    state = stand.known.state
    assert (state.status, state.failures) == (FeedStatus.FAILED, 1)
    assert (state.etag, state.body_hash, state.items, state.last_ok) == (
        good.etag, good.body_hash, good.items, good.last_ok,
    )  # fmt: skip


def test_row_16_a_304_after_a_failure_stays_failed(stand: Newsstand) -> None:
    stand.serve(tagged(rss(ONE)), HTML, Answer(status=304))
    stand.poll()
    stand.poll_again()

    result = stand.poll_again()

    assert (result.state.status, result.cause) == (FeedStatus.FAILED, "not a feed: an HTML page")
    assert result.state.failures == 2


def test_after_a_failure_the_feed_is_asked_for_without_conditions_so_that_a_body_can_end_it(stand: Newsstand) -> None:
    stand.serve(tagged(rss(ONE)), Answer(status=500), tagged(rss(ONE)))
    stand.poll()
    stand.poll_again()

    result = stand.poll_again()

    assert "if-none-match" not in stand.server.requests[-1].headers
    assert (result.state.status, result.cause, result.state.failures) == (FeedStatus.OK, "", 0)
    assert len(stand.published()) == 1


def test_row_16_an_empty_feed_is_valid_and_has_a_state_of_its_own(stand: Newsstand) -> None:
    stand.serve(rss())

    (result,) = stand.poll().results

    assert (result.state.status, result.cause, result.state.failures) == (FeedStatus.EMPTY, "", 0)


def test_the_wait_that_a_server_asks_for_is_granted(stand: Newsstand) -> None:
    stand.serve(Answer(status=429, headers={"Retry-After": "7200"}))

    (result,) = stand.poll().results

    assert result.state.next_due == stand.clock() + timedelta(seconds=7200)


@pytest.mark.parametrize("error", [RequestFailed("DNS: no such name"), RequestRefused("a private address")])
def test_one_feed_without_an_answer_does_not_stop_the_others(stand: Newsstand, error: Exception) -> None:
    other = Feed(id=feed_id("http://other.example/"), url="http://other.example/")
    stand.state.save_feeds([other])
    good = Response(status=200, url=stand.feed.url, headers={}, body=rss(ONE).encode())
    http = ScriptedHttp(error, good)

    report = asyncio.run(
        poll_due_feeds(state=stand.state, broker=stand.broker, http=http, clock=stand.clock, holder=HOLDER)
    )

    assert sorted(result.cause for result in report.results) == ["", str(error)]
    assert report.failed == 1
    assert report.number(Status.PUBLISHED) == 1


@pytest.mark.parametrize(
    ("error", "soon"), [(RequestFailed("DNS: no such name"), True), (RequestRefused("larger than 20 MiB"), False)]
)
def test_who_was_not_reached_is_asked_soon_again_and_who_was_read_in_vain_is_not(
    stand: Newsstand, error: Exception, soon: bool
) -> None:
    poll = poll_due_feeds(
        state=stand.state, broker=stand.broker, http=ScriptedHttp(error), clock=stand.clock, holder=HOLDER
    )
    (result,) = asyncio.run(poll).results
    assert result.state.next_due is not None
    wait = (result.state.next_due - stand.clock()).total_seconds()
    assert (wait <= 60) is soon
    assert soon or wait > 600


def test_a_fault_of_ours_is_not_swallowed_and_leaves_no_task_behind(stand: Newsstand) -> None:
    http = ScriptedHttp(ZeroDivisionError("a bug"))

    with pytest.raises(ZeroDivisionError):
        asyncio.run(poll_due_feeds(state=stand.state, broker=stand.broker, http=http, clock=stand.clock, holder=HOLDER))


def test_a_poll_that_is_cancelled_gives_its_claims_back(stand: Newsstand) -> None:
    class Hanging(ScriptedHttp):
        async def request(self, *_: object, **__: object) -> Response:
            asyncio.current_task().get_loop().call_soon(poll.cancel)
            await asyncio.Event().wait()
            raise AssertionError

    async def run() -> None:
        nonlocal poll
        poll = asyncio.create_task(
            poll_due_feeds(state=stand.state, broker=stand.broker, http=Hanging(), clock=stand.clock, holder=HOLDER)
        )
        await poll

    poll: asyncio.Task
    with pytest.raises(asyncio.CancelledError):
        asyncio.run(run())

    assert stand.state.claim_due_feeds(stand.clock(), 1, "other", 60)


# --- due, paused, only


def test_a_feed_is_polled_when_it_is_due_and_not_before(stand: Newsstand) -> None:
    stand.serve(rss(ONE))
    stand.poll()
    due = stand.known.state.next_due
    assert due is not None

    stand.clock.forward((due - stand.clock()).total_seconds() - 1)
    assert stand.poll().polled == 0
    stand.clock.forward(1)
    assert stand.poll().polled == 1


def test_a_feed_asked_for_by_name_is_polled_although_it_is_not_due(stand: Newsstand) -> None:
    stand.serve(rss(ONE))
    stand.poll()

    assert stand.poll(only=[stand.feed.id]).polled == 1


# --- pages


def test_each_new_or_changed_article_of_a_full_page_feed_waits_for_its_page(stand: Newsstand) -> None:
    stand.set_feed(full_page=True)
    stand.serve(rss(ONE, item("No link", guid="x")))

    stand.poll()

    (request,) = stand.state.claim_pages(stand.clock(), 10, HOLDER, 60, 1)
    assert (request.url, request.host) == ("https://stand.example/1", "stand.example")
    assert request.article in stand.values("articles.raw")


def test_a_feed_that_does_not_ask_for_pages_gets_none(stand: Newsstand) -> None:
    stand.serve(rss(ONE))

    stand.poll()

    assert not stand.state.claim_pages(stand.clock(), 10, HOLDER, 60, 1)


def test_a_result_reads_as_one_line_for_the_person_who_watches(stand: Newsstand) -> None:
    stand.serve(rss(ONE), rss(ONE), HTML)

    lines = [str(stand.poll().results[0]), str(stand.poll_again()), str(stand.poll_again())]

    assert lines[:2] == ["The Stand: 1 new, 0 changed of 1", "The Stand: unchanged"]
    assert lines[2].startswith("The Stand: failed: not a feed: an HTML page; next try 2026-03-0")
