"""robots.txt as RFC 9309 has it, and whatever a hostile one may hold."""

from __future__ import annotations

import asyncio
import time
import tracemalloc
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import RequestFailed, RequestRefused
from pipeline.fetch import robots
from pipeline.fetch.robots import (
    OPEN_AFTER,
    PARSED_BYTES,
    answer_of,
    delay_seconds,
    judge,
    may_fetch,
    our_rules,
    rules_url,
    verdict,
)
from pipeline.ports import Response, RobotsAnswer

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
ORIGIN = "https://news.example"
FORBIDS = b"User-agent: *\nDisallow: /secret\n"


def response(status: int = 200, body: bytes = b"") -> Response:
    return Response(status=status, url=f"{ORIGIN}/robots.txt", headers={}, body=body)


def is_allowed(body: bytes, path: str) -> bool:
    return may_fetch(our_rules(body), "Wirewatch", f"{ORIGIN}{path}")


@pytest.mark.parametrize(
    ("url", "rules"),
    [
        ("https://News.example/a/b?c#d", "https://news.example/robots.txt"),
        ("http://news.example:8080/a", "http://news.example:8080/robots.txt"),
        ("https://news.example:443/", "https://news.example/robots.txt"),
        ("https://user:secret@news.example/", "https://news.example/robots.txt"),
        ("https://bücher.example/", "https://xn--bcher-kva.example/robots.txt"),
        ("ftp://news.example/", ""),
        ("/a", ""),
        ("http://[bad/", ""),
        ("http://news.example:x/", ""),
        ("http://news.example:99999/", ""),
        ("http://news.example:0/", ""),
        ("http:///a", ""),
        ("", ""),
    ],
)
def test_the_rules_of_a_page_lie_at_its_origin(url: str, rules: str) -> None:
    assert rules_url(url) == rules


@pytest.mark.parametrize(
    ("body", "allowed", "forbidden"),
    [
        (b"", ["/", "/a"], []),
        (FORBIDS, ["/", "/secre"], ["/secret", "/secret/a", "/secrets"]),
        (b"User-agent: *\nDisallow:", ["/"], []),
        (b"User-agent: *\nDisallow: /a\nAllow: /a/b", ["/a/b", "/a/bc"], ["/a", "/a/c"]),
        (b"User-agent: *\nDisallow: /a\nAllow: /a", ["/a"], []),  # the least restrictive of equals
        (b"User-agent: *\nDisallow: /*.pdf$", ["/x.pdf?a", "/x"], ["/x.pdf", "/a/b.pdf"]),
        (b"User-agent: *\nDisallow: /%C3%BC", ["/u"], ["/ü", "/%c3%bc"]),
        (b"User-agent: other\nDisallow: /", ["/"], []),
        (b"User-agent: *\nDisallow: /\n\nUser-agent: Wirewatch\nDisallow: /x", ["/", "/a"], ["/x"]),
        (b"User-agent: wireWATCH/2.0\nDisallow: /x\nUser-agent: *\nDisallow: /", ["/"], ["/x"]),
        (b"User-agent: other\nUser-agent: wirewatch\n\nDisallow: /x", ["/"], ["/x"]),
        (b"User-agent: wirewatch\nUser-agent: other\nDisallow: /x\nUser-agent: third\nDisallow: /", ["/"], ["/x"]),
        (b"User-agent: wirewatch\nDisallow: /x\nUser-agent: a\nDisallow: /\nUser-agent: Wirewatch\nDisallow: /y", ["/"],
         ["/x", "/y"]),
        (b"User-agent: wire\nDisallow: /\nUser-agent: w\nDisallow: /", ["/"], []),
        (b"User-agent: wirewatcher\nDisallow: /", ["/"], []),
        (b"\xef\xbb\xbfUser-agent: *\r\nSitemap: https://x/\r\nDisallow: /x # comment\r\n", ["/"], ["/x"]),
        (b"user-agent:*\ndisallow:/x", ["/"], ["/x"]),
        (b"Disallow: /\nUser-agent: *\nDisallow: /x", ["/"], ["/x"]),
        (b"User-agent: *\nDisallow: /\xff", ["/"], []),
        (b"<!DOCTYPE html><html><title>Disallow: /</title></html>", ["/"], []),
    ],
)  # fmt: skip
def test_a_page_is_judged_by_the_group_that_is_for_us(body: bytes, allowed: list[str], forbidden: list[str]) -> None:
    assert [path for path in allowed if not is_allowed(body, path)] == []
    assert [path for path in forbidden if is_allowed(body, path)] == []


