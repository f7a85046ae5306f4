"""From the text of a query to its tree, and back. ``docs/query.md`` describes the language.

::

    any     = all (OR all)*
    all     = one ([AND] one)*
    one     = (NOT | - | + | !) one  |  [field:] ( "(" any ")" | "phrase" | word | * | date | [date TO date] )

Query text is untrusted (rules come from files and forms), so length, terms and depth are bounded, and what a later
release will understand is refused now rather than taken for something else.
"""

from __future__ import annotations

import re
from datetime import datetime
from difflib import get_close_matches
from typing import Final, get_args

from pipeline.errors import QueryError
from pipeline.query.analysis import tokens
from pipeline.query.dates import period
from pipeline.query.tree import (
    DEFAULT_FIELDS,
    MAX_EDITION,
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
    StageName,
    TextField,
    Words,
)

MAX_CHARACTERS = 10_000
MAX_TERMS = 1_024
MAX_DEPTH = 50

_TEXT_FIELDS: Final[dict[str, TextField]] = {name: name for name in get_args(TextField)}
_ID_FIELDS: Final[dict[str, IdField]] = {name: name for name in get_args(IdField)}
_DATE_FIELDS: Final[dict[str, DateField]] = {name: name for name in get_args(DateField)}
_STAGE_FIELDS: Final[dict[str, StageName]] = {f"stages.{name}": name for name in get_args(StageName)}
FIELDS: Final = (*_TEXT_FIELDS, *_ID_FIELDS, *_DATE_FIELDS, *_STAGE_FIELDS)
_NAMED: Final = (*_TEXT_FIELDS, *_ID_FIELDS, *_DATE_FIELDS, "stages.text")

_MEANT: Final = {
    **dict.fromkeys(("organisation", "organization", "organisations", "company"), "org"),
    **dict.fromkeys(("people", "name"), "person"),
    **dict.fromkeys(("location", "city"), "place"),
    **dict.fromkeys(("language",), "lang"),
    **dict.fromkeys(("agency",), "origin"),
    **dict.fromkeys(("stage", "stages"), "stages.text"),
}
"""What people write for a field, and what it is called."""

QUOTES: Final = '"“”„‟＂'
"""Any of them opens a phrase and any closes it: word processors and telephones write the curly ones."""

_OPERATORS = {"AND": "AND", "OR": "OR", "NOT": "NOT", "&&": "AND", "||": "OR"}
_OPERATOR = re.compile(rf"(?:AND|OR|NOT)(?![^\s(){QUOTES}])|&&|\|\|")
_FIELD = re.compile(rf"([^\s(){QUOTES}\\:]+):")
# A quotation mark between Hebrew letters is part of an abbreviation, as for the analyser.
_INNER_QUOTE = r'(?<=[א-ת])"(?=[א-ת])'
_PHRASE = re.compile(rf"[{QUOTES}]((?:\\.|[^{QUOTES}\\]|{_INNER_QUOTE})*)[{QUOTES}]", re.DOTALL)
_WORD = re.compile(rf"(?:\\.|{_INNER_QUOTE}|(?!&&|\|\|)[^\s(){QUOTES}\\])+", re.DOTALL)
_RANGE = re.compile(r"([\[{])\s*(\S+?)\s+TO\s+(\S+?)\s*([\]}])")
_RESERVED = re.compile(r"\\.|([*?~^\[\]{}])|^(/)", re.DOTALL)
_LATER = {
    "*": "wildcards are not supported yet",
    "?": "wildcards are not supported yet",
    "~": "~ (fuzzy words, words near each other) is not supported yet",
    "^": "^ (boosting) is not supported yet",
    "/": "regular expressions are not supported yet",
}
_EDITION = re.compile(r"(<=?|>=?|)([0-9]{1,3})")
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)


