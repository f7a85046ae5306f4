"""What a publisher says about polling a feed is heard, and nonsense is not."""

from __future__ import annotations

import time

import pytest
from fakes import item, rss
from hypothesis import given
from hypothesis import strategies as st

from pipeline.feed import FeedHints
from pipeline.poll.hints import hints_in
from pipeline.poll.parse import parse_feed

NONE = FeedHints()


@pytest.mark.parametrize(
    ("said", "hints"),
    [
        ("<ttl>60</ttl>", FeedHints(ttl_seconds=3600)),
        ("<ttl> 5 </ttl>", FeedHints(ttl_seconds=300)),
        ("<ttl>soon</ttl>", NONE),
        ("<ttl>-5</ttl>", NONE),
        ("<ttl>999999999</ttl>", NONE),
        (
            "<skipHours><hour>24</hour><hour>3</hour><hour>03</hour><hour>25</hour></skipHours>",
            FeedHints(skip_hours=(0, 3)),
        ),
        ("<skipHours>" + "".join(f"<hour>{n}</hour>" for n in range(24)) + "</skipHours>", NONE),
        (
            "<skipDays><day>Sunday</day><day>monday</day><day>Caturday</day></skipDays>",
            FeedHints(skip_days=(0, 6)),
        ),
        ("<sy:updatePeriod>hourly</sy:updatePeriod>", FeedHints(ttl_seconds=3600)),
        (
            "<sy:updatePeriod> daily </sy:updatePeriod><sy:updateFrequency>4</sy:updateFrequency>",
            FeedHints(ttl_seconds=21_600),
        ),
        ("<sy:updatePeriod>daily</sy:updatePeriod><sy:updateFrequency>0</sy:updateFrequency>", NONE),
        ("<sy:updatePeriod>hardly</sy:updatePeriod>", NONE),
        ("<ttl>10</ttl><sy:updatePeriod>daily</sy:updatePeriod>", FeedHints(ttl_seconds=600)),
    ],
)  # fmt: skip
def test_hints_are_read_before_and_behind_the_items(said: str, hints: FeedHints) -> None:
    one = item("A", "https://stand.example/1")
    assert hints_in(rss(one, extra=said)) == hints
    assert hints_in(rss(one, said)) == hints


def test_an_item_gives_no_hints() -> None:
    said = "<ttl>60</ttl><skipDays><day>Sunday</day></skipDays>"
    assert hints_in(rss(item("A", "https://stand.example/1", more=said), item("B"))) == NONE


def test_hints_are_part_of_what_a_feed_says() -> None:
    feed = parse_feed(rss(item("A", "https://stand.example/1"), extra="<ttl>30</ttl>").encode())
    assert feed.hints == FeedHints(ttl_seconds=1800)


@pytest.mark.parametrize(
    "piece", ["<skipHours>", "<ttl>1", "<ttl ", "<sy:updatePeriod>hourl", "</item", "<a:", "<skipDays><day>"]
)
def test_hostile_repetition_costs_little(piece: str) -> None:
    text = piece * (20_000_000 // len(piece))
    started = time.process_time()
    hints_in(text)
    assert time.process_time() - started < 5


@given(st.text("<>/ skiphourdayt:l0129", max_size=300))
def test_no_text_makes_it_raise(text: str) -> None:
    hints_in(text)
