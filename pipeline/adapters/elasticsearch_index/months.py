"""The indices: one a month of ``first_seen``, made from the templates in ``config/elasticsearch``, written by alias.

``wirewatch-articles-2024-03`` is the alias of ``wirewatch-articles-2024-03-000001``. Writers name the alias and demand
that it is one, so that no write can make an index without the templates. Another prefix keeps several Wirewatches apart
on one cluster.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from elasticsearch import ApiError
from msgspec import Struct

from pipeline.adapters.elasticsearch_index.connection import Connection
from pipeline.adapters.elasticsearch_index.judge import request_fault
from pipeline.errors import NotSetUp, WirewatchError

SCHEMA_NUMBER: Final = 2
"""``_meta.wirewatch_schema`` of the mappings and ``version`` of the template; raised by every change of either."""

_MONTH: Final = re.compile(r"\d{4}-(?:0[1-9]|1[0-2])")


class IndexSettings(Struct, frozen=True):
    """What ``setup`` puts into the settings of the months made after it."""

    shards: int = 1
    replicas: int = 1
    refresh_seconds: float = 5.0
    """How long a written article stays unseen by other processes; sooner costs indexing speed."""


class Months:
    """The templates and the indices of one prefix; ``folder`` holds the templates."""

    def __init__(self, connection: Connection, prefix: str, folder: Path) -> None:
        self._connection = connection
        self._name = f"{prefix}-articles"
        self._folder = folder
        self._known_good: frozenset[str] = frozenset()
        self.pattern = f"{self._name}-*"

    def alias(self, month: str) -> str:
        """Return the alias that articles of ``month`` are written through."""
        return f"{self._name}-{month}"

    def install(self, settings: IndexSettings) -> None:
        """Put the templates in place; they count for months made from now on."""
        own = self._read("articles-settings.json")
        own["template"]["settings"]["index"] |= {
            "number_of_shards": settings.shards,
            "number_of_replicas": settings.replicas,
            "refresh_interval": f"{round(settings.refresh_seconds * 1000)}ms",
        }
        mappings = self._read("articles-mappings.json")
        template = self._read("articles-template.json")
        ask = self._connection.require
        ask(lambda client: client.cluster.put_component_template(name=f"{self._name}-settings", body=own))
        ask(lambda client: client.cluster.put_component_template(name=f"{self._name}-mappings", body=mappings))
        ask(lambda client: client.indices.put_index_template(name=self._name, body=template))

    def ensure(self, months: Iterable[str]) -> None:
        """Make the indices of ``months`` that are not there yet.

        Raises:
            TryLater: the cluster is blocked or has as many shards as it may.
            NotSetUp: the templates are missing or older than this release.
            WirewatchError: a name is taken.
        """
        missing = sorted(set(months) - set(self.held()))
        if missing:
            self._check_template()
        for month in missing:
            self._create(month)
        self.check()

    def held(self) -> Sequence[str]:
        """Return the months that have an index, written to or not, as ``YYYY-MM``, oldest first."""
        found = self._connection.require(lambda client: client.indices.get_alias(index=self.pattern))
        aliases = {alias for index in found.body.values() for alias in index["aliases"]}
        months = {alias.removeprefix(f"{self._name}-") for alias in aliases}
        return sorted(month for month in months if _MONTH.fullmatch(month))

    def delete(self, month: str) -> None:
        """Delete the indices behind the alias of ``month``, with all that is in them."""
        ask = self._connection.require
        found = ask(lambda client: client.indices.get_alias(name=self.alias(month)))
        ask(lambda client: client.indices.delete(index=sorted(found.body)))

    def check(self) -> None:
        """Raise ``NotSetUp`` when an index of our name was not made from our mappings, or from older ones."""
        if foreign := self._foreign():
            raise NotSetUp(f"{foreign[0]}.")

    def problems(self, months: Iterable[str]) -> list[str]:
        """Return what keeps articles from being written, a phrase each: templates, months, foreign indices."""
        template = self._template_problem()
        missing = sorted(set(months) - set(self.held()))
        absent = [f"there is no index {self.alias(month)}" for month in missing]
        return [*([template] if template else []), *absent, *self._foreign()]

    def _foreign(self) -> list[str]:
        """Return a phrase for each index of our name that has other fields than ours."""
        found = self._connection.require(lambda client: client.indices.get_mapping(index=self.pattern))
        phrases = []
        for index in sorted(set(found.body) - self._known_good):
            meta = found.body[index]["mappings"].get("_meta", {})
            if meta.get("wirewatch_schema") != SCHEMA_NUMBER:
                phrases.append(
                    f"the index {index} at {self._connection.name} has other fields than this release writes "
                    f"({meta.get('wirewatch_schema', 'none of ours')}, wanted {SCHEMA_NUMBER}): delete or rename it, "
                    "run `wirewatch setup`, then `wirewatch index --rebuild`"
                )
        if not phrases:
            self._known_good = frozenset(found.body)
        return phrases

    def _check_template(self) -> None:
        if problem := self._template_problem():
            raise NotSetUp(f"Nothing was written to {self._connection.name}: {problem}. Run `wirewatch setup`.")

    def has_template(self) -> bool:
        """Whether the index template is there, of whatever release."""
        return self._template_version() is not None

    def _template_version(self) -> int | None:
        try:
            found = self._connection.ask(lambda client: client.indices.get_index_template(name=self._name))
        except ApiError as error:
            if error.meta.status != 404:
                raise self._connection.refusal(request_fault(error)) from None
            return None
        return int(found.body["index_templates"][0]["index_template"].get("version", 0))

    def _template_problem(self) -> str:
        """Return what is wrong with the index template, "" when it is there and of this release."""
        version = self._template_version()
        if version is None:
            return f"there is no index template {self._name}"
        if version < SCHEMA_NUMBER:
            return f"the index template {self._name} is older than this release ({version}, wanted {SCHEMA_NUMBER})"
        return ""

    def _create(self, month: str) -> None:
        index, alias = f"{self.alias(month)}-000001", self.alias(month)
        try:
            self._connection.ask(
                lambda client: client.indices.create(index=index, aliases={alias: {"is_write_index": True}})
            )
        except ApiError as error:
            fault = request_fault(error)
            if fault.type == "resource_already_exists_exception":  # another worker was first, or it lost its alias
                self._connection.require(lambda client: client.indices.put_alias(index=index, name=alias))
            elif fault.type == "invalid_alias_name_exception":
                raise WirewatchError(
                    f"At {self._connection.name}, {alias} is an index where an alias should be. Delete or rename it; "
                    "nothing was written."
                ) from None
            else:
                raise self._connection.refusal(fault) from None

    def _read(self, name: str) -> Any:
        path = self._folder / name
        try:
            text = path.read_text("utf-8")
            return json.loads(text.replace("wirewatch-articles", self._name))
        except (OSError, ValueError) as error:
            raise WirewatchError(f"{path} cannot be read as a template: {error}") from None


def is_month(text: str) -> bool:
    """Whether ``text`` is ``YYYY-MM``."""
    return _MONTH.fullmatch(text) is not None


def this_and_next_month(now: datetime) -> tuple[str, str]:
    """Return the months of ``now`` and of its successor, as ``YYYY-MM``."""
    following = now.replace(day=1) + timedelta(days=32)
    return f"{now:%Y-%m}", f"{following:%Y-%m}"
