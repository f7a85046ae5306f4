"""wirewatch watch, and what running steps serve when they are asked to."""

from __future__ import annotations

import json
import re
import signal
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from cli_parts import Cli, Program
from stub_server import Answer, StubServer

from pipeline import topics
from pipeline.adapters.sqlite_broker import SqliteBroker
from pipeline.ports import Message
from pipeline.wiring import utc_now


@pytest.fixture
def quiet(cli: Cli) -> Cli:
    config = cli.folder / "config"
    config.mkdir()
    (config / "feeds.opml").write_text("<opml version='2.0'><body/></opml>", "utf-8")
    (config / "rules.yml").write_text("- id: ferry\n  query: title:ferry\n", "utf-8")
    cli.environment = {"WIREWATCH_CONFIG": str(config), "WIREWATCH_WATCH_DISK_PERCENT": "100"}
    return cli


def asked(program: Program, path: str) -> tuple[int, str]:
    """Ask a program that says where it serves."""
    program.wait_for("/readyz")
    found = re.search(r"metrics='127\.0\.0\.1:(\d+)'", program.err)
    assert found
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{found[1]}{path}", timeout=30) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def asked_until(program: Program, path: str, text: str) -> tuple[int, str]:
    """Ask until the answer holds ``text``; the deadline is the test run's."""
    while program.process.poll() is None:
        status, body = asked(program, path)
        if text in body:
            return status, body
    raise AssertionError(program.err)


def test_one_look_at_what_is_well_prints_nothing(filled: Cli) -> None:
    filled.environment = {"WIREWATCH_WATCH_DISK_PERCENT": "100"}
    ended = filled("watch", "--once")
    assert (ended.code, ended.out) == (0, "")
    assert ended.err == "All is well, as far as one look can tell.\n"


def test_one_look_prints_what_is_not_well_and_ends_with_1(filled: Cli) -> None:
    old = SqliteBroker(filled.data / "broker.db", clock=lambda: utc_now().replace(year=2024))
    old.publish([Message(topic=topics.ready("live"), key="k", value=b"{}")])
    old.close()
    filled.environment = {"WIREWATCH_WATCH_DISK_PERCENT": "100"}
    ended = filled("watch", "--once", "--json")
    assert [(line["kind"], line["subject"]) for line in ended.lines] == [
        ("step behind", "index"),
        ("step behind", "alert"),
    ]
    assert (ended.code, ended.err) == (1, "wirewatch: 2 problems found.\n")


def test_a_mistyped_folder_is_not_watched(cli: Cli) -> None:
    ended = cli("watch", "--once")
    assert (ended.code, "There is no data folder" in ended.err) == (1, True)
    assert not cli.data.exists()


def test_a_lasting_watch_prints_no_json(filled: Cli) -> None:
    assert filled("watch", "--json").code == 2


@pytest.mark.parametrize("step", ["poll", "fetch", "enrich", "settle", "index", "alert"])
def test_every_worker_serves_its_own_state_of_health(filled: Cli, step: str) -> None:
    filled.environment = {"WIREWATCH_METRICS": "0", "WIREWATCH_LOG_LEVEL": "info"}
    with filled.start(step) as worker:
        assert asked_until(worker, "/readyz", f"{step}: works")[0] == 200
        assert asked(worker, "/healthz") == (200, "ok\n")
        topic = {"enrich": "articles.raw", "settle": "articles.enriched"}.get(step, "articles.ready")
        lag = f'wirewatch_lag_records{{step="{step}",topic="{topic}"}} 0.0'
        asked_until(worker, "/metrics", 'wirewatch_feeds{status="due"} 0.0' if step in {"poll", "fetch"} else lag)
        assert worker.interrupt(signal.SIGTERM) == 0
    assert "Traceback" not in worker.err


def test_a_second_writer_is_ready_as_well_because_it_stands_by(filled: Cli) -> None:
    filled.environment = {"WIREWATCH_METRICS": "0", "WIREWATCH_LOG_LEVEL": "info"}
    with filled.start("settle") as first:
        asked_until(first, "/readyz", "settle: works")
        with filled.start("settle") as second:
            assert asked_until(second, "/readyz", "settle: stands by")[0] == 200
            assert first.interrupt() == 0
            asked_until(second, "/readyz", "settle: works")
            assert second.interrupt() == 0


def test_a_taken_address_keeps_a_worker_from_starting(filled: Cli) -> None:
    with StubServer() as server:
        filled.environment = {"WIREWATCH_METRICS": str(server.port)}
        ended = filled("enrich")
    assert (ended.code, "Address already in use. Set WIREWATCH_METRICS" in ended.err) == (2, True)


def test_what_drains_and_exits_serves_nothing(filled: Cli) -> None:
    with StubServer() as server:
        filled.environment = {"WIREWATCH_METRICS": str(server.port)}
        assert filled("enrich", "--once").code == 0


def test_a_run_watches_itself_and_tells_a_webhook_when_something_is_wrong(quiet: Cli) -> None:
    with StubServer() as server:
        server.on("*", Answer(status=204))
        quiet.environment |= {
            "WIREWATCH_METRICS": "0", "WIREWATCH_LOG_LEVEL": "info", "WIREWATCH_ALLOW_ADDRESSES": server.address,
            "WIREWATCH_WEBHOOK_URL": server.url("/hook"), "WIREWATCH_WATCH_CHANNELS": "webhook",
            "WIREWATCH_WEBHOOK_SECRET": "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz",
            "WIREWATCH_WATCH_DISK_PERCENT": "0.001", "WIREWATCH_HEARTBEAT_URL": server.url("/beat"),
        }  # fmt: skip
        with quiet.start("run") as run:
            server.wait_for_requests(1, deadline_seconds=60)
            asked_until(run, "/metrics", "wirewatch_disk_used_ratio")
            asked_until(run, "/readyz", "watch: works")
            assert run.interrupt() == 0
        assert [request.path for request in server.requests] == ["/hook"]
    assert json.loads(server.requests[0].body)["data"]["kind"] == "disk filling"
    assert "Traceback" not in run.err


def test_a_watch_of_its_own_beats_while_all_is_well(filled: Cli) -> None:
    with StubServer() as server:
        filled.environment = {
            "WIREWATCH_ALLOW_ADDRESSES": server.address, "WIREWATCH_HEARTBEAT_URL": server.url("/beat"),
            "WIREWATCH_WATCH_DISK_PERCENT": "100", "WIREWATCH_METRICS": "0", "WIREWATCH_LOG_LEVEL": "info",
        }  # fmt: skip
        with filled.start("watch") as watch:
            server.wait_for_requests(1, deadline_seconds=60)
            assert asked(watch, "/readyz") == (200, "watch: works\n")
            assert watch.interrupt(signal.SIGTERM) == 0
    assert server.requests[0].path == "/beat"


def test_a_run_that_ends_by_itself_says_so_in_its_last_notice(quiet: Cli) -> None:
    quiet.environment["WIREWATCH_STAGES"] = "claen"
    ended = quiet("run")
    assert ended.code == 2
    assert "problem='run ended'" in ended.err
    assert Path(quiet.data).exists()
