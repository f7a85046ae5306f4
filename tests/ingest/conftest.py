"""A clock, a place for pages, and tools as preview has them, loaded once."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from pipeline.enrich.tools import Tools
from pipeline.ingest.memory_pages import MemoryPages


@pytest.fixture(scope="session")
def tools() -> Tools:
    return Tools(pages=MemoryPages())


@pytest.fixture
def now() -> datetime:
    return datetime(2026, 3, 1, 12, tzinfo=UTC)
