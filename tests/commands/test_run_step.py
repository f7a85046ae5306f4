"""A step's thread within wirewatch run: no end of it but a return goes unseen, and not every fault is the last."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from types import MappingProxyType

import pytest
from cli_parts import Cli

from pipeline import steps, wiring
from pipeline.commands import context, run
from pipeline.errors import WirewatchError
from pipeline.settings import Settings, load_settings


class Panic(BaseException):
    """As pyo3 raises it for a panic in Rust: no Exception."""


class Stop(context.Stop):
    """A stop whose waits move a clock instead."""

    now = 1_000_000.0

    def wait(self, seconds: float | None = None) -> bool:
        self.now += seconds or 0.0
        return self.is_set()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    settings = load_settings(folder=tmp_path, environment={})
    wiring.create_data_folder(settings)
    return settings


def play(monkeypatch: pytest.MonkeyPatch, step: Callable[..., None]) -> None:
    monkeypatch.setattr(steps, "STEPS", MappingProxyType({**steps.STEPS, "index": step}))


@pytest.mark.parametrize("end", [Panic("a bad segment"), SystemExit(0), KeyboardInterrupt()], ids=repr)
def test_a_step_that_ends_by_what_is_no_exception_ends_the_run_with_a_sentence(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, end: BaseException
) -> None:
    config = cli.folder / "config"
    config.mkdir()
    (config / "feeds.opml").write_text("<opml version='2.0'><body/></opml>", "utf-8")
    (config / "rules.yml").write_text("- id: ferry\n  query: ferry\n", "utf-8")
    cli.environment = {"WIREWATCH_CONFIG": str(config)}

    def panics(*_: object) -> None:
        raise end

    play(monkeypatch, panics)
    ended = cli("run", "--seconds", "60")
    assert ended.code == 1
    assert ended.err.splitlines()[-1] == f"wirewatch: index ended: {end!r}. `wirewatch run` goes on where it was."
    assert "step ended" in ended.err


def test_six_faults_in_ten_minutes_end_the_run(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[float] = []
    stop, failures = Stop(), list[WirewatchError]()

    def fails(*_: object) -> None:
        calls.append(stop.now)
        raise ValueError("ours")

    play(monkeypatch, fails)
    run._run_step("index", settings, stop, failures, lambda: stop.now)
    assert [after - before for before, after in pairwise(calls)] == [1, 2, 4, 8, 16]
    assert stop.is_set()
    assert [str(failure) for failure in failures] == [
        "index failed 6 times in 10 minutes; the last time: ValueError('ours')"
    ]


def test_a_fault_now_and_then_never_ends_the_run(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = 0
    stop, failures = Stop(), list[WirewatchError]()

    def fails_every_three_minutes(*_: object) -> None:
        nonlocal calls
        calls += 1
        stop.now += 180
        if calls == 50:
            stop.set()
            return
        raise ValueError("ours")

    play(monkeypatch, fails_every_three_minutes)
    run._run_step("index", settings, stop, failures, lambda: stop.now)
    assert (calls, failures) == (50, [])


def test_an_alert_worker_whose_delivery_ends_by_what_is_no_named_error_fails(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = cli.folder / "config"
    config.mkdir()
    (config / "feeds.opml").write_text("<opml version='2.0'><body/></opml>", "utf-8")
    (config / "rules.yml").write_text("- id: ferry\n  query: ferry\n", "utf-8")
    cli.environment = {"WIREWATCH_CONFIG": str(config)}
    assert cli("setup").code == 0

    def panics(*_: object) -> None:
        raise RuntimeError("ours")

    monkeypatch.setattr(steps, "run_deliver", panics)
    ended = cli("alert")
    assert ended.code == 1
    assert "deliver ended: RuntimeError('ours')" in ended.err