def test_only_500_kib_are_read() -> None:
    filler = b"User-agent: *\n" + b"#" * (PARSED_BYTES - 14 - 12)
    assert not is_allowed(filler + b"\nDisallow: /", "/")
    assert is_allowed(filler + b"#" * 20 + b"\nDisallow: /", "/")


@pytest.mark.parametrize(
    ("written", "seconds"), [("20", 20), ("0.5", 0.5), ("9999", 60), ("inf", 0), ("-1", 0), ("x", 0)]
)
def test_a_crawl_delay_is_taken_up_to_a_minute(written: str, seconds: float) -> None:
    assert delay_seconds(our_rules(f"User-agent: *\nCrawl-delay: {written}".encode()), "Wirewatch") == seconds


# --- what answers mean ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "answer"),
    [(200, "rules"), (301, "none"), (400, "none"), (401, "none"), (403, "none"), (404, "none"), (410, "none"),
     (429, "closed"), (500, "closed"), (503, "closed")],
)  # fmt: skip
def test_4xx_is_none_and_what_cannot_say_is_closed(status: int, answer: str) -> None:
    known = answer_of(response(status, FORBIDS), ORIGIN, None, NOW)
    assert (known.answer, known.fetched) == (answer, NOW)
    assert known.expires == NOW + timedelta(minutes=15 if answer == "closed" else 24 * 60)
    assert bool(verdict(known, f"{ORIGIN}/a", NOW).cause) == (answer == "closed")


def test_what_was_known_is_kept_while_the_origin_cannot_say() -> None:
    known = answer_of(response(200, FORBIDS), ORIGIN, None, NOW)
    later = NOW + timedelta(days=40)
    stale = answer_of(None, ORIGIN, known, later)
    assert (stale.text, stale.answer, stale.expires) == (known.text, "rules", later + timedelta(minutes=15))
    assert verdict(stale, f"{ORIGIN}/secret", later).cause == "robots.txt of news.example forbids it"
    assert verdict(stale, f"{ORIGIN}/a", later).cause == ""


def test_an_origin_that_was_never_read_is_open_again_after_thirty_days() -> None:
    known = None
    for day in range(31):
        known = answer_of(None, ORIGIN, known, NOW + timedelta(days=day))
    assert known is not None
    before_the_end = verdict(known, f"{ORIGIN}/a", NOW + OPEN_AFTER - timedelta(seconds=1))
    assert before_the_end.cause == "robots.txt of news.example cannot be read now, so nothing of it may be asked for"
    assert not before_the_end.is_final
    assert verdict(known, f"{ORIGIN}/a", NOW + OPEN_AFTER).cause == ""


def test_a_page_that_is_forbidden_is_so_for_good() -> None:
    known = answer_of(response(200, FORBIDS), ORIGIN, None, NOW)
    assert verdict(known, f"{ORIGIN}/secret/a", NOW).is_final


# --- asking -----------------------------------------------------------------------------------------------------------


class Cache:
    """A ``RobotsCache`` in memory."""

    def __init__(self) -> None:
        self.known: dict[str, RobotsAnswer] = {}

    def robots(self, origin: str) -> RobotsAnswer | None:
        return self.known.get(origin)

    def save_robots(self, answer: RobotsAnswer) -> None:
        self.known[answer.origin] = answer

    def hold_host(self, host: str, until: datetime) -> None:
        """Not asked here."""


class Origin:
    """An ``Http`` whose every answer is the same; an exception is raised."""

    def __init__(self, answer: Response | Exception) -> None:
        self.answer = answer
        self.asked: list[tuple[str, int]] = []

    async def request(self, method: str, url: str, *, max_redirects: int, **_: object) -> Response:
        self.asked.append((url, max_redirects))
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    async def close(self) -> None:
        """Nothing is open."""


