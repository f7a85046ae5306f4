"""The metrics' names and labels, the signs of life, and the trace that goes with a record."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from pathlib import Path
from typing import get_args

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import REGISTRY

from pipeline import telemetry
from pipeline.errors import RequestFailed, RequestRefused
from pipeline.notice import Kind
from pipeline.ports import Response
from pipeline.settings import NAMES
from pipeline.telemetry import ALL, SIGNS, TRACE_HEADER, MetricName, Signs, new_trace, passed_on, trace_id

PAGE = Path(__file__).parent.parent / "docs" / "watching.md"
LABELS = {
    "step", "outcome", "reason", "stage", "topic", "purpose", "answer", "status", "queue", "kind", "subject",
}  # fmt: skip


def names() -> list[str]:
    """Return the names of all metrics as a scrape shows them."""
    return [metric._name + ("_total" if metric._type == "counter" else "") for metric in ALL]


def test_every_metric_is_in_the_typed_list_and_the_list_names_no_other() -> None:
    assert names() == list(get_args(MetricName))


def test_no_label_can_be_an_address_or_an_id() -> None:
    assert {label for metric in ALL for label in metric._labelnames} == LABELS


# --- signs of life


class Signalling:
    def __init__(self) -> None:
        self.now = 100.0
        self.signs = Signs(lambda: self.now)


@pytest.fixture
def life() -> Signalling:
    return Signalling()


def test_a_step_is_silent_from_when_it_meant_to_be_back(life: Signalling) -> None:
    life.signs.beat("poll", 60)
    life.now += 70
    assert life.signs.silent(10) == {}
    assert life.signs.silent(9) == {"poll": 10}


def test_a_step_that_holds_goes_on_when_it_has_done_something(life: Signalling) -> None:
    life.signs.hold("index", "disk full")
    assert (life.signs.held(), life.signs.steps()) == ({"index": "disk full"}, {"index": "holds"})
    assert REGISTRY.get_sample_value("wirewatch_held", {"step": "index"}) == 1
    life.signs.go_on("index")
    assert (life.signs.held(), life.signs.steps()) == ({}, {"index": "works"})
    assert REGISTRY.get_sample_value("wirewatch_held", {"step": "index"}) == 0


def test_who_stands_by_does_not_hold_and_works_once_it_has_taken_over(life: Signalling) -> None:
    life.signs.hold("settle", "state busy")
    life.signs.stand_by("settle")
    assert (life.signs.held(), life.signs.steps()) == ({}, {"settle": "stands by"})
    life.signs.go_on("settle")
    assert life.signs.steps() == {"settle": "works"}


def test_going_on_is_no_sign_of_a_step_that_never_began(life: Signalling) -> None:
    life.signs.go_on("index")
    assert life.signs.steps() == {}


def test_every_wait_of_a_loop_is_a_sign_of_life_and_its_end_is_no_silence() -> None:
    seen: list[object] = []

    @telemetry.giving_signs("a step")
    def run(ports: str, wait: Callable[[float], bool], *, once: bool = False) -> str:
        seen.append(wait(5))
        seen.append(SIGNS.steps()["a step"])
        return f"{ports} {once}"

    assert run("ports", lambda seconds: seconds == 5, once=True) == "ports True"
    assert seen == [True, "works"]
    assert "a step" not in SIGNS.steps()


def test_a_loop_that_breaks_is_missed_until_it_is_started_again() -> None:
    @telemetry.giving_signs("a breaking step")
    def run(_: None, wait: Callable[[float], bool]) -> None:
        wait(0)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run(None, lambda _: False)
    assert "a breaking step" in SIGNS.steps()
    SIGNS.forget("a breaking step")


# --- traces


def test_what_is_made_of_a_record_has_its_trace_and_a_span_of_its_own() -> None:
    first = new_trace()
    second = passed_on(first)
    assert trace_id(first) == trace_id(second) != ""
    assert first != second


@given(st.text() | st.from_regex(r"00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}"))
def test_nonsense_in_the_header_begins_a_new_trace(text: str) -> None:
    found = trace_id({TRACE_HEADER: text})
    assert found == "" or (len(found) == 32 and found in text)
    assert len(trace_id(passed_on({TRACE_HEADER: text}))) == 32


# --- requests


@pytest.mark.parametrize(
    ("outcome", "kind"),
    [(200, "2xx"), (304, "3xx"), (404, "4xx"), (599, "5xx"), (700, "other"), (RequestRefused("no"), "refused"),
     (RequestFailed("no"), "failed")],
)  # fmt: skip
def test_a_request_is_counted_by_the_class_of_its_answer(outcome: int | Exception, kind: str) -> None:
    async def request() -> Response:
        if isinstance(outcome, Exception):
            raise outcome
        return Response(status=outcome, url="", headers={}, body=b"")

    def count() -> float:
        return REGISTRY.get_sample_value("wirewatch_requests_total", {"purpose": "page", "answer": kind}) or 0.0

    before = count()
    if isinstance(outcome, Exception):
        with pytest.raises(type(outcome)):
            asyncio.run(telemetry.counted("page", request()))
    else:
        assert asyncio.run(telemetry.counted("page", request())).status == outcome
    assert count() == before + 1


# --- the page


def test_the_page_lists_every_metric_with_its_labels_and_names_no_other() -> None:
    page = PAGE.read_text("utf-8")
    rows = [line for line in page.splitlines() if line.startswith("| `wirewatch_")]
    assert rows == [
        f"| `{name}` | {metric._type} | {', '.join(f'`{label}`' for label in metric._labelnames) or '-'} "
        f"| {metric._documentation} |"
        for name, metric in zip(names(), ALL, strict=True)
    ]
    used = set(re.findall(r"\bwirewatch_\w+", page))
    assert used - {"wirewatch_record_age_seconds_bucket"} == set(names())


def test_the_page_names_every_notice_and_every_setting_there_is_for_it() -> None:
    page = PAGE.read_text("utf-8")
    assert [kind for kind in get_args(Kind) if f"| `{kind}` |" not in page] == []
    wanted = [name for name in NAMES if name.startswith(("watch_", "health_", "heartbeat_seconds"))]
    assert [name for name in wanted if f"`{name}`" not in page] == []


def test_what_the_page_gives_prometheus_is_yaml() -> None:
    blocks = re.findall(r"```yaml\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    scrape, rules = map(yaml.safe_load, blocks)
    assert scrape["scrape_configs"][0]["job_name"] == "wirewatch"
    assert all({"alert", "expr"} <= rule.keys() for rule in rules["groups"][0]["rules"])
