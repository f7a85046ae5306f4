"""The pages port in memory keeps the port's promises (the contract suite runs against the stores that last)."""

from __future__ import annotations

from datetime import date

import pytest

from pipeline.ingest.memory_pages import MemoryPages

DAYS = [date(2026, 3, day) for day in (1, 2, 3)]


def test_a_body_of_one_day_is_stored_once_and_found_by_its_key() -> None:
    pages = MemoryPages()
    key = pages.put(b"page", DAYS[0])
    assert pages.put(b"page", DAYS[0]) == key != pages.put(b"page", DAYS[1])
    assert pages.get(key) == b"page"
    assert (pages.delete(key), pages.delete(key), pages.get(key)) == (True, False, None)


def test_what_is_no_key_is_an_error() -> None:
    with pytest.raises(ValueError, match="isoformat"):
        MemoryPages().get("../../etc/passwd")


def test_the_oldest_go_first_by_age_and_then_by_size() -> None:
    pages = MemoryPages()
    keys = [pages.put(bytes(100), day) for day in DAYS]
    assert pages.prune(DAYS[2], max_age_days=1, max_bytes=1_000) == 1
    assert pages.prune(DAYS[2], max_age_days=9, max_bytes=150) == 1
    assert [pages.get(key) is not None for key in keys] == [False, False, True]
