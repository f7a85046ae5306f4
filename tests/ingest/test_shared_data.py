"""Real feeds and pages, where they lie beside the repository."""

from __future__ import annotations

import gzip
import json
from datetime import datetime
from pathlib import Path

import pytest

from pipeline.article import Article
from pipeline.enrich import run
from pipeline.enrich.tools import Tools
from pipeline.ingest.read import FileProblem, preview_path

DATA = Path(__file__).parents[3] / "shared" / "data"
STAGES = tuple(run.STAGES)
PAGES = ("APNews_0", "LATimes_4", "Reuters_2", "TheNation_1", "iNews_1", "FoxNews_2")

pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="the real feeds and pages of ../shared/data are not there")


def bare(text: str) -> str:
    return "".join(character for character in text.casefold() if character.isalnum())


def test_every_feed_is_read_or_named_with_its_reason(tools: Tools, now: datetime) -> None:
    found = list(preview_path(DATA / "feeds", tools=tools, stages=STAGES, now=now))
    articles = [item for item in found if isinstance(item, Article)]
    problems = {Path(item.path).name: item.message for item in found if isinstance(item, FileProblem)}
    assert problems == {
        "incomplete-fields.atom": "item 1: neither title nor text",
        "missing-fields.atom": "item 1: neither title nor text",
        "unrecognized.rss": "not a feed: an HTML page",
    }
    assert {Path(article.source_path).name for article in articles} == {
        path.name for path in (DATA / "feeds").iterdir()
    } - set(problems)
    assert len({article.id for article in articles}) > 300
    assert all(article.title or article.body for article in articles)


@pytest.mark.parametrize("name", PAGES)
def test_the_paragraphs_of_a_real_page_are_found(tools: Tools, now: datetime, name: str) -> None:
    truth = json.loads((DATA / "pages" / "ground_truth.json").read_text("utf-8"))[f"{name}.html.gz"]
    (found,) = preview_path(DATA / "pages" / f"{name}.html.gz", tools=tools, stages=STAGES, now=now)
    assert isinstance(found, Article)
    body, wanted = (
        bare(found.dateline + found.body),
        [bare(paragraph) for paragraph in truth["body"] if bare(paragraph)],
    )
    assert sum(paragraph in body for paragraph in wanted) > 0.8 * len(wanted)
    assert len(body) < 1.5 * sum(map(len, wanted)), "little else is taken for the article"
    assert found.url == truth["url"]
    assert found.title
    assert found.published is not None
    assert found.text_from == "page"


def test_a_page_gives_the_same_text_packed_and_unpacked(tools: Tools, now: datetime, tmp_path: Path) -> None:
    packed = DATA / "pages" / "APNews_0.html.gz"
    plain = tmp_path / "page.html"
    plain.write_bytes(gzip.decompress(packed.read_bytes()))
    bodies = [
        item.body
        for path in (packed, plain)
        for item in preview_path(path, tools=tools, stages=STAGES, now=now)
        if isinstance(item, Article)
    ]
    assert bodies[0] == bodies[1] != ""
