"""Secrets and certificates as init.sh makes them, and a server that shows one of the certificates."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from container_files import certificate_of_elasticsearch, initialised
from stub_server import StubServer


@pytest.fixture(scope="session")
def container_secrets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of secrets that init.sh made."""
    return initialised(tmp_path_factory.mktemp("containers")) / "secrets"


@pytest.fixture
def tls_server(container_secrets: Path) -> Iterator[StubServer]:
    """A server with Elasticsearch's certificate, for ``localhost``."""
    with StubServer(certificate_of_elasticsearch(container_secrets)) as server:
        yield server
