"""Lets go, every day, of what is past its retention, and makes next month's index ahead, as `wirewatch prune` does.

It may run at any time, beside anything and as often as one likes: a run that comes again finds nothing to do.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.sdk import dag, task


@dag(schedule="@daily", catchup=False, max_active_runs=1, doc_md=__doc__, tags=["wirewatch"])
def prune() -> None:
    @task(retries=3, retry_delay=timedelta(minutes=10))
    def let_go() -> dict[str, Any]:
        from pipeline import scheduled

        with scheduled.open_ports() as ports:
            return scheduled.prune(ports)

    let_go()


prune()
