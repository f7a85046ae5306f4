"""A sitemap index polled as a feed."""

from __future__ import annotations

from fakes import Newsstand
from stub_server import Answer

from pipeline.outcomes import Status

NEWS = 'xmlns:news="http://www.google.com/schemas/sitemap-news/0.9"'


def index_of(stand: Newsstand, *paths: str) -> str:
    named = "".join(
        f"<sitemap><loc>{stand.server.url(path)}</loc><lastmod>2026-03-0{number}</lastmod></sitemap>"
        for number, path in enumerate(paths, start=1)
    )
    return f'<sitemapindex xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{named}</sitemapindex>'


def news_of(stand: Newsstand, *numbers: int) -> str:
    named = "".join(
        f"<url><loc>{stand.server.url(f'/n{number}')}</loc><news:news><news:title>News {number}</news:title>"
        f"<news:publication_date>2026-03-01T{number:02}:00:00Z</news:publication_date></news:news></url>"
        for number in numbers
    )
    return f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9" {NEWS}>{named}</urlset>'


def titles(stand: Newsstand) -> list[str]:
    return sorted(article.title for article in stand.published())


def test_an_index_brings_what_its_three_newest_sitemaps_name(stand: Newsstand) -> None:
    stand.serve(index_of(stand, "/a", "/b", "/c", "/d"))
    for number, path in enumerate("abcd", start=1):
        stand.server.on(f"/{path}", Answer(body=news_of(stand, number)))

    (result,) = stand.poll().results

    assert (result.cause, result.state.items) == ("", 3)
    assert titles(stand) == ["News 2", "News 3", "News 4"]
    assert not stand.server.requests_for("/a")


def test_a_sitemap_that_cannot_be_read_keeps_no_other_from_being(stand: Newsstand) -> None:
    stand.serve(index_of(stand, "/a", "/b"))
    stand.server.on("/a", Answer(body=news_of(stand, 1)), Answer(body=news_of(stand, 1, 2)))
    stand.server.on("/b", Answer(body=news_of(stand, 5)), Answer(status=500))
    stand.poll()

    assert stand.poll_again().cause == ""

    assert titles(stand) == ["News 1", "News 2", "News 5"]


def test_an_index_of_which_nothing_can_be_read_is_a_failure_with_the_reason(stand: Newsstand) -> None:
    stand.serve(index_of(stand, "/a"))
    stand.server.on("/a", Answer(body=index_of(stand, "/a")))

    (result,) = stand.poll().results

    assert result.cause.startswith("not a feed: a sitemap index of whose sitemaps none can be read, the last for: ")


def test_an_index_of_another_site_is_not_followed(stand: Newsstand) -> None:
    stand.serve(index_of(stand, "/a").replace("127.0.0.1", "other.example"))

    (result,) = stand.poll().results

    assert "names no sitemap of its own site" in result.cause


def test_an_entry_without_a_title_waits_for_its_page(stand: Newsstand) -> None:
    stand.set_feed(full_page=True)
    plain = f"<url><loc>{stand.server.url('/plain')}</loc></url>"
    stand.serve(f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{plain}</urlset>')

    (result,) = stand.poll().results

    assert result.state.items == 1
    assert stand.published() == []
    assert stand.state.queued_pages()["waiting"] == 1


def test_an_index_that_has_not_changed_hides_no_sitemap_that_has(stand: Newsstand) -> None:
    stand.serve(Answer(body=index_of(stand, "/a"), headers={"ETag": '"same"'}))
    stand.server.on("/a", Answer(body=news_of(stand, 1)), Answer(body=news_of(stand, 1, 2)))
    stand.poll()

    assert stand.poll_again().number(Status.PUBLISHED) == 1
    assert "if-none-match" not in stand.server.requests_for("/feed")[-1].headers
