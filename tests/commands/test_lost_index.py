"""An index that was lost, or not made again after a backup was put back, is never taken for an empty world."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta

import pytest
from cli_parts import Cli
from msgspec.structs import replace

from pipeline import topics, wiring
from pipeline.article import Article, encode_article
from pipeline.ports import IndexDelete, Message
from pipeline.query.tree import Everything
from pipeline.settings import load_settings
from pipeline.unindexed import Holdings, look_up_holdings
from pipeline.wiring import Ports

LACKING = "the index lacks 3 of the 3 articles that the state knows"


@pytest.fixture
def ports(filled: Cli) -> Iterator[Ports]:
    with wiring.open_ports(load_settings(folder=filled.folder, environment={})) as ports:
        yield ports


def holdings(ports: Ports) -> Holdings:
    with closing(wiring.open_index(ports.settings, writer=False)) as index:
        return look_up_holdings(ports, index)


def test_a_search_says_that_the_index_was_lost(filled: Cli) -> None:
    shutil.rmtree(filled.data / "index")
    for words in (["search", "ferry"], ["search", "ferry", "--json"]):
        ended = filled(*words)
        assert (ended.code, ended.out) == (3, "")
        assert ended.err.endswith(f"This answer is not whole: {LACKING}. Run `wirewatch index --rebuild`.\n")


def test_status_and_doctor_say_so_too_until_it_is_made_again(filled: Cli) -> None:
    shutil.rmtree(filled.data / "index")
    assert json.loads(filled("status", "--json").out)["index"] == {"articles": 3, "lacking": 3, "cause": ""}
    assert "index\t3 lacking\t3 articles known; `wirewatch index --rebuild` brings them in\n" in filled("status").out
    examined = filled("doctor")
    assert (examined.code, f"bad\tindex\t{LACKING}: run `wirewatch index --rebuild`" in examined.out) == (1, True)

    assert filled("index", "--rebuild").code == 0
    assert json.loads(filled("status", "--json").out)["index"] == {"articles": 3, "lacking": 0, "cause": ""}
    assert (filled("doctor").code, filled("search", "ferry").code) == (0, 0)


def test_who_makes_a_new_index_beside_an_old_state_says_so(filled: Cli) -> None:
    shutil.rmtree(filled.data / "index")
    (filled.folder / "new.txt").write_text("A headline\n\nA tug has freed the ferry at high water.", "utf-8")
    ended = filled("ingest", "new.txt")
    assert ended.code == 0
    assert LACKING.replace("of the 3", "of the 4") in ended.err
    assert "wirewatch index --rebuild" in ended.err
    assert filled("search", "tug").code == 3


def test_what_is_on_its_way_is_not_missed(filled: Cli) -> None:
    settings = load_settings(folder=filled.folder, environment={})
    with wiring.open_ports(settings) as ports:
        article = Article(id="a" * 32, title="Tug", body="A tug has freed the ferry.", first_seen=ports.clock())
        message = Message(topic=topics.raw("live"), key=article.id, value=encode_article(article))
        assert ports.broker.publish([message]) == [None]
    for step in ("enrich", "settle", "index"):
        assert filled(step, "--once").code == 0
        assert json.loads(filled("status", "--json").out)["index"]["lacking"] == 0
    assert json.loads(filled("status", "--json").out)["index"]["articles"] == 4


def test_deleted_articles_are_not_missed(filled: Cli) -> None:
    assert filled("delete", "https://harbour.example/ferry", "--reason", "asked to").code == 0
    assert json.loads(filled("status", "--json").out)["index"] == {"articles": 2, "lacking": 0, "cause": ""}


def test_dropped_months_are_not_missed(ports: Ports) -> None:
    with closing(wiring.open_index(ports.settings, writer=True)) as index:
        for month in index.months():
            index.drop_month(month)
    later = ports.clock() + timedelta(days=90)
    assert holdings(ports) == Holdings(3, 3)
    keeping = replace(ports, settings=ports.settings.model_copy(update={"index_keep_days": 30}))
    assert holdings(replace(keeping, clock=lambda: later)) == Holdings(3, 0)
    assert holdings(keeping) == Holdings(3, 3)


def test_the_way_out_of_a_damaged_index_that_is_named_works(filled: Cli) -> None:
    for file in (filled.data / "index").glob("*.store"):
        file.write_bytes(b"x")
    for words in (["search", "ferry"], ["index", "--rebuild"]):
        ended = filled(*words)
        assert (ended.code, ended.out, "IoError" in ended.err) == (1, "", False)
        assert "is damaged (File corrupted. The file is smaller than 4 bytes (len=1).). No backup holds" in ended.err
    assert json.loads(filled("status", "--json").out)["index"]["cause"].endswith("makes it again from the state")

    (filled.data / "index").rename(filled.folder / "away")
    assert filled("index", "--rebuild").err == "3 articles written into the index\n"
    assert filled("search", "breakwater", "--json").lines[0]["title"] == "Ferry aground"


def test_on_a_cluster_that_shows_a_write_only_later_an_empty_index_is_missed_and_no_other(ports: Ports) -> None:
    clustered = replace(ports, settings=ports.settings.model_copy(update={"index": "http://127.0.0.1:9200"}))
    with closing(wiring.open_index(ports.settings, writer=True)) as index:
        found = index.search(Everything()).hits
        index.write([IndexDelete(found[0].article.id)])
        assert look_up_holdings(ports, index) == Holdings(3, 1)
        assert look_up_holdings(clustered, index) == Holdings(3, 0)
        index.write([IndexDelete(hit.article.id) for hit in found])
        assert look_up_holdings(clustered, index) == Holdings(3, 3)
