"""Airflow, where it is installed: its tests are skipped elsewhere, and fail in CI."""

from __future__ import annotations

from pathlib import Path

import pytest
from airflow_parts import prepare, require_airflow

from pipeline.settings import Settings


@pytest.fixture(scope="session", autouse=True)
def _airflow() -> None:
    require_airflow()


@pytest.fixture(scope="session")
def airflow_home(_airflow: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with Airflow's own SQLite, migrated, and the pool, for single runs of a DAG one after the other."""
    home = tmp_path_factory.mktemp("airflow")
    prepare(home, Settings(folder=home))
    return home
