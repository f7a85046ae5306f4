"""What is special to the embedded index: one writer, many readers, crashes, forks and its folder.

What it shares with every other index is in ``tests/contract/test_index.py``.
"""

from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

import pytest
import tantivy

from pipeline.adapters.tantivy_index import TantivyIndex
from pipeline.article import Article
from pipeline.errors import DataFolderError, TryLater, WirewatchError
from pipeline.ports import IndexDelete
from pipeline.query.tree import Everything, Words

NOON = datetime(2024, 3, 15, 12, tzinfo=UTC)
EVERYTHING = Everything()
BATCH = 20


def open_writer(path: Path) -> TantivyIndex:
    return TantivyIndex(path, writer=True, heap_bytes=15_000_000)


def open_reader(path: Path) -> TantivyIndex:
    return TantivyIndex(path, writer=False)


def article(article_id: str, **fields: Any) -> Article:
    return Article(**{"id": article_id, "first_seen": NOON, "version": 1, "title": article_id} | fields)


def total(index: TantivyIndex) -> int:
    return index.search(EVERYTHING, limit=0).total


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "data" / "index"


@pytest.fixture
def index(folder: Path) -> Iterator[TantivyIndex]:
    with closing(open_writer(folder)) as opened:
        yield opened


SETTING = """
import os, resource, sys
from datetime import UTC, datetime
from pathlib import Path
from pipeline.adapters.tantivy_index import TantivyIndex
from pipeline.article import Article
from pipeline.errors import TryLater, WirewatchError

def batch(number):
    return [Article(id=f"{number}-{i}", first_seen=datetime(2024, 3, 15, tzinfo=UTC), body="some text " * 200)
            for i in range(20)]

path = Path(sys.argv[1])
"""


@contextmanager
def another_process(script: str, folder: Path) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-P", "-c", SETTING + script, str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def next_line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


# --- one writer, many readers -----------------------------------------------------------------------------------------


def test_a_second_writer_is_refused_and_told_why(index: TantivyIndex, folder: Path) -> None:
    with pytest.raises(WirewatchError, match="in use by another process") as refused:
        open_writer(folder)
    assert str(folder) in str(refused.value)
    assert index.write([article("a")])[0].status == "written"


def test_a_writer_of_another_process_is_refused_too(index: TantivyIndex, folder: Path) -> None:
    script = "try: TantivyIndex(path, writer=True)\nexcept WirewatchError as error: print(error)"
    with another_process(script, folder) as process:
        assert "in use by another process" in next_line(process)


def test_the_next_writer_may_come_when_the_first_is_closed(folder: Path) -> None:
    for number in range(3):
        with closing(open_writer(folder)) as index:
            index.write([article(f"{number}")])
            assert total(index) == number + 1


def test_a_reader_sees_every_commit_made_before_it_asks(index: TantivyIndex, folder: Path) -> None:
    with closing(open_reader(folder)) as reader:
        for number in range(5):
            index.write([article(f"{number}")])
            assert total(reader) == number + 1
            assert reader.get(f"{number}") == article(f"{number}")
        index.write([IndexDelete("0")])
        assert reader.get("0") is None


def test_a_reader_of_no_folder_finds_nothing_and_makes_nothing_until_a_writer_comes(folder: Path) -> None:
    with closing(open_reader(folder)) as reader:
        assert reader.search(EVERYTHING).hits == ()
        assert reader.get("a") is None
        assert reader.months() == []
        assert reader.count_by(EVERYTHING, "outlet") == []
        assert reader.count_by_day(EVERYTHING) == []
        assert not folder.parent.exists()
        with closing(open_writer(folder)) as writer:
            assert total(reader) == 0
            writer.write([article("a")])
            assert total(reader) == 1


def test_a_reader_cannot_write(index: TantivyIndex, folder: Path) -> None:
    with closing(open_reader(folder)) as reader:
        with pytest.raises(WirewatchError, match="for reading only"):
            reader.write([article("a")])
        with pytest.raises(WirewatchError, match="for reading only"):
            reader.drop_month("2024-03")


