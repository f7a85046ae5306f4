"""What is in ``docker/``, read as Compose and the shell would, for the tests of it."""

from __future__ import annotations

import re
import shutil
import ssl
import subprocess
import sysconfig
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parent.parent
DOCKER = ROOT / "docker"
PROFILES = ("core", "kibana", "airflow")
STEPS = ("poll", "fetch", "enrich", "settle", "index", "alert", "watch")
SCRIPTS = Path(sysconfig.get_path("scripts"))
"""Where the commands of the environment that runs the tests are."""

_VARIABLE = re.compile(r"\$\$|\$\{(?P<name>\w+)(?::(?P<kind>[?-])(?P<rest>[^}]*))?\}")


class NotGiven(Exception):
    """Compose would stop here and print the message."""


def compose(environment: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Return compose.yaml with its anchors merged and its variables replaced; by default those that init.sh sets."""
    given = {"CONTAINER_UID": "1000"} if environment is None else environment
    return replaced(yaml.safe_load((DOCKER / "compose.yaml").read_text("utf-8")), given)


def services() -> dict[str, Any]:
    """Return the services of compose.yaml by name."""
    return compose()["services"]


def is_long_running(service: Mapping[str, Any]) -> bool:
    """Whether it goes on until it is stopped; the others do one thing and end."""
    return service["restart"] != "no"


def runs_wirewatch(service: Mapping[str, Any]) -> bool:
    """Whether it runs in one of the images that are built here."""
    return service["image"].startswith("wirewatch")


def replaced(value: Any, given: Mapping[str, str]) -> Any:
    """Replace ``${NAME}``, ``${NAME:-default}``, ``${NAME:?message}`` and ``$$`` as Compose does."""
    if isinstance(value, dict):
        return {key: replaced(each, given) for key, each in value.items()}
    if isinstance(value, list):
        return [replaced(each, given) for each in value]
    return _VARIABLE.sub(lambda match: _one(match, given), value) if isinstance(value, str) else value


def _one(match: re.Match[str], given: Mapping[str, str]) -> str:
    if match[0] == "$$":
        return "$"
    if found := given.get(match["name"]):
        return found
    if match["kind"] == "?":
        raise NotGiven(match["rest"])
    return match["rest"] or ""


def secrets_of(service: Mapping[str, Any]) -> dict[str, str]:
    """Return each secret that a service is given, and where it finds it."""
    short = {name: f"/run/secrets/{name}" for name in service.get("secrets", ()) if isinstance(name, str)}
    return short | {each["source"]: each["target"] for each in service.get("secrets", ()) if isinstance(each, dict)}


def copy_of_docker(folder: Path) -> Path:
    """Return a copy of docker/ without what init.sh made in this one."""
    return Path(shutil.copytree(DOCKER, folder / "docker", ignore=shutil.ignore_patterns("secrets*", ".env")))


def initialised(folder: Path, *words: str) -> Path:
    """Return a copy of docker/ in which init.sh has run."""
    copy = copy_of_docker(folder)
    ran = init(copy, *words)
    assert ran.returncode == 0, ran.stderr
    return copy


def init(copy: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run init.sh of a copy of docker/."""
    return subprocess.run([copy / "init.sh", *words], capture_output=True, text=True, check=False)


def certificate_of_elasticsearch(secrets: Path) -> ssl.SSLContext:
    """Return what a server needs to show the certificate that init.sh made for Elasticsearch."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(secrets / "elasticsearch.crt", secrets / "elasticsearch.key")
    return context


def instructions(dockerfile: str) -> Iterator[tuple[str, str]]:
    """Give instruction and words of a Dockerfile's lines, continued lines joined, comments left out."""
    text = "\n".join(line for line in dockerfile.splitlines() if not line.lstrip().startswith("#"))
    for line in text.replace("\\\n", " ").splitlines():
        if line.strip():
            word, _, rest = line.strip().partition(" ")
            yield word.upper(), " ".join(rest.split())
