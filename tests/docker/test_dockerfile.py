"""The Dockerfile: several stages, no root at run time, nothing fetched that the lock files do not pin."""

from __future__ import annotations

import re
import shlex
import tomllib

import pytest
from container_files import DOCKER, ROOT, instructions
from packaging.requirements import Requirement

LINES = list(instructions((DOCKER / "Dockerfile").read_text("utf-8")))
LOCKS = {name: ROOT / name for name in ("requirements.lock", "requirements-airflow.lock")}
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]


def stages() -> dict[str, list[tuple[str, str]]]:
    found: dict[str, list[tuple[str, str]]] = {}
    for word, rest in LINES:
        if word == "FROM":
            found[re.split(" AS ", rest, flags=re.IGNORECASE)[1]] = []
        if found:
            found[list(found)[-1]].append((word, rest))
    return found


def pinned(lock: str) -> dict[str, str]:
    return dict(re.findall(r"^([a-z0-9.-]+)==(\S+)", LOCKS[lock].read_text("utf-8"), re.MULTILINE))


def test_the_image_of_python_is_pinned_and_slim() -> None:
    assert ("ARG", "PYTHON_IMAGE=python:3.13.14-slim") in LINES
    bases = {rest.split()[0] for word, rest in LINES if word == "FROM"}
    assert bases - set(stages()) == {"${PYTHON_IMAGE}"}


@pytest.mark.parametrize("target", ["wirewatch", "airflow"])
def test_what_runs_is_a_stage_of_its_own_that_is_not_root_and_installs_nothing(target: str) -> None:
    stage = stages()[target]
    assert stage[0][1].startswith("${PYTHON_IMAGE}"), "nothing of the build is inherited"
    users = [rest for word, rest in stage if word == "USER"]
    assert re.fullmatch(r"[1-9]\d*:0", users[-1])
    assert not any("pip " in rest or "apt" in rest for word, rest in stage if word == "RUN")
    assert any(word == "COPY" and rest.startswith("--from=") for word, rest in stage)


def test_nothing_is_added_from_an_address_and_no_secret_is_an_argument() -> None:
    for word, rest in LINES:
        assert word != "ADD"
        assert "://" not in rest
        assert not (word in {"ARG", "ENV"} and re.search(r"PASSWORD|SECRET|TOKEN", rest))


def test_what_is_copied_from_here_exists_and_the_context_holds_no_more() -> None:
    copied = {
        source for word, rest in LINES if word == "COPY" and "--from" not in rest for source in shlex.split(rest)[:-1]
    }
    assert all((ROOT / source).exists() for source in copied)
    ignore = (DOCKER / "Dockerfile.dockerignore").read_text("utf-8").splitlines()
    rules = [line for line in ignore if line and not line.startswith("#")]
    assert rules[0] == "*", "all is left out but what is named"
    assert {rule[1:] for rule in rules if rule.startswith("!")} == copied


def test_every_installation_is_from_a_lock_file_with_hashes_or_from_the_wheels_made_of_it() -> None:
    runs = [rest for word, rest in LINES if word == "RUN" and re.search(r"pip (install|wheel)", rest)]
    assert len(runs) == 5
    for line in runs:
        for call in re.findall(r"pip (?:install|wheel) [^&]+", line):
            locked = "--require-hashes" in call and "--no-deps" in call and "--requirement" in call
            assert locked or "--no-index" in call, call


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_file_has_a_hash_for_everything_and_names_no_index(lock: str) -> None:
    text = LOCKS[lock].read_text("utf-8")
    entries = re.split(r"\n(?=\S)", text.strip())
    assert all("--hash=sha256:" in entry for entry in entries)
    assert "://" not in text
    assert "--index" not in text


@pytest.mark.parametrize(
    ("lock", "extras"), [("requirements.lock", {"all"}), ("requirements-airflow.lock", {"all", "airflow"})]
)
def test_a_lock_file_holds_what_wirewatch_asks_for_in_a_version_that_it_accepts(lock: str, extras: set[str]) -> None:
    versions = pinned(lock)
    for requirement in wanted(extras):
        assert requirement.name.lower() in versions, requirement
        assert requirement.specifier.contains(versions[requirement.name.lower()]), requirement


def test_the_build_tools_are_in_the_lock_file() -> None:
    assert {"build", "hatchling"} <= pinned("requirements.lock").keys()


def test_both_images_hold_the_same_versions_of_what_both_have() -> None:
    ours, airflows = pinned("requirements.lock"), pinned("requirements-airflow.lock")
    differing = {name for name in ours.keys() & airflows.keys() if ours[name] != airflows[name]}
    assert differing == set()


def wanted(extras: set[str]) -> list[Requirement]:
    """Return what Wirewatch with these extras depends on, on Linux."""
    optional = PROJECT["optional-dependencies"]
    texts = [*PROJECT["dependencies"], *(text for extra in extras for text in optional[extra])]
    found = [Requirement(text) for text in texts]
    for requirement in [each for each in found if each.name == PROJECT["name"]]:
        found.remove(requirement)
        found += wanted_of(requirement.extras)
    return found


def wanted_of(extras: set[str]) -> list[Requirement]:
    return [Requirement(text) for extra in extras for text in PROJECT["optional-dependencies"][extra]]
