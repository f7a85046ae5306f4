"""Imports the DAGs of a folder as Airflow does, with no network and no database, and prints what became of them."""

import json
import sys
import time

from airflow.dag_processing.dagbag import DagBag
from airflow.sdk import Param, dag, task

REFUSED = ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "sqlite3.connect")


def refuse(event: str, arguments: tuple[object, ...]) -> None:
    if event in REFUSED:
        raise RuntimeError(f"{event} while a DAG is imported")


loaded = [Param, dag, task]  # Airflow loads its parts when they are first used; that is not a DAG's time
seconds = {}
found = {}
sys.addaudithook(refuse)
for file in sys.argv[1:]:
    start = time.process_time()
    bag = DagBag(file)
    seconds[file] = time.process_time() - start
    found[file] = {
        "errors": list(bag.import_errors.values()),
        "dags": {
            name: {
                "doc": it.doc_md, "catchup": it.catchup, "max_active_runs": it.max_active_runs,
                "schedule": it.timetable.__class__.__name__,
                "pools": {each.task_id: each.pool for each in it.tasks},
            }
            for name, it in bag.dags.items()
        },
    }  # fmt: skip
modules = sorted({name.partition(".")[0] for name in sys.modules})
json.dump({"found": found, "seconds": seconds, "modules": modules}, sys.stdout)
