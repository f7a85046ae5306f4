"""Every command line of compose.yaml and of the units, run outside containers as far as it goes."""

from __future__ import annotations

import base64
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from cli_parts import said
from container_files import DOCKER, SCRIPTS, STEPS, runs_wirewatch, services
from stub_server import Answer, StubServer

from pipeline.cli import COMMANDS

UNITS = DOCKER / "systemd"
HEALTH = {name: service["healthcheck"]["test"] for name, service in services().items() if "healthcheck" in service}


def command_lines() -> list[tuple[str, list[str]]]:
    """Return where each command line of wirewatch stands, and its words after the name."""
    found: list[tuple[str, list[str]]] = []
    for name, service in services().items():
        command = service.get("command", [])
        text = command[2] if command[:2] == ["sh", "-c"] else shlex.join(command)
        found += [(name, shlex.split(line)) for line in re.findall(r"\bwirewatch ([\w -]+?)(?= &&|$)", text)]
    for unit in sorted(UNITS.glob("*.service")):
        [line] = re.findall(r"^ExecStart=/opt/wirewatch/bin/wirewatch (.*)$", unit.read_text("utf-8"), re.MULTILINE)
        steps = (*STEPS, "run") if "%i" in line else ("",)
        found += [(unit.name, line.replace("%i", step).split()) for step in steps]
    readme = (DOCKER / "README.md").read_text("utf-8")
    found += [
        ("README.md", shlex.split(line))
        for line in re.findall(r"(?:exec|run --rm) [\w-]+ wirewatch (.*)$", readme, re.M)
    ]
    return found


def test_the_steps_and_the_preparations_are_all_among_the_command_lines() -> None:
    assert {words[0] for _, words in command_lines()} >= {*STEPS, "setup", "prune", "run", "feeds"}


@pytest.mark.parametrize(("place", "words"), command_lines(), ids=str)
def test_a_command_line_is_one_that_the_command_knows(place: str, words: list[str]) -> None:
    assert words[0] in COMMANDS, place
    assert said(*words, "--help").code == 0, place


@pytest.mark.parametrize("step", STEPS)
def test_a_step_runs_to_its_end_on_the_embedded_parts(step: str, tmp_path: Path) -> None:
    folder = tmp_path / "data"
    environment = clean_environment() | {"WIREWATCH_DATA": str(folder)}
    run = [SCRIPTS / "wirewatch"]
    opml = Path(__file__).parents[2] / "config/feeds.opml"
    made = subprocess.run(
        [*run, "feeds", "import", opml], env=environment, capture_output=True, text=True, cwd=tmp_path, check=False
    )
    assert made.returncode == 0, made.stderr
    if step == "poll":
        return  # what it would poll is in the world; that it starts is in test_run_step
    [command] = [words for place, words in command_lines() if place == step]
    ran = subprocess.run(
        [*run, *command, "--once"], env=environment, capture_output=True, text=True, cwd=tmp_path, check=False
    )
    assert ran.returncode == 0, ran.stderr


def test_the_health_check_of_a_step_passes_only_when_the_step_says_that_it_is_well() -> None:
    for name in STEPS:
        assert check_against(HEALTH[name], Answer(status=200)) == (0, ["/healthz"])
        assert check_against(HEALTH[name], Answer(status=503))[0] != 0


def test_the_health_check_of_a_step_asks_where_its_metrics_are() -> None:
    for name in STEPS:
        port = services()[name]["environment"]["WIREWATCH_METRICS"].rpartition(":")[2]
        assert f"http://127.0.0.1:{port}/healthz" in HEALTH[name][-1]


@pytest.mark.parametrize(("name", "path"), [("airflow-api", "/api/v2/version"), ("airflow-scheduler", "/health")])
def test_the_health_checks_of_airflow_ask_their_own_page(name: str, path: str) -> None:
    assert check_against(HEALTH[name], Answer(status=200)) == (0, [path])
    assert check_against(HEALTH[name], Answer(status=500))[0] != 0


