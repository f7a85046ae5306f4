"""Rules and what they raise."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from msgspec import Struct


class Rule(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A saved query that raises an alert once for each family of articles that it matches."""

    id: str
    query: str
    name: str = ""
    channels: tuple[str, ...] = ("log",)
    enabled: bool = True


class Alert(Struct, frozen=True, kw_only=True):
    """One rule met one family of articles; ``article_id`` is the first article of it that matched."""

    id: str
    """Hash of rule and family, so that the same alert is the same row wherever it is computed."""
    rule: str
    rule_name: str
    family: str
    article_id: str
    title: str
    url: str
    outlet: str
    published: datetime | None
    first_seen: datetime | None
    raised_at: datetime


class DeliveryState(Struct, frozen=True, kw_only=True):
    """How far one message of an alert has come."""

    alert_id: str
    channel: str
    status: Literal["waiting", "sent", "failed"]
    attempts: int
    cause: str
    """Why the last attempt failed; empty when it did not, or when there was none."""
    due: datetime
    """When a waiting one is tried next."""

    def __str__(self) -> str:
        return f"{self.channel} {self.status}" + (f": {self.cause}" if self.cause else "")


class Delivery(Struct, frozen=True, kw_only=True):
    """One message of an alert to one channel, waiting in the outbox until the channel has taken it."""

    id: int
    alert: Alert
    channel: str
    attempts: int
    """Attempts made before this one."""
