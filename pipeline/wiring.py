"""Wiring: the only place that names adapters. Settings in, opened ports out.

An adapter is imported when a setting names it, so the embedded parts never import a cluster's client.
"""

from __future__ import annotations

import asyncio
import os
import re
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

import structlog
from msgspec import Struct

from pipeline import topics
from pipeline.access import Access, is_open_to_others, read_access, read_proxy
from pipeline.errors import DataFolderError, MissingExtra, NotSetUp, UsageError
from pipeline.failpoint import fail_point_from
from pipeline.ports import Broker, Channel, Clock, Http, NoProfiles, Pages, Profiles, SearchIndex, State
from pipeline.settings import Settings, shipped_config

if TYPE_CHECKING:
    from pipeline.adapters.elasticsearch_index import ElasticsearchIndex
    from pipeline.adapters.kafka_broker import KafkaBroker
    from pipeline.enrich.tools import Tools

log = structlog.get_logger("wirewatch")

Outcome = Literal["made", "updated", "there"]
"""What setting a part up came to: it was not there, lacked something or was older, or was as it should be."""

_START: Final = (
    "Start with `wirewatch run`, `wirewatch ingest` or `wirewatch demo`, or name another folder with --data."
)
_SCHEME: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")


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
    if not needs_data_folder(settings):
        return
    try:
        settings.data_folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataFolderError(f"The data folder {settings.data_folder} cannot be made: {error.strerror}.") from None


def needs_data_folder(settings: Settings) -> bool:
    """Whether anything embedded lives in the data folder."""
    return not (settings.broker and settings.state and settings.index and settings.pages)


def require_data_folder(settings: Settings) -> None:
    """Raise ``DataFolderError`` when there is no data folder yet and something embedded would live in it."""
    if needs_data_folder(settings) and not is_there(settings.data_folder):
        raise DataFolderError(f"There is no data folder at {settings.data_folder}. {_START}")


def require_data(settings: Settings) -> None:
    """Raise ``DataFolderError`` unless there is a Wirewatch: what only reads makes nothing, wherever it is pointed."""
    require_data_folder(settings)
    if not has_data(settings):
        raise DataFolderError(f"There is no Wirewatch in {settings.data_folder}: it has no state.db. {_START}")


def has_data(settings: Settings) -> bool:
    """Whether there is a state. Raises ``DataFolderError`` when an embedded one is gone and what belongs to it is not.

    A new state beside an old log would settle that again and tell of old news; so `wirewatch setup` alone makes one.
    """
    if _scheme(state_url(settings)) != "sqlite":
        return True
    path = _path(settings, state_url(settings))
    if is_there(path):
        return True
    others = [(broker_url(settings), "sqlite"), (index_url(settings), "tantivy")]
    left = [file for url, scheme in others if _scheme(url) == scheme and is_there(file := _path(settings, url))]
    if left:
        raise DataFolderError(
            f"The state {path} is gone, but not {' and '.join(map(str, left))}. Put the state back from a "
            "backup (its file state.db); or run `wirewatch setup`, which makes an empty one: what the log still holds "
            "is then settled again, and its alerts are sent again."
        )
    return False


def is_there(path: Path) -> bool:
    """Whether there is such a file or folder. Raises ``DataFolderError`` when that cannot be seen."""
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        raise DataFolderError(
            f"{path} cannot be reached: {error.strerror}. Run this as the user who owns it, or name another folder "
            "with --data."
        ) from None
    return True


def _require_writable(settings: Settings) -> None:
    places = [settings.data_folder] if needs_data_folder(settings) else []
    places += [_path(settings, url) for url in (state_url(settings), broker_url(settings)) if _scheme(url) == "sqlite"]
    for place in places:
        if is_there(place) and not os.access(place, os.W_OK):
            raise DataFolderError(
                f"{place} cannot be written by you, and reading it needs that too: SQLite keeps its locks there. Run "
                "this as the user who owns it, or name a copy of your own with --data."
            )


@contextmanager
def open_ports(settings: Settings, *, clock: Clock = utc_now, member: str = "", create: bool = True) -> Iterator[Ports]:
    """Open broker, state and pages for the calling thread, and close all in the end.

    Without ``create`` there must be a Wirewatch in the data folder already. The embedded parts make topics and tables
    by themselves. On a cluster `wirewatch setup` does, and here they are only looked for.

    Raises:
        UsageError: a setting names an adapter that does not exist or is not installed.
        DataFolderError: the data folder is missing, damaged, read-only or of a newer version.
        NotSetUp: a cluster lacks topics or tables, or has older ones.
    """
    from pipeline.adapters.processes import holder_name

    require_data_folder(settings)
    _require_writable(settings)
    if not has_data(settings) and not create:
        require_data(settings)
    state = open_state(settings)
    try:
        broker = open_broker(settings, clock)
        try:
            _provide_topics(settings, broker)
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
    """Open the broker that the settings name; topics are neither made nor looked for."""
    url = broker_url(settings)
    if _scheme(url) == "sqlite":
        from pipeline.adapters.sqlite_broker import SqliteBroker

        return SqliteBroker(_path(settings, url), clock=clock, lease_seconds=settings.group_lease_seconds)
    if _scheme(url) == "kafka":
        return _kafka(settings, clock)
    raise _unknown("broker", url, "sqlite:///path/broker.db", "kafka://host:9092")


