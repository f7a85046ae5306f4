"""The outer object of a stranger's JSON, read value by value, so that nothing but what is wanted is ever built.

A parser that builds all of it makes 600 MB of 20 MB of brackets, and a recursive one fails on 100,000 of them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

MAX_DEPTH = 64
MAX_TOKENS_PER_VALUE = 100_000
"""Strings, brackets and commas of one value that is decoded: some 10 MB of memory at most."""
MAX_TOKENS = 4_000_000
"""Of one value that is passed over: about 1 s."""
MAX_MEMBERS = 1_000
MAX_NUMBER_CHARACTERS = 100

_SPACE = re.compile(r"[ \t\r\n]*+")
_TOKEN = re.compile(r'"(?:[^"\\]++|\\.)*+"?|[\[\]{},]', re.DOTALL)
_SCALAR = re.compile(r"[^\s,\]}]*+")


class Number(str):
    """A number as it was written: the text of a stranger's number is bounded, and its value is not."""

    __slots__ = ()


class BrokenJson(ValueError):
    """This is not JSON, or more of it than is read; the message says which."""


def members(text: str) -> Iterator[tuple[str, int]]:
    """Yield the name of each member of the outer object, and where its value starts.

    The value is passed over when it has not been read; ``elements`` reads a list's elements one by one.

    Raises:
        BrokenJson: at the place where it is broken; what came before has been yielded.
    """
    at = _skip(text, 0)
    if text[at : at + 1] != "{":
        raise BrokenJson("not an object")
    for _ in range(MAX_MEMBERS):
        at = _skip(text, at + 1)
        if text[at : at + 1] == "}":
            return
        if text[at : at + 1] != '"':
            raise BrokenJson(f"no name of a member at character {at}")
        name = value(text, at)
        at = _skip(text, end_of(text, at))
        if text[at : at + 1] != ":":
            raise BrokenJson(f"no colon at character {at}")
        at = _skip(text, at + 1)
        yield name, at
        at = _skip(text, end_of(text, at, max_tokens=MAX_TOKENS))
        if text[at : at + 1] == "}":
            return
        if text[at : at + 1] != ",":
            raise BrokenJson(f"no comma at character {at}")
    raise BrokenJson(f"more than {MAX_MEMBERS:,} members")


def elements(text: str, at: int) -> Iterator[Any]:
    """Yield each element of the list at a place, decoded. Raises ``BrokenJson`` as ``members`` does."""
    if text[at : at + 1] != "[":
        return
    at = _skip(text, at + 1)
    while text[at : at + 1] != "]":
        yield value(text, at)
        at = _skip(text, end_of(text, at))
        if text[at : at + 1] == ",":
            at = _skip(text, at + 1)
        elif text[at : at + 1] != "]":
            raise BrokenJson(f"a list without an end at character {at}")


def value(text: str, at: int) -> Any:
    """Return the value at a place; a number as ``Number``, or None when absurdly long. Raises ``BrokenJson``."""
    try:
        return json.loads(text[at : end_of(text, at)], strict=False, parse_int=_number, parse_float=_number)
    except (ValueError, RecursionError) as error:
        raise BrokenJson(str(error)) from error


def end_of(text: str, at: int, *, max_tokens: int = MAX_TOKENS_PER_VALUE) -> int:
    """Return the place behind the value at ``at``. Raises ``BrokenJson`` when it is too deep, too large or unended."""
    if text[at : at + 1] not in {"{", "[", '"'}:
        found = _SCALAR.match(text, at)
        if found is None or found.end() == at:
            raise BrokenJson(f"no value at character {at}")
        return found.end()
    depth = 0
    for number, found in enumerate(_TOKEN.finditer(text, at)):
        if number > max_tokens:
            raise BrokenJson(f"a value of more than {max_tokens:,} parts")
        first = text[found.start()]
        depth += (first in "[{") - (first in "]}")
        if depth > MAX_DEPTH:
            raise BrokenJson(f"nested more than {MAX_DEPTH} deep")
        if depth <= 0:
            return found.end()
    raise BrokenJson("the end is missing")


def _skip(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return found.end() if found else at


def _number(written: str) -> Number | None:
    return Number(written) if len(written) <= MAX_NUMBER_CHARACTERS else None
