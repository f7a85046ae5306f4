"""Fail-points do nothing unless asked, and then kill at the named line and count."""

from __future__ import annotations

import os
import signal

import pytest

from pipeline.errors import UsageError
from pipeline.failpoint import fail_point_from


@pytest.fixture
def kills(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    sent: list[int] = []
    monkeypatch.setattr(os, "kill", lambda pid, number: sent.append(number))
    monkeypatch.setattr(os, "write", lambda *_: None)
    return sent


def test_without_the_variable_nothing_happens(kills: list[int]) -> None:
    reach = fail_point_from({})
    for _ in range(100):
        reach("settle:published")
    assert kills == []


def test_kills_the_third_time_the_point_is_reached(kills: list[int]) -> None:
    reach = fail_point_from({"WIREWATCH_FAILPOINT": "settle:published:3"})
    for point in ("settle:published", "settle:marked", "settle:published"):
        reach(point)
    assert kills == []
    reach("settle:published")
    assert kills == [signal.SIGKILL]


def test_a_star_counts_every_point(kills: list[int]) -> None:
    reach = fail_point_from({"WIREWATCH_FAILPOINT": "*:2"})
    reach("a")
    reach("b")
    assert kills == [signal.SIGKILL]


@pytest.mark.parametrize("text", ["settle", ":3", "settle:x"])
def test_a_wrong_value_is_a_usage_error(text: str) -> None:
    with pytest.raises(UsageError, match="WIREWATCH_FAILPOINT"):
        fail_point_from({"WIREWATCH_FAILPOINT": text})
