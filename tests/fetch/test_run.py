"""A page is fetched once, kindly, and whatever goes wrong with it, the article stays."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from fakes import HOLDER, Newsstand, ScriptedHttp
from stub_server import Answer

from pipeline.article import Article, encode_article
from pipeline.dead import read_dead_letter
from pipeline.errors import PublishError, RequestFailed, RequestRefused
from pipeline.fetch.run import FetchReport, backoff_seconds, fetch_due_pages
from pipeline.ports import PageRequest, PollResult, Response

PAGE = Answer(body="<html><p>The whole text</p></html>", headers={"Content-Type": "text/html; charset=utf-8"})


def wait_for_page(
    stand: Newsstand, article_id: str = "a" * 32, path: str = "/page", host: str = "h", **more
) -> Article:
    """Put an article's page on the queue, as poll does, and return the article."""
    article = Article(id=article_id, title="One", url=stand.server.url(path), first_seen=stand.clock(), **more)
    request = PageRequest(article_id=article.id, url=article.url, host=host, article=encode_article(article))
    stand.state.claim_due_feeds(stand.clock(), 1, HOLDER, 60, [stand.feed.id])
    result = PollResult(feed_id=stand.feed.id, state=stand.known.state, pages=(request,))
    assert stand.state.save_poll(result, HOLDER)
    return article


def fetched_by(stand: Newsstand, *answers: Response | Exception) -> FetchReport:
    http = ScriptedHttp(*answers)
    return asyncio.run(
        fetch_due_pages(
            state=stand.state, broker=stand.broker, pages=stand.pages, http=http, clock=stand.clock, holder=HOLDER
        )
    )


def test_the_page_is_stored_and_the_same_article_is_published_again_with_its_key(stand: Newsstand) -> None:
    article = wait_for_page(stand)
    stand.server.on("/page", PAGE)
    stand.clock.forward(5)

    report = stand.fetch()

    assert report == FetchReport(claimed=1, stored=1)
    (again,) = stand.published()
    assert stand.pages.get(again.page) == PAGE.body.encode()
    assert (again.id, again.title, again.text_from) == (article.id, "One", "feed")
    assert (again.first_seen, again.fetched) == (article.first_seen, stand.clock())
    assert stand.state.queued_pages() == {"waiting": 0, "failed": 0, "again": 0}


def test_an_article_of_the_backfill_stays_in_its_lane(stand: Newsstand) -> None:
    wait_for_page(stand, lane="backfill")
    stand.server.on("/page", PAGE)

    stand.fetch()

    assert len(stand.published("backfill.raw")) == 1


@pytest.mark.parametrize(
    "answer",
    [
        Answer(status=404),
        Answer(status=410),
        Answer(body=b"%PDF-1.7", headers={"Content-Type": "application/pdf"}),
        Answer(body=b"\x89PNG", headers={"Content-Type": ""}),
    ],
)
def test_a_page_that_is_gone_or_is_no_page_is_not_asked_for_again(stand: Newsstand, answer: Answer) -> None:
    wait_for_page(stand)
    stand.server.on("/page", answer)

    assert stand.fetch().failed == 1

    assert stand.state.queued_pages() == {"waiting": 0, "failed": 1, "again": 0}
    assert stand.published() == []


@pytest.mark.parametrize(
    ("answer", "cause"),
    [
        (Answer(status=403, headers={"cf-mitigated": "challenge"}), "HTTP 403, Cloudflare's challenge"),
        (Answer(status=202, headers={"x-amzn-waf-action": "challenge"}), "HTTP 202, AWS WAF's challenge"),
        (Answer(status=403, body="<html>Forbidden</html>"), "HTTP 403"),
    ],
)
def test_a_wall_in_place_of_the_page_is_named_and_the_page_asked_for_again(
    stand: Newsstand, answer: Answer, cause: str
) -> None:
    wait_for_page(stand)
    stand.server.on("/page", answer)

    assert stand.fetch().put_off == 1

    assert [trouble.cause for trouble in stand.state.page_troubles()] == [cause]


