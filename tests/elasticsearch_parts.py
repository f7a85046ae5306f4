"""Elasticsearch indices for tests: each its own prefix on the shared server, removed in the end."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

from elasticsearch import Elasticsearch

from pipeline.adapters.elasticsearch_index import ElasticsearchIndex, IndexSettings
from pipeline.adapters.elasticsearch_index.connection import Access, Connection
from pipeline.adapters.elasticsearch_index.months import Months

TEMPLATES = Path(__file__).parents[1] / "config" / "elasticsearch"
SETTINGS = IndexSettings(shards=1, replicas=0, refresh_seconds=60)
"""A refresh later than any test, so that nothing is found by luck."""


@contextmanager
def installed_prefix(url: str) -> Iterator[str]:
    """Yield a prefix with its templates in place; remove all under it."""
    prefix = f"test-{uuid4().hex[:12]}"
    connection = Connection(url, Access())
    try:
        Months(connection, prefix, TEMPLATES).install(SETTINGS)
        yield prefix
    finally:
        connection.close()
        remove_indices(url, prefix)
        remove_templates(url, prefix)


@contextmanager
def elasticsearch_index(url: str, prefix: str, **options: Any) -> Iterator[ElasticsearchIndex]:
    """Yield an index under ``prefix`` at ``url``; what was written is removed."""
    index = ElasticsearchIndex(url, templates=TEMPLATES, prefix=prefix, **options)
    try:
        yield index
    finally:
        index.close()
        remove_indices(url, prefix)


def remove_indices(url: str, prefix: str) -> None:
    """Delete the indices of ``prefix``."""
    with Elasticsearch(url) as client:
        if found := list(client.indices.get_alias(index=f"{prefix}-articles-*").body):
            client.indices.delete(index=found)


def remove_templates(url: str, prefix: str) -> None:
    """Delete the templates of ``prefix``."""
    with Elasticsearch(url) as plain:
        client = plain.options(ignore_status=404)
        client.indices.delete_index_template(name=f"{prefix}-articles")
        for part in ("settings", "mappings"):
            client.cluster.delete_component_template(name=f"{prefix}-articles-{part}")
