"""Polls the feeds that are due, every minute: `find_due` ─▶ `poll`, mapped over batches ─▶ `report`.

A batch claims its feeds when it starts, so runs, `wirewatch run` and `wirewatch poll` never poll one twice. No feed's
failure fails a task: it is tried again when its back-off or its Retry-After says. A task fails when the state or the
broker does, and the next run, not a retry, goes on. `report` is skipped when nothing was due. Pool: `fetch`.
"""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import dag, task


@dag(schedule=timedelta(minutes=1), catchup=False, max_active_runs=1, doc_md=__doc__, tags=["wirewatch"])
def poll_feeds() -> None:
    @task(retries=0)
    def find_due() -> list[int]:
        from pipeline import scheduled

        with scheduled.open_ports() as ports:
            return scheduled.due_batches(ports)

    @task(retries=0, pool="fetch", execution_timeout=timedelta(minutes=5))
    def poll(feeds: int) -> dict[str, int]:
        from pipeline import scheduled

        with scheduled.open_ports() as ports:
            return scheduled.poll_batch(ports, feeds)

    @task(retries=0)
    def report(batches: list[dict[str, int]]) -> dict[str, int]:
        from pipeline import scheduled

        return scheduled.report(batches)

    report(poll.expand(feeds=find_due()))


poll_feeds()
