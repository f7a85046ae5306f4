"""The units for those without containers: accepted by systemd, hardened, one a step."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from container_files import DOCKER, SCRIPTS, STEPS

from pipeline.errors import (
    EXIT_BREAKER,
    EXIT_DEAD_LETTERS_UNAVAILABLE,
    EXIT_NOT_SET_UP,
    EXIT_USAGE,
)
from pipeline.settings import NAMES

UNITS = DOCKER / "systemd"
SERVICES = ("wirewatch@.service", "wirewatch-prune.service", "wirewatch-setup.service")
HARDENING = {
    "NoNewPrivileges": "yes",
    "CapabilityBoundingSet": "",
    "ProtectSystem": "strict",
    "ProtectHome": "yes",
    "PrivateTmp": "yes",
    "PrivateDevices": "yes",
    "ProtectKernelTunables": "yes",
    "ProtectKernelModules": "yes",
    "ProtectControlGroups": "yes",
    "RestrictNamespaces": "yes",
    "RestrictSUIDSGID": "yes",
    "LockPersonality": "yes",
    "SystemCallArchitectures": "native",
}


def options(name: str) -> dict[str, list[str]]:
    """Return every option of a unit with its values in order (configparser cannot: options repeat)."""
    found: dict[str, list[str]] = {}
    for line in (UNITS / name).read_text("utf-8").splitlines():
        if "=" in line and not line.startswith("#"):
            option, _, value = line.partition("=")
            found.setdefault(option, []).append(value)
    return found


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not on this machine")
def test_systemd_accepts_the_units(tmp_path: Path) -> None:
    for path in UNITS.iterdir():
        text = path.read_text("utf-8").replace("/opt/wirewatch/bin/wirewatch", str(SCRIPTS / "wirewatch"))
        for name in [path.name.replace("@", f"@{step}") for step in STEPS] if "@" in path.name else [path.name]:
            (tmp_path / name).write_text(text, "utf-8")
    ran = subprocess.run(
        ["systemd-analyze", "verify", *sorted(map(str, tmp_path.iterdir()))],
        env=os.environ | {"SYSTEMD_UNIT_PATH": f"{tmp_path}:"}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (ran.returncode, ran.stderr) == (0, "")


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_is_hardened_and_its_memory_stated(name: str) -> None:
    unit = options(name)
    assert {option: unit[option] for option in HARDENING} == {option: [value] for option, value in HARDENING.items()}
    assert unit["User"] == ["wirewatch"]
    assert unit["MemoryMax"] == ["512M"]
    assert unit["SystemCallFilter"] == ["@system-service", "~@privileged @resources"]


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_names_only_settings_that_wirewatch_knows(name: str) -> None:
    text = " ".join(options(name)["Environment"])
    assert {setting.lower() for setting in re.findall(r"WIREWATCH_([A-Z_]+)=", text)} <= set(NAMES)


def test_a_step_is_not_started_again_when_only_a_person_can_mend_it() -> None:
    unit = options("wirewatch@.service")
    assert unit["Restart"] == ["on-failure"]
    codes = [EXIT_USAGE, EXIT_DEAD_LETTERS_UNAVAILABLE, EXIT_BREAKER, EXIT_NOT_SET_UP]
    assert unit["RestartPreventExitStatus"] == [" ".join(map(str, codes))]


def test_the_target_starts_every_step_and_the_daily_retention() -> None:
    names = " ".join(options("wirewatch.target")["Wants"]).split()
    assert names == [*(f"wirewatch@{step}.service" for step in STEPS), "wirewatch-prune.timer"]
    assert options("wirewatch-prune.timer")["OnCalendar"] == ["daily"]
