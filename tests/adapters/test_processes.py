from __future__ import annotations

import os
import subprocess
import sys

import pytest

from pipeline.adapters.processes import holder_name, is_gone

NAME_THEN_WAIT = "from pipeline.adapters.processes import holder_name; print(holder_name('m'), flush=True); input()"


@pytest.fixture
def other_process() -> subprocess.Popen[str]:
    child = subprocess.Popen(
        [sys.executable, "-c", NAME_THEN_WAIT], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        env={"PYTHONPATH": os.pathsep.join(sys.path)},
    )  # fmt: skip
    with child:
        yield child
        child.kill()


def test_two_names_of_one_process_differ_and_carry_its_member() -> None:
    assert holder_name() != holder_name()
    assert holder_name("a:b").endswith(":a:b")


def test_a_running_process_is_not_gone(other_process: subprocess.Popen[str]) -> None:
    assert not is_gone(holder_name())
    assert not is_gone(other_process.stdout.readline().strip())


def test_a_killed_process_is_gone_even_before_its_parent_notices(other_process: subprocess.Popen[str]) -> None:
    name = other_process.stdout.readline().strip()
    other_process.kill()
    os.waitid(os.P_PID, other_process.pid, os.WEXITED | os.WNOWAIT)  # dead, and not yet buried
    assert is_gone(name)
    other_process.wait()
    assert is_gone(name)


def test_a_process_that_got_the_same_number_again_is_another(other_process: subprocess.Popen[str]) -> None:
    name = other_process.stdout.readline().strip()
    host, pid, *rest = name.split(":")
    number, _, started = pid.partition(".")
    assert is_gone(":".join([host, f"{number}.{int(started) - 1}", *rest]))


def test_nothing_is_known_of_another_machine_or_container() -> None:
    host, _, rest = holder_name().partition(":")
    gone_pid = rest.replace(str(os.getpid()), str(2**22 + 1), 1)
    assert is_gone(f"{host}:{gone_pid}")
    assert not is_gone(f"elsewhere:{gone_pid}")
    assert not is_gone(f"{host}1:{gone_pid}")


@pytest.mark.parametrize("pid", ["", "0.1", "-1.1", "1e3.1", "99999999999999999999.1", "١٢.1", "x"])
def test_a_name_that_is_none_is_not_gone(pid: str) -> None:
    assert not is_gone(f"{holder_name().partition(':')[0]}:{pid}:nonce")
    assert not is_gone(pid)
