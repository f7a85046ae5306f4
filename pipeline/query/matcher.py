"""Whether one article matches a query, in memory: how rules meet the stream.

A document is analysed once for all rules, and only the fields that some rule looks at. A rule set that grows too large
to try one by one can be put behind an index of required words; ``Matcher.matches`` stays the last word on each.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import cached_property

from msgspec import Struct

from pipeline.article import Article
from pipeline.query.analysis import tokens
from pipeline.query.document import date_values, id_values, text_values
from pipeline.query.tree import (
    And,
    Between,
    DateField,
    Edition,
    Everything,
    Exact,
    IdField,
    Not,
    Or,
    Query,
    TextField,
    Words,
)


class FoundWords:
    """The words of some fields of one article."""

    def __init__(self, values: Sequence[Sequence[str]]) -> None:
        self.words = frozenset(word for value in values for word in value)
        # No token holds white space, so that a phrase stands in one value exactly when it is a substring of this line.
        self.line = "\n".join(f" {' '.join(value)} " for value in values)


class MatchDocument:
    """An article as the matcher sees it; its fields are analysed when first asked for."""

    def __init__(self, article: Article) -> None:
        self.article = article
        self._values: dict[TextField, list[list[str]]] = {}
        self._found: dict[tuple[TextField, ...], FoundWords] = {}

    @classmethod
    def of(cls, article: Article) -> MatchDocument:
        """Return ``article`` ready to be matched against any number of queries."""
        return cls(article)

    @cached_property
    def _texts(self) -> dict[TextField, tuple[str, ...]]:
        return text_values(self.article)

    @cached_property
    def ids(self) -> dict[IdField, tuple[str, ...]]:
        """The values of id fields, case folded."""
        return id_values(self.article)

    @cached_property
    def times(self) -> dict[DateField, datetime]:
        """The times it has."""
        return date_values(self.article)

    def found(self, fields: tuple[TextField, ...]) -> FoundWords:
        """Return the words of these fields together."""
        found = self._found.get(fields)
        if found is None:
            found = self._found[fields] = FoundWords([value for field in fields for value in self._field(field)])
        return found

    def _field(self, field: TextField) -> list[list[str]]:
        if field not in self._values:
            self._values[field] = [tokens(value) for value in self._texts.get(field, ())]
        return self._values[field]


Test = Callable[[MatchDocument], bool]


class Matcher(Struct, frozen=True):
    """A query that can be asked of documents."""

    query: Query
    test: Test

    def matches(self, document: MatchDocument) -> bool:
        """Whether ``query`` selects ``document``: what a search with the same text would find."""
        return self.test(document)


def compile_matcher(query: Query) -> Matcher:
    """Return the matcher of ``query``. Words that analyse to nothing match nothing."""
    return Matcher(query, _test(query))


def _test(query: Query) -> Test:  # noqa: PLR0911 -- one line a node
    match query:
        case Words():
            return _words(query)
        case Exact():
            return _exact(query)
        case Between():
            return _between(query)
        case Edition():
            return _edition(query)
        case Everything():
            return lambda _document: True
        case And():
            return _every([_test(part) for part in query.parts])
        case Or():
            return _some([_test(part) for part in query.parts])
        case Not():
            inner = _test(query.part)
            return lambda document: not inner(document)


def _every(tests: list[Test]) -> Test:
    def every(document: MatchDocument) -> bool:
        for test in tests:  # noqa: SIM110 -- all() over a generator takes twice as long, and this is run for every rule
            if not test(document):
                return False
        return True

    return every


def _some(tests: list[Test]) -> Test:
    def some(document: MatchDocument) -> bool:
        for test in tests:  # noqa: SIM110 -- as above
            if test(document):
                return True
        return False

    return some


def _words(query: Words) -> Test:
    words, fields = tokens(query.text), query.fields
    if not words:
        return lambda _document: False
    if len(words) == 1:
        word = words[0]
        return lambda document: word in document.found(fields).words
    phrase, needed = f" {' '.join(words)} ", frozenset(words)

    def has_phrase(document: MatchDocument) -> bool:
        found = document.found(fields)
        return needed <= found.words and phrase in found.line

    return has_phrase


def _exact(query: Exact) -> Test:
    field, value = query.field, query.value.casefold()
    return lambda document: value in document.ids.get(field, ())


def _edition(query: Edition) -> Test:
    names, wanted = query.names()
    asked = frozenset(names)
    return lambda document: asked.isdisjoint(document.article.stages) != wanted


def _between(query: Between) -> Test:
    field, start, end = query.field, query.start, query.end

    def is_between(document: MatchDocument) -> bool:
        time = document.times.get(field)
        return time is not None and (start is None or start <= time) and (end is None or time < end)

    return is_between
