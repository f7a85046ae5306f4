"""Embedded mode runs without the clients of a cluster: they may not even be installed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pipeline

SEED = Path(__file__).parent / "data" / "seed-article.txt"
CLUSTER = {"kafka", "elasticsearch", "elastic_transport", "airflow", "psycopg", "psycopg2"}
PROGRAM = """
import json, sys
from pipeline import cli
codes = []
for line in (f"ingest {sys.argv[1]}", "search qaani --json", "status", "doctor", "demo --seconds 1"):
    try:
        cli.main(["--data", "data", *line.split()])
    except SystemExit as end:
        codes.append(end.code or 0)
with open("found.json", "w") as file:
    json.dump({"codes": codes, "modules": sorted({name.partition(".")[0] for name in sys.modules})}, file)
"""


def test_the_whole_path_imports_no_client_of_a_cluster(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("WIREWATCH_")}
    environment["PYTHONPATH"] = str(Path(pipeline.__file__).parent.parent)
    ended = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(SEED)],
        cwd=tmp_path, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    found = json.loads((tmp_path / "found.json").read_text("utf-8"))
    assert found["codes"] == [0, 0, 0, 0, 0], ended.stderr
    assert {"tantivy", "sqlalchemy", "aiohttp", "trafilatura"} <= set(found["modules"])
    assert not CLUSTER & set(found["modules"])
