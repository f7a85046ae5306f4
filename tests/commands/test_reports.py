"""What only reads: rules, alerts, dead letters, status and doctor."""

from __future__ import annotations

import json
import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cli_parts import Cli

from pipeline import topics, wiring
from pipeline.commands.run import DEMO_MARK
from pipeline.feed import Feed, FeedState
from pipeline.ports import Message, PageRequest, PollResult
from pipeline.settings import load_settings

KEY = "b" * 32


def rules(cli: Cli, text: str) -> Path:
    config = cli.folder / "config"
    config.mkdir(exist_ok=True)
    (config / "rules.yml").write_text(text, "utf-8")
    (config / "feeds.opml").write_text("<opml version='2.0'><body/></opml>", "utf-8")
    cli.environment = {"WIREWATCH_CONFIG": str(config)}
    return config / "rules.yml"


def bury(cli: Cli) -> None:
    """Publish a record that is no article, and let enrich find that out."""
    settings = load_settings(folder=cli.folder, environment={})
    with wiring.open_ports(settings) as ports:
        assert ports.broker.publish([Message(topic=topics.raw("live"), key=KEY, value=b"not \x1b[2J JSON")]) == [None]
    assert cli("enrich", "--once").code == 0


def test_the_rules_in_force_are_listed(cli: Cli) -> None:
    rules(cli, "- id: ferry\n  query: title:ferry\n- id: quiet\n  query: x\n  enabled: false\n")
    assert cli("rules", "list").out == "ferry\tyes\tlog\ttitle:ferry\nquiet\tno\tlog\tx\n"
    assert [rule["id"] for rule in cli("rules", "list", "--json").lines] == ["ferry", "quiet"]
    ended = cli("rules", "check")
    assert (ended.code, ended.out, ended.err.endswith("rules.yml: 2 rules, all good\n")) == (0, "", True)


def test_all_that_is_wrong_with_rules_is_said(cli: Cli) -> None:
    path = rules(cli, "- id: Ferry\n  query: 'title:(ferry'\n- query: x\n  quey: y\n")
    ended = cli("rules", "check")
    assert (ended.code, ended.out) == (2, "")
    first, *problems = ended.err.splitlines()
    assert first == f"wirewatch: {path}: {len(problems)} problems"
    assert [problem.partition(": ")[0] for problem in problems] == [
        "  rules.yml:1", "  rules.yml:2", "  rules.yml:3", "  rules.yml:4",
    ]  # fmt: skip
    told = cli("rules", "check", "--json")
    assert (told.code, len(json.loads(told.out)["problems"])) == (2, 4)
    assert cli("rules", "list").code == 2


@pytest.mark.parametrize("name", ["nowhere.yml", "."])
def test_a_rules_file_that_cannot_be_read_is_named(cli: Cli, name: str) -> None:
    ended = cli("rules", "check", name)
    assert (ended.code, f"wirewatch: {name}: 1 problem\n  {name}: cannot be read: " in ended.err) == (2, True)


def test_unknown_channels_are_named_beside_what_else_is_wrong(cli: Cli) -> None:
    rules(cli, "- id: ferry\n  query: ferry\n  channels: [smoke]\n- id: other\n  query: '('\n")
    for words in (["rules", "check"], ["doctor"]):
        ended = cli(*words)
        assert "rule ferry: the channel 'smoke' is not set up" in ended.out + ended.err
        assert "rule other: query" in ended.out + ended.err
    cli.environment |= {"WIREWATCH_WEBHOOK_URL": "https://hook.example/", "WIREWATCH_WEBHOOK_SECRET": "x"}
    ended = cli("rules", "check")
    assert (ended.code, "A webhook's secret must be" in ended.err, "rule other: query" in ended.err) == (2, True, True)


def test_rules_are_listed_with_the_file_they_are_in(cli: Cli) -> None:
    path = rules(cli, "- id: ferry\n  query: ferry\n")
    assert cli("rules", "list").err == f"rules of {path}\n"
    cli.data.mkdir()
    (cli.data / DEMO_MARK).touch()
    assert f"rules of {path}; while the demo runs in this data folder, those of" in cli("rules", "list").err


def test_alerts_are_listed_newest_first_and_by_rule(filled: Cli) -> None:
    (alert,) = filled("alerts", "list", "--json").lines
    assert (alert["rule"], alert["rule_name"]) == ("hezbollah", "Hezbollah")
    assert filled("alerts", "list").out.split("\t")[1] == "hezbollah"
    assert filled("alerts", "list", "--rule", "nope").err == "No alerts of rule “nope” yet.\n"


