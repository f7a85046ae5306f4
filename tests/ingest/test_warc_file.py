"""WARC files: what of a crawl becomes articles, and that no archive harms whoever reads it."""

from __future__ import annotations

import gzip
import os
import random
import subprocess
import sys
import tempfile
import time
import tracemalloc
import zlib
from datetime import UTC, datetime
from pathlib import Path
from textwrap import dedent

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ingest.warc_parts import PROSE, Warc, page

from pipeline.article import Article, encode_article
from pipeline.identity import article_id
from pipeline.ingest import warc_file
from pipeline.ingest.read import FileProblem, MemoryPages, Skipped, read_path
from pipeline.topics import MAX_RECORD_BYTES

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
FETCHED = datetime(2024, 3, 15, 10, tzinfo=UTC)
A, B, C = (f"https://e.example/{name}" for name in "abc")
FEED = b"""<?xml version="1.0"?><rss version="2.0"><channel><title>Feed</title><link>https://e.example/</link>
<item><title>One</title><link>https://e.example/1</link></item>
<item><title>Two</title><guid isPermaLink="false">2</guid></item></channel></rss>"""
CHUNKS = page()[:5], len(page()) - 5, page()[5:]


def read(path: Path, pages: MemoryPages | None = None) -> list[Article | FileProblem | Skipped]:
    return list(read_path(path, lane="backfill", now=NOW, pages=pages or MemoryPages()))


def read_bytes(folder: Path, content: bytes) -> tuple[list[Article], list[str], dict[str, int]]:
    """Return the articles of an archive, its problems in words, and what was passed over."""
    path = folder / "crawl"
    path.write_bytes(content)
    found = read(path)
    skipped = [dict(item.kinds) for item in found if isinstance(item, Skipped)]
    return (
        [item for item in found if isinstance(item, Article)],
        [str(item).removeprefix(f"{path}: ") for item in found if isinstance(item, FileProblem)],
        skipped[0] if skipped else {},
    )


def packed(body: bytes) -> bytes:
    return gzip.compress(body, mtime=0)


@pytest.mark.parametrize("is_packed", [True, False])
@pytest.mark.parametrize("name", ["crawl", "crawl.warc", "crawl.warc.gz", "crawl.txt"])
def test_a_warc_is_known_by_its_content_packed_or_not(tmp_path: Path, name: str, is_packed: bool) -> None:
    (tmp_path / name).write_bytes(bytes(Warc(packed=is_packed).add(A, page())))
    (found,) = read(tmp_path / name)
    assert isinstance(found, Article)


def test_a_page_of_an_archive_is_the_article_that_a_feed_with_its_link_would_bring(tmp_path: Path) -> None:
    pages = MemoryPages()
    head = '<link rel="canonical" href="https://e.example/other"><meta property="og:site_name" content="The E">'
    head += '<meta property="article:published_time" content="2024-03-14T08:00:00Z">'
    (tmp_path / "a.warc.gz").write_bytes(bytes(Warc().add("http://E.example/a?utm_source=x#top", page(head=head))))
    (found,) = read(tmp_path / "a.warc.gz", pages)
    assert isinstance(found, Article)
    assert found.id == article_id(link=A, feed_url="", guid="", content="")
    assert (found.url, found.outlet, found.lane) == ("http://e.example/a?utm_source=x#top", "The E", "backfill")
    assert (found.fetched, found.first_seen) == (FETCHED, NOW)
    assert found.published == datetime(2024, 3, 14, 8, tzinfo=UTC)
    assert pages.get(found.page) == page(head=head)
    assert (found.source_path, found.text_from) == (str(tmp_path / "a.warc.gz"), "page")


def test_an_outlet_that_a_page_does_not_name_is_its_host(tmp_path: Path) -> None:
    (found,), _, _ = read_bytes(tmp_path, bytes(Warc().add("https://www.e.example/a", page())))
    assert found.outlet == "e.example"


def test_the_items_of_a_feed_in_an_archive_have_the_ids_that_polling_it_gives(tmp_path: Path) -> None:
    warc = Warc().add("https://e.example/rss", FEED, "application/rss+xml")
    (one, two), problems, _ = read_bytes(tmp_path, bytes(warc))
    assert problems == []
    assert one.id == article_id(link="https://e.example/1", feed_url="", guid="", content="")
    assert two.id == article_id(link="", feed_url="https://e.example/rss", guid="2", content="")
    assert (one.fetched, one.first_seen) == (FETCHED, NOW)


