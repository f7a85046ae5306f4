"""wirewatch setup: make what is missing, bring up to date what is older."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Literal

import typer
from msgspec import Struct
from msgspec.structs import replace

from pipeline import topics, wiring
from pipeline.commands.context import Context
from pipeline.commands.printing import Json, print_json_lines, print_table
from pipeline.errors import NotSetUp, TryLater, WirewatchError
from pipeline.settings import Settings
from pipeline.wiring import Outcome

app = typer.Typer()


class Part(Struct, frozen=True):
    """One thing that was set up, or could not be."""

    what: str
    where: str
    outcome: Literal["made", "updated", "there", "failed"]
    cause: str = ""
    """Why it failed, and what to do."""


@app.command()
def setup(ctx: typer.Context, json: Json = False) -> None:
    """Make what the steps need and is missing, and bring up to date what is older.

    The data folder, the state's tables, the topics, and on Elasticsearch the templates and the indices of this month
    and the next. It may be run at any time, and by several at once. Exit code 1 when a part failed; the others are seen
    to all the same.
    """
    context: Context = ctx.obj
    parts = [replace(part, cause=context.redacted(part.cause)) for part in _set_up(context.settings)]
    if json:
        print_json_lines(parts)
    else:
        print_table(("", "", "", ""), ((part.outcome, part.what, part.where, part.cause) for part in parts), empty="")
    if failed := [part.what for part in parts if part.outcome == "failed"]:
        raise WirewatchError(f"Not set up: {', '.join(failed)}. Mend what is said above, then run this again.")


def _set_up(settings: Settings) -> Iterator[Part]:
    clock = wiring.utc_now
    if wiring.needs_data_folder(settings):
        yield _tried("data folder", str(settings.data_folder), lambda: set_up_data_folder(settings))
    yield _tried("state", wiring.shown(wiring.state_url(settings)), lambda: set_up_state(settings))
    yield _tried("topics", wiring.shown(wiring.broker_url(settings)), lambda: set_up_topics(settings))
    if wiring.is_elasticsearch(settings):
        yield _tried("index", wiring.shown(settings.index), lambda: wiring.set_up_index(settings, clock))


def _tried(what: str, where: str, attempt: Callable[[], Outcome]) -> Part:
    try:
        return Part(what, where, attempt())
    except WirewatchError as error:
        return Part(what, where, "failed", str(error))
    except TryLater as later:
        return Part(what, where, "failed", f"{later.cause}. See that it runs and can be reached from here.")


def set_up_data_folder(settings: Settings) -> Outcome:
    """Make the data folder. Raises ``DataFolderError``."""
    was_there = settings.data_folder.is_dir()
    wiring.create_data_folder(settings)
    return "there" if was_there else "made"


def set_up_state(settings: Settings) -> Outcome:
    """Bring the state's tables to this release. Raises ``DataFolderError``, ``UsageError``."""
    try:
        wiring.open_state(settings, create=False).close()
    except NotSetUp as lacking:
        wiring.open_state(settings, create=True).close()
        return "updated" if lacking.is_older else "made"
    return "there"


def set_up_topics(settings: Settings) -> Outcome:
    """Make the topics that are missing, and set the retention of all.

    Raises:
        WirewatchError: a topic has too few partitions or refuses large records, which this does not change.
    """
    wanted = {topic.name for topic in topics.ALL}
    with closing(wiring.open_broker(settings, wiring.utc_now)) as broker:
        missing = wanted - broker.topics().keys()
        was_well = not broker.topic_problems(topics.ALL)
        broker.create_topics(topics.ALL)
        if problems := broker.topic_problems(topics.ALL):
            raise WirewatchError(f"{'; '.join(problems)}.")
    if missing == wanted:
        return "made"
    return "there" if was_well and not missing else "updated"
