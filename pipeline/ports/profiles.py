"""Profiles: what was learned of each outlet's pages, and where it is learned from."""

from __future__ import annotations

from typing import Protocol


class Profiles(Protocol):
    """What an outlet's pages have in common; asked and told once for each article that has its text from one."""

    def repeated_lines(self, outlet: str) -> frozenset[int]:
        """Return the keys (``pipeline.enrich.repeated``) of lines that the outlet's pages repeat; empty: none known."""
        ...

    def note(self, article_id: str, outlet: str, keys: tuple[int, ...], characters: int, page_bytes: int) -> None:
        """Take in what one page gave: the keys of its short lines, and how long its text and the page itself were."""
        ...


class NoProfiles:
    """Knows nothing and learns nothing."""

    def repeated_lines(self, outlet: str) -> frozenset[int]:  # noqa: ARG002 - the port's interface
        """Return nothing."""
        return frozenset()

    def note(self, article_id: str, outlet: str, keys: tuple[int, ...], characters: int, page_bytes: int) -> None:
        """Do nothing."""