def test_an_address_that_our_rules_refuse_is_not_asked_for_again(stand: Newsstand) -> None:
    wait_for_page(stand)

    assert fetched_by(stand, RequestRefused("a private address")).failed == 1


ROBOTS = {"Content-Type": "text/plain"}


def test_a_page_that_robots_txt_forbids_is_not_asked_for_and_ends_failed(stand: Newsstand) -> None:
    wait_for_page(stand)
    stand.server.on("/robots.txt", Answer(body="User-agent: *\nDisallow: /page", headers=ROBOTS))

    assert stand.fetch().failed == 1

    assert stand.server.requests_for("/page") == []
    (trouble,) = stand.state.page_troubles()
    assert (trouble.status, trouble.cause) == ("failed", "robots.txt of 127.0.0.1 forbids it")


def test_robots_txt_is_asked_for_once_a_day_and_counts_as_no_attempt(stand: Newsstand) -> None:
    stand.server.on("/robots.txt", Answer(body="User-agent: *\nDisallow: /other", headers=ROBOTS))
    stand.server.on("/page", PAGE)
    for number, wait in enumerate((0, 3, 24 * 3600 - 10, 20)):
        stand.clock.forward(wait)
        wait_for_page(stand, f"{number}" * 32)
        assert stand.fetch().stored == 1

    assert len(stand.server.requests_for("/robots.txt")) == 2
    assert stand.server.requests_for("/robots.txt")[0].headers["user-agent"] == "test"


def test_while_robots_txt_cannot_be_read_the_page_is_put_off(stand: Newsstand) -> None:
    wait_for_page(stand)
    stand.server.on("/robots.txt", Answer(status=503), Answer(status=404))
    stand.server.on("/page", PAGE)

    assert stand.fetch().put_off == 1

    assert stand.state.page_troubles()[0].cause.startswith("robots.txt of 127.0.0.1 cannot be read now")
    assert stand.server.requests_for("/page") == []
    stand.clock.forward(15 * 60)
    assert stand.fetch().stored == 1


def test_a_crawl_delay_keeps_the_host_closed_for_longer(stand: Newsstand) -> None:
    stand.server.on("/robots.txt", Answer(body="User-agent: *\nCrawl-delay: 20", headers=ROBOTS))
    stand.server.on("/page", PAGE)
    wait_for_page(stand, "a" * 32)
    wait_for_page(stand, "b" * 32)

    assert stand.fetch().stored == 1
    stand.clock.forward(19)
    assert stand.fetch().claimed == 0
    stand.clock.forward(1)
    assert stand.fetch().stored == 1


def test_after_five_attempts_the_row_ends_failed(stand: Newsstand) -> None:
    wait_for_page(stand)
    stand.server.on("/page", Answer(status=503))

    reports = []
    for _ in range(7):
        reports.append(stand.fetch())
        stand.clock.forward(24 * 3600)

    assert [report.put_off for report in reports] == [1, 1, 1, 1, 0, 0, 0]
    assert [report.failed for report in reports] == [0, 0, 0, 0, 1, 0, 0]
    assert len(stand.server.requests_for("/page")) == 5
    assert stand.state.queued_pages() == {"waiting": 0, "failed": 1, "again": 0}


def test_each_attempt_waits_longer_and_the_servers_wish_is_granted() -> None:
    request = PageRequest(article_id="a", url="http://h/", host="h", article=b"")
    later = PageRequest(article_id="a", url="http://h/", host="h", article=b"", attempts=2)

    assert 60 <= backoff_seconds(request) <= 66
    assert 960 <= backoff_seconds(later) <= 1056
    assert backoff_seconds(request, 600.0) == 600
    assert backoff_seconds(request, 1e9) == 6 * 3600


def test_a_page_that_failed_is_due_again_after_its_wait_and_then_succeeds(stand: Newsstand) -> None:
    wait_for_page(stand)
    timed_out = RequestFailed("no complete answer")
    page = Response(status=200, url="http://h/", headers={"content-type": "TEXT/HTML"}, body=b"<p>x</p>")

    assert fetched_by(stand, timed_out).put_off == 1
    assert fetched_by(stand).claimed == 0
    stand.clock.forward(67)
    assert fetched_by(stand, page).stored == 1