def test_an_origin_is_asked_once_a_day() -> None:
    http, cache = Origin(response(200, FORBIDS)), Cache()
    for hours in (0, 1, 23.9, 24.1):
        judged = judge(f"{ORIGIN}/secret?{hours}", http=http, cache=cache, now=NOW + timedelta(hours=hours))
        assert asyncio.run(judged).is_final
    assert http.asked == [(f"{ORIGIN}/robots.txt", 5)] * 2


def test_an_answer_from_before_the_clock_was_set_back_is_asked_for_again() -> None:
    http, cache = Origin(response(200, FORBIDS)), Cache()
    for moment in (NOW + timedelta(days=365), NOW, NOW + timedelta(hours=1)):
        asyncio.run(judge(f"{ORIGIN}/a", http=http, cache=cache, now=moment))
    assert len(http.asked) == 2


@pytest.mark.parametrize(
    ("failure", "cause"),
    [(RequestFailed("DNS"), "robots.txt of news.example cannot be read now"), (RequestRefused("6 hops"), "")],
)
def test_no_answer_closes_and_too_many_hops_count_as_none(failure: Exception, cause: str) -> None:
    found = asyncio.run(judge(f"{ORIGIN}/a", http=Origin(failure), cache=Cache(), now=NOW))
    assert found.cause.startswith(cause)
    assert bool(found.cause) == bool(cause)


def test_what_is_no_address_is_left_to_the_door() -> None:
    http = Origin(response(500))
    assert asyncio.run(judge("javascript:alert(1)", http=http, cache=Cache(), now=NOW)).cause == ""
    assert http.asked == []


# --- hostile ----------------------------------------------------------------------------------------------------------

HALF = PARSED_BYTES // 2
BOMBS = {
    "names and rules": b"User-agent: *\n"
    + b"".join(b"useragent:%d\n" % n for n in range(18_000))
    + b"allow:/\n" * HALF,
    "stars": b"User-agent: *\nDisallow: /" + b"*a" * HALF,
    "rules of stars": b"User-agent: *\n" + b"disallow:/*a*a*a*a*b$\n" * (PARSED_BYTES // 22),
    "dollars": b"User-agent: *\nDisallow: /" + b"$" * PARSED_BYTES,
    "percents": b"User-agent: *\nDisallow: /" + b"%41" * PARSED_BYTES,
    "one line": b"User-agent:" + b" " * PARSED_BYTES,
    "agents": b"user agent " * PARSED_BYTES,
    "colons": b":" * PARSED_BYTES,
    "line ends": b"\r" * PARSED_BYTES,
    "zeros": bytes(PARSED_BYTES),
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_hostile_file_costs_seconds_at_the_most_and_little_memory(name: str) -> None:
    began = time.process_time()
    known = answer_of(response(200, BOMBS[name]), ORIGIN, None, NOW)
    verdict(known, f"{ORIGIN}/{'a' * 7_000}", NOW)
    assert time.process_time() - began < 5
    tracemalloc.start()
    our_rules(BOMBS[name])
    assert tracemalloc.get_traced_memory()[1] < 64 * 1024 * 1024
    tracemalloc.stop()


@given(st.text(max_size=60), st.sampled_from(["", "http://", "https://news.example", "http://[", "//"]))
def test_any_address_of_a_page_is_judged_without_an_error(text: str, start: str) -> None:
    known = answer_of(response(200, FORBIDS), ORIGIN, None, NOW)
    if rules := rules_url(start + text):
        here = answer_of(response(200, FORBIDS), rules.removesuffix("/robots.txt"), known, NOW)
        assert isinstance(verdict(here, start + text, NOW).cause, str)


@given(st.binary(max_size=300), st.text(max_size=60))
def test_whatever_it_holds_is_read_without_an_error(body: bytes, path: str) -> None:
    text = our_rules(b"User-agent: *\nDisallow: " + body)
    assert may_fetch(text, robots.PRODUCT_TOKEN, f"{ORIGIN}/{path}") in {True, False}
    assert 0 <= delay_seconds(text, robots.PRODUCT_TOKEN) <= 60
