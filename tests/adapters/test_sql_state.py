"""What the state promises beyond its port: opening, migrating, files, forks, and a database that cannot answer."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import URL
from sqlalchemy.exc import OperationalError
from zstandard import ZstdCompressor

from pipeline.adapters.sql_state import SqlState, schema
from pipeline.adapters.sql_state.database import Database
from pipeline.adapters.sql_state.migrate import MIGRATIONS, upgrade
from pipeline.article import Article
from pipeline.errors import DataFolderError, NotSetUp, TryLater, UsageError
from pipeline.feed import Feed
from pipeline.ports import ArticleRecord, Revision, Settling, TopicPartition

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the state is to be."""
    return tmp_path / "state.db"


@pytest.fixture
def open_state(path: Path) -> Iterator[Callable[[], SqlState]]:
    """Open the state, migrating it; what was opened is closed at the end."""
    opened: list[SqlState] = []

    def open_() -> SqlState:
        opened.append(SqlState.open(f"sqlite:///{path}", migrate=True))
        return opened[-1]

    yield open_
    for state in opened:
        state.close()


def run_python(program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", program, *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


# --- opening ----------------------------------------------------------------------------------------------------------


def test_a_new_state_is_made_with_its_folder(tmp_path: Path) -> None:
    path = tmp_path / "new" / "däta %41?#" / "state.db"

    SqlState.open(f"sqlite:///{path}", migrate=True).close()

    assert path.is_file()


def test_an_address_with_three_or_four_slashes_is_the_same_file(path: Path) -> None:
    SqlState.open(f"sqlite:///{path}", migrate=True).close()

    SqlState.open("sqlite:///" + str(path).lstrip("/"), migrate=False).close()


def test_without_migrate_nothing_is_made(path: Path) -> None:
    with pytest.raises(NotSetUp, match=r"there is no state at .*state.db"):
        SqlState.open(f"sqlite:///{path}", migrate=False)

    assert not path.exists()


def test_without_migrate_an_older_state_is_left_as_it_is(path: Path) -> None:
    path.touch()

    with pytest.raises(NotSetUp, match=f"is empty, this release needs revision {schema.HEAD}"):
        SqlState.open(f"sqlite:///{path}", migrate=False)


@pytest.mark.parametrize("content", [b"not a database " * 100, b"SQLite format 3\x00" + b"\xff" * 4096])
@pytest.mark.parametrize("migrate", [True, False])
def test_a_file_that_is_no_database_is_refused_and_left_alone(path: Path, content: bytes, migrate: bool) -> None:
    path.write_bytes(content)

    with pytest.raises(DataFolderError, match=str(path)):
        SqlState.open(f"sqlite:///{path}", migrate=migrate)

    assert path.read_bytes() == content


def test_a_folder_in_place_of_the_file_is_refused(path: Path) -> None:
    path.mkdir()

    with pytest.raises(DataFolderError, match=str(path)):
        SqlState.open(f"sqlite:///{path}", migrate=True)


def test_a_file_in_place_of_the_folder_is_refused(path: Path) -> None:
    path.write_text("x")

    with pytest.raises(DataFolderError, match=str(path)):
        SqlState.open(f"sqlite:///{path}/state.db", migrate=True)


def test_somebody_elses_database_is_refused(path: Path) -> None:
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE messages (id INTEGER)")
    other.close()

    with pytest.raises(DataFolderError, match=r"is no state of Wirewatch .*messages"):
        SqlState.open(f"sqlite:///{path}", migrate=True)


def test_a_state_of_a_newer_release_is_refused_with_both_revisions(
    path: Path, open_state: Callable[[], SqlState]
) -> None:
    open_state().close()
    newer = sqlite3.connect(path)
    newer.execute("UPDATE alembic_version SET version_num = '9999'")
    newer.commit()
    newer.close()

    with pytest.raises(DataFolderError, match=f"9999.*{schema.HEAD}.*newer"):
        SqlState.open(f"sqlite:///{path}", migrate=True)


@pytest.mark.parametrize(
    "address", ["", "state.db", "mysql://user:secret@host/db", "postgresql//u:secret@h", "sqlite://", "sqlite:///"]
)
def test_an_address_that_names_no_state_is_refused_without_telling_secrets(address: str) -> None:
    with pytest.raises(UsageError) as refused:
        SqlState.open(address, migrate=True)

    assert "secret" not in str(refused.value)


def test_a_server_out_of_reach_is_named_without_its_password() -> None:
    pytest.importorskip("psycopg", reason="the PostgreSQL driver is an extra")

    with pytest.raises(DataFolderError, match=r"127\.0\.0\.1:1/news cannot be used") as refused:
        SqlState.open("postgresql://user:secret@127.0.0.1:1/news", migrate=True)

    assert "secret" not in str(refused.value)


def test_processes_that_open_a_fresh_folder_at_once_all_get_it(path: Path) -> None:
    program = (
        "import sys\nfrom pipeline.adapters.sql_state import SqlState\nprint('ready', flush=True)\ninput()\n"
        "state = SqlState.open(sys.argv[1], migrate=True)\nprint(state.schema_version())\nstate.close()"
    )
    started = [
        subprocess.Popen(
            [sys.executable, "-c", program, f"sqlite:///{path}"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]
    for each in started:
        assert each.stdout is not None
        assert each.stdout.readline() == "ready\n"
    for each in started:
        assert each.stdin is not None
        each.stdin.write("\n")
        each.stdin.flush()

    assert [each.communicate(timeout=60) for each in started] == [(f"{schema.HEAD}\n", "")] * 4


def test_embedded_use_imports_no_driver_and_a_second_opening_no_alembic(
    path: Path, open_state: Callable[[], SqlState]
) -> None:
    open_state()
    program = (
        "import sys\nfrom pipeline.adapters.sql_state import SqlState\n"
        "SqlState.open(sys.argv[1], migrate=True).close()\n"
        "print(sorted({name.partition('.')[0] for name in sys.modules} & {'psycopg', 'alembic'}))"
    )

    done = run_python(program, f"sqlite:///{path}")

    assert (done.stdout, done.stderr) == ("[]\n", "")


def test_every_connection_is_safe_against_power_loss_and_patient(open_state: Callable[[], SqlState]) -> None:
    with open_state()._db.reading() as connection:
        found = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "busy_timeout", "foreign_keys")
        }

    assert found == {"journal_mode": "wal", "synchronous": 2, "busy_timeout": 30_000, "foreign_keys": 1}


# --- migrations -------------------------------------------------------------------------------------------------------


def tables(path: Path) -> dict[str, tuple[object, ...]]:
    """Return the columns, keys and indices of all tables; columns by name, since those added later stand last."""
    database = sqlite3.connect(path)
    names = database.execute(
        "SELECT name, sql LIKE '%WITHOUT ROWID%' FROM sqlite_master"
        " WHERE type = 'table' AND tbl_name <> 'alembic_version'"
    ).fetchall()
    found: dict[str, tuple[object, ...]] = {}
    for name, is_clustered in names:
        columns = sorted(row[1:] for row in database.execute(f"PRAGMA table_info({name})"))
        keys = sorted(row[2:] for row in database.execute(f"PRAGMA foreign_key_list({name})"))
        indices = sorted(
            (row[1:], tuple(part[2] for part in database.execute(f"PRAGMA index_info({row[1]})")))
            for row in database.execute(f"PRAGMA index_list({name})")
        )
        found[name] = (is_clustered, columns, keys, indices)
    database.close()
    return found


def test_migrations_lead_to_exactly_the_tables_of_the_schema(
    path: Path, tmp_path: Path, open_state: Callable[[], SqlState]
) -> None:
    open_state()
    direct = tmp_path / "direct.db"
    db = Database(URL.create("sqlite", database=str(direct)))
    with db.writing() as connection:
        schema.metadata.create_all(connection)
    db.close()

    assert tables(path) == tables(direct)


def revisions() -> list[str]:
    """Return the revisions there are migrations for, oldest first."""
    return sorted(file.name.partition("_")[0] for file in (MIGRATIONS / "versions").glob("[0-9]*.py"))


def test_the_newest_migration_is_the_head() -> None:
    assert revisions()[-1] == schema.HEAD
    assert revisions() == [f"{number:04}" for number in range(1, len(revisions()) + 1)]


ARTICLE = ZstdCompressor().compress(b'{"id":"a1","title":"Title","version":1,"first_seen":"2026-03-01T12:00:00Z"}')
MICROSECONDS = 1_772_366_400_000_000  # 2026-03-01T12:00:00Z
ROWS = {
    "0001": [
        (
            "INSERT INTO feeds (id, url, title, outlet, language, tags, full_page, interval_seconds, etag,"
            " last_modified, body_hash, status, cause, failures, paused, items) VALUES"
            " ('f1', 'https://example.org/feed', 'T', '', 'en', '[\"world\"]',"
            " 1, 900, '', '', '', 'new', '', 0, 0, 0)"
        ),
        (
            "INSERT INTO revisions (article_id, version, topic, partition, input_offset, at, article)"
            f" VALUES ('a1', 1, 'cluster/articles.raw', 3, 7, {MICROSECONDS}, x'{ARTICLE.hex()}')"
        ),
        (
            "INSERT INTO records (article_id, version, went_live, seen_in, sources)"
            """ VALUES ('a1', 1, 1, '["f2"]', '{"cluster/articles.raw/3":7}')"""
        ),
        f"INSERT INTO tombstones (article_id, reason, buried_at) VALUES ('a2', 'asked for', {MICROSECONDS})",
    ],
    "0002": [],
    "0003": [],
}
"""Rows as each revision's release wrote them, so that each later migration is tried on its predecessors' data."""


@pytest.mark.parametrize("revision", revisions())
def test_the_data_of_every_release_are_read_after_an_upgrade(
    path: Path, open_state: Callable[[], SqlState], revision: str
) -> None:
    former = Database(URL.create("sqlite", database=str(path)))
    with former.writing() as connection:
        upgrade(connection, revision)
        for row in ROWS[revision] or ROWS["0001"]:
            connection.exec_driver_sql(row.replace("1, 900,", "1, 0,") if revision > "0001" else row)
    former.close()

    state = open_state()

    assert state.schema_version() == schema.HEAD
    article = Article(id="a1", title="Title", version=1, first_seen=NOW)
    assert state.record("a1") == ArticleRecord(
        article=article, went_live=True, seen_in=("f2",), sources={"cluster/articles.raw/3": 7}
    )
    assert state.revisions("a1") == [
        Revision(article=article, place=TopicPartition("cluster/articles.raw", 3), offset=7, at=NOW)
    ]
    assert [known.feed for known in state.feeds()] == [
        Feed(id="f1", url="https://example.org/feed", title="T", language="en", tags=("world",), full_page=True)
    ]
    assert set(state.tombstoned(["a1", "a2"])) == {"a2"}


def test_a_migration_that_fails_leaves_the_database_as_it_was(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from pipeline.adapters.sql_state import migrate

    def fail_halfway(connection: object, revision: str) -> None:
        upgrade(connection, revision)  # type: ignore[arg-type]
        raise RuntimeError("halfway")

    monkeypatch.setattr(migrate, "upgrade", fail_halfway)
    with pytest.raises(RuntimeError, match="halfway"):
        SqlState.open(f"sqlite:///{path}", migrate=True)

    assert tables(path) == {}


# --- space ------------------------------------------------------------------------------------------------------------


def test_an_article_is_stored_once_however_often_its_record_changes(open_state: Callable[[], SqlState]) -> None:
    state = open_state()
    lease = state.acquire_lease("settle", "ann", 30, NOW)
    assert lease is not None
    article = Article(id="a1", version=1, body="Text.")
    record = ArticleRecord(article=article, went_live=True)
    revision = Revision(article=article, place=TopicPartition("t", 0), offset=0, at=NOW)

    def save(tx: Settling, record: ArticleRecord, *revisions: Revision) -> None:
        tx.save(records=[record], revisions=revisions, families={}, aliases={}, cluster_id="c", input_offsets={})

    state.settle(lease, NOW, lambda tx: save(tx, record, revision))
    state.settle(lease, NOW, lambda tx: save(tx, ArticleRecord(article=article, went_live=True, seen_in=("f2",))))

    with state._db.reading() as connection:
        assert connection.exec_driver_sql("SELECT article FROM records").all() == [(None,)]


# --- processes and threads --------------------------------------------------------------------------------------------


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_forked_child_is_refused_and_does_the_parents_state_no_harm(path: Path) -> None:
    program = """
import os, sys
from pipeline.adapters.sql_state import SqlState
state = SqlState.open(sys.argv[1], migrate=True)
if (child := os.fork()) == 0:
    try:
        state.feeds()
    except RuntimeError as error:
        print(error, flush=True)
    state.close()
    os._exit(0)
os.waitpid(child, 0)
print(state.add_request("prune", {}, __import__("datetime").datetime.now().astimezone()))
state.close()
"""
    done = run_python(program, f"sqlite:///{path}")

    refusal, request_id = done.stdout.splitlines()
    assert "after a fork, open it again" in refusal
    assert (request_id, done.stderr) == ("1", "")


def test_another_thread_is_refused(open_state: Callable[[], SqlState]) -> None:
    state = open_state()
    refused: list[str] = []

    def use() -> None:
        try:
            state.feeds()
        except RuntimeError as error:
            refused.append(str(error))

    thread = threading.Thread(target=use)
    thread.start()
    thread.join()

    assert refused == ["the state was opened by another thread: open one for each thread"]


# --- a database that cannot answer ------------------------------------------------------------------------------------


def test_a_lock_held_too_long_is_a_matter_of_trying_later(open_state: Callable[[], SqlState]) -> None:
    holder, state = open_state(), open_state()
    with state._db.reading() as connection:
        connection.exec_driver_sql("PRAGMA busy_timeout = 1").close()

    with (
        holder._db.writing(),
        pytest.raises(TryLater, match=r"state\.db cannot take this now: database is locked"),
    ):
        state.add_request("prune", {}, NOW)

    assert state.add_request("prune", {}, NOW) == 1


def test_a_full_disk_is_a_matter_of_trying_later_and_leaves_nothing_behind(open_state: Callable[[], SqlState]) -> None:
    state = open_state()
    lease = state.acquire_lease("settle", "ann", 30, NOW)
    assert lease is not None
    with state._db.reading() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}").close()

    def decide(tx: Settling) -> None:
        articles = [Article(id=f"a{i}", version=1, body=os.urandom(2000).hex()) for i in range(20)]
        tx.save(
            records=[ArticleRecord(article=article, went_live=True) for article in articles],
            revisions=[],
            families={},
            aliases={},
            cluster_id="c",
            input_offsets={TopicPartition("t", 0): 20},
        )

    with pytest.raises(TryLater, match="full"):
        state.settle(lease, NOW, decide)
    assert state.record("a0") is None

    with state._db.reading() as connection:
        connection.exec_driver_sql("PRAGMA max_page_count = 100000").close()
    state.settle(lease, NOW, decide)
    assert state.record("a0") is not None


def test_an_error_of_ours_is_no_matter_of_trying_later(open_state: Callable[[], SqlState]) -> None:
    state = open_state()

    with pytest.raises(OperationalError, match="no such table: missing"), state._db.reading() as connection:
        connection.exec_driver_sql("SELECT * FROM missing")

    assert state.feeds() == []


# --- backup -----------------------------------------------------------------------------------------------------------


def test_a_backup_taken_while_another_writes_is_a_whole_state(
    open_state: Callable[[], SqlState], tmp_path: Path
) -> None:
    state, writer = open_state(), open_state()
    state.save_feeds([Feed(id="f1", url="https://example.org/feed")])
    copy = tmp_path / "copy.db"

    with writer._db.writing() as connection:
        connection.exec_driver_sql("DELETE FROM feeds")
        state.backup(str(copy))

    backup = SqlState.open(f"sqlite:///{copy}", migrate=False)
    assert [known.feed.id for known in backup.feeds()] == ["f1"]
    assert list(tmp_path.glob("*.part*")) == []
    backup.close()


def test_a_backup_overwrites_nothing(open_state: Callable[[], SqlState], path: Path, tmp_path: Path) -> None:
    state = open_state()
    shutil.copy(path, tmp_path / "copy.db")

    for there in (path, tmp_path / "copy.db"):
        with pytest.raises(UsageError, match="exists already"):
            state.backup(str(there))


def test_a_backup_where_nothing_can_be_written_says_so(open_state: Callable[[], SqlState], tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="missing"):
        open_state().backup(str(tmp_path / "missing" / "copy.db"))


def test_a_state_goes_on_working_after_a_backup(open_state: Callable[[], SqlState], tmp_path: Path) -> None:
    state = open_state()
    state.backup(str(tmp_path / "copy.db"))

    assert state.add_request("prune", {}, NOW) == 1
