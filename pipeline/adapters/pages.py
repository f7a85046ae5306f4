"""The page store: raw bytes of fetched pages, by day and content hash, in a folder or an object store.

``YYYY-MM-DD/aa/<hash>.zst`` under the root, where the hash is BLAKE2b with 128 bits of the body and ``aa`` its first
two digits (a busy day brings a million pages). A body is written under another name, synced and renamed, so that a
file under its own name is whole; and it is checked against its name when it is read.
"""

from __future__ import annotations

import errno
import os
import re
import uuid
from datetime import date
from hashlib import blake2b
from pathlib import Path
from typing import Any

import fsspec
import structlog
import zstandard

from pipeline.errors import DataFolderError, TryLater

LARGEST_BODY = 64 * 1024 * 1024
"""Bytes. The door out takes 20 MiB at most, so anything above this is damage or an attack."""

LASTING = frozenset(
    (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EISDIR, errno.ELOOP, errno.ENAMETOOLONG)
)
"""What only a person can mend. All else passes: a full or failing disk, too many open files, a share that is away."""

_KEY = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})/([0-9a-f]{32})")
_log = structlog.get_logger(__name__)


class FolderPages:
    """Adapter of the port ``Pages``, over fsspec: a path or ``file://`` here, ``s3://`` and others where installed.

    Nothing is created before the first ``put``.
    """

    def __init__(self, root: Path | str) -> None:
        """Name the root: a folder, or a URL that fsspec knows."""
        self._fs: Any
        self._fs, path = fsspec.core.url_to_fs(str(root), use_listings_cache=False)
        self._root = path.rstrip("/")
        self._is_local = "file" in _protocols(self._fs)

    def put(self, body: bytes, day: date) -> str:
        """Store ``body``, durably; return its key. The same body of the same day is stored once.

        Raises:
            TryLater: the disk is full, failing or out of reach.
            DataFolderError: the folder is read-only, or not ours to write to. In both cases nothing was stored.
            ValueError: the body is larger than ``LARGEST_BODY``.
        """
        if len(body) > LARGEST_BODY:
            raise ValueError(f"a page of {len(body):,} bytes is larger than {LARGEST_BODY:,}")
        key = f"{day.isoformat()}/{_hash(body)}"
        path = self._path(key)
        try:
            if not self._fs.exists(path):
                packed = zstandard.compress(body)
                if self._is_local:
                    _write_durably(Path(path), packed, up_to=Path(self._root))
                else:
                    self._fs.pipe_file(path, packed)  # object stores show an object when it is whole
        except OSError as error:
            raise judged(error, self._root) from error
        return key

    def get(self, key: str) -> bytes | None:
        """Return the body; None when it is gone by retention, or damaged (which is logged).

        Raises:
            TryLater: the disk is failing or out of reach; the body may well be there.
            DataFolderError: it is not ours to read.
            ValueError: ``key`` is not what ``put`` returns.
        """
        path = self._path(key)
        try:
            packed = self._fs.cat_file(path)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise judged(error, self._root) from error
        body = _unpack(packed)
        if body is None or _hash(body) != key.rpartition("/")[2]:
            _log.warning("page_damaged", key=key, path=path, next="the article keeps the text of its feed")
            return None
        return body

    def has(self, key: str) -> bool:
        """Whether the body is there, without reading it. Raises as ``get`` does."""
        try:
            return bool(self._fs.isfile(self._path(key)))
        except OSError as error:
            raise judged(error, self._root) from error

    def delete(self, key: str) -> bool:
        """Remove one body; return whether it was there. Raises as ``get`` does."""
        try:
            self._fs.rm_file(self._path(key))
        except FileNotFoundError:
            return False
        except OSError as error:
            raise judged(error, self._root) from error
        return True

    def prune(self, today: date, max_age_days: int, max_bytes: int) -> int:
        """Remove the oldest days past the age, then past the size; return how many bodies went.

        ``today`` itself stays whatever its size: its pages still wait to be read. Raises ``TryLater`` and
        ``DataFolderError`` as ``get`` does; what went until then is gone.
        """
        try:
            return self._prune(today, max_age_days, max_bytes)
        except OSError as error:
            raise judged(error, self._root) from error

    def _prune(self, today: date, max_age_days: int, max_bytes: int) -> int:
        sizes = self._sizes_by_day()
        kept_bytes = sum(sum(files.values()) for files in sizes.values())
        removed = 0
        for day in sorted(sizes):
            is_old = (today - day).days > max_age_days
            if not is_old and (kept_bytes <= max_bytes or day >= today):
                break
            self._fs.rm(f"{self._root}/{day.isoformat()}", recursive=True)
            kept_bytes -= sum(sizes[day].values())
            removed += sum(path.endswith(".zst") for path in sizes[day])
        return removed

    def _sizes_by_day(self) -> dict[date, dict[str, int]]:
        """Return the bytes of every file by day; what is not a day's folder is not ours and stays out."""
        try:
            entries = self._fs.ls(self._root, detail=False)
        except FileNotFoundError:
            return {}
        sizes: dict[date, dict[str, int]] = {}
        for entry in entries:
            day = _day_of(entry.rstrip("/").rpartition("/")[2])
            if day is not None:
                found = self._fs.find(entry, detail=True)
                sizes[day] = {path: int(info["size"] or 0) for path, info in found.items()}
        return sizes

    def _path(self, key: str) -> str:
        found = _KEY.fullmatch(key)
        if found is None or _day_of(found[1]) is None:
            raise ValueError(f"{key[:80]!r} is not the key of a page")
        return f"{self._root}/{found[1]}/{found[2][:2]}/{found[2]}.zst"


def judged(error: OSError, root: str) -> Exception:
    """Return what an error of the file system means: wait (``TryLater``), or a person's work (``DataFolderError``)."""
    cause = f"page store {root}: {error.strerror or error}"
    if isinstance(error, PermissionError) or error.errno in LASTING:
        return DataFolderError(f"{cause}. Correct the folder's path or its rights, then start again; nothing is lost.")
    return TryLater(cause)


def _hash(body: bytes) -> str:
    return blake2b(body, digest_size=16).hexdigest()


def _day_of(name: str) -> date | None:
    try:
        return date.fromisoformat(name) if len(name) == len("YYYY-MM-DD") else None
    except ValueError:
        return None


def _unpack(packed: bytes) -> bytes | None:
    """Return the body, or None when this is not one whole zstd frame of a size we write."""
    try:
        if zstandard.get_frame_parameters(packed).content_size > LARGEST_BODY:
            return None
        return zstandard.decompress(packed, max_output_size=LARGEST_BODY)
    except zstandard.ZstdError:
        return None


def _write_durably(path: Path, content: bytes, *, up_to: Path) -> None:
    """Make ``path`` hold ``content``, whole or not at all, even when the power fails.

    The folders above are synced too, as far as ``up_to``, because a new file lives in its folder's entry (fsync(2)).
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    try:
        with temporary.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    for folder in path.parents:
        _sync_folder(folder)
        if folder == up_to:
            break


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _protocols(fs: Any) -> tuple[str, ...]:
    return (fs.protocol,) if isinstance(fs.protocol, str) else tuple(fs.protocol)