def test_readers_go_on_while_another_process_writes(folder: Path) -> None:
    script = """
index = TantivyIndex(path, writer=True, heap_bytes=15_000_000)
for number in range(30):
    index.write(batch(number))
index.close()
"""
    with another_process(script, folder) as process, closing(open_reader(folder)) as reader:
        seen = [0]
        while process.poll() is None:
            found = reader.search(Words("some text"), sort="newest", limit=5)
            assert len(found.hits) == min(5, found.total)
            seen.append(found.total)
        assert process.returncode == 0
        assert total(reader) == 30 * BATCH
    assert seen == sorted(seen)
    assert all(number % BATCH == 0 for number in seen)  # a commit is seen whole or not at all
    assert len(set(seen)) > 2


# --- crashes ----------------------------------------------------------------------------------------------------------


def test_a_killed_writer_loses_nothing_it_confirmed_and_leaves_no_lock(folder: Path) -> None:
    script = """
index = TantivyIndex(path, writer=True, heap_bytes=15_000_000)
number = int(sys.stdin.readline())
while True:
    index.write(batch(number))
    number += 1
    print(number, flush=True)
"""
    confirmed = 0
    for kill_after in (1, 3, 6, 10):
        with another_process(script, folder) as process:
            assert process.stdin is not None
            process.stdin.write(f"{confirmed}\n")
            process.stdin.flush()
            for _ in range(kill_after):
                confirmed = int(next_line(process))
            process.send_signal(signal.SIGKILL)  # somewhere in the next write
            process.wait()
        with closing(open_writer(folder)) as index:
            assert total(index) in (confirmed * BATCH, (confirmed + 1) * BATCH)
            assert index.get(f"{confirmed - 1}-19") is not None


def test_what_the_first_write_after_a_crash_replaces_does_not_come_back_with_a_merge(folder: Path) -> None:
    """tantivy numbers a new writer's first operation as the last commit, and a merge may take it for done."""
    script = """
index = TantivyIndex(path, writer=True, heap_bytes=15_000_000)
for number in range(7):
    index.write(batch(number))
index.write([Article(id="0-0", version=2, first_seen=datetime(2024, 3, 15, tzinfo=UTC))])  # the last commit deletes
os.kill(os.getpid(), 9)  # eight segments: a merge is due, and has not come far
"""
    with another_process(script, folder) as process:
        process.wait()
    with closing(open_writer(folder)) as index:
        index.write([article("0-1", version=2)])
    with closing(open_reader(folder)) as index:  # closing the writer has waited for the merge
        assert total(index) == 7 * BATCH


def test_what_was_not_committed_is_not_there_after_a_crash(folder: Path) -> None:
    script = """
index = TantivyIndex(path, writer=True, heap_bytes=15_000_000)
index.write(batch(0))
with index._committing() as writer:  # the end of this block, where the commit is, never comes
    for article in batch(1):
        writer.add_document(index._decide(article, {})[1])
    print("added", flush=True)
    sys.stdin.readline()
"""
    with another_process(script, folder) as process:
        assert next_line(process) == "added"
        process.send_signal(signal.SIGKILL)
        process.wait()
    with closing(open_writer(folder)) as index:
        assert total(index) == BATCH
        assert index.get("1-0") is None
        assert index.write([article("1-0")])[0].status == "written"


def test_a_full_disk_is_for_later_and_writing_goes_on_when_there_is_room(folder: Path) -> None:
    script = """
index = TantivyIndex(path, writer=True, heap_bytes=15_000_000)
index.write(batch(0)[:1])
resource.setrlimit(resource.RLIMIT_FSIZE, (1_000, resource.RLIM_INFINITY))
kept = []
for _ in range(2):
    try: index.write(batch(1) + batch(2))
    except TryLater as error: kept.append(error)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
print(len(kept), str(path) in str(kept[0]), {outcome.status for outcome in index.write(batch(1) + batch(2))})
index.close()
"""
    with another_process(script, folder) as process:
        assert next_line(process) == "2 True {'written'}"
        assert process.wait() == 0
    with closing(open_reader(folder)) as reader:
        assert total(reader) == 1 + 2 * BATCH


class FailsAtSecond:
    """A tantivy writer that raises ``error`` when it is given a second document."""

    def __init__(self, writer: tantivy.IndexWriter, error: BaseException) -> None:
        self._writer = writer
        self._error = error
        self._added = 0

    def add_document(self, document: tantivy.Document) -> None:
        self._added += 1
        if self._added == 2:
            raise self._error
        self._writer.add_document(document)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._writer, name)


