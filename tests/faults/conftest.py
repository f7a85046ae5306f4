from __future__ import annotations

from collections.abc import Iterator

import pytest
from faults.kill.processes import Zygote


@pytest.fixture(scope="session")
def zygote() -> Iterator[Zygote]:
    """Wirewatch as a process to fork from; it takes 2 s to start and is shared."""
    with Zygote() as zygote:
        yield zygote
