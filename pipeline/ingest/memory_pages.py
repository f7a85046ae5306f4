"""Pages in memory, for what must leave nothing behind."""

from __future__ import annotations

from datetime import date, timedelta
from hashlib import sha256


class MemoryPages:
    """The pages port without a place to keep them: they are gone with the process."""

    def __init__(self) -> None:
        self._bodies: dict[str, bytes] = {}

    def put(self, body: bytes, day: date) -> str:
        key = f"{day.isoformat()}/{sha256(body).hexdigest()[:32]}"
        self._bodies[key] = body
        return key

    def get(self, key: str) -> bytes | None:
        """Return the body, or None. Raises ``ValueError`` for what is no key of this store."""
        _day_of(key)
        return self._bodies.get(key)

    def has(self, key: str) -> bool:
        """Whether the body is there. Raises ``ValueError`` for what is no key of this store."""
        _day_of(key)
        return key in self._bodies

    def delete(self, key: str) -> bool:
        return self._bodies.pop(key, None) is not None

    def prune(self, today: date, max_age_days: int, max_bytes: int) -> int:
        """Remove the oldest days past the age, then past the size; return how many bodies went."""
        before = len(self._bodies)
        first = today - timedelta(days=max_age_days)
        self._bodies = {key: body for key, body in self._bodies.items() if _day_of(key) >= first}
        while self._bodies and sum(map(len, self._bodies.values())) > max_bytes:
            oldest = min(map(_day_of, self._bodies))
            self._bodies = {key: body for key, body in self._bodies.items() if _day_of(key) > oldest}
        return before - len(self._bodies)


class NoPages(MemoryPages):
    """Pages that are counted and let go of at once."""

    def put(self, body: bytes, day: date) -> str:
        key = super().put(body, day)
        self.delete(key)
        return key


def _day_of(key: str) -> date:
    return date.fromisoformat(key.partition("/")[0])
