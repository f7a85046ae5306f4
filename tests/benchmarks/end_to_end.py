"""`make bench`: articles a second from feed to search, in one process on one core, beside its ceilings.

A feed server in another process, pinned to another core, serves distinct seeded texts of 3 kB in four languages, 5 %
copies, then 2 % edits. The clock starts before the first poll and stops when the last id is found by a search. Broker
and index alone, measured in the same run on the same records, are the ceilings. A failed or dropped article voids the
run. Durability is the default: every publish and every commit is synced.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from pipeline import steps, topics, wiring
from pipeline.commands.log_lines import configure_logging
from pipeline.feed import Feed
from pipeline.identity import feed_id
from pipeline.outcomes import DropReason
from pipeline.ports import Message, Record, batched_records
from pipeline.query.tree import Everything, Exact
from pipeline.settings import Settings, load_settings

HERE = Path(__file__).parent
STEPS = ("poll", "enrich", "settle", "index", "alert")
EMBEDDED_AIM = 400
"""Articles a second on one core that the embedded parts aim at, under 256 MiB."""


def main() -> int:
    """Run the benchmark and print a table; with ``--json`` write the figures to a file as well."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--articles", type=int, default=5_000)
    parser.add_argument("--json", type=Path, default=Path("bench-result.json"))
    given = parser.parse_args()
    configure_logging("warning")
    with feed_server(given.articles) as port, tempfile.TemporaryDirectory() as folder:
        _pin(0)
        settings = _settings(Path(folder), port)
        figures = _measure(settings, port, given.articles)
        figures |= _ceilings(settings, Path(folder))
    figures["share_of_index_alone"] = figures["articles_per_second"] / figures["index_alone_per_second"]
    given.json.write_text(json.dumps(figures, indent=2) + "\n", "utf-8")
    _print_table(figures)
    return 1 if figures["void"] else 0


def _settings(folder: Path, port: int) -> Settings:
    config = folder / "config"
    config.mkdir()
    (config / "rules.yml").write_text("- {id: rare, query: '\"zebra crossing\" OR hezbollah'}\n", "utf-8")
    (config / "feeds.opml").write_text("<opml/>", "utf-8")
    settings = load_settings(
        folder=folder, environment={}, data=str(folder / "data"), config=str(config),
        allow_addresses=(f"127.0.0.1:{port}",),
    )  # fmt: skip
    wiring.create_data_folder(settings)
    return settings


def _measure(settings: Settings, port: int, number: int) -> dict[str, object]:
    feeds = feeds_of(port, number)
    spent = dict.fromkeys(STEPS, 0.0)
    with wiring.open_ports(settings) as ports:
        ports.state.save_feeds(feeds)
        started, cpu = time.perf_counter(), time.process_time()
        for round_number in (1, 2):
            _get(f"http://127.0.0.1:{port}/round/{round_number}")
            for name in STEPS:
                begun = time.perf_counter()
                if name == "poll":
                    poll_all(ports, feeds)
                else:
                    steps.STEPS[name](ports, _never, once=True)
                spent[name] += time.perf_counter() - begun
        found = _wait_until_found(settings, ports)
        seconds, cpu_seconds = time.perf_counter() - started, time.process_time() - cpu
        counts = ports.state.counts()
    bad = {
        f"{g}:{s}": n for g, by in counts.items() for (s, why), n in by.items()
        if s in {"dropped", "dead"} and why != DropReason.NO_RULE
    }  # fmt: skip
    settled = sum(n for (s, _), n in counts["settle"].items() if s in {"published", "updated"})
    return {
        "articles": settled, "documents": found, "seconds": seconds, "cpu_seconds": cpu_seconds,
        "articles_per_second": settled / seconds, "aim_per_second": EMBEDDED_AIM,
        "share": {name: value / seconds for name, value in spent.items()},
        "memory_peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "void": bool(bad) or found != number, "failed_or_dropped": bad,
        "machine": f"{platform.processor() or platform.machine()}, Python {platform.python_version()}, 1 core",
    }  # fmt: skip


