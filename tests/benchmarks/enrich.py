"""How fast articles are enriched: stage by stage, with pages beside trafilatura alone, and in two processes.

    .venv/bin/python tests/benchmarks/enrich.py [--data DIR] [--seconds S]

Texts and pages are the real ones of ``--data`` where they are, else made ones. All but the last table is measured on
one core. What else runs on the machine slows everything alike, so trust the ratios.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import cycle, islice
from pathlib import Path
from typing import Any, Final

import trafilatura
from texts import stories

from pipeline.article import Article, encode_article
from pipeline.enrich.crew import Crew
from pipeline.enrich.meter import MetricsMeter
from pipeline.enrich.run import STAGES, enrich_article, enrich_records
from pipeline.enrich.tools import Tools
from pipeline.ingest.memory_pages import MemoryPages
from pipeline.ports import NoProfiles, Record

DATA: Final = Path(__file__).resolve().parents[3] / "shared" / "data"
NOW: Final = datetime(2026, 3, 1, 12, tzinfo=UTC)
BYTES: Final = 3_000
"""Of a text, in UTF-8: an average of news, whatever the script."""
GOALS: Final = "goals: 500 articles/s without pages; 0.90 of trafilatura with them; 1.8 in two processes; 400 MiB; 2 s"


class Noted:
    """A meter that adds up the time of each stage."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)

    def took(self, stage: str, seconds: float) -> None:
        self.seconds[stage] += seconds

    def failed(self, stage: str) -> None:
        raise AssertionError(f"stage {stage} failed")

    def no_article(self, kind: str) -> None:
        """No matter here."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--seconds", type=float, default=10.0, help="of each measurement")
    arguments = parser.parse_args()
    cores = sorted(os.sched_getaffinity(0))
    print(GOALS)
    _print_start()
    os.sched_setaffinity(0, cores[:1])
    articles, pages = _articles(arguments.data), _pages(arguments.data)
    _stage_by_stage(articles, arguments.seconds)
    _beside_trafilatura(pages, arguments.seconds)
    os.sched_setaffinity(0, cores)
    _in_processes(articles, arguments.seconds)


def _print_start() -> None:
    """Say what a fresh process takes until its first article is enriched, and how large it is then."""
    code = (
        "import time; began = time.perf_counter()\n"
        "import resource\n"
        "from pipeline.article import Article\n"
        "from pipeline.enrich.run import STAGES, enrich_article\n"
        "from pipeline.enrich.tools import Tools\n"
        "from pipeline.ingest.memory_pages import MemoryPages\n"
        "enrich_article(Article(id='a', title='T', body='Some text.'), Tools(pages=MemoryPages()), tuple(STAGES))\n"
        "print(time.perf_counter() - began, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)\n"
    )
    runs = [
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd="/")
        for _ in range(3)
    ]
    seconds, mebibytes = min(tuple(map(float, run.stdout.split())) for run in runs)
    print(f"start: {seconds:.2f} s until the first article is enriched, {mebibytes:.0f} MiB (best of 3)\n")


def _stage_by_stage(articles: Sequence[Article], seconds: float) -> None:
    meter = Noted()
    tools = Tools(pages=MemoryPages(), meter=meter)
    size = sum(len(article.html.encode()) for article in articles) / len(articles)
    rate, number = _rate(lambda article: enrich_article(article, tools, tuple(STAGES)), articles, seconds)
    print(f"without pages, {size:,.0f} bytes each: {rate:,.0f} articles/s on one core")
    for name, spent in meter.seconds.items():
        print(f"  {name:<10}{1000 * spent / number:7.3f} ms")


def _beside_trafilatura(pages: Sequence[bytes], seconds: float) -> None:
    meter = Noted()
    tools = Tools(pages=MemoryPages(), meter=meter)
    articles = [
        Article(id=key, url=f"https://p.example/{key}", page=key, feed="f", title="T", fetched=NOW)
        for key in (tools.pages.put(page, NOW.date()) for page in pages)
    ]

    def theirs(page: bytes) -> Any:
        return trafilatura.bare_extraction(page, fast=True, include_comments=False)

    def ours(article: Article) -> Article:
        return enrich_article(article, tools, tuple(STAGES))

    # In turns, so that what else goes on meets both.
    rounds = [(_rate(theirs, pages, seconds / 3)[0], _rate(ours, articles, seconds / 3)[0]) for _ in range(3)]
    alone, all_stages = map(max, zip(*rounds, strict=True))
    print(f"\nwith pages of {sum(map(len, pages)) / len(pages) / 1024:,.0f} KiB, one core:")
    print(f"  trafilatura fast alone {alone:.1f} pages/s; all stages {all_stages:.1f}: {all_stages / alone:.2f} of it")
    whole = sum(meter.seconds.values())
    print("  " + ", ".join(f"{name} {spent / whole:.0%}" for name, spent in meter.seconds.items()))


def _in_processes(articles: Sequence[Article], seconds: float) -> None:
    records = [
        Record(
            topic="articles.raw", partition=0, offset=n, key=a.id, value=encode_article(a), headers={}, timestamp=NOW
        )
        for n, a in enumerate(islice(cycle(articles), 200))
    ]
    stages = tuple(STAGES)
    tools = Tools(pages=MemoryPages())
    one = _rate(lambda _: enrich_records(records, tools, stages), [None], seconds)[0] * len(records)
    print(f"\nbatches of {len(records)} records, all cores: in this process {one:,.0f} articles/s")
    for processes in (1, 2):
        crew = Crew(
            processes, open_tools=_open_tools, stages=stages, profiles=NoProfiles(), meter=MetricsMeter()
        )  # fmt: skip
        crew.enrich(records)  # which waits until all of them are ready
        rate = _rate(lambda _, crew=crew: crew.enrich(records), [None], seconds)[0] * len(records)
        crew.close()
        print(f"  in {processes} of a crew: {rate:,.0f} articles/s, {rate / one:.2f} times")


def _open_tools() -> Tools:
    return Tools(pages=MemoryPages())


def _rate(work: Callable[[Any], object], items: Sequence[Any], seconds: float) -> tuple[float, int]:
    """Return how many a second, and how many in all: whole rounds over the items until the time is over."""
    for item in items[:20]:
        work(item)
    number, began = 0, time.perf_counter()
    while time.perf_counter() - began < seconds:
        for item in items:
            work(item)
        number += len(items)
    return number / (time.perf_counter() - began), number + len(items[:20])


def _articles(data: Path) -> list[Article]:
    return [
        Article(
            id=f"a{n}",
            url=f"https://a.example/{n}",
            title=title,
            html=f"<p>{text}</p>",
            feed="f",
            outlet="Mirror",
            first_seen=NOW,
        )
        for n, (title, text) in enumerate(_texts(data))
    ]


def _texts(data: Path) -> Iterator[tuple[str, str]]:
    """Yield titles with texts of 3,000 bytes."""
    if not (data / "stories" / "dev.jsonl").exists():
        for story in stories(200):
            yield story.title, _cut(story.text)
        return
    for line in (data / "stories" / "dev.jsonl").read_text().splitlines():
        story = json.loads(line)
        text = story["text"]
        while len(text.encode()) < BYTES:
            text += " " + story["text"]
        yield story["title"], _cut(text)


def _cut(text: str) -> str:
    return text.encode()[:BYTES].decode("utf-8", "ignore")


def _pages(data: Path) -> list[bytes]:
    found = sorted((data / "pages").glob("*.html.gz"))
    if found:
        return [gzip.decompress(path.read_bytes()) for path in found]
    menu = "".join(f'<li><a href="/{n}">Item {n} of the menu</a></li>' for n in range(300))
    return [
        f"<html><head><title>{s.title}</title></head><body><nav><ul>{menu}</ul></nav><article><h1>{s.title}</h1>"
        f"{''.join(f'<p>{part}</p>' for part in s.text.split(chr(10)))}</article></body></html>".encode()
        for s in stories(80)
    ]


if __name__ == "__main__":
    main()
