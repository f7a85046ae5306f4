"""The servers that tests stand on."""

from __future__ import annotations

import json
import urllib.request

import psycopg
from kafka import KafkaAdminClient


def test_kafka_answers(kafka: str) -> None:
    admin = KafkaAdminClient(bootstrap_servers=kafka)
    assert admin.describe_cluster()["brokers"]
    admin.close()


def test_elasticsearch_answers_and_knows_the_languages(elasticsearch: str) -> None:
    request = urllib.request.Request(
        f"{elasticsearch}/_analyze",
        data=json.dumps({"analyzer": "english", "text": "The ferries were sinking"}).encode(),
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request) as answer:
        tokens = [token["token"] for token in json.load(answer)["tokens"]]
    assert tokens == ["ferri", "were", "sink"]


def test_postgres_answers(postgres: str) -> None:
    with psycopg.connect(postgres) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
