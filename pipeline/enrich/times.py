"""Times as an article promises them: aware, in UTC."""

from __future__ import annotations

from datetime import UTC
from typing import Final

import msgspec

from pipeline.article import Article
from pipeline.text.times import in_utc

_TIMES: Final = ("published", "updated", "first_seen", "fetched")


def with_utc_times(article: Article) -> Article:
    """Return the article with all its times in UTC; one without a zone is read as UTC.

    A record of ours has them so; JSON from elsewhere may hold any, and a naive time cannot even be compared.
    """
    times = {name: moment for name in _TIMES if (moment := getattr(article, name)) and moment.tzinfo is not UTC}
    if not times:
        return article
    return msgspec.structs.replace(article, **{name: in_utc(moment) for name, moment in times.items()})
