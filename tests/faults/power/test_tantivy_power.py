"""Power lost while the embedded index writes: what it acknowledged is found, in the form last acknowledged."""

from __future__ import annotations

import random
import sys
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from faults.power.power import Recording, files_of, record

from pipeline.adapters.tantivy_index import TantivyIndex
from pipeline.article import Article
from pipeline.errors import WirewatchError
from pipeline.ports import IndexDelete

BATCHES = 12
CUTS = 25


def article(batch: int, n: int, version: int = 1) -> Article:
    return Article(
        id=f"{batch:04x}{n:04x}", url=f"https://example.org/{batch}/{n}", title=f"Batch {batch}", body="words " * 50,
        first_seen=datetime(2026, 3, 1, tzinfo=UTC), version=version,
    )  # fmt: skip


def write_and_acknowledge(folder: Path) -> None:
    """The program under test: each batch brings five articles, updates one of the batch before and deletes another."""
    with closing(TantivyIndex(folder / "index", writer=True, heap_bytes=15_000_000)) as index:
        for batch in range(BATCHES):
            items: list[Article | IndexDelete] = [article(batch, n) for n in range(5)]
            if batch:
                items += [article(batch - 1, 0, version=2), IndexDelete(article(batch - 1, 1).id)]
            assert {outcome.status for outcome in index.write(items)} <= {"written", "updated"}
            sys.stdout.write(f"{batch}\n")
            sys.stdout.flush()


def missing_after(recording: Recording, cut: int, target: Path, seed: int) -> list[str]:
    """Return what was acknowledged before the cut and is not so behind it."""
    seeded = random.Random(seed)
    kept_share = seeded.choice([0.0, 0.0, 0.5, 0.95])
    recording.rebuild(cut, target, keep=lambda: seeded.random() < kept_share)
    done = len(recording.said(cut).split())
    try:
        with closing(TantivyIndex(target / "index", writer=True, heap_bytes=15_000_000)) as index:
            return [
                f"batch {batch} article {n}"
                for batch in range(done)
                for n in range(5)
                # What the batch in flight was to change may be changed already.
                if not (batch == done - 1 and n < 2) and index.get(article(batch, n).id) != expected(batch, n, done)
            ]
    except WirewatchError as error:
        return [str(error)]


def expected(batch: int, n: int, done: int) -> Article | None:
    followed = batch + 1 < done
    if followed and n == 1:
        return None
    return article(batch, n, version=2 if followed and n == 0 else 1)


def test_what_was_indexed_survives_a_power_cut(tmp_path: Path, shim: Path) -> None:
    # Given an index that is written in batches, its every operation recorded
    folder = tmp_path / "data"
    (folder / "index").mkdir(parents=True)  # made safely before; whether a new folder survives is another question
    recording = record([sys.executable, __file__, str(folder)], folder, shim)
    last = len(recording.operations)
    complete = recording.rebuild(last, tmp_path / "complete", keep=lambda: True)
    assert files_of(complete) == files_of(folder), "the shim has missed something"
    # When the power is cut at any of these moments
    cuts = [*enumerate(random.Random(27).sample(range(last), CUTS)), (CUTS, last)]
    missing = {
        cut: lines for seed, cut in cuts if (lines := missing_after(recording, cut, tmp_path / f"cut-{cut}", seed))
    }
    # Then nothing acknowledged is missing
    assert missing == {}


if __name__ == "__main__":
    write_and_acknowledge(Path(sys.argv[1]))
