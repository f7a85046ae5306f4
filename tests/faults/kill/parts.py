"""The parts that a Wirewatch under test stands on: the embedded ones, or a real cluster."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Protocol

import pytest
from faults.kill.files import Files
from faults.kill.holdings import Holdings


class Parts(Protocol):
    """What a world needs to know of the parts below it."""

    settings: Mapping[str, Any]
    """The settings that name them."""

    def holdings(self, data: Path) -> Holdings:
        """Return what looks into broker and state."""
        ...

    def show_all(self) -> None:
        """See to it that whoever searches from now on finds everything that was written."""
        ...

    def mapping(self, data: Path) -> Any:
        """Return the fields of the index as it has them itself."""
        ...


class Embedded:
    """Files in the data folder."""

    settings: Mapping[str, Any] = {"index_heap_mb": 15}

    def holdings(self, data: Path) -> Holdings:
        return Files(data)

    def show_all(self) -> None:
        """Nothing: readers see each commit."""

    def mapping(self, data: Path) -> Any:
        return json.loads((data / "index" / "meta.json").read_bytes())["schema"]


EMBEDDED = Embedded()


@contextmanager
def cluster(kafka: str, elasticsearch: str, postgres: str) -> Iterator[Parts]:
    """Yield a cluster with empty topics, a database and an index prefix of its own; what was made is removed."""
    from faults.kill.cluster import Cluster  # its clients are extras of Wirewatch, and embedded tests need none

    with closing(Cluster(kafka, elasticsearch, postgres)) as made:
        yield made


@contextmanager
def parts_named(request: pytest.FixtureRequest) -> Iterator[Parts]:
    """Yield the parts that a fixture's parameter names: the embedded ones, or a cluster that nobody has used before."""
    if request.param == "embedded":
        yield EMBEDDED
        return
    servers = [request.getfixturevalue(name) for name in ("kafka", "elasticsearch", "postgres")]
    with cluster(*servers) as made:
        yield made
