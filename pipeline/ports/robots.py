"""What the origins of pages allow, kept between processes and restarts."""

from __future__ import annotations

from datetime import datetime
from typing import Literal, Protocol

from msgspec import Struct


class RobotsAnswer(Struct, frozen=True, kw_only=True):
    """What an origin last said in its robots.txt, or that this could not be read."""

    origin: str
    """As in ``https://news.example`` or ``http://news.example:8080``."""
    answer: Literal["rules", "none", "closed"]
    """``closed``: it could not be read, so that nothing of the origin may be asked for."""
    text: str = ""
    """The rules that are for us, of ``rules`` alone."""
    fetched: datetime
    """When it was read; of ``closed``: since when it cannot be."""
    expires: datetime
    """When to ask again."""


class RobotsCache(Protocol):
    def robots(self, origin: str) -> RobotsAnswer | None:
        """Return what is known of an origin, expired or not."""
        ...

    def save_robots(self, answer: RobotsAnswer) -> None:
        """Keep an answer in place of the former one."""
        ...

    def hold_host(self, host: str, until: datetime) -> None:
        """Keep a host's pages from being claimed until then at the least; a host without pages is no matter."""
        ...
