"""What the last World Factbook says of each country: its other names, where it is, leaders, parties, armed forces."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

from gazetteer.countries import geonames
from gazetteer.row import Row, distinct, with_aliases

from pipeline.query.analysis import joined

_TITLES = frozenset(
    "(cnsp) (prime acting adm. administrator affairs air amir and archbishop armed assembly brig. cabinet capt."
    " caretaker chair chairman chairperson chancellor chief cnsp co-prince co-vice col. commander-in-chief"
    " commission confederation council crown dame deputy dr dr. duke emir emperor executive federal field first"
    " for forces foreign french gen. general general, gnu government governor grand her his homeland interim king"
    " leader leadership lord lt. maj. majesty marshal minister minister) minister-equivalent) ministers national"
    " of overall party people's political polynesia pope premier president president, presidential prime prince"
    " princess queen ratu safeguard secretary shaykh sheikh sir sovereign spain sr. state sudanese sultan supreme"
    " swiss taliban taoiseach territorial the transition transitional vice".split()
)
_MARKUP = re.compile(r"</?(em|strong|p|i|b)>|&nbsp;")
_SURNAME = re.compile(r"^(?:[A-Z]+['’-])?[A-ZÀ-ÖØ-Þ'’-]{2,}(?:-[A-Z][a-z]+)?,?$")
_ROMAN = re.compile(r"^[IVX]+$")
_PLACES = {"gz": ("Gaza Strip", "PS"), "we": ("West Bank", "PS")}  # regions of their own in the Factbook


def read(folder: Path) -> dict[str, dict[str, object]]:
    """Return the excerpt: facts by the Factbook's country codes (FIPS)."""
    return json.loads((folder / "factbook.json").read_text(encoding="utf-8"))


def _iso() -> dict[str, str]:
    return {facts["fips"].lower(): code for code, facts in geonames("countries.json").items() if facts.get("fips")}


def _degrees(text: str) -> tuple[float, float] | None:
    found = re.match(r"(\d+) (\d+) ([NS]), (\d+) (\d+) ([EW])", text)
    if not found:
        return None
    north, east = int(found[1]) + int(found[2]) / 60, int(found[4]) + int(found[5]) / 60
    return (-north if found[3] == "S" else north), (-east if found[6] == "W" else east)


def _is_no_word(abbreviation: str) -> bool:
    """Whether it is still a name once folded: "US", "AS", "VI" and "CAR" are words, the UK is not."""
    return abbreviation == "UK" or (len(abbreviation) > 2 and abbreviation != "CAR")


def _other_names(names: dict[str, str]) -> list[str]:
    found = []
    for key, text in names.items():
        parts = re.split(r"[/;]|\bor\b|, ", re.sub(r"\(.*?\)|<br>.*|; ?note.*", "", _MARKUP.sub("", text)))
        if key in {"conventional long form", "abbreviation"}:
            found += [part.strip() for part in parts if _is_no_word(part.strip())]
    return [name for name in found if name.lower() not in {"none", "na", "n/a"} and "note" not in name]


def with_facts(rows: list[Row], folder: Path) -> list[Row]:
    """Return the countries with their long names and abbreviations, and the coordinates of their middle."""
    by_code = {code: facts for fips, facts in read(folder).items() if (code := _iso().get(fips))}
    known = []
    for row in rows:
        facts = by_code.get(row.country, {}) if row.type == "country" else {}
        place = _degrees(str(facts.get("coordinates", "")))
        if place:
            row = replace(row, latitude=place[0], longitude=place[1], source=f"{row.source}|factbook")  # noqa: PLW2901
        names = facts.get("names", {})
        known.append(with_aliases(row, _other_names(names) if isinstance(names, dict) else (), source="factbook"))
    return known


def regions(folder: Path) -> list[Row]:
    """Return the Gaza Strip and the West Bank."""
    rows = []
    for fips, (name, country) in _PLACES.items():
        place = _degrees(str(read(folder)[fips]["coordinates"]))
        assert place
        rows.append(
            Row(f"factbook:{fips.upper()}", "place", "region", name, (), country, *place, 2_000_000, source="factbook")
        )
    return rows


