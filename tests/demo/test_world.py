"""The demo's world: what is out at which second, and that time is all it depends on."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.alert.run import compile_rules, matching_rules
from pipeline.demo import world
from pipeline.demo.timetable import demo_rules, load_timetable
from pipeline.demo.world import FEED_ITEMS, Item, World
from pipeline.ingest.text_file import read_text
from pipeline.query.parse import parse
from pipeline.query.tree import Or, Words

TIMETABLE = load_timetable()
"""Frozen, and read from the package once."""


def items(now: World) -> list[Item]:
    return [item for view in now.outlets for item in view.items]


def links(now: World) -> set[str]:
    return {item.path for item in items(now)}


@settings(max_examples=30, deadline=None)
@given(st.floats(min_value=-10, max_value=1e7))
def test_the_world_depends_on_the_second_alone(elapsed):
    first = msgspec.json.encode(world.at(TIMETABLE, elapsed))

    assert msgspec.json.encode(world.at(load_timetable(), float(int(elapsed // 1)))) == first


def test_in_the_first_five_minutes_nothing_that_was_shown_disappears():
    for second in range(300):
        assert links(world.at(TIMETABLE, second)) <= links(world.at(TIMETABLE, second + 1))


def test_an_item_leaves_its_feed_only_when_as_many_newer_ones_as_the_feed_holds_are_there():
    for before, after in pairwise(world.at(TIMETABLE, second) for second in range(0, 4000, 36)):
        for old, new in zip(before.outlets, after.outlets, strict=True):
            gone = {item.path for item in old.items} - {item.path for item in new.items}
            assert len(new.items) <= FEED_ITEMS
            assert not gone or len(new.items) == FEED_ITEMS
            assert [item.published for item in new.items] == sorted((i.published for i in new.items), reverse=True)


def test_a_page_stays_when_its_item_has_left_the_feed():
    day = 24 * 3600

    assert "/rheinblick/hafenstreik" not in links(world.at(TIMETABLE, day))
    assert world.item_at(TIMETABLE, "rheinblick", "hafenstreik", day)
    assert world.item_at(TIMETABLE, "harbour-times", "shipping-forecast-0", day) == world.bulletin(
        TIMETABLE.bulletins, 0
    )


@pytest.mark.parametrize(
    ("slug", "article", "second"),
    [
        ("rheinblick", "hafenstreik", 10),
        ("harbour-times", "shipping-forecast-6", 74),
        ("harbour-times", "shipping-forecast-1", 500),  # number 1 is another outlet's
        ("harbour-times", "shipping-forecast--6", 500),
        ("harbour-times", "shipping-forecast-" + "9" * 5000, 500),
        ("harbour-times", "", 500),
        ("nowhere", "hafenstreik", 500),
    ],
)
def test_there_is_no_page_before_its_time_nor_for_what_was_never_written(slug, article, second):
    assert world.item_at(TIMETABLE, slug, article, second) is None


def test_something_new_comes_every_few_seconds_for_ninety_seconds_and_then_goes_on():
    changes = [second for second in range(1, 300) if world.at(TIMETABLE, second - 1) != world.at(TIMETABLE, second)]

    assert max(late - early for early, late in pairwise([0, *(s for s in changes if s <= 90)])) <= 6
    assert max(late - early for early, late in pairwise([0, *(s for s in changes if s <= 74)])) <= 4
    assert max(late - early for early, late in pairwise(changes)) <= 6


def test_within_twenty_seconds_three_outlets_print_one_report_word_for_word():
    copies = [item for item in items(world.at(TIMETABLE, 20)) if item.author == "Northwire"]

    assert len({item.outlet for item in copies}) == 3
    assert len({(item.title, item.paragraphs) for item in copies}) == 1
    assert len({item.path for item in copies}) == 3
    assert {
        view.outlet.format for view in world.at(TIMETABLE, 20).outlets if view.outlet.slug in {c.outlet for c in copies}
    } == {
        "rss",
        "atom",
        "rdf",
    }


def test_a_second_report_is_printed_by_three_outlets_later():
    later = [item for item in items(world.at(TIMETABLE, 60)) if item.author == "Northwire" and item.published > 20]

    assert len(later) == 3
    assert len({item.paragraphs for item in later}) == 1


def test_within_forty_seconds_an_article_is_corrected_in_title_and_figure():
    before = world.item_at(TIMETABLE, "harbour-times", "ferry-torrin", 35)
    after = world.item_at(TIMETABLE, "harbour-times", "ferry-torrin", 36)

    assert before is not None
    assert after is not None
    assert (before.revision, after.revision) == (0, 1)
    assert before.title != after.title
    assert "40 passengers were taken" in before.paragraphs[0]
    assert "63 passengers were taken" in after.paragraphs[0]
    assert after.published == before.published < after.updated == 36
    assert before.paragraphs[1] == after.paragraphs[1]


def test_every_correction_finds_the_passages_that_it_replaces():
    for outlet in TIMETABLE.outlets:
        for article in outlet.article:
            for passage, _ in article.edit.replace if article.edit else ():
                assert article.body.count(passage) == 1


def test_the_first_words_of_a_demo_rule_stand_in_an_article_of_the_first_twenty_seconds():
    new = [item for item in items(world.at(TIMETABLE, 20)) if item.published > 0]
    query = parse(next(rule.query for rule in demo_rules() if rule.id == "earthquake"))

    assert isinstance(query, Or)
    words = [part.text.casefold() for part in query.parts if isinstance(part, Words)]
    matching = [item for item in new if any(word in " ".join(item.paragraphs).casefold() for word in words)]
    assert {item.outlet for item in matching} >= {"harbour-times", "inland-courier", "meridian-ledger", "al-marsa"}


def test_the_outlets_write_in_six_languages_and_more_and_at_length():
    languages = {outlet.language for outlet in TIMETABLE.outlets}

    assert languages >= {"en", "de", "fr", "es", "ar", "tr"}
    for outlet in TIMETABLE.outlets:
        for article in outlet.article:
            item = world.item_at(TIMETABLE, outlet.slug, article.slug, 1000)
            assert item is not None
            assert len(item.paragraphs) >= 3
            assert sum(map(len, item.paragraphs)) > 400
            assert all("\n" not in paragraph and paragraph for paragraph in item.paragraphs)


def test_bulletins_fill_every_blank_of_their_form_and_differ_from_each_other():
    bulletins = [world.bulletin(TIMETABLE.bulletins, number) for number in range(300)]

    assert len({item.path for item in bulletins}) == 300
    assert len({item.paragraphs for item in bulletins}) == 300
    assert not [item for item in bulletins if set("{}") & set(item.title + "".join(item.paragraphs))]
    assert {item.outlet for item in bulletins} <= {outlet.slug for outlet in TIMETABLE.outlets}


def test_the_file_of_the_tour_meets_a_rule_of_the_demo() -> None:
    content = (Path(__file__).parent.parent / "data" / "seed-article.txt").read_bytes()
    article = read_text(content, lane="live", now=datetime(2026, 3, 1, tzinfo=UTC))
    assert [rule.id for rule in matching_rules(compile_rules(demo_rules()), article)] == ["hezbollah"]
