"""Sends dead letters down the path again, after their cause was mended; started by hand.

Without a `place` all that were not sent again yet; with one, as `wirewatch dead list` prints it, that one alone. What
dies again is a new dead letter. The task fails when some can never be sent again, and names them; the others are sent.
"""

from __future__ import annotations

from typing import Any

from airflow.sdk import Param, dag, task

PLACE = Param(None, type=["null", "string"], title="Place", description="Such as articles.raw.dead/0/17; empty: all.")


@dag(schedule=None, max_active_runs=1, params={"place": PLACE}, doc_md=__doc__, tags=["wirewatch"])
def replay_dead_letters() -> None:
    @task(retries=0)
    def replay(params: dict[str, Any] | None = None) -> int:
        from pipeline import scheduled

        with scheduled.open_ports() as ports:
            return scheduled.replay(ports, (params or {}).get("place"))

    replay()


replay_dead_letters()
