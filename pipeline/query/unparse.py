"""From a tree back to text: one way of writing each query, which ``parse`` reads back as the same tree."""

from __future__ import annotations

import re

from pipeline.query.dates import moment, shortest
from pipeline.query.parse import QUOTES
from pipeline.query.tree import (
    DEFAULT_FIELDS,
    MAX_EDITION,
    And,
    Between,
    Edition,
    Everything,
    Exact,
    Not,
    Or,
    Query,
    Words,
)

_PLAIN = re.compile(r"(?!(?:AND|OR|NOT)\Z)[^\W_]+")
_SPECIAL = re.compile(rf"[{QUOTES}\\]")


def unparse(query: Query) -> str:  # noqa: PLR0911 -- one line a node
    """Return the canonical text of ``query``; ``parse(unparse(parse(text)))`` is ``parse(text)``."""
    match query:
        case Words():
            return _words(query)
        case Exact():
            return f"{query.field}:{_quoted(query.value)}"
        case Between():
            return _between(query)
        case Edition():
            return _edition(query)
        case Everything():
            return "*"
        case And():
            return " AND ".join(f"({unparse(part)})" if isinstance(part, Or) else unparse(part) for part in query.parts)
        case Or():
            return " OR ".join(map(unparse, query.parts))
        case Not():
            inner = unparse(query.part)
            return f"NOT ({inner})" if isinstance(query.part, And | Or) else f"NOT {inner}"


def _edition(query: Edition) -> str:
    name = f"stages.{query.stage}:"
    if query.first == query.last:
        return f"{name}{query.first}"
    upper = f"{name}<={query.last}"
    if query.first == 0 and query.last < MAX_EDITION:
        return upper
    lower = f"{name}>={query.first}"
    return lower if query.last == MAX_EDITION else f"{name}[{query.first} TO {query.last}]"


def _words(query: Words) -> str:
    text = _quoted(query.text)
    if query.fields == DEFAULT_FIELDS:
        return text
    each = [f"{field}:{text}" for field in query.fields]
    return each[0] if len(each) == 1 else f"({' OR '.join(each)})"


def _quoted(text: str) -> str:
    if _PLAIN.fullmatch(text):
        return text
    return '"' + _SPECIAL.sub(r"\\\g<0>", text) + '"'


def _between(query: Between) -> str:
    start, end = query.start, query.end
    if start is None and end is None:
        return f"{query.field}:*"
    if end is None and start is not None:
        return f"{query.field}:>={moment(start)}"
    if start is None and end is not None:
        return f"{query.field}:<{moment(end)}"
    assert start is not None
    assert end is not None
    return f"{query.field}:{shortest(start, end) or f'[{moment(start)} TO {moment(end)}}}'}"
