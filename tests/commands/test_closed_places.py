"""Folders and files that the user may not see or write, and outputs that take nothing: never a traceback."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from cli_parts import Cli
from unprivileged import needs_permissions, said_with_permissions

import pipeline

pytestmark = needs_permissions


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


@pytest.fixture
def closed(folder: Path) -> Iterator[Path]:
    (folder / "closed" / "inner").mkdir(parents=True)
    (folder / "closed").chmod(0o000)
    yield folder / "closed"
    (folder / "closed").chmod(0o755)


@pytest.mark.parametrize("words", [["status"], ["search", "x"], ["feeds", "list"], ["ingest", "x.txt"]])
def test_a_data_folder_that_cannot_be_reached_is_said_to_be(folder: Path, closed: Path, words: list[str]) -> None:
    ended = said_with_permissions("--data", closed / "inner", *words, folder=folder)
    assert (ended.code, ended.out) == (1, "")
    assert f"{closed / 'inner'} cannot be" in ended.err
    assert "Permission denied" in ended.err
    assert "Traceback" not in ended.err


def test_the_doctor_says_so_as_well(folder: Path, closed: Path) -> None:
    ended = said_with_permissions("--data", closed / "inner", "doctor", folder=folder)
    assert ended.code == 1
    assert f"bad\tdata folder\t{closed / 'inner'} cannot be reached: Permission denied. Run this as" in ended.out
    assert ended.err.startswith("wirewatch: Not well: data folder")


def test_a_config_folder_that_cannot_be_reached_is_a_usage_error(folder: Path, closed: Path) -> None:
    ended = said_with_permissions("--config", closed / "inner", "status", folder=folder)
    assert (ended.code, f"{closed / 'inner'} cannot be reached: Permission denied" in ended.err) == (2, True)


@pytest.mark.parametrize("words", [["status"], ["alerts", "list"], ["backup", "copy"], ["show", "0" * 32]])
def test_a_data_folder_of_somebody_else_is_read_by_its_owner_or_as_a_copy(
    folder: Path, filled_folder: Path, words: list[str]
) -> None:
    shutil.copytree(filled_folder, folder / "data")
    (folder / "data").chmod(0o555)
    ended = said_with_permissions("--data", folder / "data", *words, folder=folder)
    (folder / "data").chmod(0o755)
    assert (ended.code, ended.out) == (1, "")
    assert f"wirewatch: {folder / 'data'} cannot be written by you, and reading it needs that too" in ended.err


def test_a_file_of_somebody_else_is_named(folder: Path, filled_folder: Path) -> None:
    shutil.copytree(filled_folder, folder / "data")
    (folder / "data" / "state.db").chmod(0o444)
    ended = said_with_permissions("--data", folder / "data", "status", folder=folder)
    assert (ended.code, f"wirewatch: {folder / 'data' / 'state.db'} cannot be written by you" in ended.err) == (1, True)


def test_an_index_of_somebody_else_is_not_called_damaged(folder: Path, filled_folder: Path) -> None:
    shutil.copytree(filled_folder, folder / "data")
    for path in (folder / "data" / "index").iterdir():
        path.chmod(0o444)
    (folder / "data" / "index").chmod(0o555)
    ended = said_with_permissions("--data", folder / "data", "search", "breakwater", folder=folder)
    (folder / "data" / "index").chmod(0o755)
    assert (ended.code, ended.out) == (1, "")
    assert f"the index in {folder / 'data' / 'index'} cannot be opened: permission denied. A reader's" in ended.err


def test_a_search_needs_only_the_index_folder(folder: Path, filled_folder: Path) -> None:
    shutil.copytree(filled_folder, folder / "data")
    (folder / "data").chmod(0o555)
    ended = said_with_permissions("--data", folder / "data", "search", "breakwater", "--json", folder=folder)
    (folder / "data").chmod(0o755)
    assert (ended.code, ended.err) == (0, "")
    assert json.loads(ended.out)["title"] == "Ferry aground"


def into(output: str, *words: str | Path, folder: Path) -> subprocess.CompletedProcess[str]:
    source = str(Path(pipeline.__file__).resolve().parent.parent)
    command = ["sh", "-c", f'exec "$@" >{output}', "sh", sys.executable, "-m", "pipeline.cli", *map(str, words)]
    return subprocess.run(
        command, cwd=folder, env={"PYTHONPATH": source, "PATH": "/usr/bin:/bin"}, capture_output=True, text=True,
        check=False, timeout=60,
    )  # fmt: skip


@pytest.mark.parametrize("output", ["/dev/full", "&-"])
@pytest.mark.parametrize("words", [["search", "*"], ["search", "*", "--json"], ["status", "--json"], ["rules", "list"]])
def test_an_output_that_takes_nothing_is_said(filled: Cli, output: str, words: list[str]) -> None:
    ended = into(output, "--data", filled.data, *words, folder=filled.folder)
    cause = "No space left on device" if output == "/dev/full" else "Bad file descriptor"
    assert ended.returncode == 1
    assert ended.stderr.splitlines()[-1] == (
        f"wirewatch: The output cannot be written: {cause}. Send it elsewhere and run the same command again."
    )
    assert "Traceback" not in ended.stderr
