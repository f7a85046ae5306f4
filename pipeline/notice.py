"""What the watch tells people: that something has stopped, still has, or goes on."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from msgspec import Struct

Kind = Literal[
    "polling stopped",
    "step stopped",
    "step behind",
    "delivery stopped",
    "step held",
    "step silent",
    "disk filling",
    "cannot look",
    "run ended",
]


Change = Literal["began", "continues", "ended"]


class Problem(Struct, frozen=True):
    """Something that is not well, in words for the person who is to look at it."""

    kind: Kind
    subject: str
    """The step, folder or part that it is about."""
    detail: str
    """What was seen and, where it is known, what to do."""

    @property
    def key(self) -> tuple[str, str]:
        """What makes it the same problem, whatever its numbers are by now."""
        return self.kind, self.subject


class Notice(Struct, frozen=True, kw_only=True):
    """One message about a problem; ``id`` is the same at every attempt to send it."""

    id: str
    change: Change
    problem: Problem
    began: datetime
    at: datetime

    def __str__(self) -> str:
        problem = self.problem
        return f"{problem.kind} {self.change}: {problem.subject}: {problem.detail}"
