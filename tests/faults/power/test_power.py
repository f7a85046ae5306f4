"""The power cut itself: what must be kept, what may be lost, and that nothing a program does goes unseen."""

from __future__ import annotations

import os
import random
import sys
from pathlib import Path
from textwrap import dedent

import pytest
from faults.power.power import Recording, files_of, record

RENAMEAT2 = {"x86_64": 316, "aarch64": 276}

PRELUDE = """
import os, sys
os.chdir(sys.argv[1])
def put(name, data, flags=0):
    fd = os.open(name, os.O_WRONLY | os.O_CREAT | flags)
    assert os.write(fd, data) == len(data)
    return fd
def sync_folder():
    fd = os.open(".", os.O_RDONLY)
    os.fsync(fd)
    os.close(fd)
def say(word):
    sys.stdout.write(word)
    sys.stdout.flush()
"""


def lost() -> bool:
    return False


def kept() -> bool:
    return True


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    return folder


def run(folder: Path, shim: Path, program: str) -> Recording:
    return record([sys.executable, "-c", PRELUDE + dedent(program), str(folder)], folder, shim)


def found(recording: Recording, target: Path, keep=lost, cut: int | None = None) -> dict[str, bytes]:
    cut = len(recording.operations) if cut is None else cut
    return files_of(recording.rebuild(cut, target, keep))


def test_what_was_synced_is_kept_and_what_was_not_is_lost(folder: Path, shim: Path, tmp_path: Path) -> None:
    recording = run(folder, shim, """
        fd = put("a", b"safe"); os.fsync(fd); sync_folder(); os.write(fd, b" not")
        put("b", b"synced, but its name is not"); os.fsync(put("b", b""))
        put("c", b"named, but not synced"); sync_folder(); put("d", b"neither")
    """)  # fmt: skip
    assert found(recording, tmp_path / "x") == {"a": b"safe", "b": b"synced, but its name is not", "c": b""}


def test_a_name_is_lost_with_its_unsynced_folder(folder: Path, shim: Path, tmp_path: Path) -> None:
    recording = run(folder, shim, """os.fsync(put("a", b"content"))""")
    assert found(recording, tmp_path / "x") == {}


def test_a_renaming_is_undone_unless_its_folder_was_synced(folder: Path, shim: Path, tmp_path: Path) -> None:
    (folder / "a").write_bytes(b"old")
    recording = run(folder, shim, """
        os.fsync(put("a.new", b"new")); sync_folder(); os.rename("a.new", "a")
        say("renamed"); sync_folder(); say("synced")
    """)  # fmt: skip
    renamed = next(n for n in range(len(recording.operations)) if recording.said(n) == "renamed")
    assert found(recording, tmp_path / "x", cut=renamed) == {"a": b"old", "a.new": b"new"}
    assert found(recording, tmp_path / "y") == {"a": b"new"}


def test_a_removal_is_undone_unless_its_folder_was_synced(folder: Path, shim: Path, tmp_path: Path) -> None:
    (folder / "a").write_bytes(b"a")
    (folder / "b").write_bytes(b"b")
    recording = run(folder, shim, """os.unlink("a"); sync_folder(); os.remove("b")""")
    assert found(recording, tmp_path / "x") == {"b": b"b"}


def test_a_lost_write_before_a_kept_one_leaves_a_hole(folder: Path, shim: Path, tmp_path: Path) -> None:
    recording = run(folder, shim, """
        fd = put("a", b""); sync_folder()
        os.pwrite(fd, b"1" * 512, 0); os.pwrite(fd, b"2" * 512, 512)
    """)  # fmt: skip
    answers = iter([False, True])
    assert found(recording, tmp_path / "x", keep=lambda: next(answers)) == {"a": bytes(512) + b"2" * 512}


def test_a_large_write_may_be_torn_between_sectors(folder: Path, shim: Path, tmp_path: Path) -> None:
    recording = run(folder, shim, """fd = put("a", b""); sync_folder(); os.write(fd, b"x" * 100_000)""")
    seeded = random.Random(1)
    content = found(recording, tmp_path / "x", keep=lambda: seeded.random() < 0.5)["a"]
    assert 0 < content.count(b"x") < 100_000
    assert {content[n : n + 512].count(b"x") for n in range(0, len(content) - 512, 512)} == {0, 512}


def test_what_was_said_is_known_at_each_moment(folder: Path, shim: Path) -> None:
    recording = run(folder, shim, """say("one"); os.fsync(put("a", b"a")); say("two")""")
    assert recording.said(0) == ""
    assert recording.said(1) == "one"
    assert recording.said(len(recording.operations)) == "onetwo"


def test_a_folder_rebuilt_with_everything_kept_is_the_folder(folder: Path, shim: Path, tmp_path: Path) -> None:
    # Given a program that uses every way of writing, with threads and a child process
    (folder / "before").write_bytes(b"there before")
    recording = run(folder, shim, """
        import shutil, subprocess, threading
        def work(name):
            fd = os.open(name, os.O_RDWR | os.O_CREAT)
            for n in range(50):
                os.write(fd, b"w%d" % n); os.pwrite(fd, b"p", n * 7); os.writev(fd, [b"v1", b"", b"v2"])
                os.pwritev(fd, [b"q"], n)
                os.ftruncate(fd, os.fstat(fd).st_size + n % 3 - 1)
            os.lseek(fd, 3, os.SEEK_SET); os.write(os.dup(fd), b"duplicate")
            os.rename(name, name + ".moved")
        threads = [threading.Thread(target=work, args=(f"t{n}",)) for n in range(4)]
        [thread.start() for thread in threads]; [thread.join() for thread in threads]
        fd = os.open("log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.write(fd, b"one"); os.lseek(fd, 0, os.SEEK_SET); os.write(fd, b"two")
        open("t0.moved", "wb").close()
        shutil.copyfile("t1.moved", "copy")
        os.mkdir("sub"); os.replace("copy", "sub/copy"); os.truncate("t2.moved", 5)
        os.unlink("t3.moved")
        subprocess.run([sys.executable, "-c", "open('sub/child', 'w').write('x' * 99_999)"], check=True)
        if os.fork() == 0:
            put("forked", b"f")
            os._exit(0)
        os.wait()
        put("before", b"THERE")
    """)  # fmt: skip
    # Then nothing of it was missed
    assert found(recording, tmp_path / "x", keep=kept) == files_of(folder)
    assert len(files_of(folder)) == 8


@pytest.mark.skipif(
    os.uname().machine not in RENAMEAT2, reason="the number of renameat2(2) is not known for this machine"
)
def test_a_renaming_past_the_c_library_is_seen(folder: Path, shim: Path, tmp_path: Path) -> None:
    # Given a program that puts a file in another's place as Rust's rustix does
    recording = run(folder, shim, f"""
        import ctypes
        put("old", b"old"); os.fsync(put("new", b"new")); sync_folder()
        assert ctypes.CDLL(None).syscall({RENAMEAT2[os.uname().machine]}, -100, b"new", -100, b"old", 0) == 0
        say("renamed"); sync_folder()
    """)  # fmt: skip
    # Then it is lost or kept like any other
    renamed = next(n for n in range(len(recording.operations)) if recording.said(n) == "renamed")
    assert set(found(recording, tmp_path / "lost", cut=renamed)) == {"old", "new"}
    assert found(recording, tmp_path / "kept", keep=kept, cut=renamed) == {"old": b"new"}
    assert found(recording, tmp_path / "synced") == {"old": b"new"}
