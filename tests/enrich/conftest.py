"""Tools as the enrich step has them, loaded once."""

from __future__ import annotations

import pytest

from pipeline.enrich.tools import Tools
from pipeline.ingest.memory_pages import MemoryPages


@pytest.fixture(scope="session")
def tools() -> Tools:
    return Tools(pages=MemoryPages())
