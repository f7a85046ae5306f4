"""A newsstand: one feed on a local server, with the real embedded parts."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from fakes import Newsstand
from stub_server import StubServer

from pipeline.adapters.sql_state import SqlState


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty state, migrated once for all tests."""
    path = tmp_path_factory.mktemp("migrated") / "state.db"
    SqlState.open(f"sqlite:///{path}", migrate=True).close()
    return path


@pytest.fixture
def stand(tmp_path: Path, migrated_file: Path) -> Iterator[Newsstand]:
    shutil.copy(migrated_file, tmp_path / "state.db")
    with StubServer() as server:
        newsstand = Newsstand(tmp_path, server)
        yield newsstand
        newsstand.close()
