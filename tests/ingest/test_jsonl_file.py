"""JSON lines: what is used of a line, and what is said of a wrong one."""

from __future__ import annotations

import gzip
import json
import random
import tracemalloc
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.article import Article, Heading, encode_article
from pipeline.ingest import content, jsonl_file
from pipeline.ingest.jsonl_file import read_lines, stream_lines
from pipeline.ingest.problem import FileProblem, UnreadableFile
from pipeline.ingest.read import MemoryPages, read_path

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def read(content: bytes) -> list[Article | FileProblem]:
    return list(read_lines(content, path="a.jsonl", lane="live", now=NOW))


def article(**fields: object) -> Article:
    (found,) = read(json.dumps(fields).encode())
    assert isinstance(found, Article), found
    return found


def problem(line: bytes) -> str:
    (found,) = read(line)
    assert isinstance(found, FileProblem), found
    return str(found)


def test_the_fields_of_an_article_are_used() -> None:
    found = article(
        title="T", body="B", summary="S", html="<p>H</p>", url="https://E.example/1#x", outlet="O", language="de",
        authors=["A", "B"], tags=["t"], published="2024-03-15T10:00:00+02:00", updated="Fri, 15 Mar 2024 10:00:00 GMT",
    )  # fmt: skip
    assert (found.title, found.body, found.summary, found.html) == ("T", "B", "S", "<p>H</p>")
    assert (found.url, found.outlet, found.language) == ("https://e.example/1#x", "O", "de")
    assert (found.authors, found.tags) == (("A", "B"), ("t",))
    assert found.published == datetime(2024, 3, 15, 8, tzinfo=UTC)
    assert found.updated == datetime(2024, 3, 15, 10, tzinfo=UTC)
    assert (found.text_from, found.first_seen, found.flags, found.extra) == ("file", NOW, (), {})


@pytest.mark.parametrize("field", ["title", "body", "summary", "html"])
def test_one_text_is_enough(field: str) -> None:
    assert getattr(article(**{field: "x"}), field) == "x"


def test_unknown_keys_are_kept_aside_and_null_is_nothing() -> None:
    found = article(title="T", url=None, id=7, score={"a": [1, None]}, text="x", version="old")
    assert found.extra == {"id": 7, "score": {"a": [1, None]}, "text": "x", "version": "old"}
    assert found.id == article(title="T").id


def test_a_line_that_the_pipeline_wrote_is_read_again_and_made_anew() -> None:
    body = "First.\n\nHeading\n\nLast."
    ours = Article(id="x", title="T", body=body, headings=(Heading(8, "Heading"),), revision=4, flags=("f",))
    (found,) = read(encode_article(ours))
    assert isinstance(found, Article)
    assert (found.body, found.headings) == (body, ours.headings)
    assert (found.revision, found.flags, found.extra) == (0, (), {})


def test_one_author_may_be_a_string() -> None:
    assert article(title="T", authors="Jane Doe").authors == ("Jane Doe",)


@pytest.mark.parametrize(
    ("written", "expected"),
    [("2024-03-15", datetime(2024, 3, 15, tzinfo=UTC)), ("2024-03-15T10:00", datetime(2024, 3, 15, 10, tzinfo=UTC))],
)
def test_a_time_without_zone_is_utc(written: str, expected: datetime) -> None:
    assert article(title="T", published=written).published == expected


@pytest.mark.parametrize("written", ["yesterday", "32 Foo 2024", "9999-99-99", "0001-01-01T00:00:00+14:00", "\x00"])
def test_a_date_that_cannot_be_read_is_flagged(written: str) -> None:
    found = article(title="T", published=written)
    assert (found.published, found.flags) == (None, ("published_unreadable",))