@pytest.mark.parametrize(
    ("error", "seen"), [(KeyboardInterrupt(), KeyboardInterrupt), (OSError(28, "No space left on device"), TryLater)]
)
def test_a_write_cut_in_the_middle_leaves_nothing_for_the_next_one_to_commit(
    index: TantivyIndex, error: BaseException, seen: type[BaseException]
) -> None:
    whole = index._writer
    assert whole is not None
    index._writer = FailsAtSecond(whole, error)  # type: ignore[assignment]
    with pytest.raises(seen):
        index.write([article("a"), article("b")])
    index._writer = whole
    assert [outcome.status for outcome in index.write([article("b"), article("c")])] == ["written", "written"]
    assert index.get("a") is None
    assert total(index) == 2


# --- forks ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "call",
    [
        lambda index: index.write([article("b")]),
        lambda index: index.get("a"),
        lambda index: index.search(EVERYTHING),
        lambda index: index.count_by(EVERYTHING, "outlet"),
        lambda index: index.count_by_day(EVERYTHING),
        lambda index: index.months(),
        lambda index: index.drop_month("2024-03"),
        lambda index: index.close(),
    ],
    ids=["write", "get", "search", "count_by", "count_by_day", "months", "drop_month", "close"],
)
def test_nothing_works_across_a_fork(index: TantivyIndex, call: Callable[[TantivyIndex], object]) -> None:
    index.write([article("a")])
    child = os.fork()
    if not child:
        try:
            call(index)
        except WirewatchError as error:
            os._exit(42 if "after the fork" in str(error) else 2)
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 42
    assert index.write([article("b")])[0].status == "written"
    assert total(index) == 2


# --- the folder -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("open_it", [open_writer, open_reader])
@pytest.mark.parametrize(
    ("marker", "message"),
    [
        ('{"schema": 999}', r"has schema 999 and this release reads schema \d+; use the release that wrote it"),
        ('{"schema": "one"}', "no readable wirewatch-index.json"),
        ("{}", "has schema None"),
        ("not JSON", "no readable wirewatch-index.json"),
        (None, "no readable wirewatch-index.json"),
    ],
)
def test_an_index_of_another_release_is_left_alone(
    folder: Path, open_it: Callable[[Path], TantivyIndex], marker: str | None, message: str
) -> None:
    with closing(open_writer(folder)) as index:
        index.write([article("a")])
    if marker is None:
        (folder / "wirewatch-index.json").unlink()
    else:
        (folder / "wirewatch-index.json").write_text(marker)
    before = (folder / "meta.json").read_bytes()
    with pytest.raises(DataFolderError, match=message) as refused:
        open_it(folder)
    assert "WIREWATCH_INDEX" in str(refused.value)
    assert (folder / "meta.json").read_bytes() == before


@pytest.mark.parametrize("open_it", [open_writer, open_reader])
@pytest.mark.parametrize("damage", ["", "{", '{"segments": [], "schema": [], "opstamp": 0}', "\0" * 100])
def test_a_damaged_index_is_named_and_not_overwritten(
    folder: Path, open_it: Callable[[Path], TantivyIndex], damage: str
) -> None:
    open_writer(folder).close()
    (folder / "meta.json").write_text(damage)
    with pytest.raises(DataFolderError) as refused:
        total(open_it(folder))
    assert str(folder) in str(refused.value)
    assert "move the folder away, and run `wirewatch index --rebuild`" in str(refused.value)
    assert "IoError" not in str(refused.value)
    assert (folder / "meta.json").read_text() == damage


def test_a_folder_that_cannot_be_made_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    for path in (tmp_path / "file", tmp_path / "file" / "index"):
        with pytest.raises(DataFolderError, match="cannot be opened"):
            open_writer(path)


def test_an_index_whose_making_was_cut_short_is_made_again(folder: Path) -> None:
    open_writer(folder).close()
    (folder / "meta.json").unlink()  # the marker is written first
    with closing(open_writer(folder)) as index:
        assert index.write([article("a")])[0].status == "written"


