"""Who held an office that news name: heads of state and government, ministers, speakers (queries of Wikidata)."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from babel import Locale
from gazetteer.row import Row, distinct, read_table

# How likely a person of this office is meant where only a name is written; the first that fits.
_WEIGHTS = (
    (re.compile(r"^(acting |interim )?(president|prime minister|chancellor|monarch|supreme leader)$", re.I), 90),
    (
        re.compile(
            r"^(president|prime minister|chancellor|emir|king|queen|monarch|taoiseach|sultan) of "
            r"(?!.*\b(senate|chamber|house|council|assembly|court|board|bank|treasury|parliament|congress|conference|academy)\b)",
            re.I,
        ),
        90,
    ),
    (re.compile(r"^secretary.general of the united nations$|^president of the european", re.I), 90),
    (re.compile(r"deputy|vice|speaker", re.I), 50),
    (
        re.compile(
            r"foreign|external (affairs|relations)|defen[cs]e|secretary of state$|chief of (the )?(general )?staff$",
            re.I,
        ),
        70,
    ),
    (
        re.compile(
            r"finance|treasury|interior|home|justice|security|opposition|intelligence|central bank|premier", re.I
        ),
        50,
    ),
)


@cache
def _codes() -> dict[str, str]:
    codes = {name: code for code, name in Locale("en").territories.items() if len(code) == 2}
    other = {
        "People's Republic of China": "CN", "Republic of Ireland": "IE", "State of Palestine": "PS", "Myanmar": "MM",
        "Democratic Republic of the Congo": "CD", "Republic of the Congo": "CG", "Ivory Coast": "CI",
        "East Timor": "TL",
        "The Gambia": "GM", "The Bahamas": "BS", "Czech Republic": "CZ", "Kingdom of the Netherlands": "NL",
        "Turkey": "TR",
        "Federated States of Micronesia": "FM", "São Tomé and Príncipe": "ST", "Bosnia and Herzegovina": "BA",
        "Saint Kitts and Nevis": "KN", "Saint Lucia": "LC", "Saint Vincent and the Grenadines": "VC", "Eswatini": "SZ",
        "Trinidad and Tobago": "TT", "Antigua and Barbuda": "AG", "Abkhazia": "", "South Ossetia": "",
    }  # fmt: skip
    return codes | other


def _weight(position: str) -> int:
    return next((weight for pattern, weight in _WEIGHTS if pattern.search(position)), 30)


def _native(name: str) -> list[str]:
    """Return a Russian or Ukrainian name without the patronymic, the first name first; another name as it is."""
    last, comma, first = name.partition(", ")
    words = (f"{first} {last}" if comma else name).split()
    patronymic = next((place for place, word in enumerate(words) if re.search("(вич|вна|ична)$", word)), None)
    if len(words) != 3 or patronymic not in {1, 2}:
        return [" ".join(words)]
    return [f"{words[0]} {words[2]}"] if patronymic == 1 else [f"{words[1]} {words[0]}"]


def office_holders(folder: Path) -> list[Row]:
    """Return a row for each person, of the weight of the greatest office, with the names in the country's script."""
    native: dict[str, list[str]] = {}
    for line in read_table(folder / "native_names.csv"):
        native.setdefault(line["person"], []).extend(_native(line["name"]))
    people: dict[str, Row] = {}
    for line in read_table(folder / "offices.csv"):
        name = re.sub(r"\s*\(.*?\)", "", line["name"])
        if not re.match("[A-Za-zÀ-ỹ]", name) or re.fullmatch(r"Q\d+", name):
            continue
        country = line["country"] if re.fullmatch("[A-Z]{2}|", line["country"]) else _codes().get(line["country"], "")
        known = people.get(line["person"])
        weight = max(_weight(line["position"]), known.weight if known else 0)
        names = distinct([*([known.name, *known.aliases] if known else []), name, *native.get(line["person"], ())])
        people[line["person"]] = Row(
            f"wikidata:{line['person']}",
            "person",
            "politician",
            names[0],
            names[1:],
            (known.country if known else "") or country,
            weight=weight,
            source="wikidata",
        )
    return list(people.values())


_US_WEIGHTS = {"prez": 90, "viceprez": 80, "sen": 40, "rep": 20}


def congress(folder: Path) -> list[Row]:
    """Return the presidents of the USA of this century, and the members of Congress."""
    people: dict[str, Row] = {}
    for line in read_table(folder / "congress.csv"):
        usual = f"{line['nickname'] or line['first']} {line['last']}"
        names = distinct([line["official_full"] or usual, usual, f"{line['first']} {line['last']}"])
        weight = _US_WEIGHTS[line["type"]]
        known = people.get(line["wikidata"])
        if known:
            names, weight = distinct([known.name, *known.aliases, *names]), max(known.weight, weight)
        people[line["wikidata"]] = Row(
            f"wikidata:{line['wikidata']}",
            "person",
            "politician",
            names[0],
            names[1:],
            "US",
            weight=weight,
            source="congress",
        )
    return list(people.values())