def test_a_dead_letter_is_listed_shown_and_replayed(cli: Cli) -> None:
    cli("setup")
    assert cli("dead", "list").err == "No dead letters.\n"
    bury(cli)
    (letter,) = cli("dead", "list", "--json").lines
    place = str(letter["place"])
    assert (place, letter["step"], letter["reason"], letter["key"]) == (
        "articles.raw.dead/0/0", "enrich", "not an article", KEY,
    )  # fmt: skip
    assert cli("dead", "list").out.startswith(f"{place}\t")
    shown = cli("dead", "show", place)
    assert "not  [2J JSON" in shown.out  # the escape character cannot steer the terminal
    assert json.loads(cli("dead", "show", place, "--json").out)["value"] == "not \x1b[2J JSON"
    assert json.loads(cli("status", "--json").out)["dead_letters"] == 1

    assert cli("dead", "replay").err == "replayed 1\n"
    assert cli("dead", "list").err == "No dead letters.\n"
    assert len(cli("dead", "list", "--all", "--json").lines) == 1
    assert cli("enrich", "--once").code == 0
    assert [again["place"] for again in cli("dead", "list", "--json").lines] == ["articles.raw.dead/0/1"]
    assert cli("dead", "replay", "articles.raw.dead/0/1").err == "replayed 1\n"


@pytest.mark.parametrize("place", ["x", "articles.raw/0/0", "articles.raw.dead/0/7", "articles.raw.dead/0/-1", "//"])
def test_a_place_without_a_dead_letter_is_a_usage_error(cli: Cli, place: str) -> None:
    cli("setup")
    for verb in ("show", "replay"):
        ended = cli("dead", verb, place)
        assert (ended.code, ended.out, "dead list" in ended.err) == (2, "", True)


def test_status_counts_every_step(filled: Cli) -> None:
    report = json.loads(filled("status", "--json").out)
    by_name = {step["name"]: step for step in report["steps"]}
    assert {name: step["waiting"] for name, step in by_name.items()} == dict.fromkeys(by_name, 0)
    assert by_name["settle"]["outcomes"] == {"published": 3}
    assert (report["dead_letters"], report["writers"]) == (0, {"settle": None, "index": None})
    assert filled("status").out.splitlines()[1] == "settle\t0 waiting\tpublished 3"


def test_the_doctor_looks_at_everything_and_says_what_to_do(filled: Cli) -> None:
    ended = filled("doctor", "--json")
    findings = {one["what"]: one for one in ended.lines}
    assert ended.code == 0
    assert {"python", "sqlite", "packages", "disk", "data folder", "feeds.opml", "rules.yml", "entities", "stages",
            "channels", "watch", "broker", "state", "pages", "index", "contact"} == set(findings)  # fmt: skip
    assert findings["contact"]["verdict"] == "warning"
    assert findings["contact"]["next"].startswith("set WIREWATCH_CONTACT")
    filled.environment = {"WIREWATCH_CONTACT": "mailto:desk@example.org"}
    assert all(line.startswith("ok\t") for line in filled("doctor").out.splitlines())


def test_the_doctor_reads_the_names_of_ones_own_and_says_what_is_wrong_with_them(filled: Cli) -> None:
    names = rules(filled, "").parent / "entities"
    names.mkdir()
    (names / "own.csv").write_text("kind,name\norganisation,Sampleton Ferries\n", "utf-8")
    (found,) = [one for one in filled("doctor", "--json").lines if one["what"] == "entities"]
    assert (found["verdict"], found["detail"]) == ("ok", f"1 name of your own in {names}")
    (names / "own.csv").write_text("kind,name\nship,Sampleton Ferries\n", "utf-8")
    (found,) = [one for one in filled("doctor", "--json").lines if one["what"] == "entities"]
    assert (found["verdict"], "own.csv:2: kind must be" in found["detail"]) == ("bad", True)
    ended = filled("enrich", "--once")
    assert ended.code != 0
    assert "own.csv:2: kind must be" in ended.err


def test_the_doctor_says_who_is_told_and_finds_what_keeps_the_watch_from_starting(filled: Cli) -> None:
    assert "ok\twatch\ttells log; no metrics, no heartbeat\n" in filled("doctor").out
    filled.environment = {"WIREWATCH_METRICS": "9100", "WIREWATCH_HEARTBEAT_URL": "https://beat.example/c4n4ry-1"}
    assert "ok\twatch\ttells log; metrics on 127.0.0.1:9100, a heartbeat\n" in filled("doctor").out
    for name, value, cause in (
        ("METRICS", "here", "must be host:port"), ("WATCH_CHANNELS", "log,webhook", "no channel “webhook” is set up"),
    ):  # fmt: skip
        filled.environment = {f"WIREWATCH_{name}": value}
        ended = filled("doctor")
        assert (ended.code, ended.err, cause in ended.out) == (1, "wirewatch: Not well: watch.\n", True)


