"""A check tells a person what a feed is like: a good one, a moved, a walled, an empty and a broken one."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

from fakes import ScriptedHttp, item, rss

from pipeline.errors import RequestFailed
from pipeline.feed import Feed
from pipeline.poll.check import check_feed
from pipeline.poll.report import FeedCheck
from pipeline.ports import Response

URL = "https://stand.example/feed"
NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
FEED = rss(
    item("A", "https://stand.example/1", text="x", date="Mon, 02 Mar 2026 10:00:00 GMT"),
    item("B", "https://stand.example/2", date="Mon, 02 Mar 2026 09:00:00 GMT"),
    extra="<ttl>30</ttl><skipDays><day>Sunday</day></skipDays>",
)


def answer(body: str = "", status: int = 200, permanent_url: str = "", **headers: str) -> Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Response(
        status=status, url=permanent_url or URL, headers=named, body=body.encode(), permanent_url=permanent_url
    )


def checked(*answers: Response | Exception) -> FeedCheck:
    feed = Feed(id="f", url=URL)
    return asyncio.run(check_feed(feed, http=ScriptedHttp(*answers), clock=lambda: NOW))


def test_a_good_feed_is_told_in_full() -> None:
    check = checked(answer(FEED, etag='"1"', cache_control="max-age=600", content_type="text/xml"), answer(status=304))
    assert (check.cause, check.status, check.items) == ("", 200, 2)
    assert check.answer == (
        f"HTTP 200, {len(FEED):,} bytes unpacked, text/xml",
        "etag; a request with it answers 304: an unchanged feed costs no body",
        "says that it stays fresh for 10 min: not polled before",
        "asks for a poll every 30 min at most (ttl or updatePeriod)",
        "nothing comes on Sunday (skipDays)",
    )
    assert check.entries == (
        "2 with a date, 0 with a guid, 2 different",
        "newest 2026-03-02 10:00 UTC, oldest 2026-03-02 09:00 UTC",
        "one every 1 h as a rule",
        "a first poll would index 2 of them and raise no alert",
    )
    assert check.problems == ()


def test_a_server_that_does_not_keep_to_its_etag_is_found_out() -> None:
    assert "etag; a request with it is answered with HTTP 200" in checked(answer(FEED, etag="1"), answer(FEED)).answer
    assert "neither ETag nor Last-Modified: each poll fetches the whole feed" in checked(answer(FEED)).answer
    assert checked(answer(FEED, etag="1"), RequestFailed("timed out")).cause == ""


def test_a_moved_feed_says_where_to() -> None:
    check = checked(answer(FEED, permanent_url="https://new.example/feed"))
    assert check.moved_to == "https://new.example/feed"
    assert check.answer[1] == "moved for good to https://new.example/feed; adopted when it still says so after 7 days"


def test_a_walled_feed_names_the_wall_and_what_to_do() -> None:
    check = checked(answer("<html>", 403, server="cloudflare", cf_mitigated="challenge", retry_after="120"))
    assert check.cause == "HTTP 403 Forbidden: Cloudflare's challenge"
    assert "asks to be left alone for 2 min (Retry-After)" in check.answer
    assert check.problems[0].startswith("a wall keeps programs out: ")


def test_an_empty_feed_is_a_feed() -> None:
    check = checked(answer(rss()))
    assert (check.cause, check.items, check.entries) == ("", 0, ())
    assert check.problems[0].startswith("it has no items now")


def test_a_broken_feed_says_what_it_is_instead() -> None:
    check = checked(answer("<html><body>Sorry</body></html>"))
    assert check.cause == "not a feed: an HTML page"
    assert check.problems[0].startswith("the address answers with something else")
    assert checked(answer("", 404)).problems[0].startswith("there is nothing at this address")
    assert checked(RequestFailed("timed out")).cause == "timed out"


def test_what_is_wrong_with_a_feed_is_said() -> None:
    old = rss(item("A", "https://stand.example/1", date="Mon, 02 Mar 2020 10:00:00 GMT"), item())
    assert checked(answer(old)).problems == (
        "1 items have no link, guid or text to know them by: they are dropped",
        "no item has a text: --full-page fetches each article's page",
        "its newest item is 2,191 days old: it may be abandoned",
    )
    sitemap = "<urlset><url><loc>https://stand.example/1</loc></url></urlset>"
    assert checked(answer(sitemap)).problems == (
        "items have a link only, as in a plain sitemap: add it with --full-page",
    )
