"""A command line on a data folder: a new one, or one that holds a few articles."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from cli_parts import Cli

SEED = Path(__file__).parent.parent / "data" / "seed-article.txt"
ARTICLES = [
    {
        "url": "https://harbour.example/ferry", "title": "Ferry aground", "outlet": "Harbour Times",
        "published": "2024-03-01T10:00:00Z",
        "body": "The ferry Northern Star ran aground off the breakwater on Monday morning, the harbour office said.",
    },
    {
        "url": "https://mirror.example/talks", "title": "Talks resume", "outlet": "Mirror",
        "published": "2024-03-10T10:00:00Z",
        "body": "Officials said a delegation would attend the talks that resume in the capital this week.",
    },
]  # fmt: skip


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cli:
    """A command line in an empty folder, with no data folder yet."""
    monkeypatch.chdir(tmp_path)
    return Cli(tmp_path)


@pytest.fixture(scope="session")
def filled_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder that holds the articles above and the seed article."""
    folder = tmp_path_factory.mktemp("filled")
    (folder / "two.jsonl").write_text("".join(json.dumps(article) + "\n" for article in ARTICLES), "utf-8")
    ended = Cli(folder)("ingest", folder / "two.jsonl", SEED)
    assert ended.code == 0, ended.err
    return folder / "data"


@pytest.fixture
def filled(cli: Cli, filled_folder: Path) -> Cli:
    """A command line on a copy of that folder."""
    shutil.copytree(filled_folder, cli.data)
    return cli
