"""A dead letter that is replayed brings its article in, and never puts an old text over a newer one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fault_parts import FaultyWorld, faulty_world, id_of, storm
from typer.testing import CliRunner

from pipeline import cli
from pipeline.article import Article
from pipeline.enrich import run as enrich
from pipeline.enrich.tools import Tools
from pipeline.errors import BadArticle

FIRST = storm(1, title="First text")
EDIT = storm(1, title="Edited text", text="The mayor corrected it: nobody in town number 1 had to stay at home at all.")
STAGES = enrich.STAGES


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultyWorld]:
    with faulty_world(tmp_path, monkeypatch) as world:
        world.watch("/a.rss")
        yield world


def _bad(article: Article, tools: Tools) -> Article:
    if article.title == FIRST.title:
        raise BadArticle("bad stage", "it knows no storms")
    return STAGES["clean"].enrich(article, tools)


@pytest.fixture
def died(world: FaultyWorld, monkeypatch: pytest.MonkeyPatch) -> FaultyWorld:
    """A world whose first form of an article died in a bad stage, which is mended by the end of it."""
    with monkeypatch.context() as patch:
        patch.setattr(enrich, "STAGES", {**STAGES, "clean": enrich.Stage(_bad, 1)})
        world.show("/a.rss", FIRST)
        world.poll()
        assert [letter.reason for letter in world.dead_letters()] == ["bad stage"]
        assert world.documents() == {}
    return world


def replay(world: FaultyWorld) -> None:
    folder = world.folder
    ended = CliRunner().invoke(
        cli.app, ["--data", str(folder / "data"), "--config", str(folder / "config"), "dead", "replay"]
    )  # fmt: skip
    assert (ended.exit_code, ended.stderr) == (0, "replayed 1\n")


def test_an_article_that_died_comes_in_when_it_is_replayed(died: FaultyWorld) -> None:
    replay(died)
    died.run("enrich", "settle", "index")
    (article,) = died.documents().values()
    assert (article.title, article.body, article.revision) == (FIRST.title, FIRST.text, 1)


@pytest.mark.parametrize("deaths", [1, 2])
def test_an_old_form_that_is_replayed_does_not_undo_an_edit(
    died: FaultyWorld, monkeypatch: pytest.MonkeyPatch, deaths: int
) -> None:
    died.clock.forward(61)
    died.show("/a.rss", EDIT)
    died.poll()
    assert died.documents()[id_of(EDIT.link)].title == EDIT.title
    for _ in range(deaths - 1):  # replayed too early, it dies once more, at a place behind the edit
        with monkeypatch.context() as patch:
            patch.setattr(enrich, "STAGES", {**STAGES, "clean": enrich.Stage(_bad, 1)})
            replay(died)
            died.run("enrich")
    assert len(died.dead_letters()) == deaths

    replay(died)
    died.run("enrich", "settle", "index")

    (article,) = died.documents().values()
    assert (article.title, article.body, article.revision) == (EDIT.title, EDIT.text, 1)
    assert died.counts("settle") == {("published", ""): 1, ("duplicate", ""): 1}
    assert died.counts("settle")["updated", ""] == 0
