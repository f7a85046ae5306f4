"""wirewatch alerts: what was raised, whether it has arrived, and how it can be sent again."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cli_parts import Cli
from stub_server import Answer, StubServer

SEED = Path(__file__).parent.parent / "data" / "seed-article.txt"
SECRET = "whsec_" + "YWJj" * 8


@pytest.fixture
def watched(cli: Cli) -> Cli:
    """A command line with a rule that goes to the log and to a webhook that nobody has set up."""
    config = cli.folder / "config"
    config.mkdir()
    (config / "rules.yml").write_text("- id: hezbollah\n  query: hezbollah\n  channels: [log, webhook]\n", "utf-8")
    cli.environment = {"WIREWATCH_CONFIG": str(config)}
    return cli


def set_up_hook(cli: Cli, server: StubServer) -> None:
    cli.environment |= {"WIREWATCH_WEBHOOK_URL": server.url("/hook"), "WIREWATCH_WEBHOOK_SECRET": SECRET}


def deliveries(cli: Cli) -> dict[str, str]:
    (alert,) = cli("alerts", "list", "--json").lines
    return {each["channel"]: each["status"] for each in alert["deliveries"]}


def test_an_alert_that_a_missing_setting_keeps_back_is_said_and_sent_once_it_is_there(watched: Cli) -> None:
    ended = watched("ingest", SEED)
    assert ended.code == 3
    assert "1 alert not delivered: webhook waiting: no channel “webhook” is set up; there are: log" in ended.err
    assert deliveries(watched) == {"log": "sent", "webhook": "waiting"}
    assert "log sent; webhook waiting: no channel “webhook” is set up" in watched("alerts", "list").out

    with StubServer() as server:
        set_up_hook(watched, server)
        (alert,) = watched("alerts", "list", "--json").lines
        assert watched("alerts", "resend", alert["id"]).err.startswith("1 delivery due now")
        assert watched("alert", "--once").code == 0  # but for an address that is not allowed
        assert deliveries(watched)["webhook"] == "waiting"
        assert "127.0.0.1 is an address of this machine" in watched("alerts", "list").out

        server.on("/hook", Answer(status=204))
        watched.environment["WIREWATCH_ALLOW_ADDRESSES"] = server.address
        assert watched("alerts", "resend", alert["id"]).code == 0
        assert watched("alert", "--once").code == 0
    assert deliveries(watched) == {"log": "sent", "webhook": "sent"}
    assert watched("alerts", "resend", alert["id"]).err.startswith("0 deliveries due now")


def test_what_was_given_up_is_put_back_by_one_word(watched: Cli) -> None:
    with StubServer() as server:
        set_up_hook(watched, server)
        watched.environment["WIREWATCH_ALLOW_ADDRESSES"] = server.address
        server.on("/hook", Answer(status=410))
        ended = watched("ingest", SEED)
        assert (ended.code, "answers 410, it wants no more" in ended.err) == (3, True)
        assert "failed 1, sent 1; `wirewatch alerts list` says why" in watched("status").out

        server.on("/hook", Answer(status=204))
        assert watched("alert", "--once").code == 0
        assert deliveries(watched)["webhook"] == "failed"
        assert watched("alerts", "resend", "--failed").err.startswith("1 delivery due now")
        assert watched("alert", "--once").code == 0
    assert json.loads(watched("status", "--json").out)["deliveries"] == {"waiting": 0, "sent": 2, "failed": 0}


@pytest.mark.parametrize("words", [[], ["--failed", "0" * 32], ["0" * 32]])
def test_what_cannot_be_sent_again_is_a_usage_error(watched: Cli, words: list[str]) -> None:
    watched("setup")
    assert watched("alerts", "resend", *words).code == 2
