"""Progress: what a worker has in its hands, and how everything ended."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy.exc import DBAPIError

from pipeline.ports import Marker, State, TopicPartition

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
ONE = TopicPartition("articles.raw", 0)
TWO = TopicPartition("articles.raw", 1)
BACKFILL = TopicPartition("backfill.raw", 0)


def test_markers_come_back_as_they_were_set(state: State) -> None:
    first = Marker(place=ONE, first=5, last=2**40, replay_until=9, tries=2)
    second = Marker(place=TWO, first=0, last=0)
    state.mark_batch("enrich", [first, second], {}, NOW)

    assert state.markers("enrich", [ONE, TWO, BACKFILL]) == {ONE: first, TWO: second}
    assert state.markers("enrich", [TWO]) == {TWO: second}
    assert state.markers("index", [ONE]) == {}


def test_a_new_marker_replaces_that_of_its_partition_alone(state: State) -> None:
    state.mark_batch("enrich", [Marker(place=ONE, first=0, last=4), Marker(place=TWO, first=0, last=4)], {}, NOW)

    state.mark_batch("enrich", [Marker(place=ONE, first=5, last=9)], {}, NOW)

    assert state.markers("enrich", [ONE, TWO]) == {
        ONE: Marker(place=ONE, first=5, last=9),
        TWO: Marker(place=TWO, first=0, last=4),
    }


def test_cleared_markers_are_gone_for_this_group_and_these_partitions(state: State) -> None:
    for group in ("enrich", "index"):
        markers = [Marker(place=place, first=0, last=4) for place in (ONE, TWO, BACKFILL)]
        state.mark_batch(group, markers, {}, NOW)

    state.clear_markers("enrich", [ONE, BACKFILL])

    assert list(state.markers("enrich", [ONE, TWO, BACKFILL])) == [TWO]
    assert len(state.markers("index", [ONE, TWO, BACKFILL])) == 3


def test_counts_add_up_by_group_status_and_reason(state: State) -> None:
    state.mark_batch("enrich", [], {("published", ""): 3, ("dropped", "no_text"): 1}, NOW)
    state.mark_batch("enrich", [], {("published", ""): 2**40, ("dropped", "tombstoned"): 1}, NOW)
    state.mark_batch("index", [], {("published", ""): 7}, NOW)

    assert state.counts() == {
        "enrich": {("published", ""): 2**40 + 3, ("dropped", "no_text"): 1, ("dropped", "tombstoned"): 1},
        "index": {("published", ""): 7},
    }


def test_there_are_no_counts_at_first(state: State) -> None:
    assert state.counts() == {}


def test_a_reason_of_any_text_is_counted(state: State) -> None:
    state.mark_batch("enrich", [], {("dead", "odd\x00\ud800"): 1}, NOW)
    state.mark_batch("enrich", [], {("dead", "odd\x00\ud800"): 1}, NOW)

    assert state.counts() == {"enrich": {("dead", "odd?"): 2}}


def test_markers_and_counts_are_saved_together_or_not_at_all(state: State) -> None:
    state.mark_batch("enrich", [Marker(place=ONE, first=0, last=4)], {("published", ""): 1}, NOW)

    with pytest.raises((OverflowError, DBAPIError)):  # a number that no database holds
        state.mark_batch("enrich", [Marker(place=ONE, first=5, last=9)], {("published", ""): 2**63}, NOW)

    assert state.markers("enrich", [ONE])[ONE].first == 0
    assert state.counts() == {"enrich": {("published", ""): 1}}
