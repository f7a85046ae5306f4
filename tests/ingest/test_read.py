"""From paths to raw articles, and to a word on what gave none."""

from __future__ import annotations

import gzip
import os
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.article import Article, encode_article
from pipeline.enrich import run
from pipeline.enrich.tools import Tools
from pipeline.ingest import content
from pipeline.ingest.read import FileProblem, MemoryPages, preview_path, read_path
from pipeline.topics import MAX_RECORD_BYTES

SEED = Path(__file__).parents[1] / "data" / "seed-article.txt"
STAGES = tuple(run.STAGES)
PROSE = "The council met on Monday to discuss the new bridge over the river, and it will decide about it next week. "
FEED = b"""<?xml version="1.0"?><rss version="2.0"><channel><title>Feed</title><link>https://e.example/</link>
<item><title>One</title><link>https://e.example/1</link><pubDate>Fri, 15 Mar 2024 10:00:00 GMT</pubDate></item>
<item><guid>opaque</guid></item><item><title>Two</title><guid isPermaLink="false">2</guid></item></channel></rss>"""
PAGE = f"""<!DOCTYPE html><html lang="en"><head><title>Bridge | E</title><meta property="og:title" content="A bridge">
<meta property="article:published_time" content="2024-03-15T10:00:00+02:00"><meta property="og:site_name" content="E">
<link rel="canonical" href="https://e.example/bridge?utm_source=x"></head>
<body><article><h1>A bridge</h1><p>{PROSE * 3}</p></article></body></html>""".encode()


def read(path: Path, now: datetime, **options: bool) -> list[Article | FileProblem]:
    return list(read_path(path, lane="live", now=now, pages=MemoryPages(), **options))


def written(folder: Path, name: str, body: bytes) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(body)
    return path


def article(path: Path, now: datetime) -> Article:
    (found,) = read(path, now)
    assert isinstance(found, Article), found
    return found


def problem(path: Path, now: datetime) -> str:
    (found,) = read(path, now)
    assert isinstance(found, FileProblem), found
    assert str(found).startswith(str(path))
    return found.message


def test_the_seed_article_on_its_way_through_reading_and_enriching(tools: Tools, now: datetime) -> None:
    (found,) = preview_path(SEED, tools=tools, stages=STAGES, now=now)
    assert isinstance(found, Article)
    assert found.published == datetime(2024, 3, 15, tzinfo=UTC)
    assert found.body.startswith("Amid the ongoing conflict")
    assert "Advertisment" not in found.body
    assert [heading.text for heading in found.headings] == [
        "Fears of Escalation and Strategic Calculations",
        "Hezbollah's Stance and Regional Implications",
        "International Concerns and the Quest for Diplomacy",
    ]
    assert (found.language, found.text_from, found.source_path) == ("en", "file", str(SEED))
    assert (found.first_seen, found.flags) == (now, ())


def test_the_same_file_gives_the_same_ids_whatever_its_name_and_day(tmp_path: Path, now: datetime) -> None:
    later = datetime(2027, 1, 1, tzinfo=UTC)
    for name, body in (("a.txt", b"Text."), ("a.rss", FEED), ("a.html", PAGE), ("a.jsonl", b'{"title": "T"}')):
        first = [a.id for a in read(written(tmp_path, name, body), now) if isinstance(a, Article)]
        again = [a.id for a in read(written(tmp_path, "again-" + name, body), later) if isinstance(a, Article)]
        assert first == again != []


def test_a_feed_file_gives_its_items_and_names_those_without_text(tmp_path: Path, now: datetime) -> None:
    one, nothing, two = read(written(tmp_path, "feed.xml", FEED), now)
    assert isinstance(one, Article)
    assert isinstance(two, Article)
    assert (one.title, one.url, one.feed, one.outlet) == ("One", "https://e.example/1", "", "e.example")
    assert one.published == datetime(2024, 3, 15, 10, tzinfo=UTC)
    assert two.title == "Two"
    assert str(nothing) == f"{tmp_path / 'feed.xml'}: item 2: neither title nor text"


