"""Feeds whose guids or links do not stay: nothing is lost, nothing comes twice, and the feed is flagged by poll two."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.feed import SeenEntry
from pipeline.identity import article_id
from pipeline.outcomes import Status
from pipeline.poll.articles import hash_of
from pipeline.poll.churn import MAX_REMEMBERED, NOTE_KEY, Churn, churn_of, read_memory
from pipeline.poll.parse import Entry

FEED = "https://stand.example/feed"


def item(guid: str, link: str, title: str = "") -> Entry:
    return Entry(guid=guid, link=link, identifying_link=link, title=title or guid)


class Watched:
    """A feed as poll keeps it: what it has shown, and what was published."""

    def __init__(self) -> None:
        self.seen: dict[str, SeenEntry] = {}
        self.published: list[tuple[Status, str]] = []
        self.lookups = 0

    def poll(self, *entries: Entry, unchanged: int = 0) -> Churn:
        churn = churn_of(entries, self._look_up, feed_url=FEED, unchanged=unchanged)
        shown: dict[str, SeenEntry] = {}
        for entry, key, ident in zip(entries, churn.keys, churn.ids, strict=True):
            before = churn.known.get(key)
            if key and key not in shown and (before is None or before.content_hash != hash_of(entry)):
                self.published.append((Status.UPDATED if before else Status.PUBLISHED, ident))
            if key:
                shown.setdefault(key, SeenEntry(key=key, article_id=ident, content_hash=hash_of(entry)))
        self.seen |= {**shown, NOTE_KEY: churn.note}
        return churn

    def documents(self) -> int:
        return len({ident for _, ident in self.published})

    def _look_up(self, keys: Collection[str]) -> Mapping[str, SeenEntry]:
        self.lookups += 1
        return {key: self.seen[key] for key in keys if key in self.seen}


def with_session(number: int, session: int, title: str = "") -> Entry:
    return item(f"tag:{number}", f"https://stand.example/{number}?sid={session}", title or f"Story {number}")


# --- links that do not stay


def test_links_made_up_at_every_fetch_bring_each_item_once_and_flag_the_feed_at_the_second_poll() -> None:
    feed = Watched()
    flags = [feed.poll(*(with_session(n, session) for n in range(10))).links_change for session in range(5)]
    assert flags == [False, True, True, True, True]
    assert len(feed.published) == feed.documents() == 10
    assert len(feed.seen) == 10 + 10 + 1  # the links of the first poll, the guids, the note: it does not grow


def test_a_new_item_of_such_a_feed_is_new_and_an_edited_one_is_the_same_article() -> None:
    feed = Watched()
    feed.poll(*(with_session(n, 1) for n in range(8)))
    feed.poll(with_session(8, 2), with_session(0, 2, "Story 0, corrected"), *(with_session(n, 2) for n in range(1, 8)))
    assert feed.published[8:] == [(Status.PUBLISHED, feed.published[8][1]), (Status.UPDATED, feed.published[0][1])]
    feed.poll(with_session(8, 3, "Story 8, corrected"), *(with_session(n, 3) for n in range(1, 8)))
    assert feed.published[10:] == [(Status.UPDATED, feed.published[8][1])]


def test_an_item_of_such_a_feed_that_went_and_comes_back_is_known() -> None:
    feed = Watched()
    for session in (1, 2):
        feed.poll(*(with_session(n, session) for n in range(6)))
    feed.poll(*(with_session(n, 3) for n in range(3)))
    feed.poll(*(with_session(n, 4) for n in range(6)))
    assert len(feed.published) == 6


def test_a_poll_of_such_a_feed_that_is_made_again_gives_a_new_item_the_same_id() -> None:
    ids = []
    for session in (3, 4):
        feed = Watched()
        for former in (1, 2):
            feed.poll(*(with_session(n, former) for n in range(6)))
        ids.append(feed.poll(with_session(6, session), *(with_session(n, session) for n in range(6))).ids[0])
    assert ids[0] == ids[1] == article_id(link="", feed_url=FEED, guid="tag:6", content="")


def test_a_site_that_moves_all_its_links_once_brings_nothing_anew() -> None:
    feed = Watched()
    feed.poll(*(item(f"g{n}", f"http://old.example/{n}") for n in range(5)))
    churn = feed.poll(*(item(f"g{n}", f"https://new.example/{n}") for n in range(5)))
    assert churn.links_change
    assert len(feed.published) == 5


# --- guids that do not stay


def test_guids_made_up_at_every_fetch_bring_each_item_once_and_flag_the_feed_at_the_second_poll() -> None:
    feed = Watched()
    churns = [feed.poll(*(item(f"{fetch}-{n}", f"https://a.example/{n}", "x") for n in range(4))) for fetch in range(4)]
    assert [churn.guids_change for churn in churns] == [False, True, True, True]
    assert not any(churn.links_change for churn in churns)
    assert len(feed.published) == 4


def test_the_flag_goes_when_guids_stay_again_and_stays_while_nothing_can_be_compared() -> None:
    feed = Watched()
    for fetch in (1, 2):
        feed.poll(item(f"{fetch}", "https://a.example/1"))
    assert feed.poll(item("z", "https://a.example/2")).guids_change
    assert not feed.poll(item("z", "https://a.example/2")).guids_change


# --- guids that stand for several articles


def test_one_guid_with_two_links_is_two_articles_and_counted() -> None:
    feed = Watched()
    churn = feed.poll(item("same", "https://a.example/1"), item("same", "https://a.example/2"))
    assert (churn.guids_reused, churn.links_change) == (1, False)
    assert feed.documents() == 2
    again = feed.poll(item("same", "https://a.example/2"), item("same", "https://a.example/3"))
    assert (again.guids_reused, again.links_change, feed.documents()) == (1, False, 3)


def test_one_guid_whose_link_and_text_change_is_two_articles() -> None:
    feed = Watched()
    for number in (1, 2, 3):
        assert not feed.poll(item("same", f"https://a.example/{number}", f"Story {number}")).links_change
    assert feed.documents() == 3


def test_guids_that_only_number_the_places_are_no_sign_of_links_that_change() -> None:
    feed = Watched()
    for first in range(5):
        churn = feed.poll(*(item(str(place), f"https://a.example/{first + place}", f"Story {first + place}")
                            for place in range(6)))  # fmt: skip
        assert not churn.links_change
    assert feed.documents() == 10


def test_equal_texts_are_no_sign_of_links_that_change() -> None:
    feed = Watched()
    for day in range(3):
        churn = feed.poll(*(item(f"g{n}", f"https://a.example/{day}/{n}", "Photo of the day") for n in range(5)))
        assert not churn.links_change
    assert feed.documents() == 15


def test_a_few_articles_that_moved_in_a_feed_that_stays_are_no_sign_either() -> None:
    feed = Watched()
    feed.poll(*(item(f"g{n}", f"https://a.example/{n}") for n in range(20)))
    moved = [item(f"g{n}", f"https://a.example/{n}-corrected-slug") for n in range(4)]
    assert not feed.poll(*moved, *(item(f"g{n}", f"https://a.example/{n}") for n in range(4, 20))).links_change
    assert not feed.poll(*(item(f"g{n}", f"https://b.example/{n}") for n in range(4)), unchanged=16).links_change


# --- items without one or the other


def test_items_without_guid_or_link_are_known_by_the_rest_and_counted() -> None:
    feed = Watched()
    bare, nothing, by_guid = Entry(title="Storm"), Entry(), Entry(guid="g", title="Calm")
    churn = feed.poll(bare, nothing, by_guid)
    assert (churn.without_link_and_guid, churn.keys[1], churn.ids[1]) == (1, "", "")
    feed.poll(by_guid, nothing, bare)
    assert feed.documents() == 2


def test_an_article_keeps_its_id_when_the_feed_moves_or_the_rules_for_links_change() -> None:
    feed = Watched()
    feed.poll(item("g", "https://a.example/1"))
    feed.seen = {key: SeenEntry(key=key, article_id=one.article_id and "former id", content_hash=one.content_hash)
                 for key, one in feed.seen.items()}  # fmt: skip
    assert feed.poll(item("g", "https://a.example/1", "edited")).ids == ("former id",)


# --- the note


def test_a_feed_that_behaves_costs_one_lookup() -> None:
    feed = Watched()
    for _ in range(3):
        feed.poll(*(item(f"g{n}", f"https://a.example/{n}") for n in range(50)))
    assert feed.lookups == 3


def test_the_note_is_small_and_a_guid_that_is_the_link_is_not_in_it() -> None:
    feed = Watched()
    churn = feed.poll(*(item(f"g{n}", f"https://a.example/{n}") for n in range(1000)))
    assert len(read_memory(churn.note).keys) == MAX_REMEMBERED
    assert len(churn.note.content_hash) < 3_000
    links = [f"https://a.example/{n}" for n in range(9)]
    assert Watched().poll(*(item(link, link) for link in links)).note.content_hash == ":"


def test_entries_that_were_not_read_since_they_stand_as_they_did_are_still_remembered() -> None:
    feed = Watched()
    feed.poll(*(with_session(n, 1) for n in range(6)))
    feed.poll(item("new", "https://a.example/new"), unchanged=6)
    assert feed.poll(*(with_session(n, 2) for n in range(6))).links_change
    assert len(feed.published) == 7


@pytest.mark.parametrize("said", ["", "g", "::", "g:*", "c:AAAA", "g:" + "A" * 100, "\ud800:é"])
def test_a_note_that_cannot_be_read_says_nothing(said: str) -> None:
    memory = read_memory(SeenEntry(key=NOTE_KEY, article_id="", content_hash=said))
    assert all(len(key) == 32 for key in memory.keys.values())


ENTRIES = st.lists(
    st.builds(
        item,
        st.sampled_from(["", "a", "b", "c", " a "]) | st.text(max_size=3),
        st.sampled_from(["", "https://a.example/1", "https://a.example/2"]),
        st.sampled_from(["One", "Two", "", "Three"]),
    ),
    max_size=8,
)


@settings(max_examples=300, deadline=None)
@given(st.lists(ENTRIES, max_size=5))
def test_whatever_a_feed_shows_what_it_shows_twice_running_brings_nothing_new(polls: Sequence[Sequence[Entry]]) -> None:
    feed = Watched()
    for entries in polls:
        feed.poll(*entries)
        once = list(feed.published)
        churn = feed.poll(*entries)
        assert [status for status, _ in feed.published[len(once) :]].count(Status.PUBLISHED) == 0
        assert all(bool(key) == bool(ident) for key, ident in zip(churn.keys, churn.ids, strict=True))


def test_ten_thousand_items_are_told_apart_in_little_time() -> None:
    entries = [with_session(n, 1) for n in range(10_000)]
    feed = Watched()
    began = time.process_time()
    feed.poll(*entries)
    feed.poll(*entries)
    assert time.process_time() - began < 10
