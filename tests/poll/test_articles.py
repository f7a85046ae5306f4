"""From an entry to a raw article: what it is known as, and whether it is news."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from msgspec.structs import replace

from pipeline.errors import DropArticle
from pipeline.poll.articles import Source, article_of, id_of, key_of
from pipeline.poll.parse import Entry, ParsedFeed

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SOURCE = Source(feed_url="https://stand.example/feed", feed="f1")
PARSED = ParsedFeed(title="The Stand", link="https://stand.example/")
ENTRY = Entry(guid="1", link="https://m.stand.example/story-1", identifying_link="https://m.stand.example/story-1")


def test_the_first_poll_of_a_feed_is_marked_on_its_articles() -> None:
    assert not article_of(ENTRY, PARSED, SOURCE, NOW).first_poll
    assert article_of(ENTRY, PARSED, replace(SOURCE, first_poll=True), NOW).first_poll


def test_an_entry_that_was_published_keeps_its_id_whatever_its_link_would_give_today() -> None:
    assert article_of(ENTRY, PARSED, SOURCE, NOW).id == id_of(ENTRY, SOURCE.feed_url)
    assert article_of(ENTRY, PARSED, SOURCE, NOW, known_as="f" * 32).id == "f" * 32


def test_an_entry_without_a_link_is_known_by_the_same_key_when_its_feed_has_moved_and_only_its_id_would_differ() -> (
    None
):
    bare = Entry(guid="1", title="Storm")
    assert key_of(bare) == key_of(replace(bare, title="Edited"))
    moved = replace(SOURCE, feed_url="https://new.example/feed")
    first = article_of(bare, PARSED, SOURCE, NOW)
    assert article_of(bare, PARSED, moved, NOW).id != first.id
    assert article_of(bare, PARSED, moved, NOW, known_as=first.id).id == first.id


def test_what_has_nothing_to_be_known_by_is_a_drop() -> None:
    with pytest.raises(DropArticle):
        article_of(Entry(), PARSED, SOURCE, NOW)
