"""The command line as a whole: what it offers, how fast, and how every command ends."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest
import typer
from cli_parts import Program, said

import pipeline
from pipeline import cli
from pipeline.commands import articles
from pipeline.commands.context import safe, stop_on_signals
from pipeline.errors import BreakerTripped, DeadLettersUnavailable, TryLater, UsageError, WirewatchError

HEAVY = ("aiohttp", "alembic", "feedparser", "lxml", "numpy", "py3langid", "sqlalchemy", "tantivy", "trafilatura")


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_help_lists_every_command_with_what_it_does() -> None:
    text = said("--help").out
    for name in cli.COMMANDS:
        assert f" {name} " in text
    assert "Exit codes: 0 ok, 1 failed, 2 usage, 3 partly done" in " ".join(text.split())
    assert "6 not set up, 130 interrupted." in " ".join(text.split())


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_the_list_says_of_a_command_what_its_own_help_says(name: str) -> None:
    module, text = cli.COMMANDS[name]
    group = typer.main.get_group(import_module(f"pipeline.commands.{module}").app)
    command = group.commands.get(name, group)
    assert (command.help or "").split("\n")[0] == text
    assert said(name, "--help").code == 0


def test_every_command_there_is_can_be_called() -> None:
    folder = Path(articles.__file__).parent
    modules = {path.stem for path in folder.glob("*.py") if "\napp = typer.Typer(" in path.read_text("utf-8")}
    assert modules == {module for module, _ in cli.COMMANDS.values()}
    for module in modules:
        group = typer.main.get_group(import_module(f"pipeline.commands.{module}").app)
        assert set(group.commands) <= set(cli.COMMANDS) or module in cli.COMMANDS


@pytest.mark.parametrize("words", [["--help"], ["--version"], []])
def test_what_needs_no_data_waits_for_no_parser_database_or_index(words: list[str]) -> None:
    program = (
        "import sys, json; from pipeline import cli\n"
        "try: cli.main(json.loads(sys.argv[1]))\n"
        "except SystemExit: pass\n"
        "sys.stderr.write(json.dumps(sorted({name.partition('.')[0] for name in sys.modules})))"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(pipeline.__file__).parent.parent)}
    ended = subprocess.run(
        [sys.executable, "-c", program, json.dumps(words)], capture_output=True, text=True, check=True, env=environment
    )
    assert not {*HEAVY, "pydantic", "structlog"} & set(json.loads(ended.stderr))


@pytest.mark.parametrize(
    "words",
    [["--nope"], ["nope"], ["search"], ["search", "x", "--limit", "0"], ["delete", "x"], ["run", "--seconds", "x"]],
)
def test_a_mistyped_command_line_is_a_usage_error(words: list[str]) -> None:
    ended = said(*words)
    assert (ended.code, ended.out) == (2, "")
    assert "Usage:" in ended.err


def test_a_mistyped_command_is_told_the_nearest() -> None:
    assert "Did you mean 'search'" in said("serch", "x").err


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (WirewatchError("It failed."), 1),
        (UsageError("You erred."), 2),
        (DeadLettersUnavailable("No dead letters."), 4),
        (BreakerTripped("Too many."), 5),
        (TryLater("the state is locked"), 1),
    ],
)
def test_a_named_error_is_one_sentence_and_its_exit_code(
    error: Exception, code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    said("--data", tmp_path, "setup")
    monkeypatch.setattr(articles, "search_articles", fail)
    ended = said("--data", tmp_path, "search", "x")
    assert (ended.code, ended.out) == (code, "")
    assert ended.err.startswith(f"wirewatch: {error}")
    assert ended.err.count("\n") == 1


def test_our_own_bug_is_not_dressed_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said("--data", tmp_path, "setup")
    monkeypatch.setattr(articles, "search_articles", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        said("--data", tmp_path, "search", "x")


def test_an_interrupted_command_says_nothing_and_ends_as_shells_expect(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said("--data", tmp_path, "setup")
    monkeypatch.setattr(articles, "search_articles", lambda *_: os.kill(os.getpid(), signal.SIGINT))
    ended = said("--data", tmp_path, "search", "x")
    assert (ended.code, ended.out, ended.err) == (130, "", "")


def test_the_first_ctrl_c_asks_to_stop_and_the_second_interrupts() -> None:
    def twice() -> None:
        os.kill(os.getpid(), signal.SIGINT)
        assert stop.wait(60)
        os.kill(os.getpid(), signal.SIGINT)

    before = signal.getsignal(signal.SIGINT)
    with stop_on_signals() as stop:
        assert not stop.is_set()
        with pytest.raises(KeyboardInterrupt):
            twice()
    assert signal.getsignal(signal.SIGINT) is before


def test_a_signal_that_comes_while_the_main_thread_waits_does_not_hang_it() -> None:
    program = """
import os, signal
from pipeline.commands.context import stop_on_signals
with stop_on_signals() as stop:
    with stop._woken._cond:  # as in the midst of stop.wait()
        os.kill(os.getpid(), signal.SIGTERM)
    print(stop.wait(60))
"""
    environment = {**os.environ, "PYTHONPATH": str(Path(pipeline.__file__).parent.parent)}
    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, env=environment, timeout=90
    )
    assert (ended.stdout, ended.stderr) == ("True\n", "")


def test_a_reader_that_leaves_early_is_no_error_to_speak_of(tmp_path: Path) -> None:
    read, write = os.pipe()
    os.close(read)
    (tmp_path / "data").mkdir()
    program = "import sys; from pipeline import cli; cli.main(['rules', 'list', '--json'])"
    environment = {**os.environ, "PYTHONPATH": str(Path(pipeline.__file__).parent.parent)}
    ended = subprocess.run(
        [sys.executable, "-c", program], stdout=write, stderr=subprocess.PIPE, text=True, check=False, env=environment
    )
    os.close(write)
    assert (ended.returncode, ended.stderr) == (1, "")


def test_hostile_text_cannot_steer_a_terminal() -> None:
    assert safe("a\x1b[2Jb\x9bc\u202edef") == "a [2Jb c def"
    assert safe("می\u200cخواهم\n") == "می\u200cخواهم\n"
    assert safe("a\ud800b") == "a b"


def test_the_module_is_the_program(tmp_path: Path) -> None:
    with Program("--data", "nowhere", "status", folder=tmp_path) as program:
        assert program.process.wait(timeout=60) == 1
    assert program.err.startswith(f"wirewatch: There is no data folder at {tmp_path / 'nowhere'}.")
    assert not (tmp_path / "nowhere").exists()