def test_what_is_no_article_is_counted_by_kind_and_no_problem(tmp_path: Path) -> None:
    warc = Warc().add(A, page()).add(B, b"\x89PNG", "image/png").add(B, b"\x89PNG", "Image/PNG")
    warc.add(B, b"gone", status="404 Not Found").add(B, b"", kind="revisit").add(
        B, b"x=1", "text/plain", kind="metadata"
    )
    warc.add("dns:e.example", b"127.0.0.1", "text/dns", kind="resource").add(C, b"<p>Log in.</p>")
    warc.add(C, b"<note/>", "application/xml").add(C, b" \n", "text/html")
    articles, problems, skipped = read_bytes(tmp_path, bytes(warc))
    assert (len(articles), problems) == (1, [])
    assert skipped == {
        "image/png": 2, "HTTP 404": 1, "revisit": 1, "metadata": 1, "resource": 1, "page without an article": 1,
        "application/xml": 1, "empty": 1,
    }  # fmt: skip


def test_a_resource_record_is_read_as_a_page_without_an_http_header(tmp_path: Path) -> None:
    (found,), problems, _ = read_bytes(tmp_path, bytes(Warc().add(A, page(), "text/html", kind="resource")))
    assert (found.url, problems) == (A, [])


@pytest.mark.parametrize("line_end", [b"\r\n", b"\n"])
def test_records_of_other_writers_are_read(tmp_path: Path, line_end: bytes) -> None:
    answer = b"HTTP/1.0 200 OK\nContent-Type: text/html\n\n".replace(b"\n", line_end) + page()
    header = b"WARC/0.18\nWARC-Type: response\nWARC-Target-URI: <https://e.example/a>\ncontent-length: %d" % len(answer)
    content = header.replace(b"\n", line_end) + line_end * 2 + answer + line_end * 2
    (found,), problems, _ = read_bytes(tmp_path, content)
    assert (found.url, problems) == (A, [])


@pytest.mark.parametrize(
    ("http", "body"),
    [
        ({"Content-Encoding": "gzip"}, packed(page())),
        ({"Content-Encoding": "deflate"}, zlib.compress(page())),
        ({"Transfer-Encoding": "chunked"}, b"5;x=y\r\n%b\r\n%x\r\n%b\r\n0\r\n\r\n" % CHUNKS),
        ({"Transfer-Encoding": "chunked"}, page()),  # a crawler that kept the header and not the chunks
        ({"Content-Encoding": "gzip"}, page()),
    ],
    ids=["gzip", "deflate", "chunked", "chunked no longer", "gzip no longer"],
)  # fmt: skip
def test_a_body_is_read_out_of_the_codings_it_was_sent_in(tmp_path: Path, http: dict[str, str], body: bytes) -> None:
    pages = MemoryPages()
    (tmp_path / "a").write_bytes(bytes(Warc().add(A, body, http=http)))
    (found,) = read(tmp_path / "a", pages)
    assert isinstance(found, Article)
    assert pages.get(found.page) == page()


def test_a_body_packed_with_brotli_is_a_problem_that_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "brotli", None)
    warc = Warc().add(A, b"\x0b\x02\x80", http={"Content-Encoding": "br"}).add(B, page())
    (found,), (problem,), _ = read_bytes(tmp_path, bytes(warc))
    assert found.url == B
    assert problem == (
        "record at byte 0: packed with Brotli, which needs the package brotli 1.2 or newer: pip install brotli"
    )


def test_a_body_packed_with_brotli_is_read_within_bounds_where_that_is_installed(tmp_path: Path) -> None:
    brotli = pytest.importorskip("brotli")
    br = {"Content-Encoding": "br"}
    warc = Warc().add(A, brotli.compress(page()), http=br).add(B, brotli.compress(b"<p>" * 20_000_000), http=br)
    warc.add(C, brotli.compress(page())[:-9], http=br).add(C, b"nonsense!", http=br)
    (found,), problems, _ = read_bytes(tmp_path, bytes(warc))
    assert found.url == A
    assert [problem.partition(": ")[2] for problem in problems] == [
        "the answer is larger than 65,536 bytes when unpacked",
        "the answer's br body is cut short",
        "the answer's br body is damaged: brotli: decoder failed",
    ]


