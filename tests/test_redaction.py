"""Secrets are taken out of text, however they are written there, and nothing else is."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.redaction import Redactor, hide_in_urls, secrets_in
from pipeline.settings import load_settings

WAYS = {
    "as it is": str,
    "in a traceback": lambda secret: repr(ValueError(secret)),
    "in JSON": json.dumps,
    "in JSON with letters": lambda secret: json.dumps(secret, ensure_ascii=False),
    "in a path": lambda secret: f"https://x.example/{quote(secret)}/",
    "in a parameter": lambda secret: f"https://x.example/?k={quote_plus(secret)}",
    "in a login": lambda secret: f"https://me:{quote(secret, safe='')}@x.example/",
}
CANARY = "c4n4ry"


@pytest.mark.parametrize("way", WAYS)
@given(secret=st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S", "Zs")), min_size=4, max_size=40))
def test_a_known_secret_is_hidden_however_it_is_written(way: str, secret: str) -> None:
    written = WAYS[way](f"{CANARY}{secret}")
    assert CANARY not in Redactor([f"{CANARY}{secret}"])(f"before {written} after")


def test_a_secret_that_is_part_of_another_leaves_nothing_of_either() -> None:
    assert Redactor(["pass", "password-12"])("x password-12 y pass z") == "x [hidden] y [hidden] z"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("postgresql://me:c4n4ry@db.example/news away", "postgresql://[hidden]@db.example/news away"),
        ("https://c4n4ry@host/a", "https://[hidden]@host/a"),
        ("kafka://me:c4n4ry@a:9092,b:9092", "kafka://[hidden]@a:9092,b:9092"),
        ("url='https://u:c4n4ry@h/a' and http://v:c4n4ry@i", "url='https://[hidden]@h/a' and http://[hidden]@i"),
        ("GET https://feeds.example/x?api_key=c4n4ry&page=2", "GET https://feeds.example/x?api_key=[hidden]&page=2"),
        ("https://h/x?a=1&access_token=c4n4ry#t", "https://h/x?a=1&access_token=[hidden]#t"),
        ("https://h/x?sig=c4n4ry&password=c4n4ry", "https://h/x?sig=[hidden]&password=[hidden]"),
    ],
)
def test_logins_and_telling_parameters_of_any_url_are_hidden(text: str, shown: str) -> None:
    assert hide_in_urls(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "https://news.example/@editor/story-7?page=2#top", "mail desk@example.org about http://x.example/",
        "event='holding' step='index' cause='disk full'", "a?b=c", "key=value", "http://", "://@",
    ],
)  # fmt: skip
def test_what_holds_no_secret_stays_as_it_is(text: str) -> None:
    assert hide_in_urls(text) == text
    assert Redactor(["another-secret"])(text) == text


def test_hostile_text_takes_no_long_time_to_look_through() -> None:
    for piece in ("a://", "a" * 50, "?key", "://x:", "?key=" * 3):
        assert len(hide_in_urls(piece * 20_000)) > 0


def test_the_settings_know_all_their_secrets(tmp_path: Path) -> None:
    settings = load_settings(
        folder=tmp_path,
        environment={},
        broker="kafka://me:c4n4ry-1@kafka.example:9092",
        state="postgresql://me:c4n4ry%202@db.example/news?sslpassword=c4n4ry-3",
        index="https://elastic:c4n4ry-4@es.example:9200",
        webhook_url="https://hooks.example/services/T0c4n4ry5/alerts?key=c4n4ry-6",
        webhook_secret="c4n4ry-7",
        index_api_key="c4n4ry-8",
        heartbeat_url="https://beat.example/c4n4ry-9",
    )
    secrets = settings.secrets()
    found = [any(f"c4n4ry{text}" in secret for secret in secrets) for text in
             ("-1", "%202", "-3", "-4", "5", "-6", "-7", "-8", "-9")]  # fmt: skip
    assert all(found)
    shown = Redactor(secrets)("settled articles and alerts of news on db.example, services, me c4n4ry 2")
    assert shown == "settled articles and alerts of news on db.example, services, me [hidden]"


def test_without_secrets_in_the_settings_nothing_is_looked_for(tmp_path: Path) -> None:
    assert load_settings(folder=tmp_path, environment={}).secrets() == frozenset()


def test_a_name_without_a_password_is_an_ordinary_word() -> None:
    assert list(secrets_in("postgresql://wirewatch@127.0.0.1:5432/postgres")) == []
    assert "T0kenOf9Letters" in list(secrets_in("https://T0kenOf9Letters@hooks.example/x"))
    assert {"wirewatch:s3cret", "s3cret"} <= set(secrets_in("postgresql://wirewatch:s3cret@db/x"))
