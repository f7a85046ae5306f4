"""Companies, banks and public agencies: the S&P 500, and brands and operators that maps know in several scripts."""

from __future__ import annotations

import re
from pathlib import Path

from gazetteer.row import BETWEEN, Row, distinct, read_table

from pipeline.query.analysis import joined

COMPANY_WORDS = tuple(
    "company|companies|shares|stock|Nasdaq|NYSE|CEO|investors|earnings|brand|firm|Aktie|bolsa|actions|акции|株".split(
        BETWEEN
    )
)
"""One of them has to be near a company whose name is a word: Apple, Target, Shell."""
_SUFFIX = re.compile(
    r"(,? (inc|corp|co|plc|ltd|nv|n\.v|s\.a|sa|ag|se|group|holdings?|corporation|company|incorporated|companies|"
    r"international)\b\.?)+$|"
    r" \(.*\)$|^the (?=\w+ compan)",
    re.IGNORECASE,
)


def _guard(names: tuple[str, ...], words: frozenset[str]) -> tuple[str, ...]:
    is_word = any(
        name.casefold() in words or len(joined(name).replace(" ", "")) < 4 for name in names if name.isascii()
    )
    return COMPANY_WORDS if is_word else ()


def listed(folder: Path, words: frozenset[str] = frozenset()) -> list[Row]:
    """Return the companies of the S&P 500, with and without "Inc."; the key is the number of the SEC (CIK)."""
    rows: dict[str, Row] = {}
    for line in read_table(folder / "sp500.csv"):
        plain = re.sub(r" \(.*\)$", "", line["security"])
        names = distinct([_SUFFIX.sub("", plain).removesuffix(" &") or plain, plain])
        row = Row(
            f"sp500:{line['cik']}", "organisation", "company", names[0], names[1:], "US",
            weight=40, context=_guard(names, words), source="sp500",
        )  # fmt: skip
        rows.setdefault(row.id, row)
    return list(rows.values())


def brands(folder: Path, words: frozenset[str]) -> list[Row]:
    """Return brands and operators by the Wikidata id that maps give them; names in other scripts are aliases."""
    found: dict[str, list[dict[str, str]]] = {}
    for line in read_table(folder / "brands.csv"):
        found.setdefault(line["wikidata"], []).append(line)
    rows = []
    for key, lines in found.items():
        latin = [line["name"] for line in lines if re.match("[A-Za-zÀ-ỹ0-9]", line["name"])]
        english = [line["english"] for line in lines if line["english"]]
        other = [name for line in lines for name in (line["name"], *line["names"].split(BETWEEN))]
        name, *aliases = distinct([*english, *latin, *other])
        # Of two letters, or a word: enough for the only name of a company, too little for another one.
        more = [
            alias for alias in aliases if not (alias.isascii() and len(alias) < 3) and alias.casefold() not in words
        ]
        names = (name, *more) if re.match("[A-Za-zÀ-ỹ0-9]", name) else ()
        countries = {line["country"] for line in lines}
        if names:
            rows.append(
                Row(
                    f"wikidata:{key}",
                    "organisation",
                    lines[0]["type"],
                    names[0],
                    names[1:],
                    countries.pop() if len(countries) == 1 else "",
                    weight=30,
                    context=_guard(names, words),
                    source="nsi",
                )
            )
    return rows
