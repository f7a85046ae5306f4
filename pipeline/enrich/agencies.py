"""News agencies by their names, abbreviations and domains, read from ``agencies.csv`` of the configuration shipped."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final

from pipeline.identity import link_host
from pipeline.settings import shipped_config

FILE_NAME: Final = "agencies.csv"
SHORT: Final = 4
"""An abbreviation no longer than this counts only in the case it is written in: "AP" is an agency, "ap" is not."""

MAX_LIST_CHARACTERS: Final = 60
MAX_NAME_WORDS: Final = 4

_SPACE = re.compile(r"\s+")
_SEPARATORS = re.compile(r"\s*[/=;,|·、،+&]\s*|\s+(?:and|und|et|y|e|en|och|ve|dan|via|with)\s+")
_TRIMMED: Final = " \t\n.,:;–—-()[]（）【】©®*_'\"“”"


@dataclass(frozen=True)
class Agencies:
    """Who is known to write what others publish."""

    by_alias: Mapping[str, str]
    """Usual full name by alias: folded, or as written for a short one."""
    by_domain: Mapping[str, str]

    def called(self, text: str) -> str:
        """Return the agency that ``text`` is a name of, and nothing else; empty when it is none."""
        name = _SPACE.sub(" ", text.strip(_TRIMMED))
        name = name[4:] if name[:4].casefold() == "the " else name
        return self.by_alias.get(name, "") or (self.by_alias.get(name.casefold(), "") if len(name) > SHORT else "")

    def first(self, text: str) -> str:
        """Return the first agency of a list that names agencies and hardly more ("AFP, REUTERS", "AFP/Agencies")."""
        pieces = _SEPARATORS.split(text) if len(text) <= MAX_LIST_CHARACTERS else []
        if not pieces or any(len(piece.split()) > MAX_NAME_WORDS for piece in pieces):
            return ""
        return self.called(text) or self.called(pieces[0])

    def among(self, text: str) -> str:
        """Return the first agency of a list ("AP/Reuters", "서울=연합뉴스"), of which all else may be anything."""
        if whole := self.called(text):
            return whole
        for piece in _SEPARATORS.split(text):
            words = piece.split()
            for candidate in (piece, *words[:1], *words[-1:]):
                if found := self.called(candidate):
                    return found
        return ""

    def of_host(self, host: str) -> str:
        """Return the agency whose domain a host belongs to; empty when there is none."""
        labels = host.split(".")
        return next((self.by_domain[name] for name in map(".".join, _endings(labels)) if name in self.by_domain), "")

    def of_link(self, link: str) -> str:
        """Return the agency whose domain a link leads to."""
        return self.of_host(link_host(link))


def load_agencies(folder: Path | None = None) -> Agencies:
    """Return the agencies of ``agencies.csv`` in ``folder``, else of the file that is shipped."""
    by_alias: dict[str, str] = {}
    by_domain: dict[str, str] = {}
    with ((folder or shipped_config()) / FILE_NAME).open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            for alias in (row["name"], *filter(None, row["aliases"].split("|"))):
                bare = alias[4:] if alias[:4] == "The " else alias
                by_alias[bare if len(bare) <= SHORT else bare.casefold()] = row["name"]
            by_domain.update(dict.fromkeys(row["domains"].split(), row["name"]))
    return Agencies(MappingProxyType(by_alias), MappingProxyType(by_domain))


def _endings(labels: list[str]) -> list[list[str]]:
    return [labels[index:] for index in range(len(labels) - 1)]
