"""Profiles: what was learned of each outlet's pages, and where it is learned from."""

from __future__ import annotations

from typing import Protocol


class Profiles(Protocol):
    """What the pages of one outlet have in common. Asked and told once for each page that is read."""

    def repeated_lines(self, outlet: str) -> frozenset[int]:
        """Return the keys (``pipeline.enrich.repeated``) of lines that the outlet's pages repeat; empty: none known."""
        ...

    def broken(self, outlet: str) -> str:
        """Return what is wrong with extracting this outlet's pages just now; empty: nothing is."""
        ...

    def note(self, article_id: str, outlet: str, keys: tuple[int, ...], characters: int, page_bytes: int) -> None:
        """Take in what one page gave: the keys of its short lines, and how long its text and the page itself were."""
        ...


class NoProfiles:
    """Knows nothing and learns nothing."""

    def repeated_lines(self, outlet: str) -> frozenset[int]:  # noqa: ARG002 - the port's interface
        """Return nothing."""
        return frozenset()

    def broken(self, outlet: str) -> str:  # noqa: ARG002 - as above
        """Return nothing."""
        return ""

    def note(self, article_id: str, outlet: str, keys: tuple[int, ...], characters: int, page_bytes: int) -> None:
        """Do nothing."""


class UntoldProfiles(NoProfiles):
    """Knows what others know and learns nothing: for pages of long ago, which do not tell of the outlet now."""

    def __init__(self, profiles: Profiles) -> None:
        self._profiles = profiles

    def repeated_lines(self, outlet: str) -> frozenset[int]:
        """Return the keys of lines that the outlet's pages repeat."""
        return self._profiles.repeated_lines(outlet)
