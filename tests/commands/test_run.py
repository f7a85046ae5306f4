"""wirewatch run and demo, in processes of their own: what they print, how they stop, and how they go on."""

from __future__ import annotations

import shlex
import signal
from pathlib import Path

import pytest
from cli_parts import Cli, said
from journey_parts import Item, _conditional, rss
from stub_server import Answer, StubServer

SEED = Path(__file__).parent.parent / "data" / "seed-article.txt"
FERRY = Item(
    link="http://harbour.example/ferry", title="Ferry aground",
    text="The ferry Northern Star ran aground off the breakwater on Monday morning, the harbour office said.",
)  # fmt: skip


@pytest.fixture
def quiet(cli: Cli) -> Cli:
    """A command line without any shipped feed: nothing here asks the world."""
    config = cli.folder / "config"
    config.mkdir()
    (config / "feeds.opml").write_text("<opml version='2.0'><body/></opml>", "utf-8")
    (config / "rules.yml").write_text("- id: ferry\n  query: title:ferry\n", "utf-8")
    cli.environment = {"WIREWATCH_CONFIG": str(config)}
    return cli


def test_a_run_stops_cleanly_and_started_again_goes_on_where_it_was(quiet: Cli) -> None:
    with StubServer() as server:
        quiet.environment["WIREWATCH_ALLOW_ADDRESSES"] = server.address
        server.on("/feed", _conditional(rss([])))
        quiet("feeds", "add", server.url("/feed"), "--interval", "10")
        assert quiet("poll", "--once").code == 0  # what a feed shows at its first poll is no news
        server.on("/feed", _conditional(rss([FERRY])))
        with quiet.start("run") as first:
            first.wait_for("article   harbour.example  [en]  Ferry aground")
            first.wait_for("ALERT     ferry: Ferry aground")
            assert first.interrupt(signal.SIGTERM) == 0
        assert first.err.splitlines()[-1].startswith("stopped after ")
        assert first.err.splitlines()[-1].endswith(": 1 article, 0 updated, 1 alert")
        assert "Traceback" not in first.err

        with quiet.start("run") as second:
            server.wait_for_requests(3, deadline_seconds=60)
            second.wait_for("totals")
            assert second.interrupt(signal.SIGINT) == 0
        assert server.requests[2].headers["if-none-match"]
        assert second.err.splitlines()[-1].endswith(": 0 articles, 0 updated, 0 alerts")
    assert len(quiet("search", "*", "--json").lines) == 1
    assert len(quiet("alerts", "list", "--json").lines) == 1


def test_ingest_works_beside_a_run_and_a_hanging_feed_does_not_keep_that_from_stopping(quiet: Cli) -> None:
    with StubServer() as server:
        quiet.environment["WIREWATCH_ALLOW_ADDRESSES"] = server.address
        server.on("/feed", Answer(hang=True))
        quiet("feeds", "add", server.url("/feed"))
        with quiet.start("run") as run:
            server.wait_for_requests(1, deadline_seconds=60)
            run.wait_for("totals")
            ended = quiet("ingest", SEED)
            assert (ended.code, ended.err.splitlines()[-1]) == (0, "1 article read, 1 searchable")
            assert len(quiet("search", "qaani", "--json").lines) == 1
            busy = quiet("index", "--rebuild")
            assert (busy.code, "index is being done by" in busy.err) == (1, True)
            run.wait_for("qaani")
            assert run.interrupt() == 0
        assert "Traceback" not in run.err
        assert "did not stop in time" not in run.err


def test_the_demo_shows_articles_and_names_a_search_that_finds_some(cli: Cli) -> None:
    with cli.start("demo") as demo:
        demo.wait_for("ALERT     Earthquakes: ")
        second = cli("demo", "--seconds", "0")
        assert (second.code, "Another demo runs in" in second.err) == (2, True)
        assert demo.interrupt() == 0
    assert "Traceback" not in demo.err
    hint = shlex.split(demo.err.splitlines()[-1])
    words = hint[hint.index("--data") :]
    assert words[-2:] == ["search", "earthquake"]
    assert said(*words, "--json").lines
    assert {path.name for path in cli.data.iterdir()} == {"demo"}


def test_the_demo_leaves_a_folder_that_is_not_its_own_alone(cli: Cli) -> None:
    (cli.data / "demo").mkdir(parents=True)
    (cli.data / "demo" / "mine").write_text("mine", "utf-8")
    ended = cli("demo", "--seconds", "0")
    assert (ended.code, "is not a demo's folder, so it is left alone" in ended.err) == (2, True)
    assert (cli.data / "demo" / "mine").read_text("utf-8") == "mine"


@pytest.mark.parametrize(
    ("name", "value", "part"),
    [("STAGES", "claen", "there is no stage “claen”"), ("ALLOW_ADDRESSES", "not an address", "allow_addresses: ")],
)
def test_a_named_error_in_one_step_ends_the_run_with_its_message_and_code(
    quiet: Cli, name: str, value: str, part: str
) -> None:
    quiet.environment[f"WIREWATCH_{name}"] = value
    ended = quiet("run")
    assert ended.code == 2
    assert part in ended.err.splitlines()[-1]
    assert "Traceback" not in ended.err


def test_bad_rules_end_a_run_before_it_begins_to_matter(quiet: Cli) -> None:
    (quiet.folder / "config" / "rules.yml").write_text("- id: ferry\n", "utf-8")
    ended = quiet("run")
    assert (ended.code, "rules.yml:1: rule ferry: has no query" in ended.err) == (2, True)


def test_the_shipped_feeds_are_added_once_and_a_bad_list_is_reported(quiet: Cli) -> None:
    path = quiet.folder / "config" / "feeds.opml"
    path.write_text(
        '<opml version="2.0"><body><outline text="a" xmlUrl="http://127.0.0.1:1/a"/>'
        '<outline text="b" xmlUrl="file:///b"/></body></opml>', "utf-8",
    )  # fmt: skip
    first = quiet("run", "--seconds", "0")
    assert f"{path}: line 1: “file:///b” is not an http(s) address" in first.err
    assert f"1 feed imported from {path}" in first.err
    assert "imported" not in quiet("run", "--seconds", "0").err


def test_without_feeds_a_run_says_how_to_add_one(quiet: Cli) -> None:
    assert "No feeds yet: add one with `wirewatch feeds add URL`." in quiet("run", "--seconds", "0").err
