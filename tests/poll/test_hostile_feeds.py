"""Feeds built to exhaust their reader: what becomes of each, in how much time and memory, and no file opened."""

from __future__ import annotations

import pytest
from poll.hostile_feeds import FEEDS, measured


@pytest.mark.parametrize("name", FEEDS)
def test_rows_16_to_20_a_hostile_feed_is_refused_or_read_within_its_bounds_and_nothing_is_opened(name: str) -> None:
    hostile = FEEDS[name]

    cost = measured(name)

    assert cost.became == hostile.becomes
    assert cost.cpu_seconds < hostile.cpu_seconds
    assert cost.rise_mib < hostile.rise_mib
    assert cost.opened == []
