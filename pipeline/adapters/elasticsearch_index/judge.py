"""What an answer of Elasticsearch means for what was asked: judged by ``error.type`` first, then by status.

The status alone misleads: a full disk answers 429 with ``cluster_block_exception``, which no quick retry helps, and a
write refused for a limit of shards answers 400, which is no fault of the document.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any, Final

from elasticsearch import ApiError
from msgspec import Struct

HOLD_SECONDS: Final = 30.0
"""Between attempts while a person has to act: a full disk, a limit of shards, an answer that we do not know."""

MAX_REASON_CHARACTERS: Final = 300
"""Of each reason that we repeat: it may hold part of the document."""


class Verdict(Enum):
    """What must happen next."""

    OLDER = "a higher version is there"
    REJECT = "this document can never be indexed"
    NO_MONTH = "the month's index is not there yet"
    RETRY = "busy or away; soon again"
    HOLD = "it takes nothing until somebody acts; slowly again"
    TOO_LARGE = "the request is too large; in smaller pieces"
    STOP = "nothing will help but another setting; stop loudly"


class Fault(Struct, frozen=True):
    """An error as Elasticsearch, or a proxy before it, put it; ``type`` is empty for a proxy."""

    status: int
    type: str
    reason: str

    def __str__(self) -> str:
        return f"{self.status} {': '.join(part for part in (self.type, self.reason) if part)}".rstrip()


_BY_TYPE: Final = {
    "version_conflict_engine_exception": Verdict.OLDER,
    "document_parsing_exception": Verdict.REJECT,
    "mapper_parsing_exception": Verdict.REJECT,
    "index_not_found_exception": Verdict.NO_MONTH,
    "cluster_block_exception": Verdict.HOLD,
    "validation_exception": Verdict.HOLD,
    "media_type_header_exception": Verdict.STOP,
}
"""``media_type_header_exception`` is how an older major release answers this client."""

_BY_STATUS: Final = {
    400: Verdict.HOLD,
    401: Verdict.STOP,
    403: Verdict.STOP,
    404: Verdict.STOP,
    405: Verdict.STOP,
    409: Verdict.HOLD,
    413: Verdict.TOO_LARGE,
    429: Verdict.RETRY,
}

_OVER_LONG_TERM: Final = "immense term"
"""In the reason of Lucene's ``illegal_argument_exception`` for a term of more than 32,766 bytes."""


def judge(fault: Fault) -> Verdict:
    """Return what must happen after ``fault``."""
    if fault.type == "illegal_argument_exception" and _OVER_LONG_TERM in fault.reason:
        return Verdict.REJECT
    by_type = _BY_TYPE.get(fault.type)
    if by_type is not None:
        return by_type
    return _BY_STATUS.get(fault.status, Verdict.RETRY if fault.status >= 500 else Verdict.HOLD)


def item_fault(item: Mapping[str, Any]) -> Fault | None:
    """Return what is wrong with one item of a bulk answer; None when it was done."""
    error, status = item.get("error"), int(item.get("status", 0))
    if error is None:
        return None
    return _fault(status, error)


def request_fault(error: ApiError) -> Fault:
    """Return what is wrong with a whole request; a proxy answers with a page of its own, which is left out."""
    body = error.body.get("error", "") if isinstance(error.body, dict) else ""
    return _fault(error.meta.status, body)


def _fault(status: int, error: Any) -> Fault:
    if not isinstance(error, dict):
        return Fault(status, "", error[:MAX_REASON_CHARACTERS] if isinstance(error, str) else "")
    reasons = [str(error.get("reason") or "")]
    cause = error.get("caused_by")
    while isinstance(cause, dict):  # the innermost says most: which value, which setting
        reasons.append(str(cause.get("reason") or ""))
        cause = cause.get("caused_by")
    told = [reason[:MAX_REASON_CHARACTERS] for reason in (reasons[0], reasons[-1]) if reason]
    return Fault(status, str(error.get("type", "")), " — ".join(dict.fromkeys(told)))
