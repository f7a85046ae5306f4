"""From a publisher's sitemap to pages in the queue, with a publisher in memory."""

from __future__ import annotations

import asyncio
import gzip
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import cast

import pytest

from pipeline.adapters.sql_state import SqlState
from pipeline.article import Article, decode_article
from pipeline.errors import RequestFailed, RequestRefused
from pipeline.identity import article_id
from pipeline.ingest import sitemap_walk
from pipeline.ingest.sitemap_range import Days
from pipeline.ingest.sitemap_walk import Found, Walk, article_of, queue_pages, walk
from pipeline.poll.sitemap import SitemapEntry
from pipeline.ports import Http, Response

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
JANUARY = Days(date(2026, 1, 1), date(2026, 1, 31))
START = "https://www.e.example/sitemap.xml"


def index(*children: str | tuple[str, str]) -> bytes:
    named = [(child, "") if isinstance(child, str) else child for child in children]
    body = "".join(
        f"<sitemap><loc>{url}</loc>{f'<lastmod>{at}</lastmod>' if at else ''}</sitemap>" for url, at in named
    )
    return f'<sitemapindex xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{body}</sitemapindex>'.encode()


def urls(*entries: str | tuple[str, str]) -> bytes:
    named = [(entry, "2026-01-15") if isinstance(entry, str) else entry for entry in entries]
    body = "".join(f"<url><loc>{url}</loc>{f'<lastmod>{at}</lastmod>' if at else ''}</url>" for url, at in named)
    return f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{body}</urlset>'.encode()


class Publisher:
    """Answers by address; None is a connection that breaks."""

    def __init__(self, **files: bytes | None) -> None:
        self.files: dict[str, bytes | None] = {}
        self.asked: list[str] = []
        self.say(START, index())

    def say(self, url: str, body: bytes | None) -> None:
        self.files[url] = body

    async def request(self, method: str, url: str, *, max_bytes: int) -> Response:
        self.asked.append(url)
        body = self.files.get(url, b"")
        if body is None:
            raise RequestFailed("the connection broke")
        return Response(status=200 if body else 404, url=url, headers={}, body=body)


class Walked:
    """What came of a walk."""

    def __init__(self, publisher: Publisher, *, stop_after: int = 1_000_000) -> None:
        self.report, self.problems, self.pauses = Walk(), list[str](), 0
        self._stop_after = stop_after
        self.entries = asyncio.run(self._walk(publisher))

    @property
    def urls(self) -> list[str]:
        return [entry.url for entry in self.entries]

    async def _walk(self, publisher: Publisher) -> list[SitemapEntry]:
        found: list[SitemapEntry] = []
        steps = walk(
            START, JANUARY, http=cast("Http", publisher), pause=self._pause, report=self.report,
            on_problem=self.problems.append,
        )  # fmt: skip
        async for entries in steps:
            found += entries
        return found

    async def _pause(self) -> bool:
        self.pauses += 1
        return self.pauses > self._stop_after


@pytest.fixture
def publisher() -> Publisher:
    return Publisher()


@pytest.fixture
def state(tmp_path: Path) -> Iterator[SqlState]:
    state = SqlState.open(f"sqlite:///{tmp_path / 'state.db'}", migrate=True)
    yield state
    state.close()


def test_the_articles_of_the_days_are_taken_and_the_others_counted(publisher: Publisher) -> None:
    a, old, new, undated, dated, foreign = (
        f"https://e.example/{path}" for path in ("a", "old", "new", "undated", "2026/01/02/x", "")
    )
    foreign = "https://other.example/a"
    publisher.say(
        START, urls(a, (old, "2025-12-31"), (new, "2026-02-01"), (undated, ""), (dated, ""), foreign, "javascript:x")
    )
    walked = Walked(publisher)
    assert walked.urls == [a, dated]
    report = walked.report
    assert (report.sitemaps, report.in_range, report.outside, report.undated, report.foreign) == (1, 2, 2, 1, 2)
    assert walked.problems == []


