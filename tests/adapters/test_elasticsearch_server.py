"""The Elasticsearch index on a real server: its indices and templates, and the faults that only a real one has."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from typing import Any, get_args

import pytest
from elasticsearch import Elasticsearch
from elasticsearch_parts import SETTINGS, TEMPLATES, elasticsearch_index, installed_prefix, remove_templates

from pipeline.adapters.elasticsearch_index import ElasticsearchIndex, IndexSettings, pages
from pipeline.adapters.elasticsearch_index.document import ANALYSED_LANGUAGES, build_document
from pipeline.article import Article
from pipeline.errors import TryLater, WirewatchError
from pipeline.ports import IndexDelete, Sort
from pipeline.query.fields import exact_field, microseconds_field, tokens_field
from pipeline.query.tree import DateField, Everything, IdField, Not, Or, Query, TextField, Words

NOON = datetime(2024, 3, 15, 12, tzinfo=UTC)
DECEMBER = datetime(2024, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)


@pytest.fixture(scope="module")
def prefix(elasticsearch: str) -> Iterator[str]:
    with installed_prefix(elasticsearch) as prefix:
        yield prefix


@pytest.fixture
def index(elasticsearch: str, prefix: str) -> Iterator[ElasticsearchIndex]:
    with elasticsearch_index(elasticsearch, prefix, sleep=lambda _: None) as opened:
        yield opened


@pytest.fixture
def client(elasticsearch: str) -> Iterator[Elasticsearch]:
    with Elasticsearch(elasticsearch) as client:
        yield client


def article(article_id: str, **fields: Any) -> Article:
    return Article(**{"id": article_id, "first_seen": NOON, "version": 1, "title": article_id} | fields)


# --- months and templates ---------------------------------------------------------------------------------------------


def test_setup_makes_this_month_and_the_next_and_may_be_run_again(
    index: ElasticsearchIndex, client: Elasticsearch, prefix: str
) -> None:
    for _ in range(2):
        index.setup(DECEMBER)
    assert set(client.indices.get_alias(index=f"{prefix}-articles-*").body) == {
        f"{prefix}-articles-2024-12-000001",
        f"{prefix}-articles-2025-01-000001",
    }
    assert index.months() == []


def test_the_settings_count_for_months_made_after_them(elasticsearch: str, client: Elasticsearch) -> None:
    two = IndexSettings(shards=2, replicas=0, refresh_seconds=1.5)
    with elasticsearch_index(elasticsearch, "test-two", settings=two) as index:
        index.setup(DECEMBER)
        found = client.indices.get_settings(index="test-two-articles-2024-12")
    remove_templates(elasticsearch, "test-two")
    settings = next(iter(found.body.values()))["settings"]["index"]
    assert settings["number_of_shards"] == "2"
    assert settings["refresh_interval"] == "1500ms"


def test_without_templates_nothing_is_written_and_the_command_is_named(
    elasticsearch: str, client: Elasticsearch
) -> None:
    with elasticsearch_index(elasticsearch, "test-bare") as bare:
        with pytest.raises(WirewatchError, match="wirewatch setup"):
            bare.write([article("a")])
        assert client.indices.get(index="test-bare-articles-*").body == {}
        assert bare.search(Everything()).total == 0
        assert bare.count_by(Everything(), "outlet") == []
        assert bare.get("a") is None


def test_templates_of_an_older_release_are_not_written_over(elasticsearch: str, client: Elasticsearch) -> None:
    with elasticsearch_index(elasticsearch, "test-older") as older:
        client.indices.put_index_template(name="test-older-articles", index_patterns=["test-older-articles-*"])
        with pytest.raises(WirewatchError, match="older than this release"):
            older.write([article("a")])
    remove_templates(elasticsearch, "test-older")


def test_an_index_of_other_fields_under_our_name_is_found_before_the_first_write(
    index: ElasticsearchIndex, client: Elasticsearch, prefix: str
) -> None:
    name = f"{prefix}-articles-2024-03"
    client.options(ignore_status=404).indices.create(
        index=f"{name}-000001", aliases={name: {}}, mappings={"properties": {"title": {"type": "keyword"}}}
    )
    client.indices.put_mapping(index=name, meta={"wirewatch_schema": 0})
    with pytest.raises(WirewatchError, match=f"{name}-000001 .* has other fields"):
        index.write([article("a")])


def test_an_index_in_the_place_of_an_alias_is_named(
    elasticsearch: str, client: Elasticsearch, index: ElasticsearchIndex, prefix: str
) -> None:
    name = f"{prefix}-articles-2024-03"
    client.indices.create(index=name)  # from our own template, so that its fields are right
    with pytest.raises(WirewatchError, match=f"{name} is an index where an alias should be"):
        index.write([article("a")])


def test_an_index_that_lost_its_alias_gets_it_back(
    index: ElasticsearchIndex, client: Elasticsearch, prefix: str
) -> None:
    index.write([article("a")])
    name = f"{prefix}-articles-2024-03"
    client.indices.delete_alias(index=f"{name}-000001", name=name)
    assert [outcome.status for outcome in index.write([article("b")])] == ["written"]
    assert index.search(Everything()).total == 2


def test_2000_unknown_keys_leave_the_mapping_as_it_was(
    index: ElasticsearchIndex, client: Elasticsearch, prefix: str
) -> None:
    index.write([article("a")])
    before = client.indices.get_mapping(index=f"{prefix}-articles-*").body
    index.write([article("b", extra={f"key {number}": {"deep": number} for number in range(2_000)})])
    assert client.indices.get_mapping(index=f"{prefix}-articles-*").body == before


def test_the_mapping_knows_every_field_that_is_written_and_asked() -> None:
    mappings = json.loads((TEMPLATES / "articles-mappings.json").read_text("utf-8"))["template"]["mappings"]
    fields = mappings["properties"]
    assert mappings["dynamic"] is False
    for language in ANALYSED_LANGUAGES:
        document = article("a", language=language, published=NOON, updated=NOON, family="f", story="s")
        derived = set(json.loads(build_document(document).source)) - set(Article.__struct_fields__)
        assert derived <= set(fields)
        assert derived <= set(mappings["_source"]["excludes"])
    assert ANALYSED_LANGUAGES == set(fields["title_in"]["properties"]) == set(fields["body_in"]["properties"])
    assert {tokens_field(field) for field in get_args(TextField)} <= set(fields)
    assert {exact_field(field) for field in get_args(IdField)} <= set(fields)
    assert {microseconds_field(field) for field in get_args(DateField)} <= set(fields)


# --- what is kept -----------------------------------------------------------------------------------------------------


def test_what_comes_back_is_the_article_to_the_last_digit(index: ElasticsearchIndex) -> None:
    extra = {
        "numbers": [0.1 + 0.2, 1e-300, 1.7976931348623157e308, -0.0, 2**63, -(2**63), 1.0, 0],
        "empty": {"": {}, "list": [], "none": None, "text": ""},
        "title_in": "a name of ours",
        "title_tokens": {"body_tokens": "and more of them"},
        "title_tokens.7": [{"sort_time": 1}],
        "text": '\0 \u2028 𠮷 \\ " \n',
    }
    odd = article("odd", extra=extra, published=datetime(1, 1, 1, tzinfo=UTC), language="de", html="<b>&amp;</b>")
    index.write([odd])
    assert index.get("odd") == odd
    assert index.search(Words("odd")).hits[0].article == odd


def test_kibana_finds_the_other_forms_of_a_word_in_its_language(
    index: ElasticsearchIndex, client: Elasticsearch, prefix: str
) -> None:
    index.write(
        [
            article("de", language="de", body="Die Häuser am Hafen"),
            article("en", language="en-GB", body="The ministers were talking"),
            article("no", language="no", body="Ministrene snakket"),
        ]
    )
    assert index.search(Everything()).total == 3
    asked = {"body_in.de": "haus", "body_in.en": "minister talk", "body": "ministrene"}
    found = {
        field: [
            hit["_id"] for hit in client.search(index=f"{prefix}-*", query={"match": {field: text}})["hits"]["hits"]
        ]
        for field, text in asked.items()
    }
    assert found == {"body_in.de": ["de"], "body_in.en": ["en"], "body": ["no"]}


# --- several processes ------------------------------------------------------------------------------------------------


def test_a_delete_finds_what_another_process_wrote_and_nothing_has_refreshed(
    index: ElasticsearchIndex, elasticsearch: str, prefix: str
) -> None:
    index.write([article("a"), article("b", first_seen=DECEMBER)])
    with closing(ElasticsearchIndex(elasticsearch, templates=TEMPLATES, prefix=prefix)) as other:
        assert other.get("b") is not None
        assert [outcome.status for outcome in other.write([IndexDelete("b"), IndexDelete("c")])] == ["updated", "older"]
    assert index.get("b") is None
    assert [hit.article.id for hit in index.search(Everything()).hits] == ["a"]


def test_an_older_form_that_comes_late_is_still_older_to_another_process(
    index: ElasticsearchIndex, elasticsearch: str, prefix: str
) -> None:
    index.write([article("a", version=7, title="newest")])
    with closing(ElasticsearchIndex(elasticsearch, templates=TEMPLATES, prefix=prefix)) as other:
        assert [outcome.status for outcome in other.write([article("a", version=6)])] == ["older"]
    assert index.search(Words("newest")).total == 1


# --- faults -----------------------------------------------------------------------------------------------------------


def test_a_full_disk_holds_the_batch_and_loses_nothing(
    index: ElasticsearchIndex, client: Elasticsearch, prefix: str
) -> None:
    """The block that Elasticsearch sets at its flood-stage watermark."""
    index.write([article("before")])
    block = {"index.blocks.read_only_allow_delete": True}
    client.indices.put_settings(index=f"{prefix}-articles-2024-03", settings=block)
    with pytest.raises(TryLater, match="cluster_block_exception") as held:
        index.write([article("during")])
    assert held.value.retry_seconds
    assert index.search(Everything()).total == 1
    client.indices.put_settings(
        index=f"{prefix}-articles-2024-03", settings={"index.blocks.read_only_allow_delete": None}
    )
    assert [outcome.status for outcome in index.write([article("during")])] == ["written"]
    assert index.search(Everything()).total == 2


def test_a_limit_of_shards_holds_the_batch_and_loses_nothing(elasticsearch: str) -> None:
    too_many = IndexSettings(shards=1_001, replicas=0)  # a node takes 1,000
    with elasticsearch_index(elasticsearch, "test-limit", settings=too_many) as index:
        with pytest.raises(TryLater, match=r"validation_exception.*shards") as held:
            index.setup(NOON)
        assert held.value.retry_seconds
        with pytest.raises(TryLater, match=r"validation_exception.*shards"):
            index.write([article("a")])
    with elasticsearch_index(elasticsearch, "test-limit", settings=SETTINGS) as index:
        index.setup(NOON)
        assert [outcome.status for outcome in index.write([article("a")])] == ["written"]
    remove_templates(elasticsearch, "test-limit")


def test_a_query_nested_too_deep_for_the_server_is_refused_in_words(index: ElasticsearchIndex) -> None:
    query: Query = Words("news")
    for number in range(40):
        query = Not(Or((query, Words(f"w{number}"))))
    index.write([article("a", title="news")])
    with pytest.raises(WirewatchError, match=r"refused the query.*nested"):
        index.search(query)


def test_scores_of_a_month_of_few_articles_mean_the_same_as_those_of_a_full_one(index: ElasticsearchIndex) -> None:
    index.write([article(f"other {number}", body="quite other words") for number in range(20)])
    index.write([article("full", body="rocket news"), article("few", body="rocket news", first_seen=DECEMBER)])
    full, few = index.search(Words("rocket")).hits
    assert full.score == few.score


# --- deep pages -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sort", ["relevance", "newest", "oldest"])
def test_pages_beyond_the_window_follow_the_ones_before(
    index: ElasticsearchIndex, monkeypatch: pytest.MonkeyPatch, sort: Sort
) -> None:
    months = (NOON, DECEMBER)  # two indices, the second with few articles: their scores must be comparable
    index.write(
        [
            article(f"{number:02}", title="news " * (1 + number % 3), first_seen=months[number % 5 == 4])
            for number in range(30)
        ]
    )
    whole = [hit.article.id for hit in index.search(Words("news"), sort=sort, limit=100).hits]
    assert len(whole) == 30
    monkeypatch.setattr(pages, "WINDOW", 10)
    monkeypatch.setattr(pages, "STEP", 4)
    for offset, limit in ((0, 30), (0, 9), (8, 7), (12, 5), (25, 100), (29, 1), (30, 5), (40, 5)):
        found = index.search(Words("news"), sort=sort, limit=limit, offset=offset)
        assert found.total == 30
        assert [hit.article.id for hit in found.hits] == whole[offset : offset + limit]
