"""The contract of the port ``Pages``; every adapter passes it."""

from __future__ import annotations

import errno
import os
import uuid
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from hashlib import blake2b
from pathlib import Path

import fsspec
import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from pipeline.adapters import pages as pages_adapter
from pipeline.adapters.pages import FolderPages
from pipeline.errors import DataFolderError, TryLater
from pipeline.ports import Pages

MONDAY = date(2024, 3, 4)
BODY = "<html>Größe ünd Länge</html>".encode() * 100


def day(number: int) -> date:
    return MONDAY + timedelta(days=number)


@pytest.fixture(params=["folder", "object_store"])
def open_pages(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[], Pages]]:
    """Open the store anew at each call, as another process would."""
    if request.param == "folder":
        yield lambda: FolderPages(tmp_path / "pages")
    else:  # fsspec's own stand-in for S3 and its like: no folders, no rename, no fsync
        root = f"memory://{uuid.uuid4().hex}"
        yield lambda: FolderPages(root)
        fsspec.filesystem("memory").store.clear()


@pytest.fixture
def pages(open_pages: Callable[[], Pages]) -> Pages:
    return open_pages()


@pytest.mark.parametrize("body", [b"", b"\0", BODY, bytes(range(256)) * 5000], ids=["empty", "nul", "text", "large"])
def test_what_was_put_is_got_by_this_and_every_other_reader(open_pages: Callable[[], Pages], body: bytes) -> None:
    key = open_pages().put(body, MONDAY)
    assert open_pages().get(key) == body


def test_the_same_body_of_the_same_day_is_stored_once(pages: Pages) -> None:
    first, again, next_day = pages.put(BODY, MONDAY), pages.put(BODY, MONDAY), pages.put(BODY, day(1))
    assert first == again != next_day
    assert pages.delete(first)
    assert pages.get(first) is None
    assert pages.get(next_day) == BODY


def test_deleting_says_whether_there_was_something(pages: Pages) -> None:
    key = pages.put(BODY, MONDAY)
    assert pages.delete(key)
    assert not pages.delete(key)
    assert pages.get(key) is None
    assert pages.put(BODY, MONDAY) == key
    assert pages.get(key) == BODY


HASH = "0123456789abcdef" * 2


@pytest.mark.parametrize(
    "key",
    [
        *("", "/", "..", "../../etc/passwd", "/etc/passwd", f"2024-03-04/../{HASH}", f"../2024-03-04/{HASH}"),
        *(f"2024-03-04/{HASH}/", f"/2024-03-04/{HASH}", f"2024-03-04/{HASH}\n", f"2024-03-04/{HASH[:-1]}"),
        *(f"2024-03-04/{HASH.upper()}", f"2024-02-30/{HASH}", f"2024-13-01/{HASH}", f"0000-01-01/{HASH}", HASH),
        *(f"٢٠٢٤-03-04/{HASH}", f"2024-03-04/{HASH}\0", f"2024-03-04\\{HASH}", "2024-03-04/" + "*" * 32),
    ],
)
def test_what_is_no_key_is_refused(pages: Pages, key: str) -> None:
    with pytest.raises(ValueError, match="is not the key of a page"):
        pages.get(key)
    with pytest.raises(ValueError, match="is not the key of a page"):
        pages.delete(key)


def test_whether_a_body_is_there_is_told_without_reading_it(pages: Pages) -> None:
    key = pages.put(b"one", date(2026, 3, 1))
    assert pages.has(key)
    pages.delete(key)
    assert not pages.has(key)
    with pytest.raises(ValueError, match=r"key|Invalid isoformat"):
        pages.has("../../etc/passwd")


def test_nothing_is_there_before_the_first_put(pages: Pages) -> None:
    assert pages.get(f"2024-03-04/{HASH}") is None
    assert not pages.delete(f"2024-03-04/{HASH}")
    assert pages.prune(MONDAY, max_age_days=0, max_bytes=0) == 0


def test_days_past_the_age_go(pages: Pages) -> None:
    keys = [pages.put(b"%d of day %d" % (body, number), day(number)) for number in range(5) for body in range(3)]
    assert pages.prune(day(4), max_age_days=2, max_bytes=10**9) == 6
    assert [pages.get(key) is None for key in keys] == [True] * 6 + [False] * 9
    assert pages.prune(day(4), max_age_days=2, max_bytes=10**9) == 0


def test_the_oldest_days_past_the_size_go_and_today_stays(pages: Pages) -> None:
    bodies = [bytes([number]) + blake2b(bytes([number])).digest() * 3 for number in range(5)]
    keys = [pages.put(body, day(number)) for number, body in enumerate(bodies)]
    size_of_one = len(zstandard.compress(bodies[0]))
    assert pages.prune(day(4), max_age_days=99, max_bytes=5 * size_of_one + 5) == 0
    assert pages.prune(day(4), max_age_days=99, max_bytes=3 * size_of_one + 5) == 2
    assert [pages.get(key) is not None for key in keys] == [False, False, True, True, True]
    assert pages.prune(day(4), max_age_days=99, max_bytes=0) == 2
    assert pages.get(keys[4]) == bodies[4]


def test_a_day_ahead_of_the_clock_is_kept(pages: Pages) -> None:
    key = pages.put(BODY, day(9))
    assert pages.prune(MONDAY, max_age_days=0, max_bytes=0) == 0
    assert pages.get(key) == BODY


