"""What of a sitemap falls into a range of days."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.ingest.sitemap_range import Days, days_in, may_hold, moment_of

JANUARY = Days(date(2026, 1, 1), date(2026, 1, 31))


def at(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[arg-type, misc]


@pytest.mark.parametrize(
    ("path", "days"),
    [
        ("sitemap-2026-01.xml", JANUARY),
        ("sitemap_202601.xml", JANUARY),
        ("2026/01/sitemap.xml", JANUARY),
        ("archive/2026/01/15/a-story", Days(date(2026, 1, 15), date(2026, 1, 15))),
        ("20260115-story", Days(date(2026, 1, 15), date(2026, 1, 15))),
        ("sitemap.xml?date=2026-01-15", Days(date(2026, 1, 15), date(2026, 1, 15))),
        ("sitemap-2024.xml", Days(date(2024, 1, 1), date(2024, 12, 31))),
        ("2025/story-of-2026-01-15", Days(date(2026, 1, 15), date(2026, 1, 15))),
        ("2024-02-30", None),
        ("story-120260115", None),
        ("sitemap-17.xml", None),
        ("1026/01/15", None),
        ("", None),
    ],
)
def test_the_days_that_an_address_names(path: str, days: Days | None) -> None:
    assert days_in(f"https://news2019.example/{path}") == days


@pytest.mark.parametrize(
    ("path", "lastmod", "expected"),
    [
        ("sitemap-1.xml", None, True),
        ("sitemap-1.xml", at(2026, 1, 10), True),
        ("sitemap-1.xml", at(2026, 9, 1), True),  # an old file that was written again
        ("sitemap-1.xml", at(2025, 12, 31), True),  # on a publisher's clock it may be January
        ("sitemap-1.xml", at(2025, 12, 30), False),
        ("2026-01.xml", at(2026, 9, 1), True),
        ("2025-12.xml", None, True),  # its last day may be our January's first
        ("2025-11.xml", None, False),
        ("2026-03.xml", at(2026, 3, 9), False),
        ("sitemap-2024.xml", None, False),
        ("sitemap-2024.xml", at(2026, 1, 10), True),  # a number rather than a year
        ("sitemap-2026.xml", None, True),
    ],
)
def test_a_sitemap_is_passed_over_only_when_it_cannot_hold_the_days(
    path: str, lastmod: datetime | None, expected: bool
) -> None:
    assert may_hold(f"https://e.example/{path}", lastmod, JANUARY) is expected


def test_an_article_s_day_is_that_of_its_news_tag_else_of_its_change_else_of_its_address() -> None:
    url, published, changed = "https://e.example/2026/01/15/x", at(2026, 1, 2), at(2026, 1, 3)
    assert moment_of(url, published, changed) == published
    assert moment_of(url, None, changed) == changed
    assert moment_of(url, None, None) == at(2026, 1, 15)
    assert moment_of("https://e.example/2026/01/x", None, None) is None


def test_both_ends_of_a_range_are_in_it_by_the_day_in_utc() -> None:
    assert JANUARY.holds(at(2026, 1, 1))
    assert JANUARY.holds(at(2026, 1, 31, 23, 59))
    assert not JANUARY.holds(at(2026, 2, 1))
    assert not JANUARY.holds(datetime(2026, 2, 1, tzinfo=timezone(timedelta(hours=-3))))
    assert JANUARY.holds(datetime(2026, 2, 1, tzinfo=timezone(timedelta(hours=3))))


@given(st.text(max_size=200) | st.from_regex(r"https://e\.example/[-0-9/._]{0,60}", fullmatch=True))
def test_no_address_raises_and_days_are_in_order(url: str) -> None:
    found = days_in(url)
    assert found is None or found.first <= found.last
    may_hold(url, None, JANUARY)


@given(st.dates(date(1990, 1, 1), date(2098, 1, 1)), st.dates(date(1990, 1, 1), date(2098, 1, 1)))
def test_a_sitemap_of_a_day_or_month_in_the_range_is_always_read(day: date, other: date) -> None:
    days = Days(min(day, other), max(day, other))
    for name in (f"{day:%Y-%m-%d}", f"{day:%Y%m}", f"{day:%Y/%m/%d}/x", f"{day:%Y}"):
        assert may_hold(f"https://e.example/{name}", None, days)