def test_a_bomb_in_a_record_is_refused_and_the_next_record_read(tmp_path: Path) -> None:
    bomb = packed(b"<p>" * 20_000_000)
    (found,), (problem,), _ = read_bytes(
        tmp_path, bytes(Warc().add(A, bomb, http={"Content-Encoding": "gzip"}).add(B, page()))
    )
    assert found.url == B
    assert problem == "record at byte 0: the answer unpacks to more than 100 times its size"


def test_a_page_over_20_mib_is_a_problem_and_a_film_of_that_size_is_not(tmp_path: Path) -> None:
    large = bytes(21 * 1024 * 1024)
    warc = Warc().add(A, b"<html>" + large).add(B, large, "video/mp4").add(C, page())
    (found,), (problem,), skipped = read_bytes(tmp_path, bytes(warc))
    assert (found.url, skipped) == (C, {"video/mp4": 1})
    assert problem == "record at byte 0: a page larger than 20 MiB"


def test_an_answer_that_the_crawler_cut_is_flagged(tmp_path: Path) -> None:
    (found,), _, _ = read_bytes(tmp_path, bytes(Warc().add(A, page(), warc={"WARC-Truncated": "length"})))
    assert found.flags == ("body_truncated",)


def test_an_impossible_date_of_a_record_is_today(tmp_path: Path) -> None:
    for date in ("2990-01-01T00:00:00Z", "yesterday", "0001-01-01T00:00:00+14:00"):
        (found,), _, _ = read_bytes(tmp_path, bytes(Warc().add(A, page(), warc={"WARC-Date": date})))
        assert found.fetched == NOW


# --- damage


def test_a_block_that_is_not_what_was_written_is_damaged(tmp_path: Path) -> None:
    content = bytes(Warc(packed=False).add(A, page()).add(B, page(2)))
    assert len(read_bytes(tmp_path, content)[0]) == 2
    (found,), (problem,), _ = read_bytes(tmp_path, content.replace(b"bridge number 1", b"bridge number 7"))
    assert (found.url, problem) == (B, "record at byte 0: damaged: its digest is another")


@pytest.mark.parametrize(
    ("digest", "is_read"),
    [
        ("sha1:" + "A" * 32, False), ("sha1:" + "0" * 40, False), ("sha1:short", True), ("sha3:x", True),
        ("sha1:ä", True), ("", True),
    ],
)  # fmt: skip
def test_a_digest_counts_when_it_can_be_read(tmp_path: Path, digest: str, is_read: bool) -> None:
    answer = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n" + page()
    header = f"WARC/1.0\r\nWARC-Type: response\r\nWARC-Target-URI: {A}\r\nContent-Length: {len(answer)}\r\n"
    warc = Warc(packed=False).raw(f"{header}WARC-Payload-Digest: {digest}".encode(), answer)
    articles, problems, _ = read_bytes(tmp_path, bytes(warc))
    assert (len(articles), len(problems)) == ((1, 0) if is_read else (0, 1))


@pytest.mark.parametrize("is_packed", [True, False])
def test_an_archive_that_breaks_off_gives_all_but_its_last_record(tmp_path: Path, is_packed: bool) -> None:
    whole = Warc(packed=is_packed).add(A, page()).add(B, page(2))
    border = len(whole)
    content = bytes(whole.add(C, page(3)))
    for cut in (1, 20, 100, 400, len(content) - border - 40):
        articles, problems, _ = read_bytes(tmp_path, content[: border + cut])
        assert [article.url for article in articles] == [A, B]
        assert len(problems) == 1, cut
        assert problems[0].startswith(f"record at byte {border:,}: "), problems


@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_damaged_gzip_member_costs_its_record_and_no_other(tmp_path: Path, place: int) -> None:
    warc, borders = Warc(), [0]
    for number, url in enumerate((A, B, C)):
        warc.add(url, page(number, text="".join(random.Random(number).choices("abcdef ghij", k=2_000))))
        borders.append(len(warc))
    content = bytearray(bytes(warc))
    for at in range(borders[place] + 300, borders[place] + 340):
        content[at] ^= 0x5A
    articles, problems, _ = read_bytes(tmp_path, bytes(content))
    assert [article.url for article in articles] == [url for n, url in enumerate((A, B, C)) if n != place]
    assert len(problems) == 1
    assert problems[0].startswith(f"record at byte {borders[place]:,}: ")


