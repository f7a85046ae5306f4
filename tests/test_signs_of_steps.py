"""What the steps' loops say of themselves while they work, hold and stand by; see test_steps.py for what they do."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace
from structlog.testing import capture_logs
from worker_parts import Bench, SettableClock, failing_on, passed_on

from pipeline import steps, wiring
from pipeline.errors import TryLater
from pipeline.settings import load_settings
from pipeline.telemetry import SIGNS, TRACE_HEADER, new_trace, trace_id
from pipeline.wiring import Ports


@pytest.fixture
def ports(tmp_path: Path) -> Iterator[Ports]:
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "rules.yml").write_text("- id: ferry\n  query: ferry\n", "utf-8")
    settings = load_settings(folder=tmp_path, environment={}, config=str(tmp_path / "config"))
    wiring.create_data_folder(settings)
    with wiring.open_ports(settings, clock=SettableClock()) as ports:
        yield ports


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(tmp_path)
    yield bench
    bench.close()


class Watching:
    """A ``wait`` that notes what a step says of itself each time it is asked, and stops it after a while."""

    def __init__(self, step: str, turns: int = 4) -> None:
        self.step, self.turns = step, turns
        self.said: list[str] = []

    def __call__(self, seconds: float) -> bool:
        self.said.append(SIGNS.held().get(self.step) or SIGNS.steps().get(self.step, "nothing"))
        self.turns -= bool(seconds)
        return self.turns <= 0


class Refusing:
    """What it wraps, but every call raises ``TryLater`` as long as ``left`` says."""

    def __init__(self, real: object, left: int) -> None:
        self._real, self.left = real, left

    def __getattr__(self, name: str) -> object:
        found = getattr(self._real, name)

        def call(*given: object, **named: object) -> object:
            if self.left:
                self.left -= 1
                raise TryLater("the state is busy")
            return found(*given, **named)

        return call if callable(found) else found


@pytest.mark.parametrize("step", ["poll", "fetch", "deliver", "housekeeping"])
def test_a_step_that_asks_the_state_holds_until_it_gets_an_answer(ports: Ports, step: str) -> None:
    watching = Watching(step, turns=3)
    steps.STEPS[step](replace(ports, state=Refusing(ports.state, left=1)), watching)
    assert watching.said[:3] == ["works", "the state is busy", "the state is busy"]
    assert watching.said[-1] == "works"
    assert step not in SIGNS.steps()


@pytest.mark.parametrize("step", ["settle", "index"])
def test_a_second_writer_says_that_it_stands_by(ports: Ports, step: str) -> None:
    assert ports.state.acquire_lease(step, "another", 1000, ports.clock())
    watching = Watching(step)
    steps.STEPS[step](ports, watching)
    assert watching.said[0] == "works"
    assert set(watching.said[1:]) == {"stands by"}


@pytest.mark.parametrize("step", ["settle", "index"])
def test_a_writer_that_held_goes_on_with_its_first_turn(ports: Ports, step: str) -> None:
    watching = Watching(step)
    watching.turns = 2
    said = watching.said

    def wait(seconds: float) -> bool:
        return watching(seconds) or len(said) > 8

    steps.STEPS[step](replace(ports, state=Refusing(ports.state, left=1)), wait)
    assert said[1] == "the state is busy"
    assert said[-1] == "works"


def test_a_worker_says_of_each_record_what_became_of_it_and_in_which_trace(bench: Bench) -> None:
    bench.send(b"good", b"bad")
    with capture_logs() as lines:
        bench.worker(failing_on(b"bad")).run(once=True)
    handled = [
        (line["step"], line["id"], line["status"], line["reason"]) for line in lines if line["event"] == "handled"
    ]
    assert handled == [("step", "k", "published", ""), ("step", "k", "dead", "bad")]


def test_what_a_worker_publishes_is_of_the_trace_of_what_it_read(bench: Bench) -> None:
    from pipeline.ports import Message

    headers = new_trace()
    bench.real_broker.publish([Message(topic="articles.raw", key="k", value=b"x", headers=headers)])
    with capture_logs() as lines:
        bench.worker(passed_on).run(once=True)
    (message,) = bench.broker.published
    assert trace_id(message.headers) == trace_id(headers)
    assert message.headers[TRACE_HEADER] != headers[TRACE_HEADER]
    assert [line["trace"] for line in lines if line["event"] == "handled"] == [trace_id(headers)]
