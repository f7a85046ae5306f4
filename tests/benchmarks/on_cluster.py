"""`make bench`, second part: the same texts and rule on Kafka, Elasticsearch and PostgreSQL, all on this machine.

Real servers and one process a step (enrich, settle, index, alert; poll is this process) share the machine's cores with
the feed server. The clock starts before the first poll and stops when the last id is found by a search. Kafka alone and
bulk writes alone, measured in the same run on the same records, are the ceilings. Then articles are published at a
steady rate, and for each is noted when a search first shows it, with the refresh interval that is the default.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from statistics import quantiles
from uuid import uuid4

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

import psycopg
from elasticsearch import Elasticsearch
from end_to_end import feed_server, feeds_of, poll_all, records_of
from kafka import KafkaAdminClient
from services.java import Missing
from services.shared import running
from texts import stories

from pipeline import topics, wiring
from pipeline.adapters.kafka_broker import parse_location
from pipeline.article import Article, decode_article, encode_article
from pipeline.commands.log_lines import configure_logging
from pipeline.errors import TryLater
from pipeline.identity import article_id
from pipeline.ports import Message, Record
from pipeline.query.tree import Everything, Exact
from pipeline.settings import Settings, load_settings

AIM, AIM_P95_SECONDS = 250, 6.0
"""Articles a second on two cores shared by everything, and from published to searchable at 50 articles a second."""
RATE = 50
SERVERS = ("kafka", "elasticsearch", "postgres")
WORKERS = ("enrich", "settle", "index", "alert")
PATIENCE_SECONDS = 300.0
MARKS = {
    "Kafka": "kafka.Kafka", "Elasticsearch": "SingleNode", "PostgreSQL": "postgres", "feed server": "feed_server.py",
    "poll": "on_cluster.py", **{step: f"wirewatch {step}" for step in WORKERS},
}  # fmt: skip
"""Of each that takes part, what stands in its command line."""


def main() -> int:
    """Run the benchmark and print a table; with ``--json`` write the figures to a file as well."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--articles", type=int, default=8_000)
    parser.add_argument("--latency-seconds", type=int, default=60)
    parser.add_argument("--json", type=Path, default=Path("bench-cluster-result.json"))
    given = parser.parse_args()
    configure_logging("error")
    with tempfile.TemporaryDirectory(prefix="wirewatch-bench-") as made, ExitStack() as stack:
        folder = Path(made)
        folder.chmod(0o755)
        try:
            servers = {name: stack.enter_context(running(name, folder)) for name in SERVERS}
        except Missing as missing:
            print(f"The cluster's part is left out: {missing}")
            return 0
        port = stack.enter_context(feed_server(given.articles))
        environment = _environment(folder, servers, port)
        settings = load_settings(folder=folder, environment=environment)
        _run(environment, "setup")
        with _workers(folder, environment, settings):
            figures = _throughput(settings, port, given.articles)
            figures |= _sizes(settings, figures["documents"])
            figures |= _latency(settings, given.latency_seconds)
        figures |= _ceilings(settings)
    slower = min(figures["kafka_alone_per_second"], figures["bulk_alone_per_second"])
    figures["share_of_slower_ceiling"] = figures["articles_per_second"] / slower
    given.json.write_text(json.dumps(figures, indent=2) + "\n", "utf-8")
    _print_table(figures)
    return 1 if figures["void"] else 0


def _environment(folder: Path, servers: dict[str, str], port: int) -> dict[str, str]:
    config = folder / "config"
    config.mkdir()
    (config / "rules.yml").write_text("- {id: rare, query: '\"zebra crossing\" OR hezbollah'}\n", "utf-8")
    (config / "feeds.opml").write_text("<opml/>", "utf-8")
    prefix = f"bench-{uuid4().hex[:8]}"
    return {
        "WIREWATCH_BROKER": f"kafka://{servers['kafka']}?replication=1&prefix={prefix}.",
        "WIREWATCH_INDEX": servers["elasticsearch"],
        "WIREWATCH_INDEX_PREFIX": prefix,
        "WIREWATCH_INDEX_REPLICAS": "0",
        "WIREWATCH_STATE": servers["postgres"],
        "WIREWATCH_CONFIG": str(config),
        "WIREWATCH_DATA": str(folder / "data"),
        "WIREWATCH_ALLOW_ADDRESSES": f"127.0.0.1:{port}",
    }


