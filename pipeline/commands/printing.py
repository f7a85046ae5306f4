"""How commands print: tables, JSON, counted words, and where a query went wrong."""

from __future__ import annotations

import json
import sys
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Annotated, Any

import msgspec
import typer

from pipeline.commands.context import safe
from pipeline.errors import QueryError, UsageError

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]

WIDE = 120
"""Columns of a terminal below which a table leaves out its less important columns."""
QUERY_ROOM = 60
"""Characters of a long query that are shown around its fault."""


def print_json_lines(rows: Iterable[Any]) -> None:
    """Print each row as one line of JSON."""
    for row in rows:
        sys.stdout.write(msgspec.json.encode(row).decode() + "\n")
    sys.stdout.flush()


def print_json(value: Any) -> None:
    """Print one value as indented JSON."""
    plain = msgspec.to_builtins(value)
    sys.stdout.write(json.dumps(plain, ensure_ascii=False, indent=2) + "\n")


def print_table(
    columns: Sequence[str], rows: Iterable[Sequence[Any]], *, empty: str, only_wide: Collection[str] = ()
) -> None:
    """Print a table on stdout: lined up on a terminal, tab-separated when piped; ``empty`` when there are no rows.

    ``only_wide`` columns are left out on a narrow terminal, never from a pipe.
    """
    listed = [[safe(str(cell)).replace("\t", " ").replace("\n", " ") for cell in row] for row in rows]
    if not listed:
        sys.stderr.write(empty + "\n")
    elif sys.stdout.isatty():
        _print_for_people(columns, listed, only_wide)
    else:
        for row in listed:
            sys.stdout.write("\t".join(row) + "\n")


def _print_for_people(columns: Sequence[str], rows: Sequence[Sequence[str]], only_wide: Collection[str]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console()
    left_out = set(only_wide) if console.width < WIDE else set()
    kept = [number for number, column in enumerate(columns) if column not in left_out]
    table = Table(box=None, pad_edge=False, header_style="bold", show_header=any(columns))
    for number in kept:
        table.add_column(columns[number], overflow="fold")
    for row in rows:
        table.add_row(*(Text(row[number]) for number in kept))
    console.print(table)


def counted(number: int, noun: str, plural: str = "") -> str:
    """Return ``1 article``, ``2 articles``."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {plural or noun + 's'}"


@contextmanager
def pointing_into(query: str) -> Iterator[None]:
    """Turn a ``QueryError`` from the body into a usage error that shows the query with a caret under the fault."""
    try:
        yield
    except QueryError as error:
        raise UsageError(f"cannot read the query: {error}\n{_pointed(safe(query), error.column)}") from None


def _pointed(query: str, column: int) -> str:
    from rich.cells import cell_len

    line = query.replace("\n", " ").replace("\t", " ")
    start = max(0, min(column, len(line)) - QUERY_ROOM // 2)
    shown = line[start : start + QUERY_ROOM]
    before = ("…" if start else "") + line[start:column]
    after = "…" if start + QUERY_ROOM < len(line) else ""
    return f"  {'…' if start else ''}{shown}{after}\n  {' ' * cell_len(before)}^"