@pytest.mark.parametrize(
    "bad",
    [
        b"WARC/1.0\r\nWARC-Type: response", b"WARC/1.0\r\nContent-Length: -5", b"WARC/1.0\r\nContent-Length: 1e9",
        b"WARC/1.0\r\nContent-Length: " + b"9" * 5_000, b"WARC/9.9\r\nContent-Length: 0", b"\x00\xff garbage",
        b"WARC/1.0\r\nX: " + b"y" * 300_000, b"WARC/1.0\r\n" + b"a: b\r\n" * 50_000, b"x" * 300_000,
    ],
    ids=lambda bad: repr(bad[:30]),
)  # fmt: skip
def test_what_is_no_record_is_told_with_its_place_and_the_next_record_is_read(tmp_path: Path, bad: bytes) -> None:
    content = Warc(packed=False).add(A, page())
    border = len(content)
    articles, problems, _ = read_bytes(tmp_path, bytes(content.raw(bad)) + bytes(Warc(packed=False).add(B, page(2))))
    assert [article.url for article in articles] == [A, B]
    assert len(problems) == 1
    assert problems[0].startswith(f"record at byte {border:,}: ")


def test_a_length_that_is_too_short_costs_no_other_record(tmp_path: Path) -> None:
    first = bytes(Warc(packed=False).add(A, page()))
    shorter = first.replace(b"Content-Length: ", b"Content-Length: 9\r\nX-Was: ", 1)
    articles, problems, _ = read_bytes(tmp_path, shorter + bytes(Warc(packed=False).add(B, page(2))))
    assert [article.url for article in articles] == [B]
    assert len(problems) == 2  # the record itself, and what stands behind its nine bytes


@pytest.mark.parametrize("is_packed", [True, False])
def test_a_length_that_is_too_long_costs_the_record_behind_only_where_nothing_else_tells_them_apart(
    tmp_path: Path, is_packed: bool
) -> None:
    header = f"WARC/1.0\r\nWARC-Type: response\r\nWARC-Target-URI: {A}\r\nContent-Length: 5000".encode()
    warc = Warc(packed=is_packed).raw(header, b"HTTP/1.1 200 OK\r\n\r\n" + page())
    for number, url in enumerate((B, C), start=2):
        warc.add(url, page(number, text=PROSE * 30))
    articles, problems, _ = read_bytes(tmp_path, bytes(warc))
    assert [article.url for article in articles][-1] == C
    assert (B in [article.url for article in articles], len(problems) > 0) == (is_packed, True)


def test_one_gzip_member_around_a_whole_archive_is_read_too(tmp_path: Path) -> None:
    articles, problems, _ = read_bytes(tmp_path, packed(bytes(Warc(packed=False).add(A, page()).add(B, page(2)))))
    assert ([article.url for article in articles], problems) == ([A, B], [])


def test_a_record_over_several_gzip_members_is_read_too(tmp_path: Path) -> None:
    plain = bytes(Warc(packed=False).add(A, page()).add(B, page(2)))
    blocks = b"".join(packed(plain[at : at + 500]) for at in range(0, len(plain), 500))
    articles, problems, _ = read_bytes(tmp_path, blocks)
    assert ([article.url for article in articles], problems) == ([A, B], [])


def test_of_ten_thousand_problems_a_hundred_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(warc_file, "MAX_PROBLEMS", 3)
    warc = Warc(packed=False)
    for _ in range(10):
        warc.raw(b"WARC/1.0\r\nWARC-Type: response")
    _, problems, _ = read_bytes(tmp_path, bytes(warc.add(A, page())))
    assert (len(problems), problems[-1]) == (4, "and 7 more records with problems")


def test_kinds_are_counted_apart_up_to_a_bound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(warc_file, "MAX_KINDS", 2)
    warc = Warc()
    for number in range(5):
        warc.add(A, b"x", f"image/{number}")
    assert read_bytes(tmp_path, bytes(warc))[2] == {"image/0": 1, "image/1": 1, "others": 3}


