"""The index step over the real embedded index and state."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace
from worker_parts import SettableClock

from pipeline.adapters.sql_state import SqlState
from pipeline.adapters.tantivy_index import TantivyIndex
from pipeline.article import DELETION_HEADER, Article, Deletion, encode_article, encode_deletion
from pipeline.errors import TryLater
from pipeline.index.run import index_records
from pipeline.outcomes import Status
from pipeline.ports import IndexOutcome, Record
from pipeline.worker import Handled

CLOCK = SettableClock()


class Parts:
    def __init__(self, folder: Path) -> None:
        self.index = TantivyIndex(folder / "index", writer=True)
        self.state = SqlState.open(f"sqlite:///{folder / 'state.db'}", migrate=True)

    def run(self, *records: Record) -> Sequence[Handled]:
        return index_records(records, index=self.index, state=self.state)

    def close(self) -> None:
        self.index.close()
        self.state.close()


@pytest.fixture
def parts(tmp_path: Path) -> Iterator[Parts]:
    parts = Parts(tmp_path)
    yield parts
    parts.close()


def article(ident: str = "a", version: int = 1, title: str = "Ferry aground") -> Article:
    return Article(id=ident * 32, version=version, revision=version, title=title, body="b", first_seen=CLOCK())


def record(value: bytes | None, offset: int = 0, **headers: str) -> Record:
    return Record(
        topic="articles.ready", partition=0, offset=offset, key="k", value=value, headers=headers, timestamp=CLOCK()
    )


def test_writes_updates_and_leaves_older_forms_alone(parts: Parts) -> None:
    forms = [article(version=1), article(version=3, title="new"), article(version=2, title="late")]
    handled = parts.run(*(record(encode_article(form), n) for n, form in enumerate(forms)))
    assert [h.status for h in handled] == [Status.PUBLISHED, Status.UPDATED, Status.DUPLICATE]
    found = parts.index.get("a" * 32)
    assert found is not None
    assert found.title == "new"


def test_a_bad_record_is_dead_and_its_batch_is_indexed(parts: Parts) -> None:
    bad, good = parts.run(record(b"{"), record(encode_article(article())))
    assert (bad.status, bad.reason) == (Status.DEAD, "not an article")
    assert good.status is Status.PUBLISHED


def test_a_deletion_takes_the_article_out(parts: Parts) -> None:
    gone = Deletion(id="a" * 32, reason="asked to", deleted_at=CLOCK())
    parts.run(record(encode_article(article())), record(encode_deletion(gone), 1, **DELETION_HEADER))
    assert parts.index.get("a" * 32) is None


def test_a_buried_article_is_not_written_and_is_taken_out_if_it_is_there(parts: Parts) -> None:
    parts.run(record(encode_article(article())))
    parts.state.bury(["a" * 32], "asked to", CLOCK() + timedelta(seconds=1))
    late, other = parts.run(record(encode_article(article(version=2)), 1), record(encode_article(article("b")), 2))
    assert (late.status, late.reason) == (Status.DROPPED, "tombstoned")
    assert other.status is Status.PUBLISHED
    assert parts.index.get("a" * 32) is None
    assert parts.index.get("b" * 32) is not None


def test_what_the_index_refuses_is_dead_with_its_reason(parts: Parts) -> None:
    class Refusing:
        def write(self, items: Sequence[object]) -> Sequence[IndexOutcome]:
            return [IndexOutcome("rejected", "term too long") for _ in items]

    (handled,) = index_records([record(encode_article(article()))], index=Refusing(), state=parts.state)  # type: ignore[arg-type]
    assert (handled.status, handled.reason, handled.detail) == (Status.DEAD, "refused by the index", "term too long")


def test_an_index_that_cannot_write_now_holds_the_batch(parts: Parts) -> None:
    class Away:
        def write(self, items: Sequence[object]) -> Sequence[IndexOutcome]:
            raise TryLater("index away")

    with pytest.raises(TryLater):
        index_records([record(encode_article(article()))], index=Away(), state=parts.state)  # type: ignore[arg-type]


def test_nothing_but_bad_records_writes_nothing(parts: Parts) -> None:
    (handled,) = parts.run(replace(record(None)))
    assert handled.reason == "null value"
