"""Cut the excerpts in tests/data/gazetteer out of copies of public repositories.

`PYTHONPATH=tests python tests/gazetteer/extract.py FOLDER`, where FOLDER has bare or other git repositories named
`owner+name` (or `owner+name/repo`); config/gazetteer/sources.csv has their commits. Facts are cut and never changed, so
that an excerpt can be compared with its source line by line.
"""

from __future__ import annotations

import csv
import io
import json
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import yaml
from gazetteer.bodies import phrases
from gazetteer.build import EXCERPTS
from gazetteer.cities import cities
from gazetteer.row import BETWEEN, read_table

from pipeline.query.analysis import joined, tokens

OFFICES = {
    "argentina-ministers": "AR", "australia-cabinet": "AU", "belarus-ministers": "BY", "brazil-ministers": "BR",
    "canada-cabinet": "CA", "china-ministers": "CN", "france-cabinet": "FR", "hungary-cabinet": "HU",
    "india-ministers": "IN", "indonesia-ministers": "ID", "iran-ministers": "IR", "israel-ministers": "IL",
    "japan-ministers": "JP", "mexico-ministers": "MX", "nigeria": "NG", "pakistan-ministers": "PK",
    "philippines-ministers": "PH", "russia-cabinet": "RU", "south-africa-cabinet": "ZA", "south-korea-ministers": "KR",
    "sudan": "SD", "sweden-cabinet": "SE", "taiwan": "TW", "turkey-ministers": "TR", "uae-ministers": "AE",
    "ukraine-cabinet": "UA", "united-kingdom-cabinet": "GB", "us-cabinet": "US", "world": "", "yemen": "YE",
}  # fmt: skip
NAMED_IN_NEWS = re.compile(
    r"president|prime minister|premier|chancellor|\bminister|secretary|supreme leader|speaker|attorney general|"
    r"chief of (the )?(general )?staff|central bank|governor of the (reserve )?bank|leader of the opposition|"
    r"monarch|king|"
    r"federal security|intelligence|national security",
    re.IGNORECASE,
)
NOT_NAMED = re.compile(
    r"ambassador|shadow|deputy minister|under.?secretary|parliamentary secretary|permanent|assistant|"
    r"vice.minister|private secretary|press|chief minister|state minister|minister of state|consul|province|"
    r"whip|financial secretary|exchequer secretary|economic secretary|secretary to|duchy|lord|junior|"
    r"subject|oblast|republic of (crimea|dagestan|tatarstan|bashkortostan)|head of",
    re.IGNORECASE,
)
SINCE = "2020"


