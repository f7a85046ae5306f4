"""Fail-points: named lines at which a test kills the process, to prove that nothing is lost there.

``WIREWATCH_FAILPOINT=settle:published:3`` ends the process with SIGKILL the third time that point is reached;
``*:17`` at the seventeenth point of any name. With ``WIREWATCH_FAILPOINT`` unset nothing is ever counted.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Mapping

from pipeline.errors import UsageError

VARIABLE = "WIREWATCH_FAILPOINT"


def fail_point_from(environment: Mapping[str, str]) -> Callable[[str], None]:
    """Return the function that steps call at each point: it does nothing, or kills as the environment says."""
    wanted = environment.get(VARIABLE, "")
    if not wanted:
        return lambda _: None
    name, _, number = wanted.rpartition(":")
    if not name or not number.isdecimal():
        raise UsageError(f"{VARIABLE} must be NAME:COUNT, not “{wanted}”")
    left = int(number)

    def reach(point: str) -> None:
        nonlocal left
        if name not in {point, "*"}:
            return
        left -= 1
        if left <= 0:
            os.write(2, f"fail-point {point}\n".encode())
            os.kill(os.getpid(), signal.SIGKILL)

    return reach
