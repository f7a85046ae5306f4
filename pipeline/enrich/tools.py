"""What the stages work with, opened once a process."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from lxml.html import HtmlElement

from pipeline.enrich.agencies import Agencies, load_agencies
from pipeline.enrich.gazetteer import Gazetteer, load_gazetteer
from pipeline.enrich.language_model import LanguageModel, load_languages
from pipeline.enrich.meter import Meter, MetricsMeter
from pipeline.enrich.page import ExtractionFailed, parse_page
from pipeline.ports import NoProfiles, Pages, Profiles

__all__ = ["Tools", "load_languages"]


@dataclass(frozen=True, repr=False)
class Tools:
    """Everything a stage may use besides the article itself."""

    pages: Pages
    languages: LanguageModel = field(default_factory=load_languages)
    agencies: Agencies = field(default_factory=load_agencies)
    profiles: Profiles = field(default_factory=NoProfiles)
    meter: Meter = field(default_factory=MetricsMeter)
    own_names: Path | None = None
    """Folder of the names that users add to the gazetteer; it need not be there."""
    _opened: dict[str, HtmlElement | ExtractionFailed | None] = field(default_factory=dict)
    """The page that was opened last: several stages look at it, and parsing it takes longer than what they do."""
    _sizes: dict[str, int] = field(default_factory=dict)
    """Bytes of that page."""
    _loaded: dict[str, Gazetteer] = field(default_factory=dict)

    def __repr__(self) -> str:
        """Nothing of the models, which are 60 MB when written out: what fails shows what it was given."""
        return "Tools(…)"

    def __post_init__(self) -> None:
        # A page without an article is a flag on the article; it is not also two lines on somebody's terminal.
        logging.getLogger("trafilatura").setLevel(logging.CRITICAL)

    @property
    def gazetteer(self) -> Gazetteer:
        """The known names, loaded when first asked for: it takes a second, and not every list of stages wants them.

        Raises:
            UsageError: a file in ``own_names`` cannot be used.
        """
        if "gazetteer" not in self._loaded:  # in what `dataclasses.replace` hands on, so that it is loaded once
            self._loaded["gazetteer"] = load_gazetteer(self.own_names)
        return self._loaded["gazetteer"]

    def prepare(self, stages: Sequence[str]) -> None:
        """Load what ``stages`` need, so that what is wrong with it is said before there is work; raises as above."""
        if "entities" in stages:
            _ = self.gazetteer

    def open_page(self, key: str) -> HtmlElement | None:
        """Return the tree of a stored page, which nobody may change; None when it is not (or no longer) kept.

        Raises:
            ExtractionFailed: it is no HTML that can be read.
            TryLater: the pages cannot be read now.
        """
        if key not in self._opened:
            self._opened.clear()
            self._sizes.clear()
            self._opened[key] = self._read(key)
        opened = self._opened[key]
        if isinstance(opened, ExtractionFailed):
            raise opened
        return opened

    def page_bytes(self, key: str) -> int:
        """Return the size of the page that was opened last; 0 when that was another, or there is none."""
        return self._sizes.get(key, 0)

    def _read(self, key: str) -> HtmlElement | ExtractionFailed | None:
        try:
            body = self.pages.get(key)
        except ValueError:  # no key: a stranger wrote this record
            return None
        if body is None:
            return None
        self._sizes[key] = len(body)
        try:
            return parse_page(body)
        except ExtractionFailed as failure:
            return failure