class Copies:
    """Reads files of the newest commit of copies of repositories."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def _git(self, repository: str, *arguments: str) -> str:
        place = self.folder / repository.replace("/", "+")
        place = place / "repo" if (place / "repo").exists() else place
        command = ["git", "-C", str(place), *arguments]
        return subprocess.run(command, check=True, capture_output=True).stdout.decode("utf-8", "replace")

    def text(self, repository: str, path: str) -> str:
        return self._git(repository, "show", f"HEAD:{path}")

    def table(self, repository: str, path: str) -> list[dict[str, str]]:
        return list(csv.DictReader(io.StringIO(self.text(repository, path))))

    def paths(self, repository: str) -> list[str]:
        return self._git(repository, "ls-tree", "-r", "--name-only", "HEAD").splitlines()


def _write(name: str, header: Iterable[str], lines: Iterable[Iterable[Any]]) -> None:
    with (EXCERPTS / name).open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(lines)


def sanctions(copies: Copies) -> None:
    """Cut the lines of our picks out of the lists of OFAC."""
    picked = {line["id"].partition(":")[2] for line in read_table(EXCERPTS / "picks.csv")}
    listed = csv.reader(io.StringIO(copies.text("loudringphone/sancbook", "data/sdn.csv")))
    _write("ofac_sdn.csv", ("ent_num", "name"), (line[:2] for line in listed if line and line[0] in picked))
    other = csv.reader(io.StringIO(copies.text("mino6225/eurasian-risk-screener", "alt.csv")))
    _write(
        "ofac_alt.csv", ("ent_num", "alt_name"), ((line[0], line[3]) for line in other if line and line[0] in picked)
    )


def _holders(copies: Copies) -> Iterator[tuple[str, ...]]:
    for name, country in OFFICES.items():
        for line in copies.table(f"every-politician-scrapers/{name}", "html/holders21.csv"):
            yield country, line["position"], line["personID"], line["person"], line["start"], line["end"]
    country_ids = {}
    for line in copies.table("every-politician-scrapers/world-leaders-2021", "data/wikidata.csv"):
        country_ids[line["countryid"]] = line["country"]
        yield (
            line["country"],
            line["positionLabel"],
            line["officeholder"],
            line["officeholderLabel"],
            line["start_year"],
            line["end_year"],
        )
    for line in copies.table("every-politician-scrapers/world", "sources/foreign/wikidata.csv"):
        yield line["countryLabel"], line["positionLabel"], line["person"], line["name"], line["start"], ""


def offices(copies: Copies) -> None:
    """Cut who held an office that news name, from 2020 on, out of queries of Wikidata."""
    kept = {
        holder
        for holder in _holders(copies)
        if holder[2]
        and NAMED_IN_NEWS.search(holder[1])
        and not NOT_NAMED.search(holder[1])
        and (not holder[5] or holder[5] >= SINCE)
        and not (not holder[5] and holder[4] and holder[4] < "1995")
    }
    _write("offices.csv", ("country", "position", "person", "name", "start", "end"), sorted(kept))


def shared_surnames(copies: Copies) -> None:
    """Cut names of several politicians out of the same repositories: alone no one is known by them; few mean a city."""
    bearers: dict[str, set[str]] = {}
    named: dict[str, set[str]] = {}
    for name in OFFICES:
        repository = f"every-politician-scrapers/{name}"
        for path in {"html/holders21.csv", "html/legislators.csv"} & set(copies.paths(repository)):
            for line in copies.table(repository, path):
                words = tokens(line["person"] or "")
                if len(words) > 1:
                    bearers.setdefault(words[-1], set()).add(line["personID"])
                    for word in (words[0], words[-1]):
                        named.setdefault(word, set()).add(line["personID"])
    wanted = {tokens(line["name"])[-1] for line in read_table(EXCERPTS / "offices.csv") if tokens(line["name"])}
    shared = sorted(word for word, people in bearers.items() if len(people) > 1 and word in wanted)
    (EXCERPTS / "shared_surnames.txt").write_text("\n".join(shared) + "\n", encoding="utf-8")
    of_cities = {joined(name) for row in cities(frozenset()) for name in (row.name, *row.aliases)}
    personal = sorted(word for word, people in named.items() if len(people) >= 4 and word in of_cities)
    (EXCERPTS / "personal_names.txt").write_text("\n".join(personal) + "\n", encoding="utf-8")


def native_names(copies: Copies) -> None:
    """Cut the names in other scripts of the same people out of the same repositories."""
    wanted = {line["person"] for line in read_table(EXCERPTS / "offices.csv")}
    found = set()
    for name in OFFICES:
        repository = f"every-politician-scrapers/{name}"
        for path in copies.paths(repository):
            if path.startswith("sources/") and path.endswith(("scraped.csv", "wikidata.csv")):
                for line in copies.table(repository, path):
                    label = (line.get("itemLabel") or "").strip()
                    if line.get("item") in wanted and label and not re.match("[ -ɏ]", label):
                        found.add((line["item"], label))
    _write("native_names.csv", ("person", "name"), sorted(found))


def _plain(text: str) -> str:
    import html

    return " ".join(html.unescape(re.sub(r"<br\s*/?>", " <br> ", text)).split())


def factbook(copies: Copies) -> None:
    """Cut names, places, leaders, parties and armed forces out of the last CIA World Factbook."""
    kept = {}
    for path in sorted(copies.paths("factbook/factbook.json")):
        if not re.fullmatch(r"[a-z-]+/[a-z]{2}\.json", path) or path.startswith(("meta", "world", "oceans")):
            continue
        profile = json.loads(copies.text("factbook/factbook.json", path))
        government, geography = profile.get("Government", {}), profile.get("Geography", {})
        names, executive = government.get("Country name", {}), government.get("Executive branch", {})
        facts = {
            "names": {
                key: _plain(names[key]["text"]) for key in sorted(names) if "form" in key or key == "abbreviation"
            },
            "coordinates": geography.get("Geographic coordinates", {}).get("text", ""),
            "chief of state": _plain(executive.get("chief of state", {}).get("text", "")),
            "head of government": _plain(executive.get("head of government", {}).get("text", "")),
            "parties": _plain(government.get("Political parties", {}).get("text", "")),
            "forces": _plain(
                profile.get("Military and Security", {}).get("Military and security forces", {}).get("text", "")
            )[:600],
        }
        kept[path.rpartition("/")[2].removesuffix(".json")] = {key: fact for key, fact in facts.items() if fact}
    (EXCERPTS / "factbook.json").write_text(json.dumps(kept, ensure_ascii=False, indent=0) + "\n", encoding="utf-8")


def congress(copies: Copies) -> None:
    """Cut the members of Congress and the presidents of this century out of congress-legislators."""
    lines = []
    for path in ("legislators-current.yaml", "executive.yaml"):
        for person in yaml.load(copies.text("unitedstates/congress-legislators", path), Loader=yaml.CSafeLoader):
            ids, name, term = person["id"], person["name"], person["terms"][-1]
            if term["end"] >= "2009" and ids.get("wikidata"):
                lines.append(
                    (
                        ids["wikidata"],
                        ids.get("bioguide", ""),
                        name["first"],
                        name["last"],
                        name.get("nickname", ""),
                        name.get("official_full", ""),
                        term["type"],
                    )
                )
    _write(
        "congress.csv",
        ("wikidata", "bioguide", "first", "last", "nickname", "official_full", "type"),
        sorted(set(lines)),
    )


def listed_companies(copies: Copies) -> None:
    """Cut names and keys out of the list of the S&P 500."""
    lines = copies.table("datasets/s-and-p-500-companies", "data/constituents.csv")
    _write("sp500.csv", ("cik", "security"), sorted((line["CIK"], line["Security"]) for line in lines))


BRANDS = {
    "brands/shop/car": "company", "brands/shop/electronics": "company", "brands/shop/mobile_phone": "company",
    "brands/amenity/bank": "company", "brands/amenity/fuel": "company", "brands/office/telecommunication": "company",
    "brands/office/company": "company", "brands/office/insurance": "company", "brands/shop/supermarket": "company",
    "operators/office/government": "agency", "operators/amenity/police": "agency",
    "operators/landuse/military": "armed-force",
    "operators/office/energy_supplier": "company",
}  # fmt: skip
_GENERAL = frozenset({"brands/shop/supermarket"})


def _brand(item: dict[str, Any], kind: str) -> tuple[str, ...] | None:
    tags, includes = item.get("tags", {}), item.get("locationSet", {}).get("include", [])
    key = "brand" if "brand:wikidata" in tags else "operator"
    wikidata, name = tags.get(f"{key}:wikidata", ""), tags.get(key, "")
    others = sorted(
        {value for tag, value in tags.items() if re.fullmatch(rf"({key}|name):[a-z]{{2}}", tag) and value != name}
    )
    in_script = any(not re.match("[ -ɏ]", value) for value in (name, *others))
    is_known = (
        includes == ["001"] or in_script or (BRANDS[kind] == "agency" and not name.startswith(("Comune", "Gemeinde")))
    )
    if not re.fullmatch(r"Q\d+", wikidata) or not name or not is_known or (kind in _GENERAL and includes != ["001"]):
        return None
    country = includes[0][:2].upper() if len(includes) == 1 and re.fullmatch("[a-z]{2}", str(includes[0])) else ""
    return wikidata, BRANDS[kind], name, tags.get(f"{key}:en", tags.get("name:en", "")), BETWEEN.join(others), country


def brands(copies: Copies) -> None:
    """Cut brands known all over the world or in another script, and agencies, out of the name-suggestion-index."""
    found = set()
    for kind in BRANDS:
        for item in json.loads(copies.text("osmlab/name-suggestion-index", f"data/{kind}.json"))["items"]:
            brand = _brand(item, kind)
            found |= {brand} if brand else set()
    _write("brands.csv", ("wikidata", "type", "name", "english", "names", "country"), sorted(found))


def international_bodies(copies: Copies) -> None:
    """Cut the names of the bodies we chose out of the dictionary of international actors."""
    text = copies.text(
        "openeventdata/UniversalPetrarch", "UniversalPetrarch/data/dictionaries/Phoenix.International.actors.txt"
    )
    wanted = {
        joined(name)
        for line in read_table(EXCERPTS / "bodies.csv")
        for name in (line["name"], *line["aliases"].split(BETWEEN))
    }
    kept = [phrase for folded, phrase in sorted(phrases(text).items()) if folded in wanted]
    (EXCERPTS / "bodies.txt").write_text("\n".join(kept) + "\n", encoding="utf-8")
    known = {joined(phrase) for phrase in kept}
    factbook_text = "\n".join(
        copies.text("factbook/factbook.json", path)
        for path in copies.paths("factbook/factbook.json")
        if path.endswith(".json")
    )
    others = [line["name"] for line in read_table(EXCERPTS / "bodies.csv") if joined(line["name"]) not in known]
    named = [name for name in others if name in factbook_text]
    (EXCERPTS / "bodies_factbook.txt").write_text("\n".join(sorted(named)) + "\n", encoding="utf-8")


if __name__ == "__main__":
    here = Copies(Path(sys.argv[1]))
    for excerpt in (
        sanctions,
        offices,
        shared_surnames,
        native_names,
        factbook,
        congress,
        listed_companies,
        brands,
        international_bodies,
    ):
        excerpt(here)
