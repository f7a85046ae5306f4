"""wirewatch backfill --sitemap: a publisher's sitemap, a range of days, and pages that are fetched behind the news."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest
from cli_parts import Cli
from ingest.warc_parts import page
from journey_parts import Item, rss
from stub_server import Answer, StubServer

HTML = {"Content-Type": "text/html; charset=utf-8"}
SPAN = ("--from", "2026-01-01", "--to", "2026-01-31")
TALKS = "Officials said a delegation of Hezbollah would not attend the talks that resume in the capital this week. "


class Publisher:
    """A news site with a sitemap index of three months, one of which says nothing but addresses."""

    def __init__(self, server: StubServer) -> None:
        self.server = server
        months = [("news.xml", ""), ("2025-10.xml", ""), ("old.xml", "<lastmod>2025-11-30</lastmod>")]
        self._say("/sitemap.xml", "sitemapindex", *(f"<sitemap>{self.loc(f'/{n}')}{at}</sitemap>" for n, at in months))
        self._say("/news.xml", "urlset", *self._entries())
        for number in (1, 2):
            head = f'<meta property="article:published_time" content="2026-01-0{number}T08:00:00Z">'
            body = page(number, text=f"{number} {TALKS}", head=head)
            server.on(f"/{number}", Answer(body=body, headers=HTML))

    def loc(self, path: str) -> str:
        return f"<loc>{self.server.url(path)}</loc>"

    def _entries(self) -> Iterator[str]:
        yield (
            f'<url>{self.loc("/1")}<n:news xmlns:n="http://www.google.com/schemas/sitemap-news/0.9"><n:publication>'
            "<n:name>The E</n:name><n:language>en</n:language></n:publication><n:title>Talks resume</n:title>"
            "<n:publication_date>2026-01-05T10:00:00Z</n:publication_date></n:news></url>"
        )
        yield f"<url>{self.loc('/2')}<lastmod>2026-01-20</lastmod></url>"
        yield f"<url>{self.loc('/3')}<lastmod>2026-02-20</lastmod></url>"
        yield f"<url>{self.loc('/4')}</url>"

    def _say(self, path: str, root: str, *parts: str) -> None:
        body = f'<{root} xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{"".join(parts)}</{root}>'
        self.server.on(path, Answer(body=body, headers={"Content-Type": "application/xml"}))


@pytest.fixture
def publisher(cli: Cli) -> Iterator[Publisher]:
    with StubServer() as server:
        cli.environment = {"WIREWATCH_ALLOW_ADDRESSES": server.address, "WIREWATCH_HOST_DELAY_SECONDS": "0"}
        yield Publisher(server)


def run_path(cli: Cli) -> None:
    """Run every step once, as `wirewatch run` does all the time."""
    for step in ("fetch", "enrich", "settle", "index", "alert"):
        ended = cli(step, "--once")
        assert ended.code == 0, ended.err


def backfill(cli: Cli, publisher: Publisher, *more: str) -> tuple[int, list[str]]:
    ended = cli("backfill", "--sitemap", publisher.server.url("/sitemap.xml"), *SPAN, *more)
    return ended.code, ended.err.splitlines()


def test_the_articles_of_the_days_become_searchable_with_their_pages_and_never_alert(
    cli: Cli, publisher: Publisher
) -> None:
    code, said = backfill(cli, publisher)
    assert (code, said[0]) == (
        0, "2 sitemaps read, 2 passed over by their date, 2 articles of these days, 2 pages queued, 1 of other days, "
        "1 without a date",
    )  # fmt: skip
    run_path(cli)
    first, second = cli("search", "hezbollah", "--json", "--sort", "oldest").lines
    assert (second["title"], second["outlet"], second["published"]) == ("Talks resume", "The E", "2026-01-05T10:00:00Z")
    assert (first["title"], first["published"]) == ("Bridge 2", "2026-01-02T08:00:00Z")
    assert {(one["lane"], one["text_from"]) for one in (first, second)} == {("backfill", "page")}
    assert cli("alerts", "list").err == "No alerts yet.\n"


def test_the_same_again_queues_nothing_that_is_known_or_waits(cli: Cli, publisher: Publisher) -> None:
    backfill(cli, publisher)
    for _ in range(2):
        assert "2 articles of these days, 0 pages queued, 2 known already" in backfill(cli, publisher)[1][0]
        run_path(cli)
    assert [len(publisher.server.requests_for(f"/{number}")) for number in (1, 2)] == [1, 1]
    assert len(cli("search", "*", "--json").lines) == 2


def test_an_article_that_a_feed_brought_is_left_alone(cli: Cli, publisher: Publisher) -> None:
    item = Item(link=publisher.server.url("/1"), title="Live", text=f"Live: {TALKS}")
    publisher.server.on("/feed", Answer(body=rss([item])))
    cli("feeds", "add", publisher.server.url("/feed"))
    assert cli("poll", "--once").code == 0
    run_path(cli)
    assert "1 page queued, 1 known already" in backfill(cli, publisher)[1][0]
    run_path(cli)
    assert sorted(one["title"] for one in cli("search", "*", "--json").lines) == ["Bridge 2", "Live"]
    assert publisher.server.requests_for("/1") == []


def test_a_deleted_article_is_not_fetched_again(cli: Cli, publisher: Publisher) -> None:
    backfill(cli, publisher)
    run_path(cli)
    (gone,) = cli("search", "title:talks", "--json").lines
    cli("delete", gone["id"], "--reason", "asked to")
    assert "0 pages queued, 2 known already" in backfill(cli, publisher)[1][0]
    run_path(cli)
    assert cli("search", "title:talks", "--json").lines == []


def test_a_page_that_is_gone_costs_its_article_and_is_told(cli: Cli, publisher: Publisher) -> None:
    publisher.server.on("/2", Answer(status=404))
    backfill(cli, publisher)
    run_path(cli)
    assert [one["title"] for one in cli("search", "*", "--json").lines] == ["Talks resume"]
    assert "HTTP 404" in cli("status", "--pages").out


def test_a_dry_run_counts_and_stores_nothing(cli: Cli, publisher: Publisher) -> None:
    code, (said,) = backfill(cli, publisher, "--dry-run")
    assert (code, said) == (
        0, "2 sitemaps read, 2 passed over by their date, 2 articles of these days, 1 of other days, 1 without a date; "
        "nothing was queued (--dry-run)",
    )  # fmt: skip
    assert not cli.data.exists()


def test_killed_in_the_middle_and_called_again_it_ends_with_every_article_once(cli: Cli, publisher: Publisher) -> None:
    environment = cli.environment
    for point in ("backfill:queued:2", "fetch:published:1"):
        cli.environment = {**environment, "WIREWATCH_FAILPOINT": point}
        words = ("fetch", "--once") if point.startswith("fetch") else ("backfill", "--sitemap", publisher.server.url(
            "/sitemap.xml"), *SPAN)  # fmt: skip
        with cli.start(*words) as program:
            assert program.process.wait(timeout=60) == -signal.SIGKILL
        cli.environment = environment
        backfill(cli, publisher)
    run_path(cli)
    found = cli("search", "*", "--json").lines
    assert sorted(one["title"] for one in found) == ["Bridge 2", "Talks resume"]
    assert {one["revision"] for one in found} == {1}


def test_what_cannot_be_read_is_told(cli: Cli, publisher: Publisher) -> None:
    publisher.server.on("/news.xml", Answer(status=503))
    code, said = backfill(cli, publisher)
    assert (code, said[0]) == (3, f"{publisher.server.url('/news.xml')}: HTTP 503")
    publisher.server.on("/sitemap.xml", Answer(body="<html><body>Sorry</body></html>"))
    assert backfill(cli, publisher)[0] == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--sitemap", "https://e.example/s.xml"), "say with --from on which day to begin"),
        (("--sitemap", "https://e.example/s.xml", "--from", "yesterday"), "A day is written as 2026-01-31"),
        (("--sitemap", "https://e.example/s.xml", "--from", "2026-02-01", "--to", "2026-01-01"), "is after"),
        (("--sitemap", "e.example", "--from", "2026-01-01"), "is no http(s) address"),
        (("--sitemap", "https://e.example/s.xml", "--from", "2026-01-01", "file.warc"), "files or folders, or"),
        (("--from", "2026-01-01", "file.warc"), "go with --sitemap"),
        (("--language", "en", "file.warc"), "go with --sitemap"),
    ],
)
def test_words_that_do_not_go_together_are_refused(cli: Cli, words: tuple[str, ...], said: str) -> None:
    ended = cli("backfill", *words)
    assert (ended.code, said in ended.err) == (2, True), ended.err
    assert not cli.data.exists()


def test_a_private_address_is_refused(cli: Cli, publisher: Publisher) -> None:
    cli.environment = {}
    code, said = backfill(cli, publisher)
    assert code == 1
    assert "127.0.0.1" in said[0]
    assert publisher.server.requests == []
