"""Which months of the index are past their time. Months are dropped whole: an index cannot forget half of itself."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta


def is_past(month: str, now: datetime, keep_days: int) -> bool:
    """Whether everything first seen in ``month`` (``YYYY-MM``) is older than ``keep_days``; 0 keeps for ever."""
    if not keep_days:
        return False
    following = datetime.strptime(month, "%Y-%m").replace(tzinfo=UTC) + timedelta(days=32)
    return following.replace(day=1) <= now - timedelta(days=keep_days)


def past_months(months: Iterable[str], now: datetime, keep_days: int) -> Sequence[str]:
    """Return the months that are to be dropped, oldest first."""
    return sorted(month for month in months if is_past(month, now, keep_days))
