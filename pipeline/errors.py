"""What can go wrong, by what must happen next.

Three of these are outcomes of one article (``DropArticle``, ``BadArticle``, ``TryLater``). The rest stop a
command or a worker; each carries the process exit code it ends with. Anything that is not one of these is our
bug and stops the worker.
"""

from __future__ import annotations

from pipeline.outcomes import DropReason, Trouble

EXIT_OK = 0
EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_PARTLY = 3
EXIT_DEAD_LETTERS_UNAVAILABLE = 4
EXIT_BREAKER = 5
EXIT_NOT_SET_UP = 6


class WirewatchError(Exception):
    """An error for the person at the terminal: what happened, why, and what to do next, in one or two sentences."""

    exit_code = EXIT_FAILED


class UsageError(WirewatchError):
    """The command line, a setting or a configuration file is wrong; nothing was done."""

    exit_code = EXIT_USAGE


class MissingExtra(UsageError):
    """A setting names an adapter whose packages are not installed; the message names the extra to install."""


class DataFolderError(WirewatchError):
    """The data folder cannot be used: missing, of a newer version, read-only or damaged."""


class NotSetUp(WirewatchError):
    """A cluster's part lacks what ``wirewatch setup`` makes, or ``is_older``: has it from an older release."""

    exit_code = EXIT_NOT_SET_UP

    def __init__(self, message: str, *, is_older: bool = False) -> None:
        super().__init__(message)
        self.is_older = is_older


class IndexInUse(WirewatchError):
    """Another process writes to the index; only one can."""


class MemberReplaced(WirewatchError):
    """Another process has joined a group under this member's name, which is for one process at a time."""


class DropArticle(Exception):
    """This article is left out on purpose; it is counted under ``reason`` and does not go to the dead letters."""

    def __init__(self, reason: DropReason, detail: str = "") -> None:
        super().__init__(f"{reason.value}: {detail}" if detail else reason.value)
        self.reason = reason
        self.detail = detail


class BadArticle(Exception):
    """This record can never be handled; it goes to the dead letters under ``reason`` (a short fixed phrase)."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason
        self.detail = detail


class TryLater(Exception):
    """A neighbour (index, broker, state, channel) cannot take this now: hold, wait ``retry_seconds``, go on."""

    def __init__(self, cause: str, retry_seconds: float | None = None) -> None:
        super().__init__(cause)
        self.cause = cause
        self.retry_seconds = retry_seconds


class CannotSend(TryLater):
    """Our own settings keep a message back: no such channel, an address not allowed. It waits until they are mended."""


class PublishError(Exception):
    """The broker did not store a message. ``fatal`` says that trying the same message again cannot help."""

    def __init__(self, cause: str, *, fatal: bool = False) -> None:
        super().__init__(cause)
        self.cause = cause
        self.fatal = fatal


class PartitionLost(Exception):
    """The group gave this partition to another member; its uncommitted records will be handled there."""


class LeaseLost(Exception):
    """Another process holds the lease now (its epoch moved on); this one must write nothing more under it."""


class DeadLettersUnavailable(WirewatchError):
    """A dead letter could not be written, so the worker stops with its offset kept rather than skip a record."""

    exit_code = EXIT_DEAD_LETTERS_UNAVAILABLE


class BreakerTripped(WirewatchError):
    """Too many dead letters for one reason with no success between: the fault is ours or a neighbour's, so stop."""

    exit_code = EXIT_BREAKER


class RequestRefused(Exception):
    """Our own rules forbid this outgoing request (address, scheme, size, hops); trying again cannot help."""

    trouble = Trouble.REFUSED


class RequestFailed(Exception):
    """An outgoing request did not get an answer, or a broken one; it may work later. ``trouble`` says which."""

    def __init__(self, cause: str, trouble: Trouble = Trouble.NO_ANSWER) -> None:
        super().__init__(cause)
        self.trouble = trouble


class ChannelGone(Exception):
    """A channel will take nothing more: the receiver is gone (410)."""


class QueryError(UsageError):
    """A query cannot be read; ``column`` (0-based) is where."""

    def __init__(self, message: str, column: int = 0) -> None:
        super().__init__(message)
        self.column = column
