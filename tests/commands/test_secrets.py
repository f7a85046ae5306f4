"""A secret in a setting or an address never comes out again, whatever is asked and however it fails (fault row 25)."""

from __future__ import annotations

from base64 import b64encode
from contextlib import closing
from pathlib import Path

import pytest
from cli_parts import Cli
from stub_server import Answer, StubServer

from pipeline.adapters.sqlite_broker import SqliteBroker
from pipeline.dead import dead_letter
from pipeline.ports import Record
from pipeline.wiring import utc_now

SEED = Path(__file__).parent.parent / "data" / "seed-article.txt"
CANARY = "c4n4ry"
SECRET = b64encode(CANARY.encode() * 5).decode()
RULES = "- id: hezbollah\n  query: hezbollah\n  channels: [log, webhook]\n"


@pytest.fixture
def watched(cli: Cli) -> Cli:
    """A command line whose rule goes to a webhook with secrets wherever one can be."""
    config = cli.folder / "config"
    config.mkdir()
    (config / "rules.yml").write_text(RULES, "utf-8")
    cli.environment = {"WIREWATCH_CONFIG": str(config), "WIREWATCH_LOG_LEVEL": "debug"}
    return cli


@pytest.mark.parametrize(
    "url",
    [
        "http://me:{canary}@127.0.0.1:{port}/hook/{canary}?key={canary}",
        "http://127.0.0.1:{port}/{canary}?key={canary}#{canary}",
        "http://10.0.0.1/{canary}?key={canary}",
        "ftp://me:{canary}@hook.example/{canary}",
        "{canary}",
    ],
)
def test_a_webhooks_secrets_are_in_no_output(watched: Cli, url: str) -> None:
    with StubServer() as server:
        server.on("*", Answer(status=500, body=CANARY))
        secret = watched.folder / "secret"
        secret.write_text(f"whsec_{SECRET}\n", "utf-8")
        watched.environment |= {
            "WIREWATCH_ALLOW_ADDRESSES": server.address,
            "WIREWATCH_WEBHOOK_URL": url.format(canary=CANARY, port=server.port),
            "WIREWATCH_WEBHOOK_SECRET_FILE": str(secret),
        }
        said = [
            watched(*words)
            for words in (
                ["ingest", SEED], ["alert", "--once"], ["doctor"], ["status", "--json"],
                ["alerts", "list", "--json"], ["dead", "list", "--json"],
            )
        ]  # fmt: skip
    everything = "".join(one.out + one.err for one in said)
    assert "hezbollah" in everything
    assert CANARY not in everything
    assert SECRET not in everything


@pytest.mark.parametrize("secret", [CANARY, f"whsec_{CANARY}", f"whsec_{CANARY}=="])
def test_a_secret_that_cannot_be_used_is_not_shown(watched: Cli, secret: str) -> None:
    watched.environment |= {"WIREWATCH_WEBHOOK_URL": "https://hook.example/", "WIREWATCH_WEBHOOK_SECRET": secret}
    for words in (["doctor", "--json"], ["ingest", SEED], ["run", "--seconds", "0"]):
        ended = watched(*words)
        assert ended.code in {1, 2}
        assert CANARY not in ended.out + ended.err


@pytest.mark.parametrize("name", ["webhook_secret", "broker", "stages", "poll_batch", "webhok_secret"])
def test_a_setting_of_the_wrong_type_is_named_without_its_value(watched: Cli, name: str) -> None:
    (watched.folder / "wirewatch.toml").write_text(f"{name} = {{key = '{CANARY}'}}\n", "utf-8")
    ended = watched("doctor")
    assert (ended.code, name in ended.err) == (2, True)
    assert CANARY not in ended.out + ended.err


