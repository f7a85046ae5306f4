"""A secret in a setting or an address never comes out again, whatever is asked and however it fails (fault row 25)."""

from __future__ import annotations

from base64 import b64encode
from pathlib import Path

import pytest
from cli_parts import Cli
from stub_server import Answer, StubServer

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
