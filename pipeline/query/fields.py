"""How both engines name and number what they index, and how they weigh it: said once, so that they agree."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from pipeline.query.tree import DateField, IdField, TextField

TITLE_WEIGHT = 3.0
"""A word in the title counts as much as three in the body; judged by eye on news, not measured."""

OTHER_FIELDS_SHARE = 0.1
"""A word found in several fields scores by its best field; the others break ties."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def tokens_field(field: TextField) -> str:
    """Return the name of the index field that holds the tokens of ``field``."""
    return f"{field}_tokens"


def exact_field(field: IdField) -> str:
    """Return the name of the index field that holds the case-folded value of ``field``."""
    return f"{field}_exact"


STAGES_FIELD = "stages_exact"
"""Name of the index field that holds the values of ``Article.stages``."""


def microseconds_field(field: DateField) -> str:
    """Return the name of Elasticsearch's field that holds the time ``field`` exactly; its own dates hold less."""
    return f"{field}_microseconds"


def microseconds(moment: datetime) -> int:
    """Return microseconds since 1970 UTC, the unit of every time in the index; raises ``TypeError`` for a naive one."""
    return (moment - _EPOCH) // _MICROSECOND


def is_utf8(text: str) -> bool:
    """Whether the index can hold this text at all; half a surrogate pair, as from a bad command line, it cannot."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
