"""When a page that was fetched well is visited again: often while its article is young, and then no more."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from pipeline.article import Article

LEAST_WAIT = timedelta(minutes=10)
"""Between two visits, however late the first one was."""


def next_visit(article: Article, now: datetime, hours: Sequence[float]) -> datetime | None:
    """Return when the page is due next, by its article's age in ``hours``; None: never again.

    An article is as old as its outlet says or as we know, whichever is more: what a feed still shows from last week is
    not visited. A date in the future (the poll clamps it, a stranger's record may not) makes it no younger.
    """
    if article.first_seen is None:
        return None
    born = min(article.first_seen, article.published) if article.published else article.first_seen
    times = [born + timedelta(hours=each) for each in hours]
    return min((time for time in times if time >= now + LEAST_WAIT), default=None)
