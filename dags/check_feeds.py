"""Reports, every day, how the feeds are: which fail, are gone, moved, empty or silent and why, and what polls missed.

The report is the task's result and lines of its log, one for each feed that somebody should look at. A feed that is
unwell fails no task; what the polls do about it (back off, follow a move, stop at 410) they do by themselves.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.sdk import dag, task


@dag(schedule="@daily", catchup=False, max_active_runs=1, doc_md=__doc__, tags=["wirewatch"])
def check_feeds() -> None:
    @task(retries=3, retry_delay=timedelta(minutes=10))
    def report() -> dict[str, Any]:
        from pipeline import scheduled

        with scheduled.open_ports() as ports:
            return scheduled.check_feeds(ports)

    report()


check_feeds()
