"""wirewatch doctor: every dependency, folder and version, and what to do about each."""

from __future__ import annotations

import importlib.metadata
import os
import re
import shutil
import sqlite3
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from functools import partial
from pathlib import Path
from typing import Literal

import typer
from msgspec import Struct

from pipeline import topics, wiring
from pipeline.commands.context import Context
from pipeline.commands.printing import Json, counted, print_json_lines, print_table
from pipeline.enrich.gazetteer_files import passed_over, read_own_rows
from pipeline.enrich.run import STAGES, check_stages
from pipeline.errors import TryLater, UsageError, WirewatchError
from pipeline.opml import read_opml
from pipeline.ports import SearchIndex
from pipeline.rules_file import channels_not_set_up, read_rules
from pipeline.settings import Settings
from pipeline.unindexed import look_up_holdings
from pipeline.watch.server import read_address
from pipeline.watch.tell import check_names

app = typer.Typer()

LOW_DISK_BYTES = 2_000_000_000


class Finding(Struct, frozen=True):
    """One thing the doctor looked at, and what to do when it is not well."""

    what: str
    verdict: Literal["ok", "warning", "bad"]
    detail: str
    next: str = ""


@app.command()
def doctor(ctx: typer.Context, json: Json = False) -> None:
    """Look at every dependency, folder and version, and say what to do.

    Exit code 1 when something is bad; a warning alone is 0.
    """
    context: Context = ctx.obj
    findings = list(_examine(context))
    if json:
        print_json_lines(findings)
    else:
        rows = ((f.verdict, f.what, f"{f.detail}: {f.next}" if f.next else f.detail) for f in findings)
        print_table(("", "", ""), rows, empty="")
    if bad := [finding.what for finding in findings if finding.verdict == "bad"]:
        raise WirewatchError(f"Not well: {', '.join(bad)}.")


def _examine(context: Context) -> Iterator[Finding]:
    settings = context.settings  # an unusable setting is a usage error of its own, with its own message
    tried = partial(_tried, context.redacted)
    yield Finding("python", "ok" if sys.version_info >= (3, 11) else "bad", ".".join(map(str, sys.version_info[:3])))
    yield Finding("sqlite", "ok", sqlite3.sqlite_version)
    yield from _packages()
    yield from _folder(settings)
    yield tried("feeds.opml", lambda: _feeds(settings))
    yield tried("rules.yml", lambda: _rules(settings))
    yield tried("entities", lambda: _names(settings))
    yield tried("stages", lambda: _stages(settings))
    yield tried("channels", lambda: ", ".join(wiring.check_channels(settings)))
    yield tried("watch", lambda: _watch(settings))
    yield from _parts(context, tried)
    if not settings.contact:
        yield Finding(
            "contact", "warning", "not set",
            "set WIREWATCH_CONTACT to an address or URL, so that publishers can reach you instead of blocking you",
        )  # fmt: skip


def _required() -> list[str]:
    """Return the packages that the installed Wirewatch says it needs on every machine, extras aside."""
    wanted = importlib.metadata.requires("wirewatch") or []
    return sorted(re.split(r"[^A-Za-z0-9._-]", need, maxsplit=1)[0] for need in wanted if ";" not in need)


def _packages() -> Iterator[Finding]:
    found, missing = [], []
    for name in _required():
        try:
            found.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            missing.append(name)
    yield Finding("packages", "ok", ", ".join(found))
    for name in missing:
        yield Finding(name, "bad", "not installed", "run `make install`, or pip install wirewatch")


def _folder(settings: Settings) -> Iterator[Finding]:
    folder = settings.data_folder
    existing = next(path for path in (folder, *folder.parents) if _is_seen(path))
    free = shutil.disk_usage(existing).free
    yield Finding(
        "disk", "ok" if free > LOW_DISK_BYTES else "warning", f"{free / 1e9:.0f} GB free at {existing}",
        "" if free > LOW_DISK_BYTES else "make room: a full disk stops every step (nothing is lost)",
    )  # fmt: skip
    try:
        is_there = wiring.is_there(folder)
    except WirewatchError as error:
        yield Finding("data folder", "bad", str(error))
        return
    if not is_there:
        yield Finding("data folder", "warning", f"{folder} does not exist yet", "`wirewatch run` makes it")
    elif not folder.is_dir():
        yield Finding("data folder", "bad", f"{folder} is a file", "name a folder with --data")
    elif not os.access(folder, os.W_OK):
        yield Finding(
            "data folder", "bad", f"{folder} cannot be written", "change its owner or name another with --data"
        )
    else:
        yield Finding("data folder", "ok", str(folder))


