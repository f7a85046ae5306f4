"""Real servers for the tests that want them: one each a test session, shared by all its workers."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from faults.kill.parts import Parts, parts_named
from services.java import Missing
from services.shared import running


@pytest.fixture(scope="session")
def services_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that all workers of this test session know."""
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent
    return folder / "services"


@pytest.fixture(scope="session")
def kafka(services_folder: Path) -> Iterator[str]:
    """The address of a Kafka broker, ``host:port``."""
    with ExitStack() as stack:
        yield _address(stack, "kafka", services_folder)


@pytest.fixture(scope="session")
def elasticsearch(services_folder: Path) -> Iterator[str]:
    """The address of an Elasticsearch, ``http://host:port``."""
    with ExitStack() as stack:
        yield _address(stack, "elasticsearch", services_folder)


@pytest.fixture(scope="session")
def postgres(services_folder: Path) -> Iterator[str]:
    """The address of a PostgreSQL on which databases may be made, ``postgresql://user@host:port/postgres``."""
    with ExitStack() as stack:
        yield _address(stack, "postgres", services_folder)


def _address(stack: ExitStack, name: str, folder: Path) -> str:
    """Return where the server is; without what it needs, skip here, and fail where everything must be tested."""
    try:
        return stack.enter_context(running(name, folder))
    except Missing as missing:
        if os.environ.get("CI") == "true":
            pytest.fail(f"{name}: {missing}")
        pytest.skip(f"{name}: {missing}")


@pytest.fixture(params=["embedded", "cluster"])
def parts(request: pytest.FixtureRequest) -> Iterator[Parts]:
    """What a Wirewatch under test stands on: each test that asks for it runs on both."""
    with parts_named(request) as named:
        yield named


SERVICES = frozenset({"kafka", "elasticsearch", "postgres", "cluster"})


SOCKET_OF_A_CLOSED_CLIENT = "ignore:unclosed <socket:ResourceWarning"
"""kafka-python 3.0.12 forgets the socket of a connection that is just being made when its client is closed."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what needs a real server, by fixture or by parameter: these run one after the other, by themselves."""
    for item in items:
        callspec = getattr(item, "callspec", None)
        given = {value for value in callspec.params.values() if isinstance(value, str)} if callspec else set()
        if SERVICES & (given | set(getattr(item, "fixturenames", ()))):
            item.add_marker(pytest.mark.services)
            item.add_marker(pytest.mark.filterwarnings(SOCKET_OF_A_CLOSED_CLIENT))
