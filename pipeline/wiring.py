"""Wiring: the only place that names adapters. Settings in, opened ports out.

An adapter is imported when a setting names it, so the embedded parts never import a cluster's client.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from msgspec import Struct

from pipeline.errors import DataFolderError, MissingExtra, UsageError
from pipeline.failpoint import fail_point_from
from pipeline.ports import Broker, Channel, Clock, Http, Pages, SearchIndex, State
from pipeline.settings import Settings, shipped_config

if TYPE_CHECKING:
    from pipeline.adapters.elasticsearch_index import ElasticsearchIndex


class Ports(Struct, frozen=True):
    """What the steps of one thread work with."""

    settings: Settings
    broker: Broker
    state: State
    pages: Pages
    clock: Clock
    holder: str
    """Name of this thread in leases and claims."""
    reach: Callable[[str], None]


def utc_now() -> datetime:
    """The clock of everything that is not a test."""
    return datetime.now(UTC)


def create_data_folder(settings: Settings) -> None:
    """Make the data folder. What brings something in does this; elsewhere a mistyped folder is an error."""
    try:
        settings.data_folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataFolderError(f"The data folder {settings.data_folder} cannot be made: {error.strerror}.") from None


def require_data_folder(settings: Settings) -> None:
    """Raise ``DataFolderError`` when there is no data folder yet and something embedded would live in it."""
    embedded = not (settings.broker and settings.state and settings.index and settings.pages)
    if embedded and not settings.data_folder.is_dir():
        raise DataFolderError(
            f"There is no data folder at {settings.data_folder}. Start with `wirewatch run`, `wirewatch ingest` or "
            "`wirewatch demo`, or name another folder with --data."
        )


@contextmanager
def open_ports(settings: Settings, *, clock: Clock = utc_now, member: str = "") -> Iterator[Ports]:
    """Open broker, state and pages for the calling thread, create topics, and close all in the end.

    Raises:
        UsageError: a setting names an adapter that does not exist or is not installed.
        DataFolderError: the data folder is missing, damaged, read-only or of a newer version.
    """
    from pipeline import topics
    from pipeline.adapters.processes import holder_name

    require_data_folder(settings)
    state = open_state(settings)
    try:
        broker = open_broker(settings, clock)
        try:
            broker.create_topics(topics.ALL)
            yield Ports(
                settings=settings,
                broker=broker,
                state=state,
                pages=open_pages(settings),
                clock=clock,
                holder=holder_name(member),
                reach=fail_point_from(os.environ),
            )
        finally:
            broker.close()
    finally:
        state.close()


def open_broker(settings: Settings, clock: Clock) -> Broker:
    """Open the broker that the settings name."""
    url = settings.broker or f"sqlite:///{settings.data_folder / 'broker.db'}"
    if _scheme(url) == "sqlite":
        from pipeline.adapters.sqlite_broker import SqliteBroker

        return SqliteBroker(_path(settings, url), clock=clock, lease_seconds=settings.group_lease_seconds)
    if _scheme(url) == "kafka":
        try:
            from pipeline.adapters.kafka_broker import KafkaBroker, parse_location
        except ImportError as error:
            raise MissingExtra(
                f"Kafka needs the package {error.name}, which is not installed: pip install 'wirewatch[kafka]'."
            ) from None
        return KafkaBroker(parse_location(url), clock=clock, lease_seconds=settings.group_lease_seconds)
    raise _unknown("broker", url, "sqlite:///path/broker.db", "kafka://host:9092")


def backup_broker(settings: Settings, path: Path) -> None:
    """Copy the embedded broker's log, consistently, while others write to it. A cluster's log is backed up there."""
    url = settings.broker or f"sqlite:///{settings.data_folder / 'broker.db'}"
    if _scheme(url) == "sqlite":
        with closing(sqlite3.connect(_path(settings, url))) as source, closing(sqlite3.connect(path)) as target:
            source.backup(target)


def open_state(settings: Settings) -> State:
    """Open the state that the settings name, and bring its tables up to this release."""
    url = settings.state or f"sqlite:///{settings.data_folder / 'state.db'}"
    if _scheme(url) == "sqlite":
        from pipeline.adapters.sql_state import SqlState

        return SqlState.open(f"sqlite:///{_path(settings, url)}", migrate=True)
    if _scheme(url) in {"postgresql", "postgres"}:
        from pipeline.adapters.sql_state import SqlState

        return SqlState.open(url, migrate=True)
    raise _unknown("state", url, "sqlite:///path/state.db", "postgresql://user@host/database")


def open_index(settings: Settings, *, writer: bool) -> SearchIndex:
    """Open the search index to read, or to write; only the holder of the index lease writes."""
    url = settings.index or f"tantivy:///{settings.data_folder / 'index'}"
    if _scheme(url) == "tantivy":
        from pipeline.adapters.tantivy_index import TantivyIndex

        return TantivyIndex(_path(settings, url), writer=writer, heap_bytes=settings.index_heap_mb * 1_000_000)
    if _scheme(url) in {"http", "https"}:
        return _elasticsearch(settings)
    raise _unknown("index", url, "tantivy:///path/index", "http(s)://host:9200")


def set_up_index(settings: Settings, clock: Clock) -> None:
    """Install the templates of Elasticsearch and make its next two months; the embedded index needs no such thing.

    Raises:
        TryLater, WirewatchError: the cluster cannot, or will not.
    """
    if settings.index and _scheme(settings.index) in {"http", "https"}:
        with closing(_elasticsearch(settings)) as index:
            index.setup(clock())


def _elasticsearch(settings: Settings) -> ElasticsearchIndex:
    try:
        from pipeline.adapters.elasticsearch_index import Access, ElasticsearchIndex, IndexSettings
    except ModuleNotFoundError as error:
        if error.name not in {"elasticsearch", "elastic_transport"}:
            raise
        raise MissingExtra(
            "The index is set to an Elasticsearch, and its client is not installed. "
            "Run: pip install 'wirewatch[elasticsearch]'."
        ) from None
    own = settings.config_folder / "elasticsearch"
    return ElasticsearchIndex(
        settings.index,
        templates=own if own.is_dir() else shipped_config() / "elasticsearch",
        access=Access(
            api_key=settings.index_api_key.get_secret_value(),
            ca_file=str(settings.folder / settings.index_ca) if settings.index_ca else "",
        ),
        prefix=settings.index_prefix,
        settings=IndexSettings(
            shards=settings.index_shards,
            replicas=settings.index_replicas,
            refresh_seconds=settings.index_refresh_seconds,
        ),
    )


def open_pages(settings: Settings) -> Pages:
    """Open the page store that the settings name."""
    from pipeline.adapters.pages import FolderPages

    url = settings.pages or f"file:///{settings.data_folder / 'pages'}"
    if _scheme(url) == "file":
        return FolderPages(_path(settings, url))
    raise _unknown("pages", url, "file:///path/pages")


def open_http(settings: Settings) -> Http:
    """Open the door for outgoing requests; call it inside a running event loop and close it there."""
    from pipeline.adapters.http import HttpDoor

    return HttpDoor(user_agent=user_agent(settings), allowed=settings.allow_addresses)


def user_agent(settings: Settings) -> str:
    """Say honestly who asks, and where its operator can be reached."""
    contact = f" (+{settings.contact})" if settings.contact else ""
    return f"Wirewatch/{version('wirewatch')}{contact}"


def open_channels(settings: Settings, http: Http, clock: Clock) -> Mapping[str, Channel]:
    """Return the channels that are set up, by the name that rules use."""
    from pipeline.adapters.channels import LogChannel, WebhookChannel

    channels: dict[str, Channel] = {"log": LogChannel()}
    if settings.webhook_url:
        secret = settings.webhook_secret.get_secret_value()
        channels["webhook"] = WebhookChannel(settings.webhook_url, secret, http=http, clock=clock)
    return channels


def check_channels(settings: Settings) -> list[str]:
    """Return the names of the channels that are set up; nothing is sent. Raises ``UsageError`` as opening them does."""

    async def look() -> list[str]:
        http = open_http(settings)
        try:
            return list(open_channels(settings, http, utc_now))
        finally:
            await http.close()

    return asyncio.run(look())


def _scheme(url: str) -> str:
    return urlsplit(url).scheme.lower()


def _path(settings: Settings, url: str) -> Path:
    """``sqlite:///a/b`` is relative to the folder of wirewatch.toml, ``sqlite:////a/b`` is absolute."""
    rest = url.partition("://")[2]
    path = rest.removeprefix("/")
    if not path:
        raise UsageError(f"“{url}” names no file; write it as {_scheme(url)}:///folder/name.")
    return (settings.folder / path).resolve()


def _unknown(port: str, url: str, *known: str) -> UsageError:
    # Never more of it than the scheme: the rest may hold a password.
    shown = f"{_scheme(url)}://…" if "://" in url and _scheme(url) else "what it is set to, which is no URL"
    return UsageError(f"The {port} cannot be {shown}: this release knows {' and '.join(known)}.")
