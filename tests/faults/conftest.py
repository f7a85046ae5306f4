from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec

import pytest
from faults.kill.processes import Zygote

CLIENTS = ("kafka", "elasticsearch", "psycopg")
"""Of a cluster; extras of Wirewatch."""


@pytest.fixture(scope="session")
def zygote() -> Iterator[Zygote]:
    """Wirewatch as a process to fork from; it takes 2 s to start and is shared."""
    with Zygote(cluster=all(map(find_spec, CLIENTS))) as zygote:
        yield zygote
