"""Settings: command line, then environment (``WIREWATCH_…``, ``…_FILE`` for secrets), wirewatch.toml, defaults."""

from __future__ import annotations

import difflib
import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator

from pipeline import access
from pipeline.errors import UsageError
from pipeline.redaction import secrets_in

FILE_NAME = "wirewatch.toml"
PREFIX = "WIREWATCH_"
NOT_SETTINGS = ("WIREWATCH_FAILPOINT", "WIREWATCH_TEST_")
"""Beginnings of names under our prefix that are no settings: they belong to the tests."""


class Settings(BaseModel):
    """Every setting, with its default. Addresses are URLs; an empty one means the embedded part in the data folder."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    data: str = Field("data", description="Folder of the embedded parts.")
    config: str = Field(
        "",
        description="Folder of feeds.opml and rules.yml; empty: config beside wirewatch.toml (or in the current "
        "folder) when it holds a feeds.opml, else the ones that are shipped.",
    )
    broker: str = Field(
        "", description="sqlite:///path/broker.db or kafka://host:9092; empty: broker.db in the data folder."
    )
    index: str = Field(
        "", description="tantivy:///path/index or http(s)://host:9200 (Elasticsearch); empty: index in the data folder."
    )
    state: str = Field(
        "",
        description="sqlite:///path/state.db or postgresql://user@host/database; empty: state.db in the data folder.",
    )
    pages: str = Field("", description="file:///path/pages; empty: pages in the data folder.")
    stages: tuple[str, ...] = Field(
        ("text", "metadata", "origin", "clean", "language", "entities", "quotes"),
        min_length=1,
        description="Enrichment stages, in order.",
    )
    enrich_processes: int = Field(
        1, ge=1, le=64, description="Processes that one enrich worker enriches in; each has models of its own."
    )
    contact: str = Field("", description="Address or URL that publishers can reach you at; part of the User-Agent.")
    allow_addresses: tuple[str, ...] = Field(
        (), description="Private hosts or networks that requests may go to: host, host:port, CIDR or CIDR:port."
    )
    proxy: SecretStr = Field(
        SecretStr(""),
        description="HTTP proxy for all requests out, as http://user:password@host:port; empty: none. The proxy looks "
        "names up itself, so it must keep requests from private addresses, as Wirewatch does without one.",
    )
    webhook_url: str = Field("", description="Where the channel “webhook” posts alerts; empty: no such channel.")
    webhook_secret: SecretStr = Field(
        SecretStr(""), description="Key of the webhook's signature: whsec_ and 24 to 64 random bytes in base64."
    )
    poll_batch: int = Field(50, ge=1, le=1000, description="Feeds claimed and fetched at once.")
    poll_lease_seconds: float = Field(
        120.0, gt=0, description="How long a claimed feed is left to its poller, should that die."
    )
    polls_per_feed_hour: float = Field(
        4.0,
        gt=0,
        le=60,
        description="Polls to spend, on average a feed and hour, on feeds without an interval of their own; more go to "
        "feeds that bring more.",
    )
    host_delay_seconds: float = Field(
        2.0, ge=0, description="Least time from the end of one request to a host to the start of the next."
    )
    page_visits: tuple[Annotated[float, Field(gt=0, le=720)], ...] = Field(
        (1, 4, 12, 24, 72),
        max_length=20,
        description="Ages in hours at which an article's page is fetched again, so that edits are seen; empty: never.",
    )
    member: str = Field("", description="A name for this worker that a restart keeps; empty: a new one each time.")
    group_lease_seconds: float = Field(
        30.0, gt=0, description="Silence after which a worker's partitions go to others."
    )
    writer_lease_seconds: float = Field(30.0, gt=0, description="Silence after which settle and index go to a standby.")
    index_linger_seconds: float = Field(0.3, ge=0, description="How long a small index batch waits for more.")
    index_heap_mb: int = Field(48, ge=15, le=4096, description="Memory of the embedded index's writer.")
    index_api_key: SecretStr = Field(
        SecretStr(""), description="Elasticsearch's API key; a user and password go into the index URL instead."
    )
    index_ca: str = Field("", description="File of certificates to trust for an https index; empty: the system's.")
    index_prefix: str = Field(
        "wirewatch", pattern="^[a-z0-9][a-z0-9-]{0,49}$", description="Keeps several Wirewatches apart on one cluster."
    )
    index_shards: int = Field(1, ge=1, le=1024, description="Shards of a month's index; for months made from now on.")
    index_replicas: int = Field(1, ge=0, le=10, description="Copies of each shard; 0 on a cluster of one node.")
    index_refresh_seconds: float = Field(
        5.0, ge=0.1, le=3600, description="How long Elasticsearch may keep a written article from other processes."
    )
    index_keep_days: int = Field(
        0,
        ge=0,
        description="Months of the index whose newest article would be older than this are dropped; 0: kept for ever.",
    )
    pages_keep_days: int = Field(30, ge=1, description="Fetched pages older than this are let go.")
    pages_keep_gb: float = Field(10.0, gt=0, description="Room for fetched pages; the oldest days go first.")
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "warning", description="Least serious log lines that are shown, on stderr."
    )
    log_format: Literal["text", "json"] = Field(
        "text", description="How log lines are written: as event key=value, or each as one object of JSON."
    )
    metrics: str = Field(
        "",
        description="Where a running step serves /metrics, /healthz and /readyz: host:port, or a port of 127.0.0.1; "
        "empty: nowhere.",
    )
    health_seconds: float = Field(
        120.0, gt=0, description="Silence of a step after which /healthz and a notice say that it hangs."
    )
    watch_channels: tuple[str, ...] = Field(
        ("log",), description="Channels that are told when something stops, as rules name them: log, webhook."
    )
    watch_stopped_minutes: float = Field(
        10.0, gt=0, description="A step with work before it that does none for so long has stopped; so has polling."
    )
    watch_oldest_minutes: float = Field(
        30.0, gt=0, description="Age of a live record that a step has not done with, at which the step is too slow."
    )
    watch_held_minutes: float = Field(
        2.0, ge=0, description="How long a step may hold its work for a neighbour before somebody is told."
    )
    watch_disk_percent: float = Field(90.0, gt=0, le=100, description="How full the data folder's disk may be.")
    watch_repeat_hours: float = Field(6.0, gt=0, description="How often a notice is repeated while nothing changes.")
    heartbeat_url: SecretStr = Field(
        SecretStr(""), description="Asked for while all is well, so that its owner notices when that ends; empty: none."
    )
    heartbeat_seconds: float = Field(60.0, ge=1, description="How often the heartbeat URL is asked for.")

    folder: Path = Field(Path(), exclude=True, description="Where relative paths start: the folder of wirewatch.toml.")

    @field_validator("proxy")
    @classmethod
    def _is_proxy(cls, value: SecretStr) -> SecretStr:
        try:
            if value.get_secret_value():
                access.read_proxy(value.get_secret_value())
        except UsageError as error:
            raise ValueError(str(error)) from None
        return value

    @property
    def data_folder(self) -> Path:
        """The data folder as an absolute path."""
        return (self.folder / self.data).resolve()

    @property
    def config_folder(self) -> Path:
        """The configuration folder: the one named, else ``config`` beside wirewatch.toml, else the shipped one."""
        if self.config:
            return (self.folder / self.config).resolve()
        beside = self.folder / "config"
        return beside.resolve() if os.path.isfile(beside / "feeds.opml") else shipped_config()

    @property
    def names_folder(self) -> Path:
        """The folder of files with a user's own people, organisations and places; it need not be there."""
        return self.config_folder / "entities"

    @property
    def access_file(self) -> Path:
        """The file with credentials, headers and proxies of single feeds; it need not be there."""
        return self.config_folder / access.FILE_NAME

    def secrets(self) -> frozenset[str]:
        """Return every value that must never be shown: keys, passwords, and addresses whose knowledge is the right."""
        values = (getattr(self, name) for name in NAMES)
        found = {value.get_secret_value() for value in values if isinstance(value, SecretStr)}
        addresses = (self.broker, self.index, self.state, self.pages, self.webhook_url)
        hidden = (self.heartbeat_url.get_secret_value(), self.proxy.get_secret_value())
        found |= {part for url in (*addresses, *hidden) for part in secrets_in(url)}
        return frozenset(found - {""}) | access.secrets_in(self.access_file)