def test_of_an_index_only_what_may_hold_the_days_is_fetched_each_once_and_with_a_pause(publisher: Publisher) -> None:
    one, two, nested = (f"https://e.example/{name}" for name in ("2026-01.xml", "news.xml", "more.xml"))
    publisher.say(START, index(one, one, ("https://e.example/2025-11.xml", ""), (two, "2026-01-09"), nested,
                               "https://evil.example/2026-01.xml", "file:///etc/passwd"))  # fmt: skip
    publisher.say(one, urls("https://e.example/1"))
    publisher.say(two, gzip.compress(urls("https://e.example/2")))
    publisher.say(nested, index(START, nested, one, "https://e.example/3.xml"))
    publisher.say("https://e.example/3.xml", urls("https://e.example/3"))
    walked = Walked(publisher)
    assert publisher.asked == [START, one, two, nested, "https://e.example/3.xml"]
    assert walked.urls == [f"https://e.example/{n}" for n in (1, 2, 3)]
    assert (walked.report.sitemaps, walked.report.passed_over, walked.pauses) == (5, 2, 4)


def test_indexes_within_indexes_come_to_an_end(publisher: Publisher, monkeypatch: pytest.MonkeyPatch) -> None:
    for depth in range(10):
        publisher.say(START if not depth else f"https://e.example/{depth}", index(f"https://e.example/{depth + 1}"))
    assert Walked(publisher).report.sitemaps == 1 + sitemap_walk.MAX_DEPTH
    monkeypatch.setattr(sitemap_walk, "MAX_SITEMAPS", 3)
    publisher.say(START, index(*(f"https://e.example/s{n}" for n in range(9))))
    for number in range(9):
        publisher.say(f"https://e.example/s{number}", urls("https://e.example/a"))
    walked = Walked(publisher)
    assert walked.report.sitemaps == 3
    assert walked.problems == [f"{START}: only 3 of its sitemaps were read; name a shorter range"]


def test_the_addresses_that_are_kept_are_bounded(publisher: Publisher, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sitemap_walk, "MAX_KNOWN", 4)
    publisher.say(START, index(*(f"https://e.example/s{n}" for n in range(9))))
    Walked(publisher)
    assert len(publisher.asked) == 4


def test_what_cannot_be_read_is_told_and_the_others_are_read(publisher: Publisher) -> None:
    gone, broken, page, bomb, good = (f"https://e.example/{n}.xml" for n in ("gone", "broken", "page", "bomb", "good"))
    publisher.say(START, index(gone, broken, page, bomb, good))
    publisher.say(broken, None)
    publisher.say(page, b"<html><body>Sorry</body></html>")
    publisher.say(bomb, gzip.compress(bytes(80_000_000)))
    publisher.say(good, urls("https://e.example/a"))
    walked = Walked(publisher)
    assert walked.urls == ["https://e.example/a"]
    assert walked.report.problems == 4
    assert walked.problems[:2] == [f"{gone}: HTTP 404", f"{broken}: the connection broke"]
    assert walked.problems[2].startswith(f"{page}: ")
    assert walked.problems[3] == f"{bomb}: the answer unpacks to more than 100 times its size"


@pytest.mark.parametrize(
    "body",
    [
        b'<!DOCTYPE u [<!ENTITY a "x">]><urlset><url><loc>https://e.example/&a;</loc></url></urlset>',
        b'<!DOCTYPE u [<!ENTITY a SYSTEM "file:///etc/passwd">]><urlset><url><loc>&a;</loc></url></urlset>',
        b"<urlset><url " + b" ".join(b'a%d=""' % n for n in range(100_000)) + b"><loc>https://e.example/</loc></url></urlset>",
        b"<urlset>" + b"<url>" * 100_000,
        b"%PDF-1.7", b"{}", b"plain text", b"<urlset",
    ],
    ids=lambda body: repr(body[:20]),
)  # fmt: skip
def test_what_is_built_to_harm_its_reader_is_a_problem_soon_told(publisher: Publisher, body: bytes) -> None:
    publisher.say(START, body)
    start = time.process_time()
    walked = Walked(publisher)
    assert (walked.entries, len(walked.problems)) == ([], 1)
    assert time.process_time() - start < 5


