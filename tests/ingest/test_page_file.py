"""What a page says of itself, and pages that cannot be read."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from pipeline.article import Article
from pipeline.enrich import page_head
from pipeline.ingest import page_file
from pipeline.ingest.memory_pages import MemoryPages
from pipeline.ingest.page_file import read_page
from pipeline.ingest.problem import UnreadableFile

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
PROSE = "The council met on Monday to discuss the new bridge over the river, and it will decide next week. "


def page(head: str = "", body: str = f"<p>{PROSE * 3}</p>") -> bytes:
    return f"<html lang='de-AT'><head>{head}</head><body><article>{body}</article></body></html>".encode()


def read(content: bytes) -> Article:
    return read_page(content, lane="live", now=NOW, pages=MemoryPages(), wants_article=True)


@pytest.mark.parametrize(
    ("head", "url"),
    [
        ('<link rel="canonical" href="https://e.example/a">', "https://e.example/a"),
        ('<link rel="alternate canonical" href="HTTPS://user:pw@E.example/a">', "https://e.example/a"),
        ('<meta property="og:url" content="https://e.example/b">', "https://e.example/b"),
        ('<link rel="canonical" href="/relative">', ""),
        ('<link rel="canonical" href="javascript:alert(1)">', ""),
        ("", ""),
    ],
)
def test_its_address(head: str, url: str) -> None:
    assert read(page(head)).url == url


@pytest.mark.parametrize(
    "head",
    [
        '<meta property="article:published_time" content="2024-03-15T12:30:00+02:00">',
        '<meta itemprop="datePublished" content="2024-03-15T10:30:00Z">',
        '<meta name="date" content="junk"><meta name="pubdate" content="Fri, 15 Mar 2024 10:30:00 GMT">',
        '<script type="application/ld+json">{"datePublished": "2024-03-15T10:30:00.000Z"}</script>',
    ],
)
def test_its_time_of_publication(head: str) -> None:
    assert read(page(head)).published == datetime(2024, 3, 15, 10, 30, tzinfo=UTC)


def test_what_it_says_of_author_site_and_language() -> None:
    found = read(page('<meta name="author" content="Jane Doe"><meta property="og:site_name" content="The E">'))
    assert (found.authors, found.outlet, found.language) == (("Jane Doe",), "The E", "de-AT")


def test_without_an_address_the_content_is_the_identity() -> None:
    assert read(page()).id == read(page()).id != read(page("<title>Other</title>")).id


def test_a_guessed_charset_is_flagged() -> None:
    assert read(page(body=f"<p>{PROSE * 3} caf\xe9</p>").decode().encode("cp1252")).flags == ("charset_guessed",)


def test_a_hostile_page_is_refused_with_its_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    attributes = " ".join(f"a{n}" for n in range(501))
    with pytest.raises(UnreadableFile, match="has 501 attributes"):
        read(page(body=f"<p {attributes}>{PROSE}</p>"))
    monkeypatch.setattr(page_file, "MAX_PAGE_FILE_BYTES", 1_000_000)
    with pytest.raises(UnreadableFile, match="larger than 0 MiB"):
        read(page(body="x" * 1_000_000))


def test_a_library_that_breaks_on_its_head_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise AttributeError("no text")

    monkeypatch.setattr(page_head, "find_date", broken)
    with pytest.raises(UnreadableFile, match="htmldate: AttributeError: no text"):
        read(page())
