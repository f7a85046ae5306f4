"""What the stages work with, opened once a process."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from lxml.html import HtmlElement

from pipeline.enrich.gazetteer import Gazetteer, load_gazetteer
from pipeline.enrich.language_model import LanguageModel, load_languages
from pipeline.enrich.page import ExtractionFailed, parse_page
from pipeline.ports import Pages

__all__ = ["Tools", "load_languages"]


@dataclass(frozen=True)
class Tools:
    """Everything a stage may use besides the article itself."""

    pages: Pages
    languages: LanguageModel = field(default_factory=load_languages)
    own_names: Path | None = None
    """Folder of the names that users add to the gazetteer; it need not be there."""
    _opened: dict[str, HtmlElement | ExtractionFailed | None] = field(default_factory=dict)
    """The page that was opened last: several stages look at it, and parsing it takes longer than what they do."""

    def __post_init__(self) -> None:
        # A page without an article is a flag on the article; it is not also two lines on somebody's terminal.
        logging.getLogger("trafilatura").setLevel(logging.CRITICAL)

    @cached_property
    def gazetteer(self) -> Gazetteer:
        """The known names, loaded when first asked for: it takes a second, and not every list of stages wants them.

        Raises:
            UsageError: a file in ``own_names`` cannot be used.
        """
        return load_gazetteer(self.own_names)

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
            self._opened[key] = self._read(key)
        opened = self._opened[key]
        if isinstance(opened, ExtractionFailed):
            raise opened
        return opened

    def _read(self, key: str) -> HtmlElement | ExtractionFailed | None:
        try:
            body = self.pages.get(key)
        except ValueError:  # no key: a stranger wrote this record
            return None
        try:
            return None if body is None else parse_page(body)
        except ExtractionFailed as failure:
            return failure
