"""Which of the places of one name is meant, and which place an article is most about."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final

from pipeline.enrich.gazetteer_files import Row
from pipeline.enrich.mentions import Mention

LEAD_CHARACTERS: Final = 400
SMALL: Final = 150_000
"""People of a city below which its name says nothing by itself: a whale is called Toki, and so is a town in Japan. Its
country has to be in the news with it."""
_COUNTRY_TYPES: Final = frozenset({"country", "region", "state", "continent", "territory", "province"})


def chosen_rows(
    text: str, found: Sequence[Mention], rows: Sequence[Row], words: frozenset[str] | set[str]
) -> list[int]:
    """Return the row that each mention means, -1 for an unlisted one.

    ``words`` are the article's, folded, for the rows that want a context.
    """
    fitting = [_fitting(mention, rows, words) if mention.rows else () for mention in found]
    countries = _countries(
        rows[numbers[0]] for numbers in fitting if len(numbers) == 1 and not _is_small(rows[numbers[0]])
    )
    fitting = [
        tuple(n for n in numbers if not _is_small(rows[n]) or rows[n].country in countries) for numbers in fitting
    ]
    chosen: list[int] = []
    by_name: dict[tuple[int, ...], int] = {}
    for place, numbers in enumerate(fitting):
        behind = [other for other in _behind(text, found, place, fitting) if rows[other].type in _COUNTRY_TYPES]
        said = [number for number in numbers if any(lies_in(rows[number], rows[other]) for other in behind)]
        if behind and numbers and not said and all(rows[number].type == "city" for number in numbers):
            chosen.append(-1)  # "Moscow, Idaho", of which the gazetteer has only the other one
            continue
        if len(numbers) < 2:
            chosen.append(numbers[0] if numbers else -1)
            continue
        if said:
            by_name[numbers] = max(said, key=lambda number: rows[number].weight)
        elif numbers not in by_name:
            by_name[numbers] = max(numbers, key=lambda number: _rank(found[place], rows[number], countries))
        chosen.append(by_name[numbers])
    return chosen


def _is_small(row: Row) -> bool:
    """Whether this is a city that has to be near its country, and is not told so by words of its own."""
    return row.type == "city" and row.weight < SMALL and not row.context


def _fitting(mention: Mention, rows: Sequence[Row], words: frozenset[str] | set[str]) -> tuple[int, ...]:
    """Return the rows whose context, if they want one, the article has, those of the evident kind where there are."""
    numbers = mention.rows
    if any(rows[number].context for number in numbers):
        numbers = tuple(n for n in numbers if not rows[n].context or not words.isdisjoint(_lowered(rows[n].context)))
    if mention.kind and len(numbers) > 1:
        numbers = tuple(n for n in numbers if rows[n].kind == mention.kind) or numbers
    return numbers


def _lowered(context: Iterable[str]) -> list[str]:
    return [word.casefold() for word in context]


def _countries(rows: Iterable[Row]) -> Counter[str]:
    return Counter(row.country for row in rows if row.country)


def _behind(text: str, found: Sequence[Mention], place: int, fitting: Sequence[tuple[int, ...]]) -> tuple[int, ...]:
    """Return the rows of the place that a comma names after this one: "Paris, Texas"."""
    is_last = place + 1 >= len(found)
    return () if is_last or text[found[place].end : found[place + 1].start] != ", " else fitting[place + 1]


def lies_in(row: Row, other: Row) -> bool:
    """Return whether the place ``row`` is of the country or region ``other``."""
    if row.kind != "place" or other.kind != "place" or row.id == other.id or not row.country:
        return False
    return row.country == other.country and other.type in _COUNTRY_TYPES


def _rank(mention: Mention, row: Row, countries: Counter[str]) -> tuple[bool, int, bool, int]:
    """Return what makes a row the likelier: its own name, the countries named, a country over its capital, size."""
    is_own_name = row.name.casefold() == mention.text.casefold()
    return (is_own_name, countries[row.country] if row.country else 0, row.type == "country", row.weight)


def main_place(
    places: Sequence[tuple[Row, Sequence[tuple[int, int]], Sequence[tuple[int, int]]]], dateline: Sequence[Row]
) -> str:
    """Return the id of the place that an article is most about; empty when it names none that is known.

    ``places`` are the known places with where title and body name them, ``dateline`` those of the dateline.
    """
    scores: dict[str, float] = {}
    rows = {row.id: row for row, _, _ in places}
    for row, in_title, in_body in places:
        lead = any(start < LEAD_CHARACTERS for start, _ in in_body)
        scores[row.id] = 3.0 * bool(in_title) + 1.5 * lead + min(len(in_body), 10) * 0.5
    titled = {row.id for row, in_title, _ in places if in_title}
    for row in dateline:
        rows.setdefault(row.id, row)
        if not titled or row.id in titled or any(lies_in(row, rows[other]) for other in titled):
            return row.id
        scores[row.id] = scores.get(row.id, 0.0) + 2.0
    if not scores:
        return ""
    totals: Counter[str] = Counter()
    for key, score in scores.items():
        totals[rows[key].country or key] += score  # type: ignore[assignment]
    country = max(totals, key=lambda each: (totals[each], each))
    within = [key for key in scores if (rows[key].country or key) == country]
    cities = [key for key in within if rows[key].type not in _COUNTRY_TYPES]
    best = max(cities, key=lambda key: (scores[key], rows[key].weight, key), default="")
    broad = max(within, key=lambda key: (scores[key], rows[key].weight, key))
    return best if best and scores[best] >= 0.5 * scores[broad] else broad