def test_a_channel_that_is_not_set_up_is_found_before_an_alert_needs_it(cli: Cli) -> None:
    rules(cli, "- id: ferry\n  query: ferry\n  channels: [log, smoke]\n- id: quiet\n  query: x\n  channels: [smoke]\n"
               "  enabled: false\n")  # fmt: skip
    checked, examined = cli("rules", "check"), cli("doctor")
    said = "rule ferry: the channel 'smoke' is not set up; there are: log"
    assert (checked.code, said in checked.err, "quiet" in checked.err) == (2, True, False)
    assert (examined.code, said in examined.out, examined.err) == (1, True, "wirewatch: Not well: rules.yml.\n")


def test_the_doctor_needs_no_data_folder_and_makes_none(cli: Cli) -> None:
    ended = cli("doctor")
    assert ended.code == 0
    assert f"warning\tdata folder\t{cli.data} does not exist yet: `wirewatch run` makes it" in ended.out
    assert not cli.data.exists()


def test_the_doctor_finds_what_would_stop_a_run(filled: Cli) -> None:
    rules(filled, "- id: ferry\n")
    filled.environment |= {
        "WIREWATCH_STAGES": "claen", "WIREWATCH_WEBHOOK_URL": "https://hook.example/", "WIREWATCH_WEBHOOK_SECRET": "x",
    }  # fmt: skip
    (filled.data / "index" / "wirewatch-index.json").write_text('{"schema": 99}', "utf-8")
    with sqlite3.connect(filled.data / "broker.db") as log:
        log.execute("PRAGMA user_version = 99")
    log.close()
    ended = filled("doctor")
    assert ended.code == 1
    assert ended.err == "wirewatch: Not well: rules.yml, stages, channels, broker, index.\n"
    assert "did you mean “clean”?" in ended.out
    assert "written by a newer Wirewatch (schema 99, this one knows 1)" in ended.out


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("BROKER", "amqp://me:canary@rabbit:5672", "The broker cannot be amqp://…: this release knows sqlite:///"),
        ("INDEX", "solr://me:canary@solr:8983", "The index cannot be solr://…: this release knows tantivy:///"),
        ("STATE", "mysql://me:canary@db/x", "The state cannot be mysql://…: this release knows sqlite:///"),
        ("PAGES", "s3://canary", "The pages cannot be s3://…: this release knows file:///"),
        ("BROKER", "canary@kafka:9092", "The broker cannot be what it is set to, which is no URL"),
        ("STATE", "sqlite:///", "“sqlite:///” names no file; write it as sqlite:///folder/name."),
    ],
)
def test_a_part_that_there_is_not_is_answered_with_those_there_are(cli: Cli, name: str, value: str, said: str) -> None:
    cli("setup")
    cli.environment = {f"WIREWATCH_{name}": value}
    ended = cli("show", KEY)
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith(f"wirewatch: {said}")
    assert "canary" not in ended.err


@pytest.mark.parametrize("name", ["state.db", "broker.db"])
def test_a_damaged_file_is_named_and_left_as_it_is(filled: Cli, name: str) -> None:
    for path in filled.data.glob(f"{name}*"):
        path.write_bytes(b"garbage " * 1000)
    ended = filled("status")
    assert (ended.code, ended.out) == (1, "")
    assert str(filled.data / name) in ended.err
    assert ended.err.count("\n") == 1
    assert (filled.data / name).read_bytes() == b"garbage " * 1000


def test_which_page_failed_and_why_can_be_seen(filled: Cli) -> None:
    article = filled("search", "breakwater", "--json").lines[0]
    now = datetime(2026, 3, 1, tzinfo=UTC)
    with wiring.open_ports(load_settings(folder=filled.folder, environment={})) as ports:
        ports.state.save_feeds([Feed(id="f", url="https://harbour.example/feed")])
        ports.state.claim_due_feeds(now, 1, "h", 60, only=["f"])
        page = PageRequest(
            article_id=article["id"], url=f"{article['url']}?key=canary", host="harbour.example", article=b"x"
        )
        assert ports.state.save_poll(PollResult(feed_id="f", state=FeedState(last_polled=now), pages=(page,)), "h")
        ports.state.claim_pages(now, 1, "h", 60, 0)
        ports.state.finish_page(article["id"], "h", cause="HTTP 403 (after 5 attempts)")
    assert "pages\t\tfailed 1; --pages says why\n" in filled("status").out
    said = f"failed\tharbour.example\t1\tHTTP 403 (after 5 attempts)\t{article['id']}\n"
    assert filled("status", "--pages").out == said
    assert filled("status", "--pages", "--json").lines[0]["cause"] == "HTTP 403 (after 5 attempts)"
    assert "page  failed after 1 attempt: HTTP 403 (after 5 attempts)" in filled("show", article["id"]).out
