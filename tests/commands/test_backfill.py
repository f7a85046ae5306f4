"""wirewatch backfill."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import pytest
from cli_parts import Cli
from ingest.warc_parts import Warc, page

from pipeline.commands.sending import PROGRESS_SECONDS, Progress
from pipeline.ingest.throttle import Lag

TALKS = "Officials said a delegation of Hezbollah would not attend the talks that resume in the capital this week."
FILLER = "The council met on Monday to discuss the bridge over the river and will decide about it on some later day."


def archive(folder: Path) -> Path:
    """Return a folder with a crawl, lines, a page and a feed: six articles, one of them as it was on two days."""
    folder = folder / "archive"
    folder.mkdir()
    crawl = Warc().add("https://e.example/1", page(1)).add("https://e.example/2", page(2, text=TALKS))
    crawl.add("https://e.example/logo", b"\x89PNG", "image/png")
    crawl.add("https://e.example/1", page(1, text=FILLER), warc={"WARC-Date": "2024-03-16T10:00:00Z"})
    (folder / "crawl.warc.gz").write_bytes(bytes(crawl))
    lines(
        folder / "lines.jsonl",
        {"url": "http://e.example/3", "title": "Bridge", "body": FILLER},
        {"title": "B", "body": TALKS},
    )
    (folder / "page.html").write_bytes(page(3))
    (folder / "feed.xml").write_text(
        "<rss version='2.0'><channel><title>F</title><item><title>Old</title><link>https://e.example/old</link></item>"
        "</channel></rss>", "utf-8",
    )  # fmt: skip
    return folder


def lines(path: Path, *articles: dict[str, object]) -> Path:
    path.write_text("".join(json.dumps(article) + "\n" for article in articles), "utf-8")
    return path


def many(folder: Path, number: int) -> Path:
    """Return a file of articles that all have a text of their own."""
    articles = (
        {"url": f"https://e.example/{n}", "title": f"Number {n}", "body": f"{n} {TALKS}"} for n in range(number)
    )
    return lines(folder / "many.jsonl", *articles)


def found(cli: Cli) -> list[str]:
    return sorted(line["id"] for line in cli("search", "*", "--json", "--limit", "1000").lines)


def test_an_archive_of_many_kinds_of_files_becomes_searchable_and_raises_no_alert(cli: Cli) -> None:
    ended = cli("backfill", archive(cli.folder))
    assert ended.code == 0, ended.err
    passed_over = f"{cli.folder / 'archive' / 'crawl.warc.gz'}: 1 record passed over: image/png (1)"
    assert ended.err.splitlines() == [passed_over, "6 articles read, 6 searchable"]
    assert {line["lane"] for line in cli("search", "*", "--json").lines} == {"backfill"}
    assert len(cli("search", "hezbollah", "--json").lines) == 2
    (twice,) = cli("search", "title:“Bridge 1”", "--json").lines
    assert (twice["revision"], "later day" in twice["body"]) == (2, True)
    assert cli("alerts", "list").err == "No alerts yet.\n"


def test_backfilled_articles_stand_at_the_time_of_their_publication(cli: Cli) -> None:
    times = ["2021-05-01T00:00:00Z", "2023-05-01T00:00:00Z", "2022-05-01T00:00:00Z"]
    lines(cli.folder / "a.jsonl", *({"title": time, "body": TALKS + time, "published": time} for time in times))
    assert cli("backfill", "a.jsonl").code == 0
    assert [line["title"] for line in cli("search", "*", "--json", "--sort", "oldest").lines] == sorted(times)


def test_a_dry_run_counts_and_stores_nothing(cli: Cli) -> None:
    ended = cli("backfill", "--dry-run", archive(cli.folder), "nowhere")
    assert ended.code == 3
    assert ended.err.splitlines()[-2:] == [
        "nowhere: cannot be read: No such file or directory",
        "6 articles, 1 more of the same, 1 problem; nothing was sent (--dry-run)",
    ]
    assert not cli.data.exists()


def test_without_anything_to_bring_in_it_says_what_it_wants(cli: Cli) -> None:
    assert cli("backfill").code == 2
    assert cli("backfill", "").code == 2
    assert not cli.data.exists()


@pytest.mark.parametrize(
    "point",
    ["ingest:published:1", "ingest:published:2", "enrich:published:1", "settle:published:1", "index:handled:1"],
)
def test_a_backfill_that_is_killed_and_called_again_ends_with_every_article_once(cli: Cli, point: str) -> None:
    path = many(cli.folder, 250)
    cli.environment = {"WIREWATCH_FAILPOINT": point}
    with cli.start("backfill", path) as program:
        assert program.process.wait(timeout=60) == -signal.SIGKILL
    cli.environment = {}
    ended = cli("backfill", path)
    assert (ended.code, ended.err.splitlines()[-1]) == (0, "250 articles read, 250 searchable")
    ids = found(cli)
    assert len(ids) == len(set(ids)) == 250
    assert {line["revision"] for line in cli("search", "*", "--json", "--limit", "1000").lines} == {1}
    assert cli("alerts", "list").err == "No alerts yet.\n"


def test_the_same_archive_again_changes_nothing(cli: Cli) -> None:
    folder = archive(cli.folder)
    cli("backfill", folder)
    before = cli("search", "*", "--json", "--sort", "oldest").out
    assert cli("backfill", folder).code == 0
    assert cli("search", "*", "--json", "--sort", "oldest").out == before


def test_what_was_deleted_stays_deleted(cli: Cli) -> None:
    folder = archive(cli.folder)
    cli("backfill", folder)
    (gone, *_) = found(cli)
    cli("delete", gone, "--reason", "asked to")
    ended = cli("backfill", folder)
    assert (ended.code, ended.err.splitlines()[-1]) == (0, "6 articles read, 5 searchable, 1 deleted earlier, kept out")
    assert gone not in found(cli)


def test_a_stopped_backfill_says_so_and_goes_on_when_called_again(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    from pipeline.commands import sending

    publish = sending.publish

    def interrupted(*args: object) -> None:
        publish(*args)
        os.kill(os.getpid(), signal.SIGTERM)

    path = many(cli.folder, 210)
    with monkeypatch.context() as patched:
        patched.setattr(sending, "publish", interrupted)
        ended = cli("backfill", path)
    assert (ended.code, ended.err[:36]) == (130, "stopped: 200 articles had been sent ")
    assert cli("backfill", path).code == 0
    assert len(found(cli)) == 210


def test_progress_is_said_every_few_seconds_with_what_is_waited_for() -> None:
    now, said = [0.0], list[str]()
    progress = Progress(lambda: now[0], said.append)
    for number in range(20):
        progress.say(number * 100, "a.warc")
        progress.say(number * 100, "a.warc", Lag(live=3_000, backfill=1))
        now[0] += PROGRESS_SECONDS / 2
    assert len(said) == 10 - 1
    progress.say(2_000, "a.warc", Lag(live=3_000, backfill=1))
    progress.say(2_000, "a.warc")
    now[0] += PROGRESS_SECONDS
    progress.say(1, "b\x1b.warc", Lag(backfill=5_000))
    assert said[0] == "200 articles read and sent, 40 a second, now a.warc"
    assert said[-2] == (
        "2,000 articles read and sent, 40 a second, now a.warc; the news goes first: 3,000 live records under way"
    )
    assert said[-1] == "1 article read and sent, 0 a second, now b .warc; 5,000 records under way"