def test_no_article_changes_the_schema(index: TantivyIndex, folder: Path) -> None:
    schema = json.loads((folder / "meta.json").read_bytes())["schema"]
    index.write([article("a", extra={f"key_{number}": number for number in range(2_000)})])
    assert json.loads((folder / "meta.json").read_bytes())["schema"] == schema


# --- tantivy's ways ---------------------------------------------------------------------------------------------------


def test_a_phrase_stays_within_one_value_also_beside_empty_ones(index: TantivyIndex) -> None:
    index.write([article("a", tags=("one two", "", "…", "three four", "five"))])
    for phrase, is_found in [("one two", True), ("two three", False), ("three four", True), ("four five", False)]:
        assert index.search(Words(phrase, ("tag",))).total == is_found


def test_a_value_that_is_rare_in_each_segment_and_common_in_all_is_counted_whole(index: TantivyIndex) -> None:
    for number in range(6):
        families = [f"{number} {i:02}" for i in range(40) for _ in range(2)] + ["shared"]
        index.write([article(f"{number}-{i}", family=family) for i, family in enumerate(families)])
    assert index.count_by(EVERYTHING, "family", limit=2) == [("shared", 6), ("0 00", 2)]


def test_equal_counts_are_in_the_order_of_their_values(index: TantivyIndex) -> None:
    random = Random(5)
    outlets: list[str] = []
    for number in range(7):
        batch = [str(random.randrange(150)) for _ in range(random.choice((20, 200)))]
        outlets += batch
        index.write([article(f"{number}-{i}", outlet=outlet) for i, outlet in enumerate(batch)])
    expected = sorted(Counter(outlets).items(), key=lambda counted: (-counted[1], counted[0]))
    for limit in (1, 2, 5, 10, 50, 1_000):
        assert index.count_by(EVERYTHING, "outlet", limit) == expected[:limit]


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"published": datetime(2024, 3, 15)}, "published has no time zone"),  # noqa: DTZ001
        ({"first_seen": datetime(2024, 3, 15)}, "first_seen has no time zone"),  # noqa: DTZ001
        ({"published": datetime.fromisoformat("0001-01-01T00:00:00+14:00")}, "outside the years 1 to 9999"),
    ],
)
def test_a_time_that_is_no_time_in_utc_is_rejected(index: TantivyIndex, fields: dict[str, Any], reason: str) -> None:
    outcome = index.write([article("a", **fields)])[0]
    assert outcome.status == "rejected"
    assert reason in outcome.reason


def test_keys_nested_without_end_are_rejected(index: TantivyIndex) -> None:
    deep: dict[str, Any] = {}
    for _ in range(5_000):
        deep = {"deeper": deep}
    outcome = index.write([article("a", extra=deep)])[0]
    assert (outcome.status, outcome.reason) == ("rejected", "its unknown keys are nested too deep")


def test_closing_waits_for_the_merge_of_small_segments(folder: Path) -> None:
    with closing(open_writer(folder)) as index:
        for number in range(8):  # tantivy's LogMergePolicy merges eight
            index.write([article(f"{number}")])
    assert len(json.loads((folder / "meta.json").read_bytes())["segments"]) == 1
    with closing(open_writer(folder)) as index:
        assert total(index) == 8


# --- signals ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def locked(folder: Path) -> Iterator[Callable[[], int]]:
    """Hold the lock that readers wait for, until signals have come three times; yield how often they have."""
    open_writer(folder).close()
    (lock,) = folder.glob(".tantivy-meta.lock")
    told = 0

    def on_signal(*_: object) -> None:
        nonlocal told
        told += 1
        if told == 3:
            fcntl.flock(held, fcntl.LOCK_UN)

    with lock.open("a") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        before = signal.signal(signal.SIGALRM, on_signal)
        signal.setitimer(signal.ITIMER_REAL, 0.05, 0.05)
        try:
            yield lambda: told
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)


@pytest.mark.parametrize("open_one", [open_reader, open_writer])
def test_a_signal_while_it_waits_for_a_lock_is_no_fault_of_the_disk(
    folder: Path, locked: Callable[[], int], open_one: Callable[[Path], TantivyIndex]
) -> None:
    with closing(open_one(folder)) as opened:
        assert opened.search(Everything()).total == 0
    assert locked() >= 3