def _kafka(settings: Settings, clock: Clock) -> KafkaBroker:
    try:
        from pipeline.adapters.kafka_broker import KafkaBroker, parse_location
    except ImportError as error:
        raise MissingExtra(
            f"Kafka needs the package {error.name}, which is not installed: pip install 'wirewatch[kafka]'."
        ) from None
    return KafkaBroker(parse_location(settings.broker), clock=clock, lease_seconds=settings.group_lease_seconds)


def _provide_topics(settings: Settings, broker: Broker) -> None:
    """Make the embedded broker's topics; on a cluster see that they are there and take records of every size."""
    if not is_kafka(settings):
        broker.create_topics(topics.ALL)
    if problems := broker.topic_problems(topics.ALL):
        raise NotSetUp(
            f"The broker {shown(broker_url(settings))} is not set up: {'; '.join(problems)}. Run `wirewatch setup`."
        )


def backup_broker(settings: Settings, path: Path) -> None:
    """Copy the embedded broker's log, consistently, while others write to it. A cluster's log is backed up there."""
    url = broker_url(settings)
    if _scheme(url) == "sqlite":
        with closing(sqlite3.connect(_path(settings, url))) as source, closing(sqlite3.connect(path)) as target:
            source.backup(target)


def open_state(settings: Settings, *, create: bool | None = None) -> State:
    """Open the state that the settings name.

    With ``create`` it is made where it is missing and brought up to this release. When that is not said, an embedded
    state is, and one in PostgreSQL is not.

    Raises:
        DataFolderError: missing, damaged, out of reach or of a newer release.
        NotSetUp: missing or of an older release, and not to be made.
    """
    url = state_url(settings)
    is_embedded = _scheme(url) == "sqlite"
    if not is_embedded and not is_postgres(settings):
        raise _unknown("state", url, "sqlite:///path/state.db", "postgresql://user@host/database")
    from pipeline.adapters.sql_state import SqlState

    where = f"sqlite:///{_path(settings, url)}" if is_embedded else url
    return SqlState.open(where, migrate=is_embedded if create is None else create)


def open_index(settings: Settings, *, writer: bool) -> SearchIndex:
    """Open the search index to read, or to write; only the holder of the index lease writes to an embedded one."""
    url = index_url(settings)
    if _scheme(url) == "tantivy":
        from pipeline.adapters.tantivy_index import TantivyIndex

        return TantivyIndex(_path(settings, url), writer=writer, heap_bytes=settings.index_heap_mb * 1_000_000)
    if is_elasticsearch(settings):
        return _elasticsearch(settings)
    raise _unknown("index", url, "tantivy:///path/index", "http(s)://host:9200")


def require_index(settings: Settings) -> None:
    """Raise ``NotSetUp`` when an Elasticsearch lacks templates or has older ones or foreign fields; ``TryLater``: away.

    The embedded index is made by whoever writes to it first.
    """
    if is_elasticsearch(settings):
        with closing(_elasticsearch(settings)) as index:
            if problems := index.problems():
                raise NotSetUp(
                    f"Elasticsearch at {shown(settings.index)} is not set up: {'; '.join(problems)}. "
                    "Run `wirewatch setup`."
                )


def set_up_index(settings: Settings, clock: Clock) -> Outcome:
    """Install the templates of Elasticsearch and make its next two months; the embedded index needs no such thing.

    Raises:
        TryLater, WirewatchError: the cluster cannot, or will not.
    """
    if not is_elasticsearch(settings):
        return "there"
    with closing(_elasticsearch(settings)) as index:
        is_new, problems = not index.is_set_up(), index.problems(clock())
        index.setup(clock())
    return "made" if is_new else "updated" if problems else "there"


def make_months(settings: Settings, clock: Clock) -> None:
    """Make the indices of this month and the next on Elasticsearch, from the templates that are there.

    Raises:
        TryLater, WirewatchError: the cluster cannot, or will not; ``NotSetUp`` without the templates.
    """
    if is_elasticsearch(settings):
        with closing(_elasticsearch(settings)) as index:
            index.make_months(clock())


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

    url = pages_url(settings)
    if _scheme(url) == "file":
        return FolderPages(_path(settings, url))
    raise _unknown("pages", url, "file:///path/pages")