def _is_seen(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # in a folder of somebody else's
        return False


def _tried(redacted: Callable[[str], str], what: str, look: Callable[[], str]) -> Finding:
    try:
        return Finding(what, "ok", look())
    except (WirewatchError, TryLater) as error:
        return Finding(what, "bad", redacted(str(error)))


def _feeds(settings: Settings) -> str:
    path = settings.config_folder / "feeds.opml"
    try:
        result = read_opml(path.read_bytes())
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from None
    if result.problems:
        raise UsageError("; ".join(result.problems[:5]))
    return f"{counted(len(result.feeds), 'feed')} in {path}"


def _rules(settings: Settings) -> str:
    path = settings.config_folder / "rules.yml"
    rules, problems = read_rules(path)
    with suppress(UsageError):  # the finding “channels” says what is wrong
        problems += channels_not_set_up(rules, wiring.check_channels(settings))
    if problems:
        raise UsageError(f"{path}: {'; '.join(problems[:5])}")
    return f"{counted(len(rules), 'rule')} in {path}"


def _names(settings: Settings) -> str:
    folder = settings.names_folder
    rows, problems = read_own_rows(folder)
    if problems:
        raise UsageError(f"{folder}: {'; '.join(problems[:5])}")
    others = (
        f"; not read, as they are no .csv, .yml or .yaml: {', '.join(found)}" if (found := passed_over(folder)) else ""
    )
    said = f"{counted(len(rows), 'name')} of your own in {folder}" if rows else f"no names of your own ({folder})"
    return said + others


def _stages(settings: Settings) -> str:
    check_stages(settings.stages)
    return ", ".join(f"{name}/{STAGES[name].version}" for name in settings.stages)


def _watch(settings: Settings) -> str:
    try:
        known = wiring.check_channels(settings)
    except UsageError:
        known = list(settings.watch_channels)  # the finding “channels” says what is wrong
    check_names(settings.watch_channels, dict.fromkeys(known))
    host, port = read_address(settings.metrics) if settings.metrics else ("", 0)
    metrics = f"metrics on {host}:{port}" if settings.metrics else "no metrics"
    heartbeat = "a heartbeat" if settings.heartbeat_url.get_secret_value() else "no heartbeat"
    return f"tells {', '.join(settings.watch_channels) or 'nobody'}; {metrics}, {heartbeat}"


def _parts(context: Context, tried: Callable[[str, Callable[[], str]], Finding]) -> Iterator[Finding]:
    """Look at broker, state, pages and index, each by itself; at embedded ones only where there is a Wirewatch."""
    settings = context.settings
    try:
        has_data = wiring.has_data(settings)
    except WirewatchError as error:
        yield Finding("state", "bad", str(error))
        return
    has_folder = has_data and (settings.data_folder.is_dir() or not wiring.needs_data_folder(settings))
    if has_folder or wiring.is_kafka(settings):
        yield tried("broker", lambda: _broker(settings))
    if has_folder or wiring.is_postgres(settings):
        yield tried("state", lambda: _state(settings))
    if has_folder:
        yield tried("pages", lambda: _pages(settings))
    if has_folder or wiring.is_elasticsearch(settings):
        yield tried("index", lambda: _index(context))


def _broker(settings: Settings) -> str:
    with closing(wiring.open_broker(settings, wiring.utc_now)) as broker:
        if problems := broker.topic_problems(topics.ALL):
            raise WirewatchError(f"{'; '.join(problems)}: run `wirewatch setup`")
        return f"{wiring.shown(wiring.broker_url(settings))}, {len(broker.topics())} topics"


def _state(settings: Settings) -> str:
    with closing(wiring.open_state(settings)) as state:
        return f"{wiring.shown(wiring.state_url(settings))}, schema {state.schema_version()}"


def _pages(settings: Settings) -> str:
    wiring.open_pages(settings)
    return wiring.shown(wiring.pages_url(settings))


def _index(context: Context) -> str:
    settings = context.settings
    wiring.require_index(settings)
    with closing(wiring.open_index(settings, writer=False)) as index:
        if lacking := _lacking(context, index):
            raise WirewatchError(f"{lacking}: run `wirewatch index --rebuild`")
        months = ", ".join(index.months()) or "none yet"
        return f"{wiring.shown(wiring.index_url(settings))}, months: {months}"


def _lacking(context: Context, index: SearchIndex) -> str:
    try:
        with context.open() as ports:
            holdings = look_up_holdings(ports, index)
    except (WirewatchError, TryLater):  # the findings on broker and state say why
        return ""
    return str(holdings) if holdings.lacking else ""