def feeds_of(port: int, number: int) -> list[Feed]:
    """Return the feed server's feeds of so many articles."""
    urls = [f"http://127.0.0.1:{port}/{n}.rss" for n in range((number + 49) // 50)]
    return [Feed(id=feed_id(url), url=url, outlet=f"News {n}") for n, url in enumerate(urls)]


def poll_all(ports: wiring.Ports, feeds: list[Feed]) -> None:
    """Poll every feed once, due or not."""
    for n in range(0, len(feeds), ports.settings.poll_batch):
        ids = [feed.id for feed in feeds[n : n + ports.settings.poll_batch]]
        steps.run_poll(ports, _never, only=ids)


def _wait_until_found(settings: Settings, ports: wiring.Ports) -> int:
    """Look the last id up by a search, then count all documents."""
    place = max(ports.broker.end_offsets([topics.ready("live")]).items(), key=lambda pair: pair[1])[0]
    last = ports.broker.read(place, ports.broker.end_offsets([place.topic])[place] - 1, 1)[0].key
    with closing(wiring.open_index(settings, writer=False)) as index:
        while not index.search(Exact("id", last or ""), limit=1).total:
            time.sleep(0.01)
        return index.search(Everything(), limit=1).total


def records_of(ports: wiring.Ports) -> list[Record]:
    """Return every record that settle published."""
    places = ports.broker.end_offsets([topics.ready("live")])
    return [record for place in places for record in batched_records(ports.broker, place, 500)]


def _ceilings(settings: Settings, folder: Path) -> dict[str, object]:
    """The same records through the broker alone and the index alone, in fresh folders."""
    with wiring.open_ports(settings) as ports:
        records = records_of(ports)
    alone = settings.model_copy(update={"data": str(folder / "alone")})
    wiring.create_data_folder(alone)
    from pipeline.article import decode_article

    with wiring.open_ports(alone) as ports:
        names = [topics.ready("live")]
        messages = [Message(topic=names[0], key=r.key or "", value=r.value) for r in records]
        begun = time.perf_counter()
        for n in range(0, len(messages), 200):
            ports.broker.publish(messages[n : n + 200])
        with closing(ports.broker.consumer("bench", names)) as consumer:
            while batch := consumer.poll(200, 0):
                consumer.commit({r.place: r.offset + 1 for r in batch})
        broker_seconds = time.perf_counter() - begun
    articles = [decode_article(record.value) for record in records]
    with closing(wiring.open_index(alone, writer=True)) as index:
        begun = time.perf_counter()
        for n in range(0, len(articles), 500):
            index.write(articles[n : n + 500])
        index_seconds = time.perf_counter() - begun
    return {
        "broker_alone_per_second": len(messages) / broker_seconds,
        "index_alone_per_second": len(articles) / index_seconds,
    }


def _print_table(figures: dict[str, object]) -> None:
    share = figures["share"]
    rows = [
        ("articles settled (new, copies, edits)", f"{figures['articles']:,}"),
        ("feed to search, one process, one core", f"{figures['articles_per_second']:,.0f} articles/s"),
        ("aim", f"{figures['aim_per_second']:,} articles/s"),
        ("ceiling: broker alone (publish, read, commit once)", f"{figures['broker_alone_per_second']:,.0f} records/s"),
        ("ceiling: index alone", f"{figures['index_alone_per_second']:,.0f} articles/s"),
        ("share kept of index alone", f"{figures['share_of_index_alone']:.0%}"),
        *((f"share of time: {name}", f"{value:.0%}") for name, value in share.items()),
        ("processor time of wall time", f"{figures['cpu_seconds'] / figures['seconds']:.0%}"),
        ("memory peak", f"{figures['memory_peak_mib']:,.0f} MiB"),
        ("machine", figures["machine"]),
    ]
    for name, value in rows:
        print(f"{name:<52} {value:>24}")
    if figures["void"]:
        print(f"VOID: documents {figures['documents']}, failed or dropped {figures['failed_or_dropped']}")


@contextmanager
def feed_server(number: int) -> Iterator[int]:
    server = subprocess.Popen(
        [sys.executable, str(HERE / "feed_server.py"), str(number)], stdout=subprocess.PIPE, text=True
    )
    try:
        assert server.stdout is not None
        if hasattr(os, "sched_setaffinity") and (os.cpu_count() or 1) > 1:
            os.sched_setaffinity(server.pid, {1})
        yield int(server.stdout.readline())
    finally:
        server.kill()
        server.wait()
        server.stdout.close()


def _pin(core: int) -> None:
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {core})


def _get(url: str) -> None:
    with urllib.request.urlopen(url) as answer:
        answer.read()


def _never(seconds: float) -> bool:
    return False


if __name__ == "__main__":
    sys.exit(main())
