"""Feeds are read in a process of its own: whatever happens to it costs one feed, and it leaves nothing behind."""

from __future__ import annotations

import asyncio
import os
import select
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
import uvloop
from fakes import item, rss

from pipeline.poll.bounds import NotAFeed
from pipeline.poll.parse import parse_feed
from pipeline.poll.parsing import Parse, parse_inline
from pipeline.poll.parsing_process import ParsingProcess

FEED = rss(
    *(item(f"n{n}", f"https://stand.example/{n}", date="Sun, 01 Mar 2026 10:00:00 GMT") for n in range(5))
).encode()
SLOW = rss("<item>" + "<a/>" * 99_000 + "</item>").encode()
"""Three seconds of work, and within every bound."""
URL = "https://stand.example/feed"


def run(test: Callable[[ParsingProcess], Awaitable[None]], **limits: float) -> None:
    async def main() -> None:
        process = ParsingProcess(**limits)
        try:
            await test(process)
        finally:
            await process.close()

    asyncio.run(main())


def pid_of(process: ParsingProcess) -> int:
    assert process._process is not None
    return process._process.pid


def wait_for_the_end_of(pid: int) -> None:
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        assert select.select([handle], [], [], 60)[0]
    finally:
        os.close(handle)


@pytest.mark.parametrize("loop", [asyncio, uvloop], ids=["asyncio", "uvloop"])
def test_a_feed_is_read_there_as_it_is_here(loop: object) -> None:
    async def main() -> None:
        process = ParsingProcess()
        known = {entry.raw_hash for entry in parse_feed(FEED, url=URL).entries[1:]}
        for parse in (process, parse_inline):
            checked: Parse = parse
            assert await checked(FEED, url=URL) == parse_feed(FEED, url=URL)
            assert await checked(FEED, url=URL, known=known) == parse_feed(FEED, url=URL, known=known)
            with pytest.raises(NotAFeed, match=r"^an HTML page$"):
                await checked(b"<html>", content_type="text/html")
        await process.close()

    loop.run(main())  # type: ignore[attr-defined]


def test_many_at_once_are_read_in_turn_and_each_gets_its_own_answer() -> None:
    async def test(process: ParsingProcess) -> None:
        feeds = await asyncio.gather(*(process.parse(rss(item(f"n{n}")).encode()) for n in range(20)))
        assert [feed.entries[0].title for feed in feeds] == [f"n{n}" for n in range(20)]

    run(test)


def test_no_process_is_started_before_it_is_needed() -> None:
    async def test(process: ParsingProcess) -> None:
        assert process._process is None

    run(test)


def test_a_feed_that_takes_too_long_fails_and_the_next_is_read() -> None:
    async def test(process: ParsingProcess) -> None:
        await process.parse(FEED)
        pid = pid_of(process)
        with pytest.raises(NotAFeed, match=r"^it took more than 0.5 s to read$"):
            await process.parse(SLOW)
        wait_for_the_end_of(pid)
        assert len((await process.parse(FEED)).entries) == 5

    run(test, seconds=0.5)


def test_a_feed_that_takes_too_much_memory_fails_and_the_next_is_read() -> None:
    async def test(process: ParsingProcess) -> None:
        with pytest.raises(NotAFeed, match=r"^it took more memory than 64 MiB to read$"):
            await process.parse(rss(item("x", text="y" * 19_000_000)).encode())
        assert len((await process.parse(FEED)).entries) == 5

    run(test, memory_bytes=64 * 1024**2)


def test_after_so_many_feeds_there_is_a_new_process() -> None:
    async def test(process: ParsingProcess) -> None:
        await process.parse(FEED, url=URL)
        first = pid_of(process)
        await process.parse(FEED, url=URL)
        assert process._process is None
        await process.parse(FEED, url=URL)
        assert pid_of(process) != first

    run(test, feeds=2)


def test_a_process_that_dies_costs_the_feed_in_hand_alone() -> None:
    async def test(process: ParsingProcess) -> None:
        await process.parse(FEED)
        slow = asyncio.create_task(process.parse(SLOW))
        waiting = asyncio.create_task(process.parse(FEED))
        await asyncio.sleep(0)
        os.kill(pid_of(process), signal.SIGKILL)
        with pytest.raises(NotAFeed, match=r"^the process that read it died$"):
            await slow
        assert len((await waiting).entries) == 5

    run(test)


def test_a_process_that_died_with_nothing_to_do_costs_no_feed() -> None:
    async def test(process: ParsingProcess) -> None:
        await process.parse(FEED)
        assert process._process is not None
        process._process.kill()
        await process._process.wait()
        assert len((await process.parse(FEED)).entries) == 5

    run(test)


def test_others_go_on_while_a_feed_is_read_and_one_that_is_not_wanted_any_more_is_ended() -> None:
    async def test(process: ParsingProcess) -> None:
        await process.parse(FEED)
        pid = pid_of(process)
        slow = asyncio.create_task(process.parse(SLOW))
        for _ in range(50):
            await asyncio.sleep(0)
        assert not slow.done()
        slow.cancel()
        with pytest.raises(asyncio.CancelledError):
            await slow
        wait_for_the_end_of(pid)
        assert len((await process.parse(FEED)).entries) == 5

    run(test)


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="looks at a process through Linux's /proc")
@pytest.mark.parametrize("loop", [asyncio, uvloop], ids=["asyncio", "uvloop"])
def test_it_has_no_file_of_ours_no_secret_and_no_signal_of_the_terminal(
    loop: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WIREWATCH_SECRET", "canary")

    async def main() -> None:
        process = ParsingProcess()
        with (tmp_path / "open").open("w") as file:
            os.set_inheritable(file.fileno(), True)
            await process.parse(FEED)
        place = Path(f"/proc/{pid_of(process)}")
        assert sorted(fd.name for fd in (place / "fd").iterdir()) == ["0", "1", "2"]
        assert b"canary" not in (place / "environ").read_bytes()
        assert os.getsid(pid_of(process)) != os.getsid(0)
        os.kill(pid_of(process), signal.SIGINT)
        assert len((await process.parse(FEED)).entries) == 5
        await process.close()

    loop.run(main())  # type: ignore[attr-defined]


ORPHAN = """
import asyncio, signal
from pipeline.poll.parsing_process import ParsingProcess

async def main():
    process = ParsingProcess()
    await process.parse(b"<rss version='2.0'><channel/></rss>")
    print(process._process.pid, flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""


def test_it_ends_when_its_parent_is_killed() -> None:
    parent = subprocess.Popen([sys.executable, "-c", ORPHAN], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    with parent.stdout:
        pid = int(parent.stdout.readline())
        parent.kill()
        parent.wait()
    wait_for_the_end_of(pid)
