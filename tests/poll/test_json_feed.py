"""JSON Feeds, and whatever else calls itself JSON."""

from __future__ import annotations

import contextlib
import json
import time
import tracemalloc
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.poll.bounds import MAX_ITEMS, NotAFeed
from pipeline.poll.json_feed import parse_json_feed
from pipeline.poll.parse import Entry

URL = "https://stand.example/feed.json"
VERSION = "https://jsonfeed.org/version/1.1"


def feed(*items: object, **more: object) -> bytes:
    return json.dumps({"version": VERSION, "title": "The Stand", **more, "items": items}).encode()


def one(**fields: object) -> Entry:
    (entry,) = parse_json_feed(feed(fields), url=URL).entries
    return entry


def reason(body: bytes) -> str:
    with pytest.raises(NotAFeed) as refused:
        parse_json_feed(body, url=URL)
    return refused.value.reason


def test_an_item_is_read_with_all_that_it_says() -> None:
    item = {
        "id": "a1", "url": "/1", "title": "Cats < dogs", "content_html": "<p>Long story</p>", "summary": "Short",
        "date_published": "2026-03-01T10:00:00+01:00", "date_modified": "2026-03-01T12:00:00Z", "language": "de-AT",
        "authors": [{"name": "Ann"}, {"url": "x"}, {"name": "Bo"}], "tags": ["x", 7, "y"], "attachments": [{}],
    }  # fmt: skip
    parsed = parse_json_feed(
        feed(item, home_page_url="https://stand.example/", language="en", next_url="https://evil.example/"), url=URL
    )
    assert (parsed.title, parsed.link, parsed.language) == ("The Stand", "https://stand.example/", "en")
    assert parsed.entries == (
        Entry(
            guid="a1", link="https://stand.example/1", identifying_link="https://stand.example/1", title="Cats < dogs",
            summary="Short", html="<p>Long story</p>", authors=("Ann", "Bo"), tags=("x", "y"), language="de",
            published=datetime(2026, 3, 1, 9, tzinfo=UTC), updated=datetime(2026, 3, 1, 12, tzinfo=UTC),
        ),
    )  # fmt: skip


def test_version_1_0_has_one_author_and_text_that_is_no_markup() -> None:
    body = feed({"id": 7, "content_text": "a <b> c", "author": {"name": "Ann"}})
    (entry,) = parse_json_feed(body.replace(b"version/1.1", b"version/1"), url=URL).entries
    assert (entry.guid, entry.html, entry.authors) == ("7", "a &lt;b&gt; c", ("Ann",))


def test_a_linkblog_links_to_what_it_is_about_and_an_address_as_id_is_a_link() -> None:
    assert one(id="1", external_url="https://other.example/a").link == "https://other.example/a"
    assert one(id="https://stand.example/a").link == "https://stand.example/a"


def test_links_that_are_none_are_taken_away_and_noted() -> None:
    entry = one(id="1", url="javascript:alert(1)", date_published="Tuesday?")
    assert (entry.link, entry.published) == ("", None)
    assert entry.flags == ("link_removed", "published_unreadable")


@pytest.mark.parametrize("wrong", [None, True, 7, 1.5, [], {}, [[]], [{"name": 3}], {"name": []}])
def test_a_field_of_the_wrong_type_costs_only_itself(wrong: object) -> None:
    names = ("url", "content_html", "content_text", "summary", "date_published", "authors", "author", "tags")
    entry = one(id="1", title="Kept", **dict.fromkeys(names, wrong))
    assert (entry.guid, entry.title, entry.authors, entry.tags) == ("1", "Kept", (), ())


def test_what_is_no_item_is_left_out() -> None:
    assert [entry.guid for entry in parse_json_feed(feed(1, None, [], {"id": "a"}), url=URL).entries] == ["a"]


def test_items_may_come_before_the_version_and_an_expired_feed_is_read() -> None:
    body = b'\xef\xbb\xbf {"items": [{"id": "1"}], "expired": true, "version": "https://jsonfeed.org/version/1"}'
    assert len(parse_json_feed(body, url=URL).entries) == 1


