"""How the handling of one record can end. Every record read ends in exactly one of these, and is counted once."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from msgspec import Struct


class Status(StrEnum):
    """The outcome of one record in one step; ``handled = sum of all of them`` holds for every step."""

    PUBLISHED = "published"
    UPDATED = "updated"
    DUPLICATE = "duplicate"
    DROPPED = "dropped"
    DEAD = "dead"


class DropReason(StrEnum):
    """Why an item was left out on purpose. A drop that is not named here does not exist."""

    NO_IDENTITY = "no_identity"  # no link, no guid, no title and no text: nothing to know it by
    NO_TEXT = "no_text"  # neither title nor body left after cleaning
    TOMBSTONED = "tombstoned"  # deleted by a person; stays deleted
    SUPERSEDED = "superseded"  # a deletion or an older form of something already handled
    NO_RULE = "no rule"  # of the alert step alone: no rule selects it, so there is nothing to tell anybody
    FIRST_POLL = "first poll"  # of the alert step alone: a rule selects it, but it is older than our watch on its feed


class Trouble(StrEnum):
    """Why a poll brought nothing, for counting; ``FeedState.cause`` says the same in words for a person."""

    NONE = ""
    DNS = "dns"
    TLS = "tls"
    NO_ANSWER = "no_answer"  # refused, reset, timed out
    BROKEN = "broken"  # an answer began and was no use: cut off, damaged, not HTTP
    REFUSED = "refused"  # by our own rules: address, size, hops, robots.txt
    STATUS = "status"  # an HTTP status that is an error
    WALL = "wall"  # a page that keeps programs out, in place of the feed
    NOT_A_FEED = "not_a_feed"
    BROKER = "broker"  # the feed is well; what it brought could not be published


FlagName = Literal[
    "body_truncated",
    "title_truncated",
    "list_truncated",
    "controls_removed",
    "published_clamped",
    "published_unreadable",
    "page_missing",
    "page_gone",
    "gap_filled",
    "page_without_article",
    "language_unsure",
    "charset_guessed",
    "link_removed",
    "paywalled",
    "corrected",
    "encoding_repaired",
    "page_is_index",
    "page_is_login",
    "page_is_consent",
    "page_is_video",
    "extraction_broken",
    "names_truncated",
    "lines_removed",
]
"""Remarks on an article's quality, kept with it. A stage that fails on an article adds ``failed:<stage>``."""


class Counts(Struct):
    """Outcomes of one step since the last report, by status and, for drops and dead letters, by reason."""

    by_outcome: dict[tuple[str, str], int] = {}

    def add(self, status: Status, reason: str = "", number: int = 1) -> None:
        """Count ``number`` records that ended in ``status``."""
        key = (status.value, reason)
        self.by_outcome[key] = self.by_outcome.get(key, 0) + number

    def take(self) -> dict[tuple[str, str], int]:
        """Return what was counted since the last call and start again at zero."""
        taken, self.by_outcome = self.by_outcome, {}
        return taken
