"""The folder of an embedded index: made once, opened many times, and never taken for what it is not."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeVar

import msgspec
import tantivy

from pipeline.adapters.tantivy_document import SCHEMA_NUMBER
from pipeline.errors import DataFolderError

T = TypeVar("T")

_CAUSE_CHARACTERS: Final = 200
_WITHIN_RUST: Final = re.compile(r'IoError \{.*?(?:message|error): "([^"]*)"')
MARKER_FILE: Final = "wirewatch-index.json"
"""Names the schema of the index beside it: tantivy's own file knows the fields, but not our analyser's rules."""


def make_index(path: Path, schema: tantivy.Schema) -> tantivy.Index:
    """Return the index in ``path``, made when there is none. Raises ``DataFolderError`` when it cannot be used."""
    try:
        if not path.is_dir():
            path.mkdir(parents=True)
            sync_folder(path.parent)
        if not (path / "meta.json").exists() and not (path / MARKER_FILE).exists():
            _write_marker(path)
        _check_marker(path)
        index = uninterrupted(lambda: tantivy.Index(schema, str(path)))
        uninterrupted(lambda: index.config_reader("manual"))
    except (OSError, ValueError) as error:
        raise damaged(path, error) from error
    return index


def find_index(path: Path, schema: tantivy.Schema) -> tantivy.Index | None:
    """Return the index in ``path``, None when there is none. Raises ``DataFolderError`` when it cannot be used."""
    if not (path / "meta.json").exists():
        return None
    _check_marker(path)
    try:
        index = uninterrupted(lambda: tantivy.Index.open(str(path)))
        if index.schema != schema:
            raise ValueError("its fields are not those of its schema number")
        # Else a thread watches the folder, and what a call sees depends on its pace.
        uninterrupted(lambda: index.config_reader("manual"))
    except (OSError, ValueError) as error:
        raise damaged(path, error) from error
    return index


def uninterrupted(call: Callable[[], T]) -> T:
    """Call again what a signal has interrupted, until it has ended by itself.

    tantivy 0.27 waits for its locks with flock(2) and takes the EINTR of a Ctrl-C for a failure of the disk.
    """
    while True:
        try:
            return call()
        except ValueError as error:
            if "kind: Interrupted" not in str(error):
                raise


def sync_folder(path: Path) -> None:
    """Make the names in a folder durable.

    tantivy syncs the folder before it renames ``meta.json`` and not after: without this, a power cut can take the last
    commits back, although each of their files is on disk.
    """
    folder = os.open(path, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _write_marker(path: Path) -> None:
    """Say which schema the index has; on disk before the index is, so that no index is ever without it."""
    written = path / f"{MARKER_FILE}.new"
    with written.open("wb") as file:
        file.write(msgspec.json.encode({"schema": SCHEMA_NUMBER}))
        file.flush()
        os.fsync(file.fileno())
    written.replace(path / MARKER_FILE)
    sync_folder(path)


def _check_marker(path: Path) -> None:
    try:
        number = msgspec.json.decode((path / MARKER_FILE).read_bytes(), type=dict[str, int]).get("schema")
    except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
        raise DataFolderError(
            f"{path} holds files but no readable {MARKER_FILE}, so it is no index of Wirewatch ({error}); "
            "name another folder in WIREWATCH_INDEX"
        ) from error
    if number != SCHEMA_NUMBER:
        raise DataFolderError(
            f"the index in {path} has schema {number} and this release reads schema {SCHEMA_NUMBER}; "
            "use the release that wrote it, or name a new folder in WIREWATCH_INDEX and fill it with "
            "`wirewatch index --rebuild`"
        )


def damaged(path: Path, error: Exception) -> DataFolderError:
    """Return the error for a folder that cannot be opened because of ``error``."""
    if isinstance(error, PermissionError) or "PermissionDenied" in str(error):
        return DataFolderError(
            f"the index in {path} cannot be opened: permission denied. A reader's locks are files there too, so run "
            "this as the user who owns it"
        )
    if isinstance(error, OSError) and error.strerror:
        return DataFolderError(
            f"the index in {path} cannot be opened: {error.strerror}; name another folder in WIREWATCH_INDEX"
        )
    return DataFolderError(
        f"the index in {path} is damaged ({_cause(error)}). No backup holds an index: stop Wirewatch, move the folder "
        "away, and run `wirewatch index --rebuild`, which makes it again from the state"
    )


def _cause(error: Exception) -> str:
    """Return what tantivy says on one line, without the Rust around it: ``IoError { … message: "what it says" … }``."""
    text = " ".join(str(error).split())
    inner = _WITHIN_RUST.search(text)
    return (inner[1] if inner else text)[:_CAUSE_CHARACTERS]
