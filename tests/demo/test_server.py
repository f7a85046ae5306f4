"""The demo server as a client meets it: feeds, pages, conditional requests, faults, and a clean end."""

from __future__ import annotations

import http.client
import socket
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime, parsedate_to_datetime
from urllib.parse import urlsplit

import feedparser
import pytest

from pipeline.demo.answers import is_not_modified
from pipeline.demo.server import DemoServer
from pipeline.feed import Feed
from pipeline.identity import feed_id

START = 1_800_000_000.7


class Hand:
    """A clock that moves when it is told to."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> float:
        return self.now

    def set(self, elapsed: float) -> None:
        self.now = int(START) + elapsed


@pytest.fixture
def clock() -> Hand:
    return Hand()


@pytest.fixture
def demo(clock: Hand) -> Iterator[DemoServer]:
    with DemoServer(clock=clock) as server:
        yield server


def get(url: str, headers: dict[str, str] | None = None, method: str = "GET"):
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=10)
    try:
        connection.request(method, parts.path or "/", headers=headers or {})
        response = connection.getresponse()
        return response.status, response.headers, response.read()
    finally:
        connection.close()


def feed_of(demo: DemoServer, title: str) -> Feed:
    return next(feed for feed in demo.feeds() if feed.title == title)


def entry(body: bytes, link_end: str):
    return next(entry for entry in feedparser.parse(body).entries if entry.link.endswith(link_end))


def test_the_feeds_are_named_as_the_rest_of_wirewatch_names_them(demo):
    feeds = demo.feeds()

    assert len(feeds) == len({feed.id for feed in feeds}) >= 8
    assert all(feed.id == feed_id(feed.url) and feed.url.startswith(demo.url + "/") for feed in feeds)
    assert all(feed.interval_seconds == 3 and feed.language and feed.outlet for feed in feeds)
    assert [feed.title for feed in feeds if feed.full_page] == ["Rheinblick"]


def test_every_healthy_feed_is_read_without_complaint_in_its_format(demo, clock):
    clock.set(100)
    versions = set()
    for feed in demo.feeds():
        status, headers, body = get(feed.url)
        parsed = feedparser.parse(body)
        if feed.title == "Old Lighthouse Gazette":
            assert (status, headers["Content-Type"]) == (200, "text/html; charset=utf-8")
            assert parsed.entries == []
            continue
        assert status == 200
        assert not parsed.bozo
        assert parsed.feed.title == feed.title
        assert parsed.feed.language == feed.language
        versions.add(parsed.version)
        for one in parsed.entries:
            assert one.link.startswith(demo.url + "/")
            assert one.title
            assert one.updated_parsed
            assert one.author
            assert get(one.link)[0] == 200
    assert versions == {"rss20", "rss10", "atom10"}


def test_an_unchanged_feed_costs_a_304_without_a_body(demo, clock):
    clock.set(12)
    feed = feed_of(demo, "Harbour Times")
    _, headers, _ = get(feed.url)
    clock.set(19.9)

    for condition in (
        {"If-None-Match": headers["ETag"]},
        {"If-None-Match": f'"other", W/{headers["ETag"]}'},
        {"If-None-Match": "*"},
        {"If-Modified-Since": headers["Last-Modified"]},
    ):
        status, again, body = get(feed.url, condition)
        assert (status, body) == (304, b"")
        assert again["ETag"] == headers["ETag"]


def test_a_changed_feed_is_sent_again_whatever_validator_the_client_holds(demo, clock):
    clock.set(12)
    feed = feed_of(demo, "Harbour Times")
    _, headers, _ = get(feed.url)
    clock.set(20)

    for condition in (
        {"If-None-Match": headers["ETag"]},
        {"If-Modified-Since": headers["Last-Modified"]},
        {"If-None-Match": headers["ETag"], "If-Modified-Since": format_datetime(datetime(2100, 1, 1, tzinfo=UTC))},
    ):
        status, again, body = get(feed.url, condition)
        assert status == 200
        assert entry(body, "/ferry-torrin")
        assert again["ETag"] != headers["ETag"]
        assert parsedate_to_datetime(again["Last-Modified"]) == datetime.fromtimestamp(int(START) + 20, UTC)


def test_no_poller_with_a_date_alone_ever_misses_a_change(demo, clock):
    feed = feed_of(demo, "Harbour Times")
    held: dict[str, str] = {}
    seen: set[tuple[str, str]] = set()
    for step in range(200):
        clock.set(step * 0.5)
        status, headers, body = get(feed.url, held)
        if status == 200:
            held = {"If-Modified-Since": headers["Last-Modified"]}
            seen = {(one.link, one.title) for one in feedparser.parse(body).entries}
        assert seen == {(one.link, one.title) for one in feedparser.parse(get(feed.url)[2]).entries}


@pytest.mark.parametrize("date", ["", "yesterday", "Fri, 99 Foo 2027 08:00:00 GMT"])
def test_a_date_that_is_none_is_no_condition(date):
    assert not is_not_modified({"if-modified-since": date}, '"a"', datetime(2027, 1, 1, tzinfo=UTC))


def test_a_date_without_a_zone_is_utc():
    changed = datetime(2027, 1, 1, 8, tzinfo=UTC)

    assert is_not_modified({"if-modified-since": "Fri, 01 Jan 2027 08:00:00 -0000"}, '"a"', changed)
    assert not is_not_modified(
        {"if-modified-since": "Fri, 01 Jan 2027 08:00:00 -0000"}, '"a"', changed + timedelta(seconds=1)
    )


def test_the_three_copies_carry_the_very_same_text_in_three_formats(demo, clock):
    clock.set(20)
    for feed in demo.feeds():
        get(feed.url)

    copies = [item for item in demo.served if item.title.startswith("Earthquake of magnitude 5.8")]

    assert len({item.feed for item in copies}) == 3
    assert len({item.text_hash for item in copies}) == 1
    contents = {
        entry(get(item.feed)[2], urlsplit(item.link).path).content[0].value.replace("&#x27;", "'") for item in copies
    }
    assert len(contents) == 1


def test_the_corrected_article_keeps_its_link_and_is_logged_as_served_twice(demo, clock):
    feed = feed_of(demo, "Harbour Times")
    for second in (30, 33, 40, 45):
        clock.set(second)
        body = get(feed.url)[2]

    versions = [item for item in demo.served if item.link.endswith("/ferry-torrin")]

    assert [item.revision for item in versions] == [0, 1]
    assert versions[0].link == versions[1].link
    assert versions[0].text_hash != versions[1].text_hash
    assert "63 passengers" in entry(body, "/ferry-torrin").title
    assert "63 passengers" in get(versions[1].link)[2].decode()


def test_one_feed_fails_at_first_and_then_works(demo, clock):
    feed = feed_of(demo, "Il Molo")
    clock.set(19.9)
    assert get(feed.url)[0] == 500

    clock.set(20)
    status, _, body = get(feed.url)

    assert status == 200
    assert feedparser.parse(body).entries


def test_the_feed_that_wants_its_pages_fetched_carries_a_sentence_and_the_page_the_rest(demo, clock):
    clock.set(12)
    item = entry(get(feed_of(demo, "Rheinblick").url)[2], "/hafenstreik")
    page = get(item.link)[2].decode()

    assert "content" not in item
    assert item.summary.count(".") == 1
    assert item.summary in page
    assert "Hanne Vogt" in page
    assert "Hanne Vogt" not in item.summary
    assert [served.kind for served in demo.served if served.link == item.link] == ["feed", "page"]


def test_arabic_is_written_from_right_to_left_and_arrives_letter_for_letter(demo, clock):
    clock.set(20)
    item = entry(get(feed_of(demo, "صحيفة المرسى").url)[2], "/zilzal")
    page = get(item.link)[2].decode()

    assert item.title == "زلزال بقوة 5.8 درجات يهز خليج كالدر ولا أنباء عن وفيات"
    assert '<html lang="ar" dir="rtl">' in page
    assert item.title in page


def test_a_head_request_and_a_304_are_not_counted_as_served(demo, clock):
    clock.set(12)
    feed = feed_of(demo, "Harbour Times")
    status, headers, body = get(feed.url, method="HEAD")

    assert (status, body) == (200, b"")
    assert get(feed.url, {"If-None-Match": headers["ETag"]})[0] == 304
    assert demo.served == []


@pytest.mark.parametrize(
    "path", ["/nowhere", "/nowhere/feed.xml", "/harbour-times/none", "/harbour-times/../x", "/%00"]
)
def test_what_is_not_there_is_a_404(demo, path):
    assert get(demo.url + path)[0] == 404


def test_the_front_page_names_every_feed(demo):
    page = get(demo.url)[2].decode()

    assert all(feed.url in page for feed in demo.feeds())


def test_a_port_in_use_is_an_error_at_once(demo, clock):
    with pytest.raises(OSError, match="in use"):
        DemoServer(clock=clock, port=urlsplit(demo.url).port or 0)


def test_it_ends_without_leaving_a_thread_or_a_port_behind(clock):
    threads = set(threading.enumerate())
    with DemoServer(clock=clock) as demo:
        port = urlsplit(demo.url).port or 0
        assert get(demo.url)[0] == 200

    assert set(threading.enumerate()) == threads
    with socket.create_server(("127.0.0.1", port), reuse_port=False):
        pass
    demo.close()  # twice does no harm


def test_a_server_that_was_never_started_can_be_closed(clock):
    DemoServer(clock=clock).close()
