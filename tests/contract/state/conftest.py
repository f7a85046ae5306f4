"""A fresh state for each test of the contract, in every database there is: SQLite, and a real PostgreSQL."""

from __future__ import annotations

import shutil
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pipeline.adapters.sql_state import SqlState
from pipeline.ports import State

DATABASES = ["sqlite", "postgres"]


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty state in SQLite, migrated once for all tests."""
    path = tmp_path_factory.mktemp("migrated") / "state.db"
    SqlState.open(f"sqlite:///{path}", migrate=True).close()
    return path


@pytest.fixture(params=DATABASES)
def state_url(request: pytest.FixtureRequest, tmp_path: Path, migrated_file: Path) -> Iterator[str]:
    """The address of an empty state."""
    if request.param == "sqlite":
        shutil.copy(migrated_file, tmp_path / "state.db")
        yield f"sqlite:///{tmp_path}/state.db"
        return
    import psycopg

    address, template = request.getfixturevalue("migrated_database")
    name = f"wirewatch_{uuid.uuid4().hex}"
    with psycopg.connect(address, autocommit=True) as server:
        server.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
    yield f"{address.rpartition('/')[0]}/{name}"
    with psycopg.connect(address, autocommit=True) as server:
        server.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture(scope="session")
def migrated_database(postgres: str) -> tuple[str, str]:
    """An empty state in PostgreSQL, migrated once for all tests of a process: the server, and its name there."""
    import psycopg

    name = f"wirewatch_{uuid.uuid4().hex}"
    with psycopg.connect(postgres, autocommit=True) as server:
        server.execute(f'CREATE DATABASE "{name}"')
    SqlState.open(f"{postgres.rpartition('/')[0]}/{name}", migrate=True).close()
    return postgres, name


@pytest.fixture
def state(state_url: str) -> Iterator[State]:
    """The state under test, open and empty."""
    opened = SqlState.open(state_url, migrate=False)
    yield opened
    opened.close()


class Elsewhere:
    """A Python program in a process of its own: it says "ready", and goes on when it is told to."""

    def __init__(self, program: str, arguments: tuple[str, ...]) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", program, *arguments],
            cwd=Path(__file__).parent,  # `-c` imports from the folder it starts in: the installed package is meant
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def is_ready(self) -> str:
        """Wait for one line of its output and return it."""
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def go_on(self) -> None:
        """Let it continue past its ``input()``."""
        assert self.process.stdin is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()

    def words(self) -> list[str]:
        """Return the words it prints up to the line "end"; it still runs then."""
        assert self.process.stdout is not None
        words: list[str] = []
        while (line := self.process.stdout.readline()) != "end\n":
            assert line, f"the process ended early: {self.process.communicate()[1]}"
            words += line.split()
        return words

    def kill(self) -> None:
        """End it as a crash would, and collect it."""
        self.process.kill()
        self.process.communicate(timeout=60)


@pytest.fixture
def elsewhere() -> Iterator[Callable[..., Elsewhere]]:
    """Start programs in other processes; whatever still runs at the end is killed."""
    started: list[Elsewhere] = []

    def start(program: str, *arguments: str) -> Elsewhere:
        started.append(Elsewhere(program, arguments))
        return started[-1]

    yield start
    for each in started:
        if each.process.poll() is None:
            each.kill()
