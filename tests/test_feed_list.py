"""The shipped list of feeds: enough of them, in enough languages, and each with the place where it was read."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from lxml import etree

from pipeline.identity import feed_id

LIST = Path(__file__).parents[1] / "config" / "feeds.opml"
SOURCE = re.compile(r" read in [\w.-]+/[\w.-]+, \S.*, commit [0-9a-f]{8}\b")


@pytest.fixture(scope="module")
def document():
    return etree.fromstring(LIST.read_bytes(), etree.XMLParser(resolve_entities=False))


@pytest.fixture(scope="module")
def feeds(document):
    return document.findall(".//outline[@xmlUrl]")


def test_the_list_is_plain_opml_2_with_a_folder_for_each_language(document, feeds):
    assert document.tag == "opml"
    assert document.get("version") == "2.0"
    assert document.findtext("head/title")
    assert all(feed.getparent().getparent().tag == "body" for feed in feeds)
    for folder in document.findall("body/outline"):
        assert folder.get("text")
        assert len({feed.get("language") for feed in folder.findall("outline")}) == 1


def test_there_are_thirty_feeds_and_more_in_six_languages_and_more(feeds):
    assert len(feeds) >= 30
    assert len({feed.get("language") for feed in feeds}) >= 6


def test_every_feed_says_where_its_address_was_read(feeds):
    for feed in feeds:
        before = feed.getprevious()
        assert isinstance(before, etree._Comment), f"no comment before {feed.get('xmlUrl')}"
        assert SOURCE.match(before.text), f"no source in the comment before {feed.get('xmlUrl')}: {before.text}"


def test_no_feed_is_listed_twice_also_not_under_another_scheme(feeds):
    counts = Counter(feed_id(feed.get("xmlUrl")) for feed in feeds)

    assert [one for one, count in counts.items() if count > 1] == []


def test_every_feed_is_named_and_reachable_by_http(feeds):
    for feed in feeds:
        assert feed.get("type") == "rss"
        assert feed.get("text")
        assert feed.get("outlet")
        assert re.fullmatch(r"[a-z]{2}", feed.get("language"))
        for address in filter(None, (feed.get("xmlUrl"), feed.get("htmlUrl"))):
            parts = urlsplit(address)
            assert parts.scheme in {"http", "https"}
            assert parts.hostname
            assert "@" not in parts.netloc