def parse(text: str, now: datetime | None = None) -> Query:
    """Return the tree of ``text``; ``now`` is what relative dates are relative to, refused without it.

    Raises:
        QueryError: with the 0-based ``column`` of the fault and a message that says what to write instead.
    """
    if len(text) > MAX_CHARACTERS:
        raise QueryError(f"a query has at most {MAX_CHARACTERS:,} characters; this has {len(text):,}", MAX_CHARACTERS)
    return _Parser(text, now).whole()


class _Parser:
    """A place in the text; each method reads one thing from there and leaves the place after it."""

    def __init__(self, text: str, now: datetime | None) -> None:
        self.text = text
        self.now = now
        self.place = 0
        self.terms = 0

    def whole(self) -> Query:
        if not self.text.strip():
            raise _error("the query is empty; * selects every article", 0)
        query = self.any_of("", 1)
        if self.place < len(self.text):
            raise _error('this ")" closes nothing; remove it, or quote it', self.place)
        return query

    def any_of(self, field: str, depth: int) -> Query:
        parts = [self.all_of(field, depth)]
        while self.operator() == "OR":
            self.skip_operator()
            parts.append(self.all_of(field, depth, after="OR"))
        return parts[0] if len(parts) == 1 else Or(_flat(Or, parts))

    def all_of(self, field: str, depth: int, after: str = "") -> Query:
        parts = [self.one(field, depth, after)]
        while (operator := self.operator()) != "OR" and not self.at_end():
            if operator == "AND":
                self.skip_operator()
            parts.append(self.one(field, depth, "AND" if operator == "AND" else ""))
        return parts[0] if len(parts) == 1 else And(_flat(And, parts))

    def one(self, field: str, depth: int, after: str) -> Query:
        operator, column = self.operator(), self.place
        if depth > MAX_DEPTH:
            raise _error(f"parentheses and NOT nest at most {MAX_DEPTH} deep", column)
        if operator in ("AND", "OR"):
            raise _error(f"{operator} needs something before it, or quotation marks when the word is meant", column)
        if operator == "NOT":
            self.skip_operator()
            return Not(self.one(field, depth + 1, "NOT"))
        if self.at_end():
            raise self.nothing(column, depth, after)
        if self.text[column] in "+-!":
            return self.signed(field, depth)
        return self.operand(field, depth)

    def nothing(self, column: int, depth: int, after: str) -> QueryError:
        """Return what to say where something was wanted, and the text or the group ends."""
        if after:
            return _error(f"{after} needs something after it", column)
        if column == len(self.text):
            return _error('this "(" is never closed; add ")" or quote it', len(self.text.rstrip()) - 1)
        if depth == 1:
            return _error('this ")" closes nothing; remove it, or quote it', column)
        return _error("there is nothing between the parentheses", column)

    def signed(self, field: str, depth: int) -> Query:
        sign = self.text[self.place]
        self.place += 1
        if self.text[self.place : self.place + 1].strip() in ("", ")"):
            raise _error(f'"{sign}" must touch the word it belongs to; quote it when the sign is meant', self.place - 1)
        part = self.one(field, depth + 1, sign)
        return part if sign == "+" else Not(part)

    def operand(self, field: str, depth: int) -> Query:
        column = self.place
        if self.text[column] == "(":
            return self.group(field, depth)
        if self.text[column] == ":":
            raise _error("a colon needs the name of a field before it; quote it when it is meant", column)
        if named := _FIELD.match(self.text, column):
            return self.with_field(named[1], named.end(), depth)
        return self.leaf(field, column)

    def with_field(self, name: str, end: int, depth: int) -> Query:
        column, self.place = self.place, end
        following = self.text[end : end + 1]
        if name == "*" and following == "*":
            return self.leaf("", column + 2)
        if name not in FIELDS:
            raise _error(_unknown_field(name, self.text[column:]), column)
        if following == "(":
            return self.group(name, depth)
        if following.strip() in ("", ")"):
            raise _error(f"nothing follows {name}: (write it without a space, as {name}:word)", end)
        if following in "<>" and name not in (*_DATE_FIELDS, *_STAGE_FIELDS):
            compared = ", ".join(_DATE_FIELDS)
            raise _error(f"only dates ({compared}) and the editions of stages (stages.text) can be compared", end)
        if following in "+-!":
            raise _error(f'write "{following}" before the field: {following}{name}:word', end)
        return self.leaf(name, column)

    def group(self, field: str, depth: int) -> Query:
        opened = self.place
        self.place += 1
        query = self.any_of(field, depth + 1)
        if self.text[self.place : self.place + 1] != ")":
            raise _error('this "(" is never closed; add ")" or quote it', opened)
        self.place += 1
        return query

    def leaf(self, field: str, column: int) -> Query:
        """Read one word, phrase, date or range of dates; ``column`` is where its field began."""
        start = self.place
        if self.text[start] in "[{" and field in _DATE_FIELDS:
            return self.counted(self.date_range(_DATE_FIELDS[field]), 1, column)
        if self.text[start] in "[{" and field in _STAGE_FIELDS:
            return self.counted(self.edition_range(_STAGE_FIELDS[field]), 1, column)
        quoted = self.text[start] in QUOTES
        value = self.phrase() if quoted else self.word()
        if value == "*" and not quoted and not self.text[start:].startswith("\\"):
            query = self.star(field, start)
        elif field in _DATE_FIELDS:
            query = self.date(_DATE_FIELDS[field], value, start)
        elif field in _STAGE_FIELDS:
            query = _edition(_STAGE_FIELDS[field], value, start)
        elif field in _ID_FIELDS:
            query = _exact(_ID_FIELDS[field], value, start)
        else:
            fields = (_TEXT_FIELDS[field],) if field else DEFAULT_FIELDS
            count = len(tokens(value))
            if not count:
                raise _error(f"{_shown(value)} has no letter or digit to look for", start)
            return self.counted(Words(value, fields), count, column)
        return self.counted(query, 1, column)

    def counted(self, query: Query, terms: int, column: int) -> Query:
        self.terms += terms
        if self.terms > MAX_TERMS:
            raise _error(f"a query has at most {MAX_TERMS:,} words", column)
        return query

    def phrase(self) -> str:
        found = _PHRASE.match(self.text, self.place)
        if found is None:
            raise _error('this quotation mark is never closed; add one, or write \\" for the mark itself', self.place)
        self.place = found.end()
        if (following := self.text[self.place : self.place + 1]) and following in "~^":
            raise _error(_LATER[following], self.place)
        return _ESCAPE.sub(r"\1", found[1])

    def word(self) -> str:
        found = _WORD.match(self.text, self.place)
        if found is None:
            raise _error("a backslash needs a character after it", self.place)
        start, raw = self.place, found[0]
        self.place = found.end()
        if raw != "*":
            for reserved in _RESERVED.finditer(raw):
                if mark := reserved[1] or reserved[2]:
                    why = _LATER.get(mark, "ranges are for dates only, as published:[2024-03-01 TO 2024-03-15]")
                    raise _error(
                        f'{why}; for "{mark}" itself, quote the text or write \\{mark}', start + reserved.start()
                    )
        return _ESCAPE.sub(r"\1", raw)

    def star(self, field: str, column: int) -> Query:
        if not field:
            return Everything()
        if field in _DATE_FIELDS:
            return Between(_DATE_FIELDS[field])
        if field in _STAGE_FIELDS:
            return Edition(_STAGE_FIELDS[field], first=1)
        raise _error(f"{field}:* is not supported yet", column)

    def date(self, field: DateField, value: str, column: int) -> Query:
        sign = (re.match(r"[<>]=?", value) or [""])[0]
        start, end = self.period(value[len(sign) :], column + len(sign))
        match sign:
            case ">=":
                return Between(field, start, None)
            case ">":
                return Between(field, end, None)
            case "<=":
                return Between(field, None, end)
            case "<":
                return Between(field, None, start)
            case _:
                return Between(field, start, end)

    def date_range(self, field: DateField) -> Query:
        found = _RANGE.match(self.text, self.place)
        if found is None:
            raise _error(f"write a range as {field}:[2024-03-01 TO 2024-03-15], with * for an open end", self.place)
        column, self.place = self.place, found.end()
        start = end = None
        if found[2] != "*":
            start = self.period(found[2], found.start(2))[found[1] == "{"]
        if found[3] != "*":
            end = self.period(found[3], found.start(3))[found[4] == "]"]
        if start and end and start >= end:
            raise _error("this range holds nothing: it ends before it starts", column)
        return Between(field, start, end)

    def edition_range(self, stage: StageName) -> Query:
        found = _RANGE.match(self.text, self.place)
        column = self.place
        if found is None or found[1] + found[4] != "[]":
            raise _error(f"write a range of editions as stages.{stage}:[2 TO 6]", column)
        self.place = found.end()
        first, last = (_edition(stage, found[group], found.start(group)) for group in (2, 3))
        if first.first != first.last or last.first != last.last or first.first > last.first:
            raise _error("this range holds nothing: write two numbers, the lower one first", column)
        return Edition(stage, first.first, last.first)

    def period(self, value: str, column: int) -> tuple[datetime, datetime]:
        try:
            return period(value, self.now)
        except ValueError as error:
            raise _error(f"{_shown(value)}: {error}", column) from None

    def operator(self) -> str | None:
        """Go to the next thing and return which operator it is, if it is one."""
        while self.text[self.place : self.place + 1].isspace():
            self.place += 1
        found = _OPERATOR.match(self.text, self.place)
        return _OPERATORS[found[0]] if found else None

    def skip_operator(self) -> None:
        if found := _OPERATOR.match(self.text, self.place):
            self.place = found.end()

    def at_end(self) -> bool:
        return self.place == len(self.text) or self.text[self.place] == ")"


