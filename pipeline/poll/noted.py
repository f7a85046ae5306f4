"""The texts and links of one entry, cleaned and capped, with a note of what had to be done to them."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import urljoin

from pipeline.identity import clean_link
from pipeline.outcomes import FlagName
from pipeline.text.characters import cleaned, has_controls
from pipeline.text.limits import MAX_LIST_CHARACTERS, MAX_LIST_LENGTH
from pipeline.text.markup import plain_text

_MARKUP_PER_CHARACTER = 20
"""Text is cut to so many times its limit before markup is taken out of it, so that the work is bounded."""


class Noted:
    """Cleans the texts of one entry and notes what had to be done to them."""

    def __init__(self, flags: Iterable[FlagName]) -> None:
        self.flags: dict[FlagName, None] = dict.fromkeys(flags)

    def add(self, flag: FlagName) -> None:
        self.flags[flag] = None

    def clean(self, text: str) -> str:
        clean = cleaned(text)
        if clean is not text and has_controls(text):
            self.add("controls_removed")
        return clean

    def plain(self, markup: str, limit: int, too_long: FlagName) -> str:
        markup, more = cut(markup, limit * _MARKUP_PER_CHARACTER)
        text, longer = cut(plain_text(self.clean(markup)), limit)
        if more or longer:
            self.add(too_long)
        return text

    def listed(self, names: Iterable[str]) -> tuple[str, ...]:
        plain = (self.plain(name, MAX_LIST_CHARACTERS, "list_truncated") for name in names)
        distinct = list(dict.fromkeys(name for name in plain if name))
        if len(distinct) > MAX_LIST_LENGTH:
            self.add("list_truncated")
        return tuple(distinct[:MAX_LIST_LENGTH])


def cut(text: str, limit: int) -> tuple[str, bool]:
    """Return at most ``limit`` characters of ``text``, and whether there were more."""
    return text[:limit], len(text) > limit


def link_in(written: str, url: str) -> str:
    """Return a link as a feed at ``url`` writes it, absolute and http(s), else empty."""
    try:
        return clean_link(urljoin(url, written.strip())) if written else ""
    except ValueError:
        return ""