def _command(*words: str) -> list[str]:
    return [str(Path(sys.executable).with_name("wirewatch")), *words]


def _run(environment: dict[str, str], *words: str) -> None:
    subprocess.run(_command(*words), env=os.environ | environment, check=True, stdout=subprocess.DEVNULL)


@contextmanager
def _workers(folder: Path, environment: dict[str, str], settings: Settings) -> Iterator[None]:
    """One process a step, up to its first look at an empty topic: importing is not what is measured."""
    processes = []
    for step in WORKERS:
        with (folder / f"{step}.log").open("ab") as log:
            processes.append(subprocess.Popen(_command(step), env=os.environ | environment, stderr=log, stdout=log))
    try:
        warm = Article(id="warm", title="Warm up", body="Nothing happened today.", first_seen=datetime.now(UTC))
        with wiring.open_ports(settings) as ports:
            ports.broker.publish([Message(topic=topics.raw("live"), key=warm.id, value=encode_article(warm))])
            _until_drained(ports)
        yield
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait(30)


def _until_drained(ports: wiring.Ports) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    inputs = {"enrich": topics.raw, "settle": topics.enriched, "index": topics.ready, "alert": topics.ready}
    for group, name in inputs.items():
        while not _is_at_its_end(ports, group, [name("live")]):
            if time.monotonic() > deadline:
                raise SystemExit(f"{group} did not get to the end of its topic")
            time.sleep(0.05)


def _is_at_its_end(ports: wiring.Ports, group: str, names: list[str]) -> bool:
    try:
        done = ports.broker.committed(group, names)
        return all(done.get(place, 0) >= end for place, end in ports.broker.end_offsets(names).items())
    except TryLater:  # a broker that has just started has no coordinator of groups yet
        return False


def _throughput(settings: Settings, port: int, number: int) -> dict[str, object]:
    feeds = feeds_of(port, number)
    with wiring.open_ports(settings) as ports, closing(wiring.open_index(settings, writer=False)) as index:
        ports.state.save_feeds(feeds)
        before = _settled(ports)
        started, busy = time.perf_counter(), processor_seconds()
        for round_number in (1, 2):
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/round/{round_number}") as answer:
                answer.read()
            poll_all(ports, feeds)
        _until_drained(ports)
        last = records_of(ports)[-1].key
        _refresh(settings)
        while not index.search(Exact("id", last or ""), limit=1).total:
            time.sleep(0.01)
        seconds = time.perf_counter() - started
        spent = {name: after - busy.get(name, 0.0) for name, after in processor_seconds().items()}
        found = index.search(Everything(), limit=1).total - 1  # the one that warmed up
        after, counts = _settled(ports), ports.state.counts()
    bad = {f"{g}:{s}": n for g, by in counts.items() for (s, _), n in by.items() if s == "dead"}
    settled = after - before
    return {
        "articles": settled, "documents": found, "seconds": seconds, "articles_per_second": settled / seconds,
        "processor_share": {name: each / sum(spent.values()) for name, each in spent.items()},
        "aim_per_second": AIM, "void": bool(bad) or found != number, "failed_or_dropped": bad,
        "machine": f"{platform.machine()}, {os.cpu_count()} cores for everything, Python {platform.python_version()}",
    }  # fmt: skip


def _settled(ports: wiring.Ports) -> int:
    """Return how many articles and new forms were settled; a worker saves its counts a moment after its offsets."""
    handled = sum(ports.broker.end_offsets([topics.enriched("live")]).values())
    deadline = time.monotonic() + PATIENCE_SECONDS
    while sum((counts := ports.state.counts().get("settle", {})).values()) < handled:
        if time.monotonic() > deadline:
            raise SystemExit("settle did not count what it handled")
        time.sleep(0.05)
    return sum(number for (status, _), number in counts.items() if status in {"published", "updated"})


