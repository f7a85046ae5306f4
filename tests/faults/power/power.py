"""Plays a power cut: runs a program under ``shim.c`` and rebuilds its folder as it could have been found afterwards.

The model is the strict one of POSIX. What ``fsync`` or ``fdatasync`` confirmed for a file is kept. Everything later is
at the disk's mercy: a write may be kept, lost or torn between sectors, in any order. A name (created, renamed or
removed) is safe once its folder was synced; until then any number of the oldest of these changes may have been kept,
but no later one without those before it, as in a file system that keeps a journal of names.

    recording = record([sys.executable, "program.py", str(folder)], folder, shim)
    recording.rebuild(cut, target, keep=lambda: False)     the folder after a cut before operation number ``cut``
    recording.said(cut)                                    what the program had written to standard output until then
"""

from __future__ import annotations

import os
import shutil
import struct
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import pytest

ENTRY = struct.Struct("=IIIIQQ")
SECTOR = 512
REBUILT_BY_THEIR_OWNER = ("-shm",)
"""SQLite writes this file through a mapping, which the shim does not see, and makes it anew from the log."""

Keep = Callable[[], bool]
"""Asked for each thing not yet synced: did the disk keep it?"""


def compile_shim(folder: Path) -> Path:
    """Return the shim, compiled into ``folder``; skip the test where that is impossible, but fail in CI."""
    compiler = shutil.which("gcc") or shutil.which("cc")
    if sys.platform != "linux" or compiler is None:
        reason = "a power cut is played with LD_PRELOAD: this needs Linux and a C compiler (gcc or cc)"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    shim = folder / "shim.so"
    source = Path(__file__).with_name("shim.c")
    command = [
        compiler,
        "-O1",
        "-Wall",
        "-Werror",
        "-shared",
        "-fPIC",
        "-o",
        str(shim),
        str(source),
        "-ldl",
        "-lpthread",
    ]
    subprocess.run(command, check=True)
    return shim


class Operation(NamedTuple):
    """One record of the journal; ``shim.c`` tells the kinds."""

    kind: str
    file: int
    offset: int
    path: str
    data: bytes


class File:
    """Content as the disk has it for certain, and what was done to it since."""

    def __init__(self, content: bytes = b"") -> None:
        self._durable = bytearray(content)
        self._pending: list[tuple[str, int, bytes]] = []

    def write(self, offset: int, data: bytes) -> None:
        self._pending.append(("W", offset, data))

    def truncate(self, length: int) -> None:
        self._pending.append(("T", length, b""))

    def sync(self) -> None:
        self._durable = self._after(lambda: True)
        self._pending = []

    def content(self, keep: Keep) -> bytes:
        return bytes(self._after(keep))

    def _after(self, keep: Keep) -> bytearray:
        content = bytearray(self._durable)
        for kind, offset, data in self._pending:
            if kind == "T":
                if keep():
                    content[offset:] = bytes(max(0, offset - len(content)))
                continue
            for start, piece in sectors(offset, data):
                if keep():
                    content.extend(bytes(max(0, start - len(content))))
                    content[start : start + len(piece)] = piece
        return content


def sectors(offset: int, data: bytes) -> Iterator[tuple[int, bytes]]:
    """Cut a write where sectors of the disk begin; each is written whole or not at all."""
    at = 0
    while at < len(data):
        size = SECTOR - (offset + at) % SECTOR
        yield offset + at, data[at : at + size]
        at += size


Names = dict[str, File | None]
"""Paths in use: a file, or None for a folder."""


Snapshot = dict[str, tuple[int, bytes | None]]
"""What was there, safely, before the program started: inode and content of each path, no content for a folder."""


