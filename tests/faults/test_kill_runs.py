"""Processes die by SIGKILL at every line between read and commit, and whatever was served is there in the end, once."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from faults.kill.parts import Parts
from faults.kill.processes import Zygote
from faults.kill.run import Report, kill_run

CLUSTER_POINTS = (
    *("poll:published", "poll:saved", "fetch:published"),
    *(f"{step}:{at}" for step in ("enrich", "index", "alert") for at in ("handled", "booked")),
    "settle:handled",
)
"""Where the work was done and the offset not yet committed."""

Show = Callable[[Report, int], None]


@pytest.fixture
def judged(record_property: Callable[[str, object], None], tmp_path: Path) -> Show:
    """Show a run's hits and ledger (``pytest -rP``, and report.txt in the test's folder), and demand that it holds."""

    def judge(report: Report, kills: int) -> None:
        text = "\n".join(report.lines())
        sys.stdout.write(text)
        (tmp_path / "report.txt").write_text(text, "utf-8")
        record_property("kill run", text)
        assert report.problems() == [], text
        assert report.kills >= kills

    return judge


# Two classes, so that pytest-xdist gives them to two processes.
class TestOneProcess:
    def test_survives_sixty_kills_and_loses_nothing(self, tmp_path: Path, zygote: Zygote, judged: Show) -> None:
        judged(kill_run(tmp_path, zygote, kills=60, seed=20260301), 60)


class TestSeveralProcesses:
    def test_share_one_data_folder_and_lose_nothing_when_forty_of_them_are_killed(
        self, tmp_path: Path, zygote: Zygote, judged: Show
    ) -> None:
        report = kill_run(tmp_path, zygote, kills=40, seed=20260302, several=True)
        judged(report, 40)
        assert report.several >= 10, "hardly any kill met a second process"


@pytest.mark.soak
@pytest.mark.parametrize("several", [False, True], ids=["one process", "several processes"])
def test_five_hundred_kills_lose_nothing(tmp_path: Path, zygote: Zygote, judged: Show, several: bool) -> None:
    judged(kill_run(tmp_path, zygote, kills=500, seed=20260303 + several, several=several), 500)


@pytest.mark.parametrize("parts", ["cluster"], indirect=True)
class TestCluster:
    """Kafka, Elasticsearch and PostgreSQL under the same steps, the same deaths and the same oracle."""

    def test_ten_kills_and_two_from_outside_lose_nothing(
        self, tmp_path: Path, zygote: Zygote, judged: Show, parts: Parts
    ) -> None:
        judged(kill_run(tmp_path, zygote, kills=12, seed=20260305, parts=parts, points=CLUSTER_POINTS), 12)

    @pytest.mark.soak
    def test_fifty_kills_lose_nothing(self, tmp_path: Path, zygote: Zygote, judged: Show, parts: Parts) -> None:
        judged(kill_run(tmp_path, zygote, kills=50, seed=20260306, parts=parts), 50)

    @pytest.mark.soak
    def test_fifty_kills_among_other_processes_lose_nothing(
        self, tmp_path: Path, zygote: Zygote, judged: Show, parts: Parts
    ) -> None:
        judged(kill_run(tmp_path, zygote, kills=50, seed=20260307, parts=parts, several=True), 50)
