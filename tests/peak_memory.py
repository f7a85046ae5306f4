"""Fetch one URL through the door in a process of its own: ``python peak_memory.py URL HOST:PORT TIMEOUT_SECONDS``.

Prints how it ended and by how many bytes the process's memory rose above what it took to open the door.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from pipeline.adapters.http import HttpDoor
from pipeline.errors import RequestFailed, RequestRefused
from pipeline.loop import new_runner


def peak_bytes() -> int:
    """Return the most memory that this process has had since it began (getrusage counts its parent's too)."""
    status = Path("/proc/self/status").read_text("ascii")
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024


async def fetch(url: str, address: str, timeout_seconds: float) -> tuple[str, int]:
    async with HttpDoor(user_agent="test", allowed=[address]) as http:
        with_door = peak_bytes()
        try:
            answer = await http.request("GET", url, timeout_seconds=timeout_seconds)
            ended = f"{answer.status} {len(answer.body)}"
        except (RequestFailed, RequestRefused) as error:
            ended = f"{type(error).__name__}: {error}"
        return ended, peak_bytes() - with_door


if __name__ == "__main__":
    with new_runner() as loop:
        ended, rise = loop.run(asyncio.wait_for(fetch(sys.argv[1], sys.argv[2], float(sys.argv[3])), 60))
    print(rise, ended)  # noqa: T201
