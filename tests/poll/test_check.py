"""A check tells a person what a feed is like: a good one, a moved, a walled, an empty and a broken one."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from fakes import Newsstand, ScriptedHttp, item, rss
from stub_server import Answer

from pipeline.access import Access
from pipeline.errors import RequestFailed, RequestRefused
from pipeline.feed import Feed, FeedState, FeedStatus, KnownFeed
from pipeline.outcomes import Trouble
from pipeline.poll.check import check_feed
from pipeline.poll.check_words import lines_of
from pipeline.poll.feed_check import FeedCheck
from pipeline.poll.health import health_of
from pipeline.ports import Response

URL = "https://stand.example/feed"
NEW_URL = "https://new.example/feed"
NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
FEED = rss(
    item("A", "https://stand.example/1", text="x", date="Mon, 02 Mar 2026 10:00:00 GMT"),
    item("B", "https://stand.example/2", date="Mon, 02 Mar 2026 09:00:00 GMT"),
    extra="<ttl>30</ttl><skipDays><day>Sunday</day></skipDays>",
)
ACCESS = {"agency": Access(hosts=("stand.example",), user="desk", password="canary")}
FEED_OF = KnownFeed(feed=Feed(id="f", url=URL), state=FeedState())


def answer(body: str = "", status: int = 200, permanent_url: str = "", url: str = "", **headers: str) -> Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Response(
        status=status, url=permanent_url or url or URL, headers=named, body=body.encode(), permanent_url=permanent_url
    )


def checked(*answers: Response | Exception, known: KnownFeed = FEED_OF, is_known: bool = False) -> FeedCheck:
    http = ScriptedHttp(*answers)
    health = health_of(known.state, NOW) if is_known else None
    found = asyncio.run(check_feed(known, http=http, clock=lambda: NOW, access=ACCESS, health=health))
    assert found.requests == len(http.asked)
    return found


def facts(check: FeedCheck) -> dict[str, str]:
    """Return what is said of a check, by label; of several problems the last."""
    return {line[:13].strip(): line[14:] for line in lines_of(check)}


def problems(check: FeedCheck) -> list[str]:
    return [problem.what for problem in check.problems]


def test_a_good_feed_is_told_in_full() -> None:
    check = checked(answer(FEED, etag='"1"', cache_control="max-age=3600", content_type="text/xml"), answer(status=304))

    assert lines_of(check) == [
        "feed          The Stand",
        "address       https://stand.example/feed",
        "known         no",
        f"answer        HTTP 200, {len(FEED)} bytes, RSS, sent as text/xml",
        "unchanged     a second request with its ETag got HTTP 304: an unchanged feed costs no body",
        "cache-control max-age=3600",
        "next poll     1 h after such an answer (the server calls it fresh for 1 h)",
        "asks for      a poll every 30 min at most (ttl); none on Sunday (skipDays)",
        "items         2: 1 with text; all with date; 0 with guid; all with link",
        "dates         newest 2026-03-02 10:00 UTC, oldest 2026-03-02 09:00 UTC",
        "rhythm        an item every 1 h as a rule; they reach back 1 h, and a poll less often than that misses some",
        "worth a poll  every 1 h",
        "first poll    its 2 items would be indexed and raise no alert",
        "requests      2, the last one conditional",
    ]
    assert (check.is_usable, check.problems) == (True, ())


@pytest.mark.parametrize(
    ("again", "said"),
    [
        (
            answer(FEED),
            "a second request with its ETag got HTTP 200 and the same body: each poll fetches the whole feed",
        ),
        (
            answer(rss()),
            "a second request with its ETag got HTTP 200 and another body: each poll fetches the whole feed",
        ),
        (RequestFailed("timed out"), "ETag; the second request was not answered: timed out"),
    ],
)
def test_a_server_that_does_not_keep_to_its_etag_is_found_out(again: Response | Exception, said: str) -> None:
    check = checked(answer(FEED, etag="1"), again)
    assert (check.is_usable, facts(check)["unchanged"]) == (True, said)


def test_without_validators_there_is_no_second_request() -> None:
    check = checked(answer(FEED))
    assert facts(check)["unchanged"] == "neither ETag nor Last-Modified: each poll fetches the whole feed"
    assert facts(check)["requests"] == "1"


def test_a_feed_that_has_moved_says_where_to_and_when_that_is_adopted() -> None:
    check = checked(answer(FEED, permanent_url=NEW_URL))
    assert facts(check)["redirect"] == f"for good, to {NEW_URL}; polls would adopt it after 7 days"
    assert problems(check) == [f"it has moved for good to {NEW_URL}"]

    since = NOW - timedelta(days=3)
    known = KnownFeed(feed=FEED_OF.feed, state=FeedState(moved_to=NEW_URL, moved_since=since, status=FeedStatus.OK))
    later = checked(answer(FEED, permanent_url=NEW_URL), known=known, is_known=True)
    assert facts(later)["redirect"] == (
        f"for good since 2026-02-27 12:00, to {NEW_URL}; adopted by polls from 2026-03-06 on"
    )
    assert facts(later)["known"].startswith("f, moved (leads for good to another address")

    assert facts(checked(answer(FEED, url=NEW_URL)))["redirect"] == f"for now, to {NEW_URL}; each poll follows it"


def test_a_feed_with_credentials_does_not_take_them_to_another_host() -> None:
    state = FeedState(moved_to=NEW_URL, moved_since=NOW - timedelta(days=30), status=FeedStatus.OK)
    known = KnownFeed(feed=Feed(id="f", url=URL, access="agency"), state=state)
    check = checked(answer(FEED, permanent_url=NEW_URL), known=known, is_known=True)
    assert facts(check)["redirect"].endswith(f"to {NEW_URL}; not adopted by polls")


def test_an_access_that_is_not_there_is_said_and_nothing_is_asked() -> None:
    known = KnownFeed(feed=Feed(id="f", url=URL, access="wire"), state=FeedState())
    check = checked(known=known, is_known=True)
    assert check.cause == "access.toml has no entry “wire”, which this feed is to be asked with"


def test_a_walled_feed_names_the_wall_the_wait_and_what_to_do() -> None:
    check = checked(answer("<html>", 403, server="cloudflare", cf_mitigated="challenge", retry_after="7200"))
    assert (check.cause, check.trouble) == ("HTTP 403 Forbidden: Cloudflare's challenge", Trouble.WALL)
    assert facts(check)["next poll"] == "2 h after such an answer (Retry-After asks for 2 h, after a failure)"
    assert check.problems[0].do.startswith("Programs are kept out.")


def test_an_empty_feed_is_a_feed() -> None:
    check = checked(answer(rss()))
    assert (check.is_usable, facts(check)["items"]) == (True, "none")
    assert problems(check) == ["it has no items now"]


def test_html_in_place_of_a_feed_leads_to_discover() -> None:
    check = checked(answer("<html><body>Sorry</body></html>", content_type="text/html"))
    assert (check.cause, check.kind) == ("not a feed: an HTML page", "an HTML page")
    assert check.problems[0].do == f"For the feeds of the site try `wirewatch feeds discover {URL}`."


@pytest.mark.parametrize(
    ("given", "do"),
    [
        (answer(status=404), "There is nothing at this address"),
        (answer(status=410), "There is nothing at this address"),
        (answer(status=403), "The publisher refuses"),
        (answer(status=500), "Check it again later"),
        (answer(status=304), "Check it again later"),
        (RequestFailed("no such host", trouble=Trouble.DNS), "Look for a mistake in the address"),
        (RequestRefused("10.0.0.1 is private"), "Our own rules forbid it"),
    ],
)
def test_whatever_is_wrong_there_is_something_to_do(given: Response | Exception, do: str) -> None:
    check = checked(given)
    assert not check.is_usable
    assert check.problems[0].do.startswith(do)


def test_of_a_feed_that_is_gone_no_next_poll_is_promised() -> None:
    assert facts(checked(answer(status=410)))["next poll"] == "none: the publisher says that it is gone"


def test_what_is_wrong_with_the_items_is_said() -> None:
    old = rss(item("A", "https://stand.example/1", date="Mon, 02 Mar 2020 10:00:00 GMT"), item())
    assert problems(checked(answer(old, content_type="text/html"))) == [
        "it is RSS and sent as text/html",
        "1 of its items have no link, guid or text",
        "none of its items has a text",
        "its newest item is 2,191 days old",
    ]
    twice = rss(*[item("A", "https://stand.example/1", text="x")] * 2)
    assert problems(checked(answer(twice))) == [
        "1 of its items are in it twice",
        "none of its items has a date",
    ]
    sitemap = "<urlset><url><loc>https://stand.example/1</loc><lastmod>2026-03-01</lastmod></url></urlset>"
    assert problems(checked(answer(sitemap))) == ["its items have a link only"]
    early = item("A", "https://stand.example/1", text="x", date="Mon, 09 Mar 2026 09:00:00 GMT")
    assert problems(checked(answer(rss(early)))) == ["it has a date in the future, 2026-03-09 09:00"]


def test_an_index_of_sitemaps_is_told_by_what_its_sitemaps_hold_as_polls_read_it() -> None:
    index = "<sitemapindex>" + "".join(
        f"<sitemap><loc>https://stand.example/{n}.xml</loc><lastmod>2026-03-0{n}</lastmod></sitemap>" for n in (1, 2)
    )
    child = "<urlset><url><loc>https://stand.example/{}</loc><lastmod>2026-03-01</lastmod></url></urlset>"
    answers = (answer(index + "</sitemapindex>", etag="1", cache_control="max-age=9000"),
               answer(child.format("a")), answer(child.format("b")))  # fmt: skip

    check = checked(*answers)

    assert (check.kind, check.items.number, check.requests, check.fresh_seconds) == ("sitemap index", 2, 3, 0.0)
    assert facts(check)["unchanged"] == ("an index: it and the newest of its sitemaps, 2 here, are read at each poll")
    assert facts(check)["requests"] == "3"


def test_what_a_feed_says_cannot_break_the_lines() -> None:
    check = checked(answer(rss(title="a&#10;b", link="https://x.example/"), content_type="text/xml\nproblem       x"))
    assert all("\n" not in line for line in lines_of(check))
    assert facts(check)["feed"] == "a b"


def test_a_known_feed_is_told_as_its_next_poll_would_find_it_and_left_as_it_was(stand: Newsstand) -> None:
    one = item("One", "https://stand.example/1", text="x")
    stand.serve(
        Answer(body=rss(one), headers={"ETag": "1"}),
        rss(one.replace(">x<", ">y<"), item("Two", "https://stand.example/2", text="z")),
    )
    stand.poll()
    before = stand.known
    body = rss(one.replace(">x<", ">y<"), item("Two", "https://stand.example/2", text="z"))
    http = ScriptedHttp(Response(status=200, url=stand.feed.url, headers={}, body=body.encode()))

    health = health_of(before.state, stand.clock())

    def look_up(keys):
        return stand.state.seen_entries(stand.feed.id, keys)

    check = asyncio.run(check_feed(before, http=http, clock=stand.clock, look_up=look_up, health=health))

    assert (check.items.new, check.items.changed, check.items.duplicates) == (1, 1, 0)
    assert facts(check)["a poll now"] == "would find 1 new and 1 changed of its 2 items"
    assert "If-None-Match" not in http.asked[0][1]
    assert stand.known == before
    report = stand.poll_again()
    assert (report.counts["published", ""], report.counts["updated", ""]) == (1, 1)
