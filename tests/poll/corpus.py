"""feedparser's own test feeds, some 2,240: from its source distribution, kept in a cache folder, never in the project.

Without them the tests that want them are skipped with a sentence, and fail where everything must be tested (CI).
"""

from __future__ import annotations

import fcntl
import hashlib
import importlib.metadata
import os
import re
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
OWN = Path(__file__).parents[1] / "data" / "feeds"
SHARED = ROOT.parent / "shared" / "data" / "feeds"
VERSION = importlib.metadata.version("feedparser")
CACHE = Path(os.environ.get("XDG_CACHE_HOME", "~/.cache")).expanduser() / "wirewatch-corpus"
NAME = f"feedparser-{VERSION}.tar.gz"
FEEDS = re.compile(r"[^/]+/tests/.+\.(?:xml|z|gz)")


class Missing(Exception):
    """The feeds are not there and could not be fetched; the message says why."""


def nearby() -> list[Path]:
    """Return the feeds of the project's own tests, and those that lie beside the project, where they do."""
    return sorted([*OWN.iterdir(), *(SHARED.iterdir() if SHARED.is_dir() else ())])


def feeds() -> list[tuple[str, bytes]]:
    """Return name and bytes of each feed of feedparser's tests; skip the test, or fail it in CI, without them."""
    try:
        archive = _archive()
    except Missing as missing:
        if os.environ.get("CI") == "true":
            pytest.fail(str(missing))
        pytest.skip(str(missing))
    found = []
    with tarfile.open(archive) as members:
        for member in members:
            if member.isfile() and FEEDS.fullmatch(member.name):
                data = members.extractfile(member)
                assert data is not None
                found.append((member.name.partition("/tests/")[2], data.read()))
    return sorted(found)


def _archive() -> Path:
    """Return the archive with one of the hashes of the lock file, fetched by whoever of several processes is first."""
    hashes = _locked()
    path = CACHE / NAME
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not path.exists():
            _fetch()
        if hashlib.sha256(path.read_bytes()).hexdigest() not in hashes:
            raise Missing(f"{path} is not the archive of requirements.lock; remove it")
    return path


def _fetch() -> None:
    # pip builds the metadata of what it downloads, with the build tool that the archive names.
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps",
               "--no-binary", "feedparser", "--dest", str(CACHE), f"feedparser=={VERSION}"]  # fmt: skip
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=180, check=False)
    except subprocess.TimeoutExpired as error:
        raise Missing("feedparser's source distribution could not be fetched within 180 s") from error
    if done.returncode or not (CACHE / NAME).exists():
        raise Missing(f"feedparser's source distribution could not be fetched with pip: {done.stderr.strip()[-500:]}")


def _locked() -> set[str]:
    """Return the hashes that the lock file allows for feedparser."""
    lock = (ROOT / "requirements.lock").read_text("utf-8")
    _, named, rest = lock.partition(f"\nfeedparser=={VERSION} \\\n")
    if not named:
        raise Missing(f"requirements.lock does not name feedparser {VERSION}, which is installed")
    return set(re.findall(r"^    --hash=sha256:([0-9a-f]{64})", re.split(r"\n(?! )", rest)[0], re.MULTILINE))
