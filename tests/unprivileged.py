"""A command whom permissions stop: the tests may run as root, whom none stops as long as it has its capabilities."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from cli_parts import Said

import pipeline

DROP_CAPABILITIES = """
import ctypes, os, sys
if os.getuid() == 0:  # capset(2), version 3: none effective, none permitted
    header, none = (ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)()
    assert ctypes.CDLL(None, use_errno=True).capset(header, none) == 0, os.strerror(ctypes.get_errno())
from pipeline import cli
cli.main(sys.argv[1:])
"""

needs_permissions = pytest.mark.skipif(
    sys.platform != "linux" and os.getuid() == 0, reason="root is stopped by nothing"
)


def said_with_permissions(*words: str | Path, folder: Path) -> Said:
    """Run one command line in ``folder`` as a user of whom files and folders may keep things."""
    source = str(Path(pipeline.__file__).resolve().parent.parent)
    clean = {name: value for name, value in os.environ.items() if not name.startswith("WIREWATCH_")}
    ended = subprocess.run(
        [sys.executable, "-c", DROP_CAPABILITIES, *map(str, words)], cwd=folder,
        env={**clean, "PYTHONPATH": source}, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL,
        timeout=60,
    )  # fmt: skip
    return Said(ended.returncode, ended.stdout, ended.stderr)
