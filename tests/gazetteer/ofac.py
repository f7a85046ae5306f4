"""People and organisations of the sanctions list of the US Treasury (OFAC SDN), with the spellings it knows of them."""

from __future__ import annotations

import re
from difflib import SequenceMatcher
from pathlib import Path

from gazetteer.row import BETWEEN, Row, distinct, read_table, with_aliases

from pipeline.query.analysis import joined, tokens

_PARTICLES = frozenset("al el bin bint ibn abd ul ur de del van von e i of the and for in".split())
_TITLES = re.compile(r"\b(DR|JR|SR|HAJI|MAULANA|USTAD)\.?(?=\s|$)")
_BRACKETED = re.compile(r"\s*\(([^()]*)\)")
SIMILAR = 0.6
"""How alike two words must be to be one name in two transcriptions: Qaani and Ghaani are 0.73, Anis and Dawood 0.2."""


def _capitalised(name: str) -> str:
    """Return "AL-HOUTHI" as "al-Houthi"."""
    parts = re.split(r"([ \-/]+)", name.lower())
    return "".join(part if part in _PARTICLES else _capital(part) for part in parts)


def _capital(word: str) -> str:
    start = len(word) - len(word.lstrip("'"))
    return word[:start] + word[start : start + 1].upper() + word[start + 1 :]


def name_in_order(listed: str) -> str:
    """Return "AL-HOUTHI, Abdul-Malik" as "Abdul-Malik al-Houthi"."""
    last, comma, first = listed.partition(",")
    return " ".join(f"{first if comma else ''} {_capitalised(_TITLES.sub('', last).strip())}".split())


def _organisation_name(listed: str) -> str:
    """Return "PASDARAN-E ENGHELAB (PASDARAN)" as it is usually written, without what is in brackets."""
    name = _BRACKETED.sub("", listed)
    # A short name in one word is an acronym, or is found without regard to case anyway.
    return name if " " not in name and len(name) <= 7 else _capitalised(name)


def _is_spelling_of(alias: str, name: str) -> bool:
    """Whether each word of `name` is in `alias`, however it was transcribed: a nom de guerre is not."""
    words = tokens(alias)
    candidates = [
        *words,
        *("".join(words[start:end]) for end in range(2, len(words) + 1) for start in (end - 2, max(0, end - 3))),
    ]
    wanted = [word for word in tokens(name) if word not in _PARTICLES]
    return len(words) > 1 and all(
        any(SequenceMatcher(None, word, candidate).ratio() >= SIMILAR for candidate in candidates) for word in wanted
    )


def _names(pick: dict[str, str], listed: str, alternates: list[str]) -> list[str]:
    if pick["kind"] == "person":
        found = [name_in_order(name) for name in alternates]
        found = [name_in_order(listed), *(name for name in found if _is_spelling_of(name, pick["name"]))]
    else:
        found = [_organisation_name(alternate) for alternate in [listed, *alternates]]
    unwanted = {joined(name) for name in pick["drop"].split(BETWEEN)}
    return [name for name in found if joined(name) not in unwanted]


def listed(folder: Path) -> list[Row]:
    """Return a row for each pick, in the English name news use, with the names of the list and our own bare names."""
    names = {line["ent_num"]: line["name"] for line in read_table(folder / "ofac_sdn.csv")}
    alternates: dict[str, list[str]] = {}
    for line in read_table(folder / "ofac_alt.csv"):
        alternates.setdefault(line["ent_num"], []).append(line["alt_name"])
    rows = []
    for pick in read_table(folder / "picks.csv"):
        if not pick["id"].startswith("ofac:"):
            continue
        number = pick["id"].partition(":")[2]
        aliases = distinct(_names(pick, names[number], alternates.get(number, [])), besides=[pick["name"]])
        row = Row(
            pick["id"],
            pick["kind"],
            pick["type"],
            pick["name"],
            aliases,
            pick["country"],
            weight=int(pick["weight"]),
            source="ofac",
        )
        rows.append(with_aliases(row, pick["bare"].split(BETWEEN), source="wirewatch"))
    return rows
