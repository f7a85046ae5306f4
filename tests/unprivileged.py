"""A user who may not do everything: the tests may run as root, whom no permission stops."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from cli_parts import Said

import pipeline

NOBODY = 65_534


@contextmanager
def open_folder() -> Iterator[Path]:
    """A folder that everybody can reach, which pytest's own are not."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


def said_to_nobody(*words: str | Path, folder: Path) -> Said:
    """Run one command line as a user without rights, in ``folder``."""
    source = Path(pipeline.__file__).resolve().parent.parent
    program = (
        "import encodings.cp437, encodings.utf_8_sig, os, sys\n"
        "from pipeline import cli\n"
        "from pipeline.commands import articles, doctor, feeds, ingest, rules, run, status\n"  # may be root's alone
        "import alembic.command, alembic.config, pipeline.adapters.sql_state, pipeline.adapters.sqlite_broker\n"
        "import pipeline.adapters.http, pipeline.adapters.pages, pipeline.adapters.tantivy_index\n"
        f"if os.getuid() == 0: os.setgroups([]); os.setgid({NOBODY}); os.setuid({NOBODY})\n"
        "cli.main(sys.argv[1:])\n"
    )
    clean = {name: value for name, value in os.environ.items() if not name.startswith("WIREWATCH_")}
    ended = subprocess.run(
        [sys.executable, "-c", program, *map(str, words)], cwd=folder, env={**clean, "PYTHONPATH": str(source)},
        capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL, timeout=60,
    )  # fmt: skip
    return Said(ended.returncode, ended.stdout, ended.stderr)


needs_permissions = pytest.mark.skipif(not hasattr(os, "setuid"), reason="needs the permissions of Unix")
