"""wirewatch replay: newer stages over what is known already."""

from __future__ import annotations

import json
import signal

import pytest
from cli_parts import Cli
from msgspec.structs import replace

from pipeline.article import Article
from pipeline.enrich import run
from pipeline.enrich.tools import Tools

SENTENCES = "The council met on Monday to discuss the new bridge over the river. It will decide next week. "
RULES = "- id: bridge\n  query: bridge\n- id: levy\n  query: levy\n"


def page(name: str) -> str:
    return (
        f"<html><head><title>{name} bridge</title></head><body><article><h1>{name} bridge</h1>"
        f"<p>{SENTENCES * 2}</p><p>{name}. {SENTENCES * 2}</p></article></body></html>"
    )


@pytest.fixture
def kept(cli: Cli) -> Cli:
    """Two articles of pages, the second page gone since, and one of a line; a rule told of all three."""
    config = cli.folder / "config"
    config.mkdir()
    (config / "rules.yml").write_text(RULES)
    cli.environment["WIREWATCH_CONFIG"] = str(config)
    for name in ("Old", "New"):
        (cli.folder / f"{name}.html").write_text(page(name))
    line = {"url": "https://a.example/line", "title": "A line on the bridge", "body": SENTENCES, "outlet": "Line"}
    (cli.folder / "line.jsonl").write_text(json.dumps(line))
    ended = cli("ingest", *(cli.folder / name for name in ("Old.html", "New.html", "line.jsonl")))
    assert (ended.code, "3 alerts raised" in ended.err) == (0, True)
    (gone,) = (article["page"] for article in cli("search", "title:new", "--json").lines)
    (stored,) = (path for path in (cli.data / "pages").rglob("*.zst") if path.stem == gone.rpartition("/")[2])
    stored.unlink()
    return cli


@pytest.fixture
def newer(kept: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """A later release, whose stage ``text`` finds a paragraph more in every page."""

    def enrich(article: Article, tools: Tools) -> Article:
        found = run_text(article, tools)
        return replace(found, body=f"{found.body}\n\nThe levy pays for it.")

    run_text = run.STAGES["text"].enrich
    monkeypatch.setattr(run, "STAGES", {**run.STAGES, "text": run.Stage(enrich, 77)})


def articles(cli: Cli, query: str = "*") -> dict[str, dict[str, object]]:
    return {str(article["title"]): article for article in cli("search", query, "--json").lines}


@pytest.mark.usefixtures("newer")
def test_what_newer_stages_find_is_searchable_and_nothing_else_changes(kept: Cli) -> None:
    before = articles(kept)
    ended = kept("replay", "--where", "stages.text:<77")
    others = "the other stages are gone through"
    assert (ended.code, ended.out.splitlines()) == (
        0,
        [
            "3 articles selected",
            "1 with their stored page",
            f"1 whose page is gone (pages_keep_days, pages_keep_gb): their text stays, {others}",
            f"1 without a page: the text of the feed or file stays, {others}",
            "enriched again: 1 changed, 2 unchanged",
        ],
    )
    after = articles(kept)
    assert set(articles(kept, "levy")) == {"Old bridge"}
    assert {key for key in after["Old bridge"] if after["Old bridge"][key] != before["Old bridge"][key]} == {
        "body", "content_hash", "stages", "version",
    }  # fmt: skip
    assert after["Old bridge"]["revision"] == 1
    assert {title: after[title] for title in ("New bridge", "A line on the bridge")} == {
        title: before[title] for title in ("New bridge", "A line on the bridge")
    }


@pytest.mark.usefixtures("newer")
def test_it_raises_no_alert_though_a_rule_selects_what_was_found(kept: Cli) -> None:
    alerts = kept("alerts", "list", "--json").out
    kept("replay", "--where", "*")
    assert set(articles(kept, "levy")) == {"Old bridge"}
    assert kept("alerts", "list", "--json").out == alerts


@pytest.mark.usefixtures("newer")
def test_a_second_time_there_is_nothing_left_to_do_for_what_was_done(kept: Cli) -> None:
    kept("replay", "--where", "stages.text:<77")
    before = articles(kept)
    ended = kept("replay", "--where", "*", "--json")
    assert json.loads(ended.out)["outcomes"] == {"unchanged": 3}
    assert kept("replay", "--where", "stages.text:<77 AND title:old").out.splitlines() == [
        "0 articles selected", "nothing to do",
    ]  # fmt: skip
    assert articles(kept) == before


@pytest.mark.usefixtures("newer")
def test_a_dry_run_only_counts(kept: Cli) -> None:
    before = articles(kept)
    ended = kept("replay", "--where", "outlet:line OR title:old", "--dry-run", "--json")
    assert json.loads(ended.out) == {
        "selected": {"articles": 2, "with_page": 1, "pages_gone": 0, "without_page": 1},
        "dry_run": True,
        "outcomes": {},
    }
    assert articles(kept) == before


def test_a_bad_query_is_shown_with_its_fault(kept: Cli) -> None:
    ended = kept("replay", "--where", "stages.txt:<7")
    assert (ended.code, "did you mean stages.text:?" in ended.err) == (2, True)


def test_a_deleted_article_stays_deleted(kept: Cli, newer: None) -> None:
    kept("delete", "title:old", "--reason", "asked", "--yes")
    assert "2 articles selected" in kept("replay", "--where", "*").out
    assert "Old bridge" not in articles(kept)


@pytest.mark.parametrize("point", ["replay:published:1", "enrich:published:1", "settle:handled:1", "index:handled:1"])
def test_a_replay_that_is_killed_and_called_again_does_every_article_once(cli: Cli, point: str) -> None:
    lines = (
        {"url": f"https://a.example/{n}", "title": f"Talks in Beirut {n}", "body": f"{SENTENCES} {n}"}
        for n in range(30)
    )
    (cli.folder / "some.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    cli.environment |= {"WIREWATCH_STAGES": "text,clean"}
    assert cli("ingest", cli.folder / "some.jsonl").code == 0
    alerts = cli("alerts", "list", "--json").out
    cli.environment |= {"WIREWATCH_STAGES": "text,clean,entities", "WIREWATCH_FAILPOINT": point}
    with cli.start("replay", "--where", "stages.entities:0") as program:
        assert program.process.wait(timeout=60) == -signal.SIGKILL
    del cli.environment["WIREWATCH_FAILPOINT"]
    assert cli("replay", "--where", "stages.entities:0").code == 0
    found = cli("search", "place:beirut stages.entities:>0", "--json", "--limit", "100").lines
    assert len({article["id"] for article in found}) == len(found) == 30
    assert {(article["revision"], article["version"]) for article in found} == {(1, 2)}
    assert cli("alerts", "list", "--json").out == alerts
