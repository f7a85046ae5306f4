"""International bodies, aid organisations and media, after the actor dictionaries of event data (PETRARCH)."""

from __future__ import annotations

from pathlib import Path

from gazetteer.row import BETWEEN, Row, distinct, read_table, with_aliases

from pipeline.query.analysis import joined


def phrases(text: str) -> dict[str, str]:
    """Return the phrases of a dictionary by their folded form: "+NORTH_ATLANTIC_TREATY_ORGANIZATION_  [IGO]"."""
    found = {}
    for line in text.splitlines():
        # A comment names in full what the line has only as a code.
        for part in line.split("#"):
            phrase = part.partition("[")[0].strip().lstrip("+").replace("_", " ").strip()
            if phrase:
                found.setdefault(joined(phrase), phrase)
    return found


def bodies(folder: Path) -> list[Row]:
    """Return a row for each body we chose that the dictionary or the Factbook names; other names of it are our own."""
    known = phrases((folder / "bodies.txt").read_text(encoding="utf-8"))
    in_factbook = phrases((folder / "bodies_factbook.txt").read_text(encoding="utf-8"))
    rows = []
    for line in read_table(folder / "bodies.csv"):
        names = distinct([line["name"], *line["aliases"].split(BETWEEN)])
        source, has = ("petrarch", known) if any(joined(name) in known for name in names) else ("factbook", in_factbook)
        theirs = [name for name in names if joined(name) in has]
        assert theirs, f"no source names {line['name']}"
        key = joined(theirs[0]).replace(" ", "-")
        row = Row(
            f"{source}:{key}",
            "organisation",
            line["type"],
            names[0],
            tuple(name for name in theirs if name != names[0]),
            line["country"],
            weight=int(line["weight"]),
            source=source,
        )
        rows.append(with_aliases(row, names[1:], source="wirewatch"))
    return rows
