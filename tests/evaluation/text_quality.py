"""How good the texts of pages are, beside trafilatura alone: 80 pages of 16 publishers with their true paragraphs.

    .venv/bin/python tests/evaluation/text_quality.py [--data DIR] [--report]

The pages are those of dobbersc/fundus-evaluation (``dataset/`` there). Their publishers, in the order of the SHA-256 of
their names, are split in halves: rules were made looking at the first; ``--report`` measures the other, whose pages
nobody looked at. ``text_metrics`` has the two measures. A dateline counts as part of the text that it was taken from.

"with profile" is what the stages make of a page when the outlet's other pages were seen before: each line that stands
in two of them is known to be repeated.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import json
import statistics
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Final, NamedTuple

from text_metrics import rouge_scores, shingle_scores
from trafilatura import bare_extraction

from pipeline.article import Article
from pipeline.enrich import clean, text
from pipeline.enrich.page import extract_paragraphs, parse_page
from pipeline.enrich.tools import Tools
from pipeline.ingest.memory_pages import MemoryPages
from pipeline.ports import NoProfiles

DATA: Final = Path(__file__).parents[3] / "shared" / "data"
BAD: Final = 0.8
WORST: Final = 10
MIN_REPEATED: Final = 2
"""Of an outlet's other pages, for a line to count as repeated."""


class Page(NamedTuple):
    """A page and its true paragraphs; those in brackets are optional."""

    name: str
    publisher: str
    body: bytes
    truth: list[str]


class LearnedProfiles(NoProfiles):
    """Takes notes, and knows the lines that it is told to know."""

    def __init__(self) -> None:
        self.keys: dict[str, tuple[int, ...]] = {}
        self.known: frozenset[int] = frozenset()

    def repeated_lines(self, outlet: str) -> frozenset[int]:
        return self.known

    def note(self, article_id: str, outlet: str, keys: tuple[int, ...], characters: int, page_bytes: int) -> None:
        self.keys[article_id] = keys


def pages_of(data: Path) -> Iterator[Page]:
    truth = json.loads((data / "pages" / "ground_truth.json").read_text())
    for name, page in sorted(truth.items()):
        yield Page(name, name.rpartition("_")[0], gzip.decompress((data / "pages" / name).read_bytes()), page["body"])