def open_tools(settings: Settings, profiles: Profiles | None = None) -> Tools:
    """Return what the enrichment stages work with, with the page store that the settings name.

    Raises:
        UsageError: a file with a user's own names cannot be used.
    """
    from pipeline.enrich.tools import Tools

    tools = Tools(
        pages=open_pages(settings), own_names=settings.names_folder, profiles=profiles or NoProfiles()
    )  # fmt: skip
    tools.prepare(settings.stages)
    return tools


def open_http(settings: Settings) -> Http:
    """Open the door for outgoing requests; call it inside a running event loop and close it there."""
    from pipeline.adapters.http import HttpDoor

    proxy = settings.proxy.get_secret_value()
    return HttpDoor(
        user_agent=user_agent(settings),
        allowed=settings.allow_addresses,
        proxy=read_proxy(proxy) if proxy else None,
    )


def access_or_fault(settings: Settings) -> tuple[Mapping[str, Access], str]:
    """Return what feeds may refer to; or nothing, and why, when it cannot be read: other feeds need not wait for it."""
    try:
        return open_access(settings), ""
    except UsageError as error:
        log.error("access file not read", cause=str(error), next="feeds that need it fail until it is mended")
        return {}, str(error)


def open_access(settings: Settings) -> Mapping[str, Access]:
    """Return what feeds may refer to, by name; say so when the file is open to everybody on the machine.

    It is not refused then: in a container its owner is often another than the process, and only root gets in.

    Raises:
        UsageError: the file cannot be used.
    """
    if is_open_to_others(settings.access_file):
        log.warning("access file open to others", file=str(settings.access_file), next="chmod o-r it")
    return read_access(settings.access_file)


def unpacked(body: bytes, content_encoding: str, max_bytes: int) -> bytes:
    """Return a body without its Content-Encoding, within the bounds of the door, and raising what the door does."""
    from pipeline.adapters.decoding import BodyDecoder

    decoder = BodyDecoder(content_encoding, max_bytes)
    decoder.feed(body)
    return decoder.finish()


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


def broker_url(settings: Settings) -> str:
    """Return the broker's URL, that of the embedded one when none is set; it may hold a password."""
    return settings.broker or f"sqlite:///{settings.data_folder / 'broker.db'}"


def state_url(settings: Settings) -> str:
    """Return the state's URL, that of the embedded one when none is set; it may hold a password."""
    return settings.state or f"sqlite:///{settings.data_folder / 'state.db'}"


def index_url(settings: Settings) -> str:
    """Return the index's URL, that of the embedded one when none is set; it may hold a password."""
    return settings.index or f"tantivy:///{settings.data_folder / 'index'}"


def pages_url(settings: Settings) -> str:
    """Return the page store's URL, that of the embedded one when none is set."""
    return settings.pages or f"file:///{settings.data_folder / 'pages'}"


def is_kafka(settings: Settings) -> bool:
    """Whether the broker is a Kafka cluster."""
    return _scheme(settings.broker) == "kafka"


def is_postgres(settings: Settings) -> bool:
    """Whether the state is in PostgreSQL."""
    return _scheme(settings.state) in {"postgresql", "postgres"}


def is_elasticsearch(settings: Settings) -> bool:
    """Whether the index is an Elasticsearch: written by any number of processes, where the embedded has one writer."""
    return _scheme(settings.index) in {"http", "https"}


def shown(url: str) -> str:
    """Return a URL as it may be shown: without user, password and options, and without what might be part of these."""
    scheme, rest = _scheme(url), url.partition("://")[2]
    place = re.split(r"[?#]", rest.rpartition("@")[2])[0]
    login_is_plain = "@" not in rest or not re.search(r"[/?#]", rest.rpartition("@")[0])
    return f"{scheme}://{place}" if scheme and login_is_plain else f"{scheme or '?'}://…"


def _scheme(url: str) -> str:
    found = _SCHEME.match(url)
    return found[1].lower() if found else ""


def _path(settings: Settings, url: str) -> Path:
    """``sqlite:///a/b`` is relative to the folder of wirewatch.toml, ``sqlite:////a/b`` is absolute."""
    rest = url.partition("://")[2]
    path = rest.removeprefix("/")
    if not path:
        raise UsageError(f"“{url}” names no file; write it as {_scheme(url)}:///folder/name.")
    return (settings.folder / path).resolve()


def _unknown(port: str, url: str, *known: str) -> UsageError:
    # Never more of it than the scheme: the rest may hold a password.
    named = f"{_scheme(url)}://…" if _scheme(url) else "what it is set to, which is no URL"
    return UsageError(f"The {port} cannot be {named}: this release knows {' and '.join(known)}.")