@pytest.mark.parametrize("url", ["javascript:alert(1)", "not a link", "ftp://e.example/1"])
def test_a_url_that_is_no_web_address_is_removed_and_flagged(url: str) -> None:
    found = article(title="T", url=url)
    assert (found.url, found.flags) == ("", ("link_removed",))
    assert found.id == article(title="T").id


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (b'{"title": 5}', "Expected `str`, got `int` - at `$.title`"),
        (b'{"title": "T", "authors": [1]}', "Expected `str`, got `int` - at `$.authors[0]`"),
        (b'{"url": "https://e.example/"}', "neither title nor body"),
        (b'{"title": " "}', "neither title nor body"),
        (b'["title"]', "a JSON object is wanted on each line, this is list"),
        (b'{"title": "T"', "Input data was truncated"),
        (b'{"title": "\xff"}', "'utf-8' codec can't decode"),
        (b'{"title": ' + b"[" * 100_000, "maximum recursion depth exceeded"),
    ],
)
def test_a_wrong_line_is_named_with_its_number_and_reason(line: bytes, message: str) -> None:
    assert problem(b"\n" + line).startswith(f"a.jsonl:2: not an article: {message}")


def test_a_wrong_line_does_not_stop_the_others() -> None:
    found = read(b'{"title": "1"}\r\nnonsense\n\n{"title": "2"}')
    assert [item.title if isinstance(item, Article) else item.line for item in found] == ["1", 2, "2"]


@pytest.mark.parametrize("codec", ["utf-8-sig", "utf-16", "utf-32"])
def test_a_byte_order_mark_is_understood(codec: str) -> None:
    (found,) = read('{"title": "Grüße"}'.encode(codec))
    assert isinstance(found, Article)
    assert found.title == "Grüße"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
)
fields = st.sampled_from([*Article.__struct_fields__, "other"])


@given(st.dictionaries(fields, json_values, max_size=5).map(lambda line: json.dumps(line).encode()) | st.binary())
def test_no_line_raises(line: bytes) -> None:
    read(line)
    read(b'{"title": "T", ' + line[1:])


def stream(path: Path) -> list[Article | FileProblem]:
    return list(stream_lines(path, shown="a", lane="backfill", now=NOW))


@pytest.mark.parametrize("pack", [bytes, lambda body: gzip.compress(body, 1)], ids=["plain", "packed"])
def test_a_file_of_any_size_is_read_line_by_line(tmp_path: Path, pack: Callable[[bytes], bytes]) -> None:
    body = b"".join(b'{"title": "%d", "body": "%b"}\n' % (n, random.Random(n).randbytes(5_000).hex().encode())
                    for n in range(12_000))  # fmt: skip
    assert len(body) > content.MAX_FILE_BYTES
    (tmp_path / "a.jsonl").write_bytes(pack(body))
    del body
    tracemalloc.start()
    try:
        found = sum(isinstance(one, Article) for one in read_path(
            tmp_path / "a.jsonl", lane="backfill", now=NOW, pages=MemoryPages()))  # fmt: skip
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert found == 12_000
    assert peak < 16 * 1024 * 1024


def test_a_line_too_long_is_told_and_the_next_one_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jsonl_file, "MAX_LINE_BYTES", 1_000_000)
    (tmp_path / "a").write_bytes(b'{"title": "' + b"x" * 5_000_000 + b'"}\n{"title": "T"}')
    problem, found = stream(tmp_path / "a")
    assert (str(problem), isinstance(found, Article)) == ("a:1: not an article: longer than 0 MiB", True)


def test_packed_lines_that_break_off_or_explode_are_told_behind_what_was_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    packed = gzip.compress(b'{"title": "T"}\n' * 3 + random.Random(1).randbytes(90_000))
    (tmp_path / "a").write_bytes(packed[:50_000])
    with pytest.raises(UnreadableFile, match="cannot be read to its end"):
        stream(tmp_path / "a")
    monkeypatch.setattr(jsonl_file, "ALWAYS_ALLOWED_BYTES", 1_000)
    (tmp_path / "a").write_bytes(gzip.compress(b"\n" * 5_000_000))
    with pytest.raises(UnreadableFile, match="unpacks to more than 100 times its size"):
        stream(tmp_path / "a")


def test_of_many_wrong_lines_the_first_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jsonl_file, "MAX_PROBLEMS", 2)
    (tmp_path / "a").write_bytes(b"{\n" * 7)
    assert [str(one) for one in stream(tmp_path / "a")][2:] == ["a: and 5 more lines that are no articles"]
