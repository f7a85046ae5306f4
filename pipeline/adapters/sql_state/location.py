"""Where a state is: from the address in the settings to what SQLAlchemy opens."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from pipeline.errors import DataFolderError, MissingExtra, NotSetUp, UsageError

SQLITE = "sqlite://"


def url_of(address: str) -> URL:
    """Return the URL of ``sqlite:///absolute/path/state.db`` or ``postgresql://user@host/database``.

    Raises:
        UsageError: it is neither.
        MissingExtra: PostgreSQL's driver is not installed.
    """
    if address.startswith(SQLITE):
        # The path is taken as it stands, since file names may hold what means something in a URL.
        path = "/" + address.removeprefix(SQLITE).lstrip("/")
        if path == "/":
            raise UsageError(f"{address} names no file; a state is at sqlite:///absolute/path/state.db")
        return URL.create("sqlite", database=path)
    try:
        url = make_url(address)
    except (ArgumentError, ValueError):  # the latter for a port that is no number
        url = URL.create("unreadable")  # the address itself may hold a password
    if url.drivername not in ("postgresql", "postgres"):
        raise UsageError(
            f"the state cannot be at a URL that begins with {url.drivername}: "
            "name sqlite:///absolute/path/state.db or postgresql://user@host/database"
        )
    if importlib.util.find_spec("psycopg") is None:
        raise MissingExtra("a state in PostgreSQL needs its driver: install wirewatch[postgres]")
    return url.set(drivername="postgresql+psycopg")


def shown(url: URL) -> str:
    """Return what to call a state in a message: its options may hold a password as well as its login."""
    return str(file_of(url) or url.set(query={}).render_as_string(hide_password=True))


def file_of(url: URL) -> Path | None:
    """Return the file of a state in SQLite."""
    return Path(url.database or "") if url.drivername == "sqlite" else None


def check_file(path: Path, *, create: bool) -> None:
    """Make the folder when ``create`` says so, and see that SQLite makes no file where it is not to.

    Raises:
        NotSetUp: there is no state.
        DataFolderError: no folder can be made for one.
    """
    try:
        if create:
            path.parent.mkdir(parents=True, exist_ok=True)
        elif not path.exists():
            raise NotSetUp(f"there is no state at {path}: `wirewatch setup` makes one, or name its data folder")
    except OSError as error:
        raise DataFolderError(f"the state at {path} cannot be reached: {error.strerror}") from error