def _error(message: str, column: int) -> QueryError:
    return QueryError(f"at character {column + 1}: {message}", column)


def _shown(text: str) -> str:
    """Return hostile text as a message may hold it: short, on one line, nothing invisible."""
    shown = "".join(character if character.isprintable() else "\ufffd" for character in text[:40])
    return f'"{shown}{"…" if len(text) > 40 else ""}"'


def _flat(kind: type[And | Or], parts: list[Query]) -> tuple[Query, ...]:
    return tuple(inner for part in parts for inner in (part.parts if isinstance(part, kind) else (part,)))


def _exact(field: IdField, value: str, column: int) -> Query:
    if not value.strip():
        raise _error(f"{field}: needs a value", column)
    if field == "lane" and value.casefold() not in ("live", "backfill"):
        raise _error(f"{_shown(value)}: a lane is live or backfill", column)
    return Exact(field, value)


def _edition(stage: StageName, value: str, column: int) -> Edition:
    found = _EDITION.fullmatch(value)
    if found is None or int(found[2]) > MAX_EDITION:
        raise _error(
            f"{_shown(value)}: an edition is a number up to {MAX_EDITION}, alone or after <, <=, > or >=, "
            f"as stages.{stage}:<7",
            column,
        )
    number = int(found[2])
    first, last = {
        "": (number, number),
        "<": (0, number - 1),
        "<=": (0, number),
        ">": (number + 1, MAX_EDITION),
        ">=": (number, MAX_EDITION),
    }[found[1]]
    if first > last:
        raise _error(f"no edition is {_shown(value)}; the lowest is 0 and the highest {MAX_EDITION}", column)
    return Edition(stage, first, last)


def _unknown_field(name: str, rest: str) -> str:
    if re.match(r"[^\s:]+://", rest):
        address = _shown(rest.split(maxsplit=1)[0])
        return f"{_shown(name)} is not a field; an address must be quoted: url:{address}"
    meant = _MEANT.get(name.lower())
    near = [meant] if meant else get_close_matches(name.lower(), FIELDS, n=1, cutoff=0.5)
    hint = f"did you mean {near[0]}:?" if near else f"the fields are {', '.join(_NAMED)};"
    return f"{_shown(name)} is not a field; {hint} Quote the text when the colon is part of it"