@given(body=st.binary(max_size=3000), number=st.integers(0, 9000))
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_any_bytes_of_any_day_come_back(pages: Pages, body: bytes, number: int) -> None:
    assert pages.get(pages.put(body, day(number))) == body


# --- what only a folder can show --------------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "pages"


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_opening_creates_no_folder_and_prune_none_either(folder: Path) -> None:
    FolderPages(folder).prune(MONDAY, 0, 0)
    assert not folder.exists()


def test_a_file_url_is_the_folder_itself(folder: Path) -> None:
    key = FolderPages(f"file://{folder}").put(BODY, MONDAY)
    assert FolderPages(folder).get(key) == BODY


@pytest.mark.parametrize(
    "damage",
    [
        lambda packed: b"",
        lambda packed: packed[:-1],
        lambda packed: packed[:20] + bytes([packed[20] ^ 1]) + packed[21:],
        lambda packed: b"not zstd at all",
        lambda packed: zstandard.compress(b"another body"),
        lambda packed: zstandard.compress(bytes(65 * 1024 * 1024)),
        lambda packed: b"\x28\xb5\x2f\xfd\xe0" + (1 << 60).to_bytes(8, "little") + b"\x01\x00\x00",
    ],
    ids=["empty", "short", "bit", "garbage", "other", "bomb", "claims an exabyte"],
)
def test_a_damaged_body_is_reported_and_counts_as_gone(folder: Path, damage: Callable[[bytes], bytes]) -> None:
    pages = FolderPages(folder)
    key = pages.put(BODY, MONDAY)
    file = files(folder)[0]
    file.write_bytes(damage(file.read_bytes()))
    with capture_logs() as logs:
        assert pages.get(key) is None
    assert [(line["event"], line["key"], line["log_level"]) for line in logs] == [("page_damaged", key, "warning")]


def test_a_body_is_synced_before_it_has_its_name_and_its_folders_after(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    syncs: list[tuple[int, bool]] = []
    key = f"2024-03-04/{blake2b(BODY, digest_size=16).hexdigest()}"
    target = folder / key[:10] / key[11:13] / f"{key[11:]}.zst"

    def record(descriptor: int) -> None:
        syncs.append((os.fstat(descriptor).st_ino, target.exists()))

    monkeypatch.setattr(pages_adapter.os, "fsync", record)
    assert FolderPages(folder).put(BODY, MONDAY) == key
    assert syncs == [
        (target.stat().st_ino, False),  # the very file that gets the name
        *((above.stat().st_ino, True) for above in (target.parent, target.parent.parent, folder)),
    ]


PASSING = (errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EMFILE, errno.ENFILE, errno.ESTALE, errno.ENOMEM, errno.EFBIG)
DENIED = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR)


@pytest.mark.parametrize("number", [*PASSING, *DENIED], ids=errno.errorcode.get)
def test_a_fault_of_the_disk_is_waited_out_and_one_of_rights_is_a_persons_work(
    folder: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    pages = FolderPages(folder)
    key = pages.put(BODY, MONDAY)
    before = files(folder)

    def fail(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as patch:
        patch.setattr(pages_adapter.os, "fsync", fail)
        for name in ("cat_file", "rm_file", "rm"):
            patch.setattr(pages._fs, name, fail)
        for attempt in (
            lambda: pages.put(b"another", MONDAY),
            lambda: pages.get(key),
            lambda: pages.delete(key),
            lambda: pages.prune(day(99), max_age_days=1, max_bytes=0),
        ):
            with pytest.raises(TryLater if number in PASSING else DataFolderError) as said:
                attempt()
            assert str(said.value).startswith(f"page store {folder}: {os.strerror(number)}")
            assert ("rights" in str(said.value)) == (number in DENIED)
    assert files(folder) == before  # no half of the one that failed
    assert (pages.get(key), pages.get(pages.put(b"another", MONDAY))) == (BODY, b"another")


def test_a_fault_without_a_number_as_object_stores_have_is_waited_out(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pages = FolderPages(folder)

    def fail(path: str) -> None:
        raise OSError("SlowDown")

    monkeypatch.setattr(pages._fs, "cat_file", fail)
    with pytest.raises(TryLater, match="SlowDown"):
        pages.get(f"2024-03-04/{HASH}")


def test_what_is_not_ours_in_the_folder_stays(folder: Path) -> None:
    pages = FolderPages(folder)
    pages.put(BODY, MONDAY)
    for name in ("notes.txt", "2024-03-04-copy/x", "20240304/x", "lost+found/x"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text("mine")
    assert pages.prune(day(99), max_age_days=1, max_bytes=0) == 1
    assert sorted(path.read_text() for path in files(folder)) == ["mine"] * 4


def test_what_a_crash_left_half_written_goes_with_its_day_uncounted(folder: Path) -> None:
    pages = FolderPages(folder)
    pages.put(BODY, MONDAY)
    (files(folder)[0].parent / f".{HASH}.zst.0000").write_bytes(b"half")
    assert pages.prune(day(9), max_age_days=1, max_bytes=10**9) == 1
    assert files(folder) == []


def test_a_body_too_large_to_be_read_again_is_not_stored(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages_adapter, "LARGEST_BODY", 10)
    with pytest.raises(ValueError, match="a page of 11 bytes is larger than 10"):
        FolderPages(folder).put(b"x" * 11, MONDAY)
    assert not folder.exists()