NAMES: Final = tuple(name for name in Settings.model_fields if name != "folder")
LISTS: Final = frozenset(name for name in NAMES if "tuple" in str(Settings.model_fields[name].annotation))


def shipped_config() -> Path:
    """Return the configuration inside the installed package, or beside it in a checkout."""
    here = Path(__file__).resolve().parent
    packaged = here / "_config"
    return packaged if packaged.is_dir() else here.parent / "config"


def load_settings(
    *, folder: Path | None = None, environment: Mapping[str, str] | None = None, **given: Any
) -> Settings:
    """Read the settings in force.

    ``folder`` is where wirewatch.toml is looked for (the current folder, then its parents, when not given);
    ``given`` are values of the command line, None meaning "not given".

    Raises:
        UsageError: an unknown or ill-typed setting, a file that cannot be read; all of them are listed.
    """
    environment = os.environ if environment is None else environment
    path = _find_file(folder or Path.cwd())
    start = (path.parent if path else (folder or Path.cwd())).resolve()
    values: dict[str, Any] = _from_file(path) if path else {}
    origin = dict.fromkeys(values, str(path))
    for name, (value, variable) in _from_environment(environment, start).items():
        values[name], origin[name] = value, variable
    for name, value in given.items():
        if value is not None:
            values[name], origin[name] = value, f"--{name.replace('_', '-')}"
    problems = _unknown(values, origin) + _yes_or_no(values, origin)
    try:
        settings = Settings(**{name: values[name] for name in values if name in NAMES}, folder=start)
    except ValidationError as error:  # its own text shows values, and a value may be a secret
        problems += [f"{origin[str(e['loc'][0])]}: {'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()]
    else:
        if not settings.data.strip():
            problems.append(f"{origin['data']}: data: is empty; name a folder, or leave it out for “data”")
        if settings.config and (cause := _why_no_folder(settings.config_folder)):
            problems.append(f"{origin['config']}: config: {cause}")
    if problems:
        raise UsageError("\n  ".join(["These settings cannot be used:", *problems]))
    return settings


def _why_no_folder(path: Path) -> str:
    try:
        return "" if path.is_dir() else f"there is no folder {path}"
    except OSError as error:
        return f"{path} cannot be reached: {error.strerror}"


def _find_file(start: Path) -> Path | None:
    """Return the nearest wirewatch.toml, be it readable or not: one that is passed over would change what is meant."""
    for folder in (start, *start.resolve().parents):
        try:
            if (folder / FILE_NAME).exists():
                return folder / FILE_NAME
        except OSError:  # a folder above that is closed to us holds nothing for us
            continue
    return None


def _from_file(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        cause = error.strerror if isinstance(error, OSError) else error
        raise UsageError(
            f"{path} cannot be read: {cause}. Mend it, or move it away to run with the defaults."
        ) from None


def _from_environment(environment: Mapping[str, str], start: Path) -> dict[str, tuple[Any, str]]:
    """Return name → (value, variable it came from). Raises ``UsageError`` for what is said twice."""
    values: dict[str, tuple[Any, str]] = {}
    for key, given in environment.items():
        if not key.startswith(PREFIX) or key.startswith(NOT_SETTINGS):
            continue
        name, text = key.removeprefix(PREFIX).lower(), given
        if name.endswith("_file"):
            name, text = name.removesuffix("_file"), _secret_from(key, start / given)
        if name in values:
            raise UsageError(f"{values[name][1]} and {key} say the same setting twice; unset one of them.")
        values[name] = (_as_list(text) if name in LISTS else text, key)
    return values


def _as_list(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _secret_from(key: str, path: Path) -> str:
    try:
        return path.read_text("utf-8").rstrip("\r\n")
    except OSError as error:
        raise UsageError(f"{key} names a file that cannot be read: {path}: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise UsageError(f"{key} names a file that is not UTF-8 text: {path}.") from None


def _yes_or_no(values: Mapping[str, Any], origin: Mapping[str, str]) -> list[str]:
    """Return a line for each true or false: no setting is one, and pydantic takes them for 1 and 0."""
    return [f"{origin[name]}: {name}: cannot be {str(value).lower()}" for name, value in values.items()
            if isinstance(value, bool)]  # fmt: skip


def _unknown(values: Mapping[str, Any], origin: Mapping[str, str]) -> list[str]:
    """Return a line for each name that is no setting, with the nearest one that is."""
    lines = []
    for name in values:
        if name not in NAMES:
            near = difflib.get_close_matches(name, NAMES, n=1, cutoff=0.5)
            hint = f"did you mean “{near[0]}”?" if near else f"known: {', '.join(NAMES)}"
            lines.append(f"{origin[name]}: unknown setting “{name}”; {hint}")
    return lines