def processor_seconds() -> dict[str, float]:
    """Return the processor time so far of all that takes part, from /proc (proc(5), fields 14 and 15 of stat)."""
    seconds = dict.fromkeys(MARKS, 0.0)
    for name, pids in _taking_part().items():
        for pid in pids:
            fields = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace").rpartition(")")[2].split()
            seconds[name] += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return seconds


def _taking_part() -> dict[str, list[str]]:
    """Return the process ids of each that takes part, told by its command line."""
    found: dict[str, list[str]] = {name: [] for name in MARKS}
    for place in Path("/proc").glob("[0-9]*"):
        try:
            command = (place / "cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
        except OSError:  # it has just ended
            continue
        if name := next((name for name, mark in MARKS.items() if mark in command), ""):
            found[name].append(place.name)
    return found


def _sizes(settings: Settings, articles: int) -> dict[str, object]:
    """Return the memory of each process now, and the disk that an article takes in each server, once merged."""
    memory = {name: sum(_resident_mib(pid) for pid in pids) for name, pids in _taking_part().items()}
    pattern = f"{settings.index_prefix}-articles-*"
    with Elasticsearch(settings.index, request_timeout=300) as client:
        client.indices.forcemerge(index=pattern, max_num_segments=1)
        client.indices.flush(index=pattern)
        index_bytes = client.indices.stats(index=pattern, metric="store")["_all"]["primaries"]["store"]["size_in_bytes"]
    with psycopg.connect(settings.state) as state:
        tables = "SELECT sum(pg_total_relation_size(oid)) FROM pg_class WHERE relkind = 'r' AND relname !~ '^(pg|sql)_'"
        [state_bytes] = state.execute(tables).fetchone() or (0,)
    location = parse_location(settings.broker)
    with closing(KafkaAdminClient(**location.client_settings())) as admin:
        parts = [
            partition["partition_size"]
            for node in admin.describe_log_dirs([location.topic(topic.name) for topic in topics.ALL])
            for folder in node["log_dirs"]
            for topic in folder["topics"]
            for partition in topic["partitions"]
        ]
    disk = {"Elasticsearch": index_bytes, "PostgreSQL": int(state_bytes), "Kafka": sum(parts)}
    return {"memory_mib": memory, "disk_bytes_per_article": {name: each / articles for name, each in disk.items()}}


def _resident_mib(pid: str) -> float:
    lines = Path(f"/proc/{pid}/status").read_text("ascii", "replace").splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith("VmRSS:")) / 1024


def _refresh(settings: Settings) -> None:
    with Elasticsearch(settings.index) as client:
        client.indices.refresh(index=f"{settings.index_prefix}-articles-*")


