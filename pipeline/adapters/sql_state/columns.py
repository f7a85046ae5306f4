"""Column types that mean the same in every database, and let nothing in that one of them would refuse."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import BigInteger, Dialect, Text
from sqlalchemy.exc import DontWrapMixin
from sqlalchemy.types import TypeDecorator

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_to_json = json.JSONEncoder(separators=(",", ":")).encode  # json.dumps would make an encoder for each value


class NaiveTime(ValueError, DontWrapMixin):
    """A time without a zone was about to be stored or compared: our own mistake."""


class UtcTime(TypeDecorator[datetime]):
    """An aware time, as microseconds since 1970 UTC: exact, ordered, and alike in every database."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:  # noqa: ARG002
        """Return the microseconds. Raises ``NaiveTime``."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise NaiveTime(f"{value!r} has no time zone; the state takes aware times only")
        return (value - EPOCH) // _MICROSECOND

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Return the time, in UTC."""
        return None if value is None else EPOCH + timedelta(microseconds=value)


class CleanText(TypeDecorator[str]):
    """Text from outside: without NUL (PostgreSQL refuses it) and lone surrogates (no UTF-8), cut to ``max_chars``."""

    impl = Text
    cache_ok = True

    def __init__(self, max_chars: int | None = None) -> None:
        super().__init__()
        self.max_chars = max_chars

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: ARG002
        """Return what can be stored anywhere."""
        return None if value is None else clean(value[: self.max_chars])


class Json(TypeDecorator[Any]):
    """A JSON value as ASCII text: every string survives, NUL and lone surrogates as escapes."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:  # noqa: ARG002
        """Return the JSON; None stays NULL."""
        return None if value is None else _to_json(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:  # noqa: ARG002
        """Return the value."""
        return None if value is None else json.loads(value)


def clean(text: str) -> str:
    """Return ``text`` without NUL, and with "?" for every lone surrogate."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")