def test_a_page_is_stored_and_tells_of_itself(tmp_path: Path, now: datetime) -> None:
    pages = MemoryPages()
    (found,) = read_path(written(tmp_path, "page", PAGE), lane="backfill", now=now, pages=pages)
    assert isinstance(found, Article)
    assert pages.get(found.page) == PAGE
    assert (found.title, found.outlet, found.lane, found.text_from) == ("A bridge", "E", "backfill", "page")
    assert found.url == "https://e.example/bridge?utm_source=x"
    assert found.published == datetime(2024, 3, 15, 8, tzinfo=UTC)


def test_a_page_and_a_feed_item_of_one_address_are_one_article(tmp_path: Path, now: datetime) -> None:
    line = written(tmp_path, "a.jsonl", b'{"title": "T", "url": "http://E.example/bridge"}')
    assert article(line, now).id == article(written(tmp_path, "a.html", PAGE), now).id


def test_a_page_without_an_article_is_a_problem_for_ingest_and_a_record_for_preview(
    tmp_path: Path, tools: Tools, now: datetime
) -> None:
    for name, head in (("titled.html", b"<title>Log in</title>"), ("bare.html", b"")):
        path = written(tmp_path, name, b"<html><head>" + head + b"</head><body><p>Please log in.</p></body></html>")
        assert problem(path, now) == "an HTML page in which no article was found"
        (record,) = preview_path(path, tools=tools, stages=STAGES, now=now)
        assert isinstance(record, Article)
        assert (record.body, "page_without_article" in record.flags) == ("", True)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"\xef\xbb\xbfGr\xc3\xbc\xc3\x9fe", ("Grüße", ())),
        ("Grüße".encode("utf-16"), ("Grüße", ())),
        (b"Gr\xfc\xdfe", ("Grüße", ("charset_guessed",))),
        (b"One.\r\n\r\nTwo.\r\n", ("One.\n\nTwo.", ())),
        (b"One.\nTwo.\n", ("One.\n\nTwo.", ())),
        (b"One,\nstill one.\n\nTwo.", ("One,\nstill one.\n\nTwo.", ())),
    ],
)
def test_plain_text_in_the_encodings_people_have(
    tmp_path: Path, now: datetime, body: bytes, expected: tuple[str, tuple[str, ...]]
) -> None:
    found = article(written(tmp_path, "a.txt", body), now)
    assert (found.body.strip(), found.flags) == expected


@pytest.mark.parametrize(
    ("name", "body", "message"),
    [
        ("empty.txt", b"", "empty"),
        ("spaces.txt", b" \n\t", "empty"),
        ("mark.txt", b"\xef\xbb\xbf", "no link, no guid and no text"),
        ("a.pdf", b"%PDF-1.7\n...", "a PDF, not text"),
        ("a.png", b"\x89PNG\r\n\x1a\n", "an image, not text"),
        ("a.docx", b"PK\x03\x04...", "a ZIP archive or an office document, not text"),
        ("a.txt", b"text\x00with nul", "binary data, not text"),
        ("b.txt", bytes(range(1, 32)) * 9, "binary data, not text"),
        ("a.gz", gzip.compress(b"text")[:-9], "damaged gzip: it ends too early"),
        ("b.gz", b"\x1f\x8bnonsense", "damaged gzip: Error -3 while decompressing data: unknown compression method"),
        ("c.gz", gzip.compress(gzip.compress(b"text")), "gzip within gzip, not text"),
        ("page.rss", PAGE, "not a feed: an HTML page"),
        ("other.xml", b"<?xml version='1.0'?><note>x</note>", "not a feed: its root element is <note>"),
        ("empty.rss", b"<rss version='2.0'><channel><title>T</title></channel></rss>", "a feed without items"),
        ("bomb.xml", b"<!DOCTYPE r [<!ENTITY a 'x'>]><rss>&a;</rss>", "not a feed: XML that declares entities"),
    ],
    ids=lambda value: "" if isinstance(value, bytes) else None,  # gzip writes the time into its head
)  # fmt: skip
def test_what_gives_no_article_is_named_with_its_reason(
    tmp_path: Path, now: datetime, name: str, body: bytes, message: str
) -> None:
    assert problem(written(tmp_path, name, body), now).startswith(message)


