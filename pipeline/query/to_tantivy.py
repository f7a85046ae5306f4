"""From the query tree to a query of tantivy, over the fields that ``pipeline.adapters.tantivy_index`` writes.

It selects exactly what ``pipeline.query.matcher`` selects; ``tests/contract/test_search_agreement.py`` holds the two
together.
"""

from __future__ import annotations

from tantivy import FieldType, Occur, Schema
from tantivy import Query as TantivyQuery

from pipeline.query.analysis import tokens
from pipeline.query.fields import (
    OTHER_FIELDS_SHARE,
    STAGES_FIELD,
    TITLE_WEIGHT,
    exact_field,
    is_utf8,
    microseconds,
    tokens_field,
)
from pipeline.query.tree import And, Between, Edition, Everything, Exact, Not, Or, Query, TextField, Words


def to_tantivy(query: Query, schema: Schema) -> TantivyQuery:  # noqa: PLR0911 -- one line a node
    """Return ``query`` as tantivy's own. A word of no token (``"…"``) selects nothing."""
    match query:
        case Words():
            return _words(query, schema)
        case Exact(field, value):
            if not is_utf8(value):
                return TantivyQuery.empty_query()
            return TantivyQuery.term_query(schema, exact_field(field), value.casefold())
        case Between():
            return _between(query, schema)
        case Edition():
            return _edition(query, schema)
        case Everything():
            return TantivyQuery.all_query()
        case And(parts):
            return _all_of(parts, schema)
        case Or(parts):
            return TantivyQuery.boolean_query([(Occur.Should, to_tantivy(part, schema)) for part in parts])
        case Not():
            return _all_of((query,), schema)


def _edition(query: Edition, schema: Schema) -> TantivyQuery:
    names, wanted = query.names()
    found = TantivyQuery.term_set_query(schema, STAGES_FIELD, list(names))
    if wanted:
        return found
    return TantivyQuery.boolean_query([(Occur.Must, TantivyQuery.all_query()), (Occur.MustNot, found)])


def _words(query: Words, schema: Schema) -> TantivyQuery:
    found = tokens(query.text)
    if not found:
        return TantivyQuery.empty_query()
    in_fields = [_adjacent(found, field, schema) for field in query.fields]
    if len(in_fields) == 1:
        return in_fields[0]
    return TantivyQuery.disjunction_max_query(in_fields, OTHER_FIELDS_SHARE)


def _adjacent(found: list[str], field: TextField, schema: Schema) -> TantivyQuery:
    name = tokens_field(field)
    if len(found) == 1:
        wanted = TantivyQuery.term_query(schema, name, found[0])
    else:
        # Values of one field lie one position apart (tantivy's POSITION_GAP), so a phrase never crosses two of them.
        wanted = TantivyQuery.phrase_query(schema, name, list(found))
    return TantivyQuery.boost_query(wanted, TITLE_WEIGHT) if field == "title" else wanted


def _between(query: Between, schema: Schema) -> TantivyQuery:
    start = None if query.start is None else microseconds(query.start)
    end = None if query.end is None else microseconds(query.end)
    if start is None and end is None:
        return TantivyQuery.exists_query(query.field)
    return TantivyQuery.range_query(
        schema, query.field, FieldType.Integer, start, end, include_lower=True, include_upper=end is None
    )


def _all_of(parts: tuple[Query, ...], schema: Schema) -> TantivyQuery:
    """Return a conjunction; its negated parts are taken away from the others, or from everything."""
    clauses = [
        (Occur.MustNot, to_tantivy(part.part, schema))
        if isinstance(part, Not)
        else (Occur.Must, to_tantivy(part, schema))
        for part in parts
    ]
    if all(isinstance(part, Not) for part in parts):
        clauses.append((Occur.Must, TantivyQuery.all_query()))
    return TantivyQuery.boolean_query(clauses)
