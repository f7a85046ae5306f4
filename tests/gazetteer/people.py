"""One row a person: who is in several sources is merged, and the surname of the best known is a name of its own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from difflib import SequenceMatcher
from functools import cache
from itertools import chain

from gazetteer.row import BETWEEN, Row, with_aliases

from pipeline.query.analysis import joined, tokens

KNOWN_BY_SURNAME = 90
"""The weight from which a surname alone may be enough: heads of state and government."""
SHORTEST_SURNAME = 5
SAME_LAST, SAME_FIRST = 0.8, 0.75
"""How alike two transcriptions of the last and first words of a name are: Zhaparov, Japarov; Mostafa, Moustafa."""
ONLY_EXACT = frozenset("CN HK JP KP KR MM TW VN AE BH KW OM QA SA".split())
"""Where two people's names are as alike as two transcriptions of one: Li Keqiang, Li Qiang; families of the Gulf."""


@cache
def _words(name: str) -> tuple[str, ...]:
    return tuple(tokens(name))


def _alike(one: str, other: str) -> float:
    return SequenceMatcher(None, one, other).ratio()


def _is_same_name(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    """Whether these are one name in two transcriptions, with or without the names between the first and the last."""
    if min(len(one), len(other)) < 2 or (one[0][:1] != other[0][:1] and one[-1] != other[-1]):
        return False
    return (
        _alike(one[-1], other[-1]) >= SAME_LAST
        and _alike(one[0], other[0]) >= SAME_FIRST
        and (min(len(one), len(other)) == 2 or _alike(" ".join(one), " ".join(other)) >= SAME_LAST)
    )


def _is_same_person(one: Row, other: Row) -> bool:
    names = [_words(name) for name in (one.name, *one.aliases)]
    others = [_words(name) for name in (other.name, *other.aliases)]
    if any(sorted(first) == sorted(second) for first in names for second in others):
        return True
    return one.country not in ONLY_EXACT and any(_is_same_name(first, second) for first in names for second in others)


def _joined_rows(old: Row, row: Row) -> Row:
    sources = old.source.split(BETWEEN)
    sources += [key for key in row.source.split(BETWEEN) if key not in sources]
    more = with_aliases(old, (row.name, *row.aliases))
    return replace(
        more, weight=max(old.weight, row.weight), country=old.country or row.country, source=BETWEEN.join(sources)
    )


def merged(*sources: Iterable[Row], same: Mapping[str, str]) -> list[Row]:
    """Return one row a person, with the id and the name of the first source that has it, and the names of all.

    Two rows are one person if they have one id, if `same` says so, or if they have one country and names that are
    alike: two countries have two people of many a name.
    """
    known: list[Row] = []
    of_country: dict[str, list[int]] = {}
    place_of: dict[str, int] = {}
    for row in chain(*sources):
        place = place_of.get(same.get(row.id, row.id))
        if place is None and row.country and row.id not in same:
            place = next((at for at in of_country.get(row.country, ()) if _is_same_person(known[at], row)), None)
        if place is None:
            place = len(known)
            known.append(row)
            of_country.setdefault(row.country, []).append(place)
        else:
            known[place] = _joined_rows(known[place], row)
        place_of[row.id] = place
    return known


def with_surnames(
    people: list[Row], marked: Mapping[str, str], taken: frozenset[str], small: frozenset[str]
) -> list[Row]:
    """Return `people` with the surname of who is well known, where no other row has it and it is not a word or a place.

    `marked` has the surname by folded name where a source says which word it is; else it is the last. Leaders of the
    countries in `small` are too seldom in the news for their surnames alone.
    """
    bearers = Counter(word for person in people for word in set(tokens(person.name)[-1:] + tokens(person.name)[:1]))
    result = []
    for person in people:
        words = tokens(person.name)
        surname = next((marked[joined(name)] for name in (person.name, *person.aliases) if joined(name) in marked), "")
        surname = surname or (person.name.split()[-1] if len(words) > 1 else "")
        folded = joined(surname)
        is_last = person.country not in ONLY_EXACT
        fits = (
            is_last
            and person.country not in small
            and person.weight >= KNOWN_BY_SURNAME
            and len(folded) >= SHORTEST_SURNAME
            and " " not in folded
        )
        if fits and bearers[folded] <= 1 and folded not in taken:
            person = with_aliases(person, [surname])  # noqa: PLW2901
        result.append(person)
    return result
