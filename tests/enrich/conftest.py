"""Tools as the enrich step has them, loaded once."""

from __future__ import annotations

import pytest

from pipeline.enrich.tools import Tools
from pipeline.ingest.memory_pages import MemoryPages


@pytest.fixture(scope="session")
def tools() -> Tools:
    return Tools(pages=MemoryPages())


# Hypothesis writes out the fields of what it was given, and the models are 60 MB of them.
Tools._repr_pretty_ = lambda self, printer, cycle: printer.text(repr(self))  # type: ignore[attr-defined]
