from __future__ import annotations

import asyncio
import sys

import pytest

from pipeline.loop import new_runner


async def running() -> str:
    return type(asyncio.get_running_loop()).__module__


def test_requests_run_on_uvloop() -> None:
    with new_runner() as loop:
        assert loop.run(running()).startswith("uvloop")


def test_where_there_is_no_uvloop_they_run_on_asyncios_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "uvloop", None)
    with new_runner() as loop:
        assert loop.run(running()).startswith("asyncio")
