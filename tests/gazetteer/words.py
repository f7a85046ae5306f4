"""Write ordinary_words.txt and doubtful_aliases.txt: names that are words too, after the word lists of simplemma.

`pip install simplemma==2.0.0`, then `PYTHONPATH=tests python tests/gazetteer/words.py`. It is not a dependency of the
project: what matters is the short list of names that it leaves, which is read and kept here.
"""

from __future__ import annotations

from collections import Counter

from gazetteer import build, cities, companies, countries, factbook, offices
from gazetteer.row import Row
from simplemma.strategies.dictionaries.dictionary_factory import (  # type: ignore[import-not-found]
    _load_dictionary_from_disk as word_list,
)

from pipeline.query.analysis import joined

LANGUAGES = "fr es it pt nl sv pl ru uk".split()
"""Word lists with rare forms and many names: a name has to be in two of them. English, German, Indonesian are clean."""


def _names(rows: list[Row]) -> set[str]:
    written = {name for row in rows for name in (row.name, *row.aliases)}
    names = {name.casefold() for name in written} | {joined(name) for name in written}
    return {name for name in names if name.replace(" ", "").isalpha()}


def _words(language: str) -> set[str]:
    return {word.decode() for word in word_list(language)}


def _found(names: set[str], words: set[str]) -> set[str]:
    """Return those of `names` that are words, and not names in the word list too."""
    return {name for name in names if name in words and name.capitalize() not in words}


def ordinary(names: set[str], kept: set[str]) -> tuple[set[str], set[str]]:
    """Return those of `names` that are words, and those that may be: enough not to be another name of something.

    Where all words of a longer name are English ones, it is a translation: "White House" for Casablanca. A name of
    `kept` is a word only where it is one in English.
    """
    english = _words("en")
    others: Counter[str] = Counter()
    for language in LANGUAGES:
        others.update(_found(names, _words(language)))
    phrases = {name for name in names if " " in name and all(word in english for word in name.split())}
    several = {name for name, count in others.items() if count > 1}
    single = {name for name in names if " " not in name}
    sure = _found(single, english) | _found(single, _words("id")) | ((_found(single, _words("de")) | several) - kept)
    return sure, (others.keys() | phrases | (names & english)) - kept - sure


if __name__ == "__main__":
    none: frozenset[str] = frozenset()
    known_cities = {name.casefold() for names in cities.exemplars().values() for name in names}
    kept = known_cities | _names(countries.countries())
    people = [*offices.office_holders(build.EXCERPTS), *(row for row, _ in factbook.leaders(build.EXCERPTS))]
    surnames = {row.name.split()[-1].casefold() for row in people}
    acronyms = {
        alias.casefold() for row in factbook.parties(build.EXCERPTS) for alias in row.aliases if alias.isalpha()
    }
    organisations = acronyms | _names([*companies.listed(build.EXCERPTS), *companies.brands(build.EXCERPTS, none)])
    of_places = _names([*cities.cities(none), *countries.countries()])
    sure, perhaps = ordinary(of_places | surnames | organisations, kept)
    for file, found in (("ordinary_words.txt", sure), ("doubtful_aliases.txt", perhaps & of_places)):
        (build.EXCERPTS / file).write_text("\n".join(sorted(found)) + "\n", encoding="utf-8")