def _latency(settings: Settings, seconds: int) -> dict[str, object]:
    """Publish ``RATE`` articles a second, and look ten times a second which of them a search shows."""
    texts = stories(RATE * seconds, seed=77)
    published: dict[str, float] = {}
    shown: dict[str, float] = {}
    with wiring.open_ports(settings) as ports, Elasticsearch(settings.index) as client:
        start = time.perf_counter()
        for tick in range(seconds * 10):
            batch = [_article(text) for text in texts[tick * RATE // 10 : (tick + 1) * RATE // 10]]
            ports.broker.publish([Message(topic=topics.raw("live"), key=a.id, value=encode_article(a)) for a in batch])
            published |= dict.fromkeys((article.id for article in batch), time.perf_counter())
            _note_shown(client, settings, shown)
            time.sleep(max(0.0, start + (tick + 1) / 10 - time.perf_counter()))
        deadline = time.monotonic() + PATIENCE_SECONDS
        while len(shown.keys() & published.keys()) < len(published) and time.monotonic() < deadline:
            _note_shown(client, settings, shown)
            time.sleep(0.1)
    took = [shown[ident] - at for ident, at in published.items() if ident in shown]
    cuts = quantiles(took, n=100)
    return {
        "latency_rate": RATE, "latency_articles": len(published), "latency_lost": len(published) - len(took),
        "latency_p50_seconds": cuts[49], "latency_p95_seconds": cuts[94], "latency_aim_p95_seconds": AIM_P95_SECONDS,
    }  # fmt: skip


def _article(text: object) -> Article:
    link = f"http://steady.example/{text.number}"
    ident = article_id(link=link, feed_url="", guid="", content="")
    return Article(
        id=ident, url=link, feed="steady", outlet="Steady", title=text.title, body=text.text,
        first_seen=datetime.now(UTC),
    )  # fmt: skip


def _note_shown(client: Elasticsearch, settings: Settings, shown: dict[str, float]) -> None:
    found = client.search(
        index=f"{settings.index_prefix}-articles-*", size=RATE * 12, source=False,
        sort=[{"first_seen": "desc"}], query={"term": {"outlet": "Steady"}},
    )  # fmt: skip
    now = time.perf_counter()
    for hit in found["hits"]["hits"]:
        shown.setdefault(hit["_id"], now)


def _ceilings(settings: Settings) -> dict[str, float]:
    """The same records through Kafka alone and, as bulk writes, into Elasticsearch alone, under names of their own."""
    with wiring.open_ports(settings) as ports:
        records = records_of(ports)
    other_names = {
        "broker": settings.broker.replace("prefix=", "prefix=alone-"),
        "index_prefix": f"{settings.index_prefix}-alone",
    }
    alone = settings.model_copy(update=other_names)
    with closing(wiring.open_broker(alone, wiring.utc_now)) as broker:
        broker.create_topics(topics.ALL)
        kafka = _through_kafka(broker, records)
    wiring.set_up_index(alone, wiring.utc_now)
    articles = [decode_article(record.value) for record in records]
    with closing(wiring.open_index(alone, writer=True)) as index:
        begun = time.perf_counter()
        for n in range(0, len(articles), 500):
            index.write(articles[n : n + 500])
        bulk = time.perf_counter() - begun
    return {"kafka_alone_per_second": len(records) / kafka, "bulk_alone_per_second": len(articles) / bulk}


def _through_kafka(broker: object, records: Sequence[Record]) -> float:
    """Return the seconds to publish the records and to read and commit them again."""
    name = topics.ready("live")
    messages = [Message(topic=name, key=record.key or "", value=record.value) for record in records]
    with closing(broker.consumer("bench", [name])) as consumer:
        consumer.poll(1, 0)
        begun, read = time.perf_counter(), 0
        for n in range(0, len(messages), 200):
            broker.publish(messages[n : n + 200])
        while read < len(messages):
            batch = consumer.poll(200, 1.0)
            read += len(batch)
            if batch:
                consumer.commit({record.place: record.offset + 1 for record in batch})
        return time.perf_counter() - begun


def _print_table(figures: dict[str, object]) -> None:
    disk = figures["disk_bytes_per_article"]
    rows = [
        ("articles settled (new, copies, edits)", f"{figures['articles']:,}"),
        ("feed to search on Kafka + Elasticsearch + PostgreSQL", f"{figures['articles_per_second']:,.0f} articles/s"),
        ("aim", f"{figures['aim_per_second']:,} articles/s"),
        ("ceiling: Kafka alone (publish, read, commit)", f"{figures['kafka_alone_per_second']:,.0f} records/s"),
        ("ceiling: bulk writes alone", f"{figures['bulk_alone_per_second']:,.0f} articles/s"),
        ("share kept of the slower ceiling", f"{figures['share_of_slower_ceiling']:.0%}"),
        (f"published to searchable at {RATE}/s, p50", f"{figures['latency_p50_seconds']:.2f} s"),
        (f"published to searchable at {RATE}/s, p95", f"{figures['latency_p95_seconds']:.2f} s"),
        ("aim for p95, with a refresh every 5 s", f"{AIM_P95_SECONDS:.0f} s"),
        *((f"share of the processor time spent: {name}", f"{n:.0%}") for name, n in figures["processor_share"].items()),
        *((f"memory: {name}", f"{n:,.0f} MiB") for name, n in figures["memory_mib"].items()),
        *((f"disk for an article: {name}", f"{n / 1e3:.1f} kB") for name, n in disk.items()),
        ("machine", figures["machine"]),
    ]
    for name, value in rows:
        print(f"{name:<54} {value:>34}")
    if figures["void"] or figures["latency_lost"]:
        print(f"VOID: documents {figures['documents']}, lost {figures['latency_lost']}, {figures['failed_or_dropped']}")


if __name__ == "__main__":
    sys.exit(main())