def test_what_was_passed_over_reads_as_a_line() -> None:
    kinds = {f"kind/{number}": number for number in range(1, 11)}
    assert str(Skipped("a.warc", kinds)) == (
        "a.warc: 55 records passed over: kind/10 (10), kind/9 (9), kind/8 (8), kind/7 (7), kind/6 (6), kind/5 (5), "
        "kind/4 (4), kind/3 (3), others (3)"
    )
    assert str(Skipped("a.warc", {"revisit": 1})) == "a.warc: 1 record passed over: revisit (1)"


# --- bounds


def test_an_archive_of_60_mb_is_read_in_a_few_pieces_of_memory(tmp_path: Path) -> None:
    path = tmp_path / "large.warc.gz"
    noise = random.Random(7)
    with path.open("wb") as file:
        for number in range(60):
            film = Warc().add(f"https://e.example/film{number}", noise.randbytes(1_000_000), "video/mp4")
            file.write(bytes(film.add(f"https://e.example/{number}", page(number))))
    assert path.stat().st_size > 60_000_000
    code = """
        import resource, sys
        from datetime import datetime, UTC
        from pathlib import Path
        from pipeline.article import Article
        from pipeline.ingest.read import MemoryPages, read_path
        folder, path = map(Path, sys.argv[1:])
        options = dict(lane="backfill", now=datetime(2026, 3, 1, tzinfo=UTC), pages=MemoryPages())
        assert len(list(read_path(folder / "small", **options))) == 1
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        found = sum(isinstance(item, Article) for item in read_path(path, **options))
        print(found, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
    """
    (tmp_path / "small").write_bytes(bytes(Warc().add(A, page())))
    done = subprocess.run(
        [sys.executable, "-c", dedent(code), tmp_path, path], capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found, rise = map(int, done.stdout.split())
    assert found == 60
    assert rise < 64


@pytest.mark.parametrize(
    "content",
    [
        b"WARC/1.0\r\nX: " + bytes(150_000_000),
        b"WARC/1.0\r\n" + b"a: b\r\n" * 10_000_000,
        b"WARC/1.0\r\nWARC-Type: response\r\nContent-Length: 150000000\r\n\r\n" + bytes(150_000_000),
        b"WARC/1.0\r\n\r\n" + b"\n" * 150_000_000,
    ],
    ids=["a long line", "a long header", "a film of nothing", "blank lines"],
)
def test_what_unpacks_to_much_is_never_in_memory_as_a_whole(tmp_path: Path, content: bytes) -> None:
    archive = packed(content) + bytes(Warc().add(B, page()))
    del content
    tracemalloc.start()
    try:
        articles, _, _ = read_bytes(tmp_path, archive)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert [article.url for article in articles] == [B]
    assert peak < 16 * 1024 * 1024


@pytest.mark.parametrize(
    "content",
    [
        (b"\x1f\x8b\x08" * 700_000),
        b"WARC/1.0\r\n" * 200_000,
        b"\n" * 2_000_000,
        packed(b"\n" * 20_000_000),
        b"WARC/1.0\r\nContent-Length: 0\r\n\r\n" * 60_000,
        bytes(Warc().add(A, b"1\r\nx\r\n" * 300_000, http={"Transfer-Encoding": "chunked"})),
    ],
    ids=["member heads", "record heads", "blank lines", "packed blank lines", "empty records", "tiny chunks"],
)  # fmt: skip
def test_hostile_archives_take_little_time(tmp_path: Path, content: bytes) -> None:
    start = time.process_time()
    read_bytes(tmp_path, b"WARC/1.0\r\n\r\n" * (not content.startswith((b"\x1f", b"WARC"))) + content)
    assert time.process_time() - start < 20


@settings(max_examples=200, deadline=None)
@given(
    is_packed=st.booleans(),
    cuts=st.lists(st.tuples(st.integers(0, 3_000), st.integers(0, 40), st.binary(max_size=40)), max_size=4),
)
def test_no_damage_raises_and_what_is_read_can_be_published(
    is_packed: bool, cuts: list[tuple[int, int, bytes]]
) -> None:
    content = bytes(Warc(packed=is_packed).add(A, page()).add(B, FEED, "text/xml").add(C, page(3)))
    for at, length, put in cuts:
        content = content[:at] + put + content[at + length :]
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "a").write_bytes(content)
        for found in read(Path(folder) / "a"):
            if isinstance(found, Article):
                assert len(encode_article(found)) <= MAX_RECORD_BYTES
