"""Text on one line out of what feeds put where text belongs: markup, or what looks like it."""

from __future__ import annotations

import html
import re

from pipeline.text.characters import one_line

_TAG = re.compile(r"<!--.*?(?:-->|\Z)|<[/!?]?[A-Za-z][^<>]*>", re.DOTALL)
_OPENING = re.compile(r"<(?=[/!?A-Za-z])")
_PASSES = 4


def plain_text(markup: str) -> str:
    """Return the text of markup on one line: tags, comments, scripts and styles out, references decoded once.

    Linear in the size of its input, whatever that is. The result is text: ``<b>`` in it was written as ``&lt;b&gt;``
    and is to be shown as such, so whoever shows it escapes it.
    """
    if "<" in markup:
        for name in ("script", "style"):
            markup = _without_element(markup, name)
        markup = _without_tags(markup)
    return one_line(html.unescape(markup))


def _without_tags(markup: str) -> str:
    """Drop tags, and those that come of it (``<ifr<b>ame>``); nested deeper than anybody writes, only their sign."""
    for _ in range(_PASSES):
        shorter = _TAG.sub(" ", markup)
        if shorter == markup:
            return markup
        markup = shorter
    return _OPENING.sub(" ", markup) if _TAG.search(markup) else markup


def _without_element(markup: str, name: str) -> str:
    """Drop elements whose content is no text. One that is never closed keeps its content: it may be a headline."""
    closings = [found.end() for found in re.finditer(f"</{name}", markup, re.IGNORECASE)]
    if not closings:
        return markup
    # Before the last closing every opening finds one, so no search runs to the end in vain.
    head, tail = markup[: closings[-1]], markup[closings[-1] :]
    return re.sub(rf"<{name}\b.*?</{name}", "<x", head, flags=re.IGNORECASE | re.DOTALL) + tail
