"""What a gap has cost is looked for in the site's news sitemap."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

from fakes import HOLDER, Newsstand, item, rss
from stub_server import Answer

from pipeline.adapters.http import HttpDoor
from pipeline.errors import PublishError
from pipeline.poll.entry import Entry
from pipeline.poll.gaps import Filler, fill_gap, kind_of, missed_in
from pipeline.poll.parsing import parse_inline
from pipeline.ports import Gap

NEWS = 'xmlns:news="http://www.google.com/schemas/sitemap-news/0.9"'


def shown(stand: Newsstand, number: int, section: str = "world") -> str:
    link = stand.server.url(f"/{section}/{number}")
    return item(f"News {number}", link, date=f"{1 + number // 24:02} Mar 2026 {number % 24:02}:00:00 GMT")


def feed_of(stand: Newsstand, *numbers: int) -> str:
    return rss(*(shown(stand, number) for number in numbers), link=stand.server.url("/"))


def sitemap_of(stand: Newsstand, *places: tuple[str, int]) -> Answer:
    urls = "".join(
        f"<url><loc>{stand.server.url(f'/{section}/{number}')}</loc><news:news><news:title>News {number}</news:title>"
        f"<news:publication_date>2026-03-{1 + number // 24:02}T{number % 24:02}:00:00Z</news:publication_date>"
        "</news:news></url>"
        for section, number in places
    )
    return Answer(body=f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9" {NEWS}>{urls}</urlset>')


def with_a_gap(stand: Newsstand, *, sitemap: Answer | None = None) -> Gap:
    """Poll at noon of the first day, when 10 and 11 are shown, and a day later, when 33 and 34 are."""
    stand.serve(feed_of(stand, 10, 11), feed_of(stand, 33, 34))
    named = f"Sitemap: {stand.server.url('/news-sitemap.xml')}" if sitemap else "User-agent: *\nDisallow:"
    stand.server.on("/robots.txt", Answer(body=named))
    stand.server.on("/news-sitemap.xml", sitemap or Answer(status=404))
    stand.poll()
    stand.poll_again()
    (gap,) = stand.state.gaps(stand.clock())
    return gap


def fill(stand: Newsstand) -> int | None:
    async def run() -> int | None:
        async with HttpDoor(user_agent="test", allowed=[stand.server.address]) as http:
            filler = Filler(
                state=stand.state, broker=stand.broker, http=http, clock=stand.clock, holder=HOLDER,
                parse=parse_inline, access={}, host_delay_seconds=0.0,
            )  # fmt: skip
            return await fill_gap(filler, stand.feed.id)

    return asyncio.run(run())


def test_what_was_published_in_the_gap_in_the_feeds_own_section_and_never_seen_is_published(stand: Newsstand) -> None:
    places = [("world", 9), ("world", 11), ("world", 20), ("sport", 21), ("world", 22), ("world", 33), ("world", 40)]

    gap = with_a_gap(stand, sitemap=sitemap_of(stand, *places))

    filled = [article for article in stand.published() if article.flags]
    assert sorted(article.title for article in filled) == ["News 20", "News 22"]
    assert {article.flags for article in filled} == {("gap_filled",)}
    assert (gap.filled, gap.filled_from) == (2, stand.server.url("/news-sitemap.xml"))
    assert stand.state.queued_pages()["waiting"] == 2
    assert fill(stand) is None


def test_a_filled_item_that_the_feed_shows_later_is_known(stand: Newsstand) -> None:
    with_a_gap(stand, sitemap=sitemap_of(stand, ("world", 20)))
    number = len(stand.published())
    stand.serve(feed_of(stand, 20, 34))

    stand.poll_again()

    titles = [article.title for article in stand.published()[number:]]
    assert titles in ([], ["News 20"])  # its text in the feed may say more than the sitemap's title did
    assert len({article.id for article in stand.published()}) == 5


def test_a_site_without_a_news_sitemap_fills_nothing_and_is_asked_once(stand: Newsstand) -> None:
    gap = with_a_gap(stand)

    assert (gap.filled, gap.filled_from) == (0, "nowhere")
    assert fill(stand) is None


def test_a_broker_that_takes_nothing_leaves_the_gap_open_and_gives_the_feed_back(stand: Newsstand) -> None:
    stand.serve(feed_of(stand, 10, 11), feed_of(stand, 33, 34))
    stand.server.on("/robots.txt", Answer(body=f"Sitemap: {stand.server.url('/news-sitemap.xml')}"))
    stand.server.on("/news-sitemap.xml", sitemap_of(stand, ("world", 20)))
    stand.poll()
    stand.broker.failures["articles.raw"] = [None, None, PublishError("no room")]
    stand.poll_again()

    assert [gap.filled_from for gap in stand.state.gaps(stand.clock())] == [""]
    assert fill(stand) == 1


def test_a_section_is_the_first_folder_but_for_dates() -> None:
    assert kind_of("https://www.example.org/world/title-1") == "example.org/world"
    assert kind_of("https://example.org/2026/03/01/title") == kind_of("https://example.org/title") == "example.org"


def test_only_what_has_a_title_and_a_date_in_the_gap_counts() -> None:
    gap = Gap(began=datetime(2026, 3, 1, tzinfo=UTC), ended=datetime(2026, 3, 2, tzinfo=UTC), missed=1)
    inside = datetime(2026, 3, 1, 12, tzinfo=UTC)
    good = Entry(link="https://example.org/a", title="T", published=inside)
    others = [
        Entry(link="https://example.org/b", published=inside),
        Entry(link="https://example.org/c", title="T"),
        Entry(link="https://example.org/d", title="T", published=gap.began),
        Entry(link="https://other.example/e", title="T", published=inside),
    ]

    assert missed_in([good, *others], gap, {"example.org"}, []) == [good]


def test_what_the_feed_shows_or_would_still_show_was_not_missed() -> None:
    gap = Gap(began=datetime(2026, 3, 1, tzinfo=UTC), ended=datetime(2026, 3, 2, tzinfo=UTC), missed=1)
    shown = Entry(link="https://example.org/two?ref=rss", title="Two", published=datetime(2026, 3, 1, 18, tzinfo=UTC))

    def entry(path: str, title: str, hour: int) -> Entry:
        return Entry(link=f"https://example.org/{path}", title=title, published=datetime(2026, 3, 1, hour, tzinfo=UTC))

    missed = entry("one", "One", 17)
    others = [entry("two", "Other words", 12), entry("2", "two", 12), entry("three", "Three", 18)]

    assert missed_in([missed, *others], gap, {"example.org"}, [shown]) == [missed]
