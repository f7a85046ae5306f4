"""What polls remember of a feed over time: its ledger, its host, its moves, its oddities, its known items."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import msgspec
import pytest
from fakes import HOLDER, Killed, Newsstand, item, rss
from stub_server import Answer, Request

from pipeline.access import Access
from pipeline.errors import PublishError
from pipeline.feed import Feed, FeedStatus
from pipeline.identity import feed_id
from pipeline.outcomes import Status, Trouble
from pipeline.poll.done import PollDone
from pipeline.poll.run import PollReport, poll_due_feeds
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


# --- several feeds


def more_feeds(stand: Newsstand, *paths: str) -> None:
    """Watch these paths of the same server as well."""
    feeds = [Feed(id=feed_id(url), url=url) for path in paths if (url := stand.server.url(path))]
    stand.state.save_feeds(feeds)


def test_feeds_of_one_host_are_asked_one_after_the_other(stand: Newsstand) -> None:
    more_feeds(stand, "/b", "/c")
    under_way: list[int] = []

    def answer(request: Request) -> Answer:
        under_way.append(1)
        body = rss(item(request.path, f"https://stand.example{request.path}"))
        assert len(under_way) == 1
        under_way.pop()
        return Answer(body=body)

    for path in ("/feed", "/b", "/c"):
        stand.server.on(path, answer)

    assert stand.poll().polled == 3
    assert len(stand.published()) == 3


def test_a_host_that_says_too_many_is_asked_for_nothing_else_until_it_may(stand: Newsstand) -> None:
    more_feeds(stand, "/b")
    busy = Answer(status=429, headers={"Retry-After": "600"})
    stand.server.on("/feed", busy)
    stand.server.on("/b", busy)

    assert stand.poll().polled == 1
    stand.clock.forward(599)
    assert stand.poll().polled == 0
    stand.clock.forward(1)
    assert stand.poll().polled == 1


def test_what_one_feed_cannot_publish_keeps_no_other_from_being_saved(stand: Newsstand) -> None:
    more_feeds(stand, "/b")
    stand.serve(tagged(rss(ONE)))
    stand.server.on("/b", Answer(body=rss(TWO)))
    stand.broker.failures["articles.raw"] = [PublishError("no room")]

    results = {result.feed.url: result for result in stand.poll().results}

    assert sorted(result.unpublished for result in results.values()) == [False, True]
    assert len(stand.published()) == 1


# --- the ledger


def test_each_poll_is_told_on_a_topic_and_in_the_ledger(stand: Newsstand) -> None:
    stand.serve(tagged(rss(ONE, item())), Answer(status=304), Answer(status=500))
    stand.poll()
    stand.poll_again()
    stand.poll_again()

    told = [msgspec.json.decode(value or b"", type=PollDone) for value in stand.values("polls.done")]
    assert [(one.status, one.seen, one.new, one.unchanged) for one in told] == [
        ("ok", 2, 1, False), ("ok", 0, 0, True), ("failed", 0, 0, False)
    ]  # fmt: skip
    assert told[0].dropped == {"no_identity": 1}
    assert (told[2].trouble, told[2].cause) == ("status", "HTTP 500 Internal Server Error")
    days = stand.state.poll_days(stand.clock().date() - timedelta(days=9))
    assert [sum(getattr(day, name) for day in days) for name in ("polls", "unchanged", "failed", "seen", "new")] == [
        3, 1, 1, 2, 1
    ]  # fmt: skip


def test_a_topic_that_takes_nothing_costs_the_ledger_nothing(stand: Newsstand) -> None:
    stand.serve(tagged(rss(ONE)))
    stand.broker.failures["polls.done"] = [PublishError("no room")]

    (result,) = stand.poll().results

    assert (result.cause, result.saved) == ("", True)


def dated(number: int, hour: int, day: int = 1) -> str:
    return item(f"{number}", f"https://stand.example/{number}", date=f"{day:02} Mar 2026 {hour:02}:00:00 GMT")


def test_a_poll_that_shares_nothing_with_the_last_is_a_gap_with_an_estimate(stand: Newsstand) -> None:
    stand.serve(rss(dated(1, 10), dated(2, 11)), rss(*(dated(n, n - 20, 2) for n in range(23, 33))))
    stand.poll()

    result = stand.poll_again()

    assert result.tally is not None
    assert result.tally.overlap == 0.0
    (gap,) = stand.state.gaps(stand.clock())
    # Ten items from 03:00 to 12:00, one an hour; the poll before was at noon the day before.
    assert (gap.missed, gap.ended - gap.began) == (15, timedelta(days=1, minutes=2))


def test_polls_that_share_an_item_have_missed_nothing(stand: Newsstand) -> None:
    stand.serve(rss(dated(1, 10), dated(2, 11)), rss(dated(2, 11), dated(3, 12)))
    stand.poll()

    result = stand.poll_again()

    assert result.tally is not None
    assert (result.tally.overlap, result.tally.gap) == (0.5, None)


def test_a_first_poll_and_one_that_finds_an_empty_feed_filled_have_no_gap(stand: Newsstand) -> None:
    stand.serve(rss(extra="<ttl>1</ttl>"), rss(ONE, TWO))

    assert [result.tally.gap for result in stand.poll().results if result.tally] == [None]
    result = stand.poll_again()

    assert result.tally is not None
    assert (result.tally.overlap, result.tally.gap) == (None, None)


# --- where a feed is


def test_a_feed_that_moves_for_good_is_polled_at_its_new_address_after_seven_days(stand: Newsstand) -> None:
    stand.server.on("/feed", Answer(status=301, headers={"Location": "/new"}))
    stand.server.on("/new", tagged(rss(ONE)))
    for _ in range(7):
        stand.poll_again()
    assert stand.known.feed.url == stand.server.url("/feed")
    assert stand.known.state.moved_to == stand.server.url("/new")

    result = stand.poll_again()

    assert result.new_url == stand.known.feed.url == stand.server.url("/new")
    before = len(stand.server.requests)
    assert stand.poll_again().counts == {}
    assert [request.path for request in stand.server.requests[before:]] == ["/new"]
    assert len(stand.published()) == 1


def test_row_17_a_feed_that_is_gone_is_not_asked_for_again(stand: Newsstand) -> None:
    stand.serve(Answer(status=410))
    (result,) = stand.poll().results
    assert (result.state.status, result.cause) == (FeedStatus.GONE, "HTTP 410 Gone")

    stand.clock.forward(400 * 24 * 3600)

    assert stand.poll().polled == 0


# --- who may ask


def test_a_feed_is_asked_with_what_its_access_gives_to_send(stand: Newsstand) -> None:
    stand.set_feed(access="agency")
    stand.serve(tagged(rss(ONE)))
    access = {"agency": Access(hosts=("127.0.0.1",), user="desk", password="secret")}

    assert [result.cause for result in stand.poll(access=access).results] == [""]

    assert stand.server.requests[-1].headers["authorization"] == "Basic ZGVzazpzZWNyZXQ="


def test_a_feed_whose_access_is_not_there_is_not_asked(stand: Newsstand) -> None:
    stand.set_feed(access="agency")

    (result,) = stand.poll().results

    assert result.cause == "access.toml has no entry “agency”, which this feed is to be asked with"
    assert stand.server.requests == []


def test_row_17_the_wall_that_stands_in_place_of_a_feed_is_named(stand: Newsstand) -> None:
    stand.serve(Answer(status=403, headers={"cf-mitigated": "challenge"}, body="Just a moment..."))

    (result,) = stand.poll().results

    assert result.cause == "HTTP 403 Forbidden: Cloudflare's challenge"
    assert result.state.trouble is Trouble.WALL


# --- feeds whose guids or links do not stay


def churning(number: int, *, links: bool) -> str:
    """Return a feed of which every guid, or every link, is made up anew."""
    return rss(*(
        item(f"{n}", f"https://stand.example/{n}" + f"?sid={number}" * links, f"g{n}" + f"-{number}" * (not links),
             f"The text of item {n}")
        for n in range(5)
    ))  # fmt: skip


def test_row_13_a_feed_whose_guids_change_is_said_so_within_two_polls(stand: Newsstand) -> None:
    stand.serve(*(churning(n, links=False) for n in range(3)))
    stand.poll()

    result = stand.poll_again()

    assert result.state.hints.oddities == ("guids_change",)
    assert len(stand.published()) == 5


def test_a_feed_whose_links_change_is_known_by_its_guids_from_the_second_poll_on(stand: Newsstand) -> None:
    stand.serve(*(churning(n, links=True) for n in range(3)))
    stand.poll()

    assert statuses(stand) == (0, 0, 5)
    assert statuses(stand) == (0, 0, 5)
    assert stand.known.state.hints.oddities == ("links_change",)
    assert len(stand.published()) == 5


def test_what_a_first_poll_brings_is_marked_and_what_comes_after_is_not(stand: Newsstand) -> None:
    stand.serve(tagged(rss(ONE)), tagged(rss(ONE, TWO), '"2"'))
    stand.poll()
    stand.poll_again()

    assert [(article.title, article.first_poll) for article in stand.published()] == [("One", True), ("Two", False)]


# --- items that stand in a feed as they did


def test_an_item_that_stands_as_it_did_is_known_without_being_read(stand: Newsstand) -> None:
    stand.serve(
        rss(ONE), rss(TWO, ONE), rss(TWO, item("One, corrected", "https://stand.example/1", "g1", "First text"))
    )
    stand.poll()

    assert statuses(stand) == (1, 0, 1)
    assert len(stand.state.seen_items(stand.feed.id)) == 2
    assert statuses(stand) == (0, 1, 1)
    assert [article.title for article in stand.published()] == ["One", "Two", "One, corrected"]


def test_an_item_below_a_known_one_of_the_same_link_is_still_no_change(stand: Newsstand) -> None:
    live = [item("Newest", "https://stand.example/live", "1"), item("Older", "https://stand.example/live", "2")]
    newer = item("Newer still", "https://stand.example/live", "3")
    stand.serve(rss(*live), rss(*live, TWO), rss(newer, *live))
    stand.poll()

    assert statuses(stand) == (1, 0, 2)
    assert statuses(stand) == (0, 1, 2)
    assert [article.title for article in stand.published()] == ["Newest", "Two", "Newer still"]


def test_a_gap_is_looked_for_in_the_news_sitemap_when_the_polls_are_done(stand: Newsstand) -> None:
    stand.serve(rss(dated(1, 10), dated(2, 11)), rss(*(dated(n, n - 20, 2) for n in range(23, 33))))
    stand.poll()

    stand.poll_again()

    (gap,) = stand.state.gaps(stand.clock())
    assert gap.filled_from == "nowhere"
    assert [known.feed.id for known in stand.state.claim_due_feeds(stand.clock(), 1, "other", 60, [stand.feed.id])]


@pytest.mark.parametrize("point", ["poll:claimed", "poll:fetched", "poll:published"])
def test_a_poll_that_is_killed_before_it_is_saved_stands_in_the_ledger_once(stand: Newsstand, point: str) -> None:
    stand.serve(tagged(rss(ONE, TWO)))

    with pytest.raises(Killed):
        stand.poll(kill_at=point)
    assert stand.state.poll_days(stand.clock().date()) == []

    stand.clock.forward(121)  # its claims end by time: this process, which made them, is alive
    assert stand.poll().polled == 1
    (day,) = stand.state.poll_days(stand.clock().date())
    assert (day.polls, day.seen, day.new) == (1, 2, 2)
    assert len({article.id for article in stand.published()}) == 2


def test_a_poll_that_is_killed_after_it_is_saved_is_not_made_again(stand: Newsstand) -> None:
    stand.serve(tagged(rss(ONE, TWO)))

    with pytest.raises(Killed):
        stand.poll(kill_at="poll:saved")

    stand.clock.forward(30)
    assert stand.poll().polled == 0
    (day,) = stand.state.poll_days(stand.clock().date())
    assert (day.polls, day.new) == (1, 2)


def test_an_edited_item_above_its_old_copy_is_told_once(stand: Newsstand) -> None:
    old, edited = (item(title, "https://stand.example/1", "g1") for title in ("Old", "Edited"))
    stand.serve(rss(old), *(rss(edited, old, extra=f"<ttl>{n}</ttl>") for n in range(4)))
    stand.poll()

    assert [statuses(stand) for _ in range(4)] == [(0, 1, 1), (0, 0, 2), (0, 0, 2), (0, 0, 2)]


class Slow:
    """An ``Http`` whose answer comes when the poller has looked for due feeds twice more, past the end of its lease."""

    def __init__(self, stand: Newsstand) -> None:
        self.stand = stand
        self.asked = 0
        self.looks = 0
        self.go_on = asyncio.Event()

    def reach(self, point: str) -> None:
        self.looks += point == "poll:claimed"
        if self.looks >= 3:
            self.go_on.set()

    async def request(self, method: str, url: str, **_: object) -> Response:
        self.asked += 1
        self.stand.clock.forward(500)
        await self.go_on.wait()
        return Response(status=200, url=url, headers={}, body=rss(ONE).encode())


def test_a_feed_that_outlasts_its_lease_is_asked_once_and_kept(
    stand: Newsstand, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.poll.run.CLAIM_SECONDS", 0.001)

    async def run() -> tuple[PollReport, int]:
        slow = Slow(stand)
        report = await poll_due_feeds(
            state=stand.state, broker=stand.broker, http=slow, clock=stand.clock, holder=HOLDER, reach=slow.reach
        )
        return report, slow.asked

    report, asked = asyncio.run(run())

    assert asked == 1
    assert [(result.saved, result.cause) for result in report.results] == [(True, "")]


def test_an_index_one_of_whose_sitemaps_fails_at_the_first_poll_is_not_read_by_halves(stand: Newsstand) -> None:
    named = "".join(f"<sitemap><loc>{stand.server.url(path)}</loc></sitemap>" for path in ("/a", "/b"))
    stand.serve(f'<sitemapindex xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{named}</sitemapindex>')
    one = f"<url><loc>{stand.server.url('/1')}</loc></url>"
    stand.server.on("/a", Answer(body=f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{one}</urlset>'))
    stand.server.on("/b", Answer(status=503))

    (result,) = stand.poll().results

    assert result.cause == "not a feed: a sitemap index of whose sitemaps one cannot be read: HTTP 503"
    assert stand.published() == []