SETTINGS = {
    "STATE": "postgresql://me:{canary}@127.0.0.1:1/news?sslpassword={canary}",
    "INDEX": "http://elastic:{canary}@127.0.0.1:1/?api_key={canary}",
    "BROKER": "kafak://me:{canary}@127.0.0.1:1",
    "PAGES": "s3://me:{canary}@bucket/{canary}",
    "WEBHOOK_URL": "https://me:{canary}@10.0.0.1/services/{canary}?key={canary}",
    "HEARTBEAT_URL": "http://10.0.0.1/{canary}?token={canary}",
    "INDEX_API_KEY": "{canary}",
    "WEBHOOK_SECRET": "{canary}",
}
COMMANDS = (
    ["doctor", "--json"], ["status", "--json"], ["search", "qaani", "--json"], ["watch", "--once", "--json"],
    ["setup", "--json"],
)  # fmt: skip
"""None that waits for a neighbour: `ingest` and the steps rightly do so without end."""
READABLE = "c4n4ry-d0-n0t-sh0w"


LEVELS = [("STATE", level, form) for level in ("info", "warning", "error") for form in ("text", "json")]
"""What debug shows includes what these show, so that one setting is enough for them."""


@pytest.mark.parametrize(
    ("name", "level", "log_format"),
    [(name, "debug", form) for name in SETTINGS for form in ("text", "json")] + LEVELS,
)
def test_no_setting_that_holds_a_secret_comes_out_of_any_command_at_any_level(
    filled: Cli, name: str, level: str, log_format: str
) -> None:
    config = filled.folder / "config"
    config.mkdir()
    (config / "rules.yml").write_text(RULES, "utf-8")
    (config / "feeds.opml").write_text("<opml version='2.0'><body/></opml>", "utf-8")
    filled.environment = {
        "WIREWATCH_CONFIG": str(config), "WIREWATCH_LOG_LEVEL": level, "WIREWATCH_LOG_FORMAT": log_format,
        f"WIREWATCH_{name}": SETTINGS[name].format(canary=READABLE),
    }  # fmt: skip
    if name == "WEBHOOK_SECRET":
        filled.environment["WIREWATCH_WEBHOOK_URL"] = "https://hook.example/"
    for words in COMMANDS:
        ended = filled(*words)
        assert READABLE not in ended.out + ended.err, words


def test_a_secret_in_the_cause_of_a_fault_is_not_kept_in_a_dead_letter(filled: Cli) -> None:
    record = Record(topic="articles.raw", partition=0, offset=0, key="k", value=b"{}", timestamp=utc_now())
    detail = f"cannot fetch https://me:{CANARY}@feeds.example/x?api_key={CANARY}"
    letter = dead_letter(record, step="enrich", reason="bad", detail=detail, at=utc_now())
    with closing(SqliteBroker(filled.data / "broker.db", clock=utc_now)) as broker:
        assert broker.publish([letter]) == [None]
    for words in (["dead", "list", "--json"], ["dead", "list"], ["dead", "show", "articles.raw.dead/0/0"]):
        ended = filled(*words)
        assert (ended.code, "cannot fetch https://[hidden]@feeds.example" in ended.out) == (0, True), ended.err
        assert CANARY not in ended.out + ended.err


@pytest.mark.parametrize("url", ["ftp://me:{canary}@feeds.example/", "https://{canary}@f/"])
def test_a_feeds_address_that_is_refused_is_not_repeated_with_its_login(cli: Cli, url: str) -> None:
    ended = cli("feeds", "add", url.format(canary=CANARY))
    assert ended.code == 2
    assert f"{CANARY}@" not in ended.err


def test_the_key_in_a_feeds_address_is_in_no_line_about_its_polls(watched: Cli) -> None:
    with StubServer() as server:
        server.on("*", Answer(status=500, body=CANARY))
        watched.environment["WIREWATCH_ALLOW_ADDRESSES"] = server.address
        watched("feeds", "add", server.url(f"/{CANARY}?key={CANARY}"))
        ended = watched("poll", "--once")
    assert "feed polled" in ended.err
    assert CANARY not in ended.out + ended.err
