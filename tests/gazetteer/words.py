"""Write ordinary_words.txt: the names that are words of a language too, after the word lists of simplemma.

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

LANGUAGES = "fr es it pt nl sv pl ru uk id".split()
"""Word lists with rare forms and many names: a name has to be in two of them. Those of English and German are clean."""


def _names(rows: list[Row]) -> set[str]:
    return {name.casefold() for row in rows for name in (row.name, *row.aliases) if name.isalpha()}


def ordinary(names: set[str], kept: set[str]) -> set[str]:
    """Return those of `names` that are words; a name of `kept` only where it is an English word."""
    english, german = ({word.decode() for word in word_list(language)} for language in ("en", "de"))
    others: Counter[str] = Counter()
    for language in LANGUAGES:
        words = {word.decode() for word in word_list(language)}
        others.update(name for name in names if name in words and name.capitalize() not in words)
    is_german = {name for name in names if name in german and name.capitalize() not in german}
    is_english = {name for name in names if name in english and name.capitalize() not in english}
    return is_english | ((is_german | {name for name, count in others.items() if count > 1}) - kept)


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
    found = ordinary(_names(cities.cities(none)) | surnames | organisations, kept)
    (build.EXCERPTS / "ordinary_words.txt").write_text("\n".join(sorted(found)) + "\n", encoding="utf-8")