@pytest.mark.parametrize("name", ["a.txt", "a.rss", "a.html", "a.jsonl"])
def test_packed_files_are_read_as_what_they_hold(tmp_path: Path, now: datetime, name: str) -> None:
    body = {"a.txt": b"Text.", "a.rss": FEED, "a.html": PAGE, "a.jsonl": b'{"title": "T"}'}[name]
    packed = gzip.compress(body[:9]) + gzip.compress(body[9:]) + b"\0" * 512  # members and padding, as tapes have
    plain = [found.id for found in read(written(tmp_path, name, body), now) if isinstance(found, Article)]
    assert [f.id for f in read(written(tmp_path, name + ".gz", packed), now) if isinstance(f, Article)] == plain


def test_a_file_over_the_bounds_is_refused_without_being_unpacked(
    tmp_path: Path, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(content, "MAX_UNPACKED_BYTES", 2 * 1024 * 1024)
    monkeypatch.setattr(content, "MAX_FILE_BYTES", 1024 * 1024)
    bomb = written(tmp_path, "bomb.gz", gzip.compress(bytes(8 * 1024 * 1024)))
    assert problem(bomb, now) == "larger than 2 MiB when unpacked; split it"
    assert problem(written(tmp_path, "big.txt", b"x" * 1024 * 1024 + b"x"), now) == "larger than 1 MiB; split it"


def test_a_text_of_5_mib_is_cut_to_a_record_and_flagged(tmp_path: Path, now: datetime) -> None:
    found = article(written(tmp_path, "a.txt", PROSE.encode() * 50_000), now)
    assert found.flags == ("body_truncated",)
    assert len(encode_article(found)) <= MAX_RECORD_BYTES


def test_a_folder_is_read_by_name_without_hidden_files_and_each_place_once(tmp_path: Path, now: datetime) -> None:
    for name in ("b/2.txt", "b/1.txt", "a.txt", "c.txt", ".hidden", ".git/x.txt"):
        written(tmp_path, name, name.encode())
    (tmp_path / "b" / "loop").symlink_to(tmp_path, target_is_directory=True)
    (tmp_path / "d-gone").symlink_to(tmp_path / "nowhere")
    *articles, gone = read(tmp_path, now)
    assert [found.body for found in articles if isinstance(found, Article)] == ["a.txt", "b/1.txt", "b/2.txt", "c.txt"]
    assert str(gone) == f"{tmp_path / 'd-gone'}: cannot be read: No such file or directory"


def test_a_pipe_is_not_waited_for(tmp_path: Path, now: datetime) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert problem(tmp_path / "pipe", now) == "not a plain file"


def test_a_name_that_is_not_utf8_can_be_published(tmp_path: Path, now: datetime) -> None:
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff.txt"))
    path.write_bytes(b"Text.")
    found = article(path, now)
    assert found.source_path.endswith("/\ufffd.txt")
    encode_article(found)


def test_impossible_dates_are_put_right_and_flagged(tmp_path: Path, now: datetime) -> None:
    future = article(written(tmp_path, "a.jsonl", b'{"title": "T", "published": "2990-01-01"}'), now)
    assert (future.published, future.flags) == (now, ("published_clamped",))
    past = article(written(tmp_path, "a.jsonl", b'{"title": "T", "published": "1901-01-01"}'), now)
    assert (past.published, past.flags) == (None, ("published_clamped",))


def test_preview_names_what_would_be_dropped(tmp_path: Path, tools: Tools, now: datetime) -> None:
    path = written(tmp_path, "a.txt", b"Advertisement\n")
    (found,) = preview_path(path, tools=tools, stages=STAGES, now=now)
    assert isinstance(found, FileProblem)
    assert "no_text" in found.message


@settings(max_examples=150, deadline=None)
@given(
    body=st.binary(max_size=300)
    | st.sampled_from([FEED, PAGE, b'{"title": 1}\n[', b"<html>", b"\x1f\x8b"]).flatmap(
        lambda start: st.binary(max_size=60).map(lambda rest: start + rest)
    ),
    name=st.sampled_from(["a", "a.txt", "a.html", "a.rss", "a.jsonl", "a.gz", "a.json"]),
)
def test_no_bytes_raise_and_what_is_read_can_be_published(body: bytes, name: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        for found in read(written(Path(folder), name, body), datetime(2026, 3, 1, tzinfo=UTC)):
            if isinstance(found, Article):
                assert len(encode_article(found)) <= MAX_RECORD_BYTES
            else:
                assert found.message
