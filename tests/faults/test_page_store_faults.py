"""A page store that fails for a while is waited out by every step that uses it; no page and no article is lost."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fault_parts import FaultyWorld, faulty_world, id_of, storm
from fsspec.implementations.local import LocalFileSystem
from structlog.testing import capture_logs
from stub_server import Answer

from pipeline.adapters import pages as pages_adapter

PARAGRAPH = "The storm of the century took the roof of the old market hall, the mayor said on Tuesday. " * 10
PAGE = f"<html><body><article><p>{PARAGRAPH}</p></article></body></html>"


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultyWorld]:
    """A world whose one article has a page that waits to be fetched."""
    with faulty_world(tmp_path, monkeypatch) as world:
        world.server.on("/page", Answer(body=PAGE, headers={"Content-Type": "text/html"}))
        world.show("/a.rss", storm(1, link=world.server.url("/page")))
        world.watch("/a.rss", full_page=True)
        world.run("poll")
        yield world


def failing_twice(whole: Callable[..., object], number: int) -> Callable[..., object]:
    left = [number, number]

    def call(*given: object, **named: object) -> object:
        if left:
            raise OSError(left.pop(), os.strerror(number))
        return whole(*given, **named)

    return call


def the_page_came(world: FaultyWorld) -> bool:
    (article,) = world.documents().values()
    return article.text_from == "page" and article.body == PARAGRAPH.strip()


def held(logs: list[dict[str, object]], number: int) -> bool:
    return any(line["event"] == "holding" and os.strerror(number) in str(line["cause"]) for line in logs)


def test_fetch_holds_while_the_disk_is_full_and_the_page_comes_later(
    world: FaultyWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = pages_adapter._write_durably
    monkeypatch.setattr(pages_adapter, "_write_durably", failing_twice(whole, errno.ENOSPC))
    with capture_logs() as logs:
        for _ in range(3):  # a claim that was not finished runs out by itself
            world.clock.forward(121)
            world.run("fetch")
    assert held(logs, errno.ENOSPC)
    world.run("enrich", "settle", "index")
    assert the_page_came(world)


def test_enrich_holds_while_the_page_cannot_be_read(world: FaultyWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    world.clock.forward(5)
    world.run("fetch")
    monkeypatch.setattr(LocalFileSystem, "cat_file", failing_twice(LocalFileSystem.cat_file, errno.ESTALE))
    with capture_logs() as logs:
        world.run("enrich", "settle", "index")
    assert held(logs, errno.ESTALE)
    assert world.dead_letters() == []
    assert the_page_came(world)


def test_settle_holds_while_the_page_of_a_deleted_article_cannot_be_removed(
    world: FaultyWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.clock.forward(5)
    world.run("fetch", "enrich")
    world.state(lambda state: state.bury([id_of(world.server.url("/page"))], "asked to", world.clock()))
    monkeypatch.setattr(LocalFileSystem, "rm_file", failing_twice(LocalFileSystem.rm_file, errno.EIO))
    with capture_logs() as logs:
        world.run("settle", "index")
    assert held(logs, errno.EIO)
    assert world.documents() == {}
    assert list((world.settings.data_folder / "pages").rglob("*.zst")) == []
    assert world.waiting() == 0