def test_a_large_sitemap_is_read_in_seconds(publisher: Publisher) -> None:
    publisher.say(START, b"<?xml version='1.0' encoding='utf-8'?>\n<?xml-stylesheet href='a.xsl'?>\n" + urls(
        *(f"https://e.example/{n}" for n in range(50_000))))  # fmt: skip
    start = time.process_time()
    assert len(Walked(publisher).entries) == 50_000
    assert time.process_time() - start < 30


def test_told_to_stop_it_stops_between_two_files(publisher: Publisher) -> None:
    publisher.say(START, index(*(f"https://e.example/s{n}" for n in range(9))))
    assert Walked(publisher, stop_after=2).report.problems == 2
    assert len(publisher.asked) == 3


def test_an_address_that_is_refused_is_a_problem(publisher: Publisher, monkeypatch: pytest.MonkeyPatch) -> None:
    async def refused(*_: object, **__: object) -> Response:
        raise RequestRefused("a private address")

    monkeypatch.setattr(publisher, "request", refused)
    assert Walked(publisher).problems == [f"{START}: a private address"]


# --- what is queued


def entry(url: str = "https://www.e.example/a?utm_source=x", **fields: object) -> SitemapEntry:
    return SitemapEntry(url=url, **fields)  # type: ignore[arg-type]


def queue(state: SqlState, *entries: SitemapEntry, **said: str) -> Walk:
    report = Walk()
    queue_pages(entries, Found(**said), state=state, now=NOW, report=report)
    return report


def queued(state: SqlState) -> Sequence[Article]:
    return [decode_article(page.article) for page in state.claim_pages(NOW, 10, "ann", 60, 0)]


def test_an_entry_waits_for_its_page_as_the_article_that_a_feed_would_bring(state: SqlState) -> None:
    published = NOW - timedelta(days=40)
    report = queue(state, entry(
        title="Ferry", published=published, lastmod=NOW, language="en-GB", keywords=("sea",), publication="The E",
    ))  # fmt: skip
    assert (report.queued, report.known) == (1, 0)
    (article,) = queued(state)
    assert article == Article(
        id=article_id(link="https://www.e.example/a", feed_url="", guid="", content=""), lane="backfill",
        url="https://www.e.example/a?utm_source=x", outlet="The E", title="Ferry", tags=("sea",), language="en",
        published=published, updated=NOW, first_seen=NOW, text_from="page",
    )  # fmt: skip


def test_what_the_person_says_goes_before_what_the_sitemap_says(state: SqlState) -> None:
    queue(state, entry(language="de", publication="P"), outlet="The E", language="fr")
    (article,) = queued(state)
    assert (article.outlet, article.language) == ("The E", "fr")
    assert article_of(entry(), Found(), NOW).outlet == "e.example"


def test_an_impossible_date_is_clamped_and_flagged() -> None:
    article = article_of(entry(published=NOW + timedelta(days=400)), Found(), NOW)
    assert (article.published, article.flags) == (NOW, ("published_clamped",))


def test_what_waits_or_was_deleted_is_not_queued_again(state: SqlState) -> None:
    state.bury([article_id(link="https://e.example/gone", feed_url="", guid="", content="")], "asked to", NOW)
    entries = [entry(f"https://e.example/{name}") for name in ("a", "gone", "a#twice")]
    first = queue(state, *entries)
    assert (first.queued, first.known) == (1, 2)
    again = queue(state, *entries)
    assert (again.queued, again.known) == (0, 3)
