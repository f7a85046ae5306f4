"""What is wrong with a file, in words for the person who named it."""

from __future__ import annotations

from msgspec import Struct


class FileProblem(Struct, frozen=True):
    """A file, or a line of it (1-based; 0: the whole), that gave no article. The others go on."""

    path: str
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.message}" if self.line else f"{self.path}: {self.message}"


class UnreadableFile(Exception):
    """This file gives no article; the message says why."""
