"""Log lines: text or JSON, without secrets, what libraries say and what ends a process among them."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from cli_parts import Cli

import pipeline
from pipeline.commands.log_lines import Format, configure_logging
from pipeline.redaction import Redactor

CANARY = 'c4n4ry "quoted" \\ ü'
LEVELS = ("debug", "info", "warning", "error")
SEED = Path(__file__).parent.parent / "data" / "seed-article.txt"


@pytest.fixture
def lines() -> Iterator[list[str]]:
    yield []
    structlog.reset_defaults()
    configure_logging("error", lambda _: None)
    structlog.reset_defaults()


@pytest.mark.parametrize("log_format", ["text", "json"])
@pytest.mark.parametrize("level", LEVELS)
def test_a_secret_is_in_no_line_of_any_level(lines: list[str], level: str, log_format: Format) -> None:
    configure_logging("debug", lines.append, log_format=log_format, redacted=Redactor([CANARY]))
    log = structlog.get_logger("wirewatch")
    getattr(log, level)(f"said {CANARY}", cause=CANARY, url=f"https://me:{CANARY}@x.example/", more=[{"a": CANARY}])
    try:
        raise ValueError(f"https://me:hunter2@x.example/ {CANARY}")
    except ValueError:
        log.exception("failed")
    logging.getLogger("some.library").error("cannot reach %s", f"https://x.example/{CANARY}")
    assert len(lines) == 3
    assert "c4n4ry" not in "".join(lines)
    assert "hunter2" not in "".join(lines)
    assert "ValueError" in lines[1]


def test_json_lines_carry_time_level_event_and_fields(lines: list[str]) -> None:
    configure_logging("info", lines.append, log_format="json")
    log = structlog.get_logger("wirewatch")
    log.debug("not shown")
    log.info("handled", step="index", trace="ab", odd=object(), text="\ud800\n")
    logging.getLogger("some.library").warning("slow")
    logging.getLogger("some.library").info("not shown either")
    first, second = map(json.loads, lines)
    assert (first["level"], first["event"], first["step"], first["trace"]) == ("info", "handled", "index", "ab")
    assert first["timestamp"].endswith("Z")
    assert (second["level"], second["event"], second["logger"]) == ("warning", "slow", "some.library")


def test_every_record_has_one_line_a_step_and_all_of_its_way_one_trace(cli: Cli) -> None:
    cli.environment = {"WIREWATCH_LOG_LEVEL": "info", "WIREWATCH_LOG_FORMAT": "json"}
    ended = cli("ingest", SEED)
    handled = [json.loads(line) for line in ended.err.splitlines() if '"handled"' in line]
    assert [line["step"] for line in handled] == ["enrich", "settle", "index", "alert"]
    assert len({line["trace"] for line in handled}) == 1
    assert len({line["id"] for line in handled}) == 1
    assert {line["status"] for line in handled} == {"published"}


def test_a_deletion_has_a_trace_from_its_beginning(filled: Cli) -> None:
    filled.environment = {"WIREWATCH_LOG_LEVEL": "info", "WIREWATCH_LOG_FORMAT": "json"}
    ended = filled("delete", "https://harbour.example/ferry", "--reason", "asked to")
    handled = [json.loads(line) for line in ended.err.splitlines() if '"handled"' in line]
    assert {line["step"] for line in handled} >= {"settle", "index"}
    assert len({line["trace"] for line in handled}) == 1
    assert {len(line["trace"]) for line in handled} == {32}


def test_what_a_command_says_of_its_failure_is_json_as_well(cli: Cli) -> None:
    cli.environment = {"WIREWATCH_LOG_FORMAT": "json"}
    ended = cli("status")
    (line,) = map(json.loads, ended.err.splitlines())
    assert (ended.code, line["event"]) == (1, "command failed")
    assert "There is no data folder" in line["cause"]


def test_a_traceback_that_ends_the_process_or_a_thread_holds_no_secret(tmp_path: Path) -> None:
    program = """
import threading
from pipeline import cli, wiring
def breaks(*_, **__):
    url = "https://me:c4n4ry@x.example/?token=c4n4ry"
    def inner(): raise RuntimeError(url)
    thread = threading.Thread(target=inner); thread.start(); thread.join()
    raise RuntimeError("key-c4n4ry-of-the-webhook at " + url)
wiring.require_data_folder = breaks
cli.main()
"""
    environment = {"PYTHONPATH": str(Path(pipeline.__file__).parent.parent)}
    environment["WIREWATCH_WEBHOOK_SECRET"] = "key-c4n4ry-of-the-webhook"
    ended = subprocess.run(
        [sys.executable, "-c", program, "search", "x"],
        cwd=tmp_path, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ended.returncode == 1
    assert ended.stderr.count("RuntimeError: ") == 2
    shown = [line for line in ended.stderr.splitlines() if not line.startswith("    ")]
    assert "c4n4ry" not in "\n".join(shown)
    assert "key-c4n4ry" not in ended.stderr