@pytest.mark.parametrize(
    "body", [b"{}", b'{"items": []}', b'{"version": "1", "items": []}', feed()[:-1].replace(b"items", b"i") + b"}"]
)
def test_other_json_is_no_feed(body: bytes) -> None:
    assert reason(body) == "JSON that is not a JSON Feed"


@pytest.mark.parametrize("body", [b"[]", b"{", b'{"a" 1}', b'{"version', b"{]", b'{"a": }'])
def test_broken_json_says_what_is_wrong(body: bytes) -> None:
    assert reason(body).startswith("JSON that cannot be read: ")


def test_of_a_feed_that_breaks_off_the_items_before_count() -> None:
    parsed = parse_json_feed(feed({"id": "1"}, {"id": "2", "title": "x"})[:-8], url=URL)
    assert ([entry.guid for entry in parsed.entries], parsed.cut) == (["1"], True)


def test_duplicate_names_half_surrogates_and_huge_numbers_do_no_harm() -> None:
    items = '[{"id": "1", "title": "\\ud800x", "n": ' + "9" * 100_000 + ', "id": "2"}]'
    body = f'{{"version": "{VERSION}", "items": {items}, "items": [], "version": 3}}'.encode()
    (entry,) = parse_json_feed(body, url=URL).entries
    assert (entry.guid, entry.title) == ("2", "\ufffdx")


HEAD = f'{{"version": "{VERSION}", '.encode()
SIZE = 19 * 1024 * 1024


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 100_000,
        HEAD + b'"x": ' + b'{"a":' * 100_000,
        HEAD + b'"items": [' + b"[" * SIZE,
        HEAD + b'"x": [' + b"[]," * (SIZE // 3),
        HEAD + b'"items": [[' + b"[]," * (SIZE // 3),
        HEAD + b'"items": [' + b"{}," * (SIZE // 3),
        HEAD + b'"items": [' + b'{"id":"1"},' * 1_000_000 + b"{}]}",
        HEAD + b'"items": [[' + b"1," * (SIZE // 2),
        HEAD + b'"x": "' + b"\\" * SIZE,
        HEAD + b'"a":1,' * (SIZE // 6),
        HEAD + b'"items": [{"id": "1", "tags": [' + b'"a",' * 30_000 + b'"b"]}]}',
        HEAD + b'"items": [{"content_html": "' + b"<p>" * (SIZE // 3) + b'"}]}',
    ],
    ids=range(12),
)  # fmt: skip
def test_json_built_to_exhaust_its_reader_costs_little(body: bytes) -> None:
    started = time.process_time()
    with contextlib.suppress(NotAFeed):
        assert len(parse_json_feed(body, url=URL).entries) <= MAX_ITEMS
    assert time.process_time() - started < 15


def test_a_million_items_take_little_memory_and_are_cut() -> None:
    body = HEAD + b'"items": [' + b'{"id":"1"},' * 1_000_000 + b"{}]}"
    tracemalloc.start()
    parsed = parse_json_feed(body, url=URL)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (len(parsed.entries), parsed.cut) == (MAX_ITEMS, True)
    assert peak < 64 * 1024**2


JSON = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["id", "url", "title", "authors", "name", "tags", "date_published", "content_html"]), inner
        )
    ),
    max_leaves=10,
)


@settings(max_examples=100, deadline=None)
@given(st.lists(JSON, max_size=4))
def test_whatever_the_items_are_each_object_counts(items: list[object]) -> None:
    parsed = parse_json_feed(feed(*items), url=URL)
    assert len(parsed.entries) == sum(isinstance(item, dict) for item in items)


@settings(max_examples=200, deadline=None)
@given(st.text('{}[]",:\\u0d8 einv1', max_size=60))
def test_no_text_makes_it_raise_anything_else(text: str) -> None:
    with contextlib.suppress(NotAFeed):
        parse_json_feed(text.encode(), url=URL)