def test_a_broker_that_is_down_costs_no_article_its_page(stand: Newsstand) -> None:
    wait_for_page(stand)
    stand.server.on("/page", PAGE)
    stand.broker.failures["articles.raw"] = [PublishError("out of reach")] * 6

    for _ in range(6):
        assert stand.fetch().put_off == 1
        stand.clock.forward(61)

    assert stand.fetch().stored == 1


def test_an_article_too_large_with_its_page_ends_failed(stand: Newsstand) -> None:
    wait_for_page(stand)
    stand.server.on("/page", PAGE)
    stand.broker.failures["articles.raw"] = [PublishError("too large", fatal=True)]

    assert stand.fetch().failed == 1


def test_a_waiting_article_that_cannot_be_read_ends_failed_and_stops_nobody(stand: Newsstand) -> None:
    wait_for_page(stand, "b" * 32, host="other")
    request = PageRequest(article_id="a" * 32, url=stand.server.url("/page"), host="h", article=b"{")
    stand.state.claim_due_feeds(stand.clock(), 1, HOLDER, 60, [stand.feed.id])
    stand.state.save_poll(PollResult(feed_id=stand.feed.id, state=stand.known.state, pages=(request,)), HOLDER)
    stand.server.on("/page", PAGE)

    report = stand.fetch()

    assert (report.claimed, report.stored, report.failed) == (2, 1, 1)


def test_two_pages_of_one_host_are_not_fetched_at_once(stand: Newsstand) -> None:
    wait_for_page(stand, "a" * 32)
    wait_for_page(stand, "b" * 32)
    stand.server.on("/page", PAGE)

    assert stand.fetch().claimed == 1
    assert stand.fetch().claimed == 0
    stand.clock.forward(2)
    assert stand.fetch().claimed == 1


def test_a_claim_that_went_to_another_is_counted_and_harmless(stand: Newsstand) -> None:
    wait_for_page(stand)

    class Slow(ScriptedHttp):
        async def request(self, method: str, url: str, **more: object) -> Response:
            if url.endswith("/robots.txt"):
                return await super().request(method, url)
            later = stand.clock() + timedelta(hours=1)
            assert stand.state.claim_pages(later, 1, "other", 60, 0)
            return Response(status=200, url="http://h/", headers={"content-type": "text/html"}, body=b"<p>x</p>")

    report = asyncio.run(
        fetch_due_pages(
            state=stand.state, broker=stand.broker, pages=stand.pages, http=Slow(), clock=stand.clock, holder=HOLDER
        )
    )

    assert report.lost_claims == 1
    assert stand.state.queued_pages() == {"waiting": 1, "failed": 0, "again": 0}


def test_a_host_that_says_too_many_is_left_alone_for_so_long(stand: Newsstand) -> None:
    stand.server.on("/page", Answer(status=429, headers={"Retry-After": "600"}))
    wait_for_page(stand, "a" * 32)
    wait_for_page(stand, "b" * 32)

    assert stand.fetch().put_off == 1
    stand.clock.forward(599)
    assert stand.fetch().claimed == 0
    stand.clock.forward(1)
    assert stand.fetch().claimed == 1


def test_an_article_that_is_nothing_without_its_page_is_buried_when_that_cannot_be_had(stand: Newsstand) -> None:
    bare = Article(id="c" * 32, url=stand.server.url("/page"), first_seen=stand.clock())
    request = PageRequest(article_id=bare.id, url=bare.url, host="h", article=encode_article(bare))
    stand.state.claim_due_feeds(stand.clock(), 1, HOLDER, 60, [stand.feed.id])
    stand.state.save_poll(PollResult(feed_id=stand.feed.id, state=stand.known.state, pages=(request,)), HOLDER)
    stand.server.on("/page", Answer(status=404))

    assert stand.fetch().failed == 1

    (letter,) = [read_dead_letter(value) for value in stand.values("articles.raw.dead")]
    assert (letter.step, letter.reason, letter.detail) == (
        "fetch", "no text without its page", "HTTP 404: the page is gone"
    )  # fmt: skip