class Disk:
    """Files and names while the journal is played: as programs saw them, and as the disk has them for certain."""

    def __init__(self, before: Snapshot) -> None:
        self._files = {inode: File(content) for inode, content in before.values() if content is not None}
        self._seen: Names = {path: self._files.get(inode) for path, (inode, _) in before.items()}
        self._durable: Names = dict(self._seen)
        self._pending: dict[str, list[Callable[[Names], None]]] = {}  # changes of names by folder, oldest first

    def play(self, operation: Operation) -> None:
        kind, file, offset, path, data = operation
        if kind == "C":
            self._files[file] = created = File()  # an inode's number may be that of a file removed before
            self._rename(path, lambda names: names.update({path: created}))
        elif kind == "M":
            self._rename(path, lambda names: names.update({path: None}))
        elif kind == "U":
            self._rename(path, lambda names: names.pop(path, None))
        elif kind == "R":
            self._move(path, data.decode())
        elif kind == "W":
            self._files[file].write(offset, data)
        elif kind == "T":
            self._files[file].truncate(offset)
        elif kind == "S":
            self._files[file].sync()
        elif kind == "D":
            self._sync_folder(path, data)

    def _rename(self, path: str, change: Callable[[Names], object]) -> None:
        change(self._seen)
        self._pending.setdefault(os.path.dirname(path), []).append(lambda names: (change(names), None)[1])

    def _move(self, source: str, target: str) -> None:
        moved = self._seen.get(source)
        assert moved is not None, f"{source} is renamed but is no file seen before; folders that move are not played"

        def change(names: Names) -> None:
            names.pop(source, None)
            names[target] = moved

        self._rename(target, change)

    def _sync_folder(self, folder: str, listing: bytes) -> None:
        """A synced folder is as it is listed, whoever changed it."""
        for names in (self._seen, self._durable):
            for path in [path for path in names if os.path.dirname(path) == folder]:
                del names[path]
        for entry in filter(None, listing.split(b"\0")):
            inode, _, name = entry.decode(errors="surrogateescape").partition(" ")
            self._seen[f"{folder}/{name}"] = self._durable[f"{folder}/{name}"] = self._files.get(int(inode))
        self._pending.pop(folder, None)

    def left(self, keep: Keep) -> dict[str, bytes | None]:
        """Return what is found after the cut: the content of each file, None for a folder."""
        names = dict(self._durable)
        for changes in self._pending.values():
            for change in changes:
                if not keep():
                    break
                change(names)
        return {path: file.content(keep) if file else None for path, file in names.items()}


class Recording(NamedTuple):
    """What a program did to a folder."""

    folder: Path
    before: Snapshot
    operations: Sequence[Operation]

    def said(self, cut: int) -> str:
        """Return what the program had written to standard output before operation ``cut``."""
        return b"".join(operation.data for operation in self.operations[:cut] if operation.kind == "K").decode()

    def rebuild(self, cut: int, target: Path, keep: Keep) -> Path:
        """Make ``target`` the folder as found after a power cut before operation ``cut``."""
        disk = Disk(self.before)
        for operation in self.operations[:cut]:
            disk.play(operation)
        target.mkdir()
        root = os.path.realpath(self.folder)
        for path, content in sorted(disk.left(keep).items()):
            place = target / os.path.relpath(path, root)
            if content is None:
                place.mkdir(parents=True, exist_ok=True)
            elif place.parent.is_dir() and not path.endswith(REBUILT_BY_THEIR_OWNER):
                place.write_bytes(content)
        return target


def record(command: Sequence[str], folder: Path, shim: Path) -> Recording:
    """Run a program to its end under the shim. Raises ``CalledProcessError`` when it fails."""
    root = os.path.realpath(folder)
    before: Snapshot = {}
    for base, folders, names in os.walk(root):
        before |= {f"{base}/{name}": (os.stat(f"{base}/{name}").st_ino, None) for name in folders}
        before |= {
            f"{base}/{name}": (os.stat(f"{base}/{name}").st_ino, Path(base, name).read_bytes()) for name in names
        }
    journal = folder.parent / f"{folder.name}.journal"
    seen = {"LD_PRELOAD": str(shim), "POWER_FOLDER": root, "POWER_JOURNAL": str(journal)}
    seen["PYTHONPATH"] = os.pathsep.join(sys.path)
    subprocess.run(command, check=True, stdout=subprocess.PIPE, env=os.environ | seen)
    return Recording(folder, before, list(operations_of(journal.read_bytes())))


def operations_of(journal: bytes) -> Iterator[Operation]:
    at = 0
    while at < len(journal):
        kind, text, data, _, file, offset = ENTRY.unpack_from(journal, at)
        at += ENTRY.size
        path = os.fsdecode(journal[at : at + text])
        yield Operation(chr(kind), file, offset, path, journal[at + text : at + text + data])
        at += text + data


def files_of(folder: Path) -> dict[str, bytes]:
    """Return every file below ``folder``, but those that are made anew anyway."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and not path.name.endswith(REBUILT_BY_THEIR_OWNER)
    }
