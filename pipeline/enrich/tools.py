"""What the stages work with, opened once a process."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field

from pipeline.enrich.language_model import LanguageModel, load_languages
from pipeline.ports import Pages

__all__ = ["Tools", "load_languages"]


@dataclass(frozen=True)
class Tools:
    """Everything a stage may use besides the article itself."""

    pages: Pages
    languages: LanguageModel = field(default_factory=load_languages)

    def __post_init__(self) -> None:
        # A page without an article is a flag on the article; it is not also two lines on somebody's terminal.
        logging.getLogger("trafilatura").setLevel(logging.CRITICAL)
