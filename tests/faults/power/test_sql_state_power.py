"""Power lost while the state is written: every transaction that was acknowledged is there, whole."""

from __future__ import annotations

import random
import sys
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from faults.power.power import Recording, files_of, record

from pipeline.adapters.sql_state import SqlState
from pipeline.article import Article
from pipeline.errors import WirewatchError
from pipeline.ports import ArticleRecord, Revision, Settling, TopicPartition

BATCHES = 15
CUTS = 25
NOW = datetime(2026, 3, 1, tzinfo=UTC)
PLACE = TopicPartition("log/articles.raw", 0)


def article(batch: int, n: int) -> Article:
    return Article(id=f"{batch:04x}{n:04x}", title=f"Batch {batch}", body="words " * 50, revision=1, version=1)


def settle_and_acknowledge(folder: Path) -> None:
    """The program under test: each batch settles five articles with their input offsets in one transaction."""
    with closing(SqlState.open(f"sqlite:///{folder / 'state.db'}", migrate=True)) as state:
        lease = state.acquire_lease("settle", "writer", 3600, NOW)
        assert lease is not None
        for batch in range(BATCHES):
            state.settle(lease, NOW, lambda tx, batch=batch: save(tx, batch))
            sys.stdout.write(f"{batch}\n")
            sys.stdout.flush()


def save(tx: Settling, batch: int) -> None:
    articles = [article(batch, n) for n in range(5)]
    tx.save(
        records=[ArticleRecord(article=a, went_live=True) for a in articles],
        revisions=[Revision(article=a, place=PLACE, offset=batch * 5 + n, at=NOW) for n, a in enumerate(articles)],
        families={f"family {batch}": articles[0].id},
        aliases={},
        cluster_id="log",
        input_offsets={PLACE: batch * 5 + 5},
    )  # fmt: skip


def missing_after(recording: Recording, cut: int, target: Path, seed: int) -> list[str]:
    """Return what was acknowledged before the cut and is not there behind it."""
    seeded = random.Random(seed)
    kept_share = seeded.choice([0.0, 0.0, 0.5, 0.95])
    recording.rebuild(cut, target, keep=lambda: seeded.random() < kept_share)
    done = len(recording.said(cut).split())
    if not done:
        return []
    try:
        with closing(SqlState.open(f"sqlite:///{target / 'state.db'}", migrate=True)) as state:
            return [
                f"batch {batch} article {n}"
                for batch in range(done)
                for n in range(5)
                if state.record(article(batch, n).id) is None or len(state.revisions(article(batch, n).id)) != 1
            ]
    except WirewatchError as error:
        return [str(error)]


def test_what_was_settled_survives_a_power_cut(tmp_path: Path, shim: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    recording = record([sys.executable, __file__, str(folder)], folder, shim)
    last = len(recording.operations)
    complete = recording.rebuild(last, tmp_path / "complete", keep=lambda: True)
    assert files_of(complete) == files_of(folder), "the shim has missed something"
    cuts = [*enumerate(random.Random(27).sample(range(last), CUTS)), (CUTS, last)]
    missing = {
        cut: lines for seed, cut in cuts if (lines := missing_after(recording, cut, tmp_path / f"cut-{cut}", seed))
    }
    assert missing == {}


if __name__ == "__main__":
    settle_and_acknowledge(Path(sys.argv[1]))
