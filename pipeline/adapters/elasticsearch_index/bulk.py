"""The bulk loop: send, judge each item by itself, send again only what remains.

``elasticsearch.helpers.bulk`` is not used: it retries by status, so it gives up a document for a full disk and tries
again for ever on one that can never be indexed.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

import msgspec
from elasticsearch import ApiError
from msgspec import Struct

from pipeline.adapters.elasticsearch_index.connection import Connection, Unreachable
from pipeline.adapters.elasticsearch_index.document import Document
from pipeline.adapters.elasticsearch_index.judge import Fault, Verdict, item_fault, judge, request_fault
from pipeline.adapters.elasticsearch_index.months import Months
from pipeline.errors import TryLater
from pipeline.ports import IndexOutcome

ATTEMPTS: Final = 4
"""Then ``TryLater``: the worker waits longer than we can, and stays a member of its group meanwhile."""

FIRST_WAIT_SECONDS: Final = 0.2
PIECE_BYTES: Final = 10_000_000
"""Of one request. Elasticsearch takes 100 MB, but holds a request in memory several times over."""

_ANSWER: Final = "items.*.status,items.*.result,items.*.error"
_RESULTS: Final = {"created": "written", "updated": "updated", "deleted": "updated", "not_found": "older"}

Sleep = Callable[[float], None]


class Action(Struct, frozen=True):
    """One item of a bulk request."""

    month: str
    lines: tuple[bytes, ...]

    @property
    def size(self) -> int:
        """Bytes on the way."""
        return sum(map(len, self.lines)) + len(self.lines)


class Waiting(Struct, frozen=True):
    """An action without an outcome yet; ``place`` is where its outcome belongs."""

    place: int
    action: Action


def index_action(document: Document, alias: str) -> Action:
    """Return the action that writes ``document`` unless a higher version is there."""
    head = {"_index": alias, "_id": document.id, "version": document.version, "version_type": "external_gte"}
    return Action(document.month, (msgspec.json.encode({"index": head}), document.source))


def delete_action(article_id: str, month: str, alias: str) -> Action:
    """Return the action that removes a document whatever its version."""
    return Action(month, (msgspec.json.encode({"delete": {"_index": alias, "_id": article_id}}),))


class Bulk:
    """Sends actions in order until each has an outcome."""

    def __init__(self, connection: Connection, months: Months, *, sleep: Sleep, piece_bytes: int = PIECE_BYTES) -> None:
        self._connection = connection
        self._months = months
        self._sleep = sleep
        self._piece_bytes = piece_bytes

    def send(self, actions: Sequence[Action]) -> Sequence[IndexOutcome]:
        """Return the outcome of each action, at its place.

        Of two actions on one id the second may overtake the first when only that one is to be sent again; versions make
        this harmless for writes, and a write is never sent together with a delete.

        Raises:
            TryLater: the cluster takes nothing, or not all of it after some attempts.
            WirewatchError: sending again cannot help.
        """
        sending = _Sending(self._connection, self._months, len(actions))
        waiting = [Waiting(place, action) for place, action in enumerate(actions)]
        wait = FIRST_WAIT_SECONDS
        for attempt in range(1, ATTEMPTS + 1):
            sending.cause = ""
            waiting = [left for piece in _pieces(waiting, self._piece_bytes) for left in sending.send(piece)]
            if waiting and not sending.cause:  # for want of an index that is made now
                waiting = [left for piece in _pieces(waiting, self._piece_bytes) for left in sending.send(piece)]
            if not waiting:
                return sending.outcomes
            if attempt < ATTEMPTS:
                self._sleep(wait * random.uniform(0.5, 1.5))
                wait *= 2
        raise sending.later(len(waiting))


class _Sending:
    """One call of ``Bulk.send`` under way."""

    def __init__(self, connection: Connection, months: Months, number: int) -> None:
        self.outcomes = [IndexOutcome("rejected", "never answered")] * number
        self.cause = ""
        """Why something has to be sent again, when it is not for a month that was just made."""
        self._connection = connection
        self._months = months
        self._number = number
        self._made: set[str] = set()

    def later(self, left: int) -> TryLater:
        """Return what to raise when attempts have run out."""
        return TryLater(f"{self.cause} ({left} of {self._number} articles are left)")

    def send(self, piece: Sequence[Waiting]) -> Sequence[Waiting]:
        """Send ``piece``, keep the outcomes, and return what has to be sent again."""
        lines: Any = [line for waiting in piece for line in waiting.action.lines]
        # Already JSON: the client sends bytes as they are, whatever its annotations say.
        try:
            answer = self._connection.ask(
                lambda client: client.bulk(operations=lines, require_alias=True, filter_path=_ANSWER)
            )
        except Unreachable as error:
            self.cause = error.cause
            return piece
        except ApiError as error:
            return self._refused(piece, request_fault(error))
        items = answer.body.get("items", [])
        if len(items) != len(piece):
            raise TryLater(
                f"Elasticsearch at {self._connection.name} answered for {len(items)} of {len(piece)} articles"
            )
        return self._read(piece, [next(iter(item.values())) for item in items])

    def _refused(self, piece: Sequence[Waiting], fault: Fault) -> Sequence[Waiting]:
        """The whole request was refused. Too large: the halves may pass."""
        verdict = judge(fault)
        if verdict is Verdict.RETRY:
            self.cause = self._connection.busy(fault)
            return piece
        if verdict is not Verdict.TOO_LARGE:
            raise self._connection.refusal(fault)
        if len(piece) == 1:
            reason = f"{piece[0].action.size} bytes are too many for the server: {fault}"
            self.outcomes[piece[0].place] = IndexOutcome("rejected", reason)
            return []
        middle = len(piece) // 2
        return [*self.send(piece[:middle]), *self.send(piece[middle:])]

    def _read(self, piece: Sequence[Waiting], items: Sequence[dict[str, Any]]) -> Sequence[Waiting]:
        left: list[Waiting] = []
        missing: set[str] = set()
        for waiting, item in zip(piece, items, strict=True):
            fault = item_fault(item)
            if fault is None:
                self.outcomes[waiting.place] = IndexOutcome(_RESULTS[item["result"]])  # type: ignore[arg-type]
                continue
            match judge(fault):
                case Verdict.OLDER:
                    self.outcomes[waiting.place] = IndexOutcome("older")
                case Verdict.REJECT | Verdict.TOO_LARGE:
                    self.outcomes[waiting.place] = IndexOutcome("rejected", str(fault))
                case Verdict.RETRY:
                    self.cause = self._connection.busy(fault)
                    left.append(waiting)
                case Verdict.NO_MONTH if waiting.action.month not in self._made:
                    missing.add(waiting.action.month)
                    left.append(waiting)
                case _:
                    raise self._connection.refusal(fault)
        if missing:
            self._months.ensure(missing)
            self._made |= missing
        return left


def _pieces(waiting: Sequence[Waiting], most_bytes: int) -> Iterator[Sequence[Waiting]]:
    """Yield runs of ``waiting`` of at most ``most_bytes``, or of one."""
    piece: list[Waiting] = []
    size = 0
    for each in waiting:
        if piece and size + each.action.size > most_bytes:
            yield piece
            piece, size = [], 0
        piece.append(each)
        size += each.action.size
    if piece:
        yield piece