def test_prune_is_healthy_only_after_it_succeeded(tmp_path: Path) -> None:
    command, check = services()["prune"]["command"], HEALTH["prune"]
    for code in (1, 0):
        programs = tmp_path / str(code)
        programs.mkdir()
        make_program(programs / "wirewatch", f"exit {code}")
        make_program(programs / "sleep", "exit 0")
        marker = programs / "pruned"
        line = command[2].replace("/tmp/pruned", str(marker))
        path = f"{programs}{os.pathsep}{os.environ['PATH']}"
        assert subprocess.run(["sh", "-c", line], env=os.environ | {"PATH": path}, check=False).returncode == code
        healthy = subprocess.run([part.replace("/tmp/pruned", str(marker)) for part in check[1:]], check=False)
        assert (healthy.returncode == 0) == (code == 0)


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is in the images; here it may be missing")
@pytest.mark.parametrize(("path", "good", "bad"), [("/_cluster/health", 200, 408), ("/", 302, 503)])
def test_the_health_checks_of_elastic_pass_only_for_a_good_answer_over_trusted_tls(
    path: str, good: int, bad: int, container_secrets: Path, tls_server: StubServer
) -> None:
    test = HEALTH["kibana" if path == "/" else "elasticsearch"]
    line = test[1] if test[0] == "CMD-SHELL" else shlex.join(test[1:])
    line = line.replace("/run/secrets", str(container_secrets))
    line = re.sub(r"https://localhost:\d+", tls_server.url("", host="localhost"), line)
    for status, trusted in ((good, "ca.crt"), (bad, "ca.crt"), (good, "kibana.crt")):
        tls_server.on(path, Answer(status=status))
        line_so = line.replace("ca.crt", trusted)
        ran = subprocess.run(
            ["sh", "-c", line_so], env=clean_environment(), capture_output=True, text=True, check=False
        )
        assert (ran.returncode == 0) == (status == good and trusted == "ca.crt"), ran.stderr
    assert {request.path for request in tls_server.requests} == {path}


def test_the_health_check_of_elasticsearch_logs_in(container_secrets: Path, tls_server: StubServer) -> None:
    tls_server.on("/_cluster/health", Answer())
    line = HEALTH["elasticsearch"][1].replace("/run/secrets", str(container_secrets))
    line = line.replace("https://localhost:9200", tls_server.url("", host="localhost"))
    subprocess.run(["sh", "-c", line], env=clean_environment(), check=True)
    login = base64.b64encode(b"elastic:" + (container_secrets / "elastic_password").read_bytes()).decode()
    assert tls_server.requests[-1].headers["authorization"] == f"Basic {login}"


def test_every_health_check_is_tried_here_or_said_to_be_untried_in_the_readme() -> None:
    tried = {*STEPS, "airflow-api", "airflow-scheduler", "prune", "elasticsearch", "kibana", "postgres"}
    readme = " ".join((DOCKER / "README.md").read_text("utf-8").split())
    for name in HEALTH.keys() - tried:
        assert f"health check of `{name}`" in readme


def test_airflow_gets_its_passwords_in_a_file_that_it_may_write(tmp_path: Path, container_secrets: Path) -> None:
    make_program(tmp_path / "airflow", 'echo "$@"')
    line = services()["airflow-api"]["command"][2].replace("/run/secrets", str(container_secrets))
    line = line.replace("/tmp/airflow_users", str(tmp_path / "users"))
    ran = subprocess.run(
        ["sh", "-c", line],
        env=os.environ | {"PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.stdout == "api-server --workers 1\n"
    assert (tmp_path / "users").stat().st_mode & 0o777 == 0o600
    with (tmp_path / "users").open("a+"):
        pass


def test_what_runs_in_our_images_is_in_them() -> None:
    programs = {service["command"][0] for service in services().values() if runs_wirewatch(service)}
    assert programs == {"wirewatch", "python", "sh", "airflow"}


def check_against(test: list[str], answer: Answer) -> tuple[int, list[str]]:
    """Run a health check of Python against a server that answers so; return its code and what it asked for."""
    assert test[:3] == ["CMD", "python", "-c"]
    with StubServer() as server:
        path = re.sub(r".*://127\.0\.0\.1:\d+(/[\w/]*).*", r"\1", test[3])
        server.on(path, answer)
        code = re.sub(r"127\.0\.0\.1:\d+", server.address, test[3])
        ran = subprocess.run([sys.executable, "-c", code], env=clean_environment(), capture_output=True, check=False)
        return ran.returncode, [request.path for request in server.requests]


def make_program(path: Path, line: str) -> None:
    path.write_text(f"#!/bin/sh\n{line}\n", "utf-8")
    path.chmod(0o755)


def clean_environment() -> dict[str, str]:
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("WIREWATCH_") and not name.lower().endswith("_proxy")
    }
