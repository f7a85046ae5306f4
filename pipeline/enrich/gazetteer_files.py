"""Reads lists of known names: those that are shipped, and a user's own in ``config/entities`` (CSV or YAML).

One row a person, organisation or place; ``docs/gazetteer.md`` explains the columns. A user's file is written by hand,
so that all that is wrong with it is said, with its line.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple, cast

import yaml
from msgspec import Struct
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from pipeline.article import EntityKind
from pipeline.enrich.name_words import function_words
from pipeline.errors import UsageError
from pipeline.query.analysis import joined
from pipeline.text.characters import one_line

KINDS: Final = ("person", "organisation", "place")
COLUMNS: Final = (
    "id", "kind", "type", "name", "aliases", "country", "latitude", "longitude", "weight", "context", "source",
)  # fmt: skip
OWN: Final = "own:"
"""Begins the id of a user's row that was given none."""
MAX_BYTES: Final = 16 * 1024 * 1024
MAX_ROWS: Final = 100_000
MAX_NAME_CHARACTERS: Final = 200
MAX_ALIASES: Final = 500
MAX_PROBLEMS: Final = 20
"""Said of one file: a file of another kind has something wrong in every line."""

_SHOWN_CHARACTERS: Final = 40
_LOADER: Final[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Row(Struct, frozen=True, kw_only=True, gc=False):  # the collector need not walk over tens of thousands
    """One known person, organisation or place."""

    id: str
    kind: EntityKind
    name: str
    type: str = ""
    aliases: tuple[str, ...] = ()
    country: str = ""
    latitude: float | None = None
    longitude: float | None = None
    weight: int = 0
    """How prominent it is: a place's inhabitants. Of two with one name, the larger."""
    context: tuple[str, ...] = ()
    """Words of which one must stand in the article, for a name that is a common word or somebody else's too."""


class _Line(NamedTuple):
    number: int
    fields: dict[str, str]


class _Wrong(Exception):
    """Something cannot be used; the message says what and why."""


def shipped_rows(folder: Path) -> list[Row]:
    """Return the rows of the gazetteer that is shipped; none when it is not there. Trusts what the tests checked."""
    rows: list[Row] = []
    for kind in ("places", "organisations", "people"):
        path = folder / f"{kind}.csv"
        if path.is_file():
            with path.open(encoding="utf-8", newline="") as file:
                rows += map(_row_of, csv.DictReader(file))
    return rows


def load_own_rows(folder: Path) -> list[Row]:
    """Return the rows of the files in ``folder`` (``*.csv``, ``*.yml``, ``*.yaml``), by the files' names.

    Raises:
        UsageError: a file cannot be read, or something in it is wrong; one line for each, ``own.csv:12: …``.
    """
    rows, problems = read_own_rows(folder)
    if problems:
        raise UsageError("\n  ".join([f"the names in {folder} cannot be used:", *problems]))
    return rows


def read_own_rows(folder: Path) -> tuple[list[Row], list[str]]:
    """Return the rows of ``folder`` that are well, and a line for each thing that is wrong with the others."""
    rows: list[Row] = []
    problems: list[str] = []
    for path in _own_files(folder):
        good, bad = _read_file(path)
        rows += good
        problems += [f"{path.name}{said}" for said in bad[:MAX_PROBLEMS]]
        if len(bad) > MAX_PROBLEMS:
            problems.append(f"{path.name}: and {len(bad) - MAX_PROBLEMS} more")
        if len(rows) > MAX_ROWS:
            return [], [*problems, f"{path.name}: more than {MAX_ROWS:,} names in all; leave out those not in the news"]
    return rows, problems


def passed_over(folder: Path) -> list[str]:
    """Return the names of what else is in ``folder``: it is not read, and somebody may think it is."""
    try:
        own = {path.name for path in _own_files(folder)}
        return sorted(path.name for path in folder.iterdir() if path.name not in own and path.name[:1] != ".")
    except OSError:
        return []


def _own_files(folder: Path) -> list[Path]:
    try:
        return sorted(path for path in folder.iterdir() if path.suffix.lower() in {".csv", ".yml", ".yaml"})
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise UsageError(f"{folder} cannot be read: {error.strerror or error}") from error


def _read_file(path: Path) -> tuple[list[Row], list[str]]:
    rows: list[Row] = []
    problems: list[str] = []
    lines = _csv_lines if path.suffix.lower() == ".csv" else _yaml_lines
    number = 0
    try:
        for line in lines(_text_of(path)):
            if isinstance(line, str):
                problems.append(line)
                continue
            number = line.number
            try:
                rows.append(_checked_row(line.fields))
            except _Wrong as wrong:
                problems.append(f":{number}: {wrong}")
            if len(rows) > MAX_ROWS:
                break
    except _Wrong as wrong:
        problems.append(f"{wrong}")
    return rows, problems


def _text_of(path: Path) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise _Wrong(f": cannot be read: {error.strerror or error}") from error
    if len(data) > MAX_BYTES:
        raise _Wrong(f": is larger than {MAX_BYTES // 1024 // 1024} MiB")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise _Wrong(f":{line}: is not UTF-8 text; save it as “CSV UTF-8”") from error


def _csv_lines(text: str) -> Iterator[_Line | str]:
    """Yield each row with the line it starts on; raises ``_Wrong`` where nothing after it can be read."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    header: list[str] | None = None
    start = 1
    try:
        for cells in reader:
            if header is None:
                header = _header(cells)
            elif any(cell.strip() for cell in cells):
                if len(cells) > len(header):
                    yield f":{start}: {len(cells)} cells under {len(header)} columns; put text with a comma in quotes"
                else:
                    yield _Line(start, dict(zip(header, cells, strict=False)))
            start = reader.line_num + 1
    except csv.Error as error:
        raise _Wrong(f":{start}: is no CSV: {error}") from error
    if header is None:
        raise _Wrong(":1: is empty; begin with a line of columns such as kind,name,aliases")


def _header(cells: list[str]) -> list[str]:
    header = [cell.strip().lower() for cell in cells]
    if len(header) == 1 and ";" in header[0]:
        raise _Wrong(
            ":1: its columns are parted by semicolons; save it with commas (in a spreadsheet: CSV, separator ,)"
        )
    if unknown := [cell for cell in header if cell not in COLUMNS]:
        raise _Wrong(f":1: unknown column {_shown(unknown[0])}; there are: {', '.join(COLUMNS)}")
    if twice := [cell for cell in header if header.count(cell) > 1]:
        raise _Wrong(f":1: the column {twice[0]} is there twice")
    if missing := [cell for cell in ("kind", "name") if cell not in header]:
        raise _Wrong(f":1: has no column {missing[0]}; the first line names the columns, such as kind,name,aliases")
    return header


def _yaml_lines(text: str) -> Iterator[_Line | str]:
    """Yield each entry of a YAML list; aliases and nesting, which can expand or recurse, are refused first."""
    try:
        _refuse_beyond_a_list(text)
        root = yaml.compose(text, Loader=_LOADER)
    except yaml.reader.ReaderError as error:
        raise _Wrong(f": holds a character that YAML does not allow (U+{int(error.character):04X})") from error
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise _Wrong(f":{mark.line + 1 if mark else 1}: {error.problem or 'cannot be read as YAML'}") from error
    if root is None or (isinstance(root, ScalarNode) and not root.value):
        return
    if not isinstance(root, SequenceNode):
        raise _Wrong(f":{_line(root)}: expected a list: each entry begins with '- kind: …'")
    for node in root.value:
        try:
            yield _Line(_line(node), dict(_yaml_fields(node)))
        except _Wrong as wrong:
            yield f":{_line(node)}: {wrong}"


def _refuse_beyond_a_list(text: str) -> None:
    depth = 0
    for event in yaml.parse(text, Loader=_LOADER):
        line = event.start_mark.line + 1 if event.start_mark else 1
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None) or getattr(event, "tag", None):
            raise _Wrong(f":{line}: anchors, aliases and tags (&, *, !) are not allowed; put such text in quotes")
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > 3:  # the list, an entry, its aliases
            raise _Wrong(f":{line}: nested too deeply; expected a list of entries")


def _yaml_fields(node: Node) -> Iterator[tuple[str, str]]:
    if not isinstance(node, MappingNode):
        raise _Wrong("expected 'kind: …' and 'name: …'")
    seen: set[str] = set()
    for key, value in node.value:
        name = key.value if isinstance(key, ScalarNode) else ""
        if name not in COLUMNS:
            raise _Wrong(f"unknown key {_shown(str(name))}; there are: {', '.join(COLUMNS)}")
        if name in seen:
            raise _Wrong(f"{name} is given twice")
        seen.add(name)
        if isinstance(value, ScalarNode):
            yield name, value.value
        elif isinstance(value, SequenceNode) and name in {"aliases", "context"}:
            if not all(isinstance(item, ScalarNode) for item in value.value):
                raise _Wrong(f"{name}: expected a list of names")
            yield name, "|".join(item.value.replace("|", " ") for item in value.value)
        else:
            raise _Wrong(f"{name}: expected one value")


def _checked_row(fields: Mapping[str, str]) -> Row:
    """Return a user's row; raises ``_Wrong`` naming the column."""
    tidy = {key: one_line(value) for key, value in fields.items() if value}
    name = tidy.get("name", "")
    if tidy.get("kind") not in KINDS:
        raise _Wrong(f"kind must be person, organisation or place, not {_shown(tidy.get('kind', ''))}")
    names = (name, *_listed(tidy.get("aliases", "")))
    if len(names) > MAX_ALIASES:
        raise _Wrong(f"{_shown(name)} has more than {MAX_ALIASES} aliases")
    for each in names:
        if not joined(each[:MAX_NAME_CHARACTERS]):
            raise _Wrong(f"{_shown(each)} has no letter or digit" if each else "name is empty")
        if len(each) > MAX_NAME_CHARACTERS:
            raise _Wrong(f"{_shown(each)} is longer than {MAX_NAME_CHARACTERS} characters")
    country = tidy.get("country", "").upper()
    if country and not (len(country) == 2 and country.isascii() and country.isalpha()):
        raise _Wrong(f"country must be two letters (ISO 3166-1), not {_shown(country)}")
    latitude, longitude = _degrees(tidy, "latitude", 90), _degrees(tidy, "longitude", 180)
    if (latitude is None) != (longitude is None):
        raise _Wrong("latitude and longitude: give both or neither")
    weight = tidy.get("weight", "") or "0"
    if not (weight.isascii() and weight.isdecimal() and len(weight) <= 12):
        raise _Wrong(f"weight must be a whole number, not {_shown(weight)}")
    if "context" not in tidy:
        for each in names:
            if joined(each) in function_words(""):
                raise _Wrong(f"{_shown(each)} is an ordinary word; give it a context: words one of which must be near")
    own_id = tidy.get("id", "") or f"{OWN}{joined(name).replace(' ', '-')}"
    return _row_of({**tidy, "id": own_id[:MAX_NAME_CHARACTERS], "country": country})


def _degrees(fields: Mapping[str, str], column: str, limit: float) -> float | None:
    written = fields.get(column, "")
    if not written:
        return None
    try:
        degrees = float(written)
    except ValueError:
        degrees = math.nan
    if not abs(degrees) <= limit:
        raise _Wrong(f"{column} must be degrees from -{limit} to {limit}, not {_shown(written)}")
    return degrees


def _row_of(fields: Mapping[str, str]) -> Row:
    latitude, longitude = fields.get("latitude"), fields.get("longitude")
    return Row(
        id=fields["id"],
        kind=cast("EntityKind", fields["kind"]),
        name=fields["name"],
        type=fields.get("type", ""),
        aliases=_listed(fields.get("aliases", "")),
        country=fields.get("country", ""),
        latitude=float(latitude) if latitude else None,
        longitude=float(longitude) if longitude else None,
        weight=int(fields.get("weight") or 0),
        context=_listed(fields.get("context", "")),
    )


def _listed(cell: str) -> tuple[str, ...]:
    if not cell:
        return ()
    return tuple(name for part in cell.split("|") if (name := part.strip()))


def names_of(row: Row) -> Iterable[str]:
    """Return every form of the row's name."""
    return (row.name, *row.aliases)


def _line(node: Node) -> int:
    return int(node.start_mark.line) + 1 if node.start_mark else 1


def _shown(text: str) -> str:
    return repr(text if len(text) <= _SHOWN_CHARACTERS else text[:_SHOWN_CHARACTERS] + "…")
