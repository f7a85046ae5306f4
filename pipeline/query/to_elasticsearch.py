"""From the query tree to Elasticsearch's Query DSL, over the fields of ``config/elasticsearch/articles-mappings.json``.

It selects exactly what ``pipeline.query.matcher`` selects; ``tests/contract/test_search_agreement.py`` holds the two
together. Needs no Elasticsearch client: a query is plain JSON.
"""

from __future__ import annotations

from typing import Any

from pipeline.query.analysis import tokens
from pipeline.query.fields import (
    OTHER_FIELDS_SHARE,
    STAGES_FIELD,
    TITLE_WEIGHT,
    exact_field,
    is_utf8,
    microseconds,
    microseconds_field,
    tokens_field,
)
from pipeline.query.tree import And, Between, Edition, Everything, Exact, Not, Or, Query, TextField, Words

Dsl = dict[str, Any]


def to_elasticsearch(query: Query) -> Dsl:  # noqa: PLR0911 -- one line a node
    """Return ``query`` in the Query DSL. A word of no token (``"…"``) selects nothing."""
    match query:
        case Words():
            return _words(query)
        case Exact(field, value):
            return {"term": {exact_field(field): value.casefold()}} if is_utf8(value) else {"match_none": {}}
        case Between():
            return _between(query)
        case Edition():
            names, wanted = query.names()
            found = {"terms": {STAGES_FIELD: list(names)}}
            return found if wanted else {"bool": {"must_not": [found]}}
        case Everything():
            return {"match_all": {}}
        case And():
            return _all_of(_flat(query, And))
        case Or():
            return {"bool": {"should": [to_elasticsearch(part) for part in _flat(query, Or)]}}
        case Not():
            return _not(query)


def _words(query: Words) -> Dsl:
    found = tokens(query.text)
    if not found:
        return {"match_none": {}}
    in_fields = [_adjacent(found, field) for field in query.fields]
    if len(in_fields) == 1:
        return in_fields[0]
    return {"dis_max": {"queries": in_fields, "tie_breaker": OTHER_FIELDS_SHARE}}


def _adjacent(found: list[str], field: TextField) -> Dsl:
    """Return the tokens side by side. Values of one field lie 100 positions apart, so a phrase never crosses two."""
    name, boost = tokens_field(field), TITLE_WEIGHT if field == "title" else 1.0
    if len(found) == 1:
        return {"term": {name: {"value": found[0], "boost": boost}}}
    return {"match_phrase": {name: {"query": " ".join(found), "boost": boost}}}


def _between(query: Between) -> Dsl:
    name = microseconds_field(query.field)
    bounds = {"gte": query.start, "lt": query.end}
    given = {edge: microseconds(moment) for edge, moment in bounds.items() if moment is not None}
    return {"range": {name: given}} if given else {"exists": {"field": name}}


def _all_of(parts: list[Query]) -> Dsl:
    """Return a conjunction; its negated parts are taken away from the others, or from everything."""
    wanted = [to_elasticsearch(part) for part in parts if not isinstance(part, Not)]
    unwanted = [to_elasticsearch(part.part) for part in parts if isinstance(part, Not)]
    return {"bool": {"must": wanted, "must_not": unwanted}}


def _not(query: Not) -> Dsl:
    """Return a negation. Two in a row cancel out: Elasticsearch nests ``bool`` 30 deep, our queries up to 50."""
    inner, negated = query.part, True
    while isinstance(inner, Not):
        inner, negated = inner.part, not negated
    found = to_elasticsearch(inner)
    return {"bool": {"must_not": [found]}} if negated else {"bool": {"filter": [found]}}


def _flat(query: And | Or, kind: type[And] | type[Or]) -> list[Query]:
    """Return the parts of ``query`` with those of equal nodes directly below it in their place."""
    parts: list[Query] = []
    for part in query.parts:
        parts += _flat(part, kind) if isinstance(part, kind) else [part]
    return parts
