"""The index that the settings name, when it is an Elasticsearch."""

from __future__ import annotations

import sys
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from elasticsearch_parts import remove_indices, remove_templates

from pipeline import wiring
from pipeline.article import Article
from pipeline.errors import MissingExtra, WirewatchError
from pipeline.query.tree import Words
from pipeline.settings import load_settings

NOON = datetime(2024, 3, 15, 12, tzinfo=UTC)
CANARY = "canary-51ab"


def test_what_setup_prepares_is_written_and_found_from_settings_alone(elasticsearch: str, tmp_path: Path) -> None:
    settings = load_settings(
        folder=tmp_path,
        environment={
            "WIREWATCH_INDEX": elasticsearch,
            "WIREWATCH_INDEX_PREFIX": "test-wiring",
            "WIREWATCH_INDEX_REPLICAS": "0",
        },
    )
    try:
        with closing(wiring.open_index(settings, writer=True)) as index:
            with pytest.raises(WirewatchError, match="wirewatch setup"):
                index.write([Article(id="a", first_seen=NOON, version=1, title="news")])
            wiring.set_up_index(settings, lambda: NOON)
            index.write([Article(id="a", first_seen=NOON, version=1, title="news")])
            assert index.search(Words("news")).total == 1
    finally:
        remove_indices(elasticsearch, "test-wiring")
        remove_templates(elasticsearch, "test-wiring")


def test_the_embedded_index_needs_no_setup(tmp_path: Path) -> None:
    wiring.set_up_index(load_settings(folder=tmp_path, environment={}), lambda: NOON)
    assert list(tmp_path.iterdir()) == []


def test_without_its_client_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith("pipeline.adapters.elasticsearch_index")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "elasticsearch", None)
    url = f"http://user:{CANARY}@host:9200"
    settings = load_settings(folder=tmp_path, environment={"WIREWATCH_INDEX": url})
    with pytest.raises(MissingExtra, match=r"wirewatch\[elasticsearch\]") as missing:
        wiring.open_index(settings, writer=False)
    assert CANARY not in str(missing.value)


def test_a_file_of_certificates_that_is_not_there_is_named(tmp_path: Path) -> None:
    environment = {
        "WIREWATCH_INDEX": "https://host:9200",
        "WIREWATCH_INDEX_API_KEY": CANARY,
        "WIREWATCH_INDEX_CA": "no-such.pem",
    }
    with pytest.raises(WirewatchError, match=r"no-such\.pem") as refused:
        wiring.open_index(load_settings(folder=tmp_path, environment=environment), writer=False)
    assert CANARY not in str(refused.value)
