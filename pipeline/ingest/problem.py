"""What is wrong with a file, in words for the person who named it."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

NAMED_KINDS = 8
"""Kinds of records that one line names, the most frequent first."""


class FileProblem(Struct, frozen=True):
    """A file, or a line of it (1-based; 0: the whole), that gave no article. The others go on."""

    path: str
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.message}" if self.line else f"{self.path}: {self.message}"


class Skipped(Struct, frozen=True):
    """Records of an archive that are no articles, by kind: images, redirects, requests. Nothing is wrong with them."""

    path: str
    kinds: Mapping[str, int]

    def __str__(self) -> str:
        ranked = sorted(self.kinds.items(), key=lambda each: (-each[1], each[0]))
        parts = [f"{kind} ({number:,})" for kind, number in ranked[:NAMED_KINDS]]
        if rest := sum(number for _, number in ranked[NAMED_KINDS:]):
            parts.append(f"others ({rest:,})")
        total = sum(self.kinds.values())
        return f"{self.path}: {total:,} record{'s' * (total != 1)} passed over: {', '.join(parts)}"


class UnreadableFile(Exception):
    """This file gives no article; the message says why."""