def halves(pages: list[Page]) -> tuple[list[Page], list[Page]]:
    names = sorted({page.publisher for page in pages}, key=lambda name: hashlib.sha256(name.encode()).hexdigest())
    first = frozenset(names[: len(names) // 2])
    return [page for page in pages if page.publisher in first], [page for page in pages if page.publisher not in first]


def by_trafilatura(page: Page) -> str:
    found = bare_extraction(parse_page(page.body), fast=True, include_comments=False)
    return (found.text if found else "") or ""


def enriched(page: Page, tools: Tools) -> Article:
    fetched = datetime(2024, 4, 1, tzinfo=UTC)  # a month after the newest of the pages
    raw = Article(
        id=page.name, outlet=page.publisher, fetched=fetched, page=tools.pages.put(page.body, date(2026, 1, 1))
    )
    return clean.enrich(text.enrich(raw, tools), tools)


def text_of(article: Article) -> str:
    return f"{article.dateline} {article.body}".strip()


def with_profiles(pages: list[Page]) -> dict[str, Article]:
    profiles = LearnedProfiles()
    tools = Tools(pages=MemoryPages(), profiles=profiles)
    for page in pages:
        enriched(page, tools)
    articles = {}
    for page in pages:
        others = [other.name for other in pages if other.publisher == page.publisher and other.name != page.name]
        counted = Counter(key for name in others for key in profiles.keys.get(name, ()))
        profiles.known = frozenset(key for key, number in counted.items() if number >= MIN_REPEATED)
        keys = dict(profiles.keys)
        articles[page.name] = enriched(page, tools)
        profiles.keys = keys
    return articles


def print_scores(title: str, pages: list[Page]) -> None:
    tools = Tools(pages=MemoryPages())
    articles = {page.name: enriched(page, tools) for page in pages}
    with_profile = with_profiles(pages)
    texts = {
        "trafilatura alone": {page.name: by_trafilatura(page) for page in pages},
        "Wirewatch": {name: text_of(article) for name, article in articles.items()},
        "with profile": {name: text_of(article) for name, article in with_profile.items()},
    }
    print(f"\n{title}: {len(pages)} pages")
    scores = {}
    for measure, scored in (("shingles", shingle_scores), ("ROUGE-LSum", rouge_scores)):
        for name, found in texts.items():
            each = {page.name: scored(page.truth, found[page.name]) for page in pages}
            scores[measure, name] = each
            precision, recall, f1 = (list(column) for column in zip(*each.values(), strict=True))
            print(
                f"  {measure:10} {name:18} precision {statistics.mean(precision):.4f}"
                f" recall {statistics.mean(recall):.4f} F1 {statistics.mean(f1):.4f} ± {statistics.pstdev(f1):.4f},"
                f" {sum(score < BAD for score in f1)} under .80"
            )
    print(
        f"  {'the worst':28} {'shingles':>9} {'trafilatura':>12} {'ROUGE':>7} {'trafilatura':>12}"
        " choice, confidence, flags"
    )
    ours = scores["shingles", "Wirewatch"]
    for name in sorted(ours, key=lambda name: ours[name][2])[:WORST]:
        row = [
            scores[measure, who][name][2]
            for measure in ("shingles", "ROUGE-LSum")
            for who in ("Wirewatch", "trafilatura alone")
        ]
        article = articles[name]
        print(
            f"  {name:28} {row[0]:9.3f} {row[1]:12.3f} {row[2]:7.3f} {row[3]:12.3f}"
            f" {article.text_choice} {article.text_confidence:.2f} {' '.join(article.flags)}"
        )
    print_confidence(articles, {name: score[2] for name, score in ours.items()})
    flags = Counter(flag for article in articles.values() for flag in article.flags if flag.startswith("page_"))
    print(f"  flags: {dict(flags)}")


def print_confidence(articles: dict[str, Article], scores: dict[str, float]) -> None:
    bands: dict[float, list[float]] = {}
    for name, article in articles.items():
        bands.setdefault(int(article.text_confidence * 5) / 5, []).append(scores[name])
    for low, values in sorted(bands.items()):
        print(f"  confidence from {low:.1f}: {len(values)} pages, F1 {statistics.mean(values):.3f}")


def print_speed(pages: list[Page]) -> None:
    """Best of five runs each, in turns: processor time of this process."""
    trees = [parse_page(page.body) for page in pages]
    trees_and_runs: dict[str, Callable[[int], object]] = {
        "trafilatura alone": lambda n: bare_extraction(trees[n], fast=True, include_comments=False),
        "extraction": lambda n: extract_paragraphs(trees[n]),
    }
    tools = Tools(pages=MemoryPages())
    keys = [tools.pages.put(page.body, date(2026, 1, 1)) for page in pages]
    trees_and_runs |= {
        "parsed, trafilatura": lambda n: bare_extraction(parse_page(pages[n].body), fast=True, include_comments=False),
        "stages text, clean": lambda n: clean.enrich(
            text.enrich(Article(id="a", outlet="o", title="t", feed="f", page=keys[n]), tools), tools
        ),
    }
    best = dict.fromkeys(trees_and_runs, float("inf"))
    for _ in range(5):
        for name, run in trees_and_runs.items():
            start = time.process_time()
            for number in range(len(pages)):
                run(number)
            best[name] = min(best[name], time.process_time() - start)
    print("\nspeed, one core:", ", ".join(f"{name} {len(pages) / seconds:.0f}/s" for name, seconds in best.items()))


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--data", type=Path, default=DATA, help="the folder that holds pages/")
    parser.add_argument("--report", action="store_true", help="measure the unseen publishers too")
    options = parser.parse_args()
    if not (options.data / "pages").is_dir():
        print(f"no pages in {options.data}", file=sys.stderr)
        return 2
    seen, unseen = halves(list(pages_of(options.data)))
    print_scores("publishers that were looked at", seen)
    if options.report:
        print_scores("unseen publishers", unseen)
    print_speed(seen)
    return 0


if __name__ == "__main__":
    sys.exit(main())
