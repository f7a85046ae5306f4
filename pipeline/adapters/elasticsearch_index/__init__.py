"""The search index on Elasticsearch 9: one index a month, written by versions, over the templates in ``config``."""

from pipeline.adapters.elasticsearch_index.connection import Access
from pipeline.adapters.elasticsearch_index.index import ElasticsearchIndex
from pipeline.adapters.elasticsearch_index.months import IndexSettings

__all__ = ["Access", "ElasticsearchIndex", "IndexSettings"]
