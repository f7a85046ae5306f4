"""The event loop of the steps that make requests."""

from __future__ import annotations

import asyncio


def new_runner() -> asyncio.Runner:
    """Return a runner on uvloop, which takes a fifth off the time of a request; on asyncio's loop where it is not."""
    try:
        import uvloop  # noqa: PLC0415 - not made for Windows
    except ImportError:
        return asyncio.Runner()
    return asyncio.Runner(loop_factory=uvloop.new_event_loop)
