"""Pages: the bytes that were fetched."""

from __future__ import annotations

from datetime import date
from typing import Protocol


class Pages(Protocol):
    """Raw bytes of fetched pages, compressed, by content hash and day.

    Every method raises ``TryLater`` while the store is full or out of reach, and ``DataFolderError`` when it may not
    be used.
    """

    def put(self, body: bytes, day: date) -> str:
        """Store ``body``, durably; return its key. The same body of the same day is stored once."""
        ...

    def get(self, key: str) -> bytes | None:
        """Return the body, or None when it is gone by retention. Raises ``ValueError`` for what is no key."""
        ...

    def has(self, key: str) -> bool:
        """Whether the body is there, without reading it. Raises ``ValueError`` for what is no key."""
        ...

    def delete(self, key: str) -> bool:
        """Remove one body; return whether it was there."""
        ...

    def prune(self, today: date, max_age_days: int, max_bytes: int) -> int:
        """Remove the oldest days past the age, then past the size; return how many bodies went."""
        ...
