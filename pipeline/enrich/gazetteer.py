"""The gazetteer: every known name in one automaton, matched on the words that search and rules compare too.

Matching on words that are folded as a query's are (``pipeline.query.analysis``) makes one of spellings that differ in
case, diacritics, apostrophes or Arabic letter forms, and never finds a name within a word.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import reduce
from pathlib import Path
from typing import Final, NamedTuple

from ahocorasick_rs import AhoCorasick, Implementation, MatchKind
from msgspec.structs import replace

from pipeline.enrich.gazetteer_files import OWN, Row, load_own_rows, names_of, shipped_rows
from pipeline.enrich.name_words import function_words
from pipeline.enrich.placed_words import PlacedWords, placed_words
from pipeline.query.analysis import joined
from pipeline.settings import shipped_config

_GIVEN: Final = ("type", "country", "latitude", "longitude", "weight", "context")
_SEPARATOR: Final = "ꙮ"
"""Between names that are folded in one go, which is four times faster: a letter that stands in no name."""
_MAX_WORDS: Final = 20
_JOINING: Final = frozenset(
    ["", " ", "\n", "-", "‐", "‑", "–", "'", "’", ".", "·", "•", "・", " & ", "/", "\u00a0", "\u200c", " - "]
)
"""What may stand between the words of one name."""
_SHORTENED_CHARACTERS: Final = 3
"""Of what ends in a full stop within a name: "St. Louis"."""
_ACRONYM_CHARACTERS: Final = 6
"""Up to which a name in capitals is found only in capitals: WHO is not who."""


_APOSTROPHES: Final = frozenset("'’‘ʼ`´")


class Found(NamedTuple):
    """A known name at ``text[start:end]``, and the rows that have it: several when it is the name of several."""

    start: int
    end: int
    rows: tuple[int, ...]
    words: int


class Gazetteer:
    """Known names, compiled once; ``rows`` are in the order given, a user's own last.

    A user's row with the id of another, or with its name and kind and no id of its own, adds to that one.
    """

    def __init__(self, rows: Sequence[Row], own: Sequence[Row] = ()) -> None:
        extended, new = _extended(rows, own)
        self.rows: Final = (*extended, *new)
        self.own: Final = frozenset(row.id for row in new)
        by_name, self._acronyms = _by_name(self.rows, self.own)
        self._candidates: Final = tuple(by_name.values())
        # One with doubled spaces would let two neighbours share a space, and only the first would be found.
        self._automaton: Final = _automaton([f" {name} " for name in _doubled(by_name)])
        self.by_id: Final = {row.id: number for number, row in enumerate(self.rows)}

    def find(self, text: str) -> list[Found]:
        """Return the known names in ``text``, in order: at each place the longest, none overlapping another."""
        return self._find_in(text, placed_words(text))

    def _find_in(self, text: str, placed: PlacedWords) -> list[Found]:
        compared = f" {'  '.join(placed.words)} "
        found = []
        behind = last = 0
        for name, start, end in self._automaton.find_matches_as_indexes(compared):
            first = behind + compared.count(" ", last, start) // 2  # each word stands between two spaces
            behind, last = first + compared.count(" ", start, end) // 2, end
            if apart := _apart(text, placed, first, behind):
                found += self._find_in(text, placed.part(first, apart))
                found += self._find_in(text, placed.part(apart, behind))
                continue
            place = _trimmed(text, int(placed.starts[first]), int(placed.ends[behind - 1]))
            if name not in self._acronyms or text[slice(*place)].isupper():
                found.append(Found(*place, self._candidates[name], behind - first))
        return found

    def named(self, name: str) -> tuple[int, ...]:
        """Return the rows that have exactly this name, in any of its spellings."""
        words = "  ".join(joined(name).split(" "))
        matches = self._automaton.find_matches_as_indexes(f" {words} ")
        if len(matches) == 1 and matches[0][1:] == (0, len(words) + 2):
            return self._candidates[matches[0][0]]
        return ()


def load_gazetteer(own_folder: Path | None = None) -> Gazetteer:
    """Return the gazetteer that is shipped with the names of ``own_folder`` (``config/entities``) added.

    Raises:
        UsageError: a file of ``own_folder`` cannot be used; says where and why.
    """
    own = load_own_rows(own_folder) if own_folder else []
    return Gazetteer(shipped_rows(shipped_config() / "gazetteer"), own)


def _extended(rows: Sequence[Row], own: Sequence[Row]) -> tuple[Sequence[Row], Sequence[Row]]:
    """Return the rows with what a user's rows add to them, and those of the user's that are of nobody else."""
    if not own:
        return rows, ()
    wanted = {row.name.casefold() for row in own}
    ids = {row.id for row in rows}
    holders: dict[tuple[str, str], set[str]] = {}
    for row in rows:
        for name in {name.casefold() for name in names_of(row)} & wanted:
            holders.setdefault((row.kind, name), set()).add(row.id)
    added: dict[str, list[Row]] = {}
    new: dict[str, Row] = {}
    for row in own:
        named = holders.get((row.kind, row.name.casefold()), set()) if row.id.startswith(OWN) else set()
        if row.id in ids:
            added.setdefault(row.id, []).append(row)
        elif len(named) == 1:
            added.setdefault(next(iter(named)), []).append(row)
        else:
            new[row.id] = row
    return [reduce(_with, added.get(row.id, ()), row) for row in rows], tuple(new.values())


def _with(row: Row, more: Row) -> Row:
    """Return a row with what a user says of it: more names, and what he says otherwise."""
    given = {name: value for name in _GIVEN if (value := getattr(more, name)) not in {"", 0, None, ()}}
    name = row.name if more.id.startswith(OWN) else more.name
    aliases = dict.fromkeys((*row.aliases, row.name, more.name, *more.aliases))
    aliases.pop(name, None)
    return replace(row, name=name, aliases=tuple(aliases), **given)


def _automaton(patterns: Sequence[str]) -> AhoCorasick:
    return AhoCorasick(
        patterns or [" \0 "],  # no text has this word
        matchkind=MatchKind.LeftmostLongest,
        store_patterns=False,
        implementation=Implementation.ContiguousNFA,  # a DFA of as many names takes gigabytes
    )


def _by_name(rows: Sequence[Row], own: frozenset[str]) -> tuple[dict[str, tuple[int, ...]], frozenset[int]]:
    """Return the rows of each folded name, and which of these names (by number) are short and always in capitals.

    Where a user has a name, nobody else has it.
    """
    collected: dict[str, list[int]] = {}
    written: dict[str, bool] = {}
    names = [(number, name) for number, row in enumerate(rows) for name in names_of(row)]
    ordinary = function_words("")
    for (number, name), form in zip(names, _folded([name for _, name in names]), strict=True):
        is_acronym = len(form) <= _ACRONYM_CHARACTERS and name.isupper()
        if not form or form.count(" ") >= _MAX_WORDS:
            continue
        if form in ordinary and not is_acronym and rows[number].id not in own:
            continue  # "And" is a party's short name
        holders = collected.setdefault(form, [])
        if not holders or holders[-1] != number:
            holders.append(number)
        written[form] = written.get(form, True) and is_acronym
    acronyms = frozenset(number for number, form in enumerate(collected) if written[form])
    return {form: _preferred(holders, rows, own) for form, holders in collected.items()}, acronyms


def _preferred(holders: list[int], rows: Sequence[Row], own: frozenset[str]) -> tuple[int, ...]:
    distinct = tuple(dict.fromkeys(holders)) if len(holders) > 1 else (holders[0],)
    if len(distinct) == 1 or not own:
        return distinct
    return tuple(number for number in distinct if rows[number].id in own) or distinct


def _folded(listed: Sequence[str]) -> list[str]:
    together = joined(f" {_SEPARATOR} ".join(listed)).split(_SEPARATOR)
    if len(together) == len(listed):
        return [name.strip() for name in together]
    return [joined(name) for name in listed]


def _doubled(names: Iterable[str]) -> Iterator[str]:
    return (name.replace(" ", "  ") for name in names)


def _apart(text: str, placed: PlacedWords, first: int, behind: int) -> int:
    """Return the word of a match before which something parts it from the others ("New York. City"); 0: nothing does.

    What is compared are words, without what stands between them.
    """
    for word in range(first + 1, behind):
        gap = text[placed.ends[word - 1] : placed.starts[word]]
        if gap not in _JOINING and not (gap == ". " and len(placed.words[word - 1]) <= _SHORTENED_CHARACTERS):
            return word
    return 0


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    """Leave out a possessive 's, which is part of the word that was compared; take in the last stop of an acronym."""
    if text[start : start + 4] == "the " and end - start > 4:
        start += 4
    if text[end - 1 : end] in {"s", "S"} and text[end - 2] in _APOSTROPHES and end - start > 2:
        return start, end - 2
    if text[end : end + 1] == "." and text[end - 2 : end - 1] == "." and text[end - 1 : end].isalpha():
        return start, end + 1
    return start, end
