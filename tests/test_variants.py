"""AMP and mobile variants, tracking parameters: one article, one canonical form; and nothing else is merged."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.identity import article_id, canonical_link, entry_key, feed_id, plain_link
from pipeline.text.limits import MAX_LINK_CHARACTERS
from pipeline.tracking import FIRST_PARAMETERS, TRACKING_PARAMETERS, TRACKING_PREFIXES

STORY = "https://www.example.com/2024/storm-hits-coast"


@pytest.mark.parametrize(
    ("variant", "main"),
    [
        (STORY + "/amp", STORY),
        (STORY + "/amp/", STORY + "/"),
        (STORY + "?amp", STORY),
        (STORY + "?amp=1", STORY),
        (STORY + "?AMP=1&id=7", STORY + "?id=7"),
        (STORY + "?outputType=amp", STORY),
        (STORY + ".amp.html", STORY + ".html"),
        ("https://amp.example.com/2024/storm-hits-coast", STORY),
        ("https://m.example.com/2024/storm-hits-coast", STORY),
        ("http://mobile.example.com/2024/storm-hits-coast?utm_source=x", STORY),
        ("https://m.example.co.uk/a", "https://www.example.co.uk/a"),
        ("https://cdn.ampproject.org/c/s/www.example.com/2024/storm-hits-coast", STORY),
        ("https://www-example-com.cdn.ampproject.org/v/s/www.example.com/2024/storm-hits-coast?amp_js_v=0.1", STORY),
        ("https://cdn.ampproject.org/c/www.example.com/2024/storm-hits-coast/amp?id=7", STORY + "?id=7"),
        ("https://www.google.com/amp/s/www.example.com/2024/storm-hits-coast", STORY),
        ("https://www.google.co.uk/amp/s/amp.example.com/2024/storm-hits-coast", STORY),
        ("https://www.google.com/amp/s/cdn.ampproject.org/c/s/WWW.example.com/2024/storm-hits-coast", STORY),
        ("https://m.google.com/amp/s/www.example.com/2024/storm-hits-coast", STORY),
        ("https://www.google.com/amp/s/www.example.com", "https://www.example.com/"),
    ],
)
def test_a_variant_has_the_form_of_the_address_it_is_a_variant_of(variant: str, main: str) -> None:
    assert canonical_link(variant) == canonical_link(main) == main


@pytest.mark.parametrize(
    "link",
    [
        "https://m.it/story-1",
        "https://m.co.uk/story-1",
        "https://amp.com.au/story-1",
        "https://m.blog.example.com/story-1",
        "https://mobile.substack.com/p/story-1",
        "https://m.example.com:8443/story-1",
        "https://m.127.0.0.1/story-1",
        "https://example.com/story-1",
        "https://www.example.com/amp",
        "https://www.example.com/amp/",
        "https://www.example.com/dictionary/amp",
        "https://www.example.com/story-1/amplifier",
        "https://www.example.com/story-1/AMP",
        "https://www.example.com/story-1/amp/amp",
        "https://www.example.com/amp/story-1",
        "https://www.example.com/story-1?amp=0",
        "https://www.example.com/story-1?amp=loud",
        "https://www.google.com/amp/s/",
        "https://www.google.com/amp/s/x",
        "https://www.google.com/search?q=amp",
        "https://cdn.ampproject.org/i/s/www.example.com/a.png",
        "https://cdn.ampproject.org/c/s/-a.example/story",
    ],
)
def test_what_may_be_an_article_of_its_own_keeps_its_address(link: str) -> None:
    assert canonical_link(link) == link


def test_a_site_with_and_without_www_stays_two() -> None:
    assert canonical_link("https://www.example.com/a") != canonical_link("https://example.com/a")


def test_keys_of_entries_and_ids_of_feeds_know_no_variants_so_that_no_new_rule_makes_old_entries_new() -> None:
    amp, click = STORY + "/amp", STORY + "?_branch_match_id=1"
    assert plain_link(amp) == amp
    assert plain_link(click) == click
    assert len({entry_key("", one, "") for one in (STORY, amp, click)}) == 3
    assert feed_id("https://m.example.com/feed") != feed_id("https://www.example.com/feed")
    assert len({article_id(link=one, feed_url="", guid="", content="") for one in (STORY, amp, click)}) == 1


def test_the_form_of_an_article_without_a_link_does_not_hang_on_the_variants_either() -> None:
    def of(feed: str) -> str:
        return article_id(link="", feed_url=feed, guid="1", content="")

    assert of("https://m.example.com/feed") != of("https://www.example.com/feed")


# --- tracking parameters

TRACKERS = st.one_of(
    st.sampled_from(sorted(TRACKING_PARAMETERS)),
    st.builds("{}{}".format, st.sampled_from(TRACKING_PREFIXES), st.text("abcz_0", max_size=8)),
).flatmap(lambda name: st.sampled_from([name, name.upper(), name.title()]))
VALUES = st.text("abZ09-_.%", max_size=8)
MEANINGFUL = st.builds("{}={}".format, st.sampled_from(["id", "p", "ref", "page", "article", "v"]), st.text("ab01"))


@settings(max_examples=300, deadline=None)
@given(st.lists(MEANINGFUL, max_size=4), st.lists(st.tuples(TRACKERS, VALUES), min_size=1, max_size=6), st.randoms())
def test_tracking_parameters_in_any_order_case_and_number_change_nothing(kept, trackers, random) -> None:
    pieces = [(True, one) for one in kept]
    for name, value in trackers:
        pieces.insert(random.randint(0, len(pieces)), (False, f"{name}={value}" if value else name))
    link = STORY + "?" + "&".join(piece for _, piece in pieces)
    assert canonical_link(link) == canonical_link(STORY + "?" + "&".join(kept))


@settings(max_examples=300, deadline=None)
@given(st.lists(MEANINGFUL, max_size=4), MEANINGFUL, st.data())
def test_a_meaningful_parameter_always_changes_the_form(kept: list[str], more: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(kept)))
    before = canonical_link(STORY + "?" + "&".join(kept))
    assert canonical_link(STORY + "?" + "&".join([*kept[:at], more, *kept[at:]])) != before


HOSTS = st.sampled_from(
    [
        "m.example.com",
        "amp.m.example.com",
        "cdn.ampproject.org",
        "www.google.com",
        "x.cdn.ampproject.org",
        "m.google.com",
    ]
)
PIECES = st.sampled_from(
    ["/amp", "/c", "/s", "/v", "/www.google.com", "/m.example.com", "/cdn.ampproject.org", "/story-1", "/", "/..",
     ".amp.html", "?amp", "&amp=1", "?outputType=amp", "%61mp", "/%2e%2e/", "//", "/é"]
)  # fmt: skip


@settings(max_examples=1000, deadline=None)
@given(HOSTS, st.lists(PIECES, max_size=12))
def test_the_form_of_a_form_is_itself_for_variants_of_variants(host: str, pieces: list[str]) -> None:
    once = canonical_link(f"https://{host}{''.join(pieces)}")
    assert canonical_link(once) == once
    assert plain_link(plain_link(once)) == plain_link(once)


@pytest.mark.parametrize(
    "piece",
    ["/amp", "/cdn.ampproject.org/c/s", "/www.google.com/amp/s", ".amp.html", ".amp", "/story-1/amp", "//", "&amp"],
)
def test_a_link_made_of_variants_to_the_limit_ends(piece: str) -> None:
    start = "https://cdn.ampproject.org/c/s"
    link = start + piece * ((MAX_LINK_CHARACTERS - len(start) - 5) // len(piece)) + ".html"
    once = canonical_link(link)
    assert canonical_link(once) == once


@given(st.text("abc/-", max_size=30))
def test_one_viewer_around_an_address_never_changes_its_form(path: str) -> None:
    link = "https://www.example.com/" + path
    assert canonical_link("https://cdn.ampproject.org/c/s/www.example.com/" + path) == canonical_link(link)


def test_the_first_list_is_a_part_of_the_whole_and_all_of_it_is_in_lower_case() -> None:
    assert FIRST_PARAMETERS < TRACKING_PARAMETERS
    assert {name.lower() for name in TRACKING_PARAMETERS} == TRACKING_PARAMETERS
    assert all(name.endswith("_") for name in TRACKING_PREFIXES)
