"""Strangers' dates."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.text.times import EARLIEST, in_utc, parse_time, plausible

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
EAST = timezone(timedelta(hours=14))


@pytest.mark.parametrize(
    ("written", "moment"),
    [
        ("2026-03-01", datetime(2026, 3, 1, tzinfo=UTC)),
        (" 2026-03-01T10:00:00+14:00 ", datetime(2026, 2, 28, 20, tzinfo=UTC)),
        ("2026-03-01T10:00:00Z", datetime(2026, 3, 1, 10, tzinfo=UTC)),
        ("Sun, 01 Mar 2026 10:00:00 -0500", datetime(2026, 3, 1, 15, tzinfo=UTC)),
        ("0001-01-01T00:00:00+14:00", None),
        ("yesterday", None),
        ("", None),
    ],
)
def test_a_date_names_a_moment_in_utc_or_none(written: str, moment: datetime | None) -> None:
    assert parse_time(written) == moment


@given(st.text())
def test_no_date_raises(written: str) -> None:
    parse_time(written)


@pytest.mark.parametrize("claimed", [None, EARLIEST, NOW])
def test_a_date_that_can_be_stays(claimed: datetime | None) -> None:
    assert plausible(claimed, NOW) == (claimed, ())


@pytest.mark.parametrize(
    ("claimed", "taken"),
    [(NOW + timedelta(seconds=1), NOW), (EARLIEST - timedelta(seconds=1), None)],
)
def test_a_date_that_cannot_be_is_now_or_none_and_flagged(claimed: datetime, taken: datetime | None) -> None:
    assert plausible(claimed, NOW) == (taken, ("published_clamped",))


def test_the_calendars_edge_is_no_moment() -> None:
    assert in_utc(datetime.min.replace(tzinfo=EAST)) is None
    assert in_utc(datetime(2026, 3, 2, 9)) == NOW  # noqa: DTZ001