def _leader(text: str, fips: str, country: str) -> tuple[Row, str] | None:
    """Return a row and the surname, from "President Joseph AOUN (since 9 January 2025)"; the Factbook writes it so."""
    words = re.split(
        r"\s*[(;]\s*(?:since|\d|also)|;|\s\(since|, represented|\bis the\b", re.sub(r"\((?!since|\d)[^)]*\)", "", text)
    )[0].split()
    while words and words[0].lower() in _TITLES:
        words.pop(0)
    words = words[: words.index("of")] if "of" in words else words  # "Harald V of Norway"
    capital = [word for word in words if _SURNAME.match(word) and not _ROMAN.match(word)]
    if not words or not capital or len(words) > 7:
        return None
    words = [word for word in words if "(" not in word and '"' not in word]
    plain = [
        word
        if _ROMAN.match(word)
        else "-".join(part.capitalize() if part.isupper() else part for part in word.split("-"))
        for word in words
    ]
    surname = " ".join(plain[words.index(word)] for word in capital).strip(",")
    name = " ".join(plain).strip(",")
    # "Gustavo Francisco Petro Urrego" is written "Gustavo Petro".
    short = f"{plain[0]} {surname}" if words[0] not in capital else name
    usual = words[:1] == capital[:1] or (len(plain) <= 3 and "." not in name)
    names = distinct([name, short] if usual else [short, name])
    slug = joined(names[0]).replace(" ", "-")
    return Row(
        f"factbook:{fips.upper()}-{slug}",
        "person",
        "politician",
        names[0],
        names[1:],
        country,
        weight=90,
        source="factbook",
    ), surname


def leaders(folder: Path) -> list[tuple[Row, str]]:
    """Return the heads of state and government of early 2026, each with the surname that the Factbook marks."""
    population = {code: facts["population"] for code, facts in geonames("countries.json").items()}
    found: dict[str, tuple[Row, str]] = {}
    # The greatest country first: the President of France is the co-prince of Andorra too.
    for fips, facts in sorted(read(folder).items(), key=lambda item: -population.get(_iso().get(item[0], ""), 0)):
        country = _iso().get(fips, "")
        for office in ("chief of state", "head of government"):
            text = str(facts.get(office, ""))
            leader = _leader(text, fips, country) if country and "represented" not in text else None
            if leader:
                found.setdefault(joined(leader[0].name), leader)
    return list(found.values())


def _party(text: str) -> tuple[str, tuple[str, ...]] | None:
    text = _MARKUP.sub("", text).replace("“", '"').replace("”", '"')
    main, *brackets = [part.strip() for part in re.split(r"[()]", text)]
    name, _, acronym = main.partition(" or ")
    acronyms = [acronym, *(part.removeprefix("or ").strip() for part in brackets)]
    good = [part for part in acronyms if re.fullmatch(r"[A-Z][\w/&-]{2,9}", part) and sum(map(str.isupper, part)) > 1]
    if not re.fullmatch(r"[A-ZÀ-Þ][\w'’ .&/-]{4,60}", name) or " " not in name:
        return None
    return name, tuple(good)


def parties(folder: Path, words: frozenset[str] = frozenset()) -> list[Row]:
    """Return the parties; one that has its name in another country too has to be near its country."""
    from gazetteer.cities import guard

    found: dict[str, list[Row]] = {}
    for fips, facts in read(folder).items():
        country = _iso().get(fips, "")
        for text in str(facts.get("parties", "")).split("<br>"):
            party = _party(text.strip()) if country else None
            if party:
                row = Row(
                    f"factbook:{fips.upper()}-{joined(party[0]).replace(' ', '-')}",
                    "organisation",
                    "party",
                    party[0],
                    distinct(party[1], besides=[party[0]]),
                    country,
                    weight=20,
                    source="factbook",
                )
                found.setdefault(row.id, []).append(row)
    rows = [same[0] for same in found.values()]
    countries_of: dict[str, set[str]] = {}
    for row in rows:
        for name in (row.name, *row.aliases):
            countries_of.setdefault(joined(name), set()).add(row.country)
    guarded = []
    for row in rows:
        kept = [
            alias for alias in row.aliases if len(countries_of[joined(alias)]) == 1 and alias.casefold() not in words
        ]
        # "Labor Party", "Civic Platform", "PRE": the same words are something else elsewhere.
        shared = (
            len(countries_of[joined(row.name)]) > 1
            or len(row.name.split()) == 2
            or any(len(alias) < 4 for alias in kept)
        )
        guarded.append(replace(row, aliases=tuple(kept), context=guard(row.country) if shared else ()))
    return guarded


def forces(folder: Path) -> list[Row]:
    """Return the armed forces that have a name of their own: "Israel Defense Forces (IDF)"."""
    rows = []
    for fips, facts in read(folder).items():
        country = _iso().get(fips, "")
        found = re.match(
            r"(?:the )?([A-Z][\w'’ .-]+?) \(([A-Z]{2,6})\)\s*[:,;(]", _MARKUP.sub("", str(facts.get("forces", "")))
        )
        if country and found and len(found[1].split()) > 1 and not found[1].startswith("Ministry"):
            aliases = (found[2],) if len(found[2]) > 3 else ()  # AFP is not only the Armed Forces of the Philippines
            rows.append(
                Row(
                    f"factbook:{fips.upper()}-{joined(found[1]).replace(' ', '-')}",
                    "organisation",
                    "armed-force",
                    found[1],
                    aliases,
                    country,
                    weight=40,
                    source="factbook",
                )
            )
    return rows
