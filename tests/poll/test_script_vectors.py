"""Whatever script a feed carries, its article holds text where text belongs, and no link but to a web address."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from html import escape
from html.parser import HTMLParser

import pytest
from poll.script_vectors import ADDRESSES, MARKUP

from pipeline.article import Article
from pipeline.poll.articles import Source, article_of
from pipeline.poll.parse import parse_feed

URL = "https://stand.example/feed"
SAFE = re.compile(r"""https?://[a-z0-9._\[\]:-]+/[^\s"<>\\^`{|}@\x00-\x1f\x7f]*|""")
"""Nothing, or a web address without user and password, with no sign that RFC 3986 does not allow."""


class Elements(HTMLParser):
    """Notes each element that a text would make if somebody forgot to escape it."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=False)
        self.found: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append(tag)

    handle_startendtag = handle_starttag


def rss_of(text: str, link: str = "https://stand.example/1") -> str:
    return (
        f'<rss version="2.0"><channel><title>{text}</title><link>{link}</link><item><title>{text}</title>'
        f"<link>{link}</link><guid isPermaLink='false'>{text}</guid><author>{text}</author><category>{text}</category>"
        f"<description>{text}</description></item></channel></rss>"
    )


def atom_of(text: str, link: str = "https://stand.example/1") -> str:
    return (
        f'<feed xmlns="http://www.w3.org/2005/Atom"><title type="html">{text}</title>'
        f'<link href="{link.replace(chr(34), "&quot;")}"/><entry><title type="html">{text}</title><id>{text}</id>'
        f'<link href="{link.replace(chr(34), "&quot;")}"/>'
        f'<link rel="enclosure" href="{link.replace(chr(34), "&quot;")}"/><author><name>{text}</name></author>'
        f'<category term="{text.replace(chr(34), "&quot;")}"/><summary type="html">{text}</summary>'
        f'<content type="html">{"body " * 500}</content></entry></feed>'
    )


def article(body: str) -> tuple[Article, str, str]:
    """Return the article of a feed's only entry, and the feed's own name and link."""
    feed = parse_feed(body.encode(), url=URL)
    (entry,) = feed.entries
    return article_of(entry, feed, Source(feed_url=URL), datetime(2026, 3, 2, tzinfo=UTC)), feed.title, feed.link


def test_there_are_two_hundred_of_them() -> None:
    assert len(set(MARKUP) | set(ADDRESSES)) >= 200


@pytest.mark.parametrize("form", [rss_of, atom_of])
@pytest.mark.parametrize("vector", MARKUP)
def test_row_21_no_script_survives_as_markup_in_a_text(vector: str, form: object) -> None:
    for written in (escape(vector, quote=False), f"before {escape(vector, quote=False)} after"):
        found, feed_title, _ = article(form(written))  # type: ignore[operator]
        shown = [found.title, found.summary, found.outlet, feed_title, *found.authors, *found.tags]
        assert [Elements(text).found for text in shown] == [[]] * len(shown)


@pytest.mark.parametrize("form", [rss_of, atom_of])
@pytest.mark.parametrize("vector", ADDRESSES)
def test_row_21_no_address_of_another_kind_survives_in_a_link(vector: str, form: object) -> None:
    found, _, feed_link = article(form("t", vector))  # type: ignore[operator]

    assert SAFE.fullmatch(found.url)
    assert SAFE.fullmatch(feed_link)
    assert "secret" not in found.url + feed_link
