"""Airflow as its users run it, in processes of its own: one run of a DAG, or everything under `make airflow`."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar
from urllib.request import Request, urlopen

import pytest
from services.servers import free_ports

from pipeline.settings import NAMES, Settings

T = TypeVar("T")

ROOT = Path(__file__).resolve().parent.parent
DAGS = ROOT / "dags"
PROGRAMS = ROOT / ".venv-airflow" / "bin"
PATIENCE_SECONDS = 120.0
STOP_SECONDS = 20.0
NOT_FOR_AIRFLOW = ("WIREWATCH_", "AIRFLOW", "MAKE", "MFLAGS", "PYTHON", "VIRTUAL_ENV", "PYTEST", "COV_")


def require_airflow() -> None:
    """Skip where there is no Airflow, and fail where everything must be tested."""
    if (PROGRAMS / "airflow").exists():
        return
    missing = "Airflow is not installed beside Wirewatch: make airflow-install"
    if os.environ.get("CI") == "true":
        pytest.fail(missing)
    pytest.skip(missing)


def environment_of(settings: Settings) -> dict[str, str]:
    """Return the variables that make another process have these settings, whatever its folder."""
    values = {name: getattr(settings, name) for name in NAMES}
    values |= {"data": settings.data_folder, "webhook_secret": settings.webhook_secret.get_secret_value()}
    values |= {"index_api_key": settings.index_api_key.get_secret_value()}
    return {
        f"WIREWATCH_{name.upper()}": ",".join(map(str, value)) if isinstance(value, tuple) else str(value)
        for name, value in values.items()
    }


class Airflow:
    """An Airflow in a folder of its own, over the settings of one Wirewatch."""

    def __init__(self, home: Path, settings: Settings, dags: Path = DAGS) -> None:
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(NOT_FOR_AIRFLOW)}
        self.home = home
        self.environment = {
            **inherited, **environment_of(settings), "PATH": f"{PROGRAMS}{os.pathsep}{os.environ['PATH']}",
            "AIRFLOW_HOME": str(home), "AIRFLOW__CORE__DAGS_FOLDER": str(dags), "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        }  # fmt: skip

    def __call__(self, *words: str) -> str:
        """Run one command of Airflow's to its end and return what it said; it must succeed."""
        ended = self.tried(*words)
        assert ended.returncode == 0, ended.stdout
        return ended.stdout

    def tried(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run one command of Airflow's to its end, however that is; stderr comes with stdout."""
        return subprocess.run(
            ["airflow", *words], cwd=self.home, env=self.environment, text=True, check=False,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=PATIENCE_SECONDS,
        )  # fmt: skip


def prepare(home: Path, settings: Settings) -> None:
    """Make what a DAG needs in Airflow: its database, and the pool."""
    airflow = Airflow(home, settings)
    airflow("db", "migrate")
    airflow("pools", "set", "fetch", "4", "Batches of feeds polled at once")


def wait_for(look: Callable[[], T | None], otherwise: Callable[[], str]) -> T:
    """Return what ``look`` finds as soon as it finds something; fail when it does not in two minutes."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (found := look()):
        if time.monotonic() > deadline:
            raise AssertionError(otherwise())
        time.sleep(0.1)
    return found


class Standalone:
    """What `make airflow` has started, asked over Airflow's own API."""

    def __init__(self, process: subprocess.Popen[bytes], port: int, log: Path) -> None:
        self._process = process
        self._url = f"http://127.0.0.1:{port}"
        self._log = log
        self._headers = {"Content-Type": "application/json"}

    def wait_until_up(self) -> None:
        """Return when Airflow answers and its scheduler and DAG processor say that they are well."""
        token = wait_for(lambda: self.tried("/auth/token"), self.said)
        self._headers["Authorization"] = f"Bearer {token['access_token']}"

        def is_well() -> bool:
            health = self.tried("/api/v2/monitor/health") or {}
            return all(health.get(part, {}).get("status") == "healthy" for part in ("scheduler", "dag_processor"))

        wait_for(is_well, self.said)

    def ask(self, path: str, given: Mapping[str, Any] | None = None) -> Any:
        """Get a path of the API, or post to it what is given."""
        body = None if given is None else json.dumps(given).encode()
        with urlopen(Request(f"{self._url}{path}", data=body, headers=self._headers), timeout=30) as answer:
            return json.load(answer)

    def tried(self, path: str, given: Mapping[str, Any] | None = None) -> Any:
        """Do the same; None when Airflow does not answer yet, or answers that it cannot now."""
        assert self._process.poll() is None, self.said()
        try:
            return self.ask(path, given)
        except (OSError, ValueError):
            return None

    def wait_for_runs(self, dag: str, count: int, **wanted: str) -> list[dict[str, Any]]:
        """Return the runs of a DAG that have these values, as soon as there are so many."""

        def look() -> list[dict[str, Any]] | None:
            runs = self.ask(f"/api/v2/dags/{dag}/dagRuns?order_by=run_after&limit=100")["dag_runs"]
            found = [run for run in runs if all(run[name] == value for name, value in wanted.items())]
            return found if len(found) >= count else None

        return wait_for(look, self.said)

    def said(self) -> str:
        """Return the end of all that was said since the start."""
        return self._log.read_text("utf-8", "replace")[-8_000:]


@contextmanager
def make_airflow(airflow: Airflow) -> Iterator[Standalone]:
    """Yield an Airflow that `make airflow` has started on free ports; nothing of it is left in the end."""
    port, triggerer_port, worker_port = free_ports(3)
    log = airflow.home / "make-airflow.log"
    environment = airflow.environment | {
        "AIRFLOW__API__PORT": str(port),
        "AIRFLOW__LOGGING__TRIGGER_LOG_SERVER_PORT": str(triggerer_port),
        "AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT": str(worker_port),
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",  # the API gives a token to whoever asks
        "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "1",
        "AIRFLOW__CORE__PARALLELISM": "4",
    }
    with log.open("wb") as out:
        process = subprocess.Popen(
            ["make", "airflow"], cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=out, stderr=out,
            start_new_session=True,
        )  # fmt: skip
    try:
        standalone = Standalone(process, port, log)
        standalone.wait_until_up()
        yield standalone
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGINT)  # as Ctrl-C does: to all of the foreground
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        for left in of_session(process.pid):
            with suppress(ProcessLookupError):
                os.kill(left, signal.SIGKILL)


def of_session(session: int) -> list[int]:
    """Return the processes of a session; Airflow's leave their parent's group, but not its session."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text("utf-8", "replace").rpartition(")")[2].split()
        except OSError:  # it has just ended
            continue
        if int(fields[3]) == session and fields[0] != "Z":
            found.append(int(stat.parent.name))
    return found


def dags_every(folder: Path, seconds: int) -> Path:
    """Return a folder of the same DAGs, but that feeds are polled so often."""
    shutil.copytree(DAGS, folder)
    path = folder / "poll_feeds.py"
    text = path.read_text("utf-8")
    assert text.count("schedule=timedelta(minutes=1)") == 1
    path.write_text(text.replace("schedule=timedelta(minutes=1)", f"schedule=timedelta(seconds={seconds})"), "utf-8")
    return folder
