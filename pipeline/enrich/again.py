"""A settled article through the stages again: with its page where that is still kept, else with its text as it is."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Final

from msgspec.structs import replace

from pipeline.article import Article
from pipeline.enrich.page import ExtractionFailed
from pipeline.enrich.tools import Tools
from pipeline.errors import DropArticle
from pipeline.ports import UntoldProfiles

PAGE_STAGES: Final = ("text", "metadata")
"""The stages that read what the article was made from. A feed's markup is not kept, a page's bytes are for a while."""


def enrich_again(
    article: Article,
    tools: Tools,
    stages: Sequence[str],
    enrich: Callable[[Article, Tools, Sequence[str]], Article],
) -> Article:
    """Return the article as ``stages`` make it now; ``enrich`` is what goes through them.

    Where its page is gone, or was never there, or gives no text any more, the text stays: the stages that read pages
    are left out, and the article goes on bearing the edition of them that it went through.

    Raises:
        TryLater: the pages cannot be read now.
    """
    tools = dataclasses.replace(tools, profiles=UntoldProfiles(tools.profiles))
    if article.text_from == "page" and _has_page(article, tools):
        # Read from the page anew, and judged anew: what was said of the text that goes is not said of the next one.
        unsaid = article.unflagged("lines_removed", "encoding_repaired")
        bare = replace(unsaid, body="", headings=(), dateline="", text_choice="", text_confidence=0.0)
        try:
            found = enrich(bare, tools, stages)
        except DropArticle:
            found = bare
        if found.text_from == "page" and found.body:
            return found
    rest = [name for name in stages if name not in PAGE_STAGES]
    found = enrich(article, tools, rest)
    return replace(found, stages=_in_order(stages, (*article.stages, *found.stages)))


def _has_page(article: Article, tools: Tools) -> bool:
    try:
        return tools.open_page(article.page) is not None
    except ExtractionFailed:
        return False


def _in_order(stages: Sequence[str], editions: Sequence[str]) -> tuple[str, ...]:
    """Return the last edition of each stage that is still configured, in the order they are."""
    by_name = {edition.partition("/")[0]: edition for edition in editions}
    return tuple(by_name[name] for name in stages if name in by_name)
