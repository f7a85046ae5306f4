"""Row 28: importing a DAG opens nothing, and takes no time to speak of."""

from __future__ import annotations

import ast
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from airflow_parts import DAGS, PROGRAMS, Airflow

from pipeline.settings import Settings

FILES = sorted(DAGS.glob("*.py"))
LOOK = Path(__file__).with_name("look_at_dags.py")
BAD = """
import socket
from airflow.sdk import dag

socket.create_connection(("127.0.0.1", 9))
"""


@pytest.fixture(scope="module")
def look(_airflow: None, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What a fresh process saw of every DAG file, and of one that opens a connection."""
    folder = tmp_path_factory.mktemp("imported")
    bad = folder / "bad.py"
    bad.write_text(BAD, "utf-8")
    ended = subprocess.run(
        [PROGRAMS / "python", LOOK, *FILES, bad], cwd=folder, text=True, capture_output=True, check=False,
        env=Airflow(folder, Settings(folder=folder)).environment,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    seen: dict[str, Any] = json.loads(ended.stdout[ended.stdout.index('{"found"') :])
    return seen


def dags_in(look: dict[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = look["found"][str(DAGS / name)]["dags"]
    return found


def test_row_28_every_file_is_imported_with_no_network_and_no_connection(look: dict[str, Any]) -> None:
    assert {Path(file).name: seen["errors"] for file, seen in look["found"].items() if "bad" not in file} == {
        "check_feeds.py": [], "poll_feeds.py": [], "prune.py": [], "replay_dead_letters.py": [],
    }  # fmt: skip
    assert [list(dags_in(look, file.name)) for file in FILES] == [[file.stem] for file in FILES]


def test_a_file_that_opened_a_connection_would_be_found(look: dict[str, Any]) -> None:
    (error,) = next(seen["errors"] for file, seen in look["found"].items() if file.endswith("bad.py"))
    assert "while a DAG is imported" in error


def test_row_28_no_file_takes_a_second(look: dict[str, Any]) -> None:
    # The processor's time, which a busy machine does not stretch; 0.004 s when this was written.
    assert max(look["seconds"].values()) < 1.0


def test_the_pipeline_is_imported_inside_tasks_only(look: dict[str, Any]) -> None:
    assert {"airflow"} == {"airflow", "pipeline"} & set(look["modules"])


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_a_file_is_a_door_of_at_most_forty_lines_whose_docstring_is_the_page_of_its_dag(
    look: dict[str, Any], file: Path
) -> None:
    text = file.read_text("utf-8")
    assert text.count("\n") <= 40
    (dag,) = dags_in(look, file.name).values()
    assert dag["doc"] == ast.get_docstring(ast.parse(text), clean=False)
    assert (dag["catchup"], dag["max_active_runs"]) == (False, 1)


def test_no_file_hides_the_package_it_imports() -> None:
    assert "pipeline.py" not in {file.name for file in FILES}


def test_only_what_is_meant_to_be_by_hand_has_no_schedule_and_only_polling_waits_for_the_pool(
    look: dict[str, Any],
) -> None:
    schedules = {file.stem: dags_in(look, file.name)[file.stem]["schedule"] for file in FILES}
    assert schedules.pop("replay_dead_letters") == "NullTimetable"
    assert "NullTimetable" not in schedules.values()
    pools = dags_in(look, "poll_feeds.py")["poll_feeds"]["pools"]
    assert pools == {"find_due": "default_pool", "poll": "fetch", "report": "default_pool"}
